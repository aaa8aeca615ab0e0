"""Labelled texts: tables, folders, and two published corpora of film reviews."""

import hashlib
import json
import re
import sys
import tempfile
import unicodedata
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
from reportgen.errors import ReportgenError, refuse, shortened
from reportgen.lab.data.encodings import content_of, decode
from reportgen.lab.data.tables import USUAL_FORM, Form, read_table

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

_HTML_BREAKS = re.compile(r"(?:<br\s*/?>\s*)+")


class Example(NamedTuple):
    """A text, the name of its class, and where it stands."""

    text: str
    label: str
    file: Path
    line: int


class Reading(NamedTuple):
    """How a file was read: its name, the encoding, and the separator of its cells, empty if it is no table."""

    file: str
    encoding: str
    separator: str = ""


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
    reading: tuple["Reading", ...] = ()
    """How each file was read, where that is not the usual way."""
    merged: tuple[tuple[str, str], ...] = ()
    """Classes that are written in two ways, and what each is read as: 1.0 and 1."""

    def place(self, example: int) -> tuple[Path, int]:
        """Return file and line of an example, for a message."""
        return self.places[example] if self.places else (Path(self.origin[0] if self.origin else "data"), 1)


def read_labelled(
    file: Path, kind: str, text: str, label: str, test_file: Path | None = None, form: Form = USUAL_FORM
) -> Corpus:
    """Read a table with a row an example.

    Args:
        file: the table.
        kind: csv, tsv, or jsonl (one JSON object a line).
        text: name of the column, or key, with the text.
        label: name of the column, or key, with the class.
        test_file: a second table of the same form, to test on.
        form: what is known of the table.
    """
    examples, reading = _labelled(file, kind, text, label, form)
    if test_file is None:
        return gather(file, examples, (file.name,), reading=(reading,))
    tested, tested_reading = _labelled(test_file, kind, text, label, form)
    names = (file.name, test_file.name)
    return gather(file, examples, names, tested, test_file, reading=(reading, tested_reading))


def _labelled(file: Path, kind: str, text: str, label: str, form: Form) -> tuple[list[Example], Reading]:
    if kind == "jsonl":
        decoded = decode(file, content_of(file), form.encoding)
        rows = list(_json_rows(file, decoded.text, text, label))
        reading = Reading(file.name, decoded.encoding)
    else:
        table = read_table(file, form)
        if not table.rows:
            return [], Reading(file.name, table.encoding, table.separator)
        texts, labels = table.place(text), table.place(label)
        rows = [(row.line, row.cells[texts], row.cells[labels]) for row in table.rows]
        reading = Reading(file.name, table.encoding, table.separator)
    return [_example(file, label, *row) for row in rows], reading


def _example(file: Path, column: str, line: int, text: str, label: str) -> Example:
    _check_length(file, line, text)
    _check_length(file, line, label)
    if not label.strip():
        raise refuse(file, line, "an empty cell", "the name of a class", column)
    return Example(text.strip(), label.strip(), file, line)


def read_folder(folder: Path, encoding: str | None = None) -> Corpus:
    """Read a folder of one file a class, `<class>.txt`, with a text a line."""
    files = sorted(folder.glob("*.txt"))
    if len(files) < 2:
        raise refuse(folder, 1, f"{len(files)} files *.txt", "a file a class, two classes or more")
    read = [_a_text_a_line(file, file.stem, encoding) for file in files]
    examples = [example for part, _ in read for example in part]
    return gather(folder, examples, (f"{folder.name}/",), reading=tuple(reading for _, reading in read))


def read_polarity(negative: Path, positive: Path, encoding: str | None = None) -> Corpus:
    """Read the two files of the sentence-polarity corpus, a snippet a line.

    The corpus was published in Latin-1, and most copies are in UTF-8: what is valid UTF-8 is that, and no snippet
    with an accent is both.
    """
    files = ((negative, "negative"), (positive, "positive"))
    read = [_a_text_a_line(file, label, encoding or _polarity_encoding(file)) for file, label in files]
    examples = [example for part, _ in read for example in part]
    return gather(
        positive, examples, (negative.name, positive.name), reading=tuple(reading for _, reading in read)
    )


def _polarity_encoding(file: Path) -> str:
    try:
        content_of(file).decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _a_text_a_line(file: Path, label: str, encoding: str | None) -> tuple[list[Example], Reading]:
    decoded = decode(file, content_of(file), encoding)
    examples = [Example(text, label, file, number) for number, text in _lines(file, decoded.text)]
    if not examples:
        raise refuse(file, 1, "an empty file", "a text a line")
    return examples, Reading(file.name, decoded.encoding)


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
            text = decode(file, content_of(file)).text
            _check_length(file, 1, text)
            yield Example(_HTML_BREAKS.sub(" ", text).strip(), label, file, 1)


def read_scored_snippets(file: Path, origin: tuple[str, ...]) -> Corpus:
    """Read snippets with a mean score each (number, score, text; tab-separated); the sign is the class.

    A snippet with a score of exactly 0 has no class and is left out.
    """
    examples = []
    for number, line in _lines(file, decode(file, content_of(file)).text):
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
    reading: tuple[Reading, ...] = (),
) -> Corpus:
    """Gather examples; the classes are in the order of their names.

    Texts and names of classes are normalised to Unicode's composed form (NFC), so that é is one letter however it
    was typed. Names of classes that are one whole number, 1 and 1.0, are one class.

    Args:
        file: what the examples were read from, for messages.
        examples: those to train on, and to divide if none are `tested`.
        origin: where they come from, for the report.
        tested: the corpus's own test part.
        test_file: what that was read from.
        reading: how each file was read.

    Raises DataError for fewer than two classes, and for a class that the test part alone has.
    """
    merged = _written_twice({unicodedata.normalize("NFC", e.label) for e in (*examples, *tested)})
    examples, tested = ([_normalised(example, merged) for example in part] for part in (examples, tested))
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
        reading=reading,
        merged=tuple(sorted(merged.items())),
    )


def _normalised(example: Example, merged: dict[str, str]) -> Example:
    label = unicodedata.normalize("NFC", example.label)
    return example._replace(text=unicodedata.normalize("NFC", example.text), label=merged.get(label, label))


def _written_twice(labels: set[str]) -> dict[str, str]:
    """Return the labels 1.0 of which 1 is there, too: pandas writes them so once a cell is missing."""
    floats = {label: label.rstrip("0").removesuffix(".") for label in labels if _WHOLE_FLOAT.fullmatch(label)}
    return {label: whole for label, whole in floats.items() if whole in labels}


_WHOLE_FLOAT = re.compile(r"-?(?:0|[1-9]\d*)\.0+")


def _lines(file: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that have something on them, each with its number."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        _check_length(file, number, line)
        if line.strip():
            yield number, line.strip()


def _json_rows(file: Path, content: str, text: str, label: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=list)
        except (ValueError, RecursionError):
            raise refuse(file, number, "something else", "a JSON object on each line") from None
        row = _json_object(file, number, line, pairs)
        yield number, _json_value(file, number, row, text), _json_value(file, number, row, label)


def _json_object(file: Path, number: int, line: str, pairs: object) -> dict[str, object]:
    if not line.lstrip().startswith("{") or not isinstance(pairs, list):
        raise refuse(file, number, type(pairs).__name__, "a JSON object on each line")
    names = [name for name, _ in pairs]
    if twice := next((name for i, name in enumerate(names) if name in names[:i]), None):
        raise refuse(file, number, f"the key {shortened(twice)} a second time", "each key once")
    return dict(pairs)


def _json_value(file: Path, line: int, row: dict[str, object], key: str) -> str:
    value = row.get(key)
    if value is None:
        got = f"the keys {', '.join(map(str, row)) or 'of nothing'}"
        raise refuse(file, line, got, f"a key {key!r} with a value")
    if isinstance(value, list):
        raise refuse(file, line, "a list, or an object", "a text, or a number", key)
    return value if isinstance(value, str) else json.dumps(value)


def _check_length(file: Path, line: int, text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise refuse(file, line, f"a text of {len(text):,} characters", f"at most {LONGEST_TEXT:,}")
