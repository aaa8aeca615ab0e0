"""Labelled texts: tables, folders, and two published corpora of film reviews."""

import csv
import hashlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import wrap_file

from reportgen.data_files.fetching import ArchiveError, Limits, cache_folder, plain_files
from reportgen.errors import InputError, Problem, ReportgenError

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


LONGEST_TEXT = 200_000
"""Characters of a text; a longer one is a file that is not what it is taken for."""

_CSV_LIMIT = 2**31 - 1
"""The parser's own limit, which is process-wide, is out of the way: LONGEST_TEXT has a better message."""

_Row = dict[str, str | None]

_HTML_BREAKS = re.compile(r"(?:<br\s*/?>\s*)+")


class DataError(InputError):
    """A data file that cannot be learnt from."""


class Example(NamedTuple):
    """A text, the name of its class, and where it stands."""

    text: str
    label: str
    file: Path
    line: int


@dataclass(frozen=True)
class Corpus:
    """Texts, for each the index of its class in `classes`, and where they come from."""

    texts: list[str]
    labels: list[int]
    classes: tuple[str, ...]
    origin: tuple[str, ...]
    places: tuple[tuple[Path, int], ...] = ()
    """File and line of each text; empty for texts that come from no file."""
    test_from: int | None = None
    """The texts from this one on are the corpus's own test part."""

    def place(self, example: int) -> tuple[Path, int]:
        """Return file and line of an example, for a message."""
        return self.places[example] if self.places else (Path(self.origin[0] if self.origin else "data"), 1)


def refuse(file: Path, line: int, got: str, expected: str, where: str = "") -> DataError:
    """Return the error for one fault of a data file."""
    return DataError([Problem(file, line, where, got, expected)])


def read_table(file: Path, kind: str, text: str, label: str, test_file: Path | None = None) -> Corpus:
    """Read a table with a row an example.

    Args:
        file: the table, UTF-8.
        kind: csv, tsv, or jsonl (one JSON object a line).
        text: name of the column, or key, with the text.
        label: name of the column, or key, with the class.
        test_file: a second table of the same form, to test on.
    """
    examples = list(_table(file, kind, text, label))
    if test_file is None:
        return gather(file, examples, (file.name,))
    tested = list(_table(test_file, kind, text, label))
    return gather(file, examples, (file.name, test_file.name), tested, test_file)


def _table(file: Path, kind: str, text: str, label: str) -> Iterator[Example]:
    rows = _json_rows(file) if kind == "jsonl" else _rows(file, "," if kind == "csv" else "\t")
    for line, row in rows:
        if not _cell(file, line, row, label):
            raise refuse(file, line, "an empty cell", "the name of a class", label)
        yield Example(_cell(file, line, row, text), _cell(file, line, row, label), file, line)


def read_folder(folder: Path) -> Corpus:
    """Read a folder of one file a class, `<class>.txt`, with a text a line."""
    files = sorted(folder.glob("*.txt"))
    if len(files) < 2:
        raise refuse(folder, 1, f"{len(files)} files *.txt", "a file a class, two classes or more")
    examples = [example for file in files for example in _a_text_a_line(file, file.stem, "utf-8")]
    return gather(folder, examples, (f"{folder.name}/",))


def read_polarity(negative: Path, positive: Path) -> Corpus:
    """Read the two files of the sentence-polarity corpus: a snippet a line, in Latin-1."""
    files = ((negative, "negative"), (positive, "positive"))
    examples = [example for file, label in files for example in _a_text_a_line(file, label, "latin-1")]
    return gather(positive, examples, (negative.name, positive.name))


def _a_text_a_line(file: Path, label: str, encoding: str) -> list[Example]:
    examples = [Example(text, label, file, number) for number, text in _lines(file, encoding)]
    if not examples:
        raise refuse(file, 1, "an empty file", "a text a line")
    return examples


def read_imdb(folder: Path, origin: tuple[str, ...] = ()) -> Corpus:
    """Read the film reviews of Maas et al. (2011) in their layout: train|test/pos|neg/*.txt, a review a file.

    The reviews are web pages' text; a run of HTML line breaks is read as a space.
    """
    trained, tested = (list(_reviews(folder / part)) for part in ("train", "test"))
    return gather(folder, trained, origin or (f"{folder.name}/",), tested)


def _reviews(part: Path) -> Iterator[Example]:
    for name, label in (("neg", "negative"), ("pos", "positive")):
        files = sorted((part / name).glob("*.txt"))
        if not files:
            got = "no *.txt" if (part / name).is_dir() else "no such folder"
            raise refuse(part / name, 1, got, "the layout of aclImdb: train|test/pos|neg/*.txt")
        for file in files:
            text = decoded(file)
            _check_length(file, 1, text)
            yield Example(_HTML_BREAKS.sub(" ", text).strip(), label, file, 1)


def read_scored_snippets(file: Path, origin: tuple[str, ...]) -> Corpus:
    """Read snippets with a mean score each (number, score, text; tab-separated); the sign is the class.

    A snippet with a score of exactly 0 has no class and is left out.
    """
    examples = []
    for number, line in _lines(file, "utf-8"):
        parts = line.split("\t", 2)
        try:
            score = float(parts[1])
        except (IndexError, ValueError):
            raise refuse(file, number, shortened(line), "number, score and text between tabs") from None
        if score and len(parts) == 3:
            examples.append(Example(parts[2].strip(), "positive" if score > 0 else "negative", file, number))
    return gather(file, examples, origin)


def gather(
    file: Path,
    examples: Sequence[Example],
    origin: tuple[str, ...],
    tested: Sequence[Example] = (),
    test_file: Path | None = None,
) -> Corpus:
    """Gather examples; the classes are in the order of their names.

    Args:
        file: what the examples were read from, for messages.
        examples: those to train on, and to divide if none are `tested`.
        origin: where they come from, for the report.
        tested: the corpus's own test part.
        test_file: what that was read from.

    Raises DataError for fewer than two classes, and for a class that the test part alone has.
    """
    classes = tuple(sorted({example.label for example in examples}))
    if len(classes) < 2:
        got = f"the one class {classes[0]!r}" if classes else "an empty file"
        raise refuse(file, 1, got, "examples of two classes or more")
    if test_file is not None and not tested:
        raise refuse(test_file, 1, "an empty file", "examples to test on")
    for example in tested:
        if example.label not in classes:
            got = f"the class {example.label!r}, which {file.name} does not have"
            raise refuse(example.file, example.line, got, f"one of {', '.join(classes)}")
    index = {name: i for i, name in enumerate(classes)}
    every = [*examples, *tested]
    return Corpus(
        texts=[example.text for example in every],
        labels=[index[example.label] for example in every],
        classes=classes,
        origin=origin,
        places=tuple((example.file, example.line) for example in every),
        test_from=len(examples) if tested else None,
    )


def decoded(file: Path, encoding: str = "utf-8") -> str:
    """Read a text file; DataError if it is not there or not in the encoding."""
    if file.exists() and not file.is_file():  # a pipe or a device has no end
        raise refuse(file, 1, "no plain file", "a text file")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise refuse(file, 1, f"an unreadable file ({error.strerror})", "a text file") from None
    try:
        return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse(file, line, f"the byte 0x{raw[error.start]:02x}", f"text in {encoding.upper()}") from None


def _lines(file: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that have something on them, each with its number."""
    for number, line in enumerate(decoded(file, encoding).replace("\r\n", "\n").split("\n"), start=1):
        _check_length(file, number, line)
        if line.strip():
            yield number, line.strip()


def _rows(file: Path, delimiter: str) -> Iterator[tuple[int, _Row]]:
    # a quotation mark in a tab-separated file is a quotation mark
    stream = io.StringIO(decoded(file), newline="")
    csv.field_size_limit(_CSV_LIMIT)
    if delimiter == ",":
        reader = csv.DictReader(stream)
    else:
        reader = csv.DictReader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise refuse(file, reader.line_num + 1, str(error), "a table of texts") from None


def _json_rows(file: Path) -> Iterator[tuple[int, _Row]]:
    for number, line in enumerate(decoded(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise refuse(file, number, "something else", "a JSON object on each line") from None
        if not isinstance(row, dict):
            raise refuse(file, number, type(row).__name__, "a JSON object on each line")
        yield number, {key: _as_text(value) for key, value in row.items()}


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value)


def _cell(file: Path, line: int, row: _Row, column: str) -> str:
    value = row.get(column)
    if value is None:
        raise refuse(file, line, f"the columns {', '.join(map(str, row))}", f"a column {column!r} with a value")
    _check_length(file, line, value)
    return value.strip()


def _check_length(file: Path, line: int, text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise refuse(file, line, f"a text of {len(text):,} characters", f"at most {LONGEST_TEXT:,}")


def shortened(text: str) -> str:
    """Show a text in a message."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
