"""The history that Keras's `fit` returns, as JSON: `json.dump(history.history, file)`."""

import json
from pathlib import Path
from typing import Any

from reportgen.importers.columns import mapping
from reportgen.importers.log import MOST_EPOCHS, Log, Row, assembled, lines_of, number, refuse, whole
from reportgen.suite.imports import ImportSettings

_EXPECTED = 'a mapping of lists: {"loss": [0.59, 0.42], "val_loss": [0.49, 0.41]}'


def read(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read a history: a list a metric, each with a number an epoch."""
    try:
        tree = json.loads("\n".join(lines_of(file, content)))
    except json.JSONDecodeError as error:
        raise refuse(file, error.lineno, error.msg, "JSON") from None
    except (ValueError, RecursionError):
        raise refuse(file, 1, "JSON that is too deep, or a number that is too long", _EXPECTED) from None
    lists = _lists(file, tree)
    columns = mapping(file, 1, lists, settings.columns)
    lengths = {name: len(lists[name]) for name in columns.values()}
    if len(set(lengths.values())) != 1:
        said = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise refuse(file, 1, f"lists of different lengths ({said})", "a number an epoch in each")
    epochs = next(iter(lengths.values()))
    if epochs > MOST_EPOCHS:
        raise refuse(file, 1, f"{epochs:,} epochs", f"at most {MOST_EPOCHS:,}")
    rows = [_row(file, lists, columns, place, settings) for place in range(epochs)]
    return assembled(file, rows, columns=columns)


def _lists(file: Path, tree: Any) -> dict[str, list[Any]]:
    """Return the metrics, with the list of the epochs where it stands beside them."""
    if isinstance(tree, dict) and isinstance(tree.get("history"), dict):
        beside = {"epoch": tree["epoch"]} if isinstance(tree.get("epoch"), list) else {}
        tree = {**beside, **tree["history"]}
    if not isinstance(tree, dict):
        raise refuse(file, 1, type(tree).__name__, _EXPECTED)
    return {name: values for name, values in tree.items() if isinstance(values, list)}


def _row(
    file: Path, lists: dict[str, list[Any]], columns: dict[str, str], place: int, settings: ImportSettings
) -> Row:
    def written(name: str) -> str:
        value = lists[name][place]
        if isinstance(value, bool) or not isinstance(value, int | float | str | None):
            raise refuse(file, 1, f"{type(value).__name__} in {name}[{place}]", "a number")
        return "" if value is None else str(value)

    epoch = whole(file, 1, written(columns["epoch"])) if "epoch" in columns else place + 1
    values = {
        what: number(file, 1, text, what, percent=settings.percent)
        for what, name in columns.items()
        if what != "epoch" and (text := written(name))
    }
    return Row(1, epoch, values)
