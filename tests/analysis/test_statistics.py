"""Statistics, held against published worked examples and against direct enumerations."""

from itertools import product
from math import comb, nan, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reportgen.analysis.statistics import (
    Uncertain,
    hedges_g,
    holm,
    mcnemar,
    redrawn,
    seeds_needed,
    sign_flips,
    smallest_p,
    uncertain,
)

ZEA_MAYS = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Darwin's fifteen pairs of maize, eighths of an inch; Fisher, The Design of Experiments, section 21."""


def test_the_exact_test_finds_what_fisher_found() -> None:
    """Of 32,768 changes of sign 1,726 give a sum at least as far from 0 as Darwin's plants did."""
    assert sign_flips(ZEA_MAYS) == 1726 / 32768


differences = st.lists(st.integers(-20, 20), min_size=2, max_size=7)


@settings(deadline=None, max_examples=60)
@given(differences)
def test_the_exact_test_is_an_enumeration(values: list[int]) -> None:
    """Every change of signs counts that gives a sum at least as far from 0, or up, or down; ties too."""
    sums = [
        sum(s * v for s, v in zip(signs, values, strict=True)) for signs in product((1, -1), repeat=len(values))
    ]
    total = sum(values)
    counts = {
        "greater": sum(other >= total for other in sums),
        "less": sum(other <= total for other in sums),
    }
    for side, count in counts.items():
        assert sign_flips(values, side) == pytest.approx(count / len(sums))
    both = 2 * min(counts.values()) / len(sums)
    assert sign_flips(values) == pytest.approx(min(1.0, both))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=2, max_size=7), st.randoms())
def test_the_exact_test_knows_neither_sides_nor_the_order_of_seeds(values: list[float], random: Random) -> None:
    """The differences the other way round, or in another order, have the same p, never below the smallest one."""
    p = sign_flips(values)
    assert p == sign_flips([-value for value in values])
    random.shuffle(values)
    assert p == sign_flips(values)
    assert smallest_p(len(values)) <= p <= 1


def test_equal_differences_make_a_tie_however_they_are_rounded() -> None:
    """0.1 + 0.2 is not 0.3 in binary numbers; what would be a tie is one all the same."""
    assert sign_flips([0.1, 0.2, 0.1 + 0.2]) == 0.25
    assert sign_flips([0.1, 0.2, -(0.1 + 0.2)]) == 1


def test_many_seeds_are_sampled_and_give_the_same_every_time() -> None:
    """Beyond fifteen seeds signs are drawn at random, from a generator that is always the same."""
    values = np.linspace(-0.4, 1.0, 20)
    assert sign_flips(values) == sign_flips(values)
    assert sign_flips(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)


@pytest.mark.parametrize(("values", "p"), [([], nan), ([0.5], 1.0), ([0.0, 0.0], 1.0)])
def test_nothing_to_flip_shows_nothing(values: list[float], p: float) -> None:
    """No seed has no p; one seed, or seeds without a difference, have p = 1."""
    assert sign_flips(values) == pytest.approx(p, nan_ok=True)


def test_five_seeds_cannot_go_below_a_sixteenth() -> None:
    """The smallest p of n seeds is 2^(1 − n), which five differences of one sign have."""
    assert sign_flips([1, 2, 3, 4, 5]) == smallest_p(5) == 0.0625
    assert [seeds_needed(comparisons) for comparisons in (1, 2, 3, 10)] == [6, 7, 7, 9]


def test_the_effect_is_that_of_lakens() -> None:
    """Ten ratings of two films: d = 1.13, g = 1.08 (Lakens 2013, table 1)."""
    first, second = [9, 7, 8, 9, 8, 9, 9, 10, 9, 9], [9, 6, 7, 8, 7, 9, 8, 8, 8, 7]
    assert hedges_g(first, second) == pytest.approx(1.08, abs=0.005)
    assert hedges_g(second, first) == -hedges_g(first, second)
    assert np.isnan(hedges_g([1], [2]))
    assert np.isnan(hedges_g([1, 1], [2, 2]))


def test_holm_corrects_step_by_step() -> None:
    """The smallest of four p values counts four times, the next three times, and none less than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.04, nan, 0.03]) == pytest.approx([0.06, nan, 0.06], nan_ok=True)
    assert holm([]) == []


@pytest.mark.parametrize(("first", "second"), [(9, 1), (1, 9), (86, 150), (5, 5), (0, 0)])
def test_mcnemar_is_a_binomial_test_of_the_disagreements(first: int, second: int) -> None:
    """Both right and both wrong say nothing; 86 against 150 is Agresti's example of two surveys, z = −4.17."""
    one = np.array([True] * first + [False] * second + [True] * 20 + [False] * 5)
    other = np.array([False] * first + [True] * second + [True] * 20 + [False] * 5)
    tail = sum(comb(first + second, k) for k in range(min(first, second) + 1)) / 2 ** (first + second)
    assert mcnemar(one, other) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(one, other) == mcnemar(other, one)


def test_redrawn_test_sets_spread_as_a_mean_does() -> None:
    """The means over redrawn examples have the standard error √(p (1 − p) / n), and rows share their test set."""
    right = (np.arange(400) < 300).astype(float)
    means = redrawn(np.stack([right, right, 1 - right]), redraws=4000)
    assert means.shape == (4000, 3)
    assert means[:, 0].mean() == pytest.approx(0.75, abs=0.002)
    assert means[:, 0].std() == pytest.approx(sqrt(0.75 * 0.25 / 400), rel=0.05)
    assert np.array_equal(means[:, 0], means[:, 1])
    assert np.allclose(means[:, 0] + means[:, 2], 1)


def test_redrawing_gives_the_same_every_time_whoever_is_with_it() -> None:
    """The draws depend on the test set, and not on which other rows there are."""
    rows = np.random.default_rng(1).integers(0, 2, (3, 50)).astype(float)
    assert np.array_equal(redrawn(rows, 100, b"a")[:, :1], redrawn(rows[:1], 100, b"a"))
    assert not np.array_equal(redrawn(rows, 100, b"a"), redrawn(rows, 100, b"b"))


def test_without_examples_it_is_the_t_interval() -> None:
    """Student's own data on the extra sleep of ten patients: mean 1.58, t = 4.06, p = 0.0028 (1908)."""
    sleep = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    known = uncertain(sleep[None])
    assert known.two_sided() == pytest.approx(0.00283, abs=1e-5)
    assert known.interval() == pytest.approx((0.7001, 2.4599), abs=1e-4)


def test_without_a_spread_between_seeds_it_is_the_percentile_bootstrap() -> None:
    """Seeds that do alike leave the test examples as the only chance."""
    draws = np.random.default_rng(2).normal(0.02, 0.01, 2000)
    known = uncertain(np.stack([draws] * 3, 1))
    assert known.interval() == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    assert known.below(0) == pytest.approx((draws < 0).mean())


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=5),
    st.lists(st.floats(0, 1, allow_subnormal=False), min_size=5, max_size=5),
    st.integers(1, 6),
    st.floats(0.01, 0.99),
)
def test_a_quantile_has_its_share_below_it(
    centres: list[float], scales: list[float], freedom: int, share: float
) -> None:
    """Quantiles and chances belong together, on both sides, and turn round with the sign."""
    spread = np.array(scales[: len(centres)]) + 0.001
    known = Uncertain(np.array(centres), spread, freedom)
    turned = Uncertain(-np.array(centres), spread, freedom)
    assert known.below(known.quantile(share)) == pytest.approx(share, abs=1e-5)
    assert known.quantile(share) == pytest.approx(-turned.quantile(1 - share), abs=1e-4)
    assert known.below(0.1) + known.above(0.1) == pytest.approx(1)
    assert known.two_sided(0.1) == pytest.approx(turned.two_sided(-0.1))


def test_the_interval_covers_where_resampling_three_seeds_would_not() -> None:
    """Of 400 made-up suites of three seeds and 200 examples, 95 % hold the truth; the range of the seeds, 75 %."""
    random = np.random.default_rng(3)
    covered, in_range = 0, 0
    for _ in range(400):
        seeds, examples = random.normal(0, 0.05, (3, 1)), random.normal(0, 0.3, (1, 200))
        measured = 0.1 + seeds + examples + random.normal(0, 0.3, (3, 200))
        low, high = uncertain(redrawn(measured, 100)).interval()
        covered += low <= 0.1 <= high
        in_range += measured.mean(1).min() <= 0.1 <= measured.mean(1).max()
    assert covered / 400 >= 0.93
    assert in_range / 400 < 0.8
