"""Tables with a row an epoch: CSV of any separator, and JSON that Keras, pandas and loggers of a line a row write.

Where epochs are there in several rows, as Lightning's CSVLogger writes them, each row has some of their values.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reportgen.errors import refuse, shortened
from reportgen.importers.log import LARGEST_LOG, MOST_EPOCHS, Log, Row, assembled, merged, number, one_run, whole
from reportgen.importers.names import mapping, words_of
from reportgen.lab.data.encodings import decode
from reportgen.lab.data.tables import MISSING, Form, plain, read_table
from reportgen.suite.imports import ImportSettings

_EXPECTED = 'a list a metric, {"loss": [0.59, 0.42]}: json.dump(history.history, file); or a row an epoch'
_NOT_MEASURED = MISSING - {"nan", "?"}
"""NaN is what a loss of a run that diverged is."""
_Rows = list[tuple[int, list[str]]]


def read_csv(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read a table with a row an epoch; rows without a column for the epoch are counted."""
    table = read_table(file, Form(settings.encoding, settings.separator, setting="import."), content)
    rows = [(row.line, row.cells) for row in table.rows if any(cell.strip() for cell in row.cells)]
    names = [plain(name) for name in table.names]
    return _log(file, table.line, names, rows, settings, table.encoding)


def read_json(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read Keras's history, a table of pandas in any of its orientations, or an object a line."""
    decoded = decode(file, content, settings.encoding, "import.encoding")
    tree = _parsed(file, decoded.text)
    beside: list[str] = []
    if isinstance(tree, dict) and isinstance(tree.get("history"), dict):
        beside = [name for name in tree if name not in ("history", "epoch")]
        epochs = {"epoch": tree["epoch"]} if isinstance(tree.get("epoch"), list) else {}
        tree = {**epochs, **tree["history"]}
    names, rows, left = _as_table(file, tree)
    return _log(file, 1, names, rows, settings, decoded.encoding, [*beside, *left])


def _log(
    file: Path,
    line: int,
    names: list[str],
    cells: _Rows,
    settings: ImportSettings,
    encoding: str,
    left: list[str] | None = None,
) -> Log:
    if len(cells) > MOST_EPOCHS * 20:
        raise refuse(file, 1, f"{len(cells):,} rows", f"at most {MOST_EPOCHS * 20:,}")
    columns = mapping(file, line, [name for name in names if name], settings.columns, settings.ignore)
    if "epoch" not in columns and any(words_of(name) == ["step"] for name in names):
        expected = "one called epoch, or import.columns: {epoch: …}"
        raise refuse(file, line, "no column for the epoch beside that of the step", expected)
    place = {what: names.index(name) for what, name in columns.items()}
    rows = [_row(file, number_, *row, place, settings) for number_, row in enumerate(cells, 1)]
    if "epoch" in columns:
        rows = merged(file, one_run(file, [row for row in rows if row.values], settings.run))
    unread = [name for name in names if name and name not in columns.values()]
    return assembled(file, rows, columns=columns, unread=[*unread, *(left or [])], encoding=encoding)


def _row(
    file: Path, count: int, line: int, cells: list[str], place: Mapping[str, int], settings: ImportSettings
) -> Row:
    epoch = whole(file, line, cells[place["epoch"]]) if "epoch" in place else count
    values = {
        what: number(file, line, cells[i], what, percent=settings.percent)
        for what, i in place.items()
        if what != "epoch" and plain(cells[i]).lower() not in _NOT_MEASURED
    }
    return Row(line, epoch, values)


def _parsed(file: Path, text: str) -> Any:
    if len(text) > LARGEST_LOG:
        raise refuse(file, 1, f"a file of {len(text):,} characters", f"a log of at most {LARGEST_LOG:,}")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise refuse(file, error.lineno, error.msg, "JSON") from None
    except (ValueError, RecursionError):
        raise refuse(file, 1, "JSON that is too deep, or a number that is too long", _EXPECTED) from None
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [_object(file, n, line) for n, line in lines]  # an object a line


def _object(file: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise refuse(file, line, shortened(text), "a JSON object on each line") from None


def _as_table(file: Path, tree: Any) -> tuple[list[str], _Rows, list[str]]:
    """Return names, rows of cells, and the names of what is no column."""
    left: list[str] = []
    if isinstance(tree, dict) and isinstance(tree.get("columns"), list) and isinstance(tree.get("data"), list):
        left = [name for name in tree if name not in ("columns", "data")]
        tree = [_split_row(file, tree["columns"], row) for row in tree["data"]]
    if isinstance(tree, dict) and tree and all(isinstance(value, dict) for value in tree.values()):
        inner = {key for value in tree.values() for key in value}
        if not all(key.isdecimal() for key in inner):  # an object a row, by its number
            tree = list(tree.values())
    if isinstance(tree, list) and tree and all(isinstance(row, dict) for row in tree):
        names = list(dict.fromkeys(str(name) for row in tree for name in row))
        rows = [(1, [_written(file, name, i, row.get(name)) for name in names]) for i, row in enumerate(tree)]
        return names, rows, left
    if not isinstance(tree, dict):
        raise refuse(file, 1, f"a {type(tree).__name__}", _EXPECTED)
    lists = {name: _listed(value) for name, value in tree.items() if isinstance(value, list | dict)}
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise refuse(file, 1, f"lists of different lengths ({said})", "a number an epoch in each")
    if next(iter(lengths.values()), 0) > MOST_EPOCHS:
        raise refuse(file, 1, f"{next(iter(lengths.values())):,} epochs", f"at most {MOST_EPOCHS:,}")
    columns = [
        [_written(file, name, i, value) for i, value in enumerate(values)] for name, values in lists.items()
    ]
    rows = [(1, list(cells)) for cells in zip(*columns, strict=True)]
    return list(lists), rows, [name for name in tree if name not in lists]


def _split_row(file: Path, names: list[Any], row: Any) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(names):
        raise refuse(file, 1, f"a row {shortened(json.dumps(row))}", f"a list of {len(names)}, one a column")
    return dict(zip(map(str, names), row, strict=True))


def _listed(value: list[Any] | dict[str, Any]) -> list[Any]:
    """Return a column; pandas writes it as an object of rows by their numbers."""
    if isinstance(value, list):
        return value
    if all(key.isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return list(value.values())


def _written(file: Path, name: str, place: int, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str | None):
        raise refuse(file, 1, f"{type(value).__name__} in {name}[{place}]", "a number")
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
