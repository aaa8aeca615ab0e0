"""The one reader of tables: texts, series and logs have their rows and numbers from here, with one strictness.

A row has a cell for each column, names are there once, quotation marks are closed: anything else is refused with
its line. How the table was read is told by its content where that is certain, and by the suite where it is not.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import DataError, refuse, shortened
from reportgen.lab.data.encodings import content_of, decode

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "，": "full-width commas"}
_CSV_LIMIT = 2**31 - 1
"""The parser's own limit, which is process-wide, is out of the way: the readers have better messages."""


@dataclass(frozen=True)
class Form:
    """What a suite says of the form of a table; None is told by the table."""

    encoding: str | None = None
    separator: str | None = None
    """The mark itself, or tab."""
    columns: tuple[str, ...] = ()
    """Names of the columns of a table that has no row of names."""
    usual: str = ","
    """The separator that is meant where several would do."""
    setting: str = "data."
    """What the settings of the form begin with, for messages."""


USUAL_FORM = Form()


@dataclass(frozen=True)
class Row:
    """A row of a table: the line that it begins in, and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table, checked: every row has as many cells as there are names."""

    file: Path
    line: int
    """Where the names stand."""
    names: list[str]
    rows: list[Row]
    encoding: str
    separator: str
    quoted: bool
    """Whether quotation marks around a cell were read as such."""

    def place(self, name: str) -> int:
        """Return the place of a column; DataError with what is there if there is none of that name."""
        if name in self.names:
            return self.names.index(name)
        got = f"the first row {shortened(SHOWN[self.separator].join(self.names), 100)}"
        sample = ("label", "text") if name in ("label", "text") else ("…", name)
        named = ", ".join([*sample, *("…" for _ in self.names[2:])][-max(1, len(self.names)) :])
        hint = f"if it is no row of names, but of data, say data.header: false and data.columns: [{named}]"
        near = next((other for other in self.names if other.casefold() == name.casefold()), "")
        hint = f"did you mean {near!r}?" if near else hint
        raise refuse(self.file, self.line, got, f"the names of columns, and {name!r} among them", "", hint)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        place = self.place(name)
        return [row.cells[place] for row in self.rows]


SHOWN = {separator: separator.replace("\t", "→") for separator in SEPARATORS}


def read_table(file: Path, form: Form = USUAL_FORM, content: bytes | None = None) -> Table:
    """Read a table; DataError with file and line for one that is not whole, or can be read in several ways."""
    raw = content_of(file, "a table") if content is None else content
    decoded = decode(file, raw, form.encoding, f"{form.setting}encoding")
    text = decoded.text
    separator = form.separator or _separator(file, text, form)
    separator = "\t" if separator == "tab" else separator
    rows, quoted = _rows(file, text, separator)
    if form.columns:
        names, line = list(form.columns), 1
    elif rows:
        line, names = rows[0].line, [unicodedata.normalize("NFC", name.strip()) for name in rows[0].cells]
        rows = rows[1:]
    else:
        names, line = [], 1
    if twice := next((name for i, name in enumerate(names) if name and name in names[:i]), None):
        raise refuse(file, line, f"the column {twice!r} a second time", "each column once")
    table = Table(file, line, names, rows, decoded.encoding, separator, quoted)
    _check_widths(table)
    return table


def _check_widths(table: Table) -> None:
    for row in table.rows:
        if len(row.cells) != len(table.names):
            more = len(row.cells) > len(table.names)
            mark = SEPARATORS[table.separator]
            hint = f"{mark} within a cell need quotation marks around it" if more else ""
            if more and table.separator == ",":
                hint += "; is a comma a decimal point, or one of thousands?"
            got = f"{len(row.cells)} cells ({shortened(SHOWN[table.separator].join(row.cells))})"
            expected = f"{len(table.names)}, one a column"
            raise refuse(table.file, row.line, got, expected, hint=hint)


def _separator(file: Path, text: str, form: Form) -> str:
    """Return what stands between the cells of the first row, if that is certain."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    found = [mark for mark in SEPARATORS if len(_outside_quotes(first, mark)) > 1]
    if len(found) < 2 or form.usual in found:
        return form.usual if form.usual in found or not found else found[0]
    widths = {mark: {len(_outside_quotes(line, mark)) for line in text.splitlines() if line} for mark in found}
    even = [mark for mark in found if len(widths[mark]) == 1]
    if len(even) == 1:
        return even[0]
    listed = " or ".join(SEPARATORS[mark] for mark in found)
    hint = f"say which: {form.setting}separator"
    raise refuse(file, 1, shortened(first, 100), f"cells between {listed}, and not between several", hint=hint)


def _outside_quotes(line: str, mark: str) -> list[str]:
    return re.sub(r'"[^"]*"', "", line).split(mark)


def _rows(file: Path, text: str, separator: str) -> tuple[list[Row], bool]:
    """Return the rows, and whether quotation marks around a cell count as such.

    Spreadsheets and csv writers put them around cells in tables of any separator. Other tools write tables with
    tabs in which they are characters like any other; that is told by what is around which cells.
    """
    if separator != "\t":
        return _quoted_rows(file, text, separator), True
    plain = [Row(n, line.split("\t")) for n, line in enumerate(_lines(text), 1) if line]
    if not any(cell.startswith('"') for row in plain for cell in row.cells):
        return plain, False
    try:
        quoted = _quoted_rows(file, text, separator)
    except DataError:
        return plain, False
    return (quoted, True) if _written_by_csv(plain, quoted) else (plain, False)


def _written_by_csv(plain: list[Row], quoted: list[Row]) -> bool:
    """Tell whether a writer of csv put the marks: around all cells, or around those alone that need them."""
    uneven = len({len(row.cells) for row in plain}) > 1
    if len({len(row.cells) for row in quoted}) > 1:
        return False
    if uneven or all(cell.startswith('"') for row in plain for cell in row.cells):
        return True
    marked = [cell for row in plain for cell in row.cells if cell.startswith('"')]
    return all('""' in cell[1:-1] for cell in marked)


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _quoted_rows(file: Path, text: str, separator: str) -> list[Row]:
    csv.field_size_limit(_CSV_LIMIT)
    # line by line, so that the parser counts them; a line within quotation marks keeps its end
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator != "\t")
    rows: list[Row] = []
    begun = 1
    try:
        for cells in reader:
            if cells and not (len(cells) == 1 and not cells[0].strip()):
                rows.append(Row(begun, cells))
            begun = reader.line_num + 1
    except csv.Error:
        got = f"a quotation mark that opens here, and is not closed before line {reader.line_num}"
        if begun == reader.line_num:
            got = f"a quotation mark that is closed within a cell: {shortened(lines[begun - 1])}"
        expected = "marks around a whole cell, and those within it doubled"
        raise refuse(file, begun, got, expected) from None
    _check_no_row_is_swallowed(file, rows, separator)
    return rows


def _check_no_row_is_swallowed(file: Path, rows: list[Row], separator: str) -> None:
    """Refuse a cell over several lines of which one reads as a row of its own, label and all.

    A mark that was forgotten swallows the rows up to the next one, and leaves no other trace.
    """
    if len(rows) < 2:
        return
    short = [{row.cells[i] for row in rows[1:] if i < len(row.cells)} for i in range(len(rows[0].cells))]
    kinds = [i for i, values in enumerate(short) if len(values) <= max(2, len(rows) // 4)]
    for row in rows:
        for cell in row.cells:
            for place, line in enumerate(_lines(cell)[1:], 1):
                parts = line.split(separator)
                if len(parts) == len(rows[0].cells) and any(parts[i].strip() in short[i] for i in kinds):
                    got = f"a cell that goes on over further lines, of which {shortened(line)} is like a row"
                    expected = "a quotation mark that is closed in its own row"
                    raise refuse(file, row.line + place, got, expected)


_POINT = re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?|\d+(?:,\d*)?|,\d+)(?:[eE][-+]?\d+)?")
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "--", "?", "缺失"})
"""How tables write that nothing was measured."""


def plain(text: str) -> str:
    """Return the text with full-width punctuation and figures as ASCII has them, and single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\u2212", "-").split())


def numbers(cells: Sequence[str], refused: Callable[[int, str, str], DataError]) -> list[float]:
    """Read the cells of a column as numbers, all of them in one spelling.

    A comma may group thousands or stand for the decimal point. Which it does is told by the column: the spelling
    in which every cell is a number. Where both would do, and give different numbers, the column is refused.

    Args:
        cells: as they are written.
        refused: makes an error of place, what was found, and what was expected.
    """
    written = [plain(cell) for cell in cells]
    point = [_POINT.fullmatch(cell) for cell in written]
    if not any("," in cell for cell in written):
        if None in point:
            place = point.index(None)
            raise refused(place, _shown_cell(cells[place]), _expected(written))
        return [float(cell) for cell in written]
    comma = [_COMMA.fullmatch(cell) for cell in written]
    if None in point and None in comma:
        place = max(point.index(None), comma.index(None))
        raise refused(place, _shown_cell(cells[place]), _expected(written))
    with_point = [] if None in point else [float(cell.replace(",", "")) for cell in written]
    with_comma = [] if None in comma else [float(cell.replace(".", "").replace(",", ".")) for cell in written]
    if with_point and with_comma and with_point != with_comma:
        place = next(i for i, pair in enumerate(zip(with_point, with_comma, strict=True)) if pair[0] != pair[1])
        expected = f"a number without a doubt: {with_comma[place]:.12g} or {with_point[place]:.12g}"
        raise refused(place, shortened(cells[place]), expected)
    return with_point or with_comma


def _shown_cell(cell: str) -> str:
    return shortened(cell) if cell.strip() else "an empty cell"


def _expected(written: list[str]) -> str:
    missing = sum(cell.lower() in MISSING for cell in written)
    if not missing:
        return "a finite number"
    rows = "this row has" if missing == 1 else f"{missing:,} rows of the column have"
    return f"a finite number; {rows} none: fill in what is missing, or leave the rows out of the file"
