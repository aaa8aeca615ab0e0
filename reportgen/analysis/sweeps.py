"""Sweeps of one number: test accuracy or forecast error against the setting, a line for each base run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.results import Runs
from reportgen.analysis.tables import SMALLEST

_FEWEST_VALUES = 3


@dataclass(frozen=True)
class Score:
    """What a sweep shows of its runs: columns of a task's runs."""

    tested: str
    validated: str
    """The same on the validation part, which chooses; NaN where there is none."""
    errors: bool = False
    """Whether less is better, and means are geometric, as of errors that are spread over powers of ten."""


ACCURACY = Score("test_accuracy", "validation_accuracy")
FORECAST_ERROR = Score("forecast_from_half", "validation_error", errors=True)


@dataclass(frozen=True)
class Sweep:
    """The variants that differ from their base run in one number alone."""

    setting: str
    """Dotted name, such as model.hidden_size."""
    score: Score
    points: pd.DataFrame
    """base, value, and both columns of the score, a row a finished run, in the order of the values."""
    averages: pd.DataFrame
    """base, value, mean, low and high (one sample standard deviation below and above) of what was tested,
    validation, the mean on the validation part (NaN where there is none), and variant; a row a variant."""

    @property
    def bases(self) -> list[str]:
        """Names of the base runs, in the order of the suite."""
        return list(self.averages["base"].unique())

    @property
    def best(self) -> list["Best"]:
        """For each base run the value with the best mean on the validation part.

        Where some value has no validation part, it is the one with the best mean on the test part instead.
        """
        of = {base: self.averages[self.averages["base"] == base] for base in self.bases}
        return [_best(base, rows, self.score) for base, rows in of.items()]


@dataclass(frozen=True)
class Best:
    """The value of a sweep that a base run does best with, and the mean scores there."""

    base: str
    value: float
    validation: float | None
    """None where there is no validation part, so that the test part chose."""
    test: float
    at_edge: str
    """smallest or largest, if it is that of the values that were tried; empty if it lies between others."""


def _best(base: str, rows: pd.DataFrame, score: Score) -> Best:
    validated = bool(rows["validation"].notna().all())
    means = rows["validation" if validated else "mean"]
    row = rows.iloc[int(means.argmin() if score.errors else means.argmax())]
    edges = {float(rows["value"].min()): "smallest", float(rows["value"].max()): "largest"}
    edge = edges.get(float(row["value"]), "") if len(rows) > 1 else ""
    return Best(
        base, row["value"].item(), float(row["validation"]) if validated else None, float(row["mean"]), edge
    )


def sweeps(results: Runs, score: Score = ACCURACY) -> dict[str, Sweep]:
    """Find the settings swept over at least three values, by the name of their figure: sweep-1, sweep-2, …

    A run that names a baseline is a point of the baseline's line, like a point of a grid, if it differs in that
    setting alone. The value of a base run counts. Sweeps of one setting around several runs are one. A value that
    is no number (null, true, a name) and a variant of which no run finished are left out.
    """
    changed = _changed(results)
    settings = dict.fromkeys(changed.values())
    found = [_sweep(results, setting, changed, score) for setting in settings]
    enough = [sweep for sweep in found if sweep.averages["value"].nunique() >= _FEWEST_VALUES]
    return {f"sweep-{number}": sweep for number, sweep in enumerate(enough, 1)}


def _sweep(results: Runs, setting: str, changed: Mapping[str, str], score: Score) -> Sweep:
    places = pd.DataFrame(_places(results, setting, changed), columns=["variant", "base", "value"])
    finished = results.runs[results.runs["status"] == "finished"]
    measured = finished[["variant", score.validated, score.tested]]
    points = places.merge(measured, on="variant")
    order = {base: place for place, base in enumerate(places["base"].unique())}
    points = points.sort_values(
        ["base", "value"], key=lambda c: c.map(order) if c.name == "base" else c, kind="stable"
    )
    points = points[["base", "value", "variant", score.validated, score.tested]].reset_index(drop=True)
    return Sweep(setting, score, points, _averages(points, score))


def _averages(points: pd.DataFrame, score: Score) -> pd.DataFrame:
    scaled = points.assign(tested=points[score.tested], validation=points[score.validated])
    if score.errors:
        for name in ("tested", "validation"):
            scaled[name] = np.log10(scaled[name].astype(float).clip(lower=SMALLEST))
    table = (
        scaled.groupby(["base", "value"], sort=False)
        .agg(
            mean=("tested", "mean"),
            std=("tested", "std"),
            validation=("validation", "mean"),
            variant=("variant", "first"),
        )
        .reset_index()
    )
    spread = table.pop("std").fillna(0.0)
    table = table.assign(low=table["mean"] - spread, high=table["mean"] + spread)
    if score.errors:
        for name in ("mean", "low", "high", "validation"):
            table[name] = 10.0 ** table[name].astype(float)
    return table


def _changed(results: Runs) -> dict[str, str]:
    """Return, for each variant that differs from its baseline in one setting, that setting's dotted name."""
    here = [variant for variant in results.variants if not variant.imported]  # of others not all is known
    settings = {variant.name: dict(_flat(variant.settings.model_dump())) for variant in here}
    found = {}
    for variant in here:
        if variant.baseline in settings:
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


def _places(results: Runs, setting: str, changed: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """Yield variant, base and value of each point: the changed variants, and the runs that they are changes of."""
    points = {variant.name for variant in results.variants if changed.get(variant.name) == setting}
    bases = {variant.baseline for variant in results.variants if variant.name in points}
    for variant in results.variants:
        if variant.imported:
            continue
        value = attrgetter(setting)(variant.settings)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if variant.name in points:
                yield variant.name, variant.baseline or "", value
            elif variant.name in bases:
                yield variant.name, variant.name, value
