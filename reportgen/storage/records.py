"""Records at rest: each whole or absent, with a digest of every file in it. Knows nothing of what they hold."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

_MANIFEST = "MANIFEST.json"
_SCRATCH = re.compile(r"\.([^.]+)\.unfinished")
_UNFINISHED = re.compile(r"(\..+\.[0-9a-f]{32})(\.old|\.lock)?")


class Store:
    """A folder of records, one folder a key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keys(self) -> Iterator[str]:
        """Yield the keys of all records, in no order."""
        if self.folder.is_dir():
            # a name with a dot is a folder whose writer was killed, maybe with the manifest in it already
            places = (path for path in self.folder.iterdir() if not path.name.startswith("."))
            yield from (path.name for path in places if (path / _MANIFEST).is_file())

    def has(self, key: str) -> bool:
        """Tell whether something lies where the record belongs, be it whole or not."""
        return (self.folder / key).exists()

    def read(self, key: str) -> dict[str, bytes] | None:
        """Return the files of a record; None if it is absent, or any of its files is not what was written."""
        folder = self.folder / key
        try:
            digests = dict(json.loads((folder / _MANIFEST).read_bytes()))
            if any(Path(name).name != name for name in digests):  # a manifest of somebody else's making
                return None
            files = {name: (folder / name).read_bytes() for name in digests}
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError, RecursionError):
            return None
        return files if all(_digest(content) == digests[name] for name, content in files.items()) else None

    def fault(self, key: str) -> str:
        """Say which file of a record is not what was written; nothing for a record that is whole or absent."""
        folder = self.folder / key
        if not self.has(key) or self.read(key) is not None:
            return ""
        try:
            digests = dict(json.loads((folder / _MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            return f"{_MANIFEST} cannot be read"
        for name, digest in digests.items():
            if not (folder / str(name)).is_file():
                return f"{name}, which {_MANIFEST} names, is missing"
            if _digest((folder / str(name)).read_bytes()) != digest:
                return f"{name} is not what {_MANIFEST} says"
        return ""

    def digest(self, key: str) -> str:
        """Return a digest of the record as it was written; empty if it is absent."""
        try:
            return _digest((self.folder / key / _MANIFEST).read_bytes())
        except OSError:
            return ""

    def digests(self, key: str) -> dict[str, str]:
        """Return the name and SHA-256 of each file of the record, as it was written; empty if it is absent."""
        try:
            return dict(json.loads((self.folder / key / _MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            return {}

    def write(self, key: str, files: dict[str, bytes]) -> None:
        """Put a record in its place, whole, replacing the one that was there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = json.dumps({name: _digest(content) for name, content in files.items()}, indent=1)
        # on the same disk as the record, so that it gets to its place in one step
        unfinished = self.folder / f".{key}.{uuid4().hex}"
        with _held(unfinished):
            unfinished.mkdir()  # not tempfile.mkdtemp, which shuts out the others who share the build folder
            for name, content in {**files, _MANIFEST: manifest.encode()}.items():
                write_through(unfinished / name, content)
            _sync_folder(unfinished)
            place = self.folder / key
            if place.exists():
                place.rename(_old(unfinished))
            unfinished.rename(place)
            _sync_folder(self.folder)

    def remove(self, key: str) -> None:
        """Remove a record, and what a run that did not end has kept for it; it is absent at once.

        Raises Timeout if a process is making the record, which then stays.
        """
        with self.lock(key).acquire(timeout=0):
            unfinished = self.folder / f".{key}.{uuid4().hex}"
            with _held(unfinished), suppress(FileNotFoundError):
                (self.folder / key).rename(unfinished)
            self.scratch(key).unlink(missing_ok=True)

    def scratches(self) -> Iterator[str]:
        """Yield the keys of the runs that have kept something on the way and are not finished."""
        if self.folder.is_dir():
            matches = (_SCRATCH.fullmatch(path.name) for path in self.folder.iterdir())
            yield from (match[1] for match in matches if match)

    def remove_unfinished(self) -> None:
        """Remove what writers that were killed have left; those that are alive keep theirs."""
        if not self.folder.is_dir():
            return
        matches = (_UNFINISHED.fullmatch(path.name) for path in self.folder.iterdir())
        for name in {match[1] for match in matches if match}:
            with suppress(Timeout), _held(self.folder / name, timeout=0):
                pass

    @contextmanager
    def folder_for_now(self) -> Iterator[Path]:
        """Make a folder beside the records that is gone afterwards, or, if this build is killed, with the next."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".shared.{uuid4().hex}"
        with _held(unfinished):
            unfinished.mkdir()
            yield unfinished

    def scratch(self, key: str) -> Path:
        """Return where whoever holds the lock of `key` may keep a file until the record is made."""
        return self.folder / f".{key}.unfinished"

    def lock(self, key: str) -> FileLock:
        """Return the lock that whoever makes the record `key` holds meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / f".{key}.lock")


@contextmanager
def _held(unfinished: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of a folder that is being written, and leave nothing of it behind.

    The lock ends with the process that holds it, however that ends. Raises Timeout if another one holds it.
    """
    lock = FileLock(unfinished.with_name(f"{unfinished.name}.lock"))
    lock.acquire(timeout)
    try:
        yield
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(_old(unfinished), ignore_errors=True)
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _old(unfinished: Path) -> Path:
    """Return where the record that is being replaced waits for its end."""
    return unfinished.with_name(f"{unfinished.name}.old")


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows cannot, and need not
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def write_through(file: Path, content: bytes) -> None:
    """Write a file, and wait until it is on the disk."""
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def put_in_place(file: Path, content: bytes) -> None:
    """Write a file in one step: the old one or the new is whole, whenever the process dies or the disk is full."""
    unfinished = file.with_name(f".{file.name}.new")
    try:
        write_through(unfinished, content)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
