"""Sweeps of one number, and which figures a suite has: of suites with records that were made up."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from conftest import made_up_facts
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from reportgen.analysis.display_limits import MOST_CURVES, most_accurate
from reportgen.analysis.studies import Best, sweeps
from reportgen.figures.style import drawing, series_style
from reportgen.figures.sweeps import swept
from reportgen.i18n.languages import Language, load_languages
from reportgen.lab.record import Record
from reportgen.report.markdown import write
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import Variant, runs_of
from reportgen.suite.schema import Suite
from reportgen.tasks.classification.context import build_context
from reportgen.tasks.classification.figures import deferred_figures
from reportgen.tasks.classification.findings import analyse
from reportgen.tasks.classification.results import Results, collect
from reportgen.tasks.classification.settings import RunSettings

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
LABELS = {"lstm": "LSTM", "gru": "GRU"}
SIZES = {"model.hidden_size": [16, 32, 256]}


def record(variant: Variant, seed: int, right: int) -> Record:
    """Return a finished record with `right` of 100 answers right."""
    row = {"train_loss": 1.0, "train_accuracy": 0.5, "heldout_loss": 1.0, "heldout_accuracy": 0.5, "seconds": 1.0}
    settings = variant.settings
    assert isinstance(settings, RunSettings)
    predictions = {"target": np.zeros(100, int), "predicted": (np.arange(100) >= right).astype(int)}
    return Record(
        key="k", parts={}, settings={}, seed=seed, status="finished", error="",
        model={"parameters": 1, "printout": "p", "summary": "s"},
        data=made_up_facts(["a", "b"], "csv"), environment={}, started="",
        seconds=1.0, epochs=[{"epoch": float(number + 1), **row} for number in range(2)],
        heldout="validation" if settings.data.split.validation else "test", kept_epoch=1,
        predictions={**predictions, "loss": np.ones(100)},
    )  # fmt: skip


def suite(sweep: Sequence[Mapping[str, Any]] = (), labels: Mapping[str, str] = LABELS) -> Suite:
    """Return a suite with these sweeps around these runs."""
    runs = [{"name": name, "label": label, "model": {"cell": "lstm"}} for name, label in labels.items()]
    declared = {"title": "t", "data": {"source": "surnames"}, "seeds": [0, 1], "training": {"keep": "last"}}
    return Suite.model_validate({**declared, "runs": runs, "sweeps": sweep})


def results(
    sweep: Sequence[Mapping[str, Any]],
    right: Mapping[str, int] | None = None,
    labels: Mapping[str, str] = LABELS,
) -> Results:
    """Return the results of a suite with these sweeps: 50 and 54 of 100 right, or what is said of a variant."""
    known = right or {}
    return collect(
        [
            (run, record(run.variant, run.seed, known.get(run.variant.name, 50) + 4 * run.seed))
            for run in runs_of(suite(sweep, labels), "cpu")
        ]
    )


def test_a_sweep_has_the_base_run_among_its_values() -> None:
    """Each value has the mean and the spread of its seeds; the base run's own value stands where it belongs."""
    found = sweeps(results([{"base": "lstm", "grid": SIZES}], {"lstm/hidden_size=16": 20, "lstm": 70}))
    assert list(found) == ["sweep-1"]
    sweep = found["sweep-1"]
    assert (sweep.setting, sweep.bases) == ("model.hidden_size", ["lstm"])
    assert list(sweep.averages["value"]) == [16, 32, 128, 256]
    assert_allclose(sweep.averages["mean"], [0.22, 0.52, 0.72, 0.52])
    assert_allclose(sweep.averages["mean"] - sweep.averages["low"], [0.04 / 2**0.5] * 4)
    assert_allclose(sweep.averages["high"] - sweep.averages["mean"], [0.04 / 2**0.5] * 4)
    assert list(sweep.points["value"]) == [16, 16, 32, 32, 128, 128, 256, 256]
    assert_allclose(sweep.points["test_accuracy"], [0.2, 0.24, 0.5, 0.54, 0.7, 0.74, 0.5, 0.54])


def test_sweeps_of_one_setting_are_one_figure() -> None:
    """Two runs swept over the same setting are two lines, in the order of the suite."""
    grids = [{"base": "gru", "grid": SIZES}, {"base": "lstm", "grid": {"model.hidden_size": [64]}}]
    (sweep,) = sweeps(results(grids)).values()
    assert sweep.bases == ["lstm", "gru"]
    assert list(sweep.averages["value"]) == [64, 128, 16, 32, 128, 256]


def test_each_setting_has_its_figure() -> None:
    """Sweeps of different settings are counted in the order of the suite."""
    grids = [
        {"base": "lstm", "grid": {"training.learning_rate": [0.1, 0.01]}},
        {"base": "lstm", "grid": SIZES},
    ]
    found = {name: sweep.setting for name, sweep in sweeps(results(grids)).items()}
    assert found == {"sweep-1": "training.learning_rate", "sweep-2": "model.hidden_size"}


def test_runs_that_name_a_baseline_are_points_of_its_line() -> None:
    """A run that differs from its baseline in the hidden size alone is a point; one that differs more is none."""
    sizes: list[dict[str, Any]] = [
        {"name": "a", "model": {"cell": "rnn"}},
        {"name": "b", "baseline": "a", "model": {"cell": "rnn", "hidden_size": 32}},
        {"name": "c", "baseline": "a", "model": {"cell": "rnn", "hidden_size": 64}},
        {"name": "d", "baseline": "a", "model": {"cell": "gru", "hidden_size": 96}},
    ]
    declared = {"title": "t", "data": {"source": "surnames"}, "seeds": [0], "runs": sizes}
    runs = runs_of(Suite.model_validate(declared), "cpu")
    (sweep,) = sweeps(collect([(run, record(run.variant, 0, 50)) for run in runs])).values()
    assert (sweep.setting, sweep.bases) == ("model.hidden_size", ["a"])
    assert list(sweep.averages["value"]) == [32, 64, 128]


def test_a_base_run_is_not_drawn_twice() -> None:
    """Where the base's own value is swept as well, the base run is the point."""
    grid = {"model.hidden_size": [16, 32, 128]}
    (sweep,) = sweeps(results([{"base": "lstm", "grid": grid}], {"lstm": 10})).values()
    assert list(sweep.averages["value"]) == [16, 32, 128]
    assert_allclose(sweep.averages["mean"], [0.52, 0.52, 0.12])
    assert sweep.best == [Best("lstm", 16, 0.5, 0.52, "smallest")]


def test_a_base_run_that_did_not_finish_is_missing_from_its_line() -> None:
    """The line goes through the swept values alone, and still has the label of its base run."""
    runs = runs_of(suite([{"base": "lstm", "grid": SIZES}]), "cpu")
    pairs = [(run, record(run.variant, run.seed, 50)) for run in runs]
    found = collect(
        [
            (run, replace(r, status="diverged", predictions={}) if run.variant.name == "lstm" else r)
            for run, r in pairs
        ]
    )
    assert list(sweeps(found)["sweep-1"].averages["value"]) == [16, 32, 256]
    assert "LSTM" in words(deferred_figures(found, analyse(found), EN).svg()["sweep-1"])


@pytest.mark.parametrize(
    "grid",
    [
        {"model.hidden_size": [16]},
        {"model.cell": ["rnn", "gru", "lstm"]},
        {"model.packed": [True, False]},
        {"model.hidden_size": [16, 32, 64], "training.learning_rate": [0.1, 0.2]},
        {"model.embedding_size": [None, 8, 16]},
    ],
    ids=["two values", "names", "yes and no", "two settings", "two numbers and nothing"],
)
def test_what_is_no_curve_has_no_figure(grid: dict[str, list[Any]]) -> None:
    """Fewer than three numbers, names, and grids of several settings are not drawn against an axis."""
    assert sweeps(results([{"base": "lstm", "grid": grid}])) == {}


def drawn(grid: dict[str, list[Any]], base: str = "lstm", **more: Any) -> Figure:
    """Draw the sweep of one run."""
    (sweep,) = sweeps(results([{"base": base, "grid": grid}], **more)).values()
    with drawing("".join(str(message) for message in EN.messages.values()), "en"):
        figure = swept(sweep, LABELS, EN)
        figure.draw_without_rendering()
    return figure


def test_the_line_of_a_sweep_is_its_table() -> None:
    """The line runs through the means, its bars are one standard deviation, and each seed has a faint marker."""
    (axes,) = drawn(SIZES, "gru", right={"gru/hidden_size=16": 20}).axes
    seeds, line = axes.lines[:2]
    assert_array_equal(line.get_xdata(), [16, 32, 128, 256])
    assert_allclose(np.asarray(line.get_ydata(), float), [0.22, 0.52, 0.52, 0.52])
    assert line.get_color() == series_style(1)["color"]
    assert_allclose(np.asarray(seeds.get_ydata(), float), [0.2, 0.24, *[0.5, 0.54] * 3])
    assert float(seeds.get_alpha() or 1) < 0.5
    (bars,) = axes.collections
    heights = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in bars.get_paths()]
    assert_allclose(heights, [2 * 0.04 / 2**0.5] * 4)


def test_a_ring_is_around_the_value_that_the_validation_part_chose() -> None:
    """All values have one validation accuracy, so the first is chosen, whatever its test accuracy is."""
    (axes,) = drawn(SIZES, right={"lstm/hidden_size=16": 20}).axes
    (ring,) = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert_allclose(np.asarray(ring.get_xydata(), float), [[16, 0.22]])


@pytest.mark.parametrize(
    ("setting", "values", "scale", "ticks"),
    [
        ("model.hidden_size", [16, 32, 256], "log", ["16", "32", "128", "256"]),
        ("model.hidden_size", [64, 96], "linear", ["64", "96", "128"]),
        ("training.learning_rate", [0.00001, 0.01], "log", ["1e-05", "0.001", "0.01"]),
        ("training.weight_decay", [0.0001, 0.01], "symlog", ["0", "0.0001", "0.01"]),
        ("model.dropout", [0.25, 0.5], "linear", ["0", "0.25", "0.5"]),
    ],
)
def test_the_ticks_are_the_swept_values(setting: str, values: list[float], scale: str, ticks: list[str]) -> None:
    """There is a tick at every value and nowhere else; from eightfold on the axis is logarithmic."""
    (axes,) = drawn({setting: values}).axes
    assert axes.get_xscale() == scale
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks
    assert_allclose(axes.get_xticks(), [float(tick) for tick in ticks])
    assert list(axes.get_xticks(minor=True)) == []
    assert axes.get_xlabel() == EN.say(f"setting.{setting}")


def words(svg: str) -> list[str]:
    """Return every text of an SVG file."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314 - our own figure
    return ["".join(text.itertext()) for text in texts]


def test_of_very_many_values_those_with_room_have_ticks() -> None:
    """Ticks begin with the first value and are a thirtieth of the axis apart, also where it is logarithmic."""
    (axes,) = drawn({"model.hidden_size": list(range(8, 180))}).axes
    places = np.log(axes.get_xticks())
    assert axes.get_xticks()[0] == 8
    assert 15 < len(places) <= 31
    assert np.diff(places).min() >= np.log(179 / 8) / 30 - 1e-9


def test_the_figures_of_a_suite_have_their_names() -> None:
    """A figure of the accuracies, one each of the curves of accuracy and loss, one a sweep and one a matrix."""
    found = results([{"base": "lstm", "grid": SIZES}])
    figures = deferred_figures(found, analyse(found), EN).svg()
    variants = [f"confusion-{variant.name}" for variant in found.variants]
    assert list(figures) == ["accuracies", "accuracy", "loss", "sweep-1", *variants]
    assert {"16", "32", "128", "256", "Hidden size", "LSTM"} <= set(words(figures["sweep-1"]))


def test_drawing_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """However long the labels are, no warning and no log line reaches the terminal."""
    labels = {f"v{number}": f"网络 “{number}” " + "with a label that is far too long " * 4 for number in range(15)}
    found = results([{"base": "v0", "grid": SIZES}], labels=labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        deferred_figures(found, analyse(found), ZH).svg()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("grid", "zh", "en"),
    [
        ({"data.split.validation": [0.0]}, "留出集", "Held-out set"),
        ({"data.split.validation": [0.2]}, "验证集", "Validation set"),
    ],
    ids=["mixed", "same"],
)
def test_the_heldout_part_is_named_only_where_it_is_the_same(
    grid: dict[str, list[float]], zh: str, en: str
) -> None:
    """Where some variants were evaluated on the validation part and some on the test part, neither is named."""
    found = results([{"base": "lstm", "grid": grid}])
    for language, word in ((ZH, zh), (EN, en)):
        figures = deferred_figures(found, analyse(found), language).svg()
        titles = {language.say(f"figure.{part}") for part in ("heldout", "validation", "test")}
        assert [titles & set(words(figures[name])) for name in ("accuracy", "loss")] == [{word}] * 2


def test_of_many_models_the_best_have_curves() -> None:
    """Of more than twelve models the twelve with the highest test accuracy are drawn, all in their own style."""
    labels = {f"v{number}": f"Model {number}" for number in range(20)}
    found = results([], {f"v{number}": number * 7 % 20 for number in range(20)}, labels)
    expected = {f"Model {number}" for number in range(20) if number * 7 % 20 >= 8}
    figures = deferred_figures(found, analyse(found), EN).svg()
    assert len(expected) == MOST_CURVES
    for name in ("accuracy", "loss"):
        assert {word for word in words(figures[name]) if word.startswith("Model")} == expected
    assert {word for word in words(figures["accuracies"]) if word.startswith("Model")} == set(labels.values())


@pytest.mark.parametrize(
    ("models", "language", "caption"),
    [
        (12, EN, "with a band of one standard deviation on each side]"),
        (13, EN, "on each side; 12 of 13 models, those with the highest test accuracy]"),
        (13, ZH, "上下一个标准差）；13 个模型中只画出测试准确率最高的 12 个]"),
    ],
)
def test_the_caption_says_of_how_many_models(
    models: int, language: Language, caption: str, tmp_path: Path
) -> None:
    """Where models are left out of the curves, the caption says how many there are and which were drawn."""
    labels = {f"v{number}": f"Model {number}" for number in range(models)}
    found = results([], labels=labels)
    names = ["accuracies", "accuracy", "loss", *(f"confusion-{name}" for name in labels)]
    (tmp_path / "report.md.j2").write_text('{% include "sections/results.md.j2" %}', "utf-8")
    figures = {name: f"{name}.svg" for name in names}
    context = build_context(suite(labels=labels), found, analyse(found), figures, language, quick=False)
    text = write(context, language, [tmp_path, TEMPLATES])
    plain = text.replace("\\", "")
    assert f"{caption}(accuracy.svg)" in plain
    assert f"{caption}(loss.svg)" in plain
    assert f"{caption[-12:]}(accuracies.svg)" not in plain
    assert sorted(names[:3], key=lambda name: plain.index(f"({name}.svg)")) == names[:3]


def test_the_best_stay_in_the_order_of_the_suite() -> None:
    """Leaving out does not sort; a variant that is not asked for takes nobody's place."""
    table = pd.DataFrame({"variant": ["a", "b", "c", "d"], "test_accuracy": [0.5, 0.9, float("nan"), 0.7]})
    assert most_accurate(table, ["d", "a", "b"], 2) == ["d", "b"]
    assert most_accurate(table, ["a", "d"], 2) == ["a", "d"]
    assert most_accurate(table, ["a", "d"], 1) == ["d"]
