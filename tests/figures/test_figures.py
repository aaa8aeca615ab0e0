"""Figures are asked what they draw: lines, bands, markers, numbers and words."""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Literal
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal

from reportgen.figures.curves import learning_curves
from reportgen.figures.curves import test_accuracies as draw_accuracies  # pytest would take it for a test
from reportgen.figures.matrices import confusion_matrix
from reportgen.figures.style import drawing, series_style, to_svg
from reportgen.i18n.languages import Language, load_languages
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
LABELS = {"rnn": "RNN", "lstm": "手写 LSTM"}
Quantity = Literal["loss", "accuracy"]
QUANTITIES: tuple[Quantity, Quantity] = ("loss", "accuracy")
METRICS = ("train_loss", "heldout_loss", "train_accuracy", "heldout_accuracy")
EPOCHS = [1, 2, 3]
RUNS = pd.DataFrame(
    {
        "variant": ["rnn", "rnn", "rnn", "lstm", "lstm", "lstm"],
        "test_accuracy": [0.5, 0.625, 0.75, 0.8, 0.85, float("nan")],
    }
)
COMPARISON = pd.DataFrame({"variant": ["lstm", "rnn"], "test_accuracy": [0.825, 0.625]})
SHARES = np.array([[0.9, 0.06, 0.04], [0.051, 0.449, 0.5], [0.0, 0.0449, 0.9551]])
CLASSES = ["汉语", "Polish", "a$b$c"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _drawing() -> Iterator[None]:
    """Draw with the report's fonts."""
    with drawing(
        "".join([*LABELS.values(), *CLASSES, *map(str, [*ZH.messages.values(), *EN.messages.values()])]), "en"
    ):
        yield


def value(variant: str, metric: str, epoch: int) -> float:
    """Return a mean that no other point has."""
    return 1 + list(LABELS).index(variant) * 0.5 + METRICS.index(metric) * 0.1 + epoch * 0.01


def curves(epochs: list[int] = EPOCHS) -> pd.DataFrame:
    """Return the averages of two variants, the last epoch first."""
    rows = [
        {
            "variant": variant,
            "metric": metric,
            "epoch": epoch,
            "mean": mean,
            "low": mean - 0.02,
            "high": mean + 0.03,
        }
        for variant, metric, epoch in product(LABELS, METRICS, reversed(epochs))
        for mean in [value(variant, metric, epoch)]
    ]
    return pd.DataFrame(rows)


def both(labels: Mapping[str, str] = LABELS) -> dict[Quantity, Figure]:
    """Return the learning curves of each quantity."""
    return {quantity: learning_curves(curves(), labels, "validation", EN, quantity) for quantity in QUANTITIES}


def panels() -> dict[str, Axes]:
    """Return the panel of each metric."""
    return dict(zip(METRICS, (axes for figure in both().values() for axes in figure.axes), strict=True))


def legend_of(figure: Figure) -> list[str]:
    """Return the words of the figure's legend."""
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_the_lines_of_the_curves_are_the_table() -> None:
    """Each panel has a line a variant through the table's means, in the order of the epochs."""
    for metric, axes in panels().items():
        assert [line.get_label() for line in axes.lines] == list(LABELS.values())
        for variant, line in zip(LABELS, axes.lines, strict=True):
            assert_array_equal(line.get_xdata(), EPOCHS)
            assert_array_equal(line.get_ydata(), [value(variant, metric, epoch) for epoch in EPOCHS])


def test_the_bands_of_the_curves_run_from_low_to_high() -> None:
    """Around each line lies a band in its colour, from the table's low to its high."""
    for metric, axes in panels().items():
        bands = [band for band in axes.collections if isinstance(band, PolyCollection)]
        for variant, line, band in zip(LABELS, axes.lines, bands, strict=True):
            (path,) = band.get_paths()
            corners = {(x, round(y, 9)) for x, y in np.asarray(path.vertices).tolist()}
            means = [value(variant, metric, epoch) for epoch in EPOCHS]
            assert corners == {
                *((epoch, round(mean - 0.02, 9)) for epoch, mean in zip(EPOCHS, means, strict=True)),
                *((epoch, round(mean + 0.03, 9)) for epoch, mean in zip(EPOCHS, means, strict=True)),
            }
            assert tuple(np.asarray(band.get_facecolor())[0][:3]) == to_rgb(str(line.get_color()))


@pytest.mark.parametrize(
    ("language", "heldout", "titles", "x", "y"),
    [
        (ZH, "validation", ["训练集", "验证集"], "epoch", ["损失", "准确率"]),
        (ZH, "test", ["训练集", "测试集"], "epoch", ["损失", "准确率"]),
        (EN, "validation", ["Training set", "Validation set"], "Epoch", ["Loss", "Accuracy"]),
        (EN, "test", ["Training set", "Test set"], "Epoch", ["Loss", "Accuracy"]),
        (ZH, "heldout", ["训练集", "留出集"], "epoch", ["损失", "准确率"]),
        (EN, "heldout", ["Training set", "Held-out set"], "Epoch", ["Loss", "Accuracy"]),
    ],
)
def test_the_curves_are_labelled(
    language: Language, heldout: str, titles: list[str], x: str, y: list[str]
) -> None:
    """The parts stand above the panels, the epoch below, the quantity on the left, variants in a legend."""
    for quantity, name in zip(QUANTITIES, y, strict=True):
        figure = learning_curves(curves(), LABELS, heldout, language, quantity)
        assert [axes.get_title() for axes in figure.axes] == titles
        assert [axes.get_xlabel() for axes in figure.axes] == [x, x]
        assert [axes.get_ylabel() for axes in figure.axes] == [name, ""]
        assert legend_of(figure) == list(LABELS.values())


def test_training_and_heldout_part_are_on_one_scale() -> None:
    """Both panels have the same scale and stand beside each other, so that the two parts can be compared."""
    for figure in both().values():
        figure.draw_without_rendering()
        left, right = figure.axes
        assert left.get_ylim() == right.get_ylim()
        boxes = [axes.get_window_extent() for axes in (left, right)]
        assert (boxes[0].y0, boxes[0].y1) == pytest.approx((boxes[1].y0, boxes[1].y1))
        assert boxes[0].x1 < boxes[1].x0


def test_accuracy_is_in_percent_and_loss_is_not() -> None:
    """The scale of the accuracy is written in percent: 1.25 is 125%."""
    written = {}
    for quantity, figure in both().items():
        figure.draw_without_rendering()
        ticks = figure.axes[0].get_yticklabels()
        written[quantity] = [(tick.get_text(), tick.get_position()[1]) for tick in ticks]
    assert all(float(text.removesuffix("%")) == pytest.approx(100 * place) for text, place in written["accuracy"])
    assert {text[-1:] for text, _ in written["accuracy"]} == {"%"}
    assert all(float(text) == pytest.approx(place) for text, place in written["loss"])


def test_more_than_four_lines_have_higher_panels() -> None:
    """Up to four lines have panels of one height, five have higher ones."""
    heights = []
    for count in (2, 4, 5):
        labels = {f"v{place}": "RNN" for place in range(count)}
        (axes, _) = (figure := learning_curves(curves(), labels, "validation", EN, "loss")).axes
        figure.draw_without_rendering()
        heights.append(axes.get_window_extent().height / figure.dpi)
    assert heights[0] == pytest.approx(heights[1])
    assert heights[2] > heights[1] + 0.3


def test_epochs_are_whole_numbers() -> None:
    """With few epochs the ticks still fall on epochs, not between them."""
    figure = learning_curves(curves([1, 2]), LABELS, "validation", EN, "loss")
    assert [tick for axes in figure.axes for tick in axes.get_xticks() if tick != round(tick)] == []


def test_one_epoch_is_one_tick() -> None:
    """Where models were trained for one epoch, that epoch is the only tick of every panel."""
    figure = learning_curves(curves([1]), LABELS, "validation", EN, "loss")
    assert [list(axes.get_xticks()) for axes in figure.axes] == [[1]] * 2


def test_markers_of_neighbouring_lines_stand_apart() -> None:
    """Over many epochs, lines that run together have their markers at different ones."""
    first, second = learning_curves(curves(list(range(1, 26))), LABELS, "validation", EN, "loss").axes[0].lines
    starts_and_steps: list[Any] = [line.get_markevery() for line in (first, second)]
    one, other = (set(range(start, 25, step)) for start, step in starts_and_steps)
    assert one & other == set()


def test_a_label_that_begins_with_an_underscore_is_in_the_legend() -> None:
    """Matplotlib hides such labels; a student's label is never hidden."""
    labels = {"rnn": "_rnn", "lstm": "LSTM"}
    assert [legend_of(figure) for figure in both(labels).values()] == [["_rnn", "LSTM"]] * 2


def test_28_series_can_be_told_apart() -> None:
    """28 series have 28 pairs of colour and line style: seven colours with four styles."""
    styles = [series_style(index) for index in range(28)]
    assert len({(style["color"], style["linestyle"]) for style in styles}) == 28
    assert len({style["color"] for style in styles}) == 7
    assert len({(style["color"], style["linestyle"]) for style in styles[:7]}) == 7
    assert len({style["color"] for style in styles[:7]}) == 7
    assert len({style["marker"] for style in styles[:7]}) == 7


def test_the_first_series_can_be_told_apart_without_colour() -> None:
    """The first four series differ in their line style, too, and the first seven in their marker."""
    assert {series_style(index)["linestyle"] for index in range(4)} == {"-", "--", "-.", ":"}


def test_the_29th_series_begins_anew() -> None:
    """Beyond 28 the styles come round again, rather than an error."""
    assert series_style(28) == series_style(0)


def test_28_curves_are_drawn_in_28_styles() -> None:
    """The lines of a figure have the styles, all different."""
    labels = {f"v{i}": f"V{i}" for i in range(28)}
    table = pd.DataFrame(
        [
            {"variant": variant, "metric": metric, "epoch": 1, "mean": 1.0, "low": 1.0, "high": 1.0}
            for variant, metric in product(labels, METRICS)
        ]
    )
    lines = learning_curves(table, labels, "validation", EN, "loss").axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 28


def test_every_seed_has_its_marker_and_every_variant_its_mean() -> None:
    """On the row of each variant stand a marker at each seed's accuracy and a stroke at the mean."""
    (axes,) = draw_accuracies(RUNS, COMPARISON, LABELS, EN).axes
    points, strokes = axes.lines[::2], axes.lines[1::2]
    for row, (variant, mean) in enumerate([("rnn", 0.625), ("lstm", 0.825)]):
        expected = RUNS.loc[RUNS["variant"] == variant, "test_accuracy"]
        assert_array_equal(points[row].get_xdata(), expected)
        assert_array_equal(points[row].get_ydata(), [row] * 3)
        assert (points[row].get_linestyle(), points[row].get_color()) == ("None", series_style(row)["color"])
        assert_array_equal(strokes[row].get_xydata(), [[mean, row]])
        assert strokes[row].get_marker() == "|"


@pytest.mark.parametrize(("language", "label"), [(ZH, "测试准确率"), (EN, "Test accuracy")], ids=["zh", "en"])
def test_the_accuracies_are_labelled(language: Language, label: str) -> None:
    """The variants stand beside their rows, the first on top; accuracy is in percent."""
    figure = draw_accuracies(RUNS, COMPARISON, LABELS, language)
    (axes,) = figure.axes
    assert axes.get_xlabel() == label
    assert [(tick.get_text(), tick.get_position()[1]) for tick in axes.get_yticklabels()] == [
        ("RNN", 0),
        ("手写 LSTM", 1),
    ]
    low, high = axes.get_ylim()
    assert low > 1 > 0 > high
    figure.draw_without_rendering()
    assert {tick.get_text()[-1:] for tick in axes.get_xticklabels()} == {"%"}


def test_only_the_variants_that_are_asked_for_are_drawn() -> None:
    """A variant without a label, since none of its runs finished, has no row."""
    (axes,) = draw_accuracies(RUNS, COMPARISON, {"lstm": "LSTM"}, EN).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["LSTM"]
    assert_array_equal(axes.lines[0].get_xdata(), [0.8, 0.85, np.nan])


def test_the_image_of_a_confusion_matrix_is_its_shares() -> None:
    """The shares are the image, true classes down, on a scale from 0 to 1."""
    axes, _ = confusion_matrix(SHARES, CLASSES, EN).axes
    (image,) = axes.images
    assert_array_equal(np.asarray(image.get_array()), SHARES)
    assert image.get_clim() == (0, 1)
    assert axes.get_ylim() == (2.5, -0.5)


def test_shares_of_5_percent_and_more_are_written_into_their_cells() -> None:
    """Each number stands in its own cell, in percent, white on dark and black on light."""
    axes, _ = confusion_matrix(SHARES, CLASSES, EN).axes
    written = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    assert written == {
        (0, 0): ("90", "white"),
        (1, 0): ("6", "black"),
        (0, 1): ("5", "black"),
        (1, 1): ("45", "black"),
        (2, 1): ("50", "black"),
        (2, 2): ("96", "white"),
    }


@pytest.mark.parametrize(("share", "written"), [(0.0449, []), (0.045, []), (0.0451, ["5"]), (0.05, ["5"])])
def test_what_is_written_is_never_below_5(share: float, written: list[str]) -> None:
    """A share is written from where it rounds to 5."""
    axes, _ = confusion_matrix(np.array([[share]]), ["a"], EN).axes
    assert [text.get_text() for text in axes.texts] == written


def test_the_numbers_of_few_classes_are_larger() -> None:
    """Two classes have numbers of 11 points in a picture half as tall as a page allows; eighteen about 7."""
    few, many = (confusion_matrix(np.eye(n), [f"class {i}" for i in range(n)], EN) for n in (2, 18))
    sizes = [{float(text.get_fontsize()) for text in figure.axes[0].texts} for figure in (few, many)]
    assert sizes[0] == {11}
    assert 6 < min(sizes[1]) < 8
    assert 2 < few.get_size_inches()[1] < 2.6 < many.get_size_inches()[1]


def test_in_cells_too_small_for_numbers_there_are_none() -> None:
    """Sixty classes are shown by colour alone, and every second one is named."""
    axes, _ = confusion_matrix(np.eye(60), [f"class {i}" for i in range(60)], EN).axes
    assert list(axes.texts) == []
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"class {i}" for i in range(0, 60, 2)]


@pytest.mark.parametrize(
    ("language", "true", "predicted"), [(ZH, "真实类别", "预测类别"), (EN, "True class", "Predicted class")]
)
def test_a_confusion_matrix_is_labelled(language: Language, true: str, predicted: str) -> None:
    """The classes stand on both axes, each at its row and column; rows are true, columns predicted."""
    axes, _ = confusion_matrix(SHARES, CLASSES, language).axes
    assert (axes.get_ylabel(), axes.get_xlabel()) == (true, predicted)
    for labels, position in ((axes.get_xticklabels(), 0), (axes.get_yticklabels(), 1)):
        assert [(label.get_text(), label.get_position()[position]) for label in labels] == [
            ("汉语", 0),
            ("Polish", 1),
            ("a$b$c", 2),
        ]


def figures(language: Language) -> dict[str, Figure]:
    """Return one figure of each kind."""
    labels = {"rnn": "RNN", "lstm": "手写 <LSTM> & $x$"}
    return {
        "accuracy": learning_curves(curves(), labels, "validation", language, "accuracy"),
        "loss": learning_curves(curves(), labels, "validation", language, "loss"),
        "accuracies": draw_accuracies(RUNS, COMPARISON, LABELS, language),
        "confusion": confusion_matrix(SHARES, CLASSES, language),
    }


@pytest.fixture(params=["zh", "en"])
def pictures(request: pytest.FixtureRequest) -> dict[str, str]:
    """One figure of each kind, as SVG."""
    code = request.param
    return {name: to_svg(figure, code) for name, figure in figures({"zh": ZH, "en": EN}[code]).items()}


def words(svg: str) -> list[str]:
    """Return every text of an SVG file."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


@pytest.mark.parametrize("name", ["accuracy", "loss", "accuracies", "confusion"])
@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_the_same_figure_gives_the_same_bytes(name: str, language: Language) -> None:
    """Drawn twice, a figure is the same file: no date, no random names."""
    assert to_svg(figures(language)[name], language.code) == to_svg(figures(language)[name], language.code)


def test_text_stays_text(pictures: dict[str, str]) -> None:
    """Labels, names and numbers are text that can be searched, to the letter, and no outlines or formulas."""
    for name in ("accuracy", "loss"):
        assert {"RNN", "手写 <LSTM> & $x$", "1"} <= set(words(pictures[name]))
    assert {"RNN", "手写 LSTM"} <= set(words(pictures["accuracies"]))
    assert {"汉语", "Polish", "a$b$c", "90", "6", "5", "45", "50", "96"} <= set(words(pictures["confusion"]))


def test_the_fonts_are_inside(pictures: dict[str, str]) -> None:
    """Every figure carries fonts that have each of its characters, and only the families that the report uses."""
    for svg in pictures.values():
        rules = re.findall(r'font-family:"([\w ]+)";.*?src:url\(data:font/otf;base64,([\w+/=]+)\)', svg)
        assert {family for family, _ in rules} <= {"Source Sans Pro", "Noto Sans CJK SC", "DejaVu Sans"}
        carried = {
            chr(code) for _, data in rules for code in TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()
        }
        assert set("".join(words(svg))) - carried - {"\n"} == set()


def test_the_typesetter_finds_every_family_that_a_text_names(pictures: dict[str, str]) -> None:
    """WeasyPrint splits the names at commas and takes off quotes alone; what it does not find it replaces."""
    for svg in pictures.values():
        named = re.findall(r"font-family: ([^;\"]*)", svg)
        assert named
        assert {name.strip("\"'") for names in named for name in names.split(",")} == {
            "Source Sans Pro", "Noto Sans CJK SC", "DejaVu Sans",
        }  # fmt: skip


def test_nothing_outside_is_referred_to(pictures: dict[str, str]) -> None:
    """A figure refers to nothing but data inside it and places in it."""
    for svg in pictures.values():
        references = re.findall(r'(?:href|src)="([^"]*)"', svg) + re.findall(r"url\(\s*[\"']?([^)\"']*)", svg)
        assert references
        assert [address[:20] for address in references if not address.startswith(("#", "data:"))] == []
        assert re.search(r"<script|@import|<foreignObject", svg) is None


def test_the_shares_of_a_confusion_matrix_are_drawn_in_their_place(pictures: dict[str, str]) -> None:
    """The written numbers stand in a grid: those of one column one below the other, rows from the top."""
    root = ElementTree.fromstring(pictures["confusion"])  # noqa: S314
    places = {}
    for text in root.iter(f"{SVG}text"):
        if "".join(text.itertext()) in {"90", "6", "45", "96"}:
            moved = re.search(r"translate\(([\d.]+) ([\d.]+)\)", text.get("transform", ""))
            x, y = (moved[1], moved[2]) if moved else (text.get("x", ""), text.get("y", ""))
            places["".join(text.itertext())] = (float(x), float(y))
    assert places["6"][0] == pytest.approx(places["45"][0], abs=0.01)
    assert places["90"][1] == pytest.approx(places["6"][1], abs=0.01)
    assert places["90"][0] < places["45"][0] < places["96"][0]
    assert places["90"][1] < places["45"][1] < places["96"][1]


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    """The report's fonts and style are gone when the drawing is done, even after an error."""
    known = list(font_manager.fontManager.ttflist)

    def fail() -> None:
        with drawing("字", "zh"):
            assert len(font_manager.fontManager.ttflist) > len(known)
            assert mpl.rcParams["svg.fonttype"] == "none"
            raise KeyError

    with mpl.rc_context({"svg.fonttype": "path"}):
        with pytest.raises(KeyError):
            fail()
        assert font_manager.fontManager.ttflist == known
        assert mpl.rcParams["svg.fonttype"] == "path"
