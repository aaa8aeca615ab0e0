"""Classes and functions in a student's file: their names in a suite, and a digest of their source. No torch."""

import ast
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from reportgen.errors import InputError, Problem
from reportgen.lab.settings import RecurrentCell, Settings


def meaning(tree: ast.Module, *, descriptions: bool) -> str:
    """Return the source of `tree`, which is changed, without comments, docstrings and layout.

    Args:
        tree: a parsed file.
        descriptions: keep arguments called `description`; in reportgen they word a setting.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not descriptions:
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_text(s)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


OWN = r"^.+\.py:[A-Za-z_][A-Za-z0-9_]*$"
"""Something of the user's own: file, colon, name."""
GIVEN = ("input_size", "hidden_size", "num_layers")
"""Arguments of a recurrent layer that come from other settings."""


def is_user_code(name: object) -> bool:
    """Tell whether a setting names something in a file of the user's own, and not what reportgen has."""
    return isinstance(name, str) and re.match(OWN, name) is not None


def file_of_user_code(name: object) -> str | None:
    """Return the file of something of the user's own; None for anything else."""
    return name.rpartition(":")[0] if isinstance(name, str) and is_user_code(name) else None


def _own(value: str) -> str:
    if not is_user_code(value):
        raise PydanticCustomError("own", "one of your own: file.py:Name")
    return value


UserCodeName = Annotated[
    str, Field(strict=True), AfterValidator(_own), WithJsonSchema({"type": "string", "pattern": OWN})
]


class Arguments(dict[str, Any]):
    """Arguments by name, that nobody changes: settings are compared and hashed."""

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none
        return hash(tuple(self.items()))


def _plain_arguments(values: dict[str, Any]) -> Arguments:
    for name, value in values.items():
        if not name.isidentifier():
            raise PydanticCustomError("argument", "names of arguments")
        finite = not isinstance(value, float) or math.isfinite(value)
        if not (value is None or isinstance(value, bool | int | float | str)) or not finite:
            raise PydanticCustomError(
                "argument", "a number, a text, true, false or null for {name}", {"name": name}
            )
    return Arguments(values)


GivenArguments = Annotated[dict[str, Any], AfterValidator(_plain_arguments)]


class UserModelSettings(Settings):
    """Settings of a model that may be the user's own: one recurrent layer of it, or the whole.

    A class of this kind has a `cell`, which is the class of the whole model where there is one.
    """

    module: UserCodeName | None = Field(
        None, description="A whole model of your own, file.py:Class, in place of cell and all other settings."
    )
    arguments: GivenArguments | None = Field(
        None, description="Further arguments for a class of your own, by name."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_a_cell_or_a_module(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not is_user_code(given.get("module")):
            return given
        return {"cell": given["module"], **given}

    @model_validator(mode="after")
    def _asks_nothing_of_a_whole_model(self) -> "UserModelSettings":
        values = dict(self)
        if self.module is None:
            self._check_arguments(values["cell"])
            return self
        fields = type(self).model_fields
        other = [
            name
            for name, value in values.items()
            if name not in ("module", "arguments", "cell") and value != fields[name].default
        ]
        other += ["cell"] * (values["cell"] != self.module)
        if other:
            raise PydanticCustomError(
                "rule", "no {other} with module; give a whole model what it needs as arguments",
                {"other": ", ".join(other)},
            )  # fmt: skip
        return self

    def _check_arguments(self, cell: str) -> None:
        if self.arguments is None:
            return
        if not is_user_code(cell):
            raise PydanticCustomError(
                "rule", "no arguments with {cell}; a class of your own may have some", {"cell": cell}
            )
        if taken := [name for name in GIVEN if name in self.arguments]:
            raise PydanticCustomError(
                "rule", "no {taken} among the arguments; hidden_size, layers and the data give it",
                {"taken": ", ".join(taken)},
            )  # fmt: skip


def laid_over(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run's model: its own over the shared ones, of which a whole model takes none."""
    if "module" in own and "module" not in shared:
        return own
    if "cell" in own and "module" in shared:
        shared = {name: value for name, value in shared.items() if name not in ("module", "arguments")}
    return {**shared, **own}


@dataclass(frozen=True)
class UserClass:
    """A class by its file and its name; a suite writes `my_models.py:MyLSTM`."""

    file: Path
    name: str

    @classmethod
    def of(cls, cell: str) -> "UserClass":
        """Read what a suite writes."""
        file, _, name = cell.rpartition(":")
        return cls(Path(file), name)

    def __str__(self) -> str:
        return f"{self.file.name}:{self.name}"


def user_code_digest(own: UserClass) -> str:
    """Digest the source of the class's file and of the files beside it that it imports; comments do not count.

    Raises InputError for a file that is not Python, with its line.
    """
    digest = hashlib.sha256()
    for file in user_code_sources(own.file):
        name = file.relative_to(own.file.parent).as_posix()
        digest.update(f"{name}\0{_meaning(file)}\0".encode())
    return digest.hexdigest()[:16]


def user_code_sources(file: Path) -> list[Path]:
    """Return the file and, step by step, those below its folder that it imports."""
    known: set[Path] = set()
    files = {file}
    while files:
        known |= files
        found = {found for each in files for found in _imported(each, file.parent)}
        files = {path for path in found if path.is_relative_to(file.parent)} - known  # `from ..` leads above it
    return sorted(known)


def _imported(file: Path, top: Path) -> Iterator[Path]:
    for node in ast.walk(_parsed(file)):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from _files(top, alias.name)
            case ast.ImportFrom():
                start = file.parents[node.level - 1] if 0 < node.level <= len(file.parents) else top
                yield from _files(start, node.module or "")
                for alias in node.names:
                    yield from _files(start, ".".join(filter(None, [node.module, alias.name])))


def _files(folder: Path, module: str) -> Iterator[Path]:
    """Yield the files below the folder that `import module` reads; none for a module from elsewhere."""
    place = folder
    for part in filter(None, module.split(".")):
        place = place / part
        candidates = (place / "__init__.py", place.with_name(f"{part}.py"))
        yield from (path for path in candidates if path.is_file())


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        got = f"a syntax error ({error.msg})"
        raise InputError([Problem(file, error.lineno or 1, "", got, "Python")]) from None
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; nested without end
        raise InputError([Problem(file, 1, "", str(error) or "too deep a nest", "Python")]) from None


def _meaning(file: Path) -> str:
    try:
        return meaning(_parsed(file), descriptions=True)
    except RecursionError as error:
        raise InputError([Problem(file, 1, "", str(error), "Python")]) from None


def cell_named(value: object, cells: tuple[str, ...]) -> str:
    """Return the name of a known cell, or of a class of the user's own; pydantic's error for anything else."""
    if isinstance(value, str) and (value in cells or is_user_code(value)):
        return value
    known = ", ".join(map(repr, cells))
    raise PydanticKnownError("literal_error", {"expected": f"{known} or a class of your own, file.py:Class"})


def _recurrent(value: object) -> str:
    return cell_named(value, get_args(RecurrentCell))


RecurrentCellName = Annotated[
    str,
    PlainValidator(_recurrent),
    WithJsonSchema({"anyOf": [{"enum": list(get_args(RecurrentCell))}, {"type": "string", "pattern": OWN}]}),
]
"""A cell that every task has, or one of the user's own."""


PACKAGED_VECTORS = "glove-6b-50d"


FILES_OF_SETTINGS = ("vectors", "cell", "module", "loss")
"""Settings of a model or a training that may name a file."""


def file_of_setting(setting: str, value: object) -> str | None:
    """Return the file that a setting names, such as `vectors`, `cell` or `loss`; None where it names none."""
    if setting in ("cell", "module", "loss"):
        return file_of_user_code(value)
    if setting == "vectors" and isinstance(value, str) and value != PACKAGED_VECTORS:
        return value
    return None
