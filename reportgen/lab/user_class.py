"""A recurrent layer that the user wrote: its file run, its class found, a layer made."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

from torch import Tensor, nn

from reportgen.errors import ReportgenError
from reportgen.lab.user_source import UserClass, user_code_digest


class _FromSource(SourceFileLoader):
    """Runs a file as it is now, which is what its digest is of.

    What Python has kept of it in compiled form may be of another text of the same second and the same length.
    """

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def load(own: UserClass) -> type[nn.Module]:
    """Run the file and return its class.

    Whatever the file raises is raised; LookupError if it has no such class, TypeError if that is no nn.Module.
    """
    found = _found(own, "classes", inspect.isclass)
    if not (inspect.isclass(found) and issubclass(found, nn.Module)):
        raise TypeError(f"{own.name}, which is no nn.Module")
    return found


def load_function(own: UserClass) -> Callable[..., Any]:
    """Run the file and return its function, or whatever can be called.

    Whatever the file raises is raised; LookupError if it has none of that name, TypeError if that is no function.
    """
    found = _found(own, "functions", inspect.isfunction)
    if not callable(found) or inspect.isclass(found):
        raise TypeError(f"{own.name}, which is no function")
    function: Callable[..., Any] = found
    return function


def _found(own: UserClass, kinds: str, of_kind: Callable[[object], bool]) -> object:
    """Run the file and return what it calls so.

    The file's folder is put on the path as Python does with a script, so that the file can import its neighbours.
    """
    folder = str(own.file.parent.absolute())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"own_{own.file.stem}"
    spec = importlib.util.spec_from_file_location(name, own.file, loader=_FromSource(name, str(own.file)))
    assert spec is not None  # noqa: S101 - None only for an ending that no importer knows
    assert spec.loader is not None  # noqa: S101 - likewise
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and inspect look for the module of a class there
    spec.loader.exec_module(module)
    found = getattr(module, own.name, None)
    if found is None:
        own_kind = (n for n, value in vars(module).items() if of_kind(value) and value.__module__ == name)
        raise LookupError(f"a file without {own.name}; its {kinds} are {', '.join(own_kind) or 'none'}")
    return found


def given(
    input_size: int, hidden_size: int, layers: int, arguments: Mapping[str, Any] | None
) -> inspect.BoundArguments:
    """Return what a class of the user's own is called with: two sizes, num_layers above 1, further arguments."""
    several = {"num_layers": layers} if layers > 1 else {}
    anything = inspect.signature(lambda *args, **kwargs: (args, kwargs))
    return anything.bind(input_size, hidden_size, **several, **(arguments or {}))


def user_layer(
    cell: str, input_size: int, hidden_size: int, layers: int, arguments: Mapping[str, Any] | None
) -> nn.Module:
    """Return a layer of the class that a suite calls `my_models.py:MyLSTM`, its file's path in front."""
    call = given(input_size, hidden_size, layers, arguments)
    return load(UserClass.of(cell))(*call.args, **call.kwargs)


def user_model(module: str, sizes: tuple[int, ...], arguments: Mapping[str, Any] | None) -> nn.Module:
    """Return a whole model of the class `module`, made from sizes that come from the data, and its arguments."""
    return load(UserClass.of(module))(*sizes, **(arguments or {}))


def source_of(name: str, expected_digest: str | None) -> str:
    """Return the source of a class or function; ReportgenError if its file is not the one that the key is of."""
    own = UserClass.of(name)
    if expected_digest not in (None, user_code_digest(own)):  # it would lie under another's key
        raise ReportgenError(f"{own.file.name} has changed since the build began; run the same command again")
    found = _found(own, "names", callable)
    try:
        return inspect.getsource(found).rstrip()  # type: ignore[arg-type]  # TypeError for what has no source
    except (OSError, TypeError):
        return ""


BATCH, TIME = 3, 5
"""Sequences and steps of the tiny batch that user code is validated on."""


@dataclass(frozen=True)
class ModelContract:
    """What a task asks of a student's whole model, on a tiny batch."""

    sizes: tuple[int, ...]
    """What the class is given first, such as the size of the vocabulary and the number of classes."""
    inputs: tuple[Tensor, ...]
    shape: tuple[int, ...]
    """Of the output."""
    meaning: str
    """Of the output's axes."""
    last: bool = False
    """Whether a last state comes with it."""

    @property
    def expected(self) -> str:
        """Say what comes out, and for which input."""
        output = (
            f"{'(values, last state) with values' if self.last else 'one tensor'} {self.shape}: {self.meaning}"
        )
        return f"{output}, for {', '.join(str(tuple(x.shape)) for x in self.inputs)}"
