"""Confusion matrices, and what each model recognises of each class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import NDArray

from reportgen.figures.style import WIDTH, legend_below, series_style, width, wrapped
from reportgen.i18n.languages import Language

_ROW, _AROUND = 0.235, 0.7
"""Inches of a class, and around all of them."""


def class_recalls(
    per_class: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    classes: Mapping[str, str],
    language: Language,
) -> Figure:
    """Draw a row a class: a marker for what each model recognises of it, and a line from the least to the most.

    Args:
        per_class: by variant the class and its recall, as `analysis.tables.per_class` returns them.
        labels: variants to draw, and what to call them.
        classes: classes, and what to call them; those that are recognised best on average come first.
        language: of the labels.
    """
    recalls = pd.DataFrame({name: per_class[name].set_index("class")["recall"] for name in labels})
    recalls = recalls.loc[recalls.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    figure = Figure(figsize=(WIDTH, _AROUND + _ROW * len(recalls)))
    axes = figure.subplots()
    rows = range(len(recalls))
    axes.hlines(rows, recalls.min(axis=1), recalls.max(axis=1), color="#aaaaaa", linewidth=1, zorder=1)
    for index, variant in enumerate(labels):
        style = {**series_style(index), "linestyle": "", "markersize": 5, "alpha": 0.85}
        axes.plot(recalls[variant], rows, **style)
    axes.set_yticks(rows, [classes[str(name)] for name in recalls.index])
    axes.set_ylim(len(recalls) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    axes.set_xlabel(language.say("figure.recall"))
    legend_below(figure, axes.lines, list(labels.values()))
    return figure


_TALLEST = 3.95
"""Inches; two of this height share a page, with captions of two lines and the paragraph that introduces them."""

_WRITTEN_FROM = 5
_DARK_FROM = 0.5

_GAP_FROM = 2
_DARK_GAP = 0.6

_NAME = 18
"""Columns of a class's name; what is longer is shortened in its middle."""

_SHORT = 8
"""Columns of a name that needs no more room than the cells have."""

_FEW = 6
"""So few classes have their names in the size of the other labels."""

_LARGEST, _SMALLEST = 11.0, 4.5
"""Points of a number in a cell; where it would be smaller still, the colour alone has to say it."""


def confusion_matrix(shares: NDArray[np.float64], classes: Sequence[str], language: Language) -> Figure:
    """Draw a row-normalised confusion matrix: true classes down, predicted classes across.

    Args:
        shares: (classes, classes); entry (i, j) is the share of class i that was called j.
        classes: names, in the order of the rows.
        language: of the labels.

    Shares of 5% and more are written into their cells, in percent, unless there are too many cells.
    """
    figure, axes, bar = _matrix(shares, classes, language, cmap="Blues", vmin=0, vmax=1)
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    figure.draw_without_rendering()  # now it is known how large the cells are
    _write(axes, shares, _cell(axes, classes))
    return figure


def difference_of_matrices(gaps: NDArray[np.float64], classes: Sequence[str], language: Language) -> Figure:
    """Draw the difference of two row-normalised matrices on a scale that is as far below zero as above it.

    Args:
        gaps: (classes, classes); entry (i, j) is a difference of shares of class i.
        classes: names, in the order of the rows.
        language: of the labels.

    Differences of 2 points and more are written into their cells, in percentage points with their sign, so that
    the sign can be told without colour.
    """
    most = max(float(np.abs(gaps).max()), 0.01)
    figure, axes, bar = _matrix(gaps, classes, language, cmap="RdBu", vmin=-most, vmax=most)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda gap, _: _signed(gap)))
    bar.set_label(language.say("figure.points"))
    figure.draw_without_rendering()
    size = min(_LARGEST, 0.5 * _cell(axes, classes))
    for (i, j), gap in np.ndenumerate(gaps):
        if size >= _SMALLEST and abs(round(100 * gap)) >= _GAP_FROM:
            colour = "white" if abs(gap) > _DARK_GAP * most else "black"
            axes.text(j, i, _signed(gap), ha="center", va="center", fontsize=size, color=colour)
    return figure


def _signed(gap: float) -> str:
    return f"{100 * gap:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")


def _matrix(
    values: NDArray[np.float64], classes: Sequence[str], language: Language, **scale: Any
) -> tuple[Figure, Axes, Colorbar]:
    names = [wrapped(name, _NAME, lines=1) for name in classes]
    height = min(_TALLEST, 1.7 + 0.3 * len(names) + 0.04 * max(0, max(map(width, names)) - _SHORT))
    figure = Figure(figsize=(height * 1.2, height))
    axes = figure.subplots()
    image = axes.imshow(values, interpolation="nearest", **scale)
    axes.grid(visible=False)
    axes.set_xlabel(language.say("figure.predicted"))
    axes.set_ylabel(language.say("figure.true"))
    bar = figure.colorbar(image, shrink=0.8)
    bar.outline.set_visible(False)
    _name(axes, names, 72 * 0.66 * height / len(names))
    return figure, axes, bar


def _cell(axes: Axes, classes: Sequence[str]) -> float:
    """Return the width of a cell in points, once the figure was laid out."""
    figure = axes.get_figure(root=True)
    return 72 * axes.get_window_extent().width / (figure.dpi if figure else 72) / len(classes)


def _name(axes: Axes, classes: list[str], cell: float) -> None:
    """Write the classes on both axes, every second or third of them where the cells (points) are too narrow."""
    size = min(9.0 if len(classes) <= _FEW else 7.5, max(cell, _SMALLEST + 1))
    upright = 0.6 * size * max(map(width, classes)) <= cell
    ticks = range(0, len(classes), int(np.ceil(size / cell)))
    names = [classes[tick] for tick in ticks]
    turned: dict[str, Any] = {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(ticks, names, **turned)
    axes.set_yticks(ticks, names)
    axes.tick_params(length=0, labelsize=size)


def _write(axes: Axes, shares: NDArray[np.float64], cell: float) -> None:
    size = min(_LARGEST, 0.55 * cell)
    if size < _SMALLEST:
        return
    for (i, j), share in np.ndenumerate(shares):
        if round(100 * share) >= _WRITTEN_FROM:
            colour = "white" if share > _DARK_FROM else "black"
            axes.text(j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=size, color=colour)
