"""Which variant leads, and which one can be looked at class by class."""

from collections.abc import Collection

import pandas as pd


def leader_of(finished: pd.DataFrame, apart: Collection[str]) -> str | None:
    """Return the variant with the highest mean test accuracy; one that stands apart only where it is alone.

    Args:
        finished: a row a variant that finished, with its test_accuracy.
        apart: imported variants of which nobody says that they were tested on the same examples.
    """
    accuracies = finished.set_index("variant")["test_accuracy"].dropna()
    ranked = accuracies if len(accuracies) == 1 else accuracies.drop(list(apart), errors="ignore")
    return str(ranked.idxmax()) if len(ranked) else None


def detailed_of(leader: str | None, finished: pd.DataFrame, predicting: Collection[str]) -> str | None:
    """Return the leader, or, where that was imported, the most accurate of those that have predictions."""
    if leader in predicting:
        return leader
    accuracies = finished.set_index("variant")["test_accuracy"].reindex(list(predicting)).dropna()
    return str(accuracies.idxmax()) if len(accuracies) else None
