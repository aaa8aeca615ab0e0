"""The training loop, in one piece."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reportgen.lab.environment import forward_in
from reportgen.lab.training import batches, losses
from reportgen.lab.training.checkpoints import Checkpoint, random_state, set_random_state
from reportgen.lab.training.optimizers import bare
from reportgen.tasks.classification.data import Dataset
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.settings import TrainingSettings

_EVALUATION_BATCH = {"cpu": 128, "cuda": 512}  # more on a CPU take longer: their states do not fit into its cache
_NOTHING_KEPT = Checkpoint()


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave: mean loss and accuracy over the examples, and its wall time in seconds."""

    epoch: int
    train_loss: float
    train_accuracy: float
    heldout_loss: float
    heldout_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Predictions:
    """What a model says of each example of a part; arrays of shape (examples,)."""

    example: NDArray[np.int64]
    target: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]
    """Probability of the predicted class."""
    loss: NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """A finished training: its epochs, the epoch that was kept, and its predictions on the test part."""

    epochs: list[Epoch]
    kept_epoch: int
    test: Predictions


class Diverged(Exception):  # noqa: N818 - not an error of the program, a result of the experiment
    """The loss is no longer finite; holds the epochs before."""

    def __init__(self, epochs: list[Epoch], epoch: int) -> None:
        super().__init__(f"the loss is not finite in epoch {epoch}")
        self.epochs = epochs


def optimizer_of(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return the optimizer that `settings` name, in its fused form where torch has one."""
    parameters, rate, decay = model.parameters(), settings.learning_rate, settings.weight_decay
    match settings.optimizer:
        case "adam":
            return bare(torch.optim.Adam)(parameters, rate, weight_decay=decay, fused=True)
        case "adamw":
            return bare(torch.optim.AdamW)(parameters, rate, weight_decay=decay, fused=True)
        case "adamax":
            return bare(torch.optim.Adamax)(parameters, rate, weight_decay=decay)
        case "rmsprop":
            return bare(torch.optim.RMSprop)(parameters, rate, weight_decay=decay, momentum=settings.momentum)
        case "sgd":
            sparse = _make_sparse(model, settings)
            return bare(torch.optim.SGD)(parameters, rate, settings.momentum, weight_decay=decay, fused=not sparse)


def _make_sparse(model: nn.Module, settings: TrainingSettings) -> bool:
    """Let the embedding's gradient have rows for the batch's words alone, where no other row would change.

    Momentum, weight decay and a clip by the norm of all gradients need every row; so do the other optimizers. On a
    GPU equal bits would not be certain.
    """
    embedding = model.input if isinstance(model, SequenceClassifier) else None
    plain = not settings.momentum and not settings.weight_decay and settings.gradient_clip is None
    if not isinstance(embedding, nn.Embedding) or not plain or embedding.weight.device.type != "cpu":
        return False
    embedding.sparse = True
    return True


def train(
    model: nn.Module,
    data: Dataset,
    settings: TrainingSettings,
    *,
    random: torch.Generator,
    device: torch.device,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_batch: Callable[[], None] = lambda: None,
    checkpoint: Checkpoint = _NOTHING_KEPT,
) -> Trained:
    """Train `model` on the training part and test it once, at the epoch that `settings.keep` names.

    Each epoch is evaluated on the validation part, or, for data without one, on the test part; only a
    validation part ever chooses the epoch. `on_epoch` and `on_batch` may raise to stop. A run that goes on from
    its `checkpoint` ends with the very bits of one that was not interrupted.

    Raises:
        Diverged: the training or the held-out loss of an epoch is NaN or infinite.
    """
    part, test = _Part.of(data, "train", device), _Part.of(data, "test", device)
    heldout = _Part.of(data, "validation", device) if len(data.parts["validation"]) else test
    optimizer = optimizer_of(model, settings)
    loss_of = losses.loss_of(settings.loss)
    progress = _Progress(model, optimizer, random)
    if before := checkpoint.load():
        progress.go_on_from(before)
    epochs = progress.epochs
    tested: dict[int, Predictions] = {}  # by the epoch, where it is the test part that is held out
    for epoch in range(len(epochs) + 1, settings.epochs + 1):
        began = time.perf_counter()
        model.train()
        told = []  # losses, logits and labels of the batches, read once an epoch: reading waits for the device
        for batch in batches.shuffled(part.host_lengths, settings.batch_size, random):
            on_batch()
            inputs, lengths, labels = part.take(batch, model)
            with forward_in(settings.precision, device):
                logits = model(inputs, lengths)
            loss = loss_of(logits.float(), labels).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if settings.gradient_clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimizer.step()
            told.append((loss.detach(), logits.detach(), labels))
        train_loss, train_accuracy = _means(told)
        predictions = predict(model, heldout, settings)
        loss_now, accuracy = float(predictions.loss.mean(dtype=np.float64)), _accuracy(predictions)
        if not math.isfinite(train_loss + loss_now):
            raise Diverged(epochs, epoch)
        seconds = time.perf_counter() - began
        epochs.append(Epoch(epoch, train_loss, train_accuracy, loss_now, accuracy, seconds))
        if settings.keep == "last" or loss_now < progress.best:
            progress.keep(epoch, loss_now)
            tested = {epoch: predictions} if heldout is test else {}
        checkpoint.offer(progress.state)
        on_epoch(epochs[-1])
    model.load_state_dict(progress.kept)
    kept = progress.kept_epoch
    return Trained(epochs, kept, tested.get(kept) or predict(model, test, settings))


class _Progress:
    """All that an epoch leaves to the next one."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, random: torch.Generator) -> None:
        self.model, self.optimizer, self.random = model, optimizer, random
        self.epochs: list[Epoch] = []
        self.best = math.inf
        self.kept_epoch = 0
        self.kept = model.state_dict()

    def keep(self, epoch: int, loss: float) -> None:
        """Keep the weights as they are."""
        self.best, self.kept_epoch, self.kept = loss, epoch, copy.deepcopy(self.model.state_dict())

    def state(self) -> dict[str, Any]:
        """Return all of it, the random generators' states among it, for a checkpoint."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.random.get_state(),
            **random_state(),
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best": self.best,
            "kept_epoch": self.kept_epoch,
            "kept": self.kept,
        }

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["order"])
        set_random_state(state)
        self.epochs[:] = [Epoch(**epoch) for epoch in state["epochs"]]
        self.best, self.kept_epoch, self.kept = state["best"], state["kept_epoch"], state["kept"]


@dataclass(frozen=True)
class _Part:
    """One part of a data set, on the device."""

    examples: NDArray[np.int64]
    inputs: Tensor
    lengths: Tensor
    labels: Tensor
    host_lengths: Tensor

    @classmethod
    def of(cls, data: Dataset, part: str, device: torch.device) -> "_Part":
        examples = data.parts[part]
        lengths = torch.from_numpy(data.lengths[examples])
        inputs, labels = torch.from_numpy(data.inputs[examples]), torch.from_numpy(data.labels[examples])
        return cls(examples, inputs.to(device), lengths.to(device), labels.to(device), lengths)

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, batch: Tensor, model: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs (batch, time), lengths and labels (batch,) of the batch, cut to its longest.

        Lengths lie on the device, but for a model that packs its sequences: that is done on the host, which would
        wait for the device to hand them back.
        """
        host_lengths = self.host_lengths[batch]
        on_device = batch.to(self.inputs.device, non_blocking=True)
        lengths = host_lengths if getattr(model, "packed", False) is True else self.lengths[on_device]
        return self.inputs[on_device, : int(host_lengths.max())], lengths, self.labels[on_device]


def _means(told: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[float, float]:
    """Return loss and accuracy over the examples of batches: mean loss, logits and labels of each."""
    losses_now, logits, labels = (list(column) for column in zip(*told, strict=True))
    sizes = torch.tensor([len(own) for own in labels], dtype=torch.float64)
    right = losses.predicted(torch.cat(logits)) == torch.cat(labels)
    loss = torch.stack(losses_now).cpu().double() @ sizes / sizes.sum()
    return float(loss), float(right.double().mean())


@torch.no_grad()
def predict(model: nn.Module, part: _Part, settings: TrainingSettings) -> Predictions:
    """Return what the model, trained with `settings`, says of every example of the part, in the part's order."""
    model.eval()
    order = torch.cat(list(batches.in_order_of_length(part.host_lengths, len(part))))
    columns = [
        torch.cat(column).cpu()[order.argsort()] for column in zip(*_outputs(model, part, settings), strict=True)
    ]
    predicted, confidence, by_example = (column.numpy() for column in columns)
    return Predictions(part.examples, part.labels.cpu().numpy(), predicted, confidence, by_example)


def _outputs(model: nn.Module, part: _Part, settings: TrainingSettings) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    loss_of = losses.loss_of(settings.loss)
    for batch in batches.in_order_of_length(part.host_lengths, _EVALUATION_BATCH[part.inputs.device.type]):
        inputs, lengths, labels = part.take(batch, model)
        with forward_in(settings.precision, part.inputs.device):
            logits = model(inputs, lengths)
        logits = logits.float()
        confidence = losses.probabilities(settings.loss, logits).amax(1)
        yield losses.predicted(logits), confidence, loss_of(logits, labels)


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.target).mean())
