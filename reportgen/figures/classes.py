"""What each model recognises of each class."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from reportgen.figures.style import WIDTH, legend_below, series_style
from reportgen.languages import Language

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
