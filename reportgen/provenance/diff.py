"""What separates two builds of a suite, found and told."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import statistics
from reportgen.errors import ReportgenError
from reportgen.provenance import reading
from reportgen.provenance.why import read_results
from reportgen.storage.manifest import FILE, Manifest


@dataclass(frozen=True)
class Build:
    """What a build has left."""

    folder: Path
    results: Mapping[str, Any]
    manifest: Manifest | None
    """None for a results.json that lies alone."""

    @property
    def task(self) -> str:
        """The task of its suite."""
        return str(self.results.get("task", "classification"))

    @cached_property
    def runs(self) -> dict[str, dict[int, dict[str, Any]]]:
        """Variant to seed to the run's row."""
        found: dict[str, dict[int, dict[str, Any]]] = {}
        for row in self.results["runs"].values():
            found.setdefault(row["variant"], {})[row["seed"]] = row
        return found

    def label(self, variant: str, language: str) -> str:
        """Return what reports in the language call a variant."""
        labels = self.results.get("labels", {}).get(variant, {})
        return str(labels.get(language, labels.get("", variant)))

    def settings(self, variant: str) -> dict[str, Any]:
        """Return the settings of a variant by dotted name."""
        return dict(_flat(next(iter(self.runs[variant].values()))["settings"]))


def read_build(place: Path) -> Build:
    """Read a folder of reports, or the results.json or manifest.json in it.

    Raises ReportgenError if there is none, or it is cut short.
    """
    folder = place if place.is_dir() else place.parent
    if not place.exists() or (place.is_file() and place.name not in ("results.json", FILE)):
        raise ReportgenError(f"{place}: got no build, expected a folder of reports, or the results.json in it")
    manifest = reading.open_folder(folder) if (folder / FILE).is_file() else None
    return Build(folder, read_results(folder), manifest)


def require_one_suite(old: Build, new: Build) -> None:
    """Raise ReportgenError if two builds are not of one suite, or have no model in common."""
    if old.task != new.task:
        raise ReportgenError(f"got builds of two tasks, {old.task} and {new.task}, expected two of one suite")
    names = [build.manifest.suite.file for build in (old, new) if build.manifest]
    if len(set(names)) > 1:
        raise ReportgenError(f"got builds of two suites, {names[0]} and {names[1]}, expected two of one suite")
    if not old.runs.keys() & new.runs.keys():
        raise ReportgenError(
            f"got two builds with no model in common: {', '.join(old.runs)} in {old.folder}, "
            f"{', '.join(new.runs)} in {new.folder}"
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


_NOT_COMPARED = {"seed", "seconds", "training_seconds", "epochs", "steps", "kept_epoch", "kept_step"}
_MOST_CELLS = 5


@dataclass(frozen=True)
class Setting:
    """A setting, or a version, that is another one now."""

    name: str
    before: Any
    after: Any
    variants: tuple[str, ...] = ()
    """Those that it changed of; empty for what is of the whole build."""


@dataclass(frozen=True)
class Metric:
    """A number of a variant, mean over the seeds, before and now."""

    variant: str
    name: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    """The interval of the difference; NaN with one seed."""
    seeds: int
    """Seeds in common, by which runs are paired; 0 if there are none."""


@dataclass(frozen=True)
class Verdict:
    """A claim of the suite whose verdict is another one now; None where there was no such claim."""

    claim: Any
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Matrix:
    """The difference of a variant's confusion matrices, each row-normalised: now less before."""

    variant: str
    classes: list[str]
    gaps: NDArray[np.float64]
    """(classes, classes)"""

    @property
    def largest(self) -> list[tuple[str, str, float]]:
        """True class, predicted class and difference of the cells that changed most."""
        order = np.argsort(-np.abs(self.gaps), axis=None, kind="stable")[:_MOST_CELLS]
        cells = [np.unravel_index(index, self.gaps.shape) for index in order]
        return [(self.classes[i], self.classes[j], float(self.gaps[i, j])) for i, j in cells if self.gaps[i, j]]


@dataclass(frozen=True)
class Changes:
    """All that separates two builds."""

    verdicts: list[Verdict]
    settings: list[Setting]
    metrics: list[Metric]
    """Of the variants in both builds, the numbers that changed."""
    matrices: list[Matrix]
    same: list[str]
    """Variants whose records are the same."""
    retrained: list[str]
    """Variants of the same settings whose records are others: other data, or another version of the code."""
    added: list[str]
    removed: list[str]
    unfinished: list[str]
    """Runs that diverged or failed now, and did not before."""


def compare(old: Build, new: Build) -> Changes:
    """Hold two builds of a suite against each other."""
    common = [variant for variant in new.runs if variant in old.runs]
    same = [variant for variant in common if _keys(old, variant) == _keys(new, variant)]
    changed = [variant for variant in common if variant not in same]
    settings = [*_of_build(old, new), *_of_variants(old, new, common)]
    touched = {variant for setting in settings for variant in setting.variants}
    return Changes(
        verdicts=list(_verdicts(old, new)),
        settings=settings,
        metrics=[metric for variant in changed for metric in _metrics(old, new, variant)],
        matrices=[matrix for variant in changed if (matrix := _matrix(old, new, variant))],
        same=same,
        retrained=[
            variant
            for variant in changed
            if variant not in touched and old.runs[variant].keys() == new.runs[variant].keys()
        ],
        added=[variant for variant in new.runs if variant not in old.runs],
        removed=[variant for variant in old.runs if variant not in new.runs],
        unfinished=[
            run
            for run, row in new.results["runs"].items()
            if row["status"] != "finished" and old.results["runs"].get(run, {}).get("status") != row["status"]
        ],
    )


def _keys(build: Build, variant: str) -> dict[int, str]:
    return {seed: row["key"] for seed, row in build.runs[variant].items()}


def _of_build(old: Build, new: Build) -> Iterator[Setting]:
    seeds = [sorted({row["seed"] for row in build.results["runs"].values()}) for build in (old, new)]
    pairs: dict[str, tuple[Any, Any]] = {"seeds": (seeds[0], seeds[1])}
    if old.manifest and new.manifest:
        one, other = old.manifest, new.manifest
        pairs |= {name: (getattr(one.suite, name), getattr(other.suite, name)) for name in ("profile", "quick")}
        names = ("reportgen", "python", "torch")  # the others change no number
        pairs |= {name: (one.versions.get(name), other.versions.get(name)) for name in names}
    yield from (Setting(name, *pair) for name, pair in pairs.items() if pair[0] != pair[1])


def _of_variants(old: Build, new: Build, common: list[str]) -> Iterator[Setting]:
    """Yield each changed setting once, with all variants in which it changed in the same way."""
    found: dict[str, tuple[str, Any, Any, list[str]]] = {}
    for variant in common:
        before, after = old.settings(variant), new.settings(variant)
        for name in dict.fromkeys([*before, *after]):
            pair = (before.get(name), after.get(name))
            if pair[0] != pair[1]:
                found.setdefault(repr((name, *pair)), (name, *pair, []))[3].append(variant)
    yield from (Setting(name, before, after, tuple(names)) for name, before, after, names in found.values())


def _metrics(old: Build, new: Build, variant: str) -> Iterator[Metric]:
    names = [name for name, value in next(iter(new.runs[variant].values())).items() if _is_measure(name, value)]
    for name in names:
        before, after = (_values(build, variant, name) for build in (old, new))
        if before and after and before != after:
            low, high = interval(before, after)
            was, now = (math.fsum(each.values()) / len(each) for each in (before, after))
            yield Metric(variant, name, was, now, now - was, low, high, len(before.keys() & after.keys()))


def _is_measure(name: str, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and name not in _NOT_COMPARED


def _values(build: Build, variant: str, name: str) -> dict[int, float]:
    rows = build.runs[variant].items()
    return {seed: float(row[name]) for seed, row in rows if _is_measure(name, row.get(name))}


def interval(before: Mapping[int, float], after: Mapping[int, float]) -> tuple[float, float]:
    """Return the 95% interval of the difference of two means, that of `after` less that of `before`.

    Each maps a seed to a number. It is Student's t over the seeds, by the report's own estimate: of the
    differences where both have the same seeds, since runs of one seed begin alike; else of two means, which is
    Welch's. NaN with fewer than two seeds on either side.
    """
    if min(len(before), len(after)) < 2:
        return math.nan, math.nan
    if before.keys() == after.keys():
        return statistics.estimate(
            [statistics.sample(np.array([after[s] - before[s] for s in before]))]
        ).interval()
    earlier, later = (statistics.sample(np.array(list(own.values()))) for own in (before, after))
    return statistics.estimate([later, earlier.scaled(-1)]).interval()


def _verdicts(old: Build, new: Build) -> Iterator[Verdict]:
    before, after = _claims(old), _claims(new)
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name, (None, None)), after.get(name, (None, None))
        if was[1] != now[1]:
            yield Verdict(now[0] or was[0], was[1], now[1])


def _claims(build: Build) -> dict[str, tuple[Any, str | None]]:
    """Return each claim's text and verdict, by its id, or its text where it has none."""
    claims = build.results.get("claims", [])
    known = [claim for claim in claims if isinstance(claim, dict)] if isinstance(claims, list) else []
    return {
        str(claim.get("id", claim.get("text"))): (claim.get("text", claim.get("id")), claim.get("verdict"))
        for claim in known
    }


def _matrix(old: Build, new: Build, variant: str) -> Matrix | None:
    pair = [build.results.get("confusion", {}).get(variant) for build in (old, new)]
    if pair[0] is None or pair[1] is None or pair[0]["classes"] != pair[1]["classes"]:
        return None
    before, after = (_shares(np.array(own["counts"], float)) for own in pair)
    return Matrix(variant, list(pair[1]["classes"]), after - before) if (after != before).any() else None


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares
