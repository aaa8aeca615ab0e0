"""The stage *collect* for classification: records become DataFrames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.analysis.results import Runs, columns_of, variants_of
from reportgen.lab.record import EPOCH_COLUMNS, Record
from reportgen.suite.expansion import Run

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Results(Runs):
    """All that a classification suite's records say.

    `runs` has a row a run (run, variant, seed, key, status, error, parameters, kept_epoch, validation_accuracy,
    test_loss, test_accuracy, epochs, seconds, seconds_per_epoch, training_seconds); `epochs` a row an epoch of a
    run. The validation accuracy is that of the epoch that was kept. Runs that did not finish have NaN where they
    have no number, as runs without a validation part have. `confusion` counts, by variant and summed over its
    finished runs, examples of the true class (row) that were given the predicted class (column).
    """

    epochs: pd.DataFrame
    confusion: dict[str, NDArray[np.int64]]

    def heldout_of(self, variant: str) -> str:
        """Return the part that the variant's epochs were evaluated on; empty if no run has any."""
        own = self._all.get(variant, ())
        return next((part for run in own if (part := self.records[run].heldout)), "")


def collect(pairs: Sequence[tuple[Run, Record]]) -> Results:
    """Gather the records of a suite's runs, in the suite's order."""
    runs = pd.DataFrame([_row(run, record) for run, record in pairs])
    epochs = pd.DataFrame(
        [
            {"run": run.name, "variant": run.variant.name, "seed": run.seed, **epoch}
            for run, record in pairs
            for epoch in record.epochs
        ],
        columns=["run", "variant", "seed", *EPOCH_COLUMNS],
    )
    records = {run.name: record for run, record in pairs}
    return Results(variants_of(pairs), records, runs, epochs, _confusion(pairs))


def _row(run: Run, record: Record) -> dict[str, Any]:
    test_loss, test_accuracy = test_figures(record)
    seconds = [epoch["seconds"] for epoch in record.epochs]
    return {
        **columns_of(run, record),
        "kept_epoch": record.kept_epoch or np.nan,
        "validation_accuracy": _validation_accuracy(record),
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "epochs": len(record.epochs),
        "seconds": np.nan if run.variant.imported else record.seconds,
        "seconds_per_epoch": float(np.median(seconds)) if seconds else np.nan,
        "training_seconds": float(np.sum(seconds)) if seconds else np.nan,
    }


def test_figures(record: Record) -> tuple[float, float]:
    """Return loss and accuracy on the test part: of the predictions, or what an imported log says; else NaN."""
    outcome = record.predictions
    if not outcome:
        said = (record.measures.get(name) for name in ("test_loss", "test_accuracy"))
        loss, accuracy = (np.nan if value is None else float(value) for value in said)
        return loss, accuracy
    loss = float(outcome["loss"].mean(dtype=np.float64))
    return loss, float((outcome["predicted"] == outcome["target"]).mean())


def _validation_accuracy(record: Record) -> float:
    kept = [epoch for epoch in record.epochs if epoch["epoch"] == record.kept_epoch]
    of_kept = kept and record.heldout == "validation" and record.status == "finished"
    return kept[0]["heldout_accuracy"] if of_kept else float("nan")


def _confusion(pairs: Sequence[tuple[Run, Record]]) -> dict[str, NDArray[np.int64]]:
    found: dict[str, NDArray[np.int64]] = {}
    for run, record in pairs:
        if record.predictions:
            classes = len(record.data["classes"])
            matrix = found.setdefault(run.variant.name, np.zeros((classes, classes), np.int64))
            np.add.at(matrix, (record.predictions["target"], record.predictions["predicted"]), 1)
    return found


def seconds_per_step(record: Record) -> float:
    """Return the median time of an epoch, in seconds; NaN for a run that did not finish.

    What comes first, such as starting a GPU, has no weight in a median.
    """
    if record.status != "finished":
        return float("nan")
    return float(np.median([epoch["seconds"] for epoch in record.epochs]))
