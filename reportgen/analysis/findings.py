"""The stage *analyse*: what the tables show, and how firmly. Nothing here is worded; the catalogues do that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.analysis import tables
from reportgen.analysis.leading import detailed_of, leader_of
from reportgen.analysis.results import Results, Runs
from reportgen.suite.expansion import Variant
from reportgen.suite.schema import Reference

CLEAR_SPREADS = 2.0
"""A lead is called clear when it holds in every seed and is at least this many spreads of the seeds wide."""

OVERFITTING_RISE = 0.02
"""Over-fitting is reported when the held-out loss ends at least this fraction above its lowest value."""


@dataclass(frozen=True)
class Difference:
    """How much better one variant's score is than another's, run by run with the same seed.

    The score of a classifier is its test accuracy; the other tasks say what theirs is.
    """

    ahead: str
    behind: str
    mean: float
    """Mean of the paired differences, of accuracies a fraction of 1; never negative."""
    spread: float
    """Standard deviation between seeds, pooled over the two variants; NaN with fewer than two seeds."""
    wins: int
    """Seeds in which `ahead` was strictly better."""
    pairs: int
    clear: bool
    comparable: bool = True
    """Whether both were tested on the same examples."""

    @property
    def verdict(self) -> str:
        """Say what the runs decide: other_data, tie, single_seed, clear, or open."""
        if not self.comparable:
            return "other_data"
        if self.mean == 0:
            return "tie"
        if self.pairs < 2:
            return "single_seed"
        return "clear" if self.clear else "open"


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
class Published:
    """A figure from a publication beside the one that was measured here."""

    variant: str
    metric: str
    """test_accuracy or test_loss."""
    here: float
    there: float
    reference: Reference


@dataclass(frozen=True)
class Overfitting:
    """Where the held-out loss of a variant, averaged over its finished seeds, is lowest, and what follows."""

    variant: str
    lowest_epoch: int
    lowest_loss: float
    last_epoch: int
    last_loss: float
    present: bool


@dataclass(frozen=True)
class Confusion:
    """A pair of classes that a variant mixes up: `share` of the examples of `true` were called `predicted`."""

    variant: str
    true: str
    predicted: str
    share: float
    count: int
    support: int


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


@dataclass(frozen=True)
class Findings:
    """Everything that the report's tables, figures and sentences are made from."""

    comparison: pd.DataFrame
    curves: pd.DataFrame
    differences: list[Difference]
    """The best variant against each other one that it shares a finished seed with, nearest first."""
    tunings: list[Tuning]
    """Each variant that has a baseline, with which it shares a finished seed, in the suite's order."""
    published: list[Published]
    """Each figure that the suite quotes for a variant that finished, in the suite's order."""
    overfitting: list[Overfitting]
    confusions: dict[str, list[Confusion]]
    """By variant, the most frequent confusions first."""
    per_class: dict[str, pd.DataFrame]
    cost: Cost | None
    """None with fewer than two variants, or where machines or data differ and times cannot be compared."""
    leader: str | None
    """The variant with the highest mean test accuracy of those tested on the suite's data; None if none was."""
    baselines: dict[str, float]
    """By variant that finished, the test accuracy of always naming the most frequent class."""
    detailed: str | None = None
    """The leader, or, where that was imported and has no predictions, the best variant that has some."""


def analyse(results: Results) -> Findings:
    """Work out what the results show."""
    table = tables.comparison(results.runs, results.apart)
    finished = table[table["finished"] > 0]
    apart = results.apart
    leader = leader_of(finished, apart)
    data = {name: results.records[results.runs_of(name)[0]].data for name in results.confusion}
    classes = {name: list(facts["classes"]) for name, facts in data.items()}
    averages = tables.curves(_of_finished(results))
    timed = finished[~finished["variant"].isin(list(results.imported))]
    return Findings(
        comparison=table,
        curves=tables.curves(results.epochs),
        differences=against(leader, [v for v in finished["variant"] if v not in apart], results, results.runs),
        tunings=list(_tunings(results)),
        published=list(_published(results, finished.set_index("variant"))),
        overfitting=[found for v in finished["variant"] if (found := _overfitting(str(v), averages))],
        confusions={
            name: most_confused(name, matrix, classes[name]) for name, matrix in results.confusion.items()
        },
        per_class={name: tables.per_class(matrix, classes[name]) for name, matrix in results.confusion.items()},
        cost=_cost(timed.set_index("variant")) if len(timed) > 1 and alike(results) else None,
        leader=leader,
        detailed=detailed_of(leader, finished, results.confusion),
        baselines={name: float(facts["majority_accuracy"]) for name, facts in data.items()},
    )


def against(
    leader: str | None, variants: Iterable[str], results: Runs, runs: pd.DataFrame, score: str = "test_accuracy"
) -> list[Difference]:
    """Compare the leader with each other one of the variants that it shares a finished seed with, nearest first.

    `runs` are those of `results`, with a column `score`, of which more is better.
    """
    if leader is None:
        return []
    found = [_difference(leader, other, results, runs, score) for other in variants if other != leader]
    return sorted((d for d in found if d.pairs), key=lambda difference: difference.mean)


def _difference(one: str, other: str, results: Runs, runs: pd.DataFrame, score: str) -> Difference:
    tests = [_tested_on(variant) for variant in results.variants if variant.name in (one, other)]
    return replace(compare(one, other, runs, score), comparable=tests[0] == tests[-1])


def _tunings(results: Results) -> Iterator[Tuning]:
    for variant in results.variants:
        if variant.baseline and not {variant.name, variant.baseline} & set(results.apart):
            difference = _difference(variant.name, variant.baseline, results, results.runs, "test_accuracy")
            if difference.pairs:
                yield Tuning(variant.name, variant.baseline, difference)


def _published(results: Results, table: pd.DataFrame) -> Iterator[Published]:
    for variant in results.variants:
        if variant.reference and variant.name in table.index:
            for metric in ("test_loss", "test_accuracy"):
                there = getattr(variant.reference, metric)
                here = float(table[metric][variant.name])
                if there is not None and not np.isnan(here):
                    yield Published(variant.name, metric, here, there, variant.reference)


def _tested_on(variant: Variant) -> dict[str, Any]:
    """Return the settings that decide which examples are in the test part; how texts are encoded does not."""
    return variant.settings.data.model_dump(exclude={"tokens", "vocabulary_size", "max_length"})


def alike(results: Runs) -> bool:
    """Tell whether all runs saw the same data on the same machine, so that their times can be compared."""
    records = [record for record in results.records.values() if record.data]
    return len({repr((record.data, record.environment)) for record in records}) == 1


def compare(one: str, other: str, runs: pd.DataFrame, score: str = "test_accuracy") -> Difference:
    """Compare two variants over the seeds that both finished; the one with the higher mean score is `ahead`.

    The pooled spread is sqrt((s1² + s2²) / 2) with s the sample standard deviations over those seeds.
    """
    finished = runs[runs["status"] == "finished"]
    scores = finished.pivot_table(index="seed", columns="variant", values=score)
    pair = scores.reindex(columns=[one, other]).dropna()
    gaps = pair[one] - pair[other]
    if gaps.mean() < 0:
        one, other, gaps = other, one, -gaps
    spread = float(np.sqrt((pair.std() ** 2).mean())) if len(pair) > 1 else float("nan")
    wins, mean = int((gaps > 0).sum()), float(gaps.mean())
    clear = len(pair) > 1 and wins == len(pair) and mean >= CLEAR_SPREADS * spread
    return Difference(one, other, mean, spread, wins, len(pair), clear)


def _cost(table: pd.DataFrame) -> Cost:
    seconds, parameters = table["seconds_per_epoch"], table["parameters"]
    fast, slow = str(seconds.idxmin()), str(seconds.idxmax())
    small, large = str(parameters.idxmin()), str(parameters.idxmax())
    return Cost(
        fast, slow, float(seconds[fast]), float(seconds[slow]), float(seconds[slow] / seconds[fast]),
        small, large, float(parameters[large] / parameters[small]),
    )  # fmt: skip


def _of_finished(results: Results) -> pd.DataFrame:
    """Return the epochs of the finished runs: an average that a run leaves on the way rises or falls by that."""
    runs = results.runs
    return results.epochs[results.epochs["run"].isin(runs.loc[runs["status"] == "finished", "run"])]


def _overfitting(variant: str, averages: pd.DataFrame) -> Overfitting | None:
    """Return None for an imported run of which the log has no held-out loss."""
    losses = _curve(averages, variant, "heldout_loss").dropna()
    if losses.empty:
        return None
    lowest = int(losses.index[int(losses.argmin())])
    last = int(losses.index[-1])
    training = _curve(averages, variant, "train_loss")
    rose = losses[last] >= (1 + OVERFITTING_RISE) * losses[lowest]
    fell = bool(training.get(last, np.nan) < training.get(lowest, np.nan))
    return Overfitting(
        variant, lowest, float(losses[lowest]), last, float(losses[last]),
        present=bool(rose) and fell,
    )  # fmt: skip


def _curve(averages: pd.DataFrame, variant: str, metric: str) -> "pd.Series[float]":
    rows = averages[(averages["variant"] == variant) & (averages["metric"] == metric)]
    return rows.set_index("epoch")["mean"].sort_index()


def most_confused(variant: str, matrix: NDArray[np.int64], classes: list[str]) -> list[Confusion]:
    """List the confusions of a matrix (true class by predicted class), largest share of the true class first."""
    shares = tables.row_normalised(matrix)
    found = [
        Confusion(variant, classes[i], classes[j], float(shares[i, j]), int(matrix[i, j]), int(matrix[i].sum()))
        for i, j in _ordered_pairs(len(classes))
        if matrix[i, j]
    ]
    return sorted(found, key=lambda pair: (-pair.share, -pair.count))


def _ordered_pairs(classes: int) -> Iterator[tuple[int, int]]:
    for i, j in combinations(range(classes), 2):
        yield i, j
        yield j, i
