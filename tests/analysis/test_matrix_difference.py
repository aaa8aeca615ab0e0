"""Class by class: which variants are chosen, and how their confusion matrices differ, told and drawn."""

from dataclasses import replace

import numpy as np
import pytest
from explained import CLASSES, EN, SIZES, TWO, ZH, gathered, report, suite
from numpy.testing import assert_allclose, assert_array_equal

from reportgen.figures.matrices import class_recalls, difference_of_matrices
from reportgen.figures.style import drawing
from reportgen.suite.expansion import runs_of
from reportgen.tasks.classification.context import matrices_in_text
from reportgen.tasks.classification.findings import analyse, matrix_difference
from reportgen.tasks.classification.rankings import choices, chosen, representatives
from reportgen.tasks.classification.results import collect
from reportgen.tasks.classification.selection import with_curves

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
