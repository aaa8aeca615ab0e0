"""Learning curves: loss and accuracy against the epoch, with a band over the seeds."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reportgen.figures.style import series_style
from reportgen.languages import Language

_PANELS = (("train_loss", "heldout_loss"), ("train_accuracy", "heldout_accuracy"))


def learning_curves(curves: pd.DataFrame, labels: Mapping[str, str], heldout: str, language: Language) -> Figure:
    """Draw loss (above) and accuracy (below) on the training part (left) and the held-out part (right).

    Args:
        curves: variant, metric, epoch, mean, low and high, as `analysis.tables.curves` returns them.
        labels: variants to draw, and what to call them.
        heldout: validation or test, the part that each epoch was evaluated on.
        language: of the labels.
    """
    figure = Figure(figsize=(6.7, 4.9))
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    parts = (language.say("figure.train"), language.say(f"figure.{heldout}"))
    for row, metrics in zip(axes, _PANELS, strict=True):
        for panel, metric in zip(row, metrics, strict=True):
            _lines(panel, curves[curves["metric"] == metric], labels)
    for panel, part in zip(axes[0], parts, strict=True):
        panel.set_title(part)
    for panel in axes[1]:
        panel.set_xlabel(language.say("figure.epoch"))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel(language.say("figure.loss"))
    axes[1, 0].set_ylabel(language.say("figure.accuracy"))
    # handed over one by one, since left to itself a legend leaves out names that begin with an underscore
    handles, names = axes[0, 0].lines, list(labels.values())
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)), handlelength=3)
    return figure


def _lines(panel: Axes, curves: pd.DataFrame, labels: Mapping[str, str]) -> None:
    for index, (variant, label) in enumerate(labels.items()):
        rows = curves[curves["variant"] == variant].sort_values("epoch")
        style = series_style(index)
        panel.plot(rows["epoch"], rows["mean"], label=label, markevery=max(1, len(rows) // 6), **style)
        panel.fill_between(rows["epoch"], rows["low"], rows["high"], color=style["color"], alpha=0.15, linewidth=0)
