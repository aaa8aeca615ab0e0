"""Who leads in a classification report, and every other order that it states."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import (
    Comparing,
    Difference,
    Scores,
    best_of,
    interval_of,
    scores_of,
)
from reportgen.analysis.studies import families, sweeps
from reportgen.tasks.classification.results import Results


def chosen(results: Results) -> dict[str, str]:
    """Return, by base run, the variant of its family with the highest mean accuracy on the validation part.

    The accuracy is that of the epoch that was kept. The test part decides nothing here: in a family of which some
    variant has no validation part, the base run stands for itself, or else the first variant does.
    """
    means = results.runs.groupby("variant")["validation_accuracy"].mean()
    return {base: _best(base, members, means) for base, members in families(results).items()}


def _best(base: str, members: list[str], means: "pd.Series[float]") -> str:
    own = means[members]
    if all(own.notna()):
        return str(own.idxmax())
    return base if base in members else members[0]


def representatives(results: Results) -> list[str]:
    """Return one variant a family, in the order of the suite: the one that was chosen."""
    names = set(chosen(results).values())
    return [variant.name for variant in results.variants if variant.name in names]


@dataclass(frozen=True)
class Choice:
    """The point that the validation part chose of a run and its sweeps; accuracies are means, fractions of 1."""

    base: str
    variant: str
    candidates: int
    validation: float
    test: float


def choices(results: Results) -> list[Choice]:
    """Return what was chosen of each run that is swept, where every candidate has a validation accuracy."""
    means = results.runs.groupby("variant")[["validation_accuracy", "test_accuracy"]].mean()
    validation, test = means["validation_accuracy"], means["test_accuracy"]
    picked = chosen(results)
    return [
        Choice(base, picked[base], len(members), float(validation[picked[base]]), float(test[picked[base]]))
        for base, members in families(results).items()
        if len(members) > 1 and all(validation[members].notna())
    ]


def leader_of(scores: Scores, apart: Collection[str]) -> str | None:
    """Return the variant with the highest mean test accuracy; one that stands apart only where it is alone.

    Args:
        scores: test accuracies of the variants that have a finished run.
        apart: imported variants of which nobody says that they were tested on the same examples.
    """
    return best_of(scores, None if len(scores) == 1 else [name for name in scores if name not in apart])


def detailed_of(leader: str | None, finished: pd.DataFrame, predicting: Collection[str]) -> str | None:
    """Return the leader, or, where that was imported, the most accurate of those that have predictions."""
    if leader in predicting:
        return leader
    accuracies = finished.set_index("variant")["test_accuracy"].reindex(list(predicting)).dropna()
    return str(accuracies.idxmax()) if len(accuracies) else None


@dataclass(frozen=True)
class Tuning:
    """A variant beside the one that it was made from by changing a setting or two."""

    variant: str
    baseline: str
    difference: Difference

    @property
    def gain(self) -> float:
        """Return how much higher the variant's mean test accuracy is; a fraction of 1, negative for a loss."""
        return self.difference.mean if self.difference.ahead == self.variant else -self.difference.mean


@dataclass(frozen=True)
class Cost:
    """The fastest and the slowest variant by seconds an epoch, the smallest and the largest by parameters."""

    fast: str
    slow: str
    fast_seconds: float
    slow_seconds: float
    time_ratio: float
    small: str
    large: str
    size_ratio: float
    difference: Difference
    """Which of `fast` and `slow` needs less time, on the scale of log10."""

    @property
    def shown(self) -> bool:
        """Whether the runs show that `fast` is the faster one."""
        return self.difference.ahead == self.fast and self.difference.verdict == "clear"


@dataclass(frozen=True)
class Lead:
    """The best value of a sweep against the next best, by the accuracy that chose it."""

    setting: str
    base: str
    part: str
    """validation, or test where there is no validation part."""
    values: dict[str, float]
    """By variant the value of both."""
    difference: Difference


def tunings(comparing: Comparing) -> Iterator[Tuning]:
    """Yield each variant that has a baseline beside it."""
    apart = set(comparing.results.apart)
    for variant in comparing.results.variants:
        if variant.baseline and not {variant.name, variant.baseline} & apart:
            found = comparing.difference(variant.name, variant.baseline)
            if found.pairs:
                yield Tuning(variant.name, variant.baseline, found)


def leads(results: Results, tested: Comparing) -> Iterator[Lead]:
    """Compare the best value of each sweep with the next best, by the accuracy that chose it."""
    of_part = {
        "test": tested,
        "validation": Comparing(
            results, scores_of(results.runs, "validation_accuracy"), "validation_accuracy", among=tested.among
        ),
    }
    for sweep in sweeps(results).values():
        for best in sweep.best:
            part = "test" if best.validation is None else "validation"
            rows = sweep.averages[sweep.averages["base"] == best.base]
            column = "mean" if part == "test" else "validation"
            if len(rows) < 2:
                continue
            first, second = rows.sort_values(column, ascending=False, kind="stable").iloc[:2].to_dict("records")
            values = {str(row["variant"]): float(row["value"]) for row in (first, second)}
            one, other = values
            found = of_part[part].difference(one, other, "leader")
            if found.pairs:
                yield Lead(sweep.setting, best.base, part, values, found)


def all_of(
    differences: Iterable[Difference], tunings: Iterable[Tuning], leads: Iterable[Lead], cost: Cost | None
) -> list[Difference]:
    """Return all comparisons that a report makes by itself."""
    of_changes = [tuning.difference for tuning in tunings]
    of_sweeps = [lead.difference for lead in leads]
    return [*differences, *of_changes, *of_sweeps, *([cost.difference] if cost else [])]


def cost(table: pd.DataFrame, results: Results) -> Cost:
    """Name the extremes; `table` is a comparison of the finished variants, by variant."""
    seconds, parameters = table["seconds_per_epoch"], table["parameters"]
    fast, slow = str(seconds.idxmin()), str(seconds[::-1].idxmax())  # two of them, even where all are equal
    small, large = str(parameters.idxmin()), str(parameters.idxmax())
    runs = results.runs.assign(score=-np.log10(results.runs["seconds_per_epoch"].astype(float)))
    comparing = Comparing(results, scores_of(runs, "score"), "seconds_per_epoch", among=list(seconds.index))
    return Cost(
        fast, slow, float(seconds[fast]), float(seconds[slow]), float(seconds[slow] / seconds[fast]),
        small, large, float(parameters[large] / parameters[small]),
        comparing.difference(fast, slow, "extremes"),
    )  # fmt: skip


def with_intervals(table: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    """Add the limits test_accuracy_low and test_accuracy_high of the mean over seeds and test examples."""
    limits: list[tuple[float, float]] = []
    for variant in table["variant"]:
        low, high = interval_of(scores[variant].sample) if variant in scores else (np.nan, np.nan)
        limits.append((float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))))
    place = list(table.columns).index("test_accuracy_std") + 1
    table = table.copy()
    for offset, name in enumerate(("test_accuracy_low", "test_accuracy_high")):
        table.insert(place + offset, name, [limit[offset] for limit in limits])
    return table
