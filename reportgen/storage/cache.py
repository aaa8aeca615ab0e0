"""What was worked out once and need not be again: each entry is whole or counts as absent, and none is missed.

Entries lie in the build folder, which may be a stranger's. Each is sealed with the secret of this machine,
together with its name: one that was made elsewhere, changed or renamed counts as absent.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from reportgen.storage.secret import is_sealed, seal
from reportgen.storage.untrusted import UntrustedFolder


class Cache:
    """A folder of entries by name. It is no place for what cannot be worked out again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = UntrustedFolder(folder)

    def get(self, name: str) -> bytes | None:
        """Return the entry as it was put; None if it is absent, damaged or of another machine's making."""
        try:
            sealed, _, content = self._files.read(name).partition(b"\n")
        except OSError:
            return None
        return content if is_sealed(sealed.decode("ascii", "replace"), name.encode(), content) else None

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry, in one step; where there is no room for it, or no right to write, it is not kept."""
        unfinished = f".{uuid4().hex}"
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)  # not its parents: a plan of what was never built leaves nothing
            try:
                # not synced to the disk: what a crash leaves of it is found out by its seal
                self._files.create(unfinished, seal(name.encode(), content).encode() + b"\n" + content)
                self._files.rename(unfinished, name)
            finally:
                self._files.remove(unfinished)

    def files(self) -> Iterator[Path]:
        """Yield the files of all entries, and what writers that were killed have left."""
        yield from (self.folder / name for name in self._files.names() if self._files.is_file(name))


def cache_name(parts: Iterable[str]) -> str:
    """Return the name of what is made from these parts: 32 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:32]
