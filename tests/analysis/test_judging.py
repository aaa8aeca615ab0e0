"""The judge: what decides between two variants, and what does not; each number was worked out by hand."""

import math
from collections.abc import Sequence
from dataclasses import replace
from math import isnan, sqrt
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reportgen.analysis.comparisons import (
    NOTHING,
    Difference,
    compare,
    corrected,
    family,
    reach,
    weigh,
    weigh_equivalence,
)


def runs(**accuracies: Sequence[float | None]) -> pd.DataFrame:
    """Return a table of runs: by variant the accuracy with seed 0, 1, …; None for a run that diverged."""
    rows = [
        {
            "variant": variant,
            "seed": seed,
            "status": "diverged" if accuracy is None else "finished",
            "test_accuracy": float("nan") if accuracy is None else accuracy,
        }
        for variant, of_variant in accuracies.items()
        for seed, accuracy in enumerate(of_variant)
    ]
    return pd.DataFrame(rows)


def test_a_lead_in_every_seed_that_is_wide_enough_is_clear() -> None:
    """Leads of 0.10, 0.12 and 0.11: t = 0.11 / (0.01 / √3) = 19.05 with two degrees of freedom."""
    found = compare("a", "b", runs(a=[0.90, 0.94, 0.92], b=[0.80, 0.82, 0.81]))
    assert (found.ahead, found.behind, found.wins, found.pairs) == ("a", "b", 3, 3)
    assert found.mean == pytest.approx(0.11)
    assert found.spread == pytest.approx(sqrt((0.02**2 + 0.01**2) / 2))
    assert found.evidence.p == pytest.approx(stats.ttest_1samp([0.10, 0.12, 0.11], 0).pvalue)
    assert found.evidence.exact == 0.25
    assert found.verdict == "clear"


def test_two_seeds_that_agree_do_not_decide() -> None:
    """With one degree of freedom a lead of eleven standard errors has p = 0.058."""
    found = compare("a", "b", runs(a=[0.90, 0.94], b=[0.80, 0.82]))
    assert found.evidence.p == pytest.approx(2 * math.atan(1 / 11) / math.pi)
    assert found.verdict == "open"


def test_a_lead_within_the_spread_of_its_pairs_is_not_clear() -> None:
    """Ahead with every seed, but by 0.01, 0.02 and 0.12: t = 0.05 / 0.0351, p = 0.29."""
    found = compare("a", "b", runs(a=[0.51, 0.52, 0.62], b=[0.5, 0.5, 0.5]))
    assert (found.wins, found.pairs, found.verdict) == (3, 3, "open")
    assert found.evidence.low < 0 < found.evidence.high


def test_a_lead_that_one_of_few_seeds_denies_is_not_clear() -> None:
    """However small the p of the t distribution: the exact test could be smaller with so few seeds, and is not."""
    leads = [0.1] * 4 + [-0.001]
    found = compare("a", "b", runs(a=[0.5 + lead for lead in leads], b=[0.5] * 5))
    assert found.evidence.p < 0.05
    assert (found.evidence.exact, found.evidence.smallest) == (0.125, 0.0625)
    assert (found.wins, found.pairs, found.verdict) == (4, 5, "open")


def test_with_many_seeds_one_may_deny_a_clear_lead() -> None:
    """Of twelve seeds eleven are ahead: the exact test gives less than 5 %, and so does the t distribution."""
    leads = [0.05 + 0.001 * seed for seed in range(11)] + [-0.001]
    found = compare("a", "b", runs(a=[0.5 + lead for lead in leads], b=[0.5] * 12))
    assert found.evidence.exact == 4 / 2**12
    assert (found.wins, found.pairs, found.verdict) == (11, 12, "clear")


def test_equal_accuracies_are_a_tie() -> None:
    """With no difference in any seed the mean is zero, nobody wins and nothing is clear."""
    found = compare("a", "b", runs(a=[0.5, 0.75], b=[0.5, 0.75]))
    assert (found.mean, found.wins, found.pairs, found.verdict) == (0.0, 0, 2, "tie")


def test_two_constant_variants_apart_are_clear() -> None:
    """Without any spread between seeds there is no chance that could have made the lead."""
    found = compare("a", "b", runs(a=[0.75] * 3, b=[0.5] * 3))
    assert (found.mean, found.spread, found.verdict) == (0.25, 0.0, "clear")


def test_two_seeds_show_nothing_however_they_agree() -> None:
    """Two seeds may agree to the digit by chance: then they have no spread, and still decide nothing."""
    found = compare("a", "b", runs(a=[0.75, 0.75], b=[0.5, 0.5]))
    assert (found.evidence.p, found.verdict) == (0.0, "open")


def test_a_scale_of_steps_leaves_something_open() -> None:
    """Three seeds a row of the log apart have a spread all the same, and two rows apart have enough of a lead."""
    for behind, verdict in ((100.0, "open"), (150.0, "clear")):
        found = compare("a", "b", runs(a=[-50] * 3, b=[-behind] * 3), resolution=50)
        assert found.verdict == verdict
        half = stats.t.ppf(0.975, 2) * 50 / sqrt(6) / sqrt(3)
        assert found.evidence.high == pytest.approx(behind - 50 + half)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("b", "a")])
def test_the_better_one_is_ahead_whichever_comes_first(one: str, other: str) -> None:
    """The names and the sign follow the accuracies, not the order of the arguments."""
    found = compare(one, other, runs(a=[0.5, 0.25], b=[0.75, 0.75]))
    assert (found.ahead, found.behind, found.mean, found.wins) == ("b", "a", 0.375, 2)
    assert found.evidence.low < found.evidence.mean < found.evidence.high


def test_one_seed_is_never_clear() -> None:
    """A single seed has no spread to hold a lead against, however wide it is."""
    found = compare("a", "b", runs(a=[1.0], b=[0.0]))
    assert (found.ahead, found.mean, found.wins, found.pairs, found.verdict) == ("a", 1.0, 1, 1, "single_seed")
    assert isnan(found.spread)
    assert isnan(found.evidence.p)


def test_test_examples_alone_do_not_decide_over_one_seed() -> None:
    """The interval over examples is there, and far from 0, but another seed may reverse the order."""
    draws = {("a", 0): np.full(100, 0.9), ("b", 0): np.full(100, 0.5)}
    found = compare("a", "b", runs(a=[0.9], b=[0.5]), redrawn=draws)
    assert found.evidence.sources == "examples"
    assert found.evidence.example_low == pytest.approx(0.4)
    assert found.verdict == "single_seed"


def test_only_seeds_that_both_finished_count() -> None:
    """Of three seeds each variant lost one: the comparison, its spread too, is over the one left to both."""
    found = compare("a", "b", runs(a=[0.5, None, 1.0], b=[0.75, 1.0, None]))
    assert (found.ahead, found.mean, found.pairs, found.verdict) == ("b", 0.25, 1, "single_seed")
    assert isnan(found.spread)


def test_the_spread_is_of_the_shared_seeds_alone() -> None:
    """The seed that only one variant finished would have widened the spread, and does not."""
    found = compare("a", "b", runs(a=[0.75, 0.75, 0.75, 0.0], b=[0.5, 0.5, 0.5, None]))
    assert (found.spread, found.pairs, found.verdict) == (0.0, 3, "clear")


def test_without_a_shared_seed_nothing_is_known() -> None:
    """Two variants that no seed both finished have no pairs and no mean."""
    found = compare("a", "b", runs(a=[0.5, None], b=[None, 0.5]))
    assert (found.pairs, found.wins, found.evidence) == (0, 0, NOTHING)
    assert isnan(found.mean)
    assert not found.evidence.shown


accuracies = st.lists(
    st.tuples(*[st.none() | st.floats(0, 1, allow_subnormal=False)] * 2), min_size=1, max_size=6
).filter(lambda pairs: any(a is not None and b is not None for a, b in pairs))


@settings(deadline=None, max_examples=50)
@given(accuracies, st.randoms())
def test_neither_the_order_of_the_names_nor_that_of_the_seeds_matters(
    pairs: list[tuple[float | None, float | None]], random: Random
) -> None:
    """compare(a, b) is compare(b, a) but for the names in a tie; no mean is negative."""
    table = runs(a=[a for a, _ in pairs], b=[b for _, b in pairs])
    random.shuffle(pairs)
    shuffled = runs(a=[a for a, _ in pairs], b=[b for _, b in pairs])
    found = compare("a", "b", table)
    assert found.mean >= 0
    for turned in (compare("b", "a", table), compare("a", "b", shuffled)):
        assert found.mean == pytest.approx(turned.mean)
        assert found.pairs == turned.pairs
        for name in ("low", "high", "p", "exact", "deviation"):
            here, there = getattr(found.evidence, name), getattr(turned.evidence, name)
            assert here == pytest.approx(there, abs=1e-6, nan_ok=True)
    turned = compare("b", "a", table)
    if found.mean > 0:
        assert (found.ahead, found.behind, found.wins) == (turned.ahead, turned.behind, turned.wins)
    if found.verdict == "clear":
        assert found.pairs > 1
        assert found.wins == found.pairs


def differing(*p_values: float) -> list[Difference]:
    """Return differences between pairs of their own with these p values."""
    found = compare("a", "b", runs(a=[0.9, 0.91, 0.92], b=[0.5, 0.52, 0.51]))
    return [replace(found, ahead=f"a{i}", evidence=replace(found.evidence, p=p)) for i, p in enumerate(p_values)]


def test_a_family_is_corrected_as_holm_does() -> None:
    """p = 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02: those at or below 5 % stay clear."""
    found = family(differing(0.01, 0.04, 0.03, 0.005))
    assert [d.evidence.holm for d in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [d.verdict for d in found] == ["clear", "open", "open", "clear"]


def test_the_same_comparison_twice_counts_once() -> None:
    """A pair that stands in two places of a report is one comparison, whichever variant is named first."""
    (first,) = differing(0.04)
    assert [d.evidence.holm for d in family([first, first])] == [0.04, 0.04]
    assert reach([first, first]) == reach([first])


def test_what_is_not_compared_does_not_count() -> None:
    """A single seed, or another test set, makes no comparison that the others would be corrected for."""
    single = compare("c", "d", runs(c=[0.9], d=[0.5]))
    (first,) = differing(0.04)
    assert [d.evidence.holm for d in family([single, first])][1] == 0.04
    assert reach([single]) is None


@pytest.mark.parametrize(
    ("seeds", "smallest", "needed", "for_all"), [(2, 0.5, 6, 6), (3, 0.25, 6, 6), (5, 0.0625, 6, 6)]
)
def test_few_seeds_cannot_reach_five_per_cent(seeds: int, smallest: float, needed: int, for_all: int) -> None:
    """With n seeds an exact two-sided test cannot go below 2^(1 − n): six seeds can go below 5 %."""
    found = reach([compare("a", "b", runs(a=[0.9] * seeds, b=[0.5] * seeds))])
    assert found is not None
    assert (found.seeds, found.smallest, found.needed, found.needed_for_all) == (seeds, smallest, needed, for_all)


def test_more_comparisons_need_more_seeds() -> None:
    """After Holm the smallest of ten p values must be 0.005: nine seeds reach 2^-8 = 0.0039."""
    found = reach(differing(*[0.01 * i for i in range(1, 11)]))
    assert found is not None
    assert (found.comparisons, found.needed, found.needed_for_all) == (10, 6, 9)


def test_alike_within_a_margin() -> None:
    """Differences of about 0.001 are within 0.01: two one-sided t tests, whose larger p counts."""
    values = np.array([0.001, 0.002, 0.0015])
    found = weigh_equivalence(values, 0.01)
    below = stats.ttest_1samp(values, 0.01, alternative="less").pvalue
    above = stats.ttest_1samp(values, -0.01, alternative="greater").pvalue
    assert found.p == pytest.approx(max(below, above))
    assert (found.wins, found.pairs, found.level, found.shown) == (3, 3, 0.9, True)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.9, 2, values.mean(), stats.sem(values)))


def test_too_uncertain_to_be_called_alike() -> None:
    """A mean of 0 is not enough: the seeds spread beyond the margin."""
    assert not weigh_equivalence(np.array([-0.02, 0.0, 0.02]), 0.01).shown


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_beyond_the_margin_is_shown_as_one(sign: int) -> None:
    """Differences of about 0.11 are beyond 0.01, on either side."""
    values = sign * np.array([0.10, 0.12, 0.11])
    found = weigh_equivalence(values, 0.01)
    assert found.p == pytest.approx(stats.ttest_1samp(values, sign * 0.01).pvalue)
    assert (found.wins, found.shown) == (3, True)


def test_the_sources_of_chance_are_told() -> None:
    """Seeds, test examples, both, or none: what was there to be tested."""
    three, one = np.array([0.1, 0.2, 0.3]), np.array([0.1])
    assert weigh(three, np.tile(three, (50, 1))).sources == "both"
    assert weigh(three).sources == "seeds"
    assert weigh(one, np.tile(one, (50, 1))).sources == "examples"
    assert weigh(one).sources == "none"
    assert corrected([weigh(one)])[0].shown is False


def test_a_lucky_test_set_is_not_a_lead() -> None:
    """Seeds that agree to the digit say nothing of other examples: the interval over both is as wide as that."""
    values = np.array([0.01, 0.01, 0.01])
    draws = 0.01 + np.linspace(-0.05, 0.05, 2001)[:, None] * np.ones((1, 3))
    found = weigh(values, draws)
    assert (found.seed_low, found.seed_high) == (0.01, 0.01)
    assert (found.low, found.high) == pytest.approx((-0.0375, 0.0575), abs=1e-4)
    assert not found.shown
