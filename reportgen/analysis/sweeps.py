"""Sweeps of one number: the test accuracy against the setting, a line for each base run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pandas as pd

from reportgen.analysis.results import Results

_FEWEST_VALUES = 3


@dataclass(frozen=True)
class Sweep:
    """The variants that differ from their base run in one number alone."""

    setting: str
    """Dotted name, such as model.hidden_size."""
    points: pd.DataFrame
    """base, value, validation_accuracy and test_accuracy, a row a finished run, in the order of the values."""
    averages: pd.DataFrame
    """base, value, mean and std (sample standard deviation) of the test accuracy, validation, the mean accuracy on
    the validation part (NaN where there is none), and variant; a row a variant."""

    @property
    def bases(self) -> list[str]:
        """Names of the base runs, in the order of the suite."""
        return list(self.averages["base"].unique())

    @property
    def best(self) -> list["Best"]:
        """For each base run the value with the highest mean accuracy on the validation part.

        Where some value has no validation part, it is the one with the highest mean test accuracy instead.
        """
        return [_best(base, self.averages[self.averages["base"] == base]) for base in self.bases]


@dataclass(frozen=True)
class Best:
    """The value of a sweep that a base run does best with, and the mean accuracies there; fractions of 1."""

    base: str
    value: float
    validation: float | None
    """None where there is no validation part, so that the test part chose."""
    test: float
    at_edge: str
    """smallest or largest, if it is that of the values that were tried; empty if it lies between others."""


def _best(base: str, rows: pd.DataFrame) -> Best:
    validated = bool(rows["validation"].notna().all())
    row = rows.iloc[int(rows["validation" if validated else "mean"].argmax())]
    edges = {float(rows["value"].min()): "smallest", float(rows["value"].max()): "largest"}
    edge = edges.get(float(row["value"]), "") if len(rows) > 1 else ""
    return Best(
        base, row["value"].item(), float(row["validation"]) if validated else None, float(row["mean"]), edge
    )


def sweeps(results: Results) -> dict[str, Sweep]:
    """Find the settings swept over at least three values, by the name of their figure: sweep-1, sweep-2, …

    A run that names a baseline is a point of the baseline's line, like a point of a grid, if it differs in that
    setting alone. The value of a base run counts. Sweeps of one setting around several runs are one. A value that
    is no number (null, true, a name) and a variant of which no run finished are left out.
    """
    changed = _changed(results)
    settings = dict.fromkeys(changed.values())
    found = [_sweep(results, setting, changed) for setting in settings]
    enough = [sweep for sweep in found if sweep.averages["value"].nunique() >= _FEWEST_VALUES]
    return {f"sweep-{number}": sweep for number, sweep in enumerate(enough, 1)}


def _sweep(results: Results, setting: str, changed: Mapping[str, str]) -> Sweep:
    places = pd.DataFrame(_places(results, setting, changed), columns=["variant", "base", "value"])
    finished = results.runs[results.runs["status"] == "finished"]
    measured = finished[["variant", "validation_accuracy", "test_accuracy"]]
    points = places.merge(measured, on="variant")
    order = {base: place for place, base in enumerate(places["base"].unique())}
    points = points.sort_values(
        ["base", "value"], key=lambda c: c.map(order) if c.name == "base" else c, kind="stable"
    )
    averages = (
        points.groupby(["base", "value"], sort=False)
        .agg(
            mean=("test_accuracy", "mean"), std=("test_accuracy", "std"),
            validation=("validation_accuracy", "mean"), variant=("variant", "first"),
        )
        .reset_index()
    )  # fmt: skip
    points = points[["base", "value", "validation_accuracy", "test_accuracy"]]
    return Sweep(setting, points.reset_index(drop=True), averages)


def _changed(results: Results) -> dict[str, str]:
    """Return, for each variant that differs from its baseline in one setting, that setting's dotted name."""
    settings = {variant.name: dict(_flat(variant.settings.model_dump())) for variant in results.variants}
    found = {}
    for variant in results.variants:
        if variant.baseline:
            before, after = settings[variant.baseline], settings[variant.name]
            names = [name for name in after if after[name] != before.get(name)]
            if len(names) == 1 and before.keys() == after.keys():
                found[variant.name] = names[0]
    return found


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _places(results: Results, setting: str, changed: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """Yield variant, base and value of each point: the changed variants, and the runs that they are changes of."""
    points = {variant.name for variant in results.variants if changed.get(variant.name) == setting}
    bases = {variant.baseline for variant in results.variants if variant.name in points}
    for variant in results.variants:
        value = attrgetter(setting)(variant.settings)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if variant.name in points:
                yield variant.name, variant.baseline or "", value
            elif variant.name in bases:
                yield variant.name, variant.name, value
