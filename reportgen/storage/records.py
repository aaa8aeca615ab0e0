"""Records at rest: each whole or absent, with a digest of every file in it. Knows nothing of what they hold."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from reportgen.storage.untrusted import LinkError, UntrustedFolder

_MANIFEST = "MANIFEST.json"
_SCRATCH = re.compile(r"\.([^.]+)\.unfinished")
_UNFINISHED = re.compile(r"(\..+\.[0-9a-f]{32})(\.old|\.lock)?")

_UNREADABLE = (ValueError, TypeError, RecursionError)
"""What a manifest that is none is told by."""


class Store:
    """A folder of records, one folder a key. It may be a stranger's: no link in it is followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = UntrustedFolder(folder)

    def keys(self) -> Iterator[str]:
        """Yield the keys of all records, in no order."""
        # a name with a dot is a folder whose writer was killed, maybe with the manifest in it already
        names = (name for name in self._files.names() if not name.startswith("."))
        yield from (name for name in names if self._is_file(name, _MANIFEST))

    def has(self, key: str) -> bool:
        """Tell whether something lies where the record belongs, be it whole or not."""
        return self._files.stat(key) is not None

    def read(self, key: str) -> dict[str, bytes] | None:
        """Return the files of a record; None if it is absent, or any of its files is not what was written."""
        try:
            digests = dict(json.loads(self._files.read(f"{key}/{_MANIFEST}")))
            if any(Path(name).name != name for name in digests):  # a manifest of somebody else's making
                return None
            files = {name: self._files.read(f"{key}/{name}") for name in digests}
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, LinkError, *_UNREADABLE):
            return None
        return files if all(_digest(content) == digests[name] for name, content in files.items()) else None

    def fault(self, key: str) -> str:
        """Say which file of a record is not what was written; nothing for a record that is whole or absent."""
        if not self.has(key) or self.read(key) is not None:
            return ""
        try:
            digests = dict(json.loads(self._files.read(f"{key}/{_MANIFEST}")))
        except LinkError as error:
            return str(error)
        except (OSError, *_UNREADABLE):
            return f"{_MANIFEST} cannot be read"
        for name, digest in digests.items():
            if fault := self._fault_of(key, str(name), digest):
                return fault
        return ""

    def _fault_of(self, key: str, name: str, digest: object) -> str:
        try:
            content = self._files.read(f"{key}/{name}")
        except LinkError as error:
            return str(error)
        except OSError:
            return f"{name}, which {_MANIFEST} names, is missing"
        return "" if _digest(content) == digest else f"{name} is not what {_MANIFEST} says"

    def _is_file(self, key: str, name: str) -> bool:
        try:
            return self._files.is_file(f"{key}/{name}")
        except LinkError:
            return False

    def digest(self, key: str) -> str:
        """Return a digest of the record as it was written; empty if it is absent."""
        try:
            return _digest(self._files.read(f"{key}/{_MANIFEST}"))
        except OSError:
            return ""

    def digests(self, key: str) -> dict[str, str]:
        """Return the name and SHA-256 of each file of the record, as it was written; empty if it is absent."""
        try:
            return dict(json.loads(self._files.read(f"{key}/{_MANIFEST}")))
        except (OSError, *_UNREADABLE):
            return {}

    def file_digest(self, key: str, name: str) -> str:
        """Return the SHA-256 of a file of a record as it is now; empty if it is absent, or is a link."""
        try:
            return _digest(self._files.read(f"{key}/{name}"))
        except OSError:
            return ""

    def write(self, key: str, files: dict[str, bytes]) -> None:
        """Put a record in its place, whole, replacing the one that was there."""
        self._files.make()
        manifest = json.dumps({name: _digest(content) for name, content in files.items()}, indent=1)
        # on the same disk as the record, so that it gets to its place in one step
        unfinished = f".{key}.{uuid4().hex}"
        with self._held(unfinished):
            self._files.make(unfinished)  # not tempfile.mkdtemp: others who share the build folder may read it
            for name, content in {**files, _MANIFEST: manifest.encode()}.items():
                self._files.create(f"{unfinished}/{name}", content, sync=True)
            UntrustedFolder(self.folder / unfinished).sync()
            if self.has(key):
                self._files.rename(key, f"{unfinished}.old")
            self._files.rename(unfinished, key)
            self._files.sync()

    def remove(self, key: str) -> None:
        """Remove a record, and what a run that did not end has kept for it; it is absent at once.

        Raises Timeout if a process is making the record, which then stays.
        """
        with self.lock(key).acquire(timeout=0):
            unfinished = f".{key}.{uuid4().hex}"
            with self._held(unfinished), suppress(FileNotFoundError):
                self._files.rename(key, unfinished)
            self._files.remove(_scratch(key))

    def scratches(self) -> Iterator[str]:
        """Yield the keys of the runs that have kept something on the way and are not finished."""
        matches = map(_SCRATCH.fullmatch, self._files.names())
        yield from (match[1] for match in matches if match)

    def remove_unfinished(self) -> None:
        """Remove what writers that were killed have left; those that are alive keep theirs."""
        matches = map(_UNFINISHED.fullmatch, self._files.names())
        for name in {match[1] for match in matches if match}:
            with suppress(Timeout), self._held(name, timeout=0):
                pass

    @contextmanager
    def folder_for_now(self) -> Iterator[Path]:
        """Make a folder beside the records that is gone afterwards, or, if this build is killed, with the next.

        It is this user's alone: what its processes leave in it for each other is read without further checks.
        """
        unfinished = f".shared.{uuid4().hex}"
        with self._held(unfinished):
            self._files.make(unfinished, private=True)
            yield self.folder / unfinished

    def scratch(self, key: str) -> Path:
        """Return where whoever holds the lock of `key` may keep a file until the record is made."""
        return self.folder / _scratch(key)

    def lock(self, key: str) -> FileLock:
        """Return the lock that whoever makes the record `key` holds meanwhile."""
        return self._files.lock(f".{key}.lock")

    @contextmanager
    def _held(self, unfinished: str, timeout: float = -1) -> Iterator[None]:
        """Hold the lock of a folder that is being written, and leave nothing of it behind.

        The lock ends with the process that holds it, however that ends. Raises Timeout if another one holds it.
        """
        lock = self._files.lock(f"{unfinished}.lock")
        lock.acquire(timeout)
        try:
            yield
        finally:
            self._files.remove_tree(unfinished)
            self._files.remove_tree(f"{unfinished}.old")
            lock.release()
            self._files.remove(f"{unfinished}.lock")


def _scratch(key: str) -> str:
    return f".{key}.unfinished"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
