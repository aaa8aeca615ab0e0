"""Test accuracy of every run, seed by seed."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from reportgen.figures.style import series_style
from reportgen.languages import Language


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
    figure = Figure(figsize=(6.7, 0.75 + 0.32 * len(labels)))
    axes = figure.subplots()
    means = comparison.set_index("variant")["test_accuracy"]
    for index, variant in enumerate(labels):
        points = runs.loc[runs["variant"] == variant, "test_accuracy"]
        style = {**series_style(index), "linestyle": "", "markersize": 5, "alpha": 0.75}
        axes.plot(points, [index] * len(points), **style)
        axes.plot([means[variant]], [index], linestyle="", marker="|", markersize=16, color="black")
    axes.set_yticks(range(len(labels)), list(labels.values()))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    axes.set_xlabel(language.say("figure.test_accuracy"))
    axes.grid(axis="y", visible=False)
    return figure
