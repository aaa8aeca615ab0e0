"""Every number of results.json, with the runs that it comes from and the files of their records."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError

_FILES = (
    (
        ("epoch_log", "kept_epoch", "epochs", "validation_accuracy", "seconds_per_epoch", "overfitting"),
        "epochs.csv",
    ),
    (("step_log",), "steps.csv"),
    (("test_accuracy", "test_loss", "confusion", "confusions", "classes", "baseline"), "predictions.npz"),
    (("gradient", "forget_gate"), "arrays.npz"),
)
"""Parts of a number's name, and the file of a record that it is worked out from; any other is in record.json."""


@dataclass(frozen=True)
class Source:
    """A number that was measured or worked out."""

    name: str
    value: int | float
    runs: tuple[str, ...]

    @property
    def file(self) -> str:
        """Return the file of each record that the number comes from."""
        parts = set(self.name.removeprefix("runs.").replace("/", ".").split("."))
        return next((file for names, file in _FILES if parts & set(names)), "record.json")


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json of a folder of reports; ReportgenError if it is not there, or is none."""
    file = folder / "results.json"
    if not file.is_file():
        raise ReportgenError(f"{file}: no such file, expected the numbers of the report beside it")
    try:
        results = json.loads(file.read_bytes())
        if not isinstance(results["runs"], dict):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise ReportgenError(f"{file}: got a file that is cut short or no results.json, expected one") from None
    return dict(results)


def sources(results: Mapping[str, Any]) -> list[Source]:
    """Return every number of results.json; those of a confusion matrix as shares of their rows, too."""
    every = tuple(results["runs"])
    found = [
        Source(item["name"], item["value"], tuple(item["runs"]))
        for item in results.get("numbers", [])
        if _is_number(item["value"])
    ]
    for run, row in results["runs"].items():
        found += _leaves(f"runs.{run}", row, (run,))
    for variant, own in results.get("confusion", {}).items():
        found += _matrix(variant, own)
    known = {"runs", "numbers", "confusion", "labels", "task"}
    for part in results.keys() - known:
        found += _leaves(part, results[part], every)
    return found


def _matrix(variant: str, own: Mapping[str, Any]) -> Iterator[Source]:
    for true, counts in zip(own["classes"], own["counts"], strict=True):
        for predicted, count in zip(own["classes"], counts, strict=True):
            name = f"confusion.{variant}.{true}.{predicted}"
            yield Source(f"{name}.count", count, tuple(own["runs"]))
            if sum(counts):
                yield Source(f"{name}.share", count / sum(counts), tuple(own["runs"]))


def _leaves(name: str, value: Any, runs: tuple[str, ...]) -> Iterator[Source]:
    if _is_number(value):
        yield Source(name, value, runs)
    elif isinstance(value, dict):
        own = value.get("runs")
        named = tuple(own) if isinstance(own, list) and all(isinstance(run, str) for run in own) else runs
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item, named)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value, 1):
            yield from _leaves(f"{name}.{index}", item, runs)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
