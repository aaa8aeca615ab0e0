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

from reportgen.analysis import statistics
from reportgen.analysis.comparisons import (
    NOTHING,
    Difference,
    Evidence,
    Weighed,
    best_of,
    compare,
    compare_scores,
    corrected,
    scores_of,
    weigh,
    weigh_equivalence,
)
from reportgen.analysis.statistics import PRIOR_FREEDOM, sample


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


def test_a_lead_that_is_wide_enough_is_clear() -> None:
    """Leads of 0.11 on average, with spreads of 0.02 and 0.01 that are drawn towards each other."""
    found = compare("a", "b", runs(a=[0.90, 0.94, 0.92], b=[0.80, 0.82, 0.81]))
    assert (found.ahead, found.behind, found.wins, found.pairs) == ("a", "b", 3, 3)
    assert found.mean == pytest.approx(0.11)
    assert found.spread == pytest.approx(sqrt((0.02**2 + 0.01**2) / 2))
    # two variances drawn towards their mean keep their sum
    assert found.evidence.t == pytest.approx(0.11 / sqrt((0.02**2 + 0.01**2) / 3))
    assert 2 < found.evidence.freedom <= 4
    assert found.evidence.exact == pytest.approx(0.1)
    assert found.evidence.smallest == pytest.approx(0.1)
    assert found.verdict == "clear"


def test_two_seeds_that_agree_do_not_decide() -> None:
    """However far apart the models are."""
    assert compare("a", "b", runs(a=[0.90, 0.901], b=[0.80, 0.801])).verdict == "open"


def test_a_lead_within_the_spread_is_not_clear() -> None:
    """One run of three makes the lead."""
    found = compare("a", "b", runs(a=[0.51, 0.52, 0.62], b=[0.5, 0.5, 0.5]))
    assert (found.wins, found.pairs, found.verdict) == (3, 3, "open")
    assert found.evidence.low < 0 < found.evidence.high


def test_a_lead_that_the_ranks_deny_is_not_clear() -> None:
    """However small the p of the t distribution: a run of the model behind is ahead of two of the other."""
    found = compare("a", "b", runs(a=[0.6, 0.6001, 0.6002, 0.4999], b=[0.5, 0.5001, 0.5002, 0.6003]))
    table = replace(found, evidence=replace(found.evidence, adjusted=0.001))
    assert found.evidence.exact > 0.1
    assert table.verdict == "open"


def test_a_run_that_diverged_counts_against_its_model() -> None:
    """Of a model four of five runs diverged, and the fifth is the best of all: it neither leads nor is ahead."""
    table = runs(a=[0.9, 0.91, 0.92, None, None, None], b=[0.80, 0.81, 0.82, 0.8, 0.81, 0.82])
    found = compare("a", "b", table)
    assert (found.ahead, found.diverged) == ("a", (3, 0))
    assert found.evidence.adjusted < 0.05
    assert found.verdict == "open"
    assert best_of(scores_of(table)) == "b" or found.verdict != "clear"
    assert best_of(scores_of(runs(a=[0.99, None, None, None, None], b=[0.8, 0.8, 0.7, 0.8, 0.8]))) == "b"


def test_equal_accuracies_are_a_tie() -> None:
    """With no difference in any seed the mean is zero, nobody wins and nothing is clear."""
    found = compare("a", "b", runs(a=[0.5, 0.75], b=[0.5, 0.75]))
    assert (found.mean, found.wins, found.pairs, found.verdict) == (0.0, 0, 2, "tie")


def test_two_constant_variants_apart_are_clear() -> None:
    """Without any spread between seeds there is no chance that could have made the lead."""
    found = compare("a", "b", runs(a=[0.75] * 3, b=[0.5] * 3))
    assert (found.mean, found.spread, found.verdict) == (0.25, 0.0, "clear")


def test_a_scale_of_steps_leaves_something_open() -> None:
    """Three seeds a row of the log apart have a spread all the same: that of rounding, step² / 12."""
    found = compare("a", "b", runs(a=[-50] * 3, b=[-100.0] * 3), resolution=50)
    assert found.evidence.t == pytest.approx(50 / sqrt(2 * 50**2 / 12 / 3))
    assert compare("a", "b", runs(a=[-50] * 3, b=[-100.0] * 3)).evidence.t == math.inf


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
    right = {"a": np.repeat([1.0, 0.0], [90, 10]), "b": np.repeat([1.0, 0.0], [50, 50])}
    examples = {(name, 0): (b"test", own) for name, own in right.items()}
    found = compare("a", "b", runs(a=[0.9], b=[0.5]), examples=examples)
    assert found.evidence.sources == "examples"
    assert 0.2 < found.evidence.example_low < 0.4 < found.evidence.example_high
    assert found.verdict == "single_seed"


def test_all_seeds_that_each_finished_count() -> None:
    """Of four seeds each variant lost another one: the means are those that the tables have."""
    found = compare("a", "b", runs(a=[0.5, None, 1.0, 0.5], b=[0.75, 1.0, None, 0.75]))
    assert (found.ahead, found.pairs, found.evidence.fewest) == ("b", 2, 3)
    assert found.mean == pytest.approx(2.5 / 3 - 2 / 3)


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
        assert found.evidence.fewest >= 3


def test_runs_that_diverged_do_not_give_equal_means_an_order() -> None:
    """A mean difference of 0 has no side, so that the rank test supports none, whichever name comes first."""
    table = runs(a=[0.5, 0.5, 0.5], b=[0.5, None, None])
    found, turned = compare("a", "b", table), compare("b", "a", table)
    assert (found.mean, found.diverged, turned.diverged) == (0.0, (0, 2), (2, 0))
    assert found.evidence.exact == turned.evidence.exact == 1.0


def test_a_claim_in_which_there_is_no_chance_gets_no_p_by_correction() -> None:
    """What is counted, and not measured over seeds, has no p value; it stays NaN beside any number of claims."""
    known = compare("a", "b", runs(a=[0.9, 0.91, 0.92], b=[0.5, 0.52, 0.51])).evidence
    family = corrected([], [NOTHING, known])
    assert isnan(family.claims[0].adjusted)
    assert family.claims[1].adjusted == pytest.approx(known.p)
    assert isnan(corrected([], [NOTHING], late=[True]).claims[0].adjusted)


def differing(*p_values: float, measure: str = "steps", models: int = 2) -> list[Difference]:
    """Return differences between pairs of their own with these p values."""
    found = compare("a", "b", runs(a=[0.9, 0.91, 0.92], b=[0.5, 0.52, 0.51]))
    return [
        replace(found, ahead=f"a{i}", measure=measure, models=models, evidence=replace(found.evidence, p=p))
        for i, p in enumerate(p_values)
    ]


def adjusted(*differences: Difference) -> list[float]:
    """Return the corrected p values."""
    return [item.evidence.adjusted for item in corrected(differences).differences]


def test_pairs_named_beforehand_are_corrected_as_holm_does() -> None:
    """p = 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02: those at or below 5 % stay clear."""
    family = corrected(differing(0.01, 0.04, 0.03, 0.005))
    assert [d.evidence.adjusted for d in family.differences] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [d.verdict for d in family.differences] == ["clear", "open", "open", "clear"]


def test_models_that_were_picked_after_looking_are_corrected_for_all_pairs() -> None:
    """The leader of ten models against one of them: p is that of the range of ten."""
    scores = scores_of(runs(**{f"m{i}": [0.5 + i / 100, 0.51 + i / 100, 0.52] for i in range(10)}))
    found = compare_scores("m9", "m0", scores, models=10, chosen="leader")
    family = corrected([found])
    expected = stats.studentized_range.sf(found.evidence.t * sqrt(2), 10, found.evidence.freedom)
    assert family.differences[0].evidence.adjusted == pytest.approx(expected, rel=5e-3)
    assert family.reach is not None
    assert (family.reach.comparisons, family.reach.needed_for_all) == (45, 7)
    plain = compare_scores("m9", "m0", scores)
    assert found.evidence.high > plain.evidence.high


def test_measures_share_the_level() -> None:
    """Of two measures with one comparison each the smaller p counts twice."""
    assert adjusted(*differing(0.01), *differing(0.04, measure="time")) == pytest.approx([0.02, 0.04])


def test_the_same_comparison_twice_counts_once() -> None:
    """A pair that stands in two places of a report is one comparison, whichever variant is named first."""
    (first,) = differing(0.04)
    turned = replace(first, ahead=first.behind, behind=first.ahead)
    assert adjusted(first, turned) == [0.04, 0.04]
    assert corrected([first, turned]).reach == corrected([first]).reach


def test_what_is_not_compared_does_not_count() -> None:
    """A single seed, or another test set, makes no comparison that the others would be corrected for."""
    single = compare("c", "d", runs(c=[0.9], d=[0.5]))
    (first,) = differing(0.04)
    assert adjusted(single, first)[1] == 0.04
    assert corrected([single]).reach is None


def claimed(p: float) -> Evidence:
    """Return the evidence of a claim with this p."""
    (found,) = differing(p)
    return found.evidence


def test_claims_that_were_stated_late_pay_for_all_comparisons() -> None:
    """Two claims beside two comparisons: early ones count by Holm, and a late one counts four times."""
    early = corrected(differing(0.01, 0.02), [claimed(0.01), claimed(0.02)])
    assert [item.adjusted for item in early.claims] == pytest.approx([0.04, 0.04])  # twice, and two families
    late = corrected(differing(0.01, 0.02), [claimed(0.01), claimed(0.02)], [False, True])
    assert [item.adjusted for item in late.claims] == pytest.approx([0.02, 0.08])
    assert late.reach is not None
    assert late.reach.comparisons == 4


@pytest.mark.parametrize(("seeds", "smallest"), [(2, 1 / 3), (3, 0.1), (5, 2 / 252)])
def test_the_reach_is_that_of_the_rank_test(seeds: int, smallest: float) -> None:
    """With n seeds against n it cannot go below two choices of all; four seeds can go below 5 %."""
    found = corrected([compare("a", "b", runs(a=[0.9] * seeds, b=[0.5] * seeds))]).reach
    assert found is not None
    assert (found.seeds, found.needed) == (seeds, 4)
    assert found.smallest == pytest.approx(smallest)


def of(values: Sequence[float] | statistics.Array) -> Weighed:
    """Return a number of one model, with each seed."""
    return Weighed([sample(np.array(values))], np.array(values))


def test_alike_within_a_margin() -> None:
    """Differences of about 0.001 are within 0.01: two one-sided t tests, whose larger p counts."""
    values = np.array([0.001, 0.002, 0.0015])
    found = weigh_equivalence(of(values), 0.01)
    below = stats.ttest_1samp(values, 0.01, alternative="less").pvalue
    above = stats.ttest_1samp(values, -0.01, alternative="greater").pvalue
    assert found.p == pytest.approx(max(below, above))
    assert (found.wins, found.pairs, found.level, found.shown) == (3, 3, 0.9, True)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.9, 2, values.mean(), stats.sem(values)))


def test_too_uncertain_to_be_called_alike() -> None:
    """A mean of 0 is not enough: the seeds spread beyond the margin."""
    assert not weigh_equivalence(of([-0.02, 0.0, 0.02]), 0.01).shown


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_beyond_the_margin_is_shown_as_one(sign: int) -> None:
    """Differences of about 0.11 are beyond 0.01, on either side."""
    values = sign * np.array([0.10, 0.12, 0.11])
    found = weigh_equivalence(of(values), 0.01)
    assert found.p == pytest.approx(stats.ttest_1samp(values, sign * 0.01).pvalue)
    assert (found.wins, found.shown) == (3, True)


def test_the_sources_of_chance_are_told() -> None:
    """Seeds, test examples, both, or none: what was there to be tested."""
    right = np.tile([1.0, 0.0, 1.0], (3, 1))
    values = right.mean(axis=1)
    assert weigh(Weighed([sample(values, right)], values)).sources == "both"
    assert weigh(of([0.1, 0.2, 0.3])).sources == "seeds"
    assert weigh(Weighed([sample(values[:1], right[:1])], values[:1])).sources == "examples"
    assert weigh(of([0.1])).sources == "none"
    assert corrected([], [weigh(of([0.1]))]).claims[0].shown is False


def test_a_lucky_test_set_is_not_a_lead() -> None:
    """Seeds that agree to the digit say nothing of other examples: the interval over both is as wide as that."""
    right = np.tile(np.repeat([1.0, -1.0, 0.0], [6, 5, 89]), (3, 1))
    values = right.mean(axis=1)
    found = weigh(Weighed([sample(values, right)], values))
    assert (found.seed_low, found.seed_high) == pytest.approx((0.01, 0.01))
    assert found.low < 0 < found.high
    assert not found.shown


def test_a_spread_of_one_model_does_not_make_another_sure() -> None:
    """The steady model's spread is drawn towards that of the others, and its interval is the wider for it."""
    scores = scores_of(runs(a=[0.5, 0.5, 0.5], b=[0.4, 0.6, 0.5]))
    pooled = (0.0 + 0.01) / 2 * PRIOR_FREEDOM / (2 + PRIOR_FREEDOM)
    assert weigh(Weighed([scores["a"].sample], np.array([0.5] * 3))).t == pytest.approx(0.5 / sqrt(pooled / 3))
