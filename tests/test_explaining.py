"""What trained networks keep, and class by class: tables, figures, and sentences in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import made_up_facts
from matplotlib.axes import Axes
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from reportgen.analysis import memory
from reportgen.analysis.classes import matrix_difference
from reportgen.analysis.families import choices, chosen, representatives
from reportgen.analysis.findings import analyse
from reportgen.analysis.results import Results, collect
from reportgen.analysis.shown import with_curves
from reportgen.figures.classes import class_recalls
from reportgen.figures.drawing import sketches
from reportgen.figures.matrices import difference_of_matrices
from reportgen.figures.memory import forget_gates, gradient_norms
from reportgen.figures.style import drawing, series_style
from reportgen.lab.record import Record
from reportgen.languages import Language, load_languages
from reportgen.report.context import build_context
from reportgen.report.facts import matrices_in_text
from reportgen.report.markdown import write
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
CLASSES = ["Chinese", "Greek", "Irish"]
SECTIONS = ("why_rnn_forgets", "lstm_gates", "sequence_settings", "matrix_difference")
HALVING = [8.0, 4.0, 2.0, 1.0]
FALLING = [8.0, 4.0, 2.0, 0.8]
GROWING = [2.0, 2.0, 4.0, 8.0]
SIZES = [{"base": "lstm", "grid": {"model.hidden_size": [16, 32]}}]


def record(
    seed: int,
    norms: Sequence[float] = HALVING,
    counts: Sequence[int] = (8, 8, 8, 8),
    gates: NDArray[np.float64] | None = None,
    predicted: Sequence[int] = (0, 1, 2, 0, 1, 2),
    validation: float = 0.5,
) -> Record:
    """Return a finished record of six test names, two of each language, with these probes."""
    row = {"train_loss": 1.0, "train_accuracy": 0.5, "heldout_loss": 1.0, "seconds": 1.0}
    target = np.tile(np.arange(3), 2)
    return Record(
        key="k", parts={}, settings={}, seed=seed, status="finished", error="",
        model={"parameters": 1, "printout": "p", "summary": "s"},
        data=made_up_facts(CLASSES), environment={}, started="",
        seconds=1.0, heldout="validation", kept_epoch=2,
        epochs=[{"epoch": 1.0, "heldout_accuracy": 0.9, **row},
                {"epoch": 2.0, "heldout_accuracy": validation, **row}],
        predictions={"target": target, "predicted": np.array(predicted), "loss": np.ones(6)},
        arrays={"gradient_norm": np.array(norms), "gradient_count": np.array(counts)}
        | ({} if gates is None else {"gates": gates}),
        measures={} if gates is None else {"gate_tokens": list("li w")},
    )  # fmt: skip


def suite(cells: Mapping[str, str], sweeps: Sequence[Mapping[str, Any]] = (), **more: Any) -> Suite:
    """Return a suite with a run for each cell."""
    runs = [{"name": name, "label": name.upper(), "model": {"cell": cell}} for name, cell in cells.items()]
    declared = {"title": "t", "data": {"source": "surnames"}, "seeds": [0, 1], "runs": runs, "sweeps": sweeps}
    return Suite.model_validate({**declared, **more})


def gathered(of: Suite, **probes: Sequence[dict[str, Any]]) -> Results:
    """Return the results of a suite: for a variant a record a seed with these probes, or those of `record`."""
    return collect(
        [
            (
                run,
                record(run.seed, **probes.get(run.variant.name.replace("/hidden_size=", "_"), ({}, {}))[run.seed]),
            )
            for run in runs_of(of, "cpu")
        ]
    )


TWO = suite({"rnn": "rnn", "lstm": "lstm"})


def report(of: Suite, results: Results, language: Language = EN, sections: Sequence[str] = SECTIONS) -> str:
    """Write the report of these sections alone, on one line a paragraph."""
    asked = of.model_copy(update={"sections": tuple(sections)})
    findings = analyse(results)
    figures = dict.fromkeys(sketches(results, findings, language, sections).figures, "x.svg")
    return write(build_context(asked, results, findings, figures, language, quick=False), language, [TEMPLATES])


def test_a_gradient_is_told_relative_to_its_own_at_distance_0() -> None:
    """Seeds of 8, 4, … and of 2, 2, 4, … have the geometric mean of their shares, and its spread."""
    table = memory.gradients(gathered(TWO, rnn=[{}, {"norms": GROWING}]), ["rnn"])
    assert list(table["distance"]) == [0, 1, 2, 3]
    assert_allclose(table["mean"], [1, 0.5**0.5, 0.5**0.5, 0.5**0.5])
    spread = np.log([1, 2, 8, 32]) / 2**0.5
    assert_allclose(table["high"] / table["mean"], np.exp(spread))
    assert_allclose(table["mean"] / table["low"], np.exp(spread))
    assert list(table["n"]) == [2] * 4


@pytest.mark.parametrize(
    ("probes", "reach"),
    [
        ({"counts": (8, 8, 4, 3)}, 3),
        ({"norms": [8.0, 4.0, 0.0, 1.0]}, 2),
        ({"norms": [8.0, np.inf, 2.0, 1.0]}, 1),
    ],
    ids=["few sequences", "zero", "infinite"],
)
def test_a_gradient_ends_where_it_cannot_be_told(probes: dict[str, Any], reach: int) -> None:
    """Distances that less than half of the sequences reach, and norms of 0 or infinity, end the curve."""
    assert len(memory.gradients(gathered(TWO, rnn=[probes, probes]), ["rnn"])) == reach


def test_what_is_kept_is_told_at_a_distance_that_all_reach() -> None:
    """The network that keeps most comes first; the factor is that of a step from distance 1 on."""
    results = gathered(TWO, rnn=[{}, {}], lstm=[{"norms": [*GROWING, 1.0], "counts": [8] * 5}] * 2)
    kept = memory.kept(memory.gradients(results, ["rnn", "lstm"]))
    assert [(item.variant, item.distance) for item in kept] == [("lstm", 3), ("rnn", 3)]
    assert_allclose([item.share for item in kept], [4, 1 / 8])
    assert_allclose([item.factor for item in kept], [2, 1 / 2])


def test_what_is_kept_is_told_10_steps_back() -> None:
    """Of longer sequences, the tenth step back is told."""
    norms = {"norms": (0.5 ** np.arange(15)).tolist(), "counts": [8] * 15}
    (kept,) = memory.kept(memory.gradients(gathered(TWO, rnn=[norms, norms]), ["rnn"]))
    assert kept.distance == 10
    assert [kept.share, kept.factor] == pytest.approx([0.5**10, 0.5])


def test_without_probes_there_is_nothing_to_tell() -> None:
    """Records without arrays, and sequences of one step, give no sentence and no figure, but the theory."""
    results = gathered(TWO, rnn=[{"norms": [1.0, 1.0], "counts": [8, 8]}] * 2)
    bare = replace(results, records={n: replace(r, arrays={}) for n, r in results.records.items()})
    assert memory.kept(memory.gradients(results, ["rnn"])) == []
    assert memory.kept(memory.gradients(bare, ["rnn"])) == []
    text = report(TWO, bare)
    assert EN.say("forgets.measured_title") not in text
    assert EN.say("gates.measured_title") not in text
    assert EN.say("forgets.product") in text


GATES = np.arange(24).reshape(2, 3, 4) / 24


def test_the_forget_gate_is_the_second_gate_of_each_layer() -> None:
    """Each layer has the mean and the spread of its second row over the seeds."""
    results = gathered(TWO, lstm=[{"gates": GATES}, {"gates": GATES + 0.02}])
    first, second = memory.forget_gates(results, ["rnn", "lstm"])
    assert (first.variant, first.layer, second.layer, first.layers, first.cut) == ("lstm", 1, 2, 2, False)
    assert first.tokens == ("l", "i", " ", "w")
    assert_allclose(first.mean, GATES[0, 1] + 0.01)
    assert_allclose(second.mean, GATES[1, 1] + 0.01)
    assert_allclose(first.spread, [0.02 / 2**0.5] * 4)


def lines_of(axes: Axes) -> list[list[float]]:
    """Return the heights of each line."""
    return [np.asarray(line.get_ydata(), float).tolist() for line in axes.lines]


def test_the_figure_of_the_gradient_is_its_table() -> None:
    """A line a variant through the means, on a logarithmic axis in percent, with a band from low to high."""
    table = memory.gradients(gathered(TWO, rnn=[{}, {"norms": GROWING}]), ["rnn", "lstm"])
    with drawing("".join(map(str, EN.messages.values())), "en"):
        figure = gradient_norms(table, {"rnn": "RNN", "lstm": "LSTM"}, EN)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    assert (axes.get_yscale(), axes.get_xlabel()) == ("log", EN.say("figure.distance"))
    for place, variant in enumerate(["rnn", "lstm"]):
        rows = table[table["variant"] == variant]
        assert_allclose(lines_of(axes)[place], rows["mean"])
        assert axes.lines[place].get_linestyle() == series_style(place)["linestyle"]
        corners = np.asarray(axes.collections[place].get_paths()[0].vertices)[:, 1]
        assert {round(y, 9) for y in corners} == {round(y, 9) for y in [*rows["low"], *rows["high"]]}
    ticks = {tick.get_text(): tick.get_position()[1] for tick in axes.get_yticklabels()}
    assert ticks["100%"] == pytest.approx(1)
    assert ticks["10%"] == pytest.approx(0.1)


def test_the_figure_of_the_forget_gate_has_the_tokens_along_its_axis() -> None:
    """Each layer has a line through its means; the letters stand below, a space as ␣."""
    gates = memory.forget_gates(gathered(TWO, lstm=[{"gates": GATES}] * 2), ["lstm"])
    with drawing("".join(map(str, EN.messages.values())) + "␣", "en"):
        figure = forget_gates(gates, {"lstm": "LSTM"}, EN)
    (axes,) = figure.axes
    assert_allclose(lines_of(axes), [GATES[0, 1], GATES[1, 1]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["l", "i", "␣", "w"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["LSTM, layer 1", "LSTM, layer 2"]


@pytest.mark.parametrize(
    ("rnn", "lstm", "order", "sentences"),
    [
        (FALLING, GROWING, "gated", ["LSTM: 3 steps back, the norm has not shrunk; it is 400%",
                                     "RNN: 3 steps back, the norm is down to 10%", "LSTM keeps 40 times as much"]),
        (GROWING, FALLING, "plain", ["RNN: 3 steps back, the norm has not shrunk; it is 400%",
                                     "LSTM: 3 steps back, the norm is down to 10%", "RNN keeps 40 times as much"]),
        (FALLING, FALLING, "mixed", ["LSTM: 3 steps back, the norm is down to 10%",
                                     EN.say("forgets.alike", distance=3)]),
    ],
)  # fmt: skip
def test_the_sentences_follow_the_gradient(
    rnn: list[float], lstm: list[float], order: str, sentences: list[str]
) -> None:
    """Whichever network keeps more is said to, and the theory is said to hold only where it does."""
    results = gathered(TWO, rnn=[{"norms": rnn}] * 2, lstm=[{"norms": lstm}] * 2)
    text = report(TWO, results)
    assert all(sentence in text for sentence in sentences)
    for other in ("gated", "plain", "mixed"):
        assert (EN.say(f"forgets.order_{other}") in text) == (other == order)
        assert (ZH.say(f"forgets.order_{other}") in report(TWO, results, ZH)) == (other == order)


@pytest.mark.parametrize(
    ("norms", "said"), [([8.0, 4.0, 2.0, 4.0], True), ([8.0, 4.0, 2.0, 2.1], False), (HALVING, False)]
)
def test_a_norm_that_rises_again_is_said_to(norms: list[float], said: bool) -> None:
    """A curve that is a tenth lower on the way than at its end is pointed out, in the singular for one model."""
    text = report(TWO, gathered(TWO, rnn=[{"norms": norms}] * 2))
    assert ("The norm of RNN is lowest on the way and rises again" in text) == said


def test_curves_that_cross_are_told_as_such() -> None:
    """Where the gated network keeps more at the told distance and less at the last one, neither is ahead."""
    plain = [0.5**k for k in range(10)] + [0.004, 0.004, 0.004]
    gated = [0.8**k for k in range(11)] + [0.01, 1e-6]
    rnn, lstm = ([{"norms": norms, "counts": [8] * 13}] * 2 for norms in (plain, gated))
    results = gathered(TWO, rnn=rnn, lstm=lstm)
    assert EN.say("forgets.order_crossing") in report(TWO, results)
    assert EN.say("forgets.order_gated") not in report(TWO, results)
    assert ZH.say("forgets.order_crossing") in report(TWO, results, ZH)


def test_of_one_kind_of_network_no_order_is_told() -> None:
    """Without a network of the other kind there is nothing to hold the theory against."""
    only = suite({"lstm": "lstm", "gru": "gru"})
    text = report(only, gathered(only))
    assert not any(EN.say(f"forgets.order_{order}") in text for order in ("gated", "plain", "mixed"))


def test_many_models_have_a_table_of_what_they_keep() -> None:
    """Of more than six models the shares stand in a table."""
    many = suite({f"v{number}": "rnn" for number in range(7)})
    text = report(many, gathered(many, **{f"v{number}": [{"norms": FALLING}] * 2 for number in range(7)}))
    assert "| V3 | 10% | 0.45 |" in text
    assert "steps back, the norm is down" not in text


def test_diagrams_are_those_that_the_sections_ask_for() -> None:
    """The peephole LSTM is drawn only where one was trained, and a section that is not asked for has nothing."""
    results = gathered(TWO)
    drawn = set(sketches(results, analyse(results), EN, SECTIONS).svg())
    assert {name for name in drawn if name.startswith("diagram-")} == {
        f"diagram-{name}" for name in ("rnn", "lstm", "gru", "many_to_one", "many_to_many", "closed_loop")
    }
    assert not any(name.startswith("diagram-") for name in sketches(results, analyse(results), EN).figures)
    with_peepholes = suite({"p": "handwritten_peephole_lstm"})
    results = gathered(with_peepholes)
    assert "diagram-peephole_lstm" in sketches(results, analyse(results), EN, SECTIONS).figures
    assert EN.say("gates.peephole_title") in report(with_peepholes, results)
    assert EN.say("gates.peephole_title") not in report(TWO, gathered(TWO))


def test_the_diagrams_are_there_when_nothing_finished() -> None:
    """A suite of which every run failed still explains, and does not stumble over what was not measured."""
    results = gathered(TWO)
    failed = collect(
        [(run, replace(results.records[run.name], status="diverged", predictions={}, arrays={}))
         for run in runs_of(TWO, "cpu")]
    )  # fmt: skip
    text = report(TWO, failed)
    assert EN.say("forgets.bound") in text
    assert "diagram" in "".join(sketches(failed, analyse(failed), EN, SECTIONS).figures)
    assert EN.say("section.matrix_difference") not in text


SWEPT = suite({"rnn": "rnn", "lstm": "lstm"}, SIZES)


def test_the_validation_part_chooses() -> None:
    """The variant with the highest mean validation accuracy is chosen, whatever its test accuracy is."""
    wrong = (1, 1, 1, 1, 1, 1)
    results = gathered(
        SWEPT, lstm_16=[{"validation": 0.7, "predicted": wrong}] * 2, lstm_32=[{"validation": 0.4}] * 2
    )
    assert chosen(results) == {"rnn": "rnn", "lstm": "lstm/hidden_size=16"}
    assert representatives(results) == ["rnn", "lstm/hidden_size=16"]
    (choice,) = choices(results)
    assert (choice.base, choice.candidates) == ("lstm", 3)
    assert [choice.validation, choice.test] == pytest.approx([0.7, 1 / 3])


def test_the_matrices_in_the_text_are_those_of_the_chosen_variants() -> None:
    """Where a sweep makes many models of two runs, one matrix a run stands in the text and the rest behind it."""
    sizes = [{"base": "lstm", "grid": {"model.hidden_size": [16, 32, 48, 64]}}]
    results = gathered(suite({"rnn": "rnn", "lstm": "lstm"}, sizes), lstm_32=[{"validation": 0.9}] * 2)
    assert matrices_in_text(results, analyse(results)) == ["rnn", "lstm/hidden_size=32"]


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ((16, 32), ["rnn", "lstm", "lstm/hidden_size=16", "lstm/hidden_size=32"]),
        ((16, 32, 48, 64, 96), ["rnn", "lstm/hidden_size=32"]),
    ],
)
def test_where_a_sweep_makes_many_models_the_chosen_ones_have_curves(
    sizes: tuple[int, ...], names: list[str]
) -> None:
    """Up to six models have their learning curves; of more, one a run, and the caption says which."""
    of = suite({"rnn": "rnn", "lstm": "lstm"}, [{"base": "lstm", "grid": {"model.hidden_size": list(sizes)}}])
    results = gathered(of, lstm_32=[{"validation": 0.9}] * 2)
    assert with_curves(results, analyse(results).comparison) == names
    said = "of each run that is swept, the variant that the validation set chose"
    assert (said in report(of, results, sections=["results"])) == (len(names) == 2)


def test_the_validation_accuracy_is_that_of_the_kept_epoch() -> None:
    """The first epoch had 0.9, but the second one was kept."""
    assert list(gathered(TWO).runs["validation_accuracy"]) == [0.5] * 4


def test_without_a_validation_part_the_run_itself_stands_for_its_sweep() -> None:
    """The test part chooses nothing: no accuracy is called a validation accuracy, and the base run is shown."""
    results = gathered(SWEPT, lstm_16=[{"validation": 0.9}] * 2)
    tested = collect([(run, replace(results.records[run.name], heldout="test")) for run in runs_of(SWEPT, "cpu")])
    assert tested.runs["validation_accuracy"].isna().all()
    assert chosen(tested)["lstm"] == "lstm"
    assert choices(tested) == []
    best = EN.say("tunings.best_tested", model="LSTM", setting="Hidden size", value=16, accuracy="100.00%")
    assert best in report(SWEPT, tested, sections=["analysis"])


@pytest.mark.parametrize(("best", "edge"), [("lstm_16", "smallest"), ("lstm_32", ""), ("lstm", "largest")])
def test_a_choice_at_the_edge_of_what_was_tried_is_said_to_be(best: str, edge: str) -> None:
    """Of 16, 32 and 128, the two ends leave open what lies beyond them."""
    results = gathered(SWEPT, **{best: [{"validation": 0.8}] * 2})
    text = report(SWEPT, results, sections=["analysis"])
    assert "the validation set chooses Hidden size = " in text
    assert "with a mean validation accuracy of 80.00%; its test accuracy is 100.00%." in text
    for other in ("smallest", "largest"):
        assert (EN.say(f"tunings.edge_{other}") in text) == (other == edge)


BETTER, WORSE = (0, 1, 2, 0, 1, 0), (0, 1, 1, 1, 1, 1)
"""Of Chinese, Greek and Irish: 2, 2 and 1 right of 2, and 1, 2 and 0 right."""


def test_the_difference_is_the_leaders_matrix_less_the_other_one() -> None:
    """Row by row, shares of the true class: positive on the diagonal where the leader recognises more."""
    results = gathered(TWO, rnn=[{"predicted": WORSE}] * 2, lstm=[{"predicted": BETTER}] * 2)
    found = matrix_difference(results)
    assert found is not None
    assert (found.ahead, found.behind, found.classes, found.smallest) == ("lstm", "rnn", CLASSES, 2)
    assert_allclose(found.gaps, np.array([[0.5, -0.5, 0], [0, 0, 0], [0.5, -1, 0.5]]))
    assert (found.gains, found.losses) == ([("Chinese", 0.5), ("Irish", 0.5)], [])


@pytest.mark.parametrize(
    ("rnn", "lstm", "ahead", "behind"), [(WORSE, BETTER, "LSTM", "RNN"), (BETTER, WORSE, "RNN", "LSTM")]
)
def test_the_sentences_follow_the_difference(
    rnn: tuple[int, ...], lstm: tuple[int, ...], ahead: str, behind: str
) -> None:
    """Whichever model is ahead is said to recognise more, and by how much."""
    results = gathered(TWO, rnn=[{"predicted": rnn}] * 2, lstm=[{"predicted": lstm}] * 2)
    text = report(TWO, results)
    assert f"{ahead} recognised 2 better than {behind} did" in text
    assert "Chinese (50.0 points) and Irish (50.0 points)" in text
    assert EN.say("classes.no_losses", ahead=ahead) in text
    assert "- Irish taken for Chinese: 2 of 4 (50.0%)." in text
    chinese = report(TWO, results, ZH)
    assert f"{ahead} 有 2 个类别的召回率高于 {behind}" in chinese
    assert "“爱尔兰语”误判为“汉语”：4 个样本中有 2 个（50.0%）。" in chinese


def test_what_the_leader_loses_is_told() -> None:
    """A class that the model ahead recognises less well is named with its loss."""
    results = gathered(
        TWO, rnn=[{"predicted": (0, 0, 0, 0, 0, 2)}] * 2, lstm=[{"predicted": (1, 1, 2, 0, 1, 1)}] * 2
    )
    text = report(TWO, results)
    assert "LSTM recognises one class less well: Chinese (50.0 points)." in text
    assert "In these runs, of 3 classes, LSTM recognised one better than RNN did: Greek (100.0 points)." in text


def test_models_of_other_data_are_not_subtracted() -> None:
    """Two matrices of different test sets have no difference, and the section stays away."""
    results = gathered(TWO)
    records = {n: replace(r, data={**r.data, "digest": n.split("/")[0]}) for n, r in results.records.items()}
    assert matrix_difference(replace(results, records=records)) is None


def test_the_image_of_a_difference_is_symmetric_about_zero() -> None:
    """Colours are as far below zero as above; 2 points and more are written with their sign, in their cell."""
    gaps = np.array([[0.2, -0.19, -0.01], [0.004, 0.05, -0.054], [-0.4, 0.015, 0.385]])
    with drawing("".join(map(str, EN.messages.values())), "en"):
        figure = difference_of_matrices(gaps, CLASSES, EN)
    axes, bar = figure.axes
    (image,) = axes.images
    assert_array_equal(np.asarray(image.get_array()), gaps)
    assert image.get_clim() == (-0.4, 0.4)
    written = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "+20", (0, 1): "−19", (1, 1): "+5", (1, 2): "−5", (2, 0): "−40", (2, 1): "+2",
                       (2, 2): "+38"}  # fmt: skip
    assert bar.get_ylabel() == "Percentage points"


def test_the_figure_of_the_recalls_is_its_table() -> None:
    """Each class has a row, the best recognised on top, and on it a marker for each model."""
    results = gathered(TWO, rnn=[{"predicted": WORSE}] * 2, lstm=[{"predicted": BETTER}] * 2)
    per_class = analyse(results).per_class
    with drawing("".join(map(str, EN.messages.values())), "en"):
        figure = class_recalls(
            per_class, {"rnn": "RNN", "lstm": "LSTM"}, dict(zip(CLASSES, "abc", strict=True)), EN
        )
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "c"]
    points = [np.asarray(line.get_xdata(), float).tolist() for line in axes.lines]
    assert points == [[1.0, 0.5, 0.0], [1.0, 1.0, 0.5]]
    low, high = axes.get_ylim()
    assert low > 2 > 0 > high
