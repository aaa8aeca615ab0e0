"""Studies: which variants differ in one setting or two, and sweeps of one number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.results import Runs
from reportgen.analysis.tables import SMALLEST
from reportgen.i18n.languages import Language
from reportgen.lab.training.settings import GROUPS, described, flat_training
from reportgen.suite.expansion import Variant


@dataclass(frozen=True)
class Study:
    """A run and those that are changes of it in one setting; or runs that are changes of none."""

    setting: str
    """Dotted name, such as model.layers; empty for runs beside each other."""
    base: str
    """The run that the others are changes of; empty for runs beside each other."""
    values: dict[str, Any]
    """Variant to its value of the setting, in the order of the values; to None for runs beside each other."""

    @property
    def numeric(self) -> bool:
        """Tell whether the values are numbers, which have places on an axis."""
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values.values())


@dataclass(frozen=True)
class Grid:
    """A run and those that are changes of it in two settings, every combination of at least two values each."""

    settings: tuple[str, str]
    base: str
    cells: dict[str, tuple[Any, Any]]
    """Variant to its values of both settings."""

    @property
    def axes(self) -> tuple[list[Any], list[Any]]:
        """The values of each setting, sorted if they can be."""
        first, second = (
            _in_order(list(dict.fromkeys(values))) for values in zip(*self.cells.values(), strict=True)
        )
        return first, second


def studies(variants: Sequence[Variant]) -> list[Study]:
    """Find the studies of one setting, in the order of the suite; what is in none stands beside each other.

    A variant studies the setting that its sweep varies; the first one of its grid, if each has one value alone.
    One that a run declares by naming a baseline studies the first in which the two differ. A sweep of two settings
    holds two studies: its row and its column through the base run.
    """
    flat = {variant.name: settings_of(variant) for variant in variants}
    members: dict[tuple[str, str], list[str]] = {}
    for base, names, group in _groups(variants, flat):
        varied = _varied(names, group, flat)
        if len(varied) < 2:
            members.setdefault((base, (varied or names)[0]), []).extend(group)
        elif base in (cells := _cells(base, names, group, flat)):
            for place, setting in enumerate(varied):
                line = [name for name in group if cells[name][1 - place] == cells[base][1 - place]]
                members.setdefault((base, setting), []).extend(line)
    found = []
    for (base, setting), group in members.items():
        once = {repr(flat[name]): name for name in reversed([base, *group])}  # of two names of one run, the first
        of = {name: flat[name][setting] for name in reversed(once.values())}
        found.append(Study(setting, base, {name: of[name] for name in _in_order(list(of), of)}))
    known = {name for study in found for name in study.values} | {n for g in grids(variants) for n in g.cells}
    again = {repr(flat[name]) for name in known}  # a point of a sweep may be a run that is there by another name
    others = {
        variant.name: None
        for variant in variants
        if variant.name not in known and not (variant.baseline and repr(flat[variant.name]) in again)
    }
    return [*found, *([Study("", "", others)] if others else [])]


def grids(variants: Sequence[Variant]) -> list[Grid]:
    """Find the studies of two settings, in the order of the suite; grids that are not full are left out."""
    flat = {variant.name: settings_of(variant) for variant in variants}
    found = []
    for base, names, group in _groups(variants, flat):
        if cells := _cells(base, names, group, flat):
            first, second = _varied(names, group, flat)
            found.append(Grid((first, second), base, cells))
    return found


def _cells(
    base: str, names: Sequence[str], group: Sequence[str], flat: Mapping[str, dict[str, Any]]
) -> dict[str, tuple[Any, Any]]:
    """Return the values of the two settings that a group varies, if every combination is there; else nothing.

    The base run is among them, unless it has neither a row nor a column, or differs in more than the two.
    """
    varied = _varied(names, group, flat)
    if len(varied) != 2:
        return {}
    for members in ([base, *group], list(group))[len(names) > 2 :]:
        cells = {name: (flat[name][varied[0]], flat[name][varied[1]]) for name in members}
        first, second = ({values[place] for values in cells.values()} for place in (0, 1))
        if len(set(cells.values())) == len(first) * len(second):
            return cells
    return {}


def _groups(
    variants: Sequence[Variant], flat: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield base, names of the changed settings, and variants of each group that changes the same ones."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for variant in variants:
        if variant.baseline:
            before, after = flat[variant.baseline], flat[variant.name]
            names = [name for name, _ in variant.changed] or _differing(before, after)
            if names:
                groups.setdefault((variant.baseline, *names), []).append(variant.name)
    for (base, *names), group in groups.items():
        yield base, names, group


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names of settings that differ, of a group in which any does its own name alone."""
    return [n for n in after if after[n] != before.get(n) and n.rpartition(".")[0] not in after]


def _varied(names: Sequence[str], group: Sequence[str], flat: Mapping[str, dict[str, Any]]) -> list[str]:
    return [name for name in names if len({repr(flat[variant][name]) for variant in group}) > 1]


def _in_order(items: list[Any], values: Mapping[Any, Any] | None = None) -> list[Any]:
    """Return the items sorted by their values, or as they are where those cannot be compared or are words."""
    keys = [values[item] if values else item for item in items]
    return sorted(items, key=values.__getitem__ if values else None) if _are_numbers(keys) else items


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def settings_of(variant: Variant) -> dict[str, Any]:
    """Return the variant's settings by dotted name, without its device."""
    plain = variant.settings.model_dump()
    flat = {f"{part}.{name}": value for part in ("data", "model") for name, value in plain[part].items()}
    flat |= {f"training.{name}": value for name, value in flat_training(plain["training"])}
    groups = {f"training.{name}": plain["training"].get(name) for name in GROUPS}
    return flat | {name: value and described(value) for name, value in groups.items()}


def names_of(study: Study, variants: list[str], labels: Mapping[str, str], language: Language) -> dict[str, str]:
    """Return what a study calls its variants: their values, or their labels if two are the same or there are
    none."""
    values = {
        name: language.integer(value) if type(value) is int else language.setting(study.setting, value)
        for name in variants
        for value in [study.values[name]]
    }
    alike = len(set(values.values())) < len(values)
    return {name: labels[name] for name in variants} if alike or not study.setting else values


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
        value = dict(_flat(variant.settings.model_dump())).get(setting)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if variant.name in points:
                yield variant.name, variant.baseline or "", value
            elif variant.name in bases:
                yield variant.name, variant.name, value


def families(results: Runs) -> dict[str, list[str]]:
    """Return, by base run, the variants of it that have a finished run: itself and the points of its sweeps.

    A base run of which nothing finished has no family. What a sweep over devices adds is no choice to be made.
    """
    found: dict[str, list[str]] = {}
    for variant in without_twins(results.variants):
        if results.runs_of(variant.name):
            base = variant.baseline if variant.changed and variant.baseline else variant.name
            found.setdefault(base, []).append(variant.name)
    return found


def without_twins(variants: Sequence[Variant]) -> list[Variant]:
    """Return the variants but those that a sweep makes to compare devices: they study no other setting."""
    return [variant for variant in variants if "device" not in dict(variant.changed)]
