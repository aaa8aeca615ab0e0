"""What a classification run does."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reportgen.lab.environment import forward_in
from reportgen.lab.models.naive import measure
from reportgen.lab.printout import describe
from reportgen.lab.probes import DIRECTIONS, SEQUENCES, Arrays, _frozen, gates_over, gradient_norms
from reportgen.lab.record import Outcome
from reportgen.lab.training import batches, loop, losses
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Evaluation, Hooks, Logged, Moment, Row
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.lab.user_class import user_model
from reportgen.tasks.classification.data import Dataset, prepare
from reportgen.tasks.classification.letter_models import RNN
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.predictions import Predictions, confident_mistakes
from reportgen.tasks.classification.settings import ModelSettings, RunSettings, TrainingSettings
from reportgen.tasks.classification.vectors import Vectors, vectors_for

_EVALUATION_BATCH = {"cpu": 128, "cuda": 512}  # more on a CPU take longer: their states do not fit into its cache


_Outputs = tuple[Tensor, Tensor, Tensor]
"""Mean loss, logits and labels of a batch."""


@dataclass(frozen=True)
class Trained(loop.Trained):
    """A finished training: `kept` is the epoch that was kept, `test` are its predictions on the test part."""

    test: Predictions


def carry_out(
    settings: RunSettings,
    seed: int,
    device: torch.device,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> None:
    """Train and test one classifier; `outcome` is filled in on the way.

    `outcome.epochs` has a row an epoch: epoch, the mean train_loss and train_accuracy over the examples as they
    were trained on, heldout_loss and heldout_accuracy on the validation part, or on the test part for data without
    one, and seconds, evaluation included.

    Raises Diverged when the training or the held-out loss of an epoch is not finite.
    """
    data = prepare(settings.data)
    outcome.data = data.facts.as_json()
    outcome.heldout = "validation" if len(data.parts["validation"]) else "test"
    loss = settings.training.loss
    vectors = vectors_for(settings.model.vectors, settings.data) if settings.model.vectors else None
    model = build(settings.model, data, loss, vectors).to(device)
    outcome.model = describe(model, tried_on(data, device))
    if vectors is not None:
        outcome.model["vectors"] = vectors.facts.as_json()
    trained = train(
        model,
        data,
        settings.training,
        random=torch.Generator().manual_seed(seed),
        device=device,
        epochs=outcome.epochs,
        hooks=hooks,
        checkpoint=checkpoint,
    )
    outcome.kept_epoch = trained.kept
    outcome.predictions = vars(trained.test)
    outcome.mistakes = confident_mistakes(trained.test, data)
    if isinstance(model, SequenceClassifier | RNN):
        outcome.arrays, outcome.measures = measure_classifier_probes(model, data, device)
        outcome.measures |= measure_classifier(model, data, settings.training.batch_size, device)
    outcome.measures |= trained.measures


def train(
    model: nn.Module,
    data: Dataset,
    settings: TrainingSettings,
    *,
    random: torch.Generator,
    device: torch.device,
    epochs: list[Row],
    hooks: Hooks = loop.NO_HOOKS,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train `model` on the training part and test it once, at the epoch that `settings.keep` names.

    Each epoch is evaluated on the validation part, or, for data without one, on the test part; only a
    validation part ever chooses the epoch, changes the rate or stops the training.

    Args:
        model: takes inputs (batch, time) and lengths (batch,), and returns logits (batch, outputs).
        data: the parts.
        settings: how it is trained.
        random: draws the order of the examples.
        device: where the model is.
        epochs: the log, filled in on the way.
        hooks: hear of the progress.
        checkpoint: where the state is kept on the way.

    Raises:
        Diverged: the training or the held-out loss of an epoch is NaN or infinite.
    """
    sparse = _make_sparse(model, settings)
    optimizer = optimizer_of(
        model.parameters(),
        settings.optimizer,
        settings.learning_rate,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        sparse=sparse,
    )
    objective = ClassificationObjective(model, data, settings, random, device)
    trained = loop.train(
        model, objective, optimizer, settings, rows=epochs, keep=settings.keep, hooks=hooks, checkpoint=checkpoint
    )
    return Trained(**vars(trained), test=objective.test(trained.kept))


def _make_sparse(model: nn.Module, settings: TrainingSettings) -> bool:
    """Let the embedding's gradient have rows for the batch's words alone, where no other row would change.

    Momentum, weight decay and whatever looks at the gradient need every row; so do the other optimizers. On a GPU
    equal bits would not be certain.
    """
    embedding = model.input if isinstance(model, SequenceClassifier) else None
    plain = settings.optimizer == "sgd" and not settings.momentum and not settings.weight_decay
    if not isinstance(embedding, nn.Embedding) or not plain or settings.reads_gradients:
        return False
    embedding.sparse = embedding.weight.device.type == "cpu"
    return embedding.sparse


class ClassificationObjective(loop.Objective[Tensor]):
    """Batches of the training part, its loss, and the evaluation of an epoch on the held-out part."""

    def __init__(
        self,
        model: nn.Module,
        data: Dataset,
        settings: TrainingSettings,
        random: torch.Generator,
        device: torch.device,
    ) -> None:
        self._model, self._settings, self._random, self._device = model, settings, random, device
        self._loss_of = losses.loss_of(settings.loss)
        self._train, self._test = _Part.of(data, "train", device), _Part.of(data, "test", device)
        self._validation = _Part.of(data, "validation", device) if len(data.parts["validation"]) else None
        self._batches: list[_Outputs] = []  # of this epoch, read when it ends: reading waits for the device
        self._tested: dict[int, Predictions] = {}  # by the epoch, where it is the test part that is held out

    def batches(self) -> Iterator[Tensor]:
        """Yield the examples of each batch of an epoch, (batch,), in a new order."""
        self._batches = []
        return batches.shuffled(self._train.host_lengths, self._settings.batch_size, self._random)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean loss of the batch's examples."""
        inputs, lengths, labels = self._train.take(batch, self._model)
        with forward_in(self._settings.precision, self._device):
            logits = self._model(inputs, lengths)
        loss = self._loss_of(logits.float(), labels).mean()
        self._batches.append((loss.detach(), logits.detach(), labels))
        return loss

    def evaluate(self, moment: Moment) -> Evaluation:
        """Return the epoch's figures on the training part as it was trained on, and on the held-out part."""
        began = time.perf_counter()
        train_loss, train_accuracy = _means(self._batches)
        predictions = predict(self._model, self._validation or self._test, self._settings)
        loss, accuracy = float(predictions.loss.mean(dtype=np.float64)), _accuracy(predictions)
        if self._validation is None:
            self._tested = {moment.rounds: predictions}
        row = {
            "epoch": moment.rounds,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "heldout_loss": loss,
            "heldout_accuracy": accuracy,
            "seconds": moment.seconds_since + time.perf_counter() - began,
        }
        validation_loss = None if self._validation is None else loss
        return Evaluation(row, (train_loss, loss), validation_loss, Logged(moment.rounds, loss, accuracy))

    def test(self, epoch: int) -> Predictions:
        """Return the predictions on the test part of the model as it is now, which is that of the epoch."""
        self._model.eval()
        return self._tested.get(epoch) or predict(self._model, self._test, self._settings)

    def state(self) -> dict[str, Any]:
        """Return the state of the generator that draws the order of the examples."""
        return {"order": self._random.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self._random.set_state(state["order"])


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


def _means(of_batches: list[_Outputs]) -> tuple[float, float]:
    """Return loss and accuracy over the examples of batches."""
    losses_now, logits, labels = (list(column) for column in zip(*of_batches, strict=True))
    sizes = torch.tensor([len(batch) for batch in labels], dtype=torch.float64)
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


def build(
    settings: ModelSettings, data: Dataset, loss: str = "cross_entropy", vectors: Vectors | None = None
) -> nn.Module:
    """Return the model with fresh weights, drawn from torch's global generator, and word vectors if it has any."""
    outputs = losses.outputs_for(loss, len(data.facts.classes))
    if settings.module is not None:
        model = user_model(settings.module, (data.facts.vocabulary + 2, outputs), settings.arguments)
        model.register_forward_pre_hook(lambda _, given: (given[0].long(), *given[1:]))  # the data are 32-bit
        return model
    if settings.cell == "handwritten_rnn_i2h_i2o":
        return RNN(data.facts.vocabulary, outputs, settings.hidden_size)
    given = settings.model_dump(exclude={"module"})
    return SequenceClassifier(data.facts.vocabulary, outputs, **{**given, "vectors": vectors})


def tried_on(data: Dataset, device: torch.device) -> list[Tensor]:
    """Return a batch of one for a classifier: symbols (1, longest) and lengths (1,)."""
    longest = data.inputs.shape[1]
    return [torch.ones(1, longest, dtype=torch.int64, device=device), torch.tensor([longest], device=device)]


Classifier = SequenceClassifier | RNN


def measure_classifier_probes(
    model: Classifier, data: Dataset, device: torch.device
) -> tuple[Arrays, dict[str, Any]]:
    """Probe a trained model on the longest sequences of the test part.

    Returns arrays and plain values. Arrays: gradient_norm and gradient_count, see `gradient_by_distance`, and for
    an LSTM that reads one way `gates`, see `gates_over`. Plain: gate_tokens, the tokens of the sequence whose
    gates those are, None for one that is not in the vocabulary.
    """
    tested = data.parts["test"]
    longest = tested[np.argsort(-data.lengths[tested], kind="stable")[:SEQUENCES]]
    lengths = torch.from_numpy(data.lengths[longest]).to(device)
    indices = torch.from_numpy(data.inputs[longest, : data.lengths[longest].max()]).to(device)
    norms, counts = gradient_by_distance(model, indices, lengths)
    arrays: Arrays = {"gradient_norm": norms, "gradient_count": counts}
    network = model.recurrent if isinstance(model, SequenceClassifier) else None
    with torch.no_grad():
        gates = gates_over(network, model.input(indices[:1, : lengths[0]]))
    if gates is None:
        return arrays, {}
    known = dict(enumerate(data.vocabulary, start=1))
    tokens = [known.get(i) for i in indices[0, : lengths[0]].tolist()]
    return {**arrays, "gates": gates}, {"gate_tokens": tokens}


def gradient_by_distance(
    model: Classifier, indices: Tensor, lengths: Tensor, *, directions: int = DIRECTIONS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return `gradient_norms` of a classifier, which is put back into its mode afterwards.

    Args:
        model: a classifier.
        indices: symbols (batch, time).
        lengths: (batch,), how many of them count.
        directions: how many directions to look from.
    """
    was_training = model.training
    model.eval()

    def states(x: Tensor) -> Tensor:
        return model.states(x, lengths)[..., : model.hidden_size]

    with _frozen(model):
        found = gradient_norms(states, model.input(indices), lengths, directions=directions)
    model.train(was_training)
    return found


def measure_classifier(model: nn.Module, data: Dataset, batch: int, device: torch.device) -> dict[str, Any]:
    """Measure a classifier's network on a batch of the training part, cut to the median of its lengths."""
    if not isinstance(model, SequenceClassifier):
        return {}
    examples = data.parts["train"][:batch]
    steps = int(np.median(data.lengths[examples]))
    with torch.no_grad():
        x = model.input(torch.from_numpy(data.inputs[examples, :steps]).to(device))
    return measure(model.recurrent, x)
