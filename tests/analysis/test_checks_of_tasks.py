"""The checks of forecasting and of addition, on the records that the tests of their reports make up."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest
from additions import DIGITS
from additions import results as added
from additions import suite as adding
from forecasts import record, suite
from forecasts import results as forecast

from reportgen.analysis.checks import Found
from reportgen.suite.declarations import Code
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite, SweepDeclaration
from reportgen.tasks.addition import checks as addition_checks
from reportgen.tasks.addition import findings as addition_findings
from reportgen.tasks.addition.results import Additions
from reportgen.tasks.addition.settings import (
    AdderSettings,
    AdditionRun,
    AdditionSettings,
    AdditionTrainingSettings,
)
from reportgen.tasks.forecasting import checks as forecasting_checks
from reportgen.tasks.forecasting import findings as forecasting_findings
from reportgen.tasks.forecasting.checks import error_of_mean
from reportgen.tasks.forecasting.results import Forecasts, collect


def of_forecasts(code: Code, results: Forecasts) -> Found | None:
    """Return what a check of forecasting finds."""
    return forecasting_checks.CHECKS[code](results, forecasting_findings.analyse(results))


def of_additions(code: Code, results: Additions) -> Found | None:
    """Return what a check of addition finds."""
    return addition_checks.CHECKS[code](results, addition_findings.analyse(results))


def swept(errors: dict[int, float]) -> Forecasts:
    """Return forecasts of a run with hidden size 8 and of a sweep around it, with these errors, one seed each."""
    around = SweepDeclaration(base="adam", grid={"model.hidden_size": tuple(n for n in errors if n != 8)})
    declared = suite({"adam": (0.1,)}).model_copy(
        update={"sweeps": (around,), "model": {"cell": "rnn", "hidden_size": 8}}
    )
    runs = runs_of(declared, "cpu")
    return collect([(run, record(run, errors[run.variant.settings.model.hidden_size])) for run in runs])


def test_a_forecasting_search_is_decided_by_the_test_part() -> None:
    """Of three hidden sizes, the leader is the one with the lowest error on the test part; that is told."""
    result = of_forecasts("RG101", swept({8: 0.1, 16: 0.2, 32: 0.05}))
    assert result is not None
    assert result.items == [{"model": "adam/hidden_size=32", "count": 3}]
    assert of_forecasts("RG101", forecast()) is None


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ({8: 0.1, 16: 0.2, 32: 0.05}, (32, "largest")),
        ({8: 0.1, 16: 0.05, 32: 0.2}, None),
        ({8: 0.1, 16: 0.2}, None),
    ],
    ids=["at the edge", "between", "two values have no edge"],
)
def test_the_forecast_error_decides_what_is_at_the_edge(
    errors: dict[int, float], expected: tuple[int, str] | None
) -> None:
    """The value with the lowest error may be the largest that was tried."""
    result = of_forecasts("RG202", swept(errors))
    assert (result and (result.items[0]["value"], result.items[0]["edge"])) == expected


def test_a_sine_that_was_trained_on_is_told() -> None:
    """The one test sequence of these records is in the training part, too: all of the test part."""
    result = of_forecasts("RG103", forecast())
    assert result is not None
    assert result.items == [{"models": ["adam", "lbfgs"], "count": 1, "total": 1, "share": 1.0}]


def test_a_forecast_as_bad_as_the_mean_is_told() -> None:
    """An error of the mean's own size fires; one a little smaller does not."""
    (run, *_) = runs_of(suite({"adam": (0.1,)}), "cpu")
    mean = error_of_mean(record(run, 0.1))
    assert mean == pytest.approx(float(np.square(np.sin([4, 5, 6, 7])).mean()))
    # the squared errors are 1, 1, 4 and 4 times that of the first half
    same, less = (mean * 1.0000001 / 2.5) ** 0.5, (mean * 0.9999999 / 2.5) ** 0.5
    result = of_forecasts("RG302", forecast({"adam": (0.1, same), "lbfgs": (0.1, less)}))
    assert result is not None
    assert [item["run"] for item in result.items] == ["adam/seed=1"]
    assert result.items[0]["mean"] == mean


@pytest.mark.parametrize(("seeds", "fires"), [(3, True), (7, False)])
def test_two_forecasters_need_more_than_three_seeds(seeds: int, fires: bool) -> None:
    """The report compares the leader with one other."""
    result = of_forecasts("RG305", forecast({"adam": (0.1,) * seeds, "lbfgs": (0.01,) * seeds}))
    assert (result is not None) is fires


def test_a_forecaster_that_diverged_is_told() -> None:
    """A NaN stands for a run that diverged."""
    result = of_forecasts("RG201", forecast({"adam": (0.1, nan), "lbfgs": (0.01, 0.01)}))
    assert result is not None
    assert result.items == [{"run": "adam/seed=1", "status": "diverged"}]
    assert of_forecasts("RG201", forecast()) is None


def test_sums_that_were_never_all_right_are_told() -> None:
    """The run that never had all sums right is named with the share that it ended with."""
    result = of_additions("RG204", added({"rnn/layers=1": (50, nan)}))
    assert result is not None
    assert result.items == [{"run": "rnn/layers=1/seed=1", "accuracy": 0.5}]
    assert of_additions("RG204", added({})) is None


def layers(*values: int) -> Suite:
    """Return a suite that sweeps the layers of a run that has two."""
    return adding([{"base": "rnn", "grid": {"model.layers": list(values)}}], DIGITS)


@pytest.mark.parametrize(
    ("fastest", "expected"), [("rnn/layers=4", "largest"), ("rnn/layers=1", "smallest"), ("rnn", None)]
)
def test_the_steps_to_right_sums_decide_what_is_at_the_edge(fastest: str, expected: str | None) -> None:
    """Of one, two and four layers, the value that was right first may be at the edge."""
    result = of_additions("RG202", added({fastest: (50, 50)}, declared=layers(1, 4)))
    assert (result and result.items[0]["edge"]) == expected


def test_lengths_of_numbers_have_no_edge() -> None:
    """Short numbers are learnt first, which is no reason to try still shorter ones."""
    declared = adding([{"base": "rnn", "grid": {"data.digits": [3, 8]}}], DIGITS)
    assert of_additions("RG202", added({"rnn/digits=3": (50, 50)}, declared=declared)) is None


def run_of(digits: int, steps: int) -> AdditionRun:
    """Return the settings of a run that sees one pair a step."""
    return AdditionRun(
        data=AdditionSettings(source="addition", digits=digits),
        model=AdderSettings(cell="rnn"),
        training=AdditionTrainingSettings(steps=steps, batch_size=1),
    )


@pytest.mark.parametrize(("digits", "steps"), [(1, 1), (1, 50), (1, 500), (2, 3_000)])
def test_the_expected_share_of_pairs_seen_is_that_of_the_formula(digits: int, steps: int) -> None:
    """1 − (1 − 10^(−2 digits))^N, also where that is nearly nothing."""
    expected = 1 - (1 - 10.0 ** (-2 * digits)) ** steps
    assert addition_checks.expected_share(run_of(digits, steps)) == pytest.approx(expected)
    assert addition_checks.expected_share(run_of(50_000, steps)) == pytest.approx(0, abs=1e-100)


def test_the_expected_share_is_what_draws_give() -> None:
    """Of a hundred pairs of one digit, 120 draws leave about three in ten unseen, over many trials."""
    random = np.random.default_rng(0)
    seen = np.mean([len(set(random.integers(100, size=120).tolist())) / 100 for _ in range(2_000)])
    assert addition_checks.expected_share(run_of(1, 120)) == pytest.approx(float(seen), abs=0.005)


@pytest.mark.parametrize(("digits", "fires"), [(3, True), (5, False)])
def test_numbers_so_short_that_they_are_learnt_by_heart_are_told(digits: int, fires: bool) -> None:
    """500 steps of 200 pairs see a tenth of the pairs of three digits, and next to none of those of five."""
    declared = adding([], ({"name": "rnn", "data": {"digits": digits}},))
    result = of_additions("RG103", added({}, declared=declared))
    assert (result is not None) is fires
    if result:
        assert result.items == [{"model": "rnn", "share": pytest.approx(0.0952, abs=1e-4)}]


def test_dates_that_run_backwards_are_told() -> None:
    """With their column, how often, and where first; not of dates that run forwards, nor of sines."""
    declared = suite({"adam": (0.1,)})
    (run,) = runs_of(declared, "cpu")

    def with_table(backwards: int) -> Forecasts:
        made = record(run, 0.1)
        table = {
            "encoding": "UTF-8",
            "separator": ",",
            "dates": "Date",
            "backwards": backwards,
            "backwards_line": 3,
        }
        data = {**made.data, "table": {**table, "backwards_line": 3}}
        return collect([(run, replace(made, data=data))])

    result = of_forecasts("RG206", with_table(59))
    assert result is not None
    assert result.items == [{"models": ["adam"], "column": "Date", "count": 59, "line": 3}]
    assert of_forecasts("RG206", with_table(0)) is None
    assert of_forecasts("RG206", forecast()) is None
