"""What was worked out once and need not be again: each entry is whole or counts as absent, and none is missed."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


class Kept:
    """A folder of entries by name. It is no place for what cannot be worked out again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> bytes | None:
        """Return the entry as it was put; None if it is absent or damaged."""
        try:
            seal, _, content = (self.folder / name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if seal == _seal(content) else None

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry, in one step; where there is no room for it, or no right to write, it is not kept."""
        unfinished = self.folder / f".{uuid4().hex}"
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)  # not its parents: a plan of what was never built leaves nothing
            try:
                # not synced to the disk: what a crash leaves of it is found out by its seal
                unfinished.write_bytes(_seal(content) + b"\n" + content)
                unfinished.replace(self.folder / name)
            finally:
                unfinished.unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Yield the files of all entries, and what writers that were killed have left."""
        if self.folder.is_dir():
            yield from self.folder.iterdir()


def name_of(parts: Iterable[str]) -> str:
    """Return the name of what is made from these parts: 32 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:32]


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
