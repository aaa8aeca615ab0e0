"""The judge: what the runs show of a comparison, and how firmly. No sentence claims an order that it did not give.

An order is shown when both of these hold, for the differences of two runs with the same seed, of three or more:

- the hierarchical bootstrap over seeds and test examples puts it on one side at ALPHA, after Holm's correction;
- the exact test over the seeds, which assumes nothing of how they are spread, does so too, or gives the smallest
  value that it can give with so few seeds: the order then holds in every one of them.

The family of Holm's correction is all comparisons that a report makes by itself, or all claims of its suite.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from reportgen.analysis import statistics
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import ALPHA, Array
from reportgen.lab.record import Record
from reportgen.lab.settings import PATHS
from reportgen.suite.expansion import Variant

FEWEST = 3
"""Seeds with which something can be shown: two that agree by chance would have no spread."""

_EQUIVALENCE_LEVEL = 1 - 2 * ALPHA
"""Two one-sided tests at ALPHA are an interval of this level within the margin (Schuirmann 1987)."""

Redrawn = Mapping[tuple[str, int], Array]
"""By variant and seed a score on each redrawn test set, (redraws,)."""

Scores = pd.DataFrame
"""A score of which more is better, a row a seed and a column a variant; NaN where a run did not finish."""


@dataclass(frozen=True)
class Evidence:
    """What the runs say of a difference: is it above 0, or below; within a margin, or beyond it?"""

    mean: float
    """Mean over the seeds; NaN without a seed that has all values."""
    deviation: float
    """Standard deviation of the paired differences; NaN with fewer than two seeds."""
    low: float
    high: float
    """Interval over seeds and test examples, or over seeds alone where examples are not kept."""
    seed_low: float
    seed_high: float
    """t interval over the seeds, on the test set as it is; NaN with fewer than two seeds."""
    example_low: float
    example_high: float
    """Percentile interval over test examples, with these trained networks; NaN where examples are not kept."""
    p: float
    holm: float
    """p after Holm's correction; p itself until `corrected` has seen it."""
    exact: float
    """p of the exact test over seeds."""
    pairs: int
    """Seeds in which there was something to compare."""
    wins: int
    """Of those, seeds in which the number was on the side that its mean is on."""
    level: float = statistics.LEVEL

    @property
    def smallest(self) -> float:
        """The smallest p that the exact test could have given with so many seeds."""
        return statistics.smallest_p(self.pairs)

    @property
    def shown(self) -> bool:
        """Whether the runs decide, whichever way."""
        enough = self.pairs >= FEWEST
        return enough and self.holm <= ALPHA and self.exact <= max(ALPHA, self.smallest)

    @property
    def sources(self) -> Literal["both", "seeds", "examples", "none"]:
        """The sources of chance that were tested."""
        if math.isnan(self.example_low):
            return "seeds" if self.pairs > 1 else "none"
        return "both" if self.pairs > 1 else "examples"


_NAN = math.nan
NOTHING = Evidence(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, pairs=0, wins=0)
"""The evidence of runs that share no finished seed."""


def weigh(values: Array, redrawn: Array | None = None, resolution: float = 0.0) -> Evidence:
    """Weigh a difference against 0.

    Args:
        values: (seeds,): the difference with each seed.
        redrawn: (redraws, seeds): the same on each redrawn test set; None where examples are not kept.
        resolution: step of the scale that it was measured on.
    """
    if not len(values):
        return NOTHING
    found = _weighed(values, redrawn, resolution, statistics.LEVEL)
    known = statistics.uncertain(values[None] if redrawn is None else redrawn, resolution)
    p = known.two_sided() if found.sources != "none" else math.nan
    return replace(found, p=p, holm=p, exact=statistics.sign_flips(values))


def weigh_equivalence(
    values: Array, margin: float, redrawn: Array | None = None, resolution: float = 0.0
) -> Evidence:
    """Weigh whether the mean lies within `margin` of 0, by two one-sided tests; else whether it lies beyond.

    Takes what `weigh` takes. Of a mean within the margin, p is that of lying beyond it; of one beyond, that of
    lying within.
    """
    if not len(values):
        return NOTHING
    found = _weighed(values, redrawn, resolution, _EQUIVALENCE_LEVEL)
    known = statistics.uncertain(values[None] if redrawn is None else redrawn, resolution)
    if abs(found.mean) < margin:
        p = max(known.above(margin), known.below(-margin))
        flips = ((values + margin, "greater"), (values - margin, "less"))
        # a one-sided test, doubled: so that ALPHA and `smallest` mean the same as elsewhere
        exact = min(1.0, 2 * max(statistics.sign_flips(gaps, side) for gaps, side in flips))
        wins = int((np.abs(values) < margin).sum())
    else:
        beyond = values - math.copysign(margin, found.mean)
        p, exact = known.two_sided(math.copysign(margin, found.mean)), statistics.sign_flips(beyond)
        wins = int((np.abs(values) > margin).sum())
    p = p if found.sources != "none" else math.nan
    return replace(found, p=p, holm=p, exact=exact, wins=wins)


def _weighed(values: Array, redrawn: Array | None, resolution: float, level: float) -> Evidence:
    seeds, mean = len(values), float(values.mean())
    alone = statistics.uncertain(values[None], resolution)
    over_seeds = alone.interval(level) if seeds > 1 else (math.nan, math.nan)
    both, over_examples = over_seeds, (math.nan, math.nan)
    if redrawn is not None:
        low, high = np.quantile(redrawn.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        over_examples = (float(low), float(high))
        both = statistics.uncertain(redrawn, resolution).interval(level)
    return Evidence(
        mean, float(values.std(ddof=1)) if seeds > 1 else math.nan, *both, *over_seeds, *over_examples,
        p=math.nan, holm=math.nan, exact=math.nan, pairs=seeds,
        wins=int((np.sign(values) == np.sign(mean)).sum()) if mean else 0, level=level,
    )  # fmt: skip


def interval_of(values: Array, redrawn: Array | None = None) -> tuple[float, float]:
    """Return the limits of a mean; takes what `weigh` takes. NaN for one seed without examples."""
    if redrawn is None and len(values) < 2:
        return math.nan, math.nan
    return statistics.uncertain(values[None] if redrawn is None else redrawn).interval()


def corrected(family: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence of a family of comparisons with Holm's correction over them."""
    adjusted = statistics.holm([evidence.p for evidence in family])
    return [replace(evidence, holm=p) for evidence, p in zip(family, adjusted, strict=True)]


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
    effect: float
    """The mean in pooled standard deviations, corrected for few seeds: Hedges' g; NaN without a spread."""
    evidence: Evidence
    comparable: bool = True
    """Whether both were tested on the same examples."""
    mcnemar: tuple[float, ...] = ()
    """For each seed p of McNemar's test on the test examples; empty where examples are not kept."""

    @property
    def verdict(self) -> str:
        """Say what the runs decide: other_data, tie, single_seed, clear, or open."""
        if not self.comparable:
            return "other_data"
        if self.mean == 0:
            return "tie"
        if self.pairs < 2:
            return "single_seed"
        return "clear" if self.evidence.shown else "open"


def compare(
    one: str,
    other: str,
    runs: pd.DataFrame,
    score: str = "test_accuracy",
    redrawn: Redrawn | None = None,
    resolution: float = 0.0,
) -> Difference:
    """Compare two variants by a column of `runs`: see `scores_of` and `compare_scores`."""
    return compare_scores(one, other, scores_of(runs, score), redrawn, resolution)


def scores_of(runs: pd.DataFrame, score: str = "test_accuracy") -> Scores:
    """Return a score of the finished runs; `runs` has variant, seed, status and the score, a row a run."""
    return runs[runs["status"] == "finished"].pivot_table(index="seed", columns="variant", values=score)


def compare_scores(
    one: str, other: str, scores: Scores, redrawn: Redrawn | None = None, resolution: float = 0.0
) -> Difference:
    """Compare two variants over the seeds that both finished; the one with the higher mean score is `ahead`.

    Args:
        one: a variant.
        other: another one.
        scores: of all variants; more is better.
        redrawn: the score on redrawn test sets; nothing where examples are not kept.
        resolution: step of the score's scale.

    The pooled spread is sqrt((s1² + s2²) / 2) with s the sample standard deviations over those seeds.
    """
    pair = scores.reindex(columns=[one, other]).dropna()
    if (pair[one] - pair[other]).mean() < 0:
        one, other = other, one
    gaps = (pair[one] - pair[other]).to_numpy(float)
    spread = float(np.sqrt((pair.std() ** 2).mean())) if len(pair) > 1 else math.nan
    effect = statistics.hedges_g(pair[one].to_numpy(float), pair[other].to_numpy(float))
    known = (
        redrawn is not None and len(pair) > 0 and all((v, s) in redrawn for v in (one, other) for s in pair.index)
    )
    draws = np.stack([redrawn[one, s] - redrawn[other, s] for s in pair.index], 1) if redrawn and known else None
    return Difference(
        one, other, float(gaps.mean()) if len(gaps) else math.nan, spread, int((gaps > 0).sum()), len(pair),
        effect, weigh(gaps, draws, resolution),
    )  # fmt: skip


def family(differences: Iterable[Difference]) -> list[Difference]:
    """Return the differences with Holm's correction over all of them; the same comparison twice counts once.

    Those of different test sets, which are not compared, and those without a shared seed count for nothing.
    """
    found = list(differences)
    once = _once(found)
    adjusted = dict(zip(once, corrected(list(once.values())), strict=True))
    return [replace(d, evidence=adjusted.get(_key(d), d.evidence)) for d in found]


def _once(differences: Iterable[Difference]) -> dict[Any, Evidence]:
    return {_key(d): d.evidence for d in differences if d.comparable and d.pairs > 1}


def _key(difference: Difference) -> tuple[Any, ...]:
    return frozenset((difference.ahead, difference.behind)), difference.mean, difference.evidence.p


@dataclass(frozen=True)
class Reach:
    """What so many seeds can show at all, by the exact test."""

    seeds: int
    smallest: float
    """The smallest p value that the exact test can give."""
    needed: int
    """Seeds with which it could reach ALPHA in a single comparison."""
    needed_for_all: int
    """The same after Holm's correction over all of them."""
    comparisons: int


def reach(differences: Iterable[Difference]) -> Reach | None:
    """Say what the comparisons of a family could show; None where none has two seeds."""
    return reach_of(list(_once(differences).values()))


def reach_of(evidence: Sequence[Evidence]) -> Reach | None:
    """Say the same of evidence, each piece of which counts."""
    tested = [item for item in evidence if item.pairs > 1]
    if not tested:
        return None
    seeds = max(item.pairs for item in tested)
    return Reach(
        seeds,
        statistics.smallest_p(seeds),
        statistics.seeds_needed(),
        statistics.seeds_needed(len(tested)),
        len(tested),
    )


def flat(difference: Difference) -> dict[str, Any]:
    """Return a difference as plain values by name, for tables and other programs."""
    own = {k: v for k, v in vars(difference).items() if k not in ("evidence", "mcnemar")}
    return own | {
        k: v for k, v in vars(difference.evidence).items() if k not in ("mean", "wins", "pairs", "level")
    }


def redrawn_scores(results: Runs, score: str) -> dict[tuple[str, int], Array]:
    """Return a score of each finished run on redrawn test sets, (redraws,), by variant and seed.

    `score` is test_accuracy or test_loss, of which every test example has one. Runs that were tested on the same
    examples are tested on the same redrawn ones.
    """
    by_test: dict[bytes, dict[tuple[str, int], Array]] = {}
    for variant in results.variants:
        for seed, record in _finished(variant.name, results).items():
            if record.predictions:
                own = by_test.setdefault(_test_set(variant, record), {})
                own[variant.name, seed] = _of_examples(record, score)
    found: dict[tuple[str, int], Array] = {}
    for test, own in by_test.items():
        means = statistics.redrawn(np.stack(list(own.values())), seed=test)
        found |= dict(zip(own, means.T, strict=True))
    return found


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
    told = variant.settings.told()["data"]
    settings = tested_on(variant)
    settings |= {name: told.get(name) for name in (*PATHS, "load", "files") if name in settings}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for name in ("target", "example"):
        digest.update(np.asarray(record.predictions.get(name, ()), np.int64).tobytes())
    return digest.digest()


def tested_on(variant: Variant) -> dict[str, Any]:
    """Return the settings that decide which examples are in the test part; how texts are encoded does not."""
    return variant.settings.data.model_dump(exclude={"tokens", "vocabulary_size", "max_length"})


def against(
    leader: str | None,
    variants: Iterable[str],
    results: Runs,
    runs: pd.DataFrame,
    score: str = "test_accuracy",
    redrawn: Redrawn | None = None,
    resolution: float = 0.0,
) -> list[Difference]:
    """Compare the leader with each other one of the variants that it shares a finished seed with, nearest first.

    `runs` are those of `results`, with a column `score`, of which more is better; the rest goes to `compare`.
    """
    if leader is None:
        return []
    others = [other for other in variants if other != leader]
    scores = scores_of(runs, score)
    found = [difference(leader, other, results, scores, redrawn, resolution) for other in others]
    return sorted((d for d in found if d.pairs), key=lambda difference: difference.mean)


def difference(
    one: str,
    other: str,
    results: Runs,
    scores: Scores,
    redrawn: Redrawn | None = None,
    resolution: float = 0.0,
) -> Difference:
    """Compare two variants by their scores, and note whether they were tested on the same examples."""
    if tested_on(results.variant(one)) != tested_on(results.variant(other)):
        return replace(compare_scores(one, other, scores), comparable=False)
    found = compare_scores(one, other, scores, redrawn, resolution)
    return replace(found, mcnemar=_mcnemar(found, results)) if redrawn else found


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
