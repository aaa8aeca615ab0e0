"""Figures of a forecasting report: forecasts beside the truth, errors, and training losses."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reportgen.analysis.display_limits import MOST_CURVES, MOST_PANELS, lowest
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import FORECAST_ERROR, sweeps
from reportgen.figures.curves import banded, gradient_norms
from reportgen.figures.deferred import DeferredFigure, DeferredFigures, defer, for_figures
from reportgen.figures.explaining import characters, explaining_steps
from reportgen.figures.style import WIDTH, legend_below
from reportgen.i18n.languages import Language
from reportgen.lab.record import Record
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow
from reportgen.tasks.forecasting.findings import Findings
from reportgen.tasks.forecasting.results import GIVEN, Forecasts

_PANEL = 1.05
"""Inches that a forecast's panel is tall; two stand side by side."""

_BEYOND = 0.6
"""How far beyond the truth, as a share of its range, a panel shows what a network says."""

_TRUTH, _GIVEN, _FORECAST = "#888888", "#000000", "#D55E00"


def deferred_figures(
    results: Runs, findings: AnyFindings, language: Language, sections: Collection[str] = ()
) -> DeferredFigures:
    """Return the figures by name: forecast_from_half, forecast_from_one, errors, training, sweep-<number>.

    `forecast_…` show the MOST_PANELS variants with the lowest errors, the others the best MOST_CURVES.
    Those of the sections that explain are as in a classification report.
    """
    results = narrow(results, Forecasts)
    findings = narrow(findings, Findings)
    labels = {variant.name: variant.label_in(language.code) for variant in results.variants}
    spoken = for_figures(language)
    figures = chain(
        _sketches(results, findings, labels, spoken), explaining_steps(results, sections, labels, spoken)
    )
    return DeferredFigures(dict(figures), [*labels.values(), *characters(results)], language)


def _sketches(
    results: Forecasts, findings: Findings, labels: Mapping[str, str], language: Language
) -> Iterator[tuple[str, DeferredFigure]]:
    table = findings.comparison[findings.comparison["finished"] > 0]
    scores = dict(zip(table["variant"], table["forecast_from_half"], strict=True))
    if not scores:
        return
    panels, lines = ({name: labels[name] for name in lowest(scores, most)} for most in (MOST_PANELS, MOST_CURVES))
    for given in GIVEN:
        records = {labels[name]: results.records[results.runs_of(name)[0]] for name in panels}
        yield f"forecast_{given}", defer("tasks.forecasting.figures.forecasts", records, given, language)
    yield "errors", defer("tasks.forecasting.figures.errors", findings.horizons, lines, language)
    yield "training", defer("tasks.forecasting.figures.training", findings.learning, lines, language)
    yield from gradient_norms(results, lines, language)
    for name, sweep in sweeps(results, FORECAST_ERROR).items():
        yield name, defer("figures.sweeps.swept", sweep, labels, language)


def forecasts(records: Mapping[str, Record], given: str, language: Language) -> Figure:
    """Draw a panel a record: the first test sequence as given, as it went on, and as it was foretold.

    Args:
        records: finished ones, by what to call them.
        given: one of GIVEN.
        language: of the labels.

    A stroke marks where the forecast begins. What a network says far outside of the truth is cut off.
    """
    rows = -(-len(records) // 2)
    figure = Figure(figsize=(WIDTH, 0.5 + _PANEL * rows))
    panels = figure.subplots(rows, min(2, len(records)), sharex=True, sharey=True, squeeze=False).flat
    handles: list[Line2D] = []
    for panel in panels[len(records) :]:
        panel.set_visible(False)
    for panel, (label, record) in zip(panels, records.items(), strict=False):
        handles = _forecast(panel, record, given)
        panel.set_title(label, loc="left", fontsize=8.5, pad=2)
        panel.tick_params(labelsize=7)
    truths = np.concatenate([record.arrays["truth"][0] for record in records.values()])
    margin = _BEYOND * float(np.ptp(truths))
    panels[0].set_ylim(float(truths.min()) - margin, float(truths.max()) + margin)
    for panel in panels[max(0, len(records) - 2) : len(records)]:
        panel.set_xlabel(language.say("figure.point"))
        panel.tick_params(labelbottom=True)
    legend_below(figure, handles, [language.say(f"figure.{name}") for name in ("truth", "given", "forecast")])
    return figure


def _forecast(panel: Axes, record: Record, given: str) -> list[Line2D]:
    truth, told = record.arrays["truth"][0], record.arrays[f"forecast_{given}"][0]
    start = len(truth) - len(told)
    points = np.arange(1, len(truth) + 1)
    (real,) = panel.plot(points, truth, color=_TRUTH, linestyle="--", linewidth=1.1)
    marker = "o" if start == 1 else ""
    (known,) = panel.plot(
        points[:start], truth[:start], color=_GIVEN, linestyle="-", marker=marker, markersize=4, linewidth=1.3
    )
    (said,) = panel.plot(points[start:], told, color=_FORECAST, linestyle="-.", linewidth=1.3)
    panel.axvline(start + 0.5, color="#444444", linewidth=0.8)
    return [real, known, said]


def errors(horizons: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the absolute error against the horizon, a panel for each of GIVEN, a line a variant.

    Args:
        horizons: variant, given, horizon, mean, low and high.
        labels: variants to draw, and what to call them.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, 3.8))
    panels = figure.subplots(2, 1)
    for panel, given in zip(panels, GIVEN, strict=True):
        banded(panel, horizons[horizons["given"] == given], "horizon", labels, language)
        panel.set_title(language.say(f"figure.{given}"))
        panel.set_ylabel(language.say("figure.absolute_error"))
    panels[-1].set_xlabel(language.say("figure.horizon"))
    legend_below(figure, panels[0].lines, list(labels.values()))
    return figure


def training(learning: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the training loss against the evaluations (left) and the seconds (right), a line a variant.

    Args:
        learning: variant, evaluation, seconds, mean, low and high.
        labels: variants to draw, and what to call them.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, 3.2))
    panels = figure.subplots(1, 2, sharey=True)
    for panel, across in zip(panels, ("evaluation", "seconds"), strict=True):
        banded(panel, learning, across, labels, language)
        panel.set_xlabel(language.say(f"figure.{across}"))
    panels[0].set_ylabel(language.say("figure.train_loss"))
    legend_below(figure, panels[0].lines, list(labels.values()))
    return figure
