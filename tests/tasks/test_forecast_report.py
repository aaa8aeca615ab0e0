"""The report of a forecasting suite, from records made up by hand: its numbers, figures and sentences."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
from artists import heights, places
from forecasts import ALIKE, TRUTH, Errors, results, suite
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose, assert_array_equal

from reportgen import pipeline
from reportgen.analysis.display_limits import lowest
from reportgen.analysis.studies import FORECAST_ERROR, sweeps
from reportgen.figures.style import series_style
from reportgen.figures.sweeps import swept
from reportgen.i18n.languages import Language, load_languages
from reportgen.report.markdown import write
from reportgen.resources import TEMPLATES
from reportgen.tasks.forecasting.context import build_context
from reportgen.tasks.forecasting.figures import errors, forecasts, training
from reportgen.tasks.forecasting.findings import analyse

pytestmark = pytest.mark.usefixtures("fonts_of_reports")

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


def report(by_seed: Errors, language: Language = EN) -> str:
    """Return the Markdown of the report."""
    found = results(by_seed)
    names = ("forecast_from_half", "forecast_from_one", "errors", "training", "sweep-1")
    figures = {name: f"{name}.svg" for name in names}
    context = build_context(suite(by_seed), found, analyse(found), figures, language, quick=False)
    return write(context, language, [TEMPLATES])


def test_the_tables_hold_the_records() -> None:
    """A row a run, a row an evaluation, a row a point ahead; a diverged run has no numbers."""
    found = results({"adam": (0.1, np.nan), "lbfgs": (0.01, 0.02)})
    assert list(found.runs["status"]) == ["finished", "diverged", "finished", "finished"]
    assert_allclose(found.runs["forecast_from_half"], [0.025, np.nan, 0.00025, 0.001])
    assert list(found.evaluations.groupby("run", sort=False).size()) == [5, 3, 3]
    own = found.errors[(found.errors["run"] == "lbfgs/seed=1") & (found.errors["given"] == "from_half")]
    assert list(own["horizon"]) == [1, 2, 3, 4]
    assert_allclose(own["error"], [0.02, 0.02, 0.04, 0.04])
    assert found.task == "forecasting"


def test_the_comparison_has_means_and_the_best() -> None:
    """Means and spreads are plain ones over the finished seeds; the lowest of each measure is the best."""
    table = analyse(results({"adam": (0.1, 0.3), "lbfgs": (0.01, np.nan)})).comparison.set_index("variant")
    assert_allclose(table["forecast_from_half"], [0.125, 0.00025])
    assert_allclose(table["forecast_from_half_std"], [0.1 * 2**0.5, np.nan])
    assert list(table["finished"]) == [2, 1]
    assert list(table["best_train_loss"]) == [False, True]
    assert list(table["evaluations"]) == [5, 3]


def test_errors_are_averaged_and_compared_on_a_logarithmic_scale() -> None:
    """One bad seed does not outweigh two good ones, and a lead is a factor: 10 ** mean."""
    found = analyse(results({"a": (0.001, 0.001, 1.0), "b": (0.05, 0.05, 0.05)}))
    assert found.leader == "a"
    assert_allclose(found.leader_error, 2.5 * 0.01**2)
    (difference,) = found.differences
    assert (difference.ahead, difference.behind, difference.wins, difference.pairs) == ("a", "b", 2, 3)
    assert_allclose(10**difference.mean, 25)
    assert difference.verdict == "open"
    assert not found.comparison.set_index("variant")["best_forecast_from_half"]["a"]


def test_a_lead_in_every_seed_beyond_the_spread_is_clear() -> None:
    """Errors of a hundredth in every seed are clearly lower: by a factor of 100 in the mean square."""
    found = analyse(results({"a": (0.1, 0.12, 0.11), "b": (0.01, 0.012, 0.011)}))
    (difference,) = found.differences
    assert (difference.ahead, difference.verdict) == ("b", "clear")
    assert_allclose(difference.mean, 2)


def test_the_drift_is_the_error_of_each_half_of_the_horizon() -> None:
    """These forecasts are twice as far off in the second half; the steadiest has the lowest late error."""
    found = analyse(results({"a": (0.1, 0.4), "b": (0.1, 0.1)}))
    assert [(drift.variant, round(drift.growth, 9)) for drift in found.drifts] == [("a", 2), ("b", 2)]
    assert_allclose([drift.early for drift in found.drifts], [0.2, 0.1])
    assert_allclose([drift.late for drift in found.drifts], [0.4, 0.2])
    assert found.steadiest == "b"
    assert [d.ahead for d in found.drift_differences] == ["b"]


def test_a_race_is_run_to_the_loss_that_both_reach() -> None:
    """Adam ends at 1/16, which L-BFGS has after two of its evaluations: it is ahead by 5/2, in time as well."""
    (race,) = analyse(results()).races
    assert race.loss == 1 / 16
    assert race.needed == {"adam": (5, 5), "lbfgs": (2, 2)}
    assert (race.evaluations.ahead, race.evaluations.verdict) == ("lbfgs", "clear")
    assert_allclose(10**race.seconds.mean, 2.5)


def test_models_of_one_optimizer_do_not_race() -> None:
    """Only pairs that differ in the optimizer are compared; a diverged rival leaves nothing to compare."""
    assert analyse(results({"a": (0.1,), "b": (0.1,)})).races == []
    assert analyse(results({"adam": (np.nan,), "lbfgs": (0.1,)})).races == []


def test_the_learning_curve_ends_with_the_shortest_run() -> None:
    """The loss of each evaluation is a geometric mean over all seeds, with the mean of the seconds."""
    curve = analyse(results()).learning
    own = curve[curve["variant"] == "adam"]
    assert_allclose(own["mean"], [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16])
    assert_allclose(own["low"], own["mean"])
    assert list(own["seconds"]) == [1, 2, 3, 4, 5]
    assert list(own["n"]) == [3] * 5


def test_the_lowest_stay_in_their_order() -> None:
    """Of many variants those with the lowest errors are shown, in the order of the suite."""
    assert lowest({"a": 0.3, "b": 0.1, "c": 0.2}, 2) == ["b", "c"]


@pytest.mark.parametrize(("given", "start"), [("from_half", 4), ("from_one", 1)])
def test_a_panel_shows_what_is_given_told_and_true(given: str, start: int) -> None:
    """Each model's panel has the truth, the points given and the forecast, and a stroke between the two."""
    found = results()
    records = {"Adam": found.records["adam/seed=0"], "L-BFGS": found.records["lbfgs/seed=0"]}
    figure = forecasts(records, given, EN)
    for panel, (label, own) in zip(figure.axes, records.items(), strict=True):
        truth, known, told, stroke = panel.lines
        assert panel.get_title(loc="left") == label
        assert_array_equal(heights(truth), TRUTH[0])
        assert_array_equal(heights(known), TRUTH[0, :start])
        assert_array_equal(heights(told), own.arrays[f"forecast_{given}"][0])
        assert_array_equal(places(told), np.arange(start + 1, 9))
        assert set(places(stroke)) == {start + 0.5}
        assert len({line.get_linestyle() for line in (truth, known, told)}) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Truth", "Given", "Forecast"]


def test_a_wild_forecast_does_not_flatten_the_others() -> None:
    """The axis is that of the truth and some more, however far off a network is."""
    figure = forecasts({"a": results({"a": (1e6,)}).records["a/seed=0"]}, "from_half", EN)
    low, high = figure.axes[0].get_ylim()
    assert high - low < 3 * float(np.ptp(TRUTH))


def test_the_error_figure_has_a_line_and_a_band_a_model() -> None:
    """Both panels have the geometric means, in a style of their own, on a logarithmic axis with plain numbers."""
    found = analyse(results({"a": (0.1, 0.4), "b": (0.01, 0.01)}))
    figure = errors(found.horizons, {"a": "A", "b": "B"}, ZH)
    half, one = figure.axes
    assert_allclose(heights(half.lines[0]), [0.2, 0.2, 0.4, 0.4])
    assert_allclose(heights(one.lines[1]), [0.01] * 3 + [0.02] * 4)
    assert [panel.get_yscale() for panel in figure.axes] == ["log", "log"]
    assert half.yaxis.get_major_formatter()(0.001, 0) == "0.001"
    for index, line in enumerate(half.lines):
        assert line.get_linestyle() == series_style(index)["linestyle"]
        assert to_hex(str(line.get_color())).upper() == series_style(index)["color"]
    corners = np.asarray(half.collections[0].get_paths()[0].vertices)
    assert_allclose(corners[:, 1].min(), 10 ** (np.log10([0.1, 0.4]).mean() - np.log10([0.1, 0.4]).std(ddof=1)))
    assert half.get_title() == "已知一半的点"


def test_the_training_figure_has_evaluations_and_seconds() -> None:
    """The same losses stand against both."""
    figure = training(analyse(results()).learning, {"adam": "Adam", "lbfgs": "L-BFGS"}, EN)
    for panel, title in zip(figure.axes, ("Evaluations of the loss", "Seconds"), strict=True):
        assert panel.get_xlabel() == title
        assert_allclose(heights(panel.lines[1]), [1, 1 / 16, 1 / 64])
        assert_allclose(places(panel.lines[0]), [1, 2, 3, 4, 5])


CLEAR, OPEN = ((0.01, 0.011, 0.012), (0.1, 0.11, 0.12)), ((0.01, 0.01, 0.1), (0.05, 0.04, 0.05))
SENTENCES: dict[tuple[str, tuple[tuple[float, ...], tuple[float, ...]]], tuple[str, ...]] = {
    ("en", CLEAR): (
        "{best} has the lowest forecast error from half of the points: a mean squared error of 0.000301",
        "{best} is clearly ahead of {other}, whose error is 100 times as large",
        "{best} clearly drifts less than {other}, whose late error is 10 times as large",
        "It is clearly ahead of {other}.",
        "It clearly drifts less than {other}.",
        "LBFGS clearly needs fewer evaluations than ADAM: ADAM needs 2.5 times as many",
        "Clearly less time to it: LBFGS against ADAM (by a factor of 2.5).",
    ),
    ("en", OPEN): (
        "The error of {other} is 4.64 times that of {best} on average",
        "Whether it is ahead of {other} is inconclusive.",
        "The late error of {other} is 2.15 times that of {best} on average",
        "Whether it drifts less than {other} is inconclusive.",
    ),
    ("zh", CLEAR): (
        "{best}明确优于{other}：后者的误差是前者的 100 倍",
        "{best}明确比{other}偏离得慢，后者后半段的误差是前者的 10 倍",
        "它明确优于{other}。",
        "它明确比{other}偏离得慢。",
        "LBFGS 所需的求值次数明确少于 ADAM，后者是前者的 2.5 倍",
        "LBFGS 明确比 ADAM 快，后者的用时是前者的 2.5 倍",
        "用时明确更短的有：LBFGS 相对于 ADAM（后者是前者的 2.5 倍）。",
    ),
    ("zh", OPEN): (
        "{other}的误差平均是{best}的 4.64 倍",
        "它与{other}的差异不显著，尚无定论。",
        "{other}后半段的误差平均是{best}的 2.15 倍",
        "它与{other}后半段误差的差异不显著，尚无定论。",
    ),
}


@pytest.mark.parametrize(("best", "other"), [("adam", "lbfgs"), ("lbfgs", "adam")])
@pytest.mark.parametrize(("code", "by_seed"), SENTENCES)
def test_the_sentences_name_the_winner_on_either_side(
    best: str, other: str, code: str, by_seed: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    """Whoever has the lower error is named, as firmly as the seeds allow: in ranking, drift, races and summary."""
    lower, higher = by_seed
    text = "".join(report({best: lower, other: higher}, ZH if code == "zh" else EN).split())
    for sentence in SENTENCES[code, by_seed]:
        assert "".join(sentence.format(best=best.upper(), other=other.upper()).split()) in text


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_equal_errors_have_no_winner(language: Language) -> None:
    """Models that err alike are told to, in the forecast and in the drift, and none is said to be the best."""
    text = report({"adam": (0.1, 0.2), "lbfgs": (0.1, 0.2)}, language)
    for kind in ("forecast", "drift"):
        assert f"- {language.say(f'forecasting.{kind}.tie', leader='ADAM', other='LBFGS')}" in text
    both = language.listing(["ADAM", "LBFGS"])
    assert (
        text.count(language.say("forecasting.forecast.tied", leaders=both, error="0.0354").split("0.0354")[0]) == 2
    )
    assert text.count(language.say("forecasting.drift.tied", model=both, error="0").split("0")[0]) == 2
    assert "has the lowest" not in text


def test_a_model_that_its_diverged_runs_put_behind_is_not_marked() -> None:
    """Its single finished run is the best of all, but two diverged: neither sentence nor table prefers it."""
    found = results({"a": (0.05, nan, nan), "b": (0.1, 0.11, 0.12), "c": (0.2, 0.21, 0.22)})
    findings = analyse(found)
    assert findings.leader == "b"
    marks = findings.comparison.set_index("variant")["best_forecast_from_half"]
    assert marks.to_dict() == {"a": False, "b": True, "c": False}
    whole = analyse(results({"a": (0.01, 0.01, 0.01), "b": (0.1, nan, 0.12)})).comparison.set_index("variant")
    assert whole["best_forecast_from_half"].to_dict() == {"a": True, "b": False}


def test_a_lead_within_the_spread_is_not_called_one() -> None:
    """Where seeds disagree, ranking and drift are left open; the table's plain mean may say otherwise."""
    text = " ".join(report({"a": (0.001, 0.001, 1.0), "b": (0.05, 0.05, 0.05)}).split())
    assert "A is ahead with 2 of 3 seeds" in text
    assert "inconclusive" in text
    assert "Whether it drifts less than B is inconclusive." in text
    assert "By the plain mean in the table another model is ahead" in text
    assert "clearly" not in text


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_lead_that_hangs_on_a_collapse_says_so(language: Language) -> None:
    """One of five runs of the model behind errs a hundred times as much: the sentence and the summary name it."""
    errors = {"adam": (0.1, 0.11, 0.105, 0.102, 10.0), "lbfgs": (0.05, 0.051, 0.052, 0.049, 0.05)}
    text = report(errors, language)
    assert language.say("method.odd_seed", model="ADAM", seed="4") in text
    assert language.say("summary.odd_seed", model="ADAM", seed="4") in text
    assert "RG306" in text
    assert "RG306" not in report({**errors, "adam": (0.1, 0.11, 0.105, 0.102, 0.1)}, language)


def test_a_diverged_run_stands_in_a_table() -> None:
    """The run has its row with the reason, and its model a note of fewer seeds."""
    text = report({"adam": (0.1, np.nan), "lbfgs": (0.01, 0.02)})
    assert "| adam/seed=1 | diverged | the loss is not finite in step 3 |" in text
    assert "| ADAM (1 seed) |" in text
    assert "One run did not finish." in text


def test_a_suite_of_which_nothing_finished_still_has_a_report() -> None:
    """There are no figures then, and the report says that nothing can be compared."""
    for language in (ZH, EN):
        text = report({"adam": (np.nan,), "lbfgs": (np.nan,)}, language)
        assert text.count(language.say("analysis.nothing")) == 2
        assert "![" not in text


def test_a_single_model_is_compared_with_none() -> None:
    """One model has no lead and is not the best of anything."""
    text = report({"a": (0.1, 0.2)})
    assert "has the lowest" not in text
    assert "**0." not in text.partition("## 7.")[2]


@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_forecasting_report_is_the_golden_one(code: str, golden: Callable[[str, str], None]) -> None:
    """The same records give the same Markdown, to the letter."""
    by_seed = {"adam": (0.1, 0.11, np.nan), "lbfgs": (0.01, 0.02, 0.011)}
    golden(f"forecasting.{code}.md", report(by_seed, ZH if code == "zh" else EN))


def test_the_numbers_have_the_runs_that_they_come_from(tmp_path: Path) -> None:
    """results.json names for each number the finished runs behind it; the tables are CSV."""
    found = results({"adam": (0.1, np.nan), "lbfgs": (0.01, 0.02)})
    findings = pipeline.analyse(found)
    paths = pipeline.numbers(found, findings, tmp_path, suite())
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    by_name = {number["name"]: number for number in content["numbers"]}
    late = by_name["drift.lbfgs.late"]
    assert late["runs"] == ["lbfgs/seed=0", "lbfgs/seed=1"]
    assert_allclose(late["value"], 2 * (0.01 * 0.02) ** 0.5)
    assert by_name["comparison.adam.forecast_from_half"]["runs"] == ["adam/seed=0"]
    assert content["runs"]["adam/seed=1"]["train_loss"] is None
    assert content["runs"]["adam/seed=0"]["step_log"][0]["train_loss"] == 0.25
    assert sorted(paths) == sorted(
        ["results.json", *(f"tables/{path.name}" for path in (tmp_path / "tables").iterdir())]
    )
    assert (tmp_path / "tables" / "drift.csv").read_text("utf-8").startswith("variant,early,late,growth\n")


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_the_figures_of_a_forecasting_suite_have_their_names(language: Language, tmp_path: Path) -> None:
    """There are four figures, each with the words of its language."""
    found = results()
    paths = pipeline.draw(found, pipeline.analyse(found), [language], tmp_path)[language.code]
    assert list(paths) == ["forecast_from_half", "forecast_from_one", "errors", "training"]
    for name, key in (("errors", "horizon"), ("training", "evaluation"), ("forecast_from_one", "truth")):
        words = re.sub(r"<[^>]*>", "", (tmp_path / paths[name]).read_text("utf-8"))
        assert language.say(f"figure.{key}") in words


SIZES: Errors = {"adam": (0.1, 0.1), "adam/hidden_size=8": (0.1, 0.4), "adam/hidden_size=99": (0.02, 0.02)}


def test_a_swept_setting_has_its_errors() -> None:
    """Each value has the geometric mean of its seeds and their spread, and the validation part chooses."""
    found = results(SIZES)
    (sweep,) = sweeps(found, FORECAST_ERROR).values()
    assert list(sweep.averages["value"]) == [8, 51, 99]
    assert_allclose(sweep.averages["mean"], [0.1, 0.025, 0.001])
    spread = 10 ** float(np.std(np.log10([0.01, 0.16]), ddof=1))
    assert_allclose(sweep.averages["high"] / sweep.averages["mean"], [spread, 1, 1])
    better = {name: 0.25 if name == "adam" else 0.5 for name in SIZES}
    chosen = replace(found, runs=found.runs.assign(validation_error=found.runs["variant"].map(better)))
    (best,) = next(iter(sweeps(chosen, FORECAST_ERROR).values())).best
    assert (best.value, best.at_edge) == (51, "")
    assert best.validation == pytest.approx(0.25)
    figure = swept(sweep, {"adam": "ADAM"}, EN)
    assert figure.axes[0].get_yscale() == "log"
    assert_allclose(heights(figure.axes[0].lines[1]), sweep.averages["mean"])


def test_the_report_tells_the_value_of_a_swept_setting() -> None:
    """Without a validation part it says that the test part chose, in both languages."""
    text = report(SIZES)
    assert "![Figure 5: Mean squared error of the forecast from half of the points against Hidden size" in text
    assert "ADAM has its lowest error, 0.001, at Hidden size = 99" in text
    assert "may be better" in text
    assert "ADAM 在隐藏层维度为 99 时误差最低" in report(SIZES, ZH)
    assert "Settings that were varied" not in report(ALIKE)
