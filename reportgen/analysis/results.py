"""The stage *collect*: records become DataFrames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.lab.record import Record
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.imports import ImportedRun, ImportSettings
from reportgen.tasks.registry import task_of

if TYPE_CHECKING:
    from reportgen.analysis.metrics import UserMetric


@dataclass(frozen=True)
class Runs:
    """What the records of a suite say, whatever its task.

    `runs` has a row a run: run, variant, seed, status, and what else a task has. Records go by the run's name.
    """

    variants: tuple[Variant, ...]
    records: dict[str, Record]
    runs: pd.DataFrame
    metrics: "tuple[UserMetric, ...]" = field(default=(), kw_only=True)
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
