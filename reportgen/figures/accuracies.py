"""Test accuracy of every run, seed by seed."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from reportgen.figures.labels import COLUMNS, LINES, wrapped
from reportgen.figures.style import WIDTH, series_style
from reportgen.languages import Language

_TALLEST = 8.2
"""Inches that the rows have on a page."""

_ROOMY = 0.32
"""Inches of a row where there is room."""

_WIDE = 56
"""Columns of a label's line where rows are many and their labels long: half of the page."""

_ENOUGH = 3
"""With so many lines a label stays narrow, whatever has to be left out of it."""

_LINE, _BETWEEN = 0.135, 0.07
"""Inches that a line of a label takes, and that lie between two labels."""


def test_accuracies(
    runs: pd.DataFrame, comparison: pd.DataFrame, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw a row a variant: a marker for each seed's test accuracy, and a stroke at their mean.

    Args:
        runs: variant and test_accuracy, a row a run.
        comparison: variant and mean test_accuracy, a row a variant.
        labels: variants to draw, from the top, and what to call them.
        language: of the labels.
    """
    names = _names(list(labels.values()))
    row = max(_BETWEEN + _LINE * max(name.count("\n") + 1 for name in names), min(_ROOMY, _TALLEST / len(names)))
    figure = Figure(figsize=(WIDTH, 0.75 + len(names) * row))
    axes = figure.subplots()
    means = comparison.set_index("variant")["test_accuracy"]
    for index, variant in enumerate(labels):
        points = runs.loc[runs["variant"] == variant, "test_accuracy"]
        style = {**series_style(index), "linestyle": "", "markersize": 5, "alpha": 0.75}
        axes.plot(points, [index] * len(points), **style)
        axes.plot([means[variant]], [index], linestyle="", marker="|", markersize=min(16, 55 * row), color="black")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    axes.set_xlabel(language.say("figure.test_accuracy"))
    axes.grid(axis="y", visible=False)
    return figure


def _names(labels: list[str]) -> list[str]:
    """Break the labels into as many lines as the page has room for, longer ones where that is few."""
    lines = max(1, min(LINES, int((_TALLEST / len(labels) - _BETWEEN) / _LINE)))
    names = [wrapped(label, COLUMNS, lines) for label in labels]
    # an ellipsis that was not there before: something had to be left out
    cut = any(name.count("…") > label.count("…") for name, label in zip(names, labels, strict=True))
    return [wrapped(label, _WIDE, lines) for label in labels] if cut and lines < _ENOUGH else names
