"""Long and many labels: they are broken, and every word of a figure stays on it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from reportgen.analysis.studies import ACCURACY, Sweep
from reportgen.figures.curves import learning_curves
from reportgen.figures.curves import test_accuracies as draw_accuracies  # pytest would take it for a test
from reportgen.figures.matrices import confusion_matrix
from reportgen.figures.style import drawing, width, wrapped
from reportgen.figures.sweeps import swept
from reportgen.i18n.languages import load_languages
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
METRICS = ("train_loss", "heldout_loss", "train_accuracy", "heldout_accuracy")
SWEPT_LABEL = "LSTM, hidden size 64, learning rate 0.002, batch size 32, dropout 0.5"
CHINESE_LABEL = "长短期记忆网络（隐藏层大小为六十四，学习率为千分之二，批大小为三十二）手写实现"
NASTY = ["a" * 60, SWEPT_LABEL, CHINESE_LABEL, "W" * 300, "RNN", "汉" * 40]
LETTERS = "aWi ,/_=长（），、0"
LABELS = st.lists(st.text(LETTERS, min_size=1, max_size=150).filter(str.strip), min_size=1, max_size=14)


@pytest.fixture(scope="module", autouse=True)
def _drawing() -> Iterator[None]:
    """Draw with the report's fonts, and take every warning for an error."""
    words = "".join(str(message) for language in (ZH, EN) for message in language.messages.values())
    with drawing(words + "".join(NASTY) + LETTERS, "zh"), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("RNN", ["RNN"]),
        (SWEPT_LABEL, ["LSTM, hidden size 64,", "learning rate 0.002,", "batch size 32, dropout", "0.5"]),
        ("one/two/three/four/five/six", ["one/two/three/four/five/", "six"]),
        ("a" * 30, ["a" * 24, "a" * 6]),
        ("汉" * 13, ["汉" * 12, "汉"]),
        ("手写长短期记忆网络（隐藏层大小为六十四）", ["手写长短期记忆网络", "（隐藏层大小为六十四）"]),
        ("two \n words", ["two words"]),
    ],
)
def test_a_label_is_broken_where_it_may_be(label: str, lines: list[str]) -> None:
    """Lines have 24 columns, two of them for a Chinese character, and end after spaces, commas and slashes."""
    assert wrapped(label).split("\n") == lines


def test_a_label_that_is_too_long_loses_its_middle() -> None:
    """A label of one line of nine columns keeps its beginning, and three times as much of its end."""
    assert wrapped("abcdefghijklmnop", 9, lines=1) == "ab…klmnop"


@given(label=st.text(LETTERS, min_size=1, max_size=400).filter(str.strip), lines=st.integers(1, 5))
def test_no_line_is_too_wide_and_no_word_is_lost(label: str, lines: int) -> None:
    """A line has 24 columns at most; what is not shortened keeps every letter, in order."""
    found = wrapped(label, lines=lines)
    assert len(found.split("\n")) <= lines
    assert max(map(width, found.split("\n"))) <= 24
    kept, given_letters = "".join(found.split()), "".join(label.split())
    if "…" in kept:
        start, end = kept.split("…")
        assert given_letters.startswith(start)
        assert given_letters.endswith(end)
    else:
        assert kept == given_letters


def in_sight(axes: Axes, text: Text) -> bool:
    """Tell whether the text is no tick's label, or that of a tick between the ends of its axis."""
    for place, axis in enumerate((axes.xaxis, axes.yaxis)):
        if text in axis.get_ticklabels(which="both"):
            low, high = sorted(axis.get_view_interval())
            return bool(low <= text.get_position()[place] <= high)
    return True


def outside(figure: Figure) -> list[str]:
    """Return the words that do not lie on the figure with every letter."""
    figure.draw_without_rendering()
    wide, tall = figure.bbox.size
    found = []
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        box = text.get_window_extent()
        lies_in = box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= wide + 0.5 and box.y1 <= tall + 0.5
        if text.get_text() and text.get_visible() and not lies_in and all(in_sight(a, text) for a in figure.axes):
            found.append(text.get_text())
    return found


def inches(axes: Axes) -> tuple[float, float]:
    """Return width and height of a panel."""
    box = axes.get_window_extent()
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(box.width / figure.dpi), float(box.height / figure.dpi)


def named(labels: Sequence[str]) -> dict[str, str]:
    """Return a variant for each label."""
    return {f"v{place}": label for place, label in enumerate(labels)}


def curves(variants: Mapping[str, str]) -> pd.DataFrame:
    """Return three epochs of each variant."""
    rows = [
        {"variant": variant, "metric": metric, "epoch": epoch, "mean": 1 / epoch, "low": 0.1, "high": 1.1}
        for variant, metric, epoch in product(variants, METRICS, (1, 2, 3))
    ]
    return pd.DataFrame(rows)


def accuracies(variants: Mapping[str, str]) -> Figure:
    """Draw variants with one seed each."""
    runs = pd.DataFrame({"variant": list(variants), "test_accuracy": np.linspace(0.5, 0.9, len(variants))})
    return draw_accuracies(runs, runs, variants, ZH)


def sweep(variants: Mapping[str, str]) -> Sweep:
    """Return a sweep over three values around each variant."""
    rows = [{"base": base, "value": value, "test_accuracy": 0.5} for base, value in product(variants, (1, 8, 64))]
    points = pd.DataFrame(rows)
    averages = points.rename(columns={"test_accuracy": "mean"}).assign(low=0.49, high=0.51, validation=0.5)
    return Sweep("model.hidden_size", ACCURACY, points, averages)


@settings(max_examples=8, deadline=None)
@given(labels=LABELS)
@example(labels=NASTY)
@example(labels=NASTY * 2)
def test_the_curves_hold_their_labels(labels: list[str]) -> None:
    """Whatever the labels, no word lies outside the figure, and the panels keep their size."""
    figure = learning_curves(curves(named(labels)), named(labels), "validation", EN, "accuracy")
    assert outside(figure) == []
    assert min(inches(axes)[1] for axes in figure.axes) > 1.9
    assert min(inches(axes)[0] for axes in figure.axes) > 2.8


@settings(max_examples=8, deadline=None)
@given(labels=LABELS)
@example(labels=NASTY)
@example(labels=NASTY[1:3] * 20)
@example(labels=["RNN"] * 40)
def test_the_accuracies_hold_their_labels(labels: list[str]) -> None:
    """Whatever the labels, no word lies outside the figure or on its markers, and a page has room for it."""
    figure = accuracies(named(labels))
    assert outside(figure) == []
    (axes,) = figure.axes
    assert inches(axes)[0] > 2
    assert figure.get_size_inches()[1] <= 9
    ends = [label.get_window_extent().x1 for label in axes.get_yticklabels()]
    assert max(ends) < axes.get_window_extent().x0
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in pairwise(boxes))


def test_of_many_rows_the_labels_have_one_longer_line() -> None:
    """Forty labels of a sweep stand in one line each, and what they differ in stays."""
    ends = [f"(hidden_size = {size}, learning_rate = 0.001)" for size in range(40)]
    (axes,) = accuracies(named([f"{CHINESE_LABEL} {end}" for end in ends])).axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert [text[-30:] for text in shown] == [end[-30:] for end in ends]
    assert len(set(shown)) == 40
    assert max(text.count("\n") for text in shown) == 0


@settings(max_examples=5, deadline=None)
@given(labels=LABELS)
@example(labels=NASTY)
def test_a_swept_setting_holds_its_labels(labels: list[str]) -> None:
    """Whatever the labels of the base runs, no word lies outside the figure."""
    figure = swept(sweep(named(labels)), named(labels), EN)
    assert outside(figure) == []
    assert inches(figure.axes[0])[1] > 1.8


@pytest.mark.parametrize("classes", [["a"], NASTY[:2], NASTY[:3], NASTY * 3, NASTY * 10], ids=len)
def test_a_confusion_matrix_holds_its_classes(classes: list[str]) -> None:
    """Whatever the classes are called, no word lies outside the figure, and the matrix keeps its size."""
    figure = confusion_matrix(np.eye(len(classes)), classes, ZH)
    assert outside(figure) == []
    wide, tall = inches(figure.axes[0])
    assert wide == pytest.approx(tall)
    assert wide > 0.9


def test_a_legend_has_as_many_columns_as_the_page_has_room_for() -> None:
    """Four short labels stand beside each other, four long ones in two columns; the figure is taller for them."""
    short, long = (
        learning_curves(curves(named(labels)), named(labels), "test", EN, "loss")
        for labels in (["RNN", "LSTM", "GRU", "手写"], ["W" * 60] * 4)
    )
    rows = []
    for figure in (short, long):
        figure.draw_without_rendering()
        (legend,) = figure.legends
        rows.append(len({round(text.get_window_extent().y0) for text in legend.get_texts()}))
    assert rows == [1, 2]
    assert long.get_size_inches()[1] > short.get_size_inches()[1] + 0.5
    assert inches(long.axes[0])[1] == pytest.approx(inches(short.axes[0])[1], rel=0.05)
