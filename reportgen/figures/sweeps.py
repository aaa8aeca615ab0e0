"""Test accuracy, or forecast error, against one swept number."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, PercentFormatter

from reportgen.analysis.studies import Sweep
from reportgen.figures.style import WIDTH, legend_below, logarithmic, series_style
from reportgen.i18n.languages import Language

_LOGARITHMIC_FROM = 8
"""The axis is logarithmic from where the largest value is so many times the smallest."""

_MOST_UPRIGHT = 10
"""Ticks; more of them are turned, so that their numbers do not touch."""

_MOST_TICKS = 30
"""Of more values only those have ticks that are so far from each other that as many would fill the axis."""

_CROWDED = 100
"""Values; of more of them the marks are thin, or their spread would hide their means."""

_RING: Any = {"marker": "o", "markersize": 11, "markerfacecolor": "none", "markeredgecolor": "black"}


def swept(sweep: Sweep, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw a line a base run through the means, with a bar of one standard deviation and a marker for every seed.

    A ring is around the value that the validation part chose.

    Args:
        sweep: what to draw.
        labels: variants, and what to call them; a base run has the style of its place among them.
        language: of the axes.
    """
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = figure.subplots()
    handles = [_line(axes, sweep, base, list(labels).index(base)) for base in sweep.bases]
    for best in sweep.best:
        if best.validation is not None:
            axes.plot([best.value], [best.test], linestyle="", **_RING)
    _scale(axes, sorted(sweep.averages["value"].unique()))
    axes.set_xlabel(language.say(f"setting.{sweep.setting}"))
    axes.set_ylabel(language.say(f"figure.{sweep.score.tested}"))
    if sweep.score.errors:
        logarithmic(axes, language)
    else:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    legend_below(figure, handles, [labels[base] for base in sweep.bases])
    return figure


def _line(axes: Axes, sweep: Sweep, base: str, index: int) -> Line2D:
    style = series_style(index)
    points, means = (table[table["base"] == base] for table in (sweep.points, sweep.averages))
    crowded = len(means) > _CROWDED
    faint = {**style, "linestyle": "", "markersize": 1.5 if crowded else 5, "alpha": 0.35, "markeredgewidth": 0}
    axes.plot(points["value"], points[sweep.score.tested], **faint)
    spread = [means["mean"] - means["low"], means["high"] - means["mean"]]
    bars: dict[str, Any] = {"capsize": 2.5, "elinewidth": 1}
    if crowded:
        bars, style = {"elinewidth": 0.3}, {**style, "linewidth": 0.5, "marker": ""}
    container = axes.errorbar(means["value"], means["mean"], spread, **bars, **style)
    line: Line2D = container.lines[0]
    return line


def _scale(axes: Axes, values: list[float]) -> None:
    """Put a tick at every value, and spread the values when they are far from each other."""
    smallest = min((value for value in values if value > 0), default=1.0)
    if values[0] >= 0 and values[-1] >= _LOGARITHMIC_FROM * smallest:
        if values[0] > 0:
            axes.set_xscale("log")
        else:  # 0 has its place to the left of the smallest positive value
            axes.set_xscale("symlog", linthresh=smallest)
    turned: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len(values) > _MOST_UPRIGHT else {}
    )
    shown = values if len(values) <= _MOST_TICKS else _apart(axes, values)
    axes.set_xticks(shown, [f"{value:.6g}" for value in shown], **turned)
    axes.xaxis.set_minor_locator(NullLocator())


def _apart(axes: Axes, values: list[float]) -> list[float]:
    """Return the values that lie far enough from each other on the axis for their ticks."""
    places = axes.xaxis.get_transform().transform(values)
    step = (places[-1] - places[0]) / _MOST_TICKS
    shown = [0]
    for i, place in enumerate(places):
        if place - places[shown[-1]] >= step:
            shown.append(i)
    return [values[i] for i in shown]
