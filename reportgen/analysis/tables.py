"""Tables: DataFrame in, DataFrame out."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_BEST = {"test_loss": "min", "test_accuracy": "max", "parameters": "min", "seconds_per_epoch": "min"}


def comparison(runs: pd.DataFrame) -> pd.DataFrame:
    """Compare the variants over their finished runs.

    Takes a row a run; returns a row a variant, in the order of the runs: runs, finished, mean and sample
    standard deviation of test_loss and test_accuracy, parameters, the medians of seconds_per_epoch and of
    training_seconds (all epochs), and
    best_test_loss, best_test_accuracy, … true where the variant has the best value of that column.
    """
    rows = []
    for variant, all_runs in runs.groupby("variant", sort=False):
        group = all_runs[all_runs["status"] == "finished"]
        rows.append(
            {
                "variant": variant,
                "runs": len(all_runs),
                "finished": len(group),
                "test_loss": group["test_loss"].mean(),
                "test_loss_std": group["test_loss"].std(),
                "test_accuracy": group["test_accuracy"].mean(),
                "test_accuracy_std": group["test_accuracy"].std(),
                "parameters": all_runs["parameters"].max(),
                "seconds_per_epoch": group["seconds_per_epoch"].median(),
                "training_seconds": group["training_seconds"].median(),
            }
        )
    table = pd.DataFrame(rows)
    for column, which in _BEST.items():
        best = getattr(table[column], which)()
        table[f"best_{column}"] = (table[column] == best) & (len(table) > 1)
    return table


def curves(epochs: pd.DataFrame) -> pd.DataFrame:
    """Average the epoch logs over the seeds.

    Returns a row for each variant, metric (train_loss, train_accuracy, heldout_loss, heldout_accuracy) and epoch:
    mean, low and high (one sample standard deviation below and above), and n, the runs that got so far.
    """
    metrics = ["train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy"]
    long = epochs.melt(["variant", "seed", "epoch"], metrics, "metric", "value")
    grouped = long.groupby(["variant", "metric", "epoch"], sort=False)["value"]
    table = grouped.agg(mean="mean", std="std", n="count").reset_index()
    spread = table["std"].fillna(0.0)
    return table.assign(low=table["mean"] - spread, high=table["mean"] + spread).drop(columns="std")


def row_normalised(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide each row by its sum: entry (i, j) is the share of class i that was called j; 0 in an empty row."""
    sums = confusion.sum(axis=1, keepdims=True)
    shares = np.zeros(confusion.shape)
    np.divide(confusion, sums, out=shares, where=sums > 0)
    return shares


def per_class(confusion: NDArray[np.int64], classes: list[str]) -> pd.DataFrame:
    """Return precision, recall, F1 and support of each class; NaN where nothing was there to divide by."""
    right = np.diag(confusion).astype(float)
    support, called = confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = right / called, right / support
        f1 = 2 * right / (support + called)
    return pd.DataFrame({"class": classes, "precision": precision, "recall": recall, "f1": f1, "support": support})
