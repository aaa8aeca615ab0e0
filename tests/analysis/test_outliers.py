"""Runs far from the other seeds of their model: which are flagged, and how seldom one is without cause."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from reportgen.analysis import statistics
from reportgen.analysis.comparisons import Score, Scores
from reportgen.analysis.outliers import Outlier, outliers


def scores(models: Mapping[str, Sequence[float]], resolution: float = 0.0) -> Scores:
    """Return by model the scores with seeds 10, 11, …"""
    return {
        name: Score(dict(enumerate(values, 10)), statistics.sample(np.array(values), resolution=resolution))
        for name, values in models.items()
    }


def named(given: Scores) -> list[tuple[str, int]]:
    """Return model and seed of the runs that are flagged."""
    return [(item.variant, item.seed) for item in outliers(given)]


def test_a_run_that_collapsed_is_named() -> None:
    """With five seeds: its model, its seed, its score, and the median of the other four."""
    given = scores({"rnn": [0.80, 0.81, 0.805, 0.60, 0.803], "lstm": [0.82, 0.815, 0.825, 0.818, 0.822]})
    (found,) = outliers(given)
    assert (found.variant, found.seed, found.value, found.others) == ("rnn", 13, 0.60, 4)
    assert found.middle == pytest.approx((0.803 + 0.805) / 2)


def test_three_seeds_are_enough_where_other_models_show_the_spread() -> None:
    """Of three seeds alone two that are close by chance say little; of one model nothing is flagged then."""
    rnn = [0.80, 0.60, 0.805]
    others = {"lstm": [0.82, 0.815, 0.825], "gru": [0.81, 0.805, 0.815], "peephole": [0.812, 0.807, 0.81]}
    assert named(scores({"rnn": rnn, **others})) == [("rnn", 11)]
    assert named(scores({"rnn": rnn})) == []
    assert named(scores({"rnn": rnn[:2], **others})) == []


def test_a_run_far_above_the_others_is_flagged_too() -> None:
    """A lucky run makes a lead no less than a collapse does."""
    assert named(scores({"a": [0.5, 0.505, 0.9, 0.495, 0.5], "b": [0.5, 0.5, 0.51, 0.505, 0.5]})) == [("a", 12)]


def test_collapses_do_not_hide_one_another() -> None:
    """Two of five seeds of one model, and one of another, each in the spread that the others make."""
    given = scores(
        {
            "a": [0.80, 0.60, 0.805, 0.61, 0.803],
            "b": [0.82, 0.815, 0.825, 0.818, 0.60],
            "c": [0.81, 0.812, 0.808, 0.81, 0.806],
        }
    )
    assert named(given) == [("a", 11), ("a", 13), ("b", 14)]


def test_a_model_that_spreads_more_than_the_rest_has_no_odd_run_for_that() -> None:
    """Its five seeds lie evenly over a range of 20 points; those of the others within one."""
    given = scores(
        {
            "a": [0.60, 0.65, 0.70, 0.75, 0.80],
            "b": [0.8, 0.801, 0.802, 0.803, 0.804],
            "c": [0.7, 0.701, 0.702, 0.7, 0.7],
        }
    )
    assert named(given) == []


def test_a_row_of_the_log_is_no_distance() -> None:
    """Steps are known to the rows of the log: one of five runs a row later than the rest is nothing."""
    assert (
        named(scores({"a": [-300.0, -300, -300, -350, -300], "b": [-400.0, -400, -400, -400, -400]}, 50.0)) == []
    )
    assert named(
        scores({"a": [-300.0, -300, -300, -1500, -300], "b": [-400.0, -400, -400, -400, -400]}, 50.0)
    ) == [("a", 13)]


def test_the_noise_of_single_answers_is_no_distance() -> None:
    """Runs that agree by chance do not make one with three more mistakes of 100 an odd one."""
    random = np.random.default_rng(5)
    right = [(random.random((5, 100)) < 0.8).astype(float) for _ in range(3)]
    given = {
        f"m{i}": Score(dict(enumerate(own.mean(axis=1))), statistics.sample(own.mean(axis=1), own))
        for i, own in enumerate(right)
    }
    assert outliers(given) == []


@pytest.mark.parametrize(("models", "seeds"), [(2, 3), (2, 5), (4, 3), (4, 5)])
def test_normal_seeds_are_seldom_flagged(models: int, seeds: int) -> None:
    """With normal seeds and like spreads, at most 4 % of reports: 6 of 150, and two standard errors."""
    random = np.random.default_rng(models * seeds)
    drawn = random.normal(0, 0.006, (150, models, seeds))
    flagged = sum(bool(outliers(scores({f"m{i}": list(own) for i, own in enumerate(report)}))) for report in drawn)
    assert flagged <= 11


def test_an_outlier_says_what_it_is() -> None:
    """All fields of a flagged run, of a model with seeds 10 to 14."""
    (found,) = outliers(scores({"a": [1.0, 1.01, 0.99, 1.0, 5.0], "b": [1.0, 1.02, 0.98, 1.0, 1.01]}))
    assert found == Outlier("a", 14, 5.0, 1.0, 4)
