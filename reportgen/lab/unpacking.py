"""Archives (.tar.gz) read member by member: plain files alone, and no more of them than was expected."""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from reportgen.errors import ReportgenError


class ArchiveError(ReportgenError):
    """An archive that holds more than was expected of it."""


@dataclass(frozen=True)
class Limits:
    """The most that an archive may hold."""

    members: int
    member_bytes: int
    """Of one file that is wanted."""
    bytes: int
    """Of all that is unpacked on the way, wanted or not."""


def plain_files(archive: IO[bytes], wanted: Callable[[str], bool], limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files that are wanted; links, devices and sparse files are passed over.

    Nothing is written to disk. Raises ArchiveError beyond the limits; tarfile.TarError, OSError, EOFError or
    zlib.error for what is no such archive.
    """
    with gzip.GzipFile(fileobj=archive) as unpacked:
        bounded = _Bounded(unpacked, limits.bytes)
        with tarfile.open(fileobj=bounded, mode="r|") as members:  # type: ignore[call-overload]  # it need only read
            for number, member in enumerate(members, start=1):
                if number > limits.members:
                    raise ArchiveError(f"got an archive of more than {limits.members:,} members")
                if not member.isreg() or member.issparse() or not wanted(member.name):
                    continue
                if member.size > limits.member_bytes:
                    expected = f"at most {limits.member_bytes:,}"
                    raise ArchiveError(f"got {member.size:,} bytes of {member.name!r}, expected {expected}")
                stream = members.extractfile(member)
                yield member.name, stream.read() if stream else b""


class _Bounded:
    """A stream that refuses to give more than so many bytes: a small archive may unpack to any size."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream, self._left, self._most = stream, most, most

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ArchiveError(f"got an archive that unpacks to more than {self._most:,} bytes")
        return content
