"""Labelled texts from files: tables, folders, and the two files of the sentence-polarity corpus.

Every fault of a file is a DataError that names the file and, where there is one, the line.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import InputError, Problem

LONGEST_TEXT = 1_000_000
"""Characters of a text; a longer one is a file that is not what it is taken for."""


class DataError(InputError):
    """A data file that cannot be learnt from."""


@dataclass(frozen=True)
class Corpus:
    """Texts, for each the index of its class in `classes`, and where they come from."""

    texts: list[str]
    labels: list[int]
    classes: tuple[str, ...]
    origin: tuple[str, ...]


def refuse(file: Path, line: int, got: str, expected: str, where: str = "") -> DataError:
    """Return the error for one fault of a data file."""
    return DataError([Problem(file, line, where, got, expected)])


def read_table(file: Path, kind: str, text: str, label: str) -> Corpus:
    """Read a table with a row an example.

    Args:
        file: the table, UTF-8.
        kind: csv, tsv, or jsonl (one JSON object a line).
        text: name of the column, or key, with the text.
        label: name of the column, or key, with the class.
    """
    rows = _json_rows(file) if kind == "jsonl" else _rows(file, "," if kind == "csv" else "\t")
    pairs = [(_cell(file, line, row, text), _cell(file, line, row, label)) for line, row in rows]
    return from_pairs(file, pairs, (file.name,))


def read_folder(folder: Path) -> Corpus:
    """Read a folder of one file a class, `<class>.txt`, with a text a line."""
    files = sorted(folder.glob("*.txt"))
    if len(files) < 2:
        raise refuse(folder, 1, f"{len(files)} files *.txt", "a file a class, two classes or more")
    pairs = [(text, file.stem) for file in files for text in _lines(file, "utf-8")]
    return from_pairs(folder, pairs, (f"{folder.name}/",))


def read_polarity(negative: Path, positive: Path) -> Corpus:
    """Read the two files of the sentence-polarity corpus: a snippet a line, in Latin-1."""
    pairs = [
        (text, label)
        for file, label in ((negative, "negative"), (positive, "positive"))
        for text in _lines(file, "latin-1")
    ]
    return from_pairs(positive, pairs, (negative.name, positive.name))


def from_pairs(file: Path, pairs: Sequence[tuple[str, str]], origin: tuple[str, ...]) -> Corpus:
    """Gather pairs of text and class; the classes are in the order of their names."""
    classes = tuple(sorted({label for _, label in pairs}))
    if len(classes) < 2:
        got = f"the one class {classes[0]!r}" if classes else "an empty file"
        raise refuse(file, 1, got, "examples of two classes or more")
    index = {name: i for i, name in enumerate(classes)}
    return Corpus([text for text, _ in pairs], [index[label] for _, label in pairs], classes, origin)


def decoded(file: Path, encoding: str = "utf-8") -> str:
    """Read a text file; DataError if it is not there or not in the encoding."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise refuse(file, 1, f"an unreadable file ({error.strerror})", "a text file") from None
    try:
        return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse(file, line, f"the byte 0x{raw[error.start]:02x}", f"text in {encoding.upper()}") from None


def _lines(file: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a file that have something on them."""
    for number, line in enumerate(decoded(file, encoding).replace("\r\n", "\n").split("\n"), start=1):
        if len(line) > LONGEST_TEXT:
            raise refuse(file, number, f"a line of {len(line):,} characters", f"at most {LONGEST_TEXT:,}")
        if line.strip():
            yield line.strip()


def _rows(file: Path, delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    # a quotation mark in a tab-separated file is a quotation mark
    lines = decoded(file).splitlines(keepends=True)
    csv.field_size_limit(LONGEST_TEXT)
    if delimiter == ",":
        reader = csv.DictReader(lines)
    else:
        reader = csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise refuse(file, reader.line_num, str(error), "a table of texts") from None


def _json_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(decoded(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise refuse(file, number, "something else", "a JSON object on each line") from None
        if not isinstance(row, dict):
            raise refuse(file, number, type(row).__name__, "a JSON object on each line")
        yield number, {key: value if isinstance(value, str) else json.dumps(value) for key, value in row.items()}


def _cell(file: Path, line: int, row: dict[str, str], column: str) -> str:
    if row.get(column) is None:
        raise refuse(file, line, f"the columns {', '.join(map(str, row))}", f"a column {column!r} with a value")
    if len(row[column]) > LONGEST_TEXT:
        raise refuse(file, line, f"a text of {len(row[column]):,} characters", f"at most {LONGEST_TEXT:,}")
    return row[column].strip()


def read_scored_snippets(file: Path, origin: tuple[str, ...]) -> Corpus:
    """Read snippets with a mean score each (number, score, text; tab-separated); the sign is the class.

    A snippet with a score of exactly 0 has no class and is left out.
    """
    pairs = []
    for number, line in enumerate(_lines(file, "utf-8"), start=1):
        parts = line.split("\t", 2)
        try:
            score = float(parts[1])
        except (IndexError, ValueError):
            raise refuse(file, number, shortened(line), "number, score and text between tabs") from None
        if score and len(parts) == 3:
            pairs.append((parts[2].strip(), "positive" if score > 0 else "negative"))
    return from_pairs(file, pairs, origin)


def shortened(text: str) -> str:
    """Show a text in a message."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
