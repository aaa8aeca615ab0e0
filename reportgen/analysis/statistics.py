"""Statistics over seeds and over test examples: arrays in, numbers or plain dataclasses out.

Everything random comes from a generator that is seeded by the data, so that the same records give the same bytes.
scipy and statsmodels are imported where they are used: they take a second, which a build with nothing to do saves.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ALPHA = 0.05
"""Level of every test, after Holm's correction."""

LEVEL = 0.95
"""Share of the intervals that are to hold the true value."""

REDRAWS = 2000
"""Test sets that are drawn, with replacement, from the test examples."""

_MOST_EXACT = 15
"""Up to so many seeds every change of signs is tried; beyond that _SIGNS of them."""

_SIGNS = 19_999
_STEPS = 8
_ROUNDING = 1e-12
_CHUNK = 2_000_000
"""Examples drawn at once."""


def redrawn(examples: Array, redraws: int = REDRAWS, seed: bytes = b"") -> Array:
    """Return the means of every row over redrawn test sets, (redraws, rows): the bootstrap of Efron 1979.

    Args:
        examples: a number for each run and test example, (rows, examples), such as 1 for a right answer.
        redraws: how many test sets to draw. A set is the same for every row, since the runs share their test set.
        seed: what the draws depend on, besides the number of examples.
    """
    rows, size = examples.shape
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(seed).digest()[:8], "big"))
    means = np.empty((redraws, rows))
    step = max(1, _CHUNK // size)
    for first in range(0, redraws, step):
        count = min(step, redraws - first)
        drawn = random.integers(0, size, (count, size)) + size * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
        means[first : first + count] = times @ examples.T / size
    return means


@dataclass(frozen=True)
class Uncertain:
    """What is known of a mean: a mixture of Student's t, one for each redrawn test set.

    This is the hierarchical bootstrap. First the test set is redrawn, once for all seeds, which share it (Owen
    2007). Then the mean over the seeds is drawn from a t distribution about the mean on that test set, with their
    spread there: resampling a handful of seeds would never leave the range between the smallest and the largest of
    them, and its intervals would be too narrow (Hesterberg 2015). Without examples it is the t interval, without a
    spread between seeds the percentile bootstrap over examples.
    """

    centres: Array
    """(redraws,): the mean over the seeds; one entry where there are no examples."""
    scales: Array
    """(redraws,): standard error of that mean over the seeds; 0 for one seed."""
    freedom: int
    """Degrees of freedom: one less than the seeds."""

    def below(self, value: float) -> float:
        """Return how likely the mean is to be below `value`; what lies on it counts half."""
        from scipy.special import stdtr

        gaps = value - self.centres
        sure = (np.sign(gaps) + 1) / 2
        safe = np.where(self.scales > 0, self.scales, 1.0)
        by_t = stdtr(max(1, self.freedom), gaps / safe)
        return float(np.where(self.scales > 0, by_t, sure).mean())

    def density(self, value: float) -> float:
        """Return the density of the mean at `value`, without what lies on single values."""
        freedom = max(1, self.freedom)
        safe = np.where(self.scales > 0, self.scales, np.inf)
        shape = (1 + ((value - self.centres) / safe) ** 2 / freedom) ** (-(freedom + 1) / 2)
        peak = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
        return float((peak * shape / safe).mean())

    def above(self, value: float) -> float:
        """Return how likely the mean is to be above `value`; precise for small chances, as `below` is."""
        return Uncertain(-self.centres, self.scales, self.freedom).below(-value)

    def quantile(self, share: float) -> float:
        """Return the value that the mean is below with the chance `share`."""
        from scipy.optimize import brentq
        from scipy.special import stdtrit

        away = float(stdtrit(max(1, self.freedom), share))
        if len(self.centres) == 1:  # a single t distribution, of which the quantile is known
            return float(self.centres[0]) + away * float(self.scales[0])
        reach = abs(away) * self.scales
        low, high = float((self.centres - reach).min()), float((self.centres + reach).max())
        if not self.scales.any():
            return float(np.quantile(self.centres, share))
        beyond = 0.01 * (high - low)  # so that rounding leaves the limits on their sides
        low, high = low - beyond, high + beyond
        width = math.hypot(away * float(self.scales.mean()), 2 * float(self.centres.std()))
        value = float(self.centres.mean()) + math.copysign(width, away)
        for _ in range(_STEPS):  # Newton's, of which two or three do, while a search takes ten
            if not low < value < high or not (slope := self.density(value)):
                break
            step = (self.below(value) - share) / slope
            value -= step
            if abs(step) < 1e-6 * (high - low) and low < value < high:
                return value
        return float(brentq(lambda value: self.below(value) - share, low, high, xtol=1e-9 * (high - low)))

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the limits that hold the mean with the chance `level`, the same chance on either side."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)

    def two_sided(self, value: float = 0.0) -> float:
        """Return the p value of the mean being `value`."""
        return min(1.0, 2 * min(self.below(value), self.above(value)))


def uncertain(values: Array, resolution: float = 0.0) -> Uncertain:
    """Return what is known of the mean over seeds.

    Args:
        values: (redraws, seeds): what was measured with each seed, on each redrawn test set; one row without them.
        resolution: step of the scale that was measured on, such as the steps between two rows of a log: two seeds
            that agree to the step may still differ by a part of it. The spread is no smaller than the rounding's,
            √(1/6) steps for a difference of two rounded values (Sheppard 1898).
    """
    seeds = values.shape[1]
    scales = np.zeros(len(values))
    if seeds > 1:
        spreads = values.std(axis=1, ddof=1)
        spreads[spreads < _ROUNDING * np.abs(values).max()] = 0.0  # equal values, but for their last bits
        scales = np.maximum(spreads, resolution / math.sqrt(6)) / math.sqrt(seeds)
    return Uncertain(values.mean(axis=1), scales, seeds - 1)


def sign_flips(differences: Sequence[float] | Array, alternative: str = "two-sided") -> float:
    """Return the p value of Fisher's exact test of paired differences (1935): all changes of sign are as likely.

    Up to 15 differences every change is tried, beyond that 19,999 of them, drawn at random. `alternative` is
    two-sided, greater or less. NaN without differences.
    """
    from scipy.stats import permutation_test

    found = np.asarray(differences, float)
    if len(found) < 2:
        return 1.0 if len(found) else math.nan
    # exact zeros and equal sizes make ties, which must not hang on the last bit of a sum
    scale = np.abs(found).max() or 1.0
    rounded = np.round(found / scale, 12)
    tried = np.inf if len(found) <= _MOST_EXACT else _SIGNS
    outcome = permutation_test(
        (rounded,), _total, permutation_type="samples", n_resamples=tried, alternative=alternative,
        vectorized=True, rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(outcome.pvalue)


def _total(differences: Array, axis: int = -1) -> Array:
    return np.asarray(np.round(differences.sum(axis=axis), 9))


def smallest_p(seeds: int) -> float:
    """Return the smallest p value that a two-sided exact test of so many paired differences can reach."""
    return min(1.0, 2.0 ** (1 - seeds))


def seeds_needed(comparisons: int = 1) -> int:
    """Return the seeds with which an exact test can reach ALPHA in the smallest of so many p values, by Holm."""
    return math.ceil(1 + math.log2(max(1, comparisons) / ALPHA))


def hedges_g(one: Sequence[float] | Array, other: Sequence[float] | Array) -> float:
    """Return the difference of two means in pooled standard deviations, corrected for few seeds (Hedges 1981).

    The form that does not depend on how pairs go together, g_av of Lakens 2013. NaN without a spread.
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    if len(a) < 2:
        return math.nan
    pooled = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    correction = 1 - 3 / (4 * 2 * len(a) - 9)
    return float((a.mean() - b.mean()) / pooled * correction) if len(a) > 1 and pooled > 0 else math.nan


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values after Holm's correction (1979), in their order; NaN stays NaN and does not count."""
    found = np.asarray(p_values, float)
    there = ~np.isnan(found)
    if there.any():
        from statsmodels.stats.multitest import multipletests

        found[there] = multipletests(found[there], method="holm")[1]
    return [float(p) for p in found]


def mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the p value of McNemar's exact test (1947): are two classifiers right equally often?

    `one` and `other` say for each example whether it was right.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    first, second = int((one & ~other).sum()), int((other & ~one).sum())
    return float(test([[0, first], [second, 0]], exact=True).pvalue)
