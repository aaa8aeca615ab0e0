"""The key of a run: a digest of all that can change its numbers, and of nothing else. Imports no torch."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reportgen.lab.data.user_function import source_digest as own_data_digest
from reportgen.lab.user_source import OwnClass, is_own, meaning, own_digest
from reportgen.tasks.addition.settings import AdditionRun, AdditionSettings
from reportgen.tasks.base import AnyData, AnyRun
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.settings import FunctionSettings, RunSettings
from reportgen.tasks.classification.vectors import vectors_for
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.settings import OwnSeriesSettings, SeriesSettings, SineSettings

THREADS = 1
"""Threads of a run on a CPU: fixed, so that the number of runs side by side never changes a result."""

_version = cache(version)  # it reads a file, which for many runs would take longer than all else of their keys
_PACKAGE = Path(__file__).parents[1]


def key_parts(settings: AnyRun, seed: int) -> dict[str, Any]:
    """Return what the key is made of: the name of each part and its value."""
    resolved = settings.model_dump(mode="json")
    return {
        **{f"model.{name}": value for name, value in _with_effect(resolved["model"]).items()},
        **{f"training.{name}": value for name, value in resolved["training"].items()},
        **_vectors(settings),
        **_own_cell(settings.model.cell, whole=settings.model.module is not None),
        **_own_loss(settings),
        "data": data_digest(settings.data),
        "seed": seed,
        "code": code_digest(),
        "torch": _version("torch"),
        "device": settings.device,
        "dtype": "float32" if isinstance(settings, AdditionRun) else settings.training.precision,
        "threads": THREADS if settings.device == "cpu" else None,
    }


_PART_OF = {"embedding_std": "embedding_size", "activation": "head_size"}


def _with_effect(model: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a model, None for those of a layer that it has not."""
    idle = {name for name, layer in _PART_OF.items() if name in model and model[layer] is None}
    return {name: None if name in idle else value for name, value in model.items()}


def _vectors(settings: AnyRun) -> dict[str, str | None]:
    """Return what the word vectors of a classification run are, and not where they lie."""
    if not isinstance(settings, RunSettings):
        return {}
    name = settings.model.vectors
    return {"model.vectors": name and vectors_for(name, settings.data).digest}


def _own_cell(cell: str, *, whole: bool) -> dict[str, str]:
    """Return what a class of the user's own is, and not where it lies."""
    if not is_own(cell):
        return {}
    own = OwnClass.of(cell)
    # a whole model is its cell, too: see MayBeOwn
    return {
        "model.cell": str(own),
        "model.source": own_digest(own),
        **({"model.module": str(own)} if whole else {}),
    }


def _own_loss(settings: AnyRun) -> dict[str, str]:
    """Return what a loss of the user's own is, and not where it lies."""
    if not isinstance(settings, RunSettings) or not is_own(settings.training.loss):
        return {}
    own = OwnClass.of(settings.training.loss)
    return {"training.loss": str(own), "training.source": own_digest(own)}


def data_digest(settings: AnyData) -> str:
    """Return a digest of the data themselves, or, for those made while training, of what they are made from."""
    match settings:
        case AdditionSettings():
            return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
        case FunctionSettings() | OwnSeriesSettings():
            return own_data_digest(settings)
        case SineSettings() | SeriesSettings():
            return forecasting_data.prepare(settings).facts.digest
        case _:
            return classification_data.prepare(settings).facts.digest


def key_of(parts: Mapping[str, Any]) -> str:
    """Return the key for the parts, whatever their order: 20 hexadecimal digits."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:20]


@cache
def code_digest() -> str:
    """Digest the source of `reportgen.lab` and of what it imports of reportgen; comments do not count."""
    return source_digest(_PACKAGE)


def source_digest(package: Path) -> str:
    """Digest the meaning of every file that can change a number, in the copy of reportgen at `package`."""
    digest = hashlib.sha256()
    for file in sources(package):
        digest.update(f"{file.relative_to(package).as_posix()}\0{_meaning(file)}\0".encode())
    return digest.hexdigest()[:16]


def sources(package: Path) -> list[Path]:
    """Return the files of `package`/lab and, step by step, those they import of the package.

    errors.py is left out: what a message says changes no number.
    """
    known: set[Path] = set()
    files = set((package / "lab").rglob("*.py"))
    while files:
        known |= files
        files = {imported for file in files for imported in _imported(file, package)} - known
    return sorted(known - {package / "errors.py"})


def _imported(file: Path, package: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("reportgen"):
            parent = package.joinpath(*node.module.split(".")[1:])
            candidates = [parent.with_suffix(".py"), *(parent / f"{name.name}.py" for name in node.names)]
            yield from (path for path in candidates if path.is_file())


def _meaning(file: Path) -> str:
    return meaning(ast.parse(file.read_text("utf-8")), descriptions=False)
