"""The report of an addition suite, from records made up by hand: its numbers, figures and sentences."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from additions import EN, LAYERS, STEPS, ZH, record, results, suite
from artists import heights, places
from numpy.testing import assert_allclose, assert_array_equal

from reportgen import pipeline
from reportgen.analysis.studies import names_of
from reportgen.figures.style import series_style
from reportgen.i18n.languages import Language
from reportgen.report.markdown import write
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite
from reportgen.tasks.addition.context import build_context
from reportgen.tasks.addition.figures import curves, heat, lengths, steps
from reportgen.tasks.addition.findings import Generalisation, analyse, by_setting
from reportgen.tasks.addition.results import Additions, collect

pytestmark = pytest.mark.usefixtures("fonts_of_reports")
GRID = [{"base": "rnn", "grid": {"model.layers": [1, 2], "training.learning_rate": [0.001, 0.1]}}]

NEVER = float("nan")


def report(found: Additions, language: Language = EN, declared: Suite | None = None) -> str:
    """Return the Markdown of the report."""
    findings = analyse(found)
    names = [f"study-{number}" for number in range(1, len(findings.studied) + 1)]
    names += [f"steps-{number}" for number in range(1, len(by_setting(findings)) + 1)]
    names += [f"grid-{number}" for number in range(1, len(findings.grids) + 1)]
    figures = {name: f"{name}.svg" for name in [*names, *(["lengths"] if len(findings.lengths) else [])]}
    context = build_context(declared or suite(), found, findings, figures, language, quick=False)
    return write(context, language, [TEMPLATES])


ONE, FOUR = "rnn/layers=1", "rnn/layers=4"


def test_the_tables_hold_the_records() -> None:
    """A row a run, and a row a logged step; a step that was never reached is no number."""
    found = results({ONE: (50, NEVER)})
    own = found.runs[found.runs["variant"] == ONE]
    assert_array_equal(own["first_step"], [50, np.nan])
    assert_array_equal(own["exact_accuracy"], [1, 0.5])
    assert list(found.steps.loc[found.steps["run"] == f"{ONE}/seed=0", "step"]) == list(STEPS)
    assert found.task == "addition"


def test_a_mean_of_first_steps_needs_every_seed() -> None:
    """With a seed that never got there a mean over the others would be too good."""
    table = analyse(results({ONE: (50, NEVER), FOUR: (50, 150)})).comparison.set_index("variant")
    assert_array_equal(table["first_step"], [100, np.nan, 100])
    assert table["exact_accuracy"][ONE] == 0.75


def test_a_study_has_the_fastest_of_those_that_got_there() -> None:
    """A value that a seed never got right with cannot be the fastest, however fast the other seed was."""
    (studied,) = analyse(results({ONE: (50, NEVER), "rnn": (150, 150), FOUR: (100, 100)})).studied
    assert studied.reached == ["rnn", FOUR]
    assert studied.missed == [ONE]
    assert studied.fastest == FOUR
    assert studied.lead is not None
    assert (studied.lead.behind, studied.lead.mean, studied.lead.verdict) == ("rnn", 50, "open")


def test_where_nobody_got_there_nobody_is_fastest() -> None:
    """Without a value that every seed got right there is no lead; with one alone there is none either."""
    never = dict.fromkeys(("rnn", ONE, FOUR), (NEVER, NEVER))
    (studied,) = analyse(results(never)).studied
    assert (studied.reached, studied.fastest, studied.lead) == ([], None, None)
    (studied,) = analyse(results({**never, ONE: (50, 50)})).studied
    assert (studied.fastest, studied.lead) == (ONE, None)


def test_the_curves_are_averaged_over_the_seeds() -> None:
    """The loss on a logarithmic scale, the share of right sums as it is, its band within 0 and 1."""
    table = analyse(results({"rnn": (100, 150)})).curves
    loss, exact = (
        table[(table["variant"] == "rnn") & (table["metric"] == metric)]
        for metric in ("test_loss", "exact_accuracy")
    )
    assert_allclose(loss["mean"], [1, 0.1, 0.01, 0.01])
    assert_allclose(exact["mean"], [0.5, 0.75, 1, 1])
    assert_allclose(exact["high"], [0.5, 1, 1, 1])
    assert_allclose(exact["low"], [0.5, 0.75 - 0.5 / 2**0.5, 1, 1])


HOLDS = {3: (1.0, 1.0), 50: (1.0, 1.0)}
FAILS = {3: (1.0, 1.0), 50: (0.5, 0.98)}


def test_the_carry_holds_or_not_at_each_length() -> None:
    """A length holds with 99% of the sums in every seed; what is not learnt at its own length is not judged."""
    found = analyse(results({FOUR: (NEVER, NEVER)}, {"rnn": HOLDS, ONE: FAILS, FOUR: HOLDS}))
    assert found.generalisations == [
        Generalisation("rnn", 5, [3, 50], []),
        Generalisation(ONE, 5, [3], [(50, 0.5, 0.98)]),
    ]
    assert found.unlearnt == [FOUR]
    assert list(found.lengths.loc[found.lengths["variant"] == "rnn", "digits"]) == [3, 5, 50]


def test_a_run_with_two_names_is_tested_once() -> None:
    """A point of a sweep that is the same training as a run of another name has no rows of its own."""
    runs = runs_of(suite(), "cpu")
    found = collect([(run, record(run, 100, HOLDS, f"k{run.seed}")) for run in runs])
    assert set(found.lengths["variant"]) == {"rnn"}


def test_a_studys_figure_has_a_line_a_value() -> None:
    """Loss and right sums stand side by side, each line named by its value, in a style of its own."""
    found = results({ONE: (50, 50), "rnn": (150, 150)})
    findings = analyse(found)
    names = names_of(findings.studied[0].study, [ONE, "rnn", FOUR], {}, EN)
    assert list(names.values()) == ["1", "2", "4"]
    figure = curves(findings.curves, names, EN)
    loss, exact = figure.axes
    assert_allclose(heights(loss.lines[0]), [0.01] * 4)
    assert_allclose(heights(exact.lines[1]), [0.5, 0.5, 1, 1])
    assert (loss.get_yscale(), exact.get_yscale()) == ("log", "linear")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["1", "2", "4"]
    assert [line.get_linestyle() for line in loss.lines] == [series_style(i)["linestyle"] for i in range(3)]


def test_equal_values_are_told_apart_by_their_labels() -> None:
    """Where two variants of a study have the same value, the figure calls them by their labels."""
    sweeps = [*LAYERS, {"base": "rnn", "grid": {"model.layers": [4], "training.steps": [10]}}]
    (studied,) = analyse(results({}, declared=suite(sweeps))).studied
    labels = {name: name.upper() for name in studied.study.values}
    assert names_of(studied.study, list(labels), labels, EN) == labels


def test_a_run_that_never_got_there_stands_at_the_top_edge() -> None:
    """The line goes through complete means alone; a hollow triangle near the top marks what was never right."""
    found = results({ONE: (50, 150), FOUR: (100, NEVER)})
    (studies,) = by_setting(analyse(found))
    figure = steps(studies, found.runs, {"rnn": "RNN"}, EN)
    (axes,) = figure.axes
    dots, line, never = axes.lines[:3]
    assert_array_equal(heights(dots), [100, 100, 50, 150, 100, np.nan])
    assert_array_equal(places(line), [1, 2])
    assert_array_equal(heights(line), [100, 100])
    assert_array_equal(places(never), [4])
    assert never.get_transform() == axes.get_xaxis_transform()
    assert 0.9 < heights(never)[0] < 1
    assert axes.get_ylim()[1] > 150 * 1.1
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[0] == "RNN"
    assert " ".join(legend[1].split()) == EN.say("figure.never")
    assert axes.get_xscale() == "linear"


def test_a_logarithmic_grid_has_a_logarithmic_axis() -> None:
    """From eightfold on the values are spread evenly, with a tick at each."""
    rates = suite([{"base": "rnn", "grid": {"training.learning_rate": [0.00001, 0.1]}}])
    found = results({}, declared=rates)
    (studies,) = by_setting(analyse(found))
    (axes,) = steps(studies, found.runs, {"rnn": "RNN"}, EN).axes
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1e-05", "0.001", "0.1"]


def test_a_heat_map_has_a_cell_a_combination() -> None:
    """The first setting goes down, the second across; where a seed never got there stands a dash."""
    declared = suite(GRID)
    cell = "rnn/layers=1, learning_rate=0.1"
    found = results({"rnn": (200, 200), cell: (50, NEVER)}, declared=declared)
    findings = analyse(found)
    figure = heat(findings.grids[0], findings.comparison, EN)
    exact, first = figure.axes
    assert np.asarray(exact.images[0].get_array(), float).tolist() == [[1, 0.75], [1, 1]]
    assert [text.get_text() for text in exact.texts] == ["100.0%", "75.0%", "100.0%", "100.0%"]
    assert [text.get_text() for text in first.texts] == ["100", "—", "200", "100"]
    assert [tick.get_text() for tick in first.get_yticklabels()] == ["1", "2"]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["0.001", "0.1"]


def test_the_figure_of_lengths_has_sums_and_digits() -> None:
    """Both shares stand against the length, which is spread on a logarithmic axis."""
    figure = lengths(analyse(results({}, {"rnn": FAILS})).lengths, {"rnn": "RNN"}, EN)
    for panel, last in zip(figure.axes, (0.5, 0.98), strict=True):
        assert_array_equal(places(panel.lines[0]), [3, 5, 50])
        assert_allclose(heights(panel.lines[0]), [1, 1, last])
        assert panel.get_xscale() == "log"


SENTENCES = {
    ("en", "clear"): (
        "Layers = {best} is fastest, clearly: at step 50 on average, 100 steps before Layers = {other}",
        "Layers: RNN – Layers = {best} is clearly fastest.",
    ),
    ("en", "open"): (
        "On average Layers = {best} gets there first, at step 50, 100 steps before Layers = {other}",
        "Layers: RNN – whether Layers = {best} or Layers = {other} is faster is inconclusive.",
    ),
    ("zh", "clear"): (
        "层数 = {best} 明确最快：平均在第 50 步达到全部正确，比层数 = {other} 早 100 步",
        "RNN 的层数：层数 = {best} 明确最快。",
    ),
    ("zh", "open"): (
        "平均而言，层数 = {best} 最先达到全部正确，在第 50 步，比层数 = {other} 早 100 步",
        "RNN 的层数：层数 = {best} 与层数 = {other} 哪个更快，尚无定论。",
    ),
}


@pytest.mark.parametrize(("best", "other"), [(ONE, FOUR), (FOUR, ONE)])
@pytest.mark.parametrize(("code", "verdict"), SENTENCES)
def test_the_sentences_name_the_fastest_on_either_side(best: str, other: str, code: str, verdict: str) -> None:
    """Whichever value is first right in every seed is named, as firmly as so many seeds allow."""
    seeds = 4 if verdict == "clear" else 2
    first = {best: (50,) * seeds, "rnn": (200,) * seeds, other: (150,) * seeds}
    declared = suite(seeds=seeds)
    text = report(results(first, declared=declared), ZH if code == "zh" else EN, declared)
    for sentence in SENTENCES[code, verdict]:
        assert "".join(sentence.format(best=best[-1], other=other[-1]).split()) in "".join(text.split())
    assert ("is clearly fastest" in text or "明确最快" in text) == (verdict == "clear")


def test_a_value_that_never_gets_there_is_named() -> None:
    """Values with which every seed gets there, and those with which one does not, are told apart."""
    text = report(results({ONE: (NEVER, 50)}))
    assert "every seed gets all sums right with 2 and 4, but not with 1." in text
    assert "| 1 | 0.51 ± 0.7 | 95.00 ± 7.07% | 75.0 ± 35.4% | —, 50 | —, 50 |" in text
    assert "Layers = 2 and Layers = 4 get there first, each at step 100 on average." in text


def test_the_carry_is_told_as_it_is() -> None:
    """A length at which it fails is named with its shares; a network that learnt nothing is not judged."""
    text = report(results({FOUR: (NEVER, NEVER)}, {"rnn": HOLDS, ONE: FAILS, FOUR: HOLDS}))
    assert "- **RNN, trained on 5 digits**: the carry holds at 3 and 50 digits." in text
    fails = "at 50 digits it does not: 50.0% of the sums and 98.0000% of the digits are right."
    assert f"- **RNN (layers = 1), trained on 5 digits**: the carry holds at 3 digits; {fails}" in text
    assert "Not judged, since their own length was not learnt: RNN (layers = 4)." in text
    assert "What RNN (layers = 1) learnt on 5 digits does not hold at 50 digits." in text
    assert "What RNN learnt on 5 digits holds at every length tested (3 and 50)." in text


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_values_that_are_equally_fast_are_all_named(language: Language) -> None:
    """Of three values all need 100 steps: none is the fastest, and none is at an edge of the study."""
    found = results({"rnn": (100, 100), ONE: (50, 150), FOUR: (100, 100)})
    (studied,) = analyse(found).studied
    assert sorted(studied.equal) == sorted(["rnn", ONE, FOUR])
    text = report(found, language)
    names = language.listing(
        [
            language.say("addition.studies.value", setting=language.say("setting.model.layers"), value=n)
            for n in "124"
        ]
    )
    assert text.count(names) == 2
    assert "is fastest" not in text
    assert analyse(results({"rnn": (100, 100), ONE: (50, 50), FOUR: (100, 100)})).studied[0].equal == []


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_lead_that_hangs_on_a_slow_run_says_so(language: Language) -> None:
    """One of five runs takes 50 times the steps of its model's others: the sentence and the summary name it."""
    declared = suite(seeds=5)
    even = {"rnn": (5000, 5000, 5000, 5000, 5000), ONE: (3000,) * 5, FOUR: (2000,) * 5}
    assert "RG306" not in report(results(even, declared=declared), language, declared)
    text = report(results({**even, ONE: (3000, 3000, 60, 3000, 3000)}, declared=declared), language, declared)
    model = "RNN (layers = 1)"
    assert language.say("method.odd_seed", model=model, seed="2") in text
    assert language.say("summary.odd_seed", model=model, seed="2") in text
    assert "RG306" in text


def test_what_else_a_value_changes_is_said() -> None:
    """A point of a study that differs from its base in more than the setting says so."""
    declared = suite([{"base": "rnn", "grid": {"data.digits": [50], "training.steps": [10]}}])
    text = report(results({}, declared=declared), declared=declared)
    assert "With 50 other settings are changed as well: Steps = 10." in text


@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_addition_report_is_the_golden_one(code: str, golden: Callable[[str, str], None]) -> None:
    """The same records give the same Markdown, to the letter."""
    declared = suite([*LAYERS, *GRID])
    found = results({ONE: (50, NEVER), FOUR: (150, 200)}, {"rnn": FAILS, FOUR: HOLDS}, declared)
    golden(f"addition.{code}.md", report(found, ZH if code == "zh" else EN, declared))


def test_the_numbers_have_the_runs_that_they_come_from(tmp_path: Path) -> None:
    """results.json names for each number the runs behind it; a step never reached is null."""
    found = results({ONE: (50, NEVER)}, {"rnn": FAILS})
    paths = pipeline.numbers(found, pipeline.analyse(found), tmp_path, suite())
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    by_name = {number["name"]: number for number in content["numbers"]}
    assert by_name["lengths.rnn.50.exact_accuracy"] == {
        "name": "lengths.rnn.50.exact_accuracy",
        "value": 0.5,
        "runs": ["rnn/seed=0", "rnn/seed=1"],
    }
    assert content["runs"][f"{ONE}/seed=1"]["first_step"] is None
    assert content["runs"][f"{ONE}/seed=0"]["step_log"][0]["step"] == 50
    assert "tables/study-1.csv" in paths


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_the_figures_of_an_addition_suite_have_their_names(language: Language, tmp_path: Path) -> None:
    """A figure a study, one a number that is swept, one a grid, and one of the lengths."""
    found = results({}, {"rnn": FAILS}, suite([*LAYERS, *GRID]))
    paths = pipeline.draw(found, pipeline.analyse(found), [language], tmp_path)[language.code]
    assert list(paths) == ["study-1", "study-2", "steps-1", "steps-2", "grid-1", "lengths"]
    assert language.say("setting.model.layers") in (tmp_path / paths["steps-1"]).read_text("utf-8")


def test_a_summary_of_nothing_learnt_says_so() -> None:
    """Where no value of a study gets all sums right with every seed, the summary is not empty."""
    found = results(dict.fromkeys(("rnn", ONE, FOUR), (NEVER, NEVER)))
    assert "With no value does every seed get all sums right in: Layers: RNN." in report(found)
    assert "With no value" not in report(results({}))
