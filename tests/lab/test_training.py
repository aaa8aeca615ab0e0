"""Training: it learns, it repeats itself to the bit, and whatever comes of it is a record."""

import copy
import math
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pytest
import torch
from torch import nn

from reportgen.lab.data.corpora import Corpus
from reportgen.lab.device import has_cuda
from reportgen.lab.key import key_of
from reportgen.lab.record import Record
from reportgen.lab.run import Cancelled
from reportgen.lab.settings import RecurrentCell
from reportgen.lab.training.loop import Diverged, Hooks, Logged, Row
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.tasks.classification import run as classification_run
from reportgen.tasks.classification.data import Dataset, encode, prepare
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.run import Trained, build, predict, train
from reportgen.tasks.classification.settings import (
    KNOWN_CELLS,
    Cell,
    ModelSettings,
    RunSettings,
    SplitSettings,
    SurnamesSettings,
    TrainingSettings,
)
from reportgen.tasks.runs import carry_out, key_parts

CPU = torch.device("cpu")
OPTIMIZERS = get_args(TrainingSettings.model_fields["optimizer"].annotation)


def toy() -> Dataset:
    """Return texts of a and b that belong to the class of their last letter."""
    texts = [first * length + last for length in (2, 5, 1, 3, 4) for first in "ab" for last in "ab"]
    labels = ["ab".index(text[-1]) for text in texts]
    indices = np.arange(len(texts))
    parts = {"test": indices[::5], "validation": indices[1::5], "train": indices[indices % 5 > 1]}
    return encode("toy", Corpus(texts, labels, ("a", "b"), ()), parts)


def model(seed: int = 0, cell: str = "gru") -> SequenceClassifier:
    """Return a small model for the toy set with fresh weights."""
    torch.manual_seed(seed)
    return SequenceClassifier(2, 2, cell=cell, hidden_size=8)


def trained(settings: TrainingSettings, data: Dataset, network: nn.Module) -> tuple[list[Row], Trained]:
    """Train on the CPU with the examples in the order of seed 0; return the epochs, too."""
    epochs: list[Row] = []
    random = torch.Generator().manual_seed(0)
    return epochs, train(network, data, settings, random=random, device=CPU, epochs=epochs)


def surnames(
    cell: Cell = "rnn", validation: float = 0.1, device: Literal["cpu", "cuda"] = "cpu", **training: Any
) -> RunSettings:
    """Return settings of a tiny run on real surnames."""
    split = SplitSettings(validation=validation)
    return RunSettings(
        data=SurnamesSettings(source="surnames", languages=("Chinese", "Greek"), limit=60, split=split),
        model=ModelSettings(cell=cell, hidden_size=8),
        training=TrainingSettings.model_validate({"epochs": 2, "batch_size": 16, **training}),
        device=device,
    )


def carried_out(settings: RunSettings, seed: int = 0, **callbacks: Any) -> Record:
    """Carry out a run with its proper key."""
    return carry_out(settings, seed, key_parts(settings, seed), **callbacks)


def numbers(record: Record) -> tuple[list[dict[str, float]], dict[str, list[float]]]:
    """Return all that a run came to, without the times."""
    epochs = [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in record.epochs]
    return epochs, {name: array.tolist() for name, array in record.predictions.items()}


@pytest.mark.slow
@pytest.mark.parametrize("cell", get_args(RecurrentCell))
def test_what_can_be_learnt_is_learnt(cell: str) -> None:
    """Every cell gets all of a separable toy set right, texts that it was not trained on, too."""
    epochs, found = trained(TrainingSettings(epochs=60, batch_size=4, learning_rate=0.02), toy(), model(cell=cell))
    assert epochs[-1]["train_accuracy"] == 1.0
    assert found.test.predicted.tolist() == found.test.target.tolist()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss(optimizer: str) -> None:
    """Each name of a suite trains: the loss ends well below where it began."""
    rate = 0.5 if optimizer == "sgd" else 0.02
    settings = TrainingSettings.model_validate({"epochs": 30, "optimizer": optimizer, "learning_rate": rate})
    epochs, _ = trained(settings, toy(), model())
    assert epochs[-1]["train_loss"] < 0.5 * epochs[0]["train_loss"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("adamax", torch.optim.Adamax),
        ("rmsprop", torch.optim.RMSprop), ("sgd", torch.optim.SGD),
    ],
)  # fmt: skip
def test_an_optimizer_has_its_settings(name: str, kind: type[torch.optim.Optimizer]) -> None:
    """Learning rate, weight decay and, where there is one, momentum arrive at torch's optimizer of that name."""
    momentum = 0.5 if name in ("sgd", "rmsprop") else 0.0
    optimizer = optimizer_of(model().parameters(), name, 0.125, weight_decay=0.25, momentum=momentum)
    (group,) = optimizer.param_groups
    assert type(optimizer).__bases__ == (kind,)
    assert type(optimizer).__name__ == kind.__name__
    assert (group["lr"], group["weight_decay"], group.get("momentum", 0.0)) == (0.125, 0.25, momentum)


@pytest.mark.parametrize(
    ("changed", "sparse"),
    [
        ({}, True),
        ({"momentum": 0.9}, False),
        ({"weight_decay": 0.1}, False),
        ({"gradient_clip": 1.0}, False),
        ({"gradient_clip_value": 1.0}, False),
        ({"log_gradient_norm": True}, False),
        ({"optimizer": "adam"}, False),
    ],
)
def test_only_plain_gradient_descent_takes_the_words_of_a_batch_alone(
    changed: dict[str, Any], sparse: bool
) -> None:
    """Elsewhere rows of words that are not in the batch would change, too; a step is that with dense rows."""
    settings = TrainingSettings.model_validate({"epochs": 1, "learning_rate": 0.5, "optimizer": "sgd", **changed})
    torch.manual_seed(0)
    network = SequenceClassifier(2, 2, cell="gru", hidden_size=8, embedding_size=5)
    dense = copy.deepcopy(network)
    assert classification_run._make_sparse(network, settings) == sparse
    optimizer = optimizer_of(network.parameters(), settings.optimizer, 0.5, sparse=sparse)
    for own in (network, dense):
        own(torch.tensor([[1, 1], [1, 3]]), torch.tensor([2, 2])).square().sum().backward()
    weights, expected = network.get_parameter("input.weight"), dense.get_parameter("input.weight")
    assert weights.grad is not None
    assert expected.grad is not None
    assert weights.grad.is_sparse == sparse
    if sparse:
        optimizer.step()
        torch.testing.assert_close(weights, expected - 0.5 * expected.grad)
        assert math.isfinite(trained(settings, toy(), network)[0][0]["train_loss"])


def test_one_step_of_gradient_descent_is_as_long_as_the_clip_allows() -> None:
    """With rate 2 and the gradient cut to the norm 0.001, all weights together move by 0.002."""
    network = model()
    before = torch.cat([p.detach().flatten() for p in network.parameters()])
    settings = TrainingSettings(
        epochs=1, batch_size=12, optimizer="sgd", learning_rate=2.0, gradient_clip=0.001, keep="last"
    )
    trained(settings, toy(), network)
    after = torch.cat([p.detach().flatten() for p in network.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.002, rel=0.01)


def test_a_gradient_clip_changes_the_result() -> None:
    """A clip below the gradients' norms gives other numbers, one far above them the same."""
    free, loose, tight = (
        numbers(carried_out(surnames(optimizer="sgd", gradient_clip=clip))) for clip in (None, 1e6, 0.01)
    )
    assert loose == free
    assert tight != free


def test_losses_and_accuracies_are_means_over_the_examples() -> None:
    """Before anything is learnt, an epoch's figures are those of the untrained model, worked out one by one."""
    data, network = toy(), model()
    losses, right = [], []
    for i in data.parts["train"]:
        inputs, length = torch.from_numpy(data.inputs[i : i + 1]), torch.from_numpy(data.lengths[i : i + 1])
        logits = network(inputs, length)[0].detach()
        losses.append(float(logits.logsumexp(0) - logits[data.labels[i]]))
        right.append(int(logits.argmax()) == data.labels[i])
    settings = TrainingSettings(epochs=1, batch_size=5, optimizer="sgd", learning_rate=1e-12)
    ((epoch,), _) = trained(settings, data, network)
    assert epoch["train_loss"] == pytest.approx(float(np.mean(losses)))
    assert epoch["train_accuracy"] == pytest.approx(np.mean(right))


def test_predictions_are_of_the_test_part_in_its_order() -> None:
    """Each row is about its own example: target, class, its probability, and the loss of the true class."""
    data, network = toy(), model()
    found = trained(TrainingSettings(epochs=3, batch_size=4, learning_rate=0.02), data, network)[1].test
    assert found.example.tolist() == data.parts["test"].tolist()
    assert found.target.tolist() == data.labels[data.parts["test"]].tolist()
    for row, i in enumerate(found.example):
        inputs, length = torch.from_numpy(data.inputs[i : i + 1]), torch.from_numpy(data.lengths[i : i + 1])
        shares = network(inputs, length)[0].softmax(0).tolist()
        assert found.predicted[row] == np.argmax(shares)
        assert found.confidence[row] == pytest.approx(max(shares), rel=1e-5)
        assert found.loss[row] == pytest.approx(-math.log(shares[data.labels[i]]), rel=1e-4)


def test_the_seed_decides_the_weights_and_the_order_of_the_examples() -> None:
    """A run is repeated from its parts: weights from manual_seed(5), order from a generator of seed 5."""
    settings = surnames("lstm")
    data = prepare(settings.data)
    torch.manual_seed(5)
    random = torch.Generator().manual_seed(5)
    epochs: list[Row] = []
    by_hand = train(build(settings.model, data), data, settings.training, random=random, device=CPU, epochs=epochs)
    record = carried_out(settings, seed=5)
    assert [epoch["train_loss"] for epoch in record.epochs] == [epoch["train_loss"] for epoch in epochs]
    assert record.predictions["loss"].tolist() == by_hand.test.loss.tolist()


@pytest.mark.parametrize("cell", KNOWN_CELLS)
def test_the_same_seed_gives_the_same_numbers_to_the_bit(cell: Cell) -> None:
    """Epochs and predictions repeat exactly, whatever torch's global generator was at; another seed differs."""
    settings = surnames(cell)
    torch.manual_seed(1)
    first = numbers(carried_out(settings, seed=5))
    torch.manual_seed(2)
    second = numbers(carried_out(settings, seed=5))
    other = numbers(carried_out(settings, seed=6))
    assert first == second
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_the_kept_epoch_has_the_lowest_heldout_loss() -> None:
    """With `best`, the epoch is the one of the lowest loss, and the predictions are those of that very epoch."""
    restless: dict[str, Any] = {"learning_rate": 0.5}  # so high a rate that the last epoch is not the best
    kept = []
    for seed in range(4):
        best = carried_out(surnames(epochs=6, **restless), seed)
        losses = [epoch["heldout_loss"] for epoch in best.epochs]
        kept.append(best.kept_epoch)
        assert losses[best.kept_epoch - 1] == min(losses)
        again = carried_out(surnames(epochs=best.kept_epoch, keep="last", **restless), seed)
        assert numbers(again)[1] == numbers(best)[1]
    assert min(kept) < 6


def test_of_equal_losses_the_first_is_kept() -> None:
    """With a rate too small to move anything, every epoch is as good, and the first one stays."""
    settings = TrainingSettings(epochs=3, batch_size=12, optimizer="sgd", learning_rate=1e-30)
    epochs, found = trained(settings, toy(), model())
    assert len({epoch["heldout_loss"] for epoch in epochs}) == 1
    assert found.kept == 1


def test_the_last_epoch_is_kept_where_the_suite_says_so() -> None:
    """With `last`, it is the last one, although an earlier one was better."""
    for seed in range(4):
        record = carried_out(surnames(epochs=6, keep="last", learning_rate=0.5), seed)
        losses = [epoch["heldout_loss"] for epoch in record.epochs]
        assert record.kept_epoch == 6
        if min(losses) < losses[-1]:
            return
    pytest.fail("in every run the last epoch was the best: choose a higher rate")


def test_data_without_a_validation_part_is_followed_on_the_test_part() -> None:
    """The last epoch's held-out figures are those of the predictions on the test part."""
    record = carried_out(surnames(validation=0.0, keep="last"))
    right = record.predictions["predicted"] == record.predictions["target"]
    assert record.heldout == "test"
    assert record.epochs[-1]["heldout_accuracy"] == right.mean()
    assert record.epochs[-1]["heldout_loss"] == pytest.approx(record.predictions["loss"].mean())


@pytest.mark.parametrize(("validation", "passes"), [(0.0, 2), (0.1, 3)])
def test_the_test_part_is_not_read_twice_by_the_same_weights(
    validation: float, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two epochs kept to the last: the test part, where it is the one held out, is not predicted a third time."""
    calls = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return predict(*arguments)

    monkeypatch.setattr(classification_run, "predict", counted)
    carried_out(surnames(validation=validation, keep="last"))
    assert len(calls) == passes


def test_data_with_a_validation_part_is_followed_on_it() -> None:
    """The validation part of six names gives accuracies in sixths."""
    record = carried_out(surnames())
    right = [epoch["heldout_accuracy"] * 6 for epoch in record.epochs]
    assert record.heldout == "validation"
    assert sum(record.data["counts"]["validation"]) == 6
    assert right == pytest.approx([round(count) for count in right])


def test_a_run_is_told_of_every_epoch_and_every_batch() -> None:
    """The callbacks hear the epochs in order, and three batches of up to 16 for each."""
    heard: list[Logged] = []
    batches: list[None] = []
    record = carried_out(surnames(), hooks=Hooks(heard.append, lambda: batches.append(None)))
    assert heard == [Logged(i, e["heldout_loss"], e["heldout_accuracy"]) for i, e in enumerate(record.epochs, 1)]
    assert [epoch["epoch"] for epoch in record.epochs] == [1, 2]
    assert len(batches) == 2 * math.ceil(sum(record.data["counts"]["train"]) / 16)


def test_a_record_says_what_was_run() -> None:
    """Key, settings, seed, model and data of a finished run are in its record."""
    settings = surnames("lstm")
    record = carried_out(settings, seed=3)
    symbols = record.data["vocabulary"]
    assert (record.status, record.error, record.seed) == ("finished", "", 3)
    assert record.key == key_of(key_parts(settings, 3))
    assert RunSettings.model_validate(record.settings).as_printed() == record.settings == settings.as_printed()
    # four gates, torch's two biases each; two classes
    assert record.model["parameters"] == 4 * 8 * (symbols + 8 + 2) + 2 * (8 + 1)
    assert record.data["classes"] == ("Chinese", "Greek")
    assert record.environment["threads"] == 1


def test_a_rate_far_too_high_diverges_and_keeps_the_epochs_before() -> None:
    """The record says in which epoch the loss was no longer finite, and has those before it."""
    record = carried_out(surnames("lstm", epochs=10, batch_size=64, optimizer="sgd", learning_rate=1e38))
    done = len(record.epochs)
    assert record.status == "diverged"
    assert 1 <= done < 10
    assert record.error.endswith(f"not finite in epoch {done + 1}")
    assert [epoch["epoch"] for epoch in record.epochs] == list(range(1, done + 1))
    assert all(math.isfinite(value) for epoch in record.epochs for value in epoch.values())
    assert (record.predictions, record.kept_epoch) == ({}, 0)
    assert record.model["parameters"] > 0


def test_a_model_that_the_last_step_broke_has_diverged() -> None:
    """One step puts the weights out of range: the training loss, taken before it, is fine, the model is not."""
    record = carried_out(surnames(epochs=1, batch_size=64, optimizer="sgd", learning_rate=1e39))
    assert record.status == "diverged"


def test_an_exception_inside_a_run_is_a_failed_record() -> None:
    """The record has the end of the traceback, and what was known by then."""

    def stumble(logged: Logged) -> None:
        raise OSError(f"no paper left in epoch {logged.number}")

    record = carried_out(surnames(), hooks=Hooks(stumble))
    assert record.status == "failed"
    assert record.error.endswith("OSError: no paper left in epoch 1")
    assert [epoch["epoch"] for epoch in record.epochs] == [1]
    assert (record.predictions, record.kept_epoch) == ({}, 0)
    assert record.data["classes"] == ("Chinese", "Greek")


@pytest.mark.skipif(has_cuda(), reason="needs a machine without a GPU")
def test_a_run_on_a_device_that_is_not_there_is_a_failed_record() -> None:
    """A record that no model came to has none, and says why."""
    record = carried_out(surnames(device="cuda"))
    assert (record.status, record.model, record.epochs) == ("failed", {}, [])
    assert "CUDA" in record.error or "NVIDIA" in record.error


@pytest.mark.parametrize("callback", ["on_log", "on_batch"])
def test_a_cancelled_run_leaves_no_record(callback: str) -> None:
    """Cancelled passes through, from either callback, and torch's generator is put back."""

    def cancel(*_: object) -> None:
        raise Cancelled

    before = torch.get_rng_state()
    with pytest.raises(Cancelled):
        carried_out(surnames(), 0, hooks=Hooks(**{callback: cancel}))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("rate", [0.001, 1e38])
def test_a_run_leaves_torchs_generator_as_it_was(rate: float) -> None:
    """Whether it finishes or diverges, the global random state is the same after a run as before it."""
    torch.manual_seed(1234)
    before = torch.get_rng_state()
    carried_out(surnames(epochs=10, optimizer="sgd", learning_rate=rate))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_divergence_carries_its_epochs() -> None:
    """train() raises Diverged in the first epoch, and leaves the log without it."""
    data = toy()
    spoilt = replace(data, parts={**data.parts, "validation": data.parts["train"]})
    network = model()
    with torch.no_grad():
        next(network.parameters()).fill_(math.nan)
    epochs: list[Row] = []
    with pytest.raises(Diverged, match="not finite in epoch 1"):
        train(network, spoilt, TrainingSettings(epochs=2), random=torch.Generator(), device=CPU, epochs=epochs)
    assert epochs == []
