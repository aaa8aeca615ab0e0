"""The stage *collect* for addition: records become DataFrames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.results import Runs, columns_of, variants_of
from reportgen.lab.record import Record
from reportgen.suite.expansion import Run

_MEASURES = ("steps", "test_loss", "digit_accuracy", "exact_accuracy", "first_step", "steady_step")


@dataclass(frozen=True)
class Additions(Runs):
    """All that an addition suite's records say.

    `runs` has a row a run: run, variant, seed, key, status, error, parameters, steps, test_loss, digit_accuracy,
    exact_accuracy, first_step (the first logged step with all test sums right), steady_step (that from which they
    were right to the end; each NaN if there was none), training_seconds, seconds. `steps` has a row a logged step
    of a finished run: run, variant, seed, step, test_loss, digit_accuracy, exact_accuracy. `lengths` has the
    tests of finished runs at other lengths, and at that trained on: run, variant, seed, digits, digit_accuracy,
    exact_accuracy.
    """

    steps: pd.DataFrame
    lengths: pd.DataFrame


def collect(pairs: Sequence[tuple[Run, Record]]) -> Additions:
    """Gather the records of an addition suite's runs, in the suite's order."""
    columns = ["run", "variant", "seed"]
    scores = ["digit_accuracy", "exact_accuracy"]
    return Additions(
        variants_of(pairs),
        {run.name: record for run, record in pairs},
        pd.DataFrame([_row(run, record) for run, record in pairs]),
        pd.DataFrame(_steps(pairs), columns=[*columns, "step", "test_loss", *scores]),
        pd.DataFrame(_lengths(pairs), columns=[*columns, "digits", *scores]),
    )


def _row(run: Run, record: Record) -> dict[str, Any]:
    measured = record.measures if record.status == "finished" else {}
    figures = {name: _number(measured.get(name)) for name in (*_MEASURES, "seconds")}
    return {
        **columns_of(run, record),
        **{name: figures[name] for name in _MEASURES},
        "training_seconds": figures["seconds"],
        "seconds": record.seconds,
    }


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _steps(pairs: Sequence[tuple[Run, Record]]) -> Iterator[dict[str, Any]]:
    for run, record in pairs:
        if record.status == "finished":
            for row in record.steps:
                yield {"run": run.name, "variant": run.variant.name, "seed": run.seed, **row}


def _lengths(pairs: Sequence[tuple[Run, Record]]) -> Iterator[dict[str, Any]]:
    first = {record.key: run.variant.name for run, record in reversed(pairs)}
    for run, record in pairs:
        # a point of a sweep may be the same training as a run of another name: it is there once
        if record.status == "finished" and record.measures["lengths"] and first[record.key] == run.variant.name:
            own = {"digits": record.data["digits"], **record.measures}
            for row in sorted([own, *record.measures["lengths"]], key=lambda row: int(row["digits"])):
                figures = {name: row[name] for name in ("digits", "digit_accuracy", "exact_accuracy")}
                yield {"run": run.name, "variant": run.variant.name, "seed": run.seed, **figures}


def seconds_per_step(record: Record) -> float:
    """Return the median time of a step, in seconds; NaN for a run that did not finish.

    What comes first, such as starting a GPU, has no weight in a median.
    """
    if record.status != "finished":
        return float("nan")
    log = np.array([[0.0, 0.0], *([row["step"], row["seconds"]] for row in record.steps)])
    steps, seconds = np.diff(log, axis=0).T
    return float(np.median(seconds / steps))
