"""Statistics over seeds and over test examples: arrays in, numbers or plain dataclasses out.

The model is that of two crossed random factors: the seeds of each compared model, and the test examples that
they share (docs/statistics.md). All of it is in closed form. scipy is imported where it is used: it takes a part
of a second, which a build with nothing to do saves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ALPHA = 0.05
"""Level of every family of tests, after correction."""

AGREEMENT = 0.10
"""p up to which the test without the normal assumption agrees: what three seeds against three can just reach."""

LEVEL = 0.95
"""Share of the intervals that are to hold the true value."""

PRIOR_FREEDOM = 5.0
"""Degrees of freedom with which the spread between seeds of all models together counts beside a model's own."""

_MOST_EXACT = 15
"""Up to so many seeds every change of signs is tried; beyond that _SIGNS of them."""

_SIGNS = 19_999
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Spread:
    """The variance between seeds, pooled over several models, with its degrees of freedom."""

    variance: float
    freedom: float


@dataclass(frozen=True)
class Sample:
    """What the runs of one model say of a number: with each seed, and for each test example where that is kept."""

    values: Array
    """(seeds,): the number with each seed."""
    examples: Array | None = None
    """(examples,): the number for each test example, mean over the seeds; None where examples are not kept."""
    residual: float = 0.0
    """Mean square of what neither seed nor example explains; the noise of a single answer. 0 for one seed."""
    resolution: float = 0.0
    """Step of the scale that was measured on, such as the steps between two rows of a log."""
    test: bytes = b""
    """What tells its test examples from those of another test set."""
    pooled: Spread | None = None
    """The spread between seeds of all models that were measured; None where a model's own counts alone."""

    @cached_property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(self.values.mean())

    def scaled(self, factor: float) -> "Sample":
        """Return the sample of the number times `factor`."""
        square = factor**2
        return Sample(
            factor * self.values,
            None if self.examples is None else factor * self.examples,
            square * self.residual,
            abs(factor) * self.resolution,
            self.test,
            self.pooled and Spread(square * self.pooled.variance, self.pooled.freedom),
        )

    @cached_property
    def seed_variance(self) -> float:
        """Variance between seeds of the number; 0 for one seed.

        It is no smaller than that of rounding to the resolution, step² / 12 (Sheppard 1898).
        """
        if len(self.values) < 2:
            return 0.0
        variance = float(self.values.var(ddof=1))
        if variance < (_ROUNDING * float(np.abs(self.values).max())) ** 2:
            variance = 0.0  # equal values, but for their last bits
        return max(variance, self.resolution**2 / 12)

    @property
    def answer_variance(self) -> float:
        """The part of the variance between seeds that single answers make; 0 where examples are not kept."""
        return 0.0 if self.examples is None else self.residual / len(self.examples)


def sample(values: Array, examples: Array | None = None, resolution: float = 0.0, test: bytes = b"") -> Sample:
    """Return the sample of a model.

    Args:
        values: (seeds,): the number with each seed.
        examples: (seeds, examples): the same for each test example; None where examples are not kept.
        resolution: step of the scale.
        test: what tells the test examples from others.
    """
    if examples is None:
        return Sample(values, resolution=resolution, test=test)
    seeds, size = examples.shape
    profile = examples.mean(axis=0)
    if min(seeds, size) < 2:
        return Sample(values, profile, 0.0, resolution, test)
    # sum of squares within the examples, less that between the seeds: the residual of a two-way table
    within = float(np.square(examples).sum() - seeds * np.square(profile).sum())
    between = size * (seeds - 1) * float(examples.mean(axis=1).var(ddof=1))
    residual = max(0.0, within - between) / ((seeds - 1) * (size - 1))
    return Sample(values, profile, residual, resolution, test)


def together(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of several models, each knowing the spread between seeds of all of them."""
    repeated = [item for item in samples if len(item.values) > 1]
    if len(repeated) < 2:
        return list(samples)
    freedom = sum(len(item.values) - 1 for item in repeated)
    variance = sum((len(item.values) - 1) * item.seed_variance for item in repeated) / freedom
    return [replace(item, pooled=Spread(variance, freedom)) for item in samples]


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error, and the degrees of freedom of that error."""

    mean: float
    error: float
    freedom: float

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the limits by Student's t."""
        from scipy.special import stdtrit

        return self.within(float(stdtrit(self.freedom, (1 + level) / 2)))

    def within(self, critical: float) -> tuple[float, float]:
        """Return the limits that lie `critical` standard errors on either side."""
        return self.mean - critical * self.error, self.mean + critical * self.error

    def t(self, value: float = 0.0) -> float:
        """Return how many standard errors the mean is above `value`; infinite where there is no error."""
        gap = self.mean - value
        return gap / self.error if self.error > 0 else math.copysign(math.inf, gap) if gap else 0.0

    def two_sided(self, value: float = 0.0) -> float:
        """Return the p value of the true mean being `value`, by Student's t."""
        return min(1.0, 2 * self.beyond(abs(self.t(value))))

    def above(self, value: float) -> float:
        """Return the one-sided p value against the true mean being `value` or more."""
        return self.beyond(-self.t(value))

    def below(self, value: float) -> float:
        """Return the one-sided p value against the true mean being `value` or less."""
        return self.beyond(self.t(value))

    def beyond(self, t: float) -> float:
        """Return how likely Student's t is to be above `t`."""
        from scipy.special import stdtr

        return float(stdtr(self.freedom, -t))


def estimate(
    samples: Sequence[Sample], offset: float = 0.0, *, seeds: bool = True, examples: bool = True
) -> Estimate:
    """Estimate the sum of the means of independent models, less `offset`; for a difference one is scaled by −1.

    The variance is that of two crossed random factors,

        max(Σ s² / S, N)  +  max(0, B − N),   N = Σ r / (n S),   B = variance of the summed profiles / n,

    with the variance s² between a model's S seeds, its residual mean square r, and its profile over n examples.
    Both Σ s² / S and B hold N, the noise of single answers, which counts once. Where the spread of all models is
    known, s² is drawn towards it with PRIOR_FREEDOM degrees of freedom, as in the moderated t of Smyth (2004). The
    degrees of freedom are Satterthwaite's (1946). For two models without examples or pooling it is Welch's test.

    Args:
        samples: of each model.
        offset: a number that chance has no part in.
        seeds: whether other seeds count as chance.
        examples: whether other test examples do.
    """
    repeated = [item for item in samples if len(item.values) > 1] if seeds else []
    noise = math.fsum(item.answer_variance / len(item.values) for item in repeated)
    of_seeds, square = _of_seeds(repeated)
    variance = max(of_seeds, noise)
    for profiles in _by_test(samples if examples else []).values():
        size = len(profiles[0])
        of_examples = float(np.sum(profiles, axis=0).var(ddof=1)) / size - noise
        if of_examples > 0:
            variance += of_examples
            square += of_examples**2 / (size - 1)
    freedom = variance**2 / square if square > 0 else max((len(item.values) - 1 for item in repeated), default=1)
    mean = math.fsum(item.mean for item in samples) - offset
    return Estimate(mean, math.sqrt(variance), float(max(1.0, freedom)))


def _of_seeds(repeated: Sequence[Sample]) -> tuple[float, float]:
    """Return the variance that the seeds make, and its square over the degrees of freedom (Satterthwaite)."""
    variance = square = shared = 0.0
    for item in repeated:
        seeds, own, spread = len(item.values), item.seed_variance, item.pooled
        weight = 1.0 if spread is None else (seeds - 1) / (seeds - 1 + PRIOR_FREEDOM)
        square += (weight * own / seeds) ** 2 / (seeds - 1)
        variance += weight * own / seeds
        if spread is not None:
            variance += (1 - weight) * spread.variance / seeds
            shared += math.sqrt((1 - weight**2) / spread.freedom) * spread.variance / seeds
    square += shared**2
    known = [item.pooled.freedom for item in repeated if item.pooled]
    if known and len(known) == len(repeated):  # no better known than by all runs together
        square = max(square, variance**2 / max(known))
    return variance, square


def _by_test(samples: Sequence[Sample]) -> dict[bytes, list[Array]]:
    """Return the profiles over the examples of each test set that has two or more."""
    found: dict[bytes, list[Array]] = {}
    for item in samples:
        if item.examples is not None and len(item.examples) > 1:
            found.setdefault(item.test, []).append(item.examples)
    return found


_WIDEST = 40.0
_RANGES = np.concatenate([np.arange(0, 12, 0.02), np.arange(12, _WIDEST, 0.5)])


@lru_cache(maxsize=256)
def _tail(models: int, of_leader: bool) -> Array:
    """Return on the grid _RANGES a chance of k standard normal numbers, by numerical integration.

    Either that their range is above w, or that the largest of them is more than w above one drawn from the rest.
    """
    from scipy.special import ndtr

    z, step = np.linspace(-9, 9, 721, retstep=True)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    if of_leader:
        # one is the drawn one, at z: some other is more than w above it
        above = 1 - ndtr(z + _RANGES[:, None]) ** (models - 1)
        return np.asarray(models / (models - 1) * (above * density).sum(axis=1) * step)
    # the smallest is at z; all are within w of it or not
    inside = (ndtr(z + _RANGES[:, None]) - ndtr(z)) ** (models - 1)
    return np.asarray(np.clip(1 - models * (inside * density).sum(axis=1) * step, 0, 1))


def _studentized(width: float, freedom: float, models: int, *, of_leader: bool) -> float:
    """Return the chance of `_tail` for a width in units of an estimated standard deviation."""
    unit = 1 / math.sqrt(2 * freedom)
    logs = unit * np.arange(-40, 8, 0.1)
    weights = np.exp(freedom * logs - freedom / 2 * np.expm1(2 * logs))
    tail = np.interp(width * np.exp(logs), _RANGES, _tail(models, of_leader), right=0.0)
    return float((weights * tail).sum() / weights.sum())


def range_p(t: float, freedom: float, models: int) -> float:
    """Return p of a difference of `t` standard errors between any two of so many models, chosen after looking.

    It is by the studentized range (Tukey 1953), with the degrees of freedom of the pair's own standard error, as
    of Games & Howell (1976). For two models it is that of Student's t.
    """
    if not math.isfinite(t):
        return 0.0 if not math.isnan(t) else math.nan
    by_t = Estimate(t, 1.0, freedom).two_sided()
    if models <= 2:
        return by_t
    return min(1.0, max(by_t, _studentized(abs(t) * math.sqrt(2), freedom, models, of_leader=False)))


@lru_cache(maxsize=4096)
def critical(freedom: float, models: int, level: float = LEVEL, *, of_leader: bool = True) -> float:
    """Return the half width, in standard errors, of the interval of a difference between two of so many models.

    With `of_leader` it is for the model with the highest mean against the others: of these intervals the share
    `level` holds the true difference where all models are equal, which is where looking first does most harm. Else
    it is for the largest difference of all. For two models it is Student's t.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    least = float(stdtrit(freedom, (1 + level) / 2))
    if models <= 2:
        return least

    def excess(t: float) -> float:
        return _studentized(t * math.sqrt(2), freedom, models, of_leader=of_leader) - (1 - level)

    if excess(least) <= 0:
        return least
    return float(brentq(excess, least, 50 * least, xtol=1e-6))


def sign_flips(differences: Sequence[float] | Array, alternative: str = "two-sided") -> float:
    """Return the p value of Fisher's exact test of numbers about 0 (1935): all changes of sign are as likely.

    Up to 15 numbers every change is tried, beyond that 19,999 of them, drawn at random. `alternative` is
    two-sided, greater or less. NaN without numbers.
    """
    given = np.asarray(differences, float)
    if len(given) < 2:
        return 1.0 if len(given) else math.nan
    # exact zeros and equal sizes make ties, which must not hang on the last bit of a sum
    rounded = np.round(given / (np.abs(given).max() or 1.0), 12)
    if len(given) <= _MOST_EXACT:
        signs = 1 - 2 * (np.arange(2 ** len(given))[:, None] >> np.arange(len(given)) & 1)
    else:
        drawn = np.random.default_rng(0).integers(0, 2, (_SIGNS, len(given)))
        signs = np.vstack([np.ones(len(given), int), 1 - 2 * drawn])
    totals = np.round(signs @ rounded, 9)
    return _tails((totals >= totals[0]).mean(), (totals <= totals[0]).mean(), alternative)


def _tails(greater: float, less: float, alternative: str) -> float:
    two_sided = min(1.0, 2 * min(greater, less))
    return float({"greater": greater, "less": less}.get(alternative, two_sided))


def rank_sum(
    one: Sequence[float] | Array, other: Sequence[float] | Array, alternative: str = "two-sided"
) -> float:
    """Return the p value of the exact rank sum test of two samples (Wilcoxon 1945).

    Equal values share their mean rank, and the distribution is that of these ranks, so that it is exact with ties,
    too. −∞ is a run that diverged. `alternative` is two-sided, greater (`one` is) or less. NaN where a sample is
    empty.
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    if not len(a) or not len(b):
        return math.nan
    ranks = _doubled_ranks(np.concatenate([a, b]))
    counts = _rank_sums(tuple(sorted(ranks)), len(a))
    own = int(ranks[: len(a)].sum())
    return _tails(counts[own:].sum() / counts.sum(), counts[: own + 1].sum() / counts.sum(), alternative)


def _doubled_ranks(values: Array) -> NDArray[np.int64]:
    """Return twice the mean ranks, which are whole numbers."""
    below = (values[None, :] < values[:, None]).sum(axis=1)
    upto = (values[None, :] <= values[:, None]).sum(axis=1)
    return np.asarray(below + upto + 1, np.int64)


@lru_cache(maxsize=512)
def _rank_sums(ranks: tuple[int, ...], size: int) -> Array:
    """Return by rank sum how many choices of `size` of the ranks have it."""
    counts = np.zeros((size + 1, sum(ranks) + 1))
    counts[0, 0] = 1
    for rank in ranks:
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank].copy()
    return np.asarray(counts[size])


def smallest_p(seeds: int, others: int = 0) -> float:
    """Return the smallest p of a two-sided exact test: of ranks for two groups of runs, of signs for one."""
    choices = math.comb(seeds + others, others) if others else 2**seeds
    return min(1.0, 2.0 / choices)


def seeds_needed(comparisons: int = 1, level: float = ALPHA) -> int:
    """Return the seeds with which a rank test could reach `level` in the smallest of so many p values."""
    return next(seeds for seeds in range(1, 1100) if smallest_p(seeds, seeds) <= level / max(1, comparisons))


def unseen(seeds: int, level: float = LEVEL) -> float:
    """Return the share of runs that may fail in a way that so many runs did not show: 1 − (1 − level)^(1 / seeds).

    If more of them failed, the chance to see none would be below 1 − level.
    """
    return 1 - (1 - level) ** (1 / seeds) if seeds else 1.0


def hedges_g(one: Sequence[float] | Array, other: Sequence[float] | Array) -> float:
    """Return the difference of two means in pooled standard deviations, corrected for few seeds (Hedges 1981).

    The spread is the root of the mean of both variances, g_av of Lakens 2013. NaN without a spread.
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    if min(len(a), len(b)) < 2:
        return math.nan
    pooled = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    correction = 1 - 3 / (4 * (len(a) + len(b)) - 9)
    return float((a.mean() - b.mean()) / pooled * correction) if pooled > 0 else math.nan


def holm(p_values: Sequence[float] | Array) -> list[float]:
    """Return the p values after Holm's correction (1979), in their order; NaN stays NaN and does not count."""
    given = np.array(p_values, float)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted = given.copy()
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * given[order]))
    return [float(p) for p in adjusted]


def holm_of_families(families: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the p values of several families, corrected for there being several, in their order.

    Each family's p values hold within it already. The families begin with equal shares of the level; one all of
    whose p values stand leaves its share to the others, which is Holm's procedure where a family is a single test
    (Bretz et al. 2009).
    """
    count = sum(1 for own in families if not np.isnan(own).all())
    worst = [float(np.nanmax(own)) if not np.isnan(own).all() else math.nan for own in families]
    adjusted = []
    for place, own in enumerate(families):
        others = sorted(p for i, p in enumerate(worst) if i != place and not math.isnan(p))
        values = np.minimum(1.0, count * np.asarray(own, float))
        passed = 0.0
        for done, p in enumerate(others):  # the easiest of the other families leave their shares first
            passed = max(passed, (count - done) * p)
            values = np.fmin(values, np.fmax(passed, (count - done - 1) * np.asarray(own, float)))
        adjusted.append([float(p) for p in np.where(np.isnan(own), np.nan, values)])
    return adjusted


def mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the p value of McNemar's exact test (1947): are two classifiers right equally often?

    `one` and `other` say for each example whether it was right. The p value is that of the binomial distribution
    of the examples that only one of them got right.
    """
    from scipy.special import bdtr

    first, second = int((one & ~other).sum()), int((other & ~one).sum())
    return float(min(1.0, 2 * bdtr(min(first, second), first + second, 0.5))) if first + second else 1.0
