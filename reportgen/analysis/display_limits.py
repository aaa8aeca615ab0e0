"""Which variants a figure shows when a suite has more of them than can be told apart."""

from collections.abc import Collection, Mapping

import pandas as pd

from reportgen.analysis.results import Runs

MOST_CURVES = 12
"""Learning curves in one figure."""

CROWDED = 6
"""With more curves than this, sweeps show those of the chosen variants alone."""

MOST_ROWS = 40
"""Rows in the figure of test accuracies: what a page has room for."""


MOST_MATRICES = 12
"""Confusion matrices that are drawn; where there are more, those of the models whose curves are."""


MOST_PANELS = 8
"""Forecasts in one figure, a panel each."""


def declared(results: Runs, most: int = MOST_CURVES) -> list[str]:
    """Return the first `most` runs that the suite declares and that finished, without the points of sweeps."""
    of_suite = [variant.name for variant in results.variants if not variant.changed]
    return [name for name in of_suite if results.runs_of(name)][:most]


def lowest(scores: Mapping[str, float], most: int) -> list[str]:
    """Return the `most` variants with the lowest scores, in the order in which they were given."""
    best = set(sorted(scores, key=lambda variant: scores[variant])[:most])
    return [variant for variant in scores if variant in best]


def most_accurate(comparison: pd.DataFrame, variants: Collection[str], most: int) -> list[str]:
    """Return the `most` variants with the highest mean test accuracy, in the order in which they were given.

    Args:
        comparison: variant and test_accuracy, as `analysis.tables.comparison` returns them.
        variants: those that have a test accuracy.
        most: how many to keep.
    """
    of_these = comparison[comparison["variant"].isin(list(variants))]
    best = set(of_these.nlargest(most, "test_accuracy")["variant"])
    return [variant for variant in variants if variant in best]
