"""What a suite may reach: its own folder, and, to read data from, those that the user names."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from reportgen.errors import Problem
from reportgen.resources import is_below

_VARIABLE = "REPORTGEN_DATA"
_LARGEST_MODULE = 1_000_000


def data_folders(folder: Path) -> list[Path]:
    """Return the folders that a suite in `folder` may read data from: its own, and those in $REPORTGEN_DATA."""
    return [folder, *(Path(name) for name in os.environ.get(_VARIABLE, "").split(os.pathsep) if name)]


def outside(file: Path, folder: Path) -> str:
    """Return what is expected of a data file that lies elsewhere, or has a link in it that leads elsewhere.

    Nothing for one that may be read.
    """
    allowed = data_folders(folder)
    if all(any(is_below(path, own) for own in allowed) for path in (file, *_links(file))):
        return ""
    return f"data below {folder}, or below a folder that {_VARIABLE} names in the environment"


def _links(folder: Path) -> Iterator[Path]:
    """Yield the symbolic links in a folder, whatever they lead to; it may hold tens of thousands of files."""
    folders = [folder] if folder.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir():
                    folders.append(Path(entry.path))


def fault_of_source(file: Path, name: str, kind: str) -> Problem | None:
    """Say what keeps a file from having `name`, a class or a function as `kind` says; nothing of it is run."""
    try:
        if file.stat().st_size > _LARGEST_MODULE:
            return Problem(file, 1, "", "a file of more than a million bytes", "a module")
        names = set(_names(ast.parse(file.read_bytes(), str(file)).body))
    except SyntaxError as error:
        return Problem(file, error.lineno or 1, "", f"a syntax error ({error.msg})", "Python")
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; nested without end
        return Problem(file, 1, "", str(error) or "too deep a nest", "Python")
    if name in names or "*" in names:
        return None
    return Problem(file, 1, "", f"no {kind} {name}", f"one of {', '.join(sorted(names)) or 'no name at all'}")


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Yield what a module binds: classes, what is assigned, what is imported; `*` where that cannot be told."""
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname or alias.name) for alias in node.names)
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield "*"
