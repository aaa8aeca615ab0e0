"""Records at rest: each whole or absent, with a digest of every file in it. Knows nothing of what they hold."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

_MANIFEST = "MANIFEST.json"


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
            files = {name: (folder / name).read_bytes() for name in digests}
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError):
            return None
        return files if all(_digest(content) == digests[name] for name, content in files.items()) else None

    def digest(self, key: str) -> str:
        """Return a digest of the record as it was written; empty if it is absent."""
        try:
            return _digest((self.folder / key / _MANIFEST).read_bytes())
        except OSError:
            return ""

    def write(self, key: str, files: dict[str, bytes]) -> None:
        """Put a record in its place, whole, replacing the one that was there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = json.dumps({name: _digest(content) for name, content in files.items()}, indent=1)
        unfinished = self.folder / f".{key}.{uuid4().hex}"
        unfinished.mkdir()  # not tempfile.mkdtemp, which shuts out the others who share the build folder
        try:
            for name, content in {**files, _MANIFEST: manifest.encode()}.items():
                _write_through(unfinished / name, content)
            place = self.folder / key
            if place.exists():
                shutil.rmtree(place)
            unfinished.rename(place)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    def lock(self, key: str) -> FileLock:
        """Return the lock that whoever makes the record `key` holds meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / f".{key}.lock")


def _write_through(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
