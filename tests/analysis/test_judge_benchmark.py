"""The simulation of the judge, in small: its errors, and what it sees."""

import sys
from pathlib import Path

import numpy as np
import pytest

from reportgen.analysis import statistics
from reportgen.analysis.comparisons import compare_scores, corrected

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import judge


@pytest.mark.slow
def test_equal_models_are_seldom_told_apart_and_better_ones_often() -> None:
    """Of 150 reports of four equal models at most 9 % have something false (5 % and two standard errors)."""
    found = judge.rates(judge.Cell("plain", 4, 5, 200), reports=150, seen=40)
    assert found.wrong <= 0.09
    assert 0.92 <= found.leads <= 0.99
    assert 0.92 <= found.means <= 0.98
    assert found.power >= 0.85 * found.reference > 0.3


def test_a_real_difference_of_two_points_is_usually_clear() -> None:
    """With 1,000 examples and 5 seeds a plain t test over seeds sees it in 65 % of reports; so does the judge."""
    cell = judge.Cell("plain", 2, 5, 1000)
    random = np.random.default_rng(4)
    clear = 0
    for _ in range(60):
        right = judge._answers(judge.WORLDS["plain"], cell, [0.02, 0.0], random)
        scores = judge._scores([statistics.sample(own.mean(axis=1), own.astype(float)) for own in right])
        (found,) = corrected([compare_scores("m0", "m1", scores)]).differences
        clear += found.ahead == "m0" and found.verdict == "clear"
    assert clear / 60 >= 0.5


@pytest.mark.slow
def test_late_claims_and_claims_of_being_alike_are_seldom_false() -> None:
    """Of 60 reports of each kind at most 6 have something false: 5 % and two standard errors."""
    assert max(judge.claims_wrong(judge.Cell("plain", 4, 5, 200), 60)) <= 6 / 60


@pytest.mark.slow
def test_a_model_of_another_spread_misleads_the_judge_less_than_a_mixed_model() -> None:
    """Of ten equal models one has ten times the variance of the others."""
    own, mixed = judge.unlike(5, 100)
    assert own < mixed
    assert own <= 0.12


@pytest.mark.slow
def test_collapses_are_flagged_and_normal_seeds_are_not() -> None:
    """In reports of four models with five seeds, the usual size."""
    assert judge.collapses_flagged(4, 5, 40) >= 0.95
    assert judge.flagged(4, 5, 100) <= 0.05


def test_collapses_that_were_not_drawn_cannot_be_seen() -> None:
    """With thirty seeds a model that collapses once in ten runs is seldom called ahead; with three it often is."""
    assert judge.hidden(30, 100) <= 0.12
    assert judge.hidden(3, 100) > 0.3


@pytest.mark.parametrize("world", judge.WORLDS)
def test_the_worlds_are_what_they_say(world: str) -> None:
    """The accuracy over many seeds and examples is that which coverage is counted by."""
    drawn = judge._answers(judge.WORLDS[world], judge.Cell(world, 1, 400, 2000), [0.0], np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(judge._accuracy(judge.WORLDS[world]), abs=0.03)
