"""Learning curves: loss and accuracy against the epoch, with a band over the seeds."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reportgen.figures.style import WIDTH, legend_below, series_style
from reportgen.languages import Language

_PANELS = (("train_loss", "heldout_loss"), ("train_accuracy", "heldout_accuracy"))

_FEW_LINES = 4
_HEIGHT, _HEIGHT_FOR_MANY = 4.7, 6.2
"""Inches of the panels, up to so many lines and above."""


def learning_curves(curves: pd.DataFrame, labels: Mapping[str, str], heldout: str, language: Language) -> Figure:
    """Draw loss (above) and accuracy (below) on the training part (left) and the held-out part (right).

    Args:
        curves: variant, metric, epoch, mean, low and high, as `analysis.tables.curves` returns them.
        labels: variants to draw, and what to call them.
        heldout: validation or test, the part that each epoch was evaluated on; heldout if variants differ in it.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, _HEIGHT if len(labels) <= _FEW_LINES else _HEIGHT_FOR_MANY))
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    parts = (language.say("figure.train"), language.say(f"figure.{heldout}"))
    for row, metrics in zip(axes, _PANELS, strict=True):
        for panel, metric in zip(row, metrics, strict=True):
            _lines(panel, curves[curves["metric"] == metric], labels)
    for panel, part in zip(axes[0], parts, strict=True):
        panel.set_title(part)
    for panel in axes[1]:
        panel.set_xlabel(language.say("figure.epoch"))
        _ticks_on_epochs(panel, int(curves["epoch"].max()))
    axes[0, 0].set_ylabel(language.say("figure.loss"))
    axes[1, 0].set_ylabel(language.say("figure.accuracy"))
    legend_below(figure, axes[0, 0].lines, list(labels.values()))
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
