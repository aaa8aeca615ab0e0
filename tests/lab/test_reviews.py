"""The IMDB reviews: their layout, and their archive from a server on this machine, fetched once and checked."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reportgen.errors import DataError, ReportgenError
from reportgen.lab.data.corpora import IMDB, Archive, read_imdb, unpacked
from reportgen.tasks.classification.data import prepare
from reportgen.tasks.classification.settings import GivenTestSplit, ImdbSettings

REVIEWS = {
    f"aclImdb/{part}/{label}/{i}_{score}.txt": f"{part} {label} {i}<br /><br />the end".encode()
    for part, count in (("train", 10), ("test", 3))
    for label, score in (("pos", 9), ("neg", 2))
    for i in range(count)
}
OTHERS = {
    "aclImdb/README": b"read me",
    "aclImdb/train/unsup/0_0.txt": b"without a label",
    "aclImdb/train/pos/../../../escaped.txt": b"no",
    "/absolute-escaped.txt": b"no",
}


def tree(folder: Path, reviews: dict[str, bytes] = REVIEWS) -> Path:
    """Write the reviews in the archive's layout and return their folder."""
    for name, content in reviews.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "aclImdb"


def packed() -> bytes:
    """Return an archive of the same layout as the real one, with files in it that nobody asked for."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in {**REVIEWS, **OTHERS}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("aclImdb/train/pos/99_9.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return stream.getvalue()


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder and counts what it is asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        """Write nothing to the terminal."""

    def do_GET(self) -> None:
        """Serve a file."""
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Archive, Path, list[str]]]:
    """The archive on a server on 127.0.0.1: what it is, its file there, and the requests; the cache is empty."""
    monkeypatch.setenv("REPORTGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    file = shelf / "aclImdb_v1.tar.gz"
    file.write_bytes(packed())
    asked: list[str] = []
    handler = type("Handler", (Silent,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(shelf)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    url = f"http://127.0.0.1:{server.server_address[1]}/aclImdb_v1.tar.gz"
    yield replace(IMDB, url=url, md5=md5, files=len(REVIEWS)), file, asked
    server.shutdown()
    server.server_close()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_archive_is_fetched_once_and_unpacked(served: tuple[Archive, Path, list[str]], tmp_path: Path) -> None:
    """All the labelled reviews are taken out, nothing else is, and a second call asks for nothing."""
    archive, _, asked = served
    assert archive.is_here() is False
    folder = unpacked(archive)
    assert folder == tmp_path / "cache" / "imdb" / "aclImdb"
    assert files_in(folder.parent) == REVIEWS
    assert (unpacked(archive), asked) == (folder, ["/aclImdb_v1.tar.gz"])
    assert not [*tmp_path.rglob("escaped.txt"), *Path("/").glob("absolute-escaped.txt")]


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-20], lambda raw: raw[:50] + b"x" + raw[51:]], ids=["cut", "altered"]
)
def test_a_damaged_archive_is_refused_and_fetched_anew(
    damage: "object", served: tuple[Archive, Path, list[str]], tmp_path: Path
) -> None:
    """Of an archive with another MD5 nothing is kept; the whole one is taken the next time."""
    archive, file, asked = served
    whole = file.read_bytes()
    file.write_bytes(damage(whole))  # type: ignore[operator]
    with pytest.raises(
        ReportgenError, match=rf"^imdb: got [\d,]+ bytes with the MD5 \w+ from .*, expected {archive.md5}"
    ):
        unpacked(archive)
    assert files_in(tmp_path / "cache") == {}
    file.write_bytes(whole)
    assert files_in(unpacked(archive).parent) == REVIEWS
    assert len(asked) == 2


def test_a_connection_that_breaks_off_leaves_nothing(
    served: tuple[Archive, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer bytes than the server promised are refused, and not unpacked."""
    archive, file, _ = served
    monkeypatch.setattr(Silent, "copyfile", lambda _, source, out: out.write(source.read(100)))
    with pytest.raises(ReportgenError, match="imdb: got 100 bytes with the MD5"):
        unpacked(archive)
    assert (files_in(tmp_path / "cache"), file.exists()) == ({}, True)


def test_reviews_that_are_missing_are_fetched_anew(served: tuple[Archive, Path, list[str]]) -> None:
    """A folder that has lost a file is replaced by a whole one."""
    archive, _, asked = served
    (unpacked(archive) / "test" / "pos" / "0_9.txt").unlink()
    assert archive.is_here() is False
    assert files_in(unpacked(archive).parent) == REVIEWS
    assert len(asked) == 2


def test_an_archive_with_too_few_reviews_is_refused(served: tuple[Archive, Path, list[str]]) -> None:
    """The number of reviews is checked, too."""
    archive, _, _ = served
    with pytest.raises(ReportgenError, match="imdb: got 26 reviews in the archive, expected 27"):
        unpacked(replace(archive, files=27))


@pytest.mark.parametrize("path", ["nothing.tar.gz", None], ids=["not there", "no server"])
def test_an_address_that_does_not_answer_is_one_message(
    path: str | None, served: tuple[Archive, Path, list[str]]
) -> None:
    """The address, the reason, the command and the other way are named."""
    archive, _, _ = served
    url = "http://127.0.0.1:9/aclImdb_v1.tar.gz" if path is None else archive.url.replace(archive.file, path)
    with pytest.raises(ReportgenError) as caught:
        unpacked(replace(archive, url=url))
    message = str(caught.value)
    assert message.startswith(f"imdb: not on this machine, and {url} could not be fetched (")
    assert message.endswith("run: reportgen data fetch imdb; or give data.folder, the unpacked archive")


def test_the_archive_is_pinned() -> None:
    """Address, MD5 and number of reviews are those that were published."""
    assert IMDB.url == "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
    assert (IMDB.md5, IMDB.files) == ("7c2ac02c03563afcf9b574c7e56c153a", 50_000)


def test_the_reviews_keep_their_own_test_part(tmp_path: Path) -> None:
    """The test part is the folder test, and the validation part is taken from the folder train, class by class."""
    settings = ImdbSettings(source="imdb", folder=str(tree(tmp_path)), split=GivenTestSplit(validation=0.2))
    data = prepare(settings)
    assert data.facts.classes == ("negative", "positive")
    assert data.facts.counts == {"train": (8, 8), "validation": (2, 2), "test": (3, 3)}
    assert (data.facts.divided, data.facts.origin, data.facts.tokens) == ("own_test", ("aclImdb/",), "words")
    texts = {part: sorted(data.texts[i] for i in data.parts[part]) for part in data.parts}
    assert texts["test"] == sorted(f"test {label} {i} the end" for label in ("pos", "neg") for i in range(3))
    assert all(text.startswith("train ") for part in ("train", "validation") for text in texts[part])


def test_html_breaks_are_spaces(tmp_path: Path) -> None:
    """`<br />`, however often in a row, is no word and joins none."""
    reviews = {**REVIEWS, "aclImdb/train/neg/0_2.txt": b"bad.<br /><br />Very<br>bad<br/> film"}
    assert read_imdb(tree(tmp_path, reviews)).texts[0] == "bad. Very bad film"


def test_a_limit_makes_both_folders_smaller(tmp_path: Path) -> None:
    """A quick trial uses about as many reviews as it asks for, of each class at least five or all there are."""
    settings = ImdbSettings(
        source="imdb", folder=str(tree(tmp_path)), limit=13, split=GivenTestSplit(validation=0.2)
    )
    assert prepare(settings).facts.counts == {"train": (4, 4), "validation": (1, 1), "test": (3, 3)}


@pytest.mark.parametrize(("gone", "message"), [
    ("train/pos", "train/pos:1: got no such folder, expected the layout of aclImdb: train|test/pos|neg/*.txt"),
    ("test/neg", "test/neg:1: got no such folder, expected the layout of aclImdb: train|test/pos|neg/*.txt"),
])  # fmt: skip
def test_another_layout_is_refused(gone: str, message: str, tmp_path: Path) -> None:
    """A folder that is no aclImdb is one message that names what is missing."""
    folder = tree(tmp_path)
    (folder / gone).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError) as caught:
        read_imdb(folder)
    assert str(caught.value) == f"{folder}/{message}"
