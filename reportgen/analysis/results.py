"""The stage *collect*: records become DataFrames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.lab.record import EPOCH_COLUMNS, Record
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.importing import ImportedRun, ImportSettings
from reportgen.suite.tasks import task_of

if TYPE_CHECKING:  # it gathers its values from the results
    from reportgen.analysis.metrics import OwnMetric


@dataclass(frozen=True)
class Runs:
    """What the records of a suite say, whatever its task.

    `runs` has a row a run: run, variant, seed, status, and what else a task has. Records go by the run's name.
    """

    variants: tuple[Variant, ...]
    records: dict[str, Record]
    runs: pd.DataFrame
    metrics: "tuple[OwnMetric, ...]" = field(default=(), kw_only=True)
    """What the suite's own metrics give."""

    @property
    def task(self) -> str:
        """The name of the suite's task."""
        return task_of(self.variants[0].settings.data.source).name

    @property
    def imported(self) -> dict[str, ImportSettings]:
        """By variant that was trained elsewhere, what the suite says of its log."""
        return {
            variant.name: variant.settings.imported
            for variant in self.variants
            if isinstance(variant.settings, ImportedRun)
        }

    @property
    def apart(self) -> list[str]:
        """The imported variants of which nobody says that they were tested on the same examples."""
        return [name for name, imported in self.imported.items() if not imported.same_data]

    def variant(self, name: str) -> Variant:
        """Return the variant of this name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Variant]:
        return {variant.name: variant for variant in self.variants}

    def runs_of(self, variant: str) -> list[str]:
        """Return the names of the variant's finished runs."""
        return list(self._finished.get(variant, ()))

    @cached_property
    def _finished(self) -> dict[str, list[str]]:
        # once for all variants: a search for each of them would take the square of their number
        finished = self.runs[self.runs["status"] == "finished"]
        return {str(name): list(own) for name, own in finished.groupby("variant", sort=False)["run"]}

    @cached_property
    def _all(self) -> dict[str, list[str]]:
        return {str(name): list(own) for name, own in self.runs.groupby("variant", sort=False)["run"]}

    def record_of(self, variant: str) -> Record | None:
        """Return a record that can speak for the variant: the first finished one, else any with a model."""
        own = [self.records[run] for run in self._all.get(variant, ())]
        able = [record for record in own if record.model]
        return min(able, key=lambda record: record.status != "finished", default=None)


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


def variants_of(pairs: Sequence[tuple[Run, Record]]) -> tuple[Variant, ...]:
    """Return the variants of the runs, each once, in their order."""
    return tuple({run.variant.name: run.variant for run, _ in pairs}.values())


def columns_of(run: Run, record: Record) -> dict[str, Any]:
    """Return the columns that a row of `runs` has in every task; no parameters where no model was built."""
    return {
        "run": run.name,
        "variant": run.variant.name,
        "seed": run.seed,
        "key": record.key,
        "status": record.status,
        "error": record.error,
        "parameters": record.model.get("parameters", np.nan),
    }


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
