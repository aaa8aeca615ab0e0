"""The archive of film reviews by Maas et al. (2011): fetched once from its own address, checked, unpacked.

Only the files that are learnt from are taken out of it: aclImdb/train|test/pos|neg/*.txt.
"""

import hashlib
import re
import sys
import tempfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import wrap_file

from reportgen.errors import ReportgenError
from reportgen.lab.fetching import cache_folder
from reportgen.lab.unpacking import ArchiveError, Limits, plain_files

_WANTED = re.compile(r"aclImdb/(?:train|test)/(?:pos|neg)/\w+\.txt")
_FOLDERS = tuple(f"{part}/{label}" for part in ("train", "test") for label in ("pos", "neg"))
_CHUNK = 1 << 20
_LIMITS = Limits(members=200_000, member_bytes=1_000_000, bytes=2_000_000_000)
"""Twice what the archive has, and more."""
_SECONDS = 30.0
"""How long an address may keep silent."""


@dataclass(frozen=True)
class Archive:
    """An archive at an address, and what is expected in it."""

    name: str
    url: str
    md5: str
    size: int
    """Bytes of the archive, about."""
    files: int
    """Reviews in it."""
    licence: str

    @property
    def file(self) -> str:
        """The archive's file name."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def place(self) -> Path:
        """The folder that it is unpacked to."""
        return cache_folder() / self.name / "aclImdb"

    def is_here(self) -> bool:
        """Tell whether the folder is there with all its files."""
        folders = [self.place / folder for folder in _FOLDERS]
        return sum(len(list(folder.glob("*.txt"))) for folder in folders) == self.files


IMDB = Archive(
    name="imdb",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    md5="7c2ac02c03563afcf9b574c7e56c153a",
    size=84_000_000,
    files=50_000,
    licence="none stated; cite Maas et al. (2011)",
)


def unpacked(archive: Archive) -> Path:
    """Return the folder with the reviews, after fetching the archive if they are not here.

    Raises ReportgenError if the address cannot be reached, or gives something else.
    """
    cache = archive.place.parent
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / ".lock"):
        if not archive.is_here():
            with tempfile.TemporaryDirectory(dir=cache, prefix=".unfinished-") as unfinished:
                file = Path(unfinished) / archive.file
                _download(archive, file)
                _unpack(archive, file, Path(unfinished))
                if archive.place.exists():  # with files missing
                    archive.place.rename(Path(unfinished) / "old")
                (Path(unfinished) / "aclImdb").rename(archive.place)
    return archive.place


def _download(archive: Archive, file: Path) -> None:
    """Stream the archive to disk, with a line of progress on a terminal; its MD5 has to be the published one."""
    sys.stderr.write(f"{archive.name}: fetching about {archive.size / 1e6:.0f} MB from {archive.url}\n")
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with urlopen(archive.url, timeout=_SECONDS) as answer, file.open("wb") as out:  # noqa: S310 - an address of ours
            total = int(answer.headers.get("Content-Length") or archive.size)
            with wrap_file(answer, total, description=archive.name, console=_console(), transient=True) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    out.write(chunk)
    except (OSError, HTTPException) as error:
        raise ReportgenError(
            f"{archive.name}: not on this machine, and {archive.url} could not be fetched ({error}); with a "
            f"connection, run: reportgen data fetch {archive.name}; or give data.folder, the unpacked archive"
        ) from None
    if digest.hexdigest() != archive.md5:
        raise ReportgenError(
            f"{archive.name}: got {file.stat().st_size:,} bytes with the MD5 {digest.hexdigest()} from "
            f"{archive.url}, expected {archive.md5}; they were not kept, and the next build fetches them anew"
        )


def _console() -> Console:
    return Console(stderr=True)


def _unpack(archive: Archive, file: Path, folder: Path) -> None:
    for name in _FOLDERS:
        (folder / "aclImdb" / name).mkdir(parents=True)
    try:
        with file.open("rb") as stream:
            # names that are matched whole lead nowhere else
            wanted = plain_files(stream, lambda name: _WANTED.fullmatch(name) is not None, _LIMITS)
            for name, content in wanted:
                (folder / name).write_bytes(content)
    except ArchiveError as error:
        raise ReportgenError(f"{archive.name}: {error}; it was not kept") from None
    found = sum(1 for _ in (folder / "aclImdb").rglob("*.txt"))
    if found != archive.files:
        raise ReportgenError(f"{archive.name}: got {found:,} reviews in the archive, expected {archive.files:,}")
