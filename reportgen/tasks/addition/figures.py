"""Figures of an addition report: learning curves a study, steps to right sums, heat maps, other lengths."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from reportgen.analysis.display_limits import MOST_CURVES
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import Grid, Study, names_of
from reportgen.figures.curves import gradient_norms
from reportgen.figures.deferred import DeferredFigure, DeferredFigures, defer, for_figures
from reportgen.figures.explaining import characters, explaining_steps
from reportgen.figures.style import WIDTH, legend_below, logarithmic, series_style
from reportgen.i18n.languages import Language
from reportgen.tasks.addition.findings import Findings, by_setting
from reportgen.tasks.addition.results import Additions
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow

_LOGARITHMIC_FROM = 8
"""The axis is logarithmic from where the largest value is so many times the smallest."""

_HEADROOM = 1.2
"""How far the axis goes above the highest number, to leave room for them."""

_TOP = 0.95
"""Where on the axis the runs stand that never got all sums right."""


def deferred_figures(
    results: Runs, findings: AnyFindings, language: Language, sections: Collection[str] = ()
) -> DeferredFigures:
    """Return the figures by name.

    `study-<number>` has the curves of a study, `steps-<number>` the steps to right sums against a setting that is
    a number, `grid-<number>` those of two settings, `lengths` the accuracy at other lengths than that trained on.
    Those of the sections that explain are as in a classification report.
    """
    results = narrow(results, Additions)
    findings = narrow(findings, Findings)
    labels = {variant.name: variant.label_in(language.code) for variant in results.variants}
    spoken = for_figures(language)
    figures = chain(
        _sketches(results, findings, labels, spoken), explaining_steps(results, sections, labels, spoken)
    )
    return DeferredFigures(dict(figures), [*labels.values(), *characters(results)], language)


def _sketches(
    results: Additions, findings: Findings, labels: Mapping[str, str], language: Language
) -> Iterator[tuple[str, DeferredFigure]]:
    for number, studied in enumerate(findings.studied, 1):
        there = [name for name in studied.study.values if results.runs_of(name)][:MOST_CURVES]
        if there:
            names = names_of(studied.study, there, labels, language)
            yield f"study-{number}", defer("tasks.addition.figures.curves", findings.curves, names, language)
    for number, studies in enumerate(by_setting(findings), 1):
        yield f"steps-{number}", defer("tasks.addition.figures.steps", studies, results.runs, labels, language)
    for number, grid in enumerate(findings.grids, 1):
        yield f"grid-{number}", defer("tasks.addition.figures.heat", grid, findings.comparison, language)
    finished = [name for name in labels if results.runs_of(name)][:MOST_CURVES]
    yield from gradient_norms(results, {name: labels[name] for name in finished}, language)
    if len(findings.lengths):
        yield "lengths", defer("tasks.addition.figures.lengths", findings.lengths, labels, language)


def curves(table: pd.DataFrame, names: Mapping[str, str], language: Language) -> Figure:
    """Draw the loss (left, logarithmic) and the share of right sums (right) against the steps, a line a variant.

    Args:
        table: variant, metric, step, mean, low and high.
        names: variants to draw, and what to call them.
        language: of the labels.
    """
    figure = Figure(figsize=(WIDTH, 2.7))
    panels = figure.subplots(1, 2)
    for panel, metric in zip(panels, ("test_loss", "exact_accuracy"), strict=True):
        _lines(panel, table[table["metric"] == metric], "step", names)
        panel.set_xlabel(language.say("figure.step"))
        panel.set_ylabel(language.say(f"figure.{metric}"))
    logarithmic(panels[0], language)
    _percent(panels[1])
    legend_below(figure, panels[0].lines, list(names.values()))
    return figure


def steps(studies: list[Study], runs: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the first logged step with all sums right against the value of a setting, a line a study.

    A line goes through the means of the values of which every seed got there; each seed has a pale marker. A run
    that never got there has a hollow triangle at the top edge.

    Args:
        studies: of one setting.
        runs: variant, status and first_step, a row a run.
        labels: variants, and what to call them.
        language: of the axes.
    """
    figure = Figure(figsize=(WIDTH, 2.9))
    axes = figure.subplots()
    handles: list[Any] = []
    missed = False
    for index, study in enumerate(studies):
        rows = runs[(runs["status"] == "finished") & runs["variant"].isin(list(study.values))]
        rows = rows.assign(value=rows["variant"].map(study.values).astype(float))
        style = series_style(index)
        faint = {**style, "linestyle": "", "markersize": 5, "alpha": 0.35, "markeredgewidth": 0}
        axes.plot(rows["value"], rows["first_step"], **faint)
        means = rows.groupby("value")["first_step"].agg(lambda own: own.mean(skipna=False)).dropna()
        handles += axes.plot(means.index, means, **style)
        never = rows.loc[rows["first_step"].isna(), "value"]
        missed = missed or len(never) > 0
        hollow = {**style, "linestyle": "", "marker": "^", "markersize": 7, "markerfacecolor": "none"}
        axes.plot(never, [_TOP] * len(never), transform=axes.get_xaxis_transform(), **hollow)
    axes.set_ylim(0, _HEADROOM * max(1.0, axes.dataLim.y1))
    _values(axes, sorted({float(value) for study in studies for value in study.values.values()}), language)
    axes.set_xlabel(language.say(f"setting.{studies[0].setting}"))
    axes.set_ylabel(language.say("figure.first_step"))
    names = [labels[study.base] for study in studies]
    if missed:
        handles += axes.plot([], [], linestyle="", marker="^", markersize=7, color="black", markerfacecolor="none")
        names.append(language.say("figure.never"))
    legend_below(figure, handles, names)
    return figure


def _values(axes: Axes, values: list[float], language: Language) -> None:
    if values[0] > 0 and values[-1] >= _LOGARITHMIC_FROM * values[0]:
        axes.set_xscale("log")
    axes.set_xticks(
        values, [f"{value:,.6g}" if value >= 1 else language.significant(value, 6) for value in values]
    )
    axes.xaxis.set_minor_locator(NullLocator())


def heat(grid: Grid, comparison: pd.DataFrame, language: Language) -> Figure:
    """Draw two settings against each other: the share of right sums, and the steps until all were right.

    Args:
        grid: the first setting goes down, the second across.
        comparison: variant, exact_accuracy, first_step and finished, a row a variant; means over the seeds.
        language: of the labels.

    A cell of which a seed never got all sums right has a dash in place of the steps.
    """
    rows, columns = grid.axes
    figure = Figure(figsize=(WIDTH, min(6.0, 1.5 + 0.4 * len(rows))))
    by_variant = comparison.set_index("variant")
    for panel, metric, colours in zip(
        figure.subplots(1, 2), ("exact_accuracy", "first_step"), ("Blues", "Oranges"), strict=True
    ):
        cells = np.full((len(rows), len(columns)), np.nan)
        for variant, (first, second) in grid.cells.items():
            cells[rows.index(first), columns.index(second)] = by_variant[metric][variant]
        share = metric == "exact_accuracy"
        image = panel.imshow(cells, cmap=colours, vmin=0, vmax=1 if share else None, aspect="auto")
        panel.set_title(language.say(f"figure.{metric}"))
        panel.set_xticks(range(len(columns)), [language.setting(grid.settings[1], value) for value in columns])
        panel.set_yticks(range(len(rows)), [language.setting(grid.settings[0], value) for value in rows])
        panel.set_xlabel(language.say(f"setting.{grid.settings[1]}"))
        panel.set_ylabel(language.say(f"setting.{grid.settings[0]}"))
        panel.grid(visible=False)
        panel.tick_params(length=0)
        for (i, j), value in np.ndenumerate(cells):
            dark = np.isfinite(value) and image.norm(value) > 0.6
            words = language.percent(value) if share else language.integer(value)
            panel.text(j, i, words, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    return figure


def lengths(table: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the shares of right sums (left) and of right digits (right) against the length of the numbers.

    Args:
        table: variant, digits, and mean and std of exact_accuracy and digit_accuracy.
        labels: variants, and what to call them.
        language: of the labels.
    """
    names = {name: labels[name] for name in dict.fromkeys(table["variant"])}
    names = dict(list(names.items())[:MOST_CURVES])
    figure = Figure(figsize=(WIDTH, 2.7))
    panels = figure.subplots(1, 2, sharey=True)
    for panel, metric in zip(panels, ("exact_accuracy", "digit_accuracy"), strict=True):
        spread = table[f"{metric}_std"].fillna(0.0)
        own = table.assign(
            mean=table[metric],
            low=(table[metric] - spread).clip(lower=0),
            high=(table[metric] + spread).clip(upper=1),
        )
        _lines(panel, own, "digits", names)
        _values(panel, sorted(map(float, set(table["digits"]))), language)
        panel.set_xlabel(language.say("figure.digits"))
        panel.set_ylabel(language.say(f"figure.{metric}"))
        _percent(panel)
    legend_below(figure, panels[0].lines, list(names.values()))
    return figure


def _lines(panel: Axes, table: pd.DataFrame, across: str, names: Mapping[str, str]) -> None:
    for index, (variant, name) in enumerate(names.items()):
        rows = table[table["variant"] == variant].sort_values(across)
        style = series_style(index)
        step = max(1, len(rows) // 6)
        panel.plot(rows[across], rows["mean"], label=name, markevery=(index % step, step), **style)
        panel.fill_between(rows[across], rows["low"], rows["high"], color=style["color"], alpha=0.1, linewidth=0)


def _percent(panel: Axes) -> None:
    panel.set_ylim(-0.03, 1.05)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
