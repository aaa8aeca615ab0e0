"""The key of a run: a digest of all that can change its numbers, and of nothing else. Imports no torch."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.user_source import UserClass, is_user_code, meaning, user_code_digest

THREADS = 1
"""Threads of a run on a CPU: fixed, so that the number of runs side by side never changes a result."""

_version = cache(version)  # it reads a file, which for many runs would take longer than all else of their keys
_PACKAGE = Path(__file__).parents[1]


def key_parts(settings: RunOfAnyTask, seed: int, own: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Return what the key is made of: the name of each part and its value.

    Args:
        settings: of the run, resolved.
        seed: of the run.
        own: what the run's task adds: the digest of the data, and what stands in place of names of files.
        code: digest of the source that can change a number, see `code_digest`.
    """
    resolved = settings.model_dump(mode="json")
    return {
        **{f"model.{name}": value for name, value in _with_effect(resolved["model"]).items()},
        **{f"training.{name}": value for name, value in resolved["training"].items()},
        **_own_cell(settings.model.cell, whole=settings.model.module is not None),
        "seed": seed,
        "code": code,
        "torch": _version("torch"),
        "device": settings.device,
        "dtype": getattr(settings.training, "precision", "float32"),
        "threads": THREADS if settings.device == "cpu" else None,
        **own,
    }


_PART_OF = {"embedding_std": "embedding_size", "activation": "head_size"}


def _with_effect(model: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a model, None for those of a layer that it has not."""
    idle = {name for name, layer in _PART_OF.items() if name in model and model[layer] is None}
    return {name: None if name in idle else value for name, value in model.items()}


def _own_cell(cell: str, *, whole: bool) -> dict[str, str]:
    """Return what a class of the user's own is, and not where it lies."""
    if not is_user_code(cell):
        return {}
    own = UserClass.of(cell)
    # a whole model is its cell, too: see MayBeOwn
    return {
        "model.cell": str(own),
        "model.source": user_code_digest(own),
        **({"model.module": str(own)} if whole else {}),
    }


def key_of(parts: Mapping[str, Any]) -> str:
    """Return the key for the parts, whatever their order: 20 hexadecimal digits."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:20]


@cache
def code_digest(task: str) -> str:
    """Digest the source that can change a number of a task's runs: of `lab/`, and of how the task trains."""
    return source_digest(_PACKAGE, task)


def source_digest(package: Path, task: str) -> str:
    """Digest the meaning of every file that can change a number, in the copy of reportgen at `package`."""
    digest = hashlib.sha256()
    for file in sources(package, task):
        digest.update(f"{file.relative_to(package).as_posix()}\0{_meaning(file)}\0".encode())
    return digest.hexdigest()[:16]


def sources(package: Path, task: str) -> list[Path]:
    """Return the files of `package`/lab, and those of the task's folder that its `run` and `data` import.

    How a task reports changes no number; nor do errors.py and data_files/, which words messages and moves bytes.
    """
    folder = package / "tasks" / task
    known: set[Path] = set((package / "lab").rglob("*.py"))
    files = {file for name in ("run.py", "data.py") if (file := folder / name).is_file()}
    while files:
        known |= files
        files = {imported for file in files for imported in imports_of(file, package)} - known
        files = {file for file in files if file.is_relative_to(folder)}
    return sorted(known)


def imports_of(file: Path, package: Path) -> Iterator[Path]:
    """Yield the files of `package` that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("reportgen"):
            parent = package.joinpath(*node.module.split(".")[1:])
            candidates = [parent.with_suffix(".py"), *(parent / f"{name.name}.py" for name in node.names)]
            yield from (path for path in candidates if path.is_file())


def _meaning(file: Path) -> str:
    return meaning(ast.parse(file.read_text("utf-8")), descriptions=False)
