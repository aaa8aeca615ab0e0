"""The checks of classification: for each, results on which it fires, and neighbours on which it does not."""

from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import numpy as np
import pytest
from conftest import made_up_facts

from reportgen.analysis.checks import Found, edge
from reportgen.lab.record import Record, Status
from reportgen.suite.declarations import Code
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.text import Text
from reportgen.tasks.classification.checks import CHECKS, clearly_above
from reportgen.tasks.classification.findings import analyse
from reportgen.tasks.classification.results import Results, collect
from reportgen.tasks.classification.settings import (
    ModelSettings,
    RunSettings,
    SplitSettings,
    SurnamesSettings,
    TrainingSettings,
)

TESTED = 100
"""Examples in the test part; the first half is of class 0, the second of class 1."""


def variant(
    name: str,
    *,
    hidden_size: int = 10,
    baseline: str | None = None,
    sweep: bool = False,
    limit: int | None = None,
    validation: float = 0.1,
) -> Variant:
    """Return a variant; a point of a sweep over its hidden size, or its limit, if it is said so."""
    settings = RunSettings(
        data=SurnamesSettings(source="surnames", limit=limit, split=SplitSettings(validation=validation)),
        model=ModelSettings(cell="rnn", hidden_size=hidden_size),
        training=TrainingSettings(epochs=2, keep="best" if validation else "last"),
    )
    changed = (("model.hidden_size", hidden_size),) if sweep else ()
    return Variant(name, Text.parse(name.upper()), settings, changed, baseline)


def record(
    right: int = 75,
    *,
    status: Status = "finished",
    train_accuracy: float = 1.0,
    validation_accuracy: float = 0.5,
    heldout: str = "validation",
    losses: Sequence[tuple[float, float]] = ((2.0, 2.0), (1.0, 1.0)),
    parameters: int = 100,
    data: Mapping[str, Any] | None = None,
) -> Record:
    """Return a record that got `right` of the hundred test examples right; `losses` are train and held-out."""
    target = np.repeat([0, 1], TESTED // 2)
    predicted = np.where(np.arange(TESTED) < right, target, 1 - target)
    epochs = [
        {
            "epoch": number, "train_loss": train, "heldout_loss": held, "train_accuracy": train_accuracy,
            "heldout_accuracy": validation_accuracy, "seconds": 1.0,
        }
        for number, (train, held) in enumerate(losses, 1)
    ]  # fmt: skip
    counts = {"train": [70, 70], "validation": [10, 10], "test": [50, 50]}
    facts = {**made_up_facts(["Greek", "Czech"]), "counts": counts, "naive_bayes_accuracy": 0.5}
    outcome = {"target": target, "predicted": predicted, "loss": np.full(TESTED, 0.5, np.float32)}
    return Record(
        key="k", parts={}, settings={}, seed=0, status=status, error="", model={"parameters": parameters},
        data={**facts, **(data or {})}, environment={}, started="", seconds=1.0, epochs=epochs, heldout=heldout,
        kept_epoch=1, predictions=outcome if status == "finished" else {},
    )  # fmt: skip


def gathered(*runs: tuple[Variant, Sequence[Record]]) -> Results:
    """Return the results of a suite: variants with the records of seed 0, 1, …"""
    return collect([(Run(own, seed), r) for own, records in runs for seed, r in enumerate(records)])


def found(code: Code, *runs: tuple[Variant, Sequence[Record]]) -> Found | None:
    """Return what a check finds in these results."""
    results = gathered(*runs)
    return CHECKS[code](results, analyse(results))


def one(**facts: Any) -> tuple[Variant, list[Record]]:
    """Return a variant called a with one run of such a record."""
    return variant("a"), [record(**facts)]


def swept(
    accuracies: Mapping[int, tuple[int, float]], validation: float = 0.1, **kinds: Any
) -> list[tuple[Variant, list[Record]]]:
    """Return a run and the points of its sweep: hidden size to (right, validation accuracy); the run first."""
    base, *points = accuracies
    heldout = "validation" if validation else "test"

    def runs(size: int, own: Variant) -> tuple[Variant, list[Record]]:
        right, chosen_by = accuracies[size]
        return own, [record(right, validation_accuracy=chosen_by, heldout=heldout)]

    point = {"sweep": True, "baseline": "a", "validation": validation, **kinds}
    first = variant("a", hidden_size=base, validation=validation)
    return [
        runs(base, first),
        *(runs(size, variant(f"a/{size}", hidden_size=size, **point)) for size in points),
    ]


def test_a_search_without_a_validation_part_was_decided_by_the_test_part() -> None:
    """Two candidates and no validation part: the test part is all there is to choose by."""
    result = found("RG101", *swept({10: (75, 0.5), 20: (80, 0.5)}, validation=0.0))
    assert result is not None
    assert result.items == [{"model": "a", "count": 2}]
    assert result.runs == ["a/seed=0"]


def test_values_declared_as_runs_are_a_search_too() -> None:
    """Three values of a setting, each a run with a baseline: without a validation part the test part chooses."""
    result = found("RG101", *swept({10: (75, 0.5), 20: (80, 0.5), 30: (70, 0.5)}, validation=0.0, sweep=False))
    assert result is not None
    assert result.items == [{"model": "a", "count": 3}]


def test_a_leader_other_than_the_validation_part_chose_was_named_by_the_test_part() -> None:
    """The validation part chooses hidden size 10; the report's leader, by its test accuracy, is 20."""
    result = found("RG101", *swept({10: (75, 0.9), 20: (80, 0.5)}))
    assert result is not None
    assert result.items == [{"model": "a/20", "count": 2}]


@pytest.mark.parametrize(
    "runs",
    [swept({10: (75, 0.5), 20: (80, 0.9)}), swept({10: (75, 0.5)}), swept({10: (75, 0.5)}, validation=0.0)],
    ids=["the leader is what the validation part chose", "no search", "no search, no validation part"],
)
def test_what_the_validation_part_chose_was_not_named_by_the_test_part(
    runs: list[tuple[Variant, list[Record]]],
) -> None:
    """A search that the validation part decided as the test part would, and no search at all, are sound."""
    assert found("RG101", *runs) is None


def test_a_test_part_that_each_epoch_was_evaluated_on_is_told() -> None:
    """Of two models, the one whose held-out part is the test part is named."""
    result = found(
        "RG102", (variant("a"), [record(heldout="test")]), (variant("b"), [record(heldout="validation")])
    )
    assert result is not None
    assert result.items == [{"models": ["a"]}]
    assert result.runs == ["a/seed=0"]
    assert found("RG102", one(heldout="validation")) is None


def test_one_repeated_example_is_enough() -> None:
    """A single test example that was trained on is told, with its share; none is not."""
    result = found("RG103", one(data={"repeated": 1}))
    assert result is not None
    assert result.items == [{"models": ["a"], "count": 1, "total": 100, "share": 0.01}]
    assert found("RG103", one(data={"repeated": 0})) is None


def test_each_data_set_is_told_once() -> None:
    """Two models on one data set and a third on another are two items."""
    repeats = [record(data={"repeated": 5})]
    other = [record(data={"repeated": 7, "digest": "e"})]
    result = found("RG103", (variant("a"), repeats), (variant("b"), repeats), (variant("c", limit=50), other))
    assert result is not None
    assert [(item["models"], item["count"]) for item in result.items] == [(["a", "b"], 5), (["c"], 7)]


@pytest.mark.parametrize(("most", "fires"), [(40, True), (39, False)])
def test_classes_are_unequal_from_four_to_one_on(most: int, fires: bool) -> None:
    """10 of a class to train on against 40 of another are unequal, against 39 they are not."""
    counts = {"train": [most, 10], "validation": [1, 1], "test": [50, 50]}
    result = found("RG104", one(data={"counts": counts}))
    assert (result is not None) is fires
    if result:
        (item,) = result.items
        assert (item["largest"], item["most"]) == (("surnames", "Greek"), 40)
        assert (item["smallest"], item["fewest"], item["ratio"]) == (("surnames", "Czech"), 10, 4.0)


@pytest.mark.parametrize(("right", "fires"), [(40, True), (60, True), (61, False)])
def test_a_lead_over_naive_bayes_counts_beyond_two_standard_errors(right: int, fires: bool) -> None:
    """Naive Bayes is right for 50 of 100, so that the standard error is 5: 60 is no clear lead, 61 is."""
    result = found("RG105", one(right=right))
    assert (result is not None) is fires
    if result:
        assert result.items == [{"model": "a", "accuracy": right / 100, "baseline": 0.5, "total": 100}]


def test_the_best_network_is_held_against_naive_bayes() -> None:
    """One network that is clearly ahead is enough, however bad the other is."""
    assert found("RG105", (variant("a"), [record(50)]), (variant("b"), [record(80)])) is None


def test_standard_errors_shrink_with_the_test_part() -> None:
    """Five points above 50 % are chance with 100 examples and no chance with 10,000."""
    assert not clearly_above(0.55, 0.5, 100)
    assert clearly_above(0.55, 0.5, 10_000)


def test_runs_that_did_not_finish_are_named() -> None:
    """A diverged and a failed run are named with their status; a finished one is not."""
    result = found("RG201", (variant("a"), [record(), record(status="diverged"), record(status="failed")]))
    assert result is not None
    assert result.items == [
        {"run": "a/seed=1", "status": "diverged"}, {"run": "a/seed=2", "status": "failed"},
    ]  # fmt: skip
    assert found("RG201", one()) is None


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ({10: (75, 0.5), 20: (70, 0.6), 30: (70, 0.7)}, (30, "largest")),
        ({10: (75, 0.9), 20: (70, 0.6), 30: (70, 0.7)}, (10, "smallest")),
        ({10: (75, 0.5), 20: (70, 0.8), 30: (70, 0.7)}, None),
        ({10: (75, 0.5), 20: (70, 0.6)}, None),
    ],
    ids=["largest", "smallest", "between", "two values have no edge"],
)
def test_the_validation_part_decides_what_is_at_the_edge(
    accuracies: dict[int, tuple[int, float]], expected: tuple[int, str] | None
) -> None:
    """The value with the highest validation accuracy is at the edge, whatever the test part says."""
    result = found("RG202", *swept(accuracies))
    assert (result and (result.items[0]["value"], result.items[0]["edge"])) == expected
    if result:
        assert result.items[0]["setting"] == "model.hidden_size"
        assert result.items[0]["count"] == 3


def test_more_data_are_no_edge() -> None:
    """A sweep of data.limit ends where the data end: that its largest value is best is no weakness."""
    points = [
        (variant(f"a/{n}", limit=n, baseline="a"), [record(70 + n // 100, validation_accuracy=n / 1000)])
        for n in (200, 300)
    ]
    assert found("RG202", (variant("a", limit=100), [record(70, validation_accuracy=0.1)]), *points) is None


@pytest.mark.parametrize(
    ("values", "best", "expected"),
    [
        ({"a": 1, "b": 2, "c": 3}, "a", "smallest"),
        ({"a": 1, "b": 2, "c": 3}, "b", ""),
        ({"a": 1, "b": 2, "c": 3}, "c", "largest"),
        ({"a": 1, "b": 3, "c": 3}, "c", ""),
    ],
)
def test_an_edge_is_the_smallest_or_largest_of_three_values(
    values: dict[str, float], best: str, expected: str
) -> None:
    """Two different values, even of three variants, have no edge."""
    assert edge(values, best) == expected


@pytest.mark.parametrize(("last", "fires"), [(1.02, True), (1.01, False)])
def test_overfitting_is_told_with_its_epoch(last: float, fires: bool) -> None:
    """The held-out loss is lowest after epoch 2 and ends 2 % higher while the training loss falls, or 1 %."""
    result = found("RG203", one(losses=[(3.0, 2.0), (2.0, 1.0), (1.0, last)]))
    assert (result is not None) is fires
    if result:
        assert result.items == [{"model": "a", "epoch": 2, "lowest": 1.0, "last": 1.02}]


@pytest.mark.parametrize(("right", "fires"), [(50, True), (51, False)])
def test_the_majority_class_has_to_be_beaten(right: int, fires: bool) -> None:
    """As many right as by always naming the most frequent class is not enough; one more is."""
    result = found("RG301", one(right=right))
    assert (result is not None) is fires
    if result:
        assert result.items == [{"model": "a", "accuracy": 0.5, "majority": 0.5}]


@pytest.mark.parametrize(("right", "fires"), [(60, False), (61, True)])
def test_a_test_score_above_the_training_score_is_told_beyond_two_standard_errors(right: int, fires: bool) -> None:
    """With 50 % in training and 100 test examples the standard error is 5 points: 61 is above, 60 is not."""
    result = found("RG303", one(right=right, train_accuracy=0.5))
    assert (result is not None) is fires
    if result:
        assert result.items == [{"model": "a", "accuracy": 0.61, "train": 0.5}]


@pytest.mark.parametrize(("parameters", "fires"), [(150, True), (149, False)])
def test_sizes_are_unequal_from_one_and_a_half_on(parameters: int, fires: bool) -> None:
    """150 parameters against 100 are unequal, 149 are not; a change of a run may have as many as it wants."""
    change = variant("c", baseline="a", hidden_size=99)
    result = found(
        "RG304",
        (variant("a"), [record(parameters=100)]),
        (variant("b"), [record(parameters=parameters)]),
        (change, [record(parameters=900)]),
    )
    assert (result is not None) is fires
    if result:
        assert result.items == [{"large": "b", "small": "a", "ratio": 1.5, "more": 150, "fewer": 100}]
        assert result.runs == ["b/seed=0", "a/seed=0"]


@pytest.mark.parametrize(
    ("seeds", "fires", "form"), [(2, True, "_two"), (3, True, ""), (4, True, ""), (7, False, "")]
)
def test_few_seeds_are_told_where_the_rank_test_could_not_decide(seeds: int, fires: bool, form: str) -> None:
    """Two models are compared by accuracy and by time: two comparisons need five seeds."""
    result = found(
        "RG305", *((variant(name), [record(75 + n) for _ in range(seeds)]) for n, name in enumerate("ab"))
    )
    assert (result is not None) is fires
    if result:
        assert result.form == form
        assert result.figures["seeds"] == seeds
        assert result.figures["p"] == pytest.approx(2 / comb(2 * seeds, seeds))
        assert result.figures["level"] == pytest.approx(0.05 / result.figures["comparisons"])
        assert len(result.runs) == 2 * seeds


def test_a_single_model_is_compared_with_nothing() -> None:
    """Without a comparison no number of seeds is too small."""
    assert found("RG305", one()) is None


def test_a_suite_of_which_nothing_finished_is_checked_too() -> None:
    """Where every run failed, that is what is found, along with what the data show."""
    results = gathered((variant("a"), [record(status="failed")]), (variant("b"), [record(status="diverged")]))
    findings = analyse(results)
    assert [code for code, check in CHECKS.items() if check(results, findings)] == ["RG201"]


def test_words_of_texts_without_spaces_are_told() -> None:
    """Of texts half of whose letters and more are Chinese, say; not where they are split into characters."""
    result = found("RG205", one(data={"tokens": "words", "unspaced": 0.5}))
    assert result is not None
    assert result.items == [{"models": ["a"], "share": 0.5}]
    assert found("RG205", one(data={"tokens": "words", "unspaced": 0.49})) is None
    assert found("RG205", one(data={"tokens": "characters", "unspaced": 1.0})) is None
    assert found("RG205", one()) is None


def test_a_seed_far_from_the_others_is_named() -> None:
    """One of five runs of a model gets 30 of 100 right where its others get about 75, as the other model does."""
    runs = (
        (variant("odd"), [record(right) for right in (75, 76, 30, 74, 75)]),
        (variant("even"), [record(right) for right in (75, 74, 77, 76, 75)]),
    )
    result = found("RG306", *runs)
    assert result is not None
    assert result.items == [{"model": "odd", "seed": 2, "others": 4, "accuracy": 0.3, "baseline": 0.75}]
    assert result.runs == [gathered(*runs).runs["run"][2]]
    assert found("RG306", runs[1]) is None
