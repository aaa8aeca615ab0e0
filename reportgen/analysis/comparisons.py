"""The judge: what the runs show of a comparison, and how firmly. No sentence claims an order that it did not give.

An order is clear when all of these hold:

- each model has three finished seeds or more;
- p of Student's t over seeds and test examples, corrected for all that the report compares, is at most ALPHA;
- the exact rank test over the seeds, which assumes nothing of how they are spread, and for which a run that
  diverged is worse than any other, gives at most AGREEMENT: no order is clear that hangs on a single odd run.

Anything else is inconclusive. docs/statistics.md explains it, with the errors that simulations found.
"""

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from reportgen.analysis import statistics
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import AGREEMENT, ALPHA, Array, Estimate, Sample
from reportgen.lab.record import Record
from reportgen.lab.settings import PATHS
from reportgen.suite.expansion import Variant

FEWEST = 3
"""Seeds with which something can be shown: two that agree by chance would have no spread."""

_EQUIVALENCE_LEVEL = 1 - 2 * ALPHA
"""Two one-sided tests at ALPHA are an interval of this level within the margin (Schuirmann 1987)."""

_ROUNDING = 1e-12

Chosen = Literal["", "leader", "extremes"]
"""How the two models of a comparison were picked: named beforehand, or after looking at the numbers."""

Examples = Mapping[tuple[str, int], tuple[bytes, Array]]
"""By variant and seed what tells the test set, and a number for each test example, (examples,)."""


@dataclass(frozen=True)
class Score:
    """A score of a variant's runs, of which more is better."""

    by_seed: dict[int, float]
    """Of the finished runs."""
    sample: Sample
    diverged: int = 0
    """Runs that diverged: they have no score, and are worse than any that has."""

    @property
    def ranked(self) -> Array:
        """The scores for a test of ranks, (runs,): −∞ for a run that diverged."""
        return np.append(self.sample.values, np.full(self.diverged, -np.inf))


Scores = Mapping[str, Score]
"""By variant, of those with a finished run."""


def scores_of(
    runs: pd.DataFrame,
    score: str = "test_accuracy",
    examples: Examples | None = None,
    resolution: float = 0.0,
    *,
    pool: bool = True,
) -> dict[str, Score]:
    """Return a score of the finished runs.

    Args:
        runs: variant, seed, status and the score, a row a run.
        score: the column.
        examples: the score for each test example; nothing where examples are not kept.
        resolution: step of the score's scale.
        pool: whether the models' spreads between seeds are about alike, so that each is drawn towards their mean.
    """
    known = runs[(runs["status"] == "finished") & runs[score].notna()]
    diverged = runs.loc[runs["status"] == "diverged", "variant"].value_counts()
    found: dict[str, Score] = {}
    for variant, rows in known.groupby("variant", sort=False):
        by_seed = dict(zip(rows["seed"].astype(int), rows[score].astype(float), strict=True))
        sample = _sample(str(variant), by_seed, examples or {}, resolution)
        found[str(variant)] = Score(by_seed, sample, int(diverged.get(variant, 0)))
    samples = [item.sample for item in found.values()]
    pooled = statistics.together(samples) if pool else samples
    return {name: replace(item, sample=own) for (name, item), own in zip(found.items(), pooled, strict=True)}


def _sample(variant: str, by_seed: Mapping[int, float], examples: Examples, resolution: float) -> Sample:
    values = np.array(list(by_seed.values()), float)
    own = [examples[variant, seed] for seed in by_seed if (variant, seed) in examples]
    if len(own) < len(values) or len({test for test, _ in own}) != 1:  # an imported run has none
        return statistics.sample(values, resolution=resolution)
    return statistics.sample(values, np.stack([each for _, each in own]), resolution, own[0][0])


def best_of(scores: Scores, variants: Collection[str] | None = None) -> str | None:
    """Return the variant with the highest mean score; None without any.

    A run that diverged counts with the lowest score that any run has, so that a model of which most diverged does
    not lead by the few that did not.
    """
    known = {name: item for name, item in scores.items() if variants is None or name in variants}
    lowest = min((float(item.sample.values.min()) for item in known.values()), default=0.0)

    def mean(name: str) -> float:
        values = known[name].ranked
        return float(np.where(np.isinf(values), lowest, values).mean())

    return max(known, key=mean, default=None)


@dataclass(frozen=True)
class Evidence:
    """What the runs say of a difference: is it above 0, or below; within a margin, or beyond it?"""

    mean: float
    """Difference of the means over the seeds; NaN without a seed that has all values."""
    deviation: float
    """Standard deviation of the difference of two single runs; NaN with fewer than two seeds."""
    low: float
    high: float
    """Interval over seeds and test examples, or over seeds alone where examples are not kept."""
    seed_low: float
    seed_high: float
    """t interval over the seeds, on the test set as it is; NaN with fewer than two seeds."""
    example_low: float
    example_high: float
    """t interval over test examples, with these trained networks; NaN where examples are not kept."""
    p: float
    """Of Student's t, before any correction."""
    adjusted: float
    """p after correction for everything that the report compares; p itself until `corrected` has seen it."""
    exact: float
    """p of the exact test over seeds: of ranks for two models, of signs else."""
    smallest: float
    """The smallest p that the exact test could have given with so many seeds."""
    pairs: int
    """Seeds with which all runs finished."""
    wins: int
    """Of those, seeds in which the number was on the side that its mean is on."""
    fewest: int
    """Finished seeds of the model that has fewest."""
    t: float = math.nan
    """Standard errors that the mean is from 0."""
    freedom: float = math.nan
    """Degrees of freedom of the standard error."""
    level: float = statistics.LEVEL

    @property
    def shown(self) -> bool:
        """Whether the runs decide, whichever way."""
        agrees = self.exact <= max(AGREEMENT, self.smallest) + _ROUNDING
        return self.fewest >= FEWEST and self.adjusted <= ALPHA and agrees

    @property
    def sources(self) -> Literal["both", "seeds", "examples", "none"]:
        """The sources of chance that were tested."""
        if math.isnan(self.example_low):
            return "seeds" if self.fewest > 1 else "none"
        return "both" if self.fewest > 1 else "examples"


_NAN = math.nan
NOTHING = Evidence(
    _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, 1.0, pairs=0, wins=0, fewest=0
)
"""The evidence of runs that share no finished seed."""


@dataclass(frozen=True)
class Weighed:
    """The parts that a number is the sum of, one a model, ready for the tests."""

    samples: Sequence[Sample]
    """Of each model, with its sign."""
    by_seed: Array
    """(pairs,): the whole number with each seed that all runs finished."""
    offset: float = 0.0
    """What is taken off the sum; chance has no part in it."""
    worse: Sequence[int] = ()
    """For each sample the runs that diverged; −∞ times the sign in a test of ranks."""
    signs: Sequence[int] = ()
    """For each sample 1 or −1: whether more of it is better or worse; by itself of a difference of scores."""

    @property
    def fewest(self) -> int:
        """Seeds of the model that has fewest."""
        return min((len(item.values) for item in self.samples), default=0)

    def estimate(self, **sources: bool) -> Estimate:
        """Return the mean with its standard error."""
        return statistics.estimate(self.samples, self.offset, **sources)

    def exact(self, shift: float = 0.0, alternative: str = "two-sided") -> float:
        """Return p of the exact test of the number, plus `shift`, being 0."""
        if len(self.samples) != 2:
            return statistics.sign_flips(self.by_seed + shift, alternative)
        worse = self.worse or (0, 0)
        one, other = (
            np.append(item.values, np.full(count if sign else 0, -np.inf if sign > 0 else np.inf))
            for item, count, sign in zip(self.samples, worse, self.signs or (1, -1), strict=True)
        )
        return statistics.rank_sum(np.round(one + shift - self.offset, 12), np.round(-other, 12), alternative)

    @property
    def smallest(self) -> float:
        """The smallest p that the exact test can give."""
        if len(self.samples) != 2:
            return statistics.smallest_p(len(self.by_seed))
        return statistics.smallest_p(*(len(item.values) for item in self.samples))


def weigh(weighed: Weighed, models: int = 2, chosen: Chosen = "") -> Evidence:
    """Weigh a difference against 0.

    Args:
        weighed: the difference.
        models: among how many models the two were picked.
        chosen: how they were picked; the interval is the wider for it.
    """
    if not len(weighed.by_seed):
        return NOTHING
    estimate = weighed.estimate()
    found = _evidence(weighed, statistics.LEVEL)
    if chosen and models > 2 and found.sources != "none":
        low, high = estimate.within(
            statistics.critical(float(f"{estimate.freedom:.3g}"), models, of_leader=chosen == "leader")
        )
        found = replace(found, low=low, high=high)
    p = estimate.two_sided() if found.sources != "none" else math.nan
    # on the side of the mean, since runs that diverged may turn the ranks the other way; a mean of 0 has no side
    side = "less" if estimate.mean < 0 else "greater"
    exact = 1.0 if abs(estimate.mean) < _ROUNDING else min(1.0, 2 * weighed.exact(alternative=side))
    return replace(found, p=p, adjusted=p, exact=exact, t=estimate.t(), freedom=estimate.freedom)


def weigh_equivalence(weighed: Weighed, margin: float) -> Evidence:
    """Weigh whether the mean lies within `margin` of 0, by two one-sided tests; else whether it lies beyond.

    Of a mean within the margin, p is that of lying beyond it; of one beyond, that of lying within.
    """
    if not len(weighed.by_seed):
        return NOTHING
    found = _evidence(weighed, _EQUIVALENCE_LEVEL)
    known = weighed.estimate()
    values = weighed.by_seed
    if abs(found.mean) < margin:
        p = max(known.above(margin), known.below(-margin))
        # a one-sided test, doubled: so that AGREEMENT and `smallest` mean the same as elsewhere
        sides = (weighed.exact(margin, "greater"), weighed.exact(-margin, "less"))
        exact, wins = min(1.0, 2 * max(sides)), int((np.abs(values) < margin).sum())
    else:
        side = math.copysign(margin, found.mean)
        p, exact = known.two_sided(side), weighed.exact(-side)
        wins = int((values > side).sum() if side > 0 else (values < side).sum())
    if found.sources == "none":
        p = math.nan
    return replace(found, p=p, adjusted=p, exact=exact, wins=wins)


def _evidence(weighed: Weighed, level: float) -> Evidence:
    repeated = weighed.fewest > 1
    known = any(item.examples is not None for item in weighed.samples)
    both = weighed.estimate()
    nothing = (math.nan, math.nan)
    deviation = math.sqrt(sum(item.seed_variance for item in weighed.samples)) if repeated else math.nan
    return Evidence(
        both.mean,
        deviation,
        *(both.interval(level) if repeated or known else nothing),
        *(weighed.estimate(examples=False).interval(level) if repeated else nothing),
        *(weighed.estimate(seeds=False).interval(level) if known else nothing),
        p=math.nan,
        adjusted=math.nan,
        exact=math.nan,
        smallest=weighed.smallest,
        pairs=len(weighed.by_seed),
        wins=int((np.sign(weighed.by_seed) == np.sign(both.mean)).sum()) if both.mean else 0,
        fewest=weighed.fewest,
        level=level,
    )


def interval_of(sample: Sample) -> tuple[float, float]:
    """Return the limits of a model's mean; NaN for one seed without examples."""
    if sample.examples is None and len(sample.values) < 2:
        return math.nan, math.nan
    return statistics.estimate([sample]).interval()


@dataclass(frozen=True)
class Difference:
    """How much better one variant's score is than another's.

    The score of a classifier is its test accuracy; the other tasks say what theirs is.
    """

    ahead: str
    behind: str
    mean: float
    """Difference of the means over the finished seeds, of accuracies a fraction of 1; never negative."""
    spread: float
    """Standard deviation between seeds, pooled over the two variants; NaN with fewer than two seeds."""
    wins: int
    """Seeds in which `ahead` was strictly better."""
    pairs: int
    """Seeds that both finished."""
    effect: float
    """The mean in pooled standard deviations, corrected for few seeds: Hedges' g; NaN without a spread."""
    evidence: Evidence
    comparable: bool = True
    """Whether both were tested on the same examples."""
    mcnemar: tuple[float, ...] = ()
    """For each seed p of McNemar's test on the test examples; empty where examples are not kept."""
    measure: str = "test_accuracy"
    """What the score is: comparisons of one measure are corrected together."""
    models: int = 2
    """Among how many models the two were picked."""
    chosen: Chosen = ""
    diverged: tuple[int, int] = (0, 0)
    """Runs of `ahead` and of `behind` that diverged; they count as worse than any other in the rank test."""

    @property
    def verdict(self) -> str:
        """Say what the runs decide: other_data, tie, single_seed, clear, or open."""
        if not self.comparable:
            return "other_data"
        if abs(self.mean) < _ROUNDING:
            return "tie"
        if self.evidence.fewest < 2:
            return "single_seed"
        return "clear" if self.evidence.shown else "open"


def compare(
    one: str,
    other: str,
    runs: pd.DataFrame,
    score: str = "test_accuracy",
    examples: Examples | None = None,
    resolution: float = 0.0,
) -> Difference:
    """Compare two variants by a column of `runs`: see `scores_of` and `compare_scores`."""
    return compare_scores(one, other, scores_of(runs, score, examples, resolution), score)


def compare_scores(
    one: str,
    other: str,
    scores: Scores,
    measure: str = "test_accuracy",
    models: int = 2,
    chosen: Chosen = "",
) -> Difference:
    """Compare two variants over all that each finished; the one with the higher mean score is `ahead`.

    Args:
        one: a variant.
        other: another one.
        scores: of all variants; more is better.
        measure: what the score is.
        models: among how many models the two were picked.
        chosen: how they were picked.

    The pooled spread is sqrt((s1² + s2²) / 2) with s the sample standard deviations over the seeds.
    """
    nothing = Difference(one, other, math.nan, math.nan, 0, 0, math.nan, NOTHING, measure=measure)
    if one not in scores or other not in scores:
        return nothing
    if scores[one].sample.mean < scores[other].sample.mean:
        one, other = other, one
    a, b = scores[one], scores[other]
    shared = [seed for seed in a.by_seed if seed in b.by_seed]
    if not shared:
        return nothing
    gaps = np.array([a.by_seed[seed] - b.by_seed[seed] for seed in shared])
    weighed = Weighed([a.sample, b.sample.scaled(-1)], gaps, worse=(a.diverged, b.diverged))
    evidence = weigh(weighed, models, chosen)
    values = (a.sample.values, b.sample.values)
    repeated = min(map(len, values)) > 1
    spread = math.sqrt(sum(float(own.var(ddof=1)) for own in values) / 2) if repeated else math.nan
    return Difference(
        one, other, max(0.0, evidence.mean), spread, int((gaps > 0).sum()), len(shared),
        statistics.hedges_g(*values), evidence, measure=measure, models=models, chosen=chosen,
        diverged=(a.diverged, b.diverged),
    )  # fmt: skip


@dataclass(frozen=True)
class Reach:
    """How much a report compares, and what so many seeds can show of it without assuming a normal distribution."""

    seeds: int
    """Most seeds that both sides of a comparison have."""
    smallest: float
    """The smallest p value that the rank test can give."""
    needed: int
    """Seeds with which it could reach ALPHA in a single comparison."""
    needed_for_all: int
    """The same after correction for all of them."""
    comparisons: int
    """Pairs of models, by each measure, and claims: whatever the report could have called clear or supported."""

    @property
    def unseen(self) -> float:
        """The share of runs that may fail in a way that none of so many runs of a model showed, at 95%."""
        return statistics.unseen(self.seeds)


@dataclass(frozen=True)
class Family:
    """Everything that a report compares, corrected together."""

    differences: list[Difference]
    claims: list[Evidence]
    reach: Reach | None
    """None where nothing has two seeds."""


def corrected(
    differences: Iterable[Difference], claims: Sequence[Evidence] = (), late: Sequence[bool] = ()
) -> Family:
    """Correct what a report compares, so that a false sentence or claim is in at most ALPHA of reports.

    Within a measure the models were looked at before they were compared: all pairs of them count, by the
    studentized range. Pairs that were named beforehand, and claims that were stated before any of their runs, are
    corrected by Holm's method among themselves, and over measures and claims, too. A claim that was stated after
    its runs were known pays for all comparisons of the report (Bonferroni).

    Args:
        differences: what the report compares by itself; the same comparison twice counts once, and those of
            different test sets, and those without two seeds, count for nothing.
        claims: the evidence for the claims of the suite.
        late: for each claim, whether it was stated after a run of its was known.
    """
    every = list(differences)
    by_measure: dict[str, dict[Any, Difference]] = {}
    for item in every:
        if item.comparable and item.evidence.fewest > 1:
            by_measure.setdefault(item.measure, {}).setdefault(_key(item), item)
    families = [_within(list(own.values())) for own in by_measure.values()]
    early = [i for i, item in enumerate(claims) if item.pairs and not (late and late[i])]
    if early:
        families.append(statistics.holm([claims[i].p for i in early]))
    adjusted = statistics.holm_of_families(families)
    of_pair = {
        (measure, key): p
        for (measure, own), ps in zip(by_measure.items(), adjusted, strict=False)
        for key, p in zip(own, ps, strict=True)
    }
    reach = _reach(by_measure.values(), claims)
    judged = dict(zip(early, adjusted[len(by_measure)] if early else (), strict=True))
    count = reach.comparisons if reach else 1
    bonferroni = [float(np.minimum(1.0, count * item.p)) for item in claims]  # NaN stays NaN, as min() has it not
    return Family(
        [
            replace(item, evidence=replace(item.evidence, adjusted=of_pair[item.measure, _key(item)]))
            if (item.measure, _key(item)) in of_pair
            else item
            for item in every
        ],
        [replace(item, adjusted=judged.get(i, bonferroni[i])) for i, item in enumerate(claims)],
        reach,
    )


def _key(difference: Difference) -> Any:
    return frozenset((difference.ahead, difference.behind))


def _within(differences: Sequence[Difference]) -> list[float]:
    """Return the p values of the comparisons of one measure, corrected within it."""
    if all(item.models <= 2 for item in differences):
        return statistics.holm([item.evidence.p for item in differences])
    models = max(item.models for item in differences)
    return [statistics.range_p(item.evidence.t, item.evidence.freedom, models) for item in differences]


def _reach(measures: Iterable[Mapping[Any, Difference]], claims: Sequence[Evidence]) -> Reach | None:
    tested = [item for item in claims if item.fewest > 1 and not math.isnan(item.p)]
    comparisons, seeds = len(tested), [item.fewest for item in tested]
    for own in measures:
        models = max(item.models for item in own.values())
        comparisons += math.comb(models, 2) if models > 2 else len(own)
        seeds += [item.evidence.fewest for item in own.values()]
    if not seeds:
        return None
    most = max(seeds)
    return Reach(
        most,
        statistics.smallest_p(most, most),
        statistics.seeds_needed(),
        statistics.seeds_needed(comparisons),
        comparisons,
    )


def flat(difference: Difference) -> dict[str, Any]:
    """Return a difference as plain values by name, for tables and other programs."""
    own = {k: v for k, v in vars(difference).items() if k not in ("evidence", "mcnemar", "diverged")}
    own["diverged_ahead"], own["diverged_behind"] = difference.diverged
    return own | {
        k: v for k, v in vars(difference.evidence).items() if k not in ("mean", "wins", "pairs", "level")
    }


def examples_of(results: Runs, score: str) -> dict[tuple[str, int], tuple[bytes, Array]]:
    """Return by variant and seed what tells the test set of a finished run, and its score on each test example.

    `score` is test_accuracy or test_loss, of which every test example has one; (examples,).
    """
    return {
        (variant.name, seed): (_test_set(variant, record), _of_examples(record, score))
        for variant in results.variants
        for seed, record in _finished(variant.name, results).items()
        if record.predictions
    }


def _finished(variant: str, results: Runs) -> dict[int, Record]:
    """Return the records of the variant's finished runs, by seed."""
    return {results.records[run].seed: results.records[run] for run in results.runs_of(variant)}


def _of_examples(record: Record, score: str) -> Array:
    outcome = record.predictions
    if score == "test_loss":
        return np.asarray(outcome["loss"], float)
    return np.asarray(outcome["predicted"] == outcome["target"], float)


def _test_set(variant: Variant, record: Record) -> bytes:
    """Return what tells one test set from another: the settings that make it, its examples and their classes.

    Files count by name: where a lab lies must not change what is drawn.
    """
    told = variant.settings.as_printed()["data"]
    settings = tested_on(variant)
    settings |= {name: told.get(name) for name in (*PATHS, "load", "files") if name in settings}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for name in ("target", "example"):
        digest.update(np.asarray(record.predictions.get(name, ()), np.int64).tobytes())
    return digest.digest()


def tested_on(variant: Variant) -> dict[str, Any]:
    """Return the settings that decide which examples are in the test part; how texts are encoded does not."""
    return variant.settings.data.model_dump(exclude={"tokens", "vocabulary_size", "max_length"})


@dataclass(frozen=True)
class Comparing:
    """Compares variants by one score."""

    results: Runs
    scores: Scores
    """More is better."""
    measure: str
    """What the score is; its comparisons are corrected together."""
    examined: bool = False
    """Whether the score is the test accuracy, so that McNemar's test of the test examples can be made."""
    among: Collection[str] | None = None
    """The variants that are compared at all; None for all that have a score."""

    def against(self, leader: str | None, variants: Iterable[str]) -> list[Difference]:
        """Compare the leader with each other variant that it shares a finished seed with, nearest first."""
        if leader is None:
            return []
        compared = (self.difference(leader, other, "leader") for other in variants if other != leader)
        return sorted((d for d in compared if d.pairs), key=lambda difference: difference.mean)

    def difference(self, one: str, other: str, chosen: Chosen = "") -> Difference:
        """Compare two variants, and note whether they were tested on the same examples."""
        found = compare_scores(one, other, self.scores, self.measure, self.models(one), chosen)
        if self._tests[one] != self._tests[other]:
            return replace(found, comparable=False)
        return replace(found, mcnemar=_mcnemar(found, self.results)) if self.examined else found

    def models(self, variant: str) -> int:
        """Return how many variants were tested on the same examples as this one, itself among them."""
        among = self.scores if self.among is None else [name for name in self.among if name in self.scores]
        return max(2, sum(self._tests[name] == self._tests[variant] for name in among))

    @cached_property
    def _tests(self) -> dict[str, str]:
        return {variant.name: repr(tested_on(variant)) for variant in self.results.variants}


def _mcnemar(found: Difference, results: Runs) -> tuple[float, ...]:
    """Return for each seed that both finished p of McNemar's test; nothing if one was imported."""
    by_variant = [_finished(variant, results) for variant in (found.ahead, found.behind)]
    if not all(record.predictions for own in by_variant for record in own.values()):
        return ()
    seeds = [seed for seed in by_variant[0] if seed in by_variant[1]]
    right = [[_of_examples(own[seed], "test_accuracy") > 0 for seed in seeds] for own in by_variant]
    return tuple(statistics.mcnemar(one, other) for one, other in zip(*right, strict=True))


def alike(results: Runs) -> bool:
    """Tell whether all runs saw the same data on the same machine, so that their times can be compared."""
    records = [record for record in results.records.values() if record.data]
    return len({repr((record.data, record.environment)) for record in records}) == 1
