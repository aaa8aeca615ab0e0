"""What trained networks keep: tables, figures, and sentences in both directions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from explained import EN, FALLING, GROWING, HALVING, SECTIONS, TWO, ZH, gathered, report, suite
from matplotlib.axes import Axes
from numpy.testing import assert_allclose

from reportgen.analysis import probes as memory
from reportgen.figures.probes import forget_gates, gradient_norms
from reportgen.figures.style import drawing, series_style
from reportgen.suite.expansion import runs_of
from reportgen.tasks.classification.figures import deferred_figures
from reportgen.tasks.classification.findings import analyse
from reportgen.tasks.classification.results import collect


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
    drawn = set(deferred_figures(results, analyse(results), EN, SECTIONS).svg())
    assert {name for name in drawn if name.startswith("diagram-")} == {
        f"diagram-{name}" for name in ("rnn", "lstm", "gru", "many_to_one", "many_to_many", "closed_loop")
    }
    assert not any(name.startswith("diagram-") for name in deferred_figures(results, analyse(results), EN).figures)
    with_peepholes = suite({"p": "handwritten_peephole_lstm"})
    results = gathered(with_peepholes)
    assert "diagram-peephole_lstm" in deferred_figures(results, analyse(results), EN, SECTIONS).figures
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
    assert "diagram" in "".join(deferred_figures(failed, analyse(failed), EN, SECTIONS).figures)
    assert EN.say("section.matrix_difference") not in text
