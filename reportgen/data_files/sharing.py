"""Data sets that the workers of a build share: the first that needs one prepares it, all map it to memory."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import BaseModel

_place: list[Path] = []


@dataclass(frozen=True)
class Shared:
    """What processes share of a data set: arrays by name, and plain values for a JSON file."""

    arrays: dict[str, NDArray[Any]]
    values: dict[str, Any]


def share_in(folder: Path | None) -> None:
    """Share what this process prepares from now on with all others that share in `folder`; with none for None."""
    _place[:] = [folder] if folder else []


def shared(settings: BaseModel, prepare: Callable[[], Shared]) -> Shared:
    """Return what `prepare` makes of `settings`, or what another process has made of them.

    The arrays of what is returned stay in files, and cannot be written to. A process that shares nothing prepares
    its own, and so does one that finds no room on the disk.
    """
    if not _place:
        return prepare()
    own = _folder_of(settings, _place[0])
    with FileLock(f"{own}.lock"):
        if not own.is_dir():
            made = prepare()
            try:
                _leave(made, own)
            except OSError:
                return made
    return _read(own)


def leave(settings: BaseModel, made: Shared, folder: Path) -> None:
    """Leave what was made of `settings` for those that will share in `folder`; not where there is no room."""
    own = _folder_of(settings, folder)
    with suppress(OSError), FileLock(f"{own}.lock"):
        if not own.is_dir():
            _leave(made, own)


def _folder_of(settings: BaseModel, folder: Path) -> Path:
    return folder / hashlib.sha256(repr(settings).encode()).hexdigest()


def _leave(made: Shared, folder: Path) -> None:
    """Write a folder that is there only when it is whole."""
    unfinished = folder.with_suffix(".new")
    unfinished.mkdir(exist_ok=True)
    (unfinished / "values.json").write_text(json.dumps(made.values), "utf-8")
    for name, array in made.arrays.items():
        np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
    unfinished.rename(folder)


def _read(folder: Path) -> Shared:
    files = folder.glob("*.npy")
    arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in files}
    return Shared(arrays, json.loads((folder / "values.json").read_text("utf-8")))


class Texts(Sequence[str]):
    """Texts one after another in UTF-8 (bytes,), each from one of `begins` (texts + 1,) to the next."""

    def __init__(self, content: NDArray[np.uint8], begins: NDArray[np.int64]) -> None:
        self.content, self.begins = content, begins

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Texts":
        """Put texts together."""
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        begins = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), begins)

    def __len__(self) -> int:
        return len(self.begins) - 1

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> "list[str]": ...
    def __getitem__(self, i: int | slice) -> "str | list[str]":
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        place = range(len(self))[i]
        return bytes(self.content[self.begins[place] : self.begins[place + 1]]).decode("utf-8", "surrogatepass")
