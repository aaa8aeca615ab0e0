"""Which variants a figure shows when a suite has more of them than can be told apart."""

from collections.abc import Collection

import pandas as pd

MOST_CURVES = 12
"""Learning curves in one figure."""

MOST_ROWS = 40
"""Rows in the figure of test accuracies: what a page has room for."""


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
