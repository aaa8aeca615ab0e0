"""Tables: DataFrame in, DataFrame out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.analysis.results import Runs

_BEST = {"test_loss": "min", "test_accuracy": "max", "parameters": "min", "seconds_per_epoch": "min"}


SMALLEST = 1e-12
"""What an error counts as on a logarithmic scale if it is smaller still, or nothing at all."""


def comparison(runs: pd.DataFrame, apart: Collection[str] = ()) -> pd.DataFrame:
    """Compare the variants over their finished runs; those that stand `apart` are never the best.

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
        held = table[column].where(~table["variant"].isin(list(apart)))
        table[f"best_{column}"] = (held == getattr(held, which)()) & (len(table) > 1)
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


def norms(results: Runs) -> pd.DataFrame:
    """Average the norms of the gradients that finished runs logged, as `geometric` does.

    Returns variant, number (of the epoch or step), mean, low, high and n; no rows where no run logged any.
    """
    rows = [
        (run.rpartition("/")[0], row.get("epoch", row.get("step")), row["gradient_norm"])
        for run, record in results.records.items()
        if record.status == "finished"
        for row in record.epochs or record.steps
        if "gradient_norm" in row
    ]
    return geometric(pd.DataFrame(rows, columns=["variant", "number", "norm"]), ["variant", "number"], "norm")


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


def summary(
    runs: pd.DataFrame, measures: Mapping[str, Literal["min", "max"]], medians: Sequence[str]
) -> pd.DataFrame:
    """Summarise the variants of any task over their finished runs.

    Takes a row a run; returns a row a variant, in the order of the runs: runs, finished, parameters; mean and
    sample standard deviation of each of the `measures`, and best_<measure>, true where the mean is the best; the
    medians of the columns `medians`.
    """
    rows = []
    for variant, all_runs in runs.groupby("variant", sort=False):
        group = all_runs[all_runs["status"] == "finished"]
        row: dict[str, Any] = {"variant": variant, "runs": len(all_runs), "finished": len(group)}
        row["parameters"] = all_runs["parameters"].max()
        for name in measures:
            row |= {name: group[name].mean(), f"{name}_std": group[name].std()}
        rows.append(row | {name: group[name].median() for name in medians})
    table = pd.DataFrame(rows)
    for name, which in measures.items():
        best = getattr(table[name], which)()
        table[f"best_{name}"] = np.isclose(table[name], best, rtol=1e-12, atol=0) & (len(table) > 1)
    return table


def marked(
    table: pd.DataFrame,
    runs: pd.DataFrame,
    leader: str | None,
    column: str,
    which: Literal["min", "max"],
    apart: Collection[str] = (),
) -> pd.DataFrame:
    """Return the table with best_<column> by the verdict: with diverged runs only the leader can have it.

    Such a run is in no mean, but counts against its model, which would be marked for the few runs that finished.

    Args:
        table: of the variants, with the column and best_<column>.
        runs: variant and status, a row a run.
        leader: the variant that leads, with diverged runs counted.
        column: the score.
        which: min or max.
        apart: variants that are never the best.
    """
    diverged = set(runs.loc[runs["status"] == "diverged", "variant"]) - {leader}
    if not diverged:
        return table
    held = table[column].where(~table["variant"].isin([*diverged, *apart]))
    best = np.isclose(held, getattr(held, which)(), rtol=1e-12, atol=0) & (len(table) > 1)
    return table.assign(**{f"best_{column}": best})


def geometric(values: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Average positive numbers on a logarithmic scale, as errors are that spread over powers of ten.

    Returns a row a group of the columns `by`: those, mean (the geometric one), low and high (one sample standard
    deviation of the logarithms below and above), and n. A number below SMALLEST counts as that.
    """
    logs = values.assign(log=np.log10(values[value].astype(float).clip(lower=SMALLEST)))
    table = logs.groupby(list(by), sort=False)["log"].agg(middle="mean", std="std", n="count").reset_index()
    spread = table["std"].fillna(0.0)
    return table.assign(
        mean=10 ** table["middle"], low=10 ** (table["middle"] - spread), high=10 ** (table["middle"] + spread)
    ).drop(columns=["middle", "std"])
