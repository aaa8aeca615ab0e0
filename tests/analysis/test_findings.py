"""What can be said of the results, and how firmly: each number was worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from reportgen.lab.record import Record, Status
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.text import Text
from reportgen.tasks.classification.findings import Findings, Overfitting, analyse, most_confused
from reportgen.tasks.classification.results import Results, collect
from reportgen.tasks.classification.settings import ModelSettings, RunSettings, SurnamesSettings

SETTINGS = RunSettings(data=SurnamesSettings(source="surnames"), model=ModelSettings(cell="rnn"))
CLASSES = ["cat", "dog"]


def variant(name: str) -> Variant:
    """Return a variant with that name; its settings are of no matter here."""
    return Variant(name, Text.parse(name), SETTINGS)


def record(
    predicted: Sequence[int] = (0, 1),
    *,
    train: Sequence[float] = (2.0, 1.0),
    heldout: Sequence[float] = (2.0, 1.0),
    status: Status = "finished",
    seconds: float = 1.0,
    parameters: int = 10,
) -> Record:
    """Return a record whose test part is a cat, a dog, a cat, a dog, …, and what was predicted for each."""
    epochs = [
        {
            "epoch": number, "train_loss": losses[0], "train_accuracy": 0.5, "heldout_loss": losses[1],
            "heldout_accuracy": 0.5, "seconds": seconds,
        }
        for number, losses in enumerate(zip(train, heldout, strict=True), start=1)
    ]  # fmt: skip
    given_classes = np.array(predicted)
    outcome = {
        "target": np.arange(len(predicted)) % 2,
        "predicted": given_classes,
        "loss": np.full(len(predicted), 0.5, np.float32),
    }
    return Record(
        key="k", parts={}, settings={}, seed=0, status=status, error="",
        model={"parameters": parameters} if status != "failed" else {},
        data={"classes": CLASSES, "majority_accuracy": 0.5} if status != "failed" else {},
        environment={}, started="", seconds=1.0, epochs=epochs, heldout="validation", kept_epoch=1,
        predictions=outcome if status == "finished" else {},
    )  # fmt: skip


def gathered(**records: Sequence[Record]) -> Results:
    """Return the results of a suite: by variant the records with seed 0, 1, …"""
    return collect([(Run(variant(name), i), r) for name, own in records.items() for i, r in enumerate(own)])


def test_losses_of_different_functions_are_not_ranked() -> None:
    """The lowest test loss is marked among models with one loss function, and with two none is."""
    given = collect([(Run(variant(name), 0), record()) for name in "ab"])
    assert analyse(given).comparison["best_test_loss"].any()
    other = SETTINGS.model_copy(update={"training": SETTINGS.training.model_copy(update={"loss": "mse"})})
    mixed = [(Run(variant("a"), 0), record()), (Run(Variant("b", Text.parse("b"), other), 0), record())]
    assert not analyse(collect(mixed)).comparison["best_test_loss"].any()


def overfitting(*records: Record) -> Overfitting:
    """Return what is found of a variant with these records."""
    (found,) = analyse(gathered(a=records)).overfitting
    return found


def test_overfitting_is_a_heldout_loss_that_rises_while_the_training_loss_falls() -> None:
    """Lowest at epoch 2 with 1.0, and 1.5 at the end, while the training loss went on falling."""
    found = overfitting(record(train=[3.0, 2.0, 1.0], heldout=[2.0, 1.0, 1.5]))
    assert found == Overfitting("a", 2, 1.0, 3, 1.5, present=True)


def test_a_heldout_loss_that_rises_with_the_training_loss_is_no_overfitting() -> None:
    """When both losses rise, the training has gone wrong in another way."""
    found = overfitting(record(train=[3.0, 1.0, 2.0], heldout=[2.0, 1.0, 1.5]))
    assert found == Overfitting("a", 2, 1.0, 3, 1.5, present=False)


@pytest.mark.parametrize(("last", "present"), [(1.01, False), (1.02, True), (1.0, False)])
def test_a_rise_below_two_per_cent_is_no_overfitting(last: float, present: bool) -> None:
    """The held-out loss must end at least 2 % above its lowest value."""
    assert overfitting(record(train=[3.0, 2.0, 1.0], heldout=[2.0, 1.0, last])).present is present


def test_a_heldout_loss_that_falls_to_the_end_is_no_overfitting() -> None:
    """The lowest epoch is the last one."""
    found = overfitting(record(train=[3.0, 2.0], heldout=[2.0, 1.0]))
    assert found == Overfitting("a", 2, 1.0, 2, 1.0, present=False)


def test_overfitting_is_judged_on_the_mean_over_the_seeds() -> None:
    """One seed rises by 1.0 and the other falls by 1.0: their mean stays at 1.5."""
    steady = overfitting(
        record(train=[3.0, 1.0], heldout=[1.0, 2.0]), record(train=[3.0, 1.0], heldout=[2.0, 1.0])
    )
    assert steady == Overfitting("a", 1, 1.5, 2, 1.5, present=False)


def test_a_seed_that_diverged_is_no_sign_of_overfitting() -> None:
    """The mean would jump where the diverged seed leaves it, so only finished seeds are averaged."""
    steady = record(train=[3.0, 2.0, 1.0], heldout=[1.0, 1.0, 1.0])
    diverged = record(train=[9.0], heldout=[0.1], status="diverged")
    assert overfitting(steady, diverged) == Overfitting("a", 1, 1.0, 3, 1.0, present=False)


def test_confusions_come_by_share_of_their_true_class() -> None:
    """Two of four b called a (50 %) come before three of nine c called a (33 %), and that before the rest."""
    matrix = np.array([[8, 0, 2], [2, 2, 0], [3, 0, 6]])
    found = most_confused("v", matrix, ["a", "b", "c"])
    assert [(pair.true, pair.predicted, pair.count, pair.support) for pair in found] == [
        ("b", "a", 2, 4), ("c", "a", 3, 9), ("a", "c", 2, 10),
    ]  # fmt: skip
    assert [pair.share for pair in found] == pytest.approx([1 / 2, 1 / 3, 1 / 5])
    assert {pair.variant for pair in found} == {"v"}


def test_of_confusions_with_equal_shares_the_more_frequent_comes_first() -> None:
    """One of two and four of eight are the same share; the four come first."""
    found = most_confused("v", np.array([[1, 1], [4, 4]]), ["a", "b"])
    assert [(pair.true, pair.count) for pair in found] == [("b", 4), ("a", 1)]


def test_what_was_never_confused_is_not_listed() -> None:
    """A matrix with nothing off its diagonal has no confusions."""
    assert most_confused("v", np.diag([5, 0, 3]), ["a", "b", "c"]) == []


def findings_of_three() -> Findings:
    """Return the findings of three variants with accuracies (1, 1), (0.5, 1) and (0, 0.5)."""
    right, half, wrong = [0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]
    return analyse(
        gathered(
            low=[record(wrong, seconds=4.0, parameters=30), record(half, seconds=4.0, parameters=30)],
            high=[record(right, seconds=8.0), record(right, seconds=8.0)],
            middle=[record(half, seconds=2.0, parameters=20), record(right, seconds=2.0, parameters=20)],
        )
    )


def test_the_leader_has_the_highest_mean_and_is_compared_with_each_other() -> None:
    """The nearest follower comes first, with the mean of its paired differences."""
    found = findings_of_three()
    assert found.leader == "high"
    assert [(d.ahead, d.behind, d.mean) for d in found.differences] == [
        ("high", "middle", 0.25), ("high", "low", 0.75),
    ]  # fmt: skip
    assert found.baselines == {"low": 0.5, "high": 0.5, "middle": 0.5}


def test_the_cost_names_the_extremes_and_their_ratios() -> None:
    """Two against eight seconds is a factor of 4; ten against thirty parameters one of 3."""
    cost = findings_of_three().cost
    assert cost is not None
    assert (cost.fast, cost.slow, cost.fast_seconds, cost.slow_seconds) == ("middle", "high", 2.0, 8.0)
    assert (cost.small, cost.large) == ("high", "low")
    assert (cost.time_ratio, cost.size_ratio) == (4.0, 3.0)


def test_confusion_matrices_are_summed_over_the_finished_seeds() -> None:
    """Two seeds of two cats and two dogs each: four of either, true class by row."""
    results = gathered(a=[record([0, 1, 0, 1]), record([0, 0, 1, 0]), record(status="diverged")])
    assert results.confusion["a"].tolist() == [[3, 1], [2, 2]]
    found = analyse(results)
    assert [(pair.true, pair.count, pair.support) for pair in found.confusions["a"]] == [
        ("dog", 2, 4),
        ("cat", 1, 4),
    ]
    assert list(found.per_class["a"]["recall"]) == [0.75, 0.5]


def test_one_variant_has_a_leader_but_nothing_to_compare() -> None:
    """Differences and cost need a second variant that finished."""
    found = analyse(gathered(a=[record()], b=[record(status="diverged")]))
    assert (found.leader, found.differences, found.cost) == ("a", [], None)
    assert [item.variant for item in found.overfitting] == ["a"]


def test_a_variant_that_shares_no_seed_with_the_leader_is_not_compared_with_it() -> None:
    """A difference of no seeds would be a number out of nothing."""
    results = gathered(
        a=[record([0, 1]), record(status="diverged")], b=[record(status="diverged"), record([0, 0])]
    )
    found = analyse(results)
    assert (found.leader, found.differences) == ("a", [])
    assert found.cost is not None


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_when_nothing_finished_there_is_no_leader(status: Status) -> None:
    """Analysing runs that all diverged or failed finds nothing, and does not stumble over it."""
    epochs: list[float] = [2.0] if status == "diverged" else []
    broken = record(status=status, train=epochs, heldout=epochs)
    found = analyse(gathered(a=[broken, broken], b=[broken]))
    assert (found.leader, found.cost) == (None, None)
    assert (found.differences, found.overfitting, found.confusions, found.per_class) == ([], [], {}, {})
    assert list(found.comparison["finished"]) == [0, 0]
    assert found.baselines == {}


def test_the_epochs_of_diverged_runs_are_in_the_curves() -> None:
    """A figure shows how far a diverged seed came."""
    found = analyse(
        gathered(a=[record(heldout=[2.0, 1.0]), record(train=[4.0], heldout=[4.0], status="diverged")])
    )
    losses = found.curves[found.curves["metric"] == "heldout_loss"].set_index("epoch")
    assert list(losses["mean"]) == [3.0, 1.0]
    assert list(losses["n"]) == [2, 1]


def test_a_finished_record_speaks_for_its_variant() -> None:
    """The first finished record is taken, else one that has a model, else none."""
    done, diverged, failed = record(), record(status="diverged"), record(status="failed")
    assert gathered(a=[failed, diverged, done]).record_of("a") is done
    assert gathered(a=[failed, diverged]).record_of("a") is diverged
    assert gathered(a=[failed]).record_of("a") is None
