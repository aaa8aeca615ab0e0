"""Confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from reportgen.languages import Language

_TALLEST = 4.35
"""Inches; two of this height, with their captions, share a page."""

_WRITTEN_FROM = 5
_DARK_FROM = 0.5


def confusion_matrix(shares: NDArray[np.float64], classes: Sequence[str], language: Language) -> Figure:
    """Draw a row-normalised confusion matrix: true classes down, predicted classes across.

    Args:
        shares: (classes, classes); entry (i, j) is the share of class i that was called j.
        classes: names, in the order of the rows.
        language: of the labels.

    Shares of 5% and more are written into their cells, in percent.
    """
    height = min(_TALLEST, 1.6 + 0.16 * len(classes))
    figure = Figure(figsize=(height * 1.2, height))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    for (i, j), share in np.ndenumerate(shares):
        if round(100 * share) >= _WRITTEN_FROM:
            colour = "white" if share > _DARK_FROM else "black"
            axes.text(j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=colour)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.tick_params(length=0, labelsize=7.5)
    axes.grid(visible=False)
    axes.set_xlabel(language.say("figure.predicted"))
    axes.set_ylabel(language.say("figure.true"))
    bar = figure.colorbar(image, shrink=0.8, format=PercentFormatter(1.0, symbol="%"))
    bar.outline.set_visible(False)
    return figure
