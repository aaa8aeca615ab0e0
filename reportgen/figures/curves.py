"""Learning curves: loss or accuracy against the epoch, with a band over the seeds."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from reportgen.figures.style import WIDTH, legend_below, series_style
from reportgen.languages import Language

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
