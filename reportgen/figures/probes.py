"""What trained networks keep: the gradient against the distance in time, and the forget gate over a sequence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reportgen.analysis.probes import ForgetGate
from reportgen.figures.style import RAISED, WIDTH, legend_below, series_style
from reportgen.i18n.languages import Language

_TICKS = ((1, (1, 1.5, 2, 3, 5, 7)), (2, (1, 2, 5)))
"""On an axis of fewer decades than the first number, there is a tick at each of these multiples."""

_MOST_PERCENT = 6
"""Decades; on a longer axis there are powers of ten in place of percent."""

_RAISED = str.maketrans("0123456789-", RAISED)

_LONG = 3
"""Tokens with more letters than this are turned."""

_MOST_LETTERS = 90
"""Letters that stand beside each other along the axis; where there are more, the tokens are turned."""

_TURNED: Any = {"rotation": 90}

_MOST_MARKERS = 30

_EVERY = 10
"""Tokens that are numbers have a tick at the multiples of this."""


def gradient_norms(gradients: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw a line a variant on a logarithmic scale, with a band of one standard deviation over the seeds.

    Args:
        gradients: variant, distance, mean, low and high, as `analysis.probes.gradients` returns them.
        labels: variants to draw, and what to call them.
        language: of the axes.
    """
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = figure.subplots()
    for index, variant in enumerate(labels):
        rows = gradients[gradients["variant"] == variant]
        style = series_style(index)
        step = max(1, len(rows) // 8)
        axes.plot(rows["distance"], rows["mean"], markevery=(index % step, step), **style)
        axes.fill_between(
            rows["distance"], rows["low"], rows["high"], color=style["color"], alpha=0.15, linewidth=0
        )
    _logarithmic(axes, gradients)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(language.say("figure.distance"))
    axes.set_ylabel(language.say("figure.gradient"))
    legend_below(figure, axes.lines, list(labels.values()))
    return figure


def _logarithmic(axes: Axes, gradients: pd.DataFrame) -> None:
    axes.set_yscale("log")
    decades = float(np.log10(gradients["high"].max() / gradients["low"].min()))
    subs = next((subs for most, subs in _TICKS if decades < most), (1,))
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_major_formatter(FuncFormatter(_power if decades > _MOST_PERCENT else _percent))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _percent(value: float, _: object) -> str:
    return f"{100 * value:g}%"


def _power(value: float, _: object) -> str:
    """Write a power of ten: 10⁻⁶."""
    return "10" + f"{round(np.log10(value))}".translate(_RAISED)


def forget_gates(gates: Sequence[ForgetGate], labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the mean activation of each forget gate at each token, with a band of one standard deviation.

    Args:
        gates: at least one, all of one sequence, whose tokens stand along the axis.
        labels: variants, and what to call them; a variant has the style of its place among them.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, 2.9))
    axes = figure.subplots()
    places = np.arange(len(gates[0].tokens))
    for gate in gates:
        style = series_style(list(labels).index(gate.variant) + len(labels) * (gate.layer - 1))
        axes.plot(places, gate.mean, markevery=max(1, len(places) // _MOST_MARKERS), **style)
        low, high = gate.mean - gate.spread, gate.mean + gate.spread
        axes.fill_between(places, low, high, color=style["color"], alpha=0.15, linewidth=0)
    tokens = {place: _shown(token, language) for place, token in enumerate(gates[0].tokens)}
    if all(token.isdecimal() for token in tokens.values()):  # the points of a series, of which a few are enough
        tokens = {place: token for place, token in tokens.items() if int(token) % _EVERY == 0}
    longest = max(map(len, tokens.values()), default=0)
    upright = longest <= _LONG and longest * len(tokens) <= _MOST_LETTERS
    axes.set_xticks(list(tokens), list(tokens.values()), **({} if upright else _TURNED))
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_ylabel(language.say("figure.forget_gate"))
    names = [
        language.say("figure.layer", model=labels[gate.variant], layer=gate.layer)
        if gate.layers > 1
        else labels[gate.variant]
        for gate in gates
    ]
    legend_below(figure, axes.lines, names)
    return figure


def _shown(token: str | None, language: Language) -> str:
    if token is None:
        return language.say("figure.unknown")
    return token.replace(" ", "␣")
