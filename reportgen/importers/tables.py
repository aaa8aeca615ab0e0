"""Tables with a row an epoch, CSV of any separator; and those of Lightning's CSVLogger, whose rows have gaps."""

import csv
from collections.abc import Iterator
from pathlib import Path

from reportgen.importers.columns import mapping
from reportgen.importers.log import Log, Row, assembled, lines_of, merged, number, plain, refuse, whole
from reportgen.suite.imports import ImportSettings

_SEPARATORS = ",;\t，；"


def read_csv(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read a table with a row an epoch; rows without a column for the epoch are counted."""
    return _read(file, content, settings, by_step=False)


def read_lightning(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read the metrics.csv of Lightning's CSVLogger: each row has some of an epoch's values."""
    return _read(file, content, settings, by_step=True)


def _read(file: Path, content: bytes, settings: ImportSettings, *, by_step: bool) -> Log:
    cells = _cells(file, lines_of(file, content))
    line, header = next(cells, (1, []))
    names = [plain(name) for name in header]
    if twice := next((name for i, name in enumerate(names) if name and name in names[:i]), None):
        raise refuse(file, line, f"the column {twice!r} a second time", "each column once")
    columns = mapping(file, line, [name for name in names if name], settings.columns)
    if by_step and "epoch" not in columns:
        raise refuse(file, line, "no column for the epoch", "one called epoch, or import.columns: {epoch: …}")
    rows = list(_rows(file, cells, names, columns, settings))
    if by_step:
        rows = merged(file, (row for row in rows if row.values))
    return assembled(file, rows, columns=columns)


def _rows(
    file: Path,
    cells: Iterator[tuple[int, list[str]]],
    names: list[str],
    columns: dict[str, str],
    settings: ImportSettings,
) -> Iterator[Row]:
    for place, (line, row) in enumerate(cells, start=1):
        if len(row) != len(names):
            hint = "is a comma its decimal point? separate the columns with ;" if len(row) > len(names) else ""
            raise refuse(file, line, f"{len(row)} cells", f"{len(names)}, one a column", hint=hint)
        by_name = dict(zip(names, row, strict=True))
        epoch = whole(file, line, by_name[columns["epoch"]]) if "epoch" in columns else place
        yield Row(
            line,
            epoch,
            {
                what: number(file, line, by_name[name], what, percent=settings.percent)
                for what, name in columns.items()
                if what != "epoch" and by_name[name].strip()
            },
        )


def _cells(file: Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line and cells of every row that is not empty."""
    header = next((line for line in lines if line.strip()), "")
    separator = max(_SEPARATORS, key=header.count)  # the first of them where none is there
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise refuse(file, reader.line_num, str(error), "a table, CSV") from None
