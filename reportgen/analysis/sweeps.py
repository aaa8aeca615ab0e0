"""Sweeps of one number: the test accuracy against the setting, a line for each base run."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import pandas as pd

from reportgen.analysis.results import Results

_FEWEST_VALUES = 3


@dataclass(frozen=True)
class Sweep:
    """The variants that differ from their base run in one number alone."""

    setting: str
    """Dotted name, such as model.hidden_size."""
    points: pd.DataFrame
    """base, value and test_accuracy, a row a finished run, in the order of the values."""
    averages: pd.DataFrame
    """base, value, mean and std (sample standard deviation) of the test accuracy, a row a variant."""

    @property
    def bases(self) -> list[str]:
        """Names of the base runs, in the order of the suite."""
        return list(self.averages["base"].unique())

    @property
    def best(self) -> list[tuple[str, float, float]]:
        """For each base run the value with the highest mean test accuracy, and that accuracy."""
        rows = self.averages.loc[self.averages.groupby("base", sort=False)["mean"].idxmax()]
        return list(rows[["base", "value", "mean"]].itertuples(index=False, name=None))


def sweeps(results: Results) -> dict[str, Sweep]:
    """Find the settings swept over at least three values, by the name of their figure: sweep-1, sweep-2, …

    The value of a base run counts. Sweeps of one setting around several runs are one. A value that is no number
    (null, true, a name) and a variant of which no run finished are left out.
    """
    settings = dict.fromkeys(v.changed[0][0] for v in results.variants if len(v.changed) == 1)
    found = [_sweep(results, setting) for setting in settings]
    enough = [sweep for sweep in found if sweep.averages["value"].nunique() >= _FEWEST_VALUES]
    return {f"sweep-{number}": sweep for number, sweep in enumerate(enough, 1)}


def _sweep(results: Results, setting: str) -> Sweep:
    places = pd.DataFrame(_places(results, setting), columns=["variant", "base", "value"])
    finished = results.runs[results.runs["status"] == "finished"]
    points = places.merge(finished[["variant", "test_accuracy"]], on="variant")
    order = {base: place for place, base in enumerate(places["base"].unique())}
    points = points.sort_values(
        ["base", "value"], key=lambda c: c.map(order) if c.name == "base" else c, kind="stable"
    )
    grouped = points.groupby(["base", "value"], sort=False)["test_accuracy"]
    averages = grouped.agg(mean="mean", std="std").reset_index()
    return Sweep(setting, points[["base", "value", "test_accuracy"]].reset_index(drop=True), averages)


def _places(results: Results, setting: str) -> Iterator[tuple[str, str, float]]:
    """Yield variant, base and value of each point: the swept variants, and the runs that they are changes of."""
    swept = {variant.name for variant in results.variants if [name for name, _ in variant.changed] == [setting]}
    bases = {variant.base for variant in results.variants if variant.name in swept}
    for variant in results.variants:
        value = attrgetter(setting)(variant.settings)
        if variant.name in swept | bases and isinstance(value, int | float) and not isinstance(value, bool):
            yield variant.name, variant.base, value
