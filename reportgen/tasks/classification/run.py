"""What a classification run does."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reportgen.errors import ReportgenError
from reportgen.lab.models.naive import measure
from reportgen.lab.printout import describe
from reportgen.lab.probes import DIRECTIONS, SEQUENCES, Arrays, _frozen, gates_over, gradient_norms
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Epoch, train
from reportgen.lab.training.losses import outputs_for
from reportgen.lab.user_class import own_model, source_of
from reportgen.lab.user_source import is_own
from reportgen.tasks.classification.data import Dataset, data_digest, prepare
from reportgen.tasks.classification.letter_models import RNN
from reportgen.tasks.classification.mistakes import confident_mistakes
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.settings import ModelSettings, RunSettings
from reportgen.tasks.classification.vectors import Vectors, vectors_for


def _classify(
    settings: RunSettings,
    seed: int,
    device: torch.device,
    record: dict[str, Any],
    on_epoch: Callable[[Epoch], None],
    on_batch: Callable[[], None],
    checkpoint: Checkpoint,
) -> None:
    data = prepare(settings.data)
    digest = data_digest(settings.data)
    if record["parts"].get("data", digest) != digest:  # it would lie under another's key
        raise ReportgenError("the data have changed since the build began; run the same command again")
    record["data"] = data.facts.as_json()
    record["heldout"] = "validation" if len(data.parts["validation"]) else "test"
    cell = settings.model.cell
    source = source_of(cell, record["parts"].get("model.source")) if is_own(cell) else None
    loss = settings.training.loss
    loss_source = source_of(loss, record["parts"].get("training.source")) if is_own(loss) else ""
    vectors = vectors_for(settings.model.vectors, settings.data) if settings.model.vectors else None
    model = build(settings.model, data, loss, vectors).to(device)
    record["model"] = describe(model, tried_on(data, device))
    if source is not None:
        record["model"]["source"] = source
    if is_own(loss):
        record["model"]["loss_source"] = loss_source
    if vectors is not None:
        record["model"]["vectors"] = vectors.facts.as_json()
    random = torch.Generator().manual_seed(seed)
    trained = train(
        model,
        data,
        settings.training,
        random=random,
        device=device,
        on_epoch=on_epoch,
        on_batch=on_batch,
        checkpoint=checkpoint,
    )
    record["epochs"] = [asdict(epoch) for epoch in trained.epochs]
    record["kept_epoch"] = trained.kept_epoch
    record["predictions"] = vars(trained.test)
    record["mistakes"] = confident_mistakes(trained.test, data)
    if isinstance(model, SequenceClassifier | RNN):
        record["arrays"], record["measures"] = measure_classifier_probes(model, data, device)
        record["measures"] |= measure_classifier(model, data, settings.training.batch_size, device)


def build(
    settings: ModelSettings, data: Dataset, loss: str = "cross_entropy", vectors: Vectors | None = None
) -> nn.Module:
    """Return the model with fresh weights, drawn from torch's global generator, and word vectors if it has any."""
    outputs = outputs_for(loss, len(data.facts.classes))
    if settings.module is not None:
        model = own_model(settings.module, (data.facts.vocabulary + 2, outputs), settings.arguments)
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
