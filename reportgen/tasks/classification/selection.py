"""What a report of many models prints: the declared ones and the best, so that a person can read it.

Everything is worked out for all of them, and all of it is in results.json and the tables beside the report.
"""

from dataclasses import replace
from typing import TypeVar

import pandas as pd

from reportgen.analysis.display_limits import (
    CROWDED,
    MOST_CURVES,
    MOST_MATRICES,
    MOST_ROWS,
    declared,
    most_accurate,
)
from reportgen.report.printouts import Model
from reportgen.tasks.classification.findings import Findings
from reportgen.tasks.classification.rankings import choices, representatives
from reportgen.tasks.classification.results import Results

MOST_LOGS = 100
"""Runs whose logs are printed; of more, those of the models whose learning curves are drawn."""

Item = TypeVar("Item")


def told_of(results: Results, findings: Findings) -> list[str]:
    """Return the variants that have rows in tables, in the order of the suite.

    All up to MOST_ROWS; of more the declared ones, the leader among them, and the most accurate.
    """
    every = [variant.name for variant in results.variants]
    if len(every) <= MOST_ROWS:
        return every
    chosen = dict.fromkeys(declared(results, MOST_ROWS // 2))
    room = MOST_ROWS - len(chosen)
    chosen |= dict.fromkeys(most_accurate(findings.comparison, [v for v in every if v not in chosen], room))
    return [variant for variant in every if variant in chosen]


def logged_of(results: Results, findings: Findings) -> list[str]:
    """Return the variants whose runs have their logs printed."""
    if len(results.runs) <= MOST_LOGS:
        return [variant.name for variant in results.variants]
    return with_curves(results, findings.comparison)


def narrowed(findings: Findings, told: list[str]) -> Findings:
    """Return the findings about these variants alone: rows of tables, and nothing that is worked out anew."""
    names = set(told)
    if set(findings.comparison["variant"]) <= names:
        return findings
    return replace(
        findings,
        differences=[d for d in findings.differences if {d.ahead, d.behind} <= names],
        tunings=[tuning for tuning in findings.tunings if tuning.variant in names],
        overfitting=[item for item in findings.overfitting if item.variant in names],
        published=[item for item in findings.published if item.variant in names],
        confusions=_only(findings.confusions, names),
    )


def sizes_of(models: list[Model], told: list[str], labels: dict[str, str]) -> list[Model]:
    """Return the models with the sizes alone that one of these variants has."""
    names = {labels[variant] for variant in told}
    return [replace(model, sizes=[size for size in model.sizes if names & set(size.labels)]) for model in models]


def _only(by_variant: dict[str, Item], names: set[str]) -> dict[str, Item]:
    return {variant: item for variant, item in by_variant.items() if variant in names}


def with_curves(results: Results, comparison: pd.DataFrame) -> list[str]:
    """Return the variants whose learning curves are drawn, in the order of the suite.

    All of those that finished, while they are few; where sweeps make more, the one of each run that the validation
    part chose; and the most accurate, where these are too many.
    """
    finished = [variant.name for variant in results.variants if results.runs_of(variant.name)]
    searched = len(finished) > CROWDED and choices(results)
    return most_accurate(comparison, representatives(results) if searched else finished, MOST_CURVES)


def with_matrices(results: Results, comparison: pd.DataFrame) -> list[str]:
    """Return the variants whose confusion matrices are drawn, in the order of the suite."""
    if len(results.confusion) <= MOST_MATRICES:
        return list(results.confusion)
    shown = {*with_curves(results, comparison), *most_accurate(comparison, results.confusion, 2)}
    chosen = representatives(results)
    shown |= set(chosen) if len(chosen) <= MOST_MATRICES else set()
    return [variant for variant in results.confusion if variant in shown]
