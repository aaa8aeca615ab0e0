"""Statistics, held against published worked examples and against direct enumerations."""

from itertools import combinations, product
from math import comb, nan, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reportgen.analysis.statistics import (
    PRIOR_FREEDOM,
    critical,
    estimate,
    hedges_g,
    holm,
    holm_of_families,
    mcnemar,
    range_p,
    rank_sum,
    sample,
    seeds_needed,
    sign_flips,
    smallest_p,
    together,
    unseen,
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


def test_few_seeds_cannot_go_below_a_smallest_p() -> None:
    """The smallest p is 2^(1 − n) of n signs, and two choices of all for two groups of ranks."""
    assert sign_flips([1, 2, 3, 4, 5]) == smallest_p(5) == 0.0625
    assert rank_sum([4, 5, 6], [1, 2, 3]) == pytest.approx(smallest_p(3, 3))
    assert smallest_p(3, 3) == 2 / 20
    assert [seeds_needed(comparisons) for comparisons in (1, 2, 3, 45)] == [4, 5, 5, 7]
    assert unseen(5) == pytest.approx(0.4507, abs=1e-4)


ranked = st.lists(st.integers(0, 6), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(ranked, ranked)
def test_the_rank_test_is_an_enumeration(one: list[int], other: list[int]) -> None:
    """Every choice of runs counts that has a sum of mean ranks at least as high, or as low; ties too."""
    both = one + other
    ranks = stats.rankdata(both)
    sums = [sum(ranks[i] for i in chosen) for chosen in combinations(range(len(both)), len(one))]
    greater = np.mean([total >= sum(ranks[: len(one)]) for total in sums])
    less = np.mean([total <= sum(ranks[: len(one)]) for total in sums])
    assert rank_sum(one, other, "greater") == pytest.approx(greater)
    assert rank_sum(one, other, "less") == pytest.approx(less)
    assert rank_sum(one, other) == pytest.approx(min(1.0, 2 * min(greater, less)))


def test_a_run_that_diverged_is_the_worst() -> None:
    """Minus infinity ranks below any number: three good runs of which two diverged are not ahead."""
    assert rank_sum([0.9, 0.91, 0.92], [0.8, 0.81, 0.82], "greater") == pytest.approx(1 / 20)
    assert rank_sum([0.9, 0.91, 0.92, -np.inf, -np.inf], [0.8, 0.81, 0.82], "greater") > 0.3


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


def test_holm_leaves_its_argument_as_it_was() -> None:
    """An array that is handed in is not changed."""
    given_values = np.array([0.01, 0.02])
    assert holm(given_values) == pytest.approx([0.02, 0.02])
    assert list(given_values) == [0.01, 0.02]


def test_families_of_one_are_corrected_as_holm_does() -> None:
    """Each p value a family of its own; a family that stands as a whole leaves its share to the next."""
    assert holm_of_families([[0.01], [0.04], [0.03]]) == [[pytest.approx(p)] for p in holm([0.01, 0.04, 0.03])]
    assert holm_of_families([[0.001, 0.002], [0.03]]) == [pytest.approx([0.002, 0.004]), pytest.approx([0.03])]
    assert holm_of_families([[0.001, 0.5], [0.03]]) == [pytest.approx([0.002, 0.5]), pytest.approx([0.06])]


@pytest.mark.parametrize(("first", "second"), [(9, 1), (1, 9), (86, 150), (5, 5), (0, 0)])
def test_mcnemar_is_a_binomial_test_of_the_disagreements(first: int, second: int) -> None:
    """Both right and both wrong say nothing; 86 against 150 is Agresti's example of two surveys, z = −4.17."""
    one = np.array([True] * first + [False] * second + [True] * 20 + [False] * 5)
    other = np.array([False] * first + [True] * second + [True] * 20 + [False] * 5)
    tail = sum(comb(first + second, k) for k in range(min(first, second) + 1)) / 2 ** (first + second)
    assert mcnemar(one, other) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(one, other) == mcnemar(other, one)


def test_without_examples_a_mean_has_the_t_interval() -> None:
    """Student's own data on the extra sleep of ten patients: mean 1.58, t = 4.06, p = 0.0028 (1908)."""
    known = estimate([sample(np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]))])
    assert known.two_sided() == pytest.approx(0.00283, abs=1e-5)
    assert known.interval() == pytest.approx((0.7001, 2.4599), abs=1e-4)


def test_two_models_without_pooling_are_compared_by_welch() -> None:
    """Means, standard error and degrees of freedom are those of Welch's test."""
    one, other = np.array([0.9, 0.92, 0.97, 0.91]), np.array([0.8, 0.95, 0.7])
    known = estimate([sample(one), sample(other).scaled(-1)])
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert known.two_sided() == pytest.approx(welch.pvalue)
    assert known.freedom == pytest.approx(welch.df)
    assert known.interval() == pytest.approx(tuple(welch.confidence_interval()))


def test_the_components_are_those_of_a_two_way_table() -> None:
    """By hand, of two seeds and three examples: s² / S + B − r / (n S)."""
    right = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    one = sample(right.mean(axis=1), right)
    assert one.residual == pytest.approx(1 / 6)
    assert one.seed_variance == pytest.approx(1 / 18)
    of_examples = np.var([1.0, 0.5, 0.0], ddof=1) / 3
    assert estimate([one]).error ** 2 == pytest.approx(1 / 36 + of_examples - 1 / 36)


def test_the_noise_of_answers_counts_once() -> None:
    """Of pure noise the variance is r / (n S), not two or three times that."""
    random = np.random.default_rng(5)
    variances = []
    for _ in range(300):
        right = (random.random((5, 200)) < 0.8).astype(float)
        variances.append(estimate([sample(right.mean(axis=1), right)]).error ** 2)
    assert np.mean(variances) == pytest.approx(0.8 * 0.2 / 1000, rel=0.35)


def test_a_spread_is_drawn_towards_that_of_all_models() -> None:
    """With f degrees of freedom a model's own variance counts f / (f + PRIOR_FREEDOM)."""
    samples = [sample(np.array(values)) for values in ([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [0.1, 0.3, 0.5])]
    pooled = together(samples)
    variance = (0.01 + 0.0 + 0.04) / 3
    weight = 2 / (2 + PRIOR_FREEDOM)
    assert estimate(pooled[:1]).error ** 2 == pytest.approx((weight * 0.01 + (1 - weight) * variance) / 3)
    assert estimate(pooled[:1]).freedom <= 6
    assert estimate(pooled[:1]).freedom > 2


@pytest.mark.parametrize(
    ("t", "freedom", "models"), [(3.0, 8.0, 4), (6.0, 4.3, 10), (3.2, 2000.0, 10), (2.5, 15, 3)]
)
def test_the_studentized_range_is_scipys(t: float, freedom: float, models: int) -> None:
    """p of any two of k models, against scipy's double integral."""
    assert range_p(t, freedom, models) == pytest.approx(
        stats.studentized_range.sf(t * sqrt(2), models, freedom), rel=2e-3
    )
    assert range_p(t, freedom, 2) == pytest.approx(2 * stats.t.sf(t, freedom))


def test_the_intervals_of_a_leader_cover_where_all_are_equal() -> None:
    """Of ten equal models with known errors, the leader's intervals hold 0 in 95 % of the comparisons."""
    drawn = np.random.default_rng(0).normal(size=(40_000, 10))
    width = critical(1e6, 10) * sqrt(2)
    missed = (drawn.max(axis=1)[:, None] - drawn > width).sum() / (9 * len(drawn))
    assert missed == pytest.approx(0.05, abs=0.002)
    assert critical(8, 2) == pytest.approx(stats.t.ppf(0.975, 8))
    assert critical(8, 10, of_leader=False) == pytest.approx(
        stats.studentized_range.ppf(0.95, 10, 8) / sqrt(2), rel=1e-3
    )


def test_the_interval_covers_where_resampling_three_seeds_would_not() -> None:
    """Of 400 made-up suites of three seeds and 200 examples, 95 % hold the truth; the range of the seeds, 75 %."""
    random = np.random.default_rng(3)
    covered, in_range = 0, 0
    for _ in range(400):
        seeds, examples = random.normal(0, 0.05, (3, 1)), random.normal(0, 0.3, (1, 200))
        measured = 0.1 + seeds + examples + random.normal(0, 0.3, (3, 200))
        low, high = estimate([sample(measured.mean(axis=1), measured)]).interval()
        covered += low <= 0.1 <= high
        in_range += measured.mean(1).min() <= 0.1 <= measured.mean(1).max()
    assert covered / 400 >= 0.92  # 93 %, and the error of 400 suites
    assert in_range / 400 < 0.8
