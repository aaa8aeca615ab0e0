"""Studies: which variants of a suite belong in one picture, since they differ in one setting, or in two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.languages import Language
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
            names = [name for name, _ in variant.changed] or [n for n in after if after[n] != before.get(n)]
            if names:
                groups.setdefault((variant.baseline, *names), []).append(variant.name)
    for (base, *names), group in groups.items():
        yield base, names, group


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
    return {
        f"{part}.{name}": value for part in ("data", "model", "training") for name, value in plain[part].items()
    }


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
