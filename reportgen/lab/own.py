"""A class in a file of the user's own: where it is, and a digest of its source. Imports neither it nor torch."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import InputError, Problem
from reportgen.lab.meaning import meaning


@dataclass(frozen=True)
class OwnClass:
    """A class by its file and its name; a suite writes `my_models.py:MyLSTM`."""

    file: Path
    name: str

    @classmethod
    def of(cls, cell: str) -> "OwnClass":
        """Read what a suite writes."""
        file, _, name = cell.rpartition(":")
        return cls(Path(file), name)

    def __str__(self) -> str:
        return f"{self.file.name}:{self.name}"


def own_digest(own: OwnClass) -> str:
    """Digest the source of the class's file and of the files beside it that it imports; comments do not count.

    Raises InputError for a file that is not Python, with its line.
    """
    digest = hashlib.sha256()
    for file in own_sources(own.file):
        name = file.relative_to(own.file.parent).as_posix()
        digest.update(f"{name}\0{_meaning(file)}\0".encode())
    return digest.hexdigest()[:16]


def own_sources(file: Path) -> list[Path]:
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
