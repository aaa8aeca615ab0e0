"""Learning curves, and the test accuracy of every run."""

from collections.abc import Iterator, Mapping
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from reportgen.analysis.results import Runs
from reportgen.analysis.tables import norms
from reportgen.figures.deferred import DeferredFigure, defer
from reportgen.figures.style import COLUMNS, LINES, WIDTH, legend_below, logarithmic, series_style, wrapped
from reportgen.i18n.languages import Language
from reportgen.tasks.registry import task_named

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


_FEW_LINES = 4
_HEIGHT, _HEIGHT_FOR_MANY = 2.8, 3.2
"""Inches of the panels, up to so many lines and above; the curves of twelve variants still share one page."""


def learning_curves(
    curves: pd.DataFrame,
    labels: Mapping[str, str],
    heldout: str,
    language: Language,
    quantity: Literal["loss", "accuracy"],
) -> Figure:
    """Draw one quantity on the training part (left) and on the held-out part (right), on one scale.

    Args:
        curves: variant, metric, epoch, mean, low and high, as `analysis.tables.curves` returns them.
        labels: variants to draw, and what to call them.
        heldout: validation or test, the part that each epoch was evaluated on; heldout if variants differ in it.
        language: of the labels.
        quantity: loss, or accuracy (in percent).
    """
    figure = Figure(figsize=(WIDTH, _HEIGHT if len(labels) <= _FEW_LINES else _HEIGHT_FOR_MANY))
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for panel, part, title in ((left, "train", "train"), (right, "heldout", heldout)):
        _lines(panel, curves[curves["metric"] == f"{part}_{quantity}"], labels)
        panel.set_title(language.say(f"figure.{title}"))
        panel.set_xlabel(language.say("figure.epoch"))
        _ticks_on_epochs(panel, int(curves["epoch"].max()))
    left.set_ylabel(language.say(f"figure.{quantity}"))
    if quantity == "accuracy":
        left.yaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    legend_below(figure, left.lines, list(labels.values()))
    return figure


def _ticks_on_epochs(panel: Axes, last: int) -> None:
    if last == 1:
        panel.set_xticks([1])
    else:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))


def _lines(panel: Axes, curves: pd.DataFrame, labels: Mapping[str, str]) -> None:
    tint = 0.15 if len(labels) <= _FEW_LINES else 0.08
    for index, (variant, label) in enumerate(labels.items()):
        rows = curves[curves["variant"] == variant].sort_values("epoch")
        style = series_style(index)
        step = max(1, len(rows) // 6)
        # each line has its markers at other epochs, or those of lines that run together would hide each other
        panel.plot(rows["epoch"], rows["mean"], label=label, markevery=(index % step, step), **style)
        panel.fill_between(rows["epoch"], rows["low"], rows["high"], color=style["color"], alpha=tint, linewidth=0)


def gradient_norms(
    results: Runs, labels: Mapping[str, str], language: Language
) -> Iterator[tuple[str, DeferredFigure]]:
    """Yield the figure `gradient_norm` of the variants of `labels` that logged it; none where none did."""
    table = norms(results)
    lines = {name: label for name, label in labels.items() if name in set(table["variant"])}
    if lines:
        unit = "epoch" if task_named(results.task).has_epochs else "step"
        yield "gradient_norm", defer("figures.curves.gradient_norm", table, lines, unit, language)


def gradient_norm(table: pd.DataFrame, labels: Mapping[str, str], unit: str, language: Language) -> Figure:
    """Draw the norm of the gradient, before it is clipped, against the epoch or step.

    Args:
        table: variant, number (of the epoch or step), mean, low and high.
        labels: variants to draw, and what to call them.
        unit: epoch or step.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    panel = figure.subplots()
    banded(panel, table, "number", labels, language)
    panel.set_xlabel(language.say(f"figure.{unit}"))
    panel.set_ylabel(language.say("figure.gradient_norm"))
    legend_below(figure, panel.lines, list(labels.values()))
    return figure


def banded(panel: Axes, table: pd.DataFrame, across: str, labels: Mapping[str, str], language: Language) -> None:
    """Draw a line a variant through the means, with a band from low to high, on a logarithmic scale."""
    for index, (variant, label) in enumerate(labels.items()):
        rows = table[table["variant"] == variant].sort_values(across)
        style = series_style(index)
        step = max(1, len(rows) // 6)
        start = index * step // len(labels)  # markers of lines that run together would hide each other
        panel.plot(rows[across], rows["mean"], label=label, markevery=(start, step), **style)
        panel.fill_between(rows[across], rows["low"], rows["high"], color=style["color"], alpha=0.1, linewidth=0)
    logarithmic(panel, language)
