"""Studies: which variants of a suite belong in one picture, since they differ in one setting, or in two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    One that a run declares by naming a baseline studies the first in which the two differ.
    """
    flat = {variant.name: _settings(variant) for variant in variants}
    members: dict[tuple[str, str], list[str]] = {}
    for base, names, group in _groups(variants, flat):
        varied = _varied(names, group, flat)
        if len(varied) < 2:
            members.setdefault((base, (varied or names)[0]), []).extend(group)
    found = []
    for (base, setting), group in members.items():
        of = {name: flat[name][setting] for name in [base, *group] if setting in flat[name]}
        found.append(Study(setting, base, {name: of[name] for name in _in_order(list(of), of)}))
    known = {name for study in found for name in study.values} | {n for g in grids(variants) for n in g.cells}
    others = {variant.name: None for variant in variants if variant.name not in known}
    return [*found, *([Study("", "", others)] if others else [])]


def grids(variants: Sequence[Variant]) -> list[Grid]:
    """Find the studies of two settings, in the order of the suite; grids that are not full are left out."""
    flat = {variant.name: _settings(variant) for variant in variants}
    found = []
    for base, names, group in _groups(variants, flat):
        varied = _varied(names, group, flat)
        if len(varied) == 2:
            cells = {name: (flat[name][varied[0]], flat[name][varied[1]]) for name in [base, *group]}
            without = {name: cells[name] for name in group}
            both = (Grid((varied[0], varied[1]), base, own) for own in (cells, without))
            # a base that has neither a row nor a column, or that differs in more, has no cell
            found += [grid for grid in both if _is_full(grid) and (grid.cells is without or len(names) == 2)][:1]
    return found


def _is_full(grid: Grid) -> bool:
    first, second = grid.axes
    return len(set(grid.cells.values())) == len(first) * len(second)


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


def _settings(variant: Variant) -> dict[str, Any]:
    """Return the variant's settings by dotted name."""
    plain = variant.settings.model_dump()
    return {
        f"{part}.{name}": value for part in ("data", "model", "training") for name, value in plain[part].items()
    }
