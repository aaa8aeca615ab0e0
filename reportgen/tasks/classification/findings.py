"""Two models held against each other class by class."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.analysis import tables
from reportgen.analysis.claims import JudgedClaim, decided, judge
from reportgen.analysis.comparisons import Comparing, Difference, Reach, alike, corrected, examples_of, scores_of
from reportgen.analysis.outliers import Outlier, outliers
from reportgen.analysis.results import Runs
from reportgen.analysis.tables import row_normalised
from reportgen.suite.claims import Claim
from reportgen.suite.schema import Reference
from reportgen.tasks.base import narrow
from reportgen.tasks.classification.rankings import (
    Cost,
    Lead,
    Tuning,
    all_of,
    cost,
    detailed_of,
    leader_of,
    leads,
    representatives,
    tunings,
    with_intervals,
)
from reportgen.tasks.classification.results import Results
from reportgen.tasks.classification.settings import RunSettings


@dataclass(frozen=True)
class MatrixDifference:
    """What separates the confusion matrices of the two best models, each row-normalised."""

    ahead: str
    behind: str
    classes: list[str]
    gaps: NDArray[np.float64]
    """(classes, classes): the share of class i that `ahead` calls j, less the share that `behind` does."""
    smallest: int
    """Test examples of the class that has the fewest, of those that have any."""

    @property
    def recalls(self) -> list[tuple[str, float]]:
        """Each class and how much more of it `ahead` recognises, a fraction of 1; the largest gain first."""
        found = zip(self.classes, np.diag(self.gaps).tolist(), strict=True)
        return sorted(found, key=lambda pair: -pair[1])

    @property
    def gains(self) -> list[tuple[str, float]]:
        """Those of `recalls` that `ahead` recognises more of, the largest gain first."""
        return [pair for pair in self.recalls if pair[1] > 0]

    @property
    def losses(self) -> list[tuple[str, float]]:
        """Those of `recalls` that `ahead` recognises less of, the largest loss first."""
        return [pair for pair in reversed(self.recalls) if pair[1] < 0]


def matrix_difference(results: Results) -> MatrixDifference | None:
    """Return the difference between the two models of the highest mean test accuracy, one a family.

    None unless two models were tested on the same examples. Of a family, the validation part chose the model.
    """
    finished = results.runs[results.runs["status"] == "finished"]
    accuracies = finished.groupby("variant")["test_accuracy"].mean()
    ranked = [variant for variant in representatives(results) if variant in results.confusion]
    ranked = sorted(ranked, key=lambda variant: -accuracies[variant])
    if not ranked:
        return None
    first = results.records[results.runs_of(ranked[0])[0]]
    for other in ranked[1:]:
        second = results.records[results.runs_of(other)[0]]
        if first.data == second.data:
            one, two = (row_normalised(results.confusion[variant]) for variant in (ranked[0], other))
            tested = np.unique(first.predictions["target"], return_counts=True)[1]
            return MatrixDifference(ranked[0], other, list(first.data["classes"]), one - two, int(tested.min()))
    return None


OVERFITTING_RISE = 0.02
"""Over-fitting is reported when the held-out loss ends at least this fraction above its lowest value."""


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
    leads: list[Lead] = field(default_factory=list)
    """For each sweep and base run."""
    claims: list[JudgedClaim] = field(default_factory=list)
    detailed: str | None = None
    """The leader, or, where that was imported and has no predictions, the best variant that has some."""
    reach: Reach | None = None
    """How much the report compares, comparisons without a row in it among them, and what its seeds can show."""
    outliers: list[Outlier] = field(default_factory=list)
    """Runs whose test accuracy lies far from that of the other seeds of their model."""


def analyse(results: Runs, claims: Sequence[Claim] = (), late: Collection[str] = ()) -> Findings:
    """Work out what the results show, and judge the claims; of those in `late` runs were known."""
    results = narrow(results, Results)
    apart = results.apart
    table = tables.comparison(results.runs, apart)
    if len({v.settings.training.loss for v in results.variants if isinstance(v.settings, RunSettings)}) > 1:
        table["best_test_loss"] = False  # numbers of different functions
    finished = table[table["finished"] > 0]
    scores = scores_of(results.runs, examples=examples_of(results, "test_accuracy"))
    leader = leader_of(scores, apart)
    table = tables.marked(table, results.runs, leader, "test_accuracy", "max", apart)
    data = {name: results.records[results.runs_of(name)[0]].data for name in results.confusion}
    classes = {name: list(facts["classes"]) for name, facts in data.items()}
    averages = dict(iter(tables.curves(_of_finished(results)).groupby("variant", sort=False)))
    timed = finished[~finished["variant"].isin(list(results.imported))].set_index("variant")
    compared = [str(variant) for variant in finished["variant"] if variant not in apart]
    comparing = Comparing(results, scores, "test_accuracy", examined=True, among=compared)
    found = Findings(
        comparison=with_intervals(table, scores),
        curves=tables.curves(results.epochs),
        differences=comparing.against(leader, compared),
        tunings=list(tunings(comparing)),
        published=list(_published(results, finished.set_index("variant"))),
        overfitting=[fit for v in finished["variant"] if (fit := _overfitting(str(v), averages.get(v)))],
        confusions={
            name: most_confused(name, matrix, classes[name]) for name, matrix in results.confusion.items()
        },
        per_class={name: tables.per_class(matrix, classes[name]) for name, matrix in results.confusion.items()},
        cost=cost(timed, results) if len(timed) > 1 and alike(results) else None,
        leader=leader,
        detailed=detailed_of(leader, finished, results.confusion),
        baselines={name: float(facts["majority_accuracy"]) for name, facts in data.items()},
        leads=list(leads(results, comparing)),
        claims=judge(claims, results, late),
        outliers=outliers(scores),
    )
    return _corrected(found)


def _corrected(found: Findings) -> Findings:
    """Return the findings with everything that they compare corrected, and with what these could show."""
    every = all_of(found.differences, found.tunings, found.leads, found.cost)
    family = corrected(every, [item.evidence for item in found.claims], [item.late for item in found.claims])
    adjusted = iter(family.differences)
    return replace(
        found,
        reach=family.reach,
        claims=decided(found.claims, family.claims),
        differences=[next(adjusted) for _ in found.differences],
        tunings=[replace(tuning, difference=next(adjusted)) for tuning in found.tunings],
        leads=[replace(lead, difference=next(adjusted)) for lead in found.leads],
        cost=found.cost and replace(found.cost, difference=next(adjusted)),
    )


def _published(results: Results, table: pd.DataFrame) -> Iterator[Published]:
    for variant in results.variants:
        if variant.reference and variant.name in table.index:
            for metric in ("test_loss", "test_accuracy"):
                there = getattr(variant.reference, metric)
                here = float(table[metric][variant.name])
                if there is not None and not np.isnan(here):
                    yield Published(variant.name, metric, here, there, variant.reference)


def _of_finished(results: Results) -> pd.DataFrame:
    """Return the epochs of the finished runs: an average that a run leaves on the way rises or falls by that."""
    runs = results.runs
    return results.epochs[results.epochs["run"].isin(runs.loc[runs["status"] == "finished", "run"])]


def _overfitting(variant: str, averages: pd.DataFrame | None) -> Overfitting | None:
    """Return None for an imported run of which the log has no held-out loss, or no epochs."""
    if averages is None:
        return None
    losses = _curve(averages, "heldout_loss").dropna()
    if losses.empty:
        return None
    lowest = int(losses.index[int(losses.argmin())])
    last = int(losses.index[-1])
    training = _curve(averages, "train_loss")
    rose = losses[last] >= (1 + OVERFITTING_RISE) * losses[lowest]
    fell = bool(training.get(last, np.nan) < training.get(lowest, np.nan))
    return Overfitting(
        variant, lowest, float(losses[lowest]), last, float(losses[last]),
        present=bool(rose) and fell,
    )  # fmt: skip


def _curve(averages: pd.DataFrame, metric: str) -> "pd.Series[float]":
    rows = averages[averages["metric"] == metric]
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
