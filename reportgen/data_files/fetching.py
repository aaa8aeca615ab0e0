"""Data sets that are fetched once, checked, unpacked, and kept in the user's cache folder."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path

from reportgen.errors import ReportgenError


class ArchiveError(ReportgenError):
    """An archive that cannot be read, or that holds more than was expected of it."""


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

    Nothing is written to disk. Raises ArchiveError beyond the limits, and for what is no such archive.
    """
    try:
        yield from _plain_files(archive, wanted, limits)
    except ReportgenError:
        raise
    except Exception as error:  # tarfile, gzip and zlib each raise their own, and some of Python's
        raise ArchiveError(f"got an archive that cannot be read ({error}), expected a .tar.gz") from None


def _plain_files(archive: IO[bytes], wanted: Callable[[str], bool], limits: Limits) -> Iterator[tuple[str, bytes]]:
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


_LIMITS = Limits(members=10_000, member_bytes=50_000_000, bytes=200_000_000)


@dataclass(frozen=True)
class Remote:
    """A file inside an archive inside a package's source distribution."""

    name: str
    requirement: str
    archive_digest: str
    """SHA-256 of the source distribution."""
    inner: str
    """Path of the archive in the source distribution."""
    member: str
    """Path of the file in that archive."""
    digest: str
    """SHA-256 of the file."""
    size: int
    """Bytes of the file."""
    licence: str

    @property
    def place(self) -> Path:
        """Where the file is kept."""
        return cache_folder() / self.name / Path(self.member).name

    def is_here(self) -> bool:
        """Tell whether the file is kept, and is what it should be."""
        try:
            return _digest(self.place.read_bytes()) == self.digest
        except OSError:
            return False


MOVIE_SNIPPETS = Remote(
    name="movie-snippets",
    requirement="vaderSentiment==3.3.2",
    archive_digest="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    inner="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
    member="hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    digest="c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
    size=1_383_098,
    licence="MIT",
)
REMOTES = {remote.name: remote for remote in (MOVIE_SNIPPETS,)}


def cache_folder() -> Path:
    """Return the folder for fetched data: `$REPORTGEN_CACHE`, or the system's place for caches."""
    named = os.environ.get("REPORTGEN_CACHE")
    return Path(named) if named else user_cache_path("reportgen", appauthor=False)


def fetched(remote: Remote) -> Path:
    """Return the file, after fetching it if it is not here or has been altered.

    Raises ReportgenError if the package index cannot be reached, or gives something else.
    """
    if not remote.is_here():
        with tempfile.TemporaryDirectory() as folder:
            content = _member(remote, _download(remote, Path(folder)))
        remote.place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = remote.place.with_name(f".{remote.place.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(remote.place)
    return remote.place


def _download(remote: Remote, folder: Path) -> bytes:
    """Let pip bring the source distribution; its digest is pip's to check, too."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{remote.requirement} --hash=sha256:{remote.archive_digest}\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    options = ["--no-deps", "--no-binary=:all:", "--require-hashes", "--dest", str(folder), "-r", str(wanted)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)  # noqa: S603 - pip, as pinned
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or len(archives) != 1:
        reason = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
        raise ReportgenError(
            f"{remote.name}: not on this machine, and pip could not fetch {remote.requirement} for it "
            f"({reason[-1]}); with a connection, run: reportgen data fetch {remote.name}"
        )
    return archives[0].read_bytes()


def _member(remote: Remote, archive: bytes) -> bytes:
    """Return the wanted file; nothing else of the archives is unpacked, and nothing to disk."""
    try:
        content = _read(_read(archive, remote.inner), remote.member)
    except ArchiveError as error:
        raise ReportgenError(f"{remote.name}: {error}; it was not kept") from None
    if _digest(content) != remote.digest:
        raise ReportgenError(
            f"{remote.name}: got {remote.member} with the SHA-256 {_digest(content)[:16]}…, "
            f"expected {remote.digest[:16]}…; it was not kept"
        )
    return content


def _read(archive: bytes, name: str) -> bytes:
    files = plain_files(io.BytesIO(archive), lambda member: member == name, _LIMITS)
    return next((content for _, content in files), b"")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
