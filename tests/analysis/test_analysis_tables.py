"""Tables of the runs: every value here was worked out by hand."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from reportgen.analysis import tables

NAN = float("nan")


def run(variant: str, seed: int, accuracy: float, loss: float = 1.0, **other: object) -> dict[str, object]:
    """Return a row of the table of runs, as `analysis.results.collect` makes it."""
    status = {"status": "finished", "parameters": 100.0, "seconds_per_epoch": 2.0, "training_seconds": 20.0}
    return {"variant": variant, "seed": seed, "test_accuracy": accuracy, "test_loss": loss, **status, **other}


def unfinished(variant: str, seed: int, status: str) -> dict[str, object]:
    """Return the row of a run that has no numbers of the test part."""
    return run(variant, seed, NAN, NAN, status=status, seconds_per_epoch=NAN, training_seconds=NAN)


def test_a_comparison_averages_the_seeds_of_each_variant() -> None:
    """Mean and sample standard deviation are over the seeds, the time of an epoch is the median."""
    rows = [
        run("b", 0, 0.70, 1.0, seconds_per_epoch=1.0, training_seconds=5.0),
        run("b", 1, 0.80, 2.0, seconds_per_epoch=2.0, training_seconds=7.0),
        run("b", 2, 0.90, 6.0, seconds_per_epoch=9.0, training_seconds=30.0),
        run("a", 0, 0.60, 4.0, parameters=50.0),
        run("a", 1, 0.50, 8.0, parameters=50.0),
    ]
    first, second = tables.comparison(pd.DataFrame(rows)).to_dict("records")
    assert (first["variant"], first["runs"], first["finished"]) == ("b", 3, 3)
    assert first["test_accuracy"] == pytest.approx(0.8)
    assert first["test_accuracy_std"] == pytest.approx(0.1)
    assert first["test_loss"] == pytest.approx(3.0)
    assert first["test_loss_std"] == pytest.approx(sqrt(7))  # (4 + 1 + 9) / 2
    assert (first["parameters"], first["seconds_per_epoch"], first["training_seconds"]) == (100, 2, 7)
    assert (second["variant"], second["runs"], second["finished"]) == ("a", 2, 2)
    assert second["test_accuracy"] == pytest.approx(0.55)
    assert second["test_accuracy_std"] == pytest.approx(0.1 / sqrt(2))
    assert second["test_loss"] == pytest.approx(6.0)


def test_the_best_value_of_each_column_is_marked() -> None:
    """Best is the highest accuracy, but the lowest loss, size and time."""
    rows = [run("a", 0, 0.9, 2.0, seconds_per_epoch=3.0), run("b", 0, 0.8, 1.0, parameters=99.0)]
    table = tables.comparison(pd.DataFrame(rows)).set_index("variant")
    best = table.filter(like="best_")
    assert best.loc["a"].to_dict() == {
        "best_test_loss": False, "best_test_accuracy": True, "best_parameters": False,
        "best_seconds_per_epoch": False,
    }  # fmt: skip
    assert best.loc["b"].to_dict() == {
        "best_test_loss": True, "best_test_accuracy": False, "best_parameters": True,
        "best_seconds_per_epoch": True,
    }  # fmt: skip


def test_variants_that_tie_are_all_marked_as_best() -> None:
    """Where two variants share the best value, both are marked, and the third is not."""
    rows = [run("a", 0, 0.75), run("b", 0, 0.75), run("c", 0, 0.5)]
    assert list(tables.comparison(pd.DataFrame(rows))["best_test_accuracy"]) == [True, True, False]


def test_a_single_variant_is_best_at_nothing() -> None:
    """With nothing to compare it with, no value is marked."""
    table = tables.comparison(pd.DataFrame([run("a", 0, 0.9), run("a", 1, 0.8)]))
    assert not table.filter(like="best_").to_numpy().any()


def test_one_seed_has_no_spread() -> None:
    """The standard deviation of a single run is NaN, not zero."""
    table = tables.comparison(pd.DataFrame([run("a", 0, 0.9, 0.25)]))
    assert list(table["test_accuracy"]) == [0.9]
    assert table[["test_loss_std", "test_accuracy_std"]].isna().to_numpy().all()


def test_runs_that_did_not_finish_are_counted_but_not_averaged() -> None:
    """A diverged seed leaves the mean to the others; a variant with no finished run has NaN and its size."""
    rows = [
        run("a", 0, 0.6), run("a", 1, 0.8), unfinished("a", 2, "diverged"),
        unfinished("b", 0, "failed"), unfinished("b", 1, "diverged"),
    ]  # fmt: skip
    first, second = tables.comparison(pd.DataFrame(rows)).to_dict("records")
    assert (first["runs"], first["finished"]) == (3, 2)
    assert first["test_accuracy"] == pytest.approx(0.7)
    assert first["best_test_accuracy"]
    assert (second["runs"], second["finished"], second["parameters"]) == (2, 0, 100)
    assert np.isnan([second[name] for name in ("test_loss", "test_accuracy", "seconds_per_epoch")]).all()
    assert not second["best_test_accuracy"]


def test_nothing_is_best_where_nothing_finished() -> None:
    """Without one finished run no accuracy, loss or time is marked."""
    table = tables.comparison(pd.DataFrame([unfinished("a", 0, "failed"), unfinished("b", 0, "failed")]))
    marks = table[["best_test_loss", "best_test_accuracy", "best_seconds_per_epoch"]]
    assert not marks.to_numpy().any()


def epoch(variant: str, seed: int, number: int, loss: float) -> dict[str, object]:
    """Return a row of the epoch log whose four metrics tell each other apart."""
    return {
        "variant": variant, "seed": seed, "epoch": number,
        "train_loss": loss, "train_accuracy": loss / 10, "heldout_loss": loss + 1, "heldout_accuracy": loss / 20,
    }  # fmt: skip


def test_curves_are_means_over_the_seeds_with_one_standard_deviation_either_way() -> None:
    """Two seeds at 1 and 3 have the mean 2 and a sample standard deviation of √2."""
    table = tables.curves(pd.DataFrame([epoch("a", 0, 1, 1.0), epoch("a", 1, 1, 3.0)])).set_index("metric")
    row = table.loc["train_loss"]
    assert (row["variant"], row["epoch"], row["n"]) == ("a", 1, 2)
    assert [row["mean"], row["low"], row["high"]] == pytest.approx([2, 2 - sqrt(2), 2 + sqrt(2)])
    assert dict(table["mean"]) == pytest.approx(
        {"train_loss": 2, "train_accuracy": 0.2, "heldout_loss": 3, "heldout_accuracy": 0.1}
    )


def test_a_curve_says_how_many_seeds_came_so_far() -> None:
    """After a seed has diverged the curve goes on with the other, without a band."""
    rows = [epoch("a", 0, 1, 1.0), epoch("a", 0, 2, 5.0), epoch("a", 1, 1, 3.0)]
    table = tables.curves(pd.DataFrame(rows)).set_index(["metric", "epoch"]).loc["train_loss"]
    assert list(table["n"]) == [2, 1]
    assert list(table["mean"]) == [2, 5]
    assert (table.loc[2, "low"], table.loc[2, "high"]) == (5, 5)


def test_curves_keep_variants_apart() -> None:
    """Each variant has its own mean, in the order of the log."""
    table = tables.curves(pd.DataFrame([epoch("b", 0, 1, 1.0), epoch("a", 0, 1, 3.0)]))
    losses = table[table["metric"] == "train_loss"]
    assert list(zip(losses["variant"], losses["mean"], strict=True)) == [("b", 1), ("a", 3)]


def test_rows_of_a_confusion_matrix_become_shares() -> None:
    """Each row is divided by its own sum; a class without examples has a row of zeros."""
    confusion = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])
    expected = [[0.75, 0.25, 0], [0, 0, 0], [0.25, 0.25, 0.5]]
    assert tables.row_normalised(confusion).tolist() == expected


def test_precision_recall_and_f1_of_each_class() -> None:
    """With 6 and 2 right of 8 and 4, and 8 and 4 called so, both figures agree with the definitions."""
    table = tables.per_class(np.array([[6, 2], [2, 2]]), ["cat", "dog"])
    assert list(table["class"]) == ["cat", "dog"]
    assert list(table["precision"]) == [0.75, 0.5]
    assert list(table["recall"]) == [0.75, 0.5]
    assert list(table["f1"]) == [0.75, 0.5]
    assert list(table["support"]) == [8, 4]


def test_precision_divides_by_the_column_and_recall_by_the_row() -> None:
    """A class called 4 times of which 1 is right, with 2 examples: precision 1/4, recall 1/2, F1 1/3."""
    table = tables.per_class(np.array([[1, 1], [3, 5]]), ["cat", "dog"])
    assert list(table["precision"]) == pytest.approx([1 / 4, 5 / 6])
    assert list(table["recall"]) == pytest.approx([1 / 2, 5 / 8])
    assert list(table["f1"]) == pytest.approx([1 / 3, 5 / 7])


def test_what_has_nothing_to_divide_by_is_nan() -> None:
    """No examples: no recall; never called: no precision; neither: no F1 either."""
    table = tables.per_class(np.array([[2, 0, 1], [1, 0, 0], [0, 0, 0]]), ["a", "never called", "empty"])
    assert np.array_equal(table["precision"], [2 / 3, NAN, 0], equal_nan=True)
    assert np.array_equal(table["recall"], [2 / 3, 0, NAN], equal_nan=True)
    assert np.array_equal(table["f1"], [2 / 3, 0, 0], equal_nan=True)
    assert list(table["support"]) == [3, 1, 0]
    alone = tables.per_class(np.array([[1, 0], [0, 0]]), ["a", "nothing at all"])
    assert np.isnan(alone["f1"][1])
