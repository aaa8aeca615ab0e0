"""The stage *collect* for forecasting: records become DataFrames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.results import Runs, columns_of, variants_of
from reportgen.lab.record import Record
from reportgen.suite.expansion import Run

GIVEN = ("from_half", "from_one")
"""What a forecast is given: the first half of the points, or the first point alone."""


_MEASURES = ("kept_step", "train_loss", "test_loss", "forecast_from_half", "forecast_from_one", "evaluations")


@dataclass(frozen=True)
class Forecasts(Runs):
    """All that a forecasting suite's records say.

    `runs` has a row a run: run, variant, seed, key, status, error, parameters, kept_step, train_loss, test_loss,
    forecast_from_half, forecast_from_one (mean squared errors), validation_error (that from half of the points in
    validation, NaN without one), evaluations, training_seconds, seconds. Runs that did not finish have NaN where
    they have no number. `evaluations` has a row an evaluation of a finished run: run, variant, seed, evaluation,
    loss, seconds. `errors` has the absolute error of a finished run's forecasts: run, variant, seed, given (one of
    GIVEN), horizon (points ahead, from 1), error.
    """

    evaluations: pd.DataFrame
    errors: pd.DataFrame


def collect(pairs: Sequence[tuple[Run, Record]]) -> Forecasts:
    """Gather the records of a forecasting suite's runs, in the suite's order."""
    columns = ["run", "variant", "seed"]
    return Forecasts(
        variants_of(pairs),
        {run.name: record for run, record in pairs},
        pd.DataFrame([_row(run, record) for run, record in pairs]),
        pd.DataFrame(_evaluations(pairs), columns=[*columns, "evaluation", "loss", "seconds"]),
        pd.DataFrame(_errors(pairs), columns=[*columns, "given", "horizon", "error"]),
    )


def _row(run: Run, record: Record) -> dict[str, Any]:
    finished = record.status == "finished"
    return {
        **columns_of(run, record),
        **{name: record.measures.get(name, np.nan) if finished else np.nan for name in _MEASURES},
        "validation_error": _validation_error(record) if finished else np.nan,
        "training_seconds": record.measures.get("seconds", np.nan) if finished else np.nan,
        "seconds": record.seconds,
    }


def _validation_error(record: Record) -> float:
    kept = [row for row in record.steps if row["step"] == record.measures["kept_step"]]
    return kept[0]["validation_loss"] if kept else float("nan")


def _evaluations(pairs: Sequence[tuple[Run, Record]]) -> Iterator[tuple[Any, ...]]:
    for run, record in pairs:
        if record.status == "finished":
            log = zip(record.arrays["evaluation_loss"], record.arrays["evaluation_seconds"], strict=True)
            for number, (loss, seconds) in enumerate(log, 1):
                yield run.name, run.variant.name, run.seed, number, float(loss), float(seconds)


def _errors(pairs: Sequence[tuple[Run, Record]]) -> Iterator[tuple[Any, ...]]:
    for run, record in pairs:
        if record.status == "finished":
            for given in GIVEN:
                for ahead, error in enumerate(record.arrays[f"error_{given}"], 1):
                    yield run.name, run.variant.name, run.seed, given, ahead, float(error)


def seconds_per_step(record: Record) -> float:
    """Return the median time of an evaluation of the loss, in seconds; NaN for a run that did not finish.

    What comes first, such as starting a GPU, has no weight in a median.
    """
    if record.status != "finished":
        return float("nan")
    return float(np.median(np.diff(record.arrays["evaluation_seconds"], prepend=0.0)))
