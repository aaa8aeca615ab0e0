"""Sweeps of one number: the test accuracy against the setting, a line for each base run."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pandas as pd

from reportgen.analysis.results import Results
from reportgen.suite.expansion import Variant

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
    """Yield variant, base and value of each point; a base run stands in where its own value was not swept."""
    swept = {v.name: v for v in results.variants if [name for name, _ in v.changed] == [setting]}
    bases = {_base(name) for name in swept}
    taken = {(_base(name), _value(variant, setting)) for name, variant in swept.items()}
    for variant in results.variants:
        value = _value(variant, setting)
        joins = variant.name in bases and (variant.name, value) not in taken
        if (joins or variant.name in swept) and isinstance(value, int | float) and not isinstance(value, bool):
            yield variant.name, _base(variant.name), value


def _base(variant: str) -> str:
    return variant.split("/", 1)[0]


def _value(variant: Variant, setting: str) -> Any:
    return attrgetter(setting)(variant.settings)
