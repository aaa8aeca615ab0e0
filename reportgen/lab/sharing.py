"""Data sets that the workers of a build share: the first that needs one prepares it, all map it to memory."""

import hashlib
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import BaseModel

Prepared = TypeVar("Prepared")

_place: list[Path] = []


def share_in(folder: Path | None) -> None:
    """Share what this process prepares from now on with all others that share in `folder`; with none for None."""
    _place[:] = [folder] if folder else []


def shared(settings: BaseModel, prepare: Callable[[], Prepared]) -> Prepared:
    """Return what `prepare` makes of `settings`, or what another process has made of them.

    The arrays of what is returned stay in files, and cannot be written to. A process that shares nothing prepares
    its own, and so does one that finds no room on the disk.
    """
    if not _place:
        return prepare()
    own = _place[0] / hashlib.sha256(repr(settings).encode()).hexdigest()
    with FileLock(f"{own}.lock"):
        if not own.is_dir():
            made = prepare()
            try:
                _leave(made, own)
            except OSError:
                return made
    return _read(own)  # type: ignore[return-value]  # it is what was left


def _leave(made: object, folder: Path) -> None:
    """Write an object into a folder that is there only when it is whole: each array a file, and the rest one."""
    arrays: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(made, 5, buffer_callback=arrays.append)
    unfinished = folder.with_suffix(".new")
    unfinished.mkdir(exist_ok=True)
    (unfinished / "rest").write_bytes(rest)
    for number, array in enumerate(arrays):
        (unfinished / f"array.{number:03}").write_bytes(array.raw())
    unfinished.rename(folder)


def _read(folder: Path) -> object:
    arrays = [_mapped(file) for file in sorted(folder.glob("array.*"))]
    rest = (folder / "rest").read_bytes()
    return pickle.loads(rest, buffers=arrays)  # noqa: S301 - a worker of this build has just written it


def _mapped(file: Path) -> NDArray[np.uint8] | bytes:
    return np.memmap(file, np.uint8, "r") if file.stat().st_size else b""  # nothing cannot be mapped


class Texts(Sequence[str]):
    """Texts one after another in UTF-8 (bytes,), each from one of `begins` (texts + 1,) to the next."""

    def __init__(self, content: NDArray[np.uint8], begins: NDArray[np.int64]) -> None:
        self._content, self._begins = content, begins

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Texts":
        """Put texts together."""
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        begins = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), begins)

    def __len__(self) -> int:
        return len(self._begins) - 1

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> "list[str]": ...
    def __getitem__(self, i: int | slice) -> "str | list[str]":
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        place = range(len(self))[i]
        return bytes(self._content[self._begins[place] : self._begins[place + 1]]).decode("utf-8", "surrogatepass")
