"""One run carried out: data, model, training, and a record of whatever came of it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.errors import ReportgenError
from reportgen.lab import addition, forecasting, naive, probes, steps
from reportgen.lab.checkpoints import Checkpoint
from reportgen.lab.dataset import Dataset, prepare
from reportgen.lab.describing import describe
from reportgen.lab.environment import collect
from reportgen.lab.failures import OutOfMemory, is_memory_error, told
from reportgen.lab.key import THREADS, data_digest, key_of
from reportgen.lab.letters import RNN
from reportgen.lab.loading import own_model, source_of
from reportgen.lab.losses import outputs_for
from reportgen.lab.mistakes import confident_mistakes
from reportgen.lab.models import SequenceClassifier
from reportgen.lab.precision import set_tf32
from reportgen.lab.record import Record
from reportgen.lab.steps import Hooks, Logged, Outcome
from reportgen.lab.training import Diverged, Epoch, train
from reportgen.lab.vectors import Vectors, vectors_for
from reportgen.suite.addition import AdditionRun
from reportgen.suite.classifier import ModelSettings
from reportgen.suite.forecasting import ForecastingRun
from reportgen.suite.own import is_own
from reportgen.suite.settings import RunSettings
from reportgen.suite.tasks import AnyRun, task_of


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised by the callbacks of a run to end it without a record."""


def carry_out(
    settings: AnyRun,
    seed: int,
    parts: dict[str, Any],
    *,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_step: Callable[[Logged], None] = lambda _: None,
    on_batch: Callable[[], None] = lambda: None,
    checkpoint: Checkpoint | None = None,
    last_try: bool = True,
) -> Record:
    """Train and test one model; a run that diverges or raises is a record, too.

    Args:
        settings: what to train, on what, and how.
        seed: of the initial weights, the order of the examples or the examples themselves, and dropout.
        parts: what the run's key is made of.
        on_epoch: called after each epoch.
        on_step: called after each row of the log of a task that is counted in steps.
        on_batch: called before each batch; all of them may raise Cancelled.
        checkpoint: where the run keeps its state on the way.
        last_try: record that memory ran out, and do not ask for another try.

    Raises OutOfMemory if memory ran out and this is not the last try.
    """
    torch.set_num_threads(THREADS)
    device = torch.device(settings.device)
    record: dict[str, Any] = {
        "key": key_of(parts),
        "parts": parts,
        "settings": settings.told(),
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": collect().as_json(),
        "status": "finished",
        "error": "",
        "model": {},
        "data": {},
        "task": task_of(settings.data.source).name,
    }
    began = time.perf_counter()
    try:
        set_tf32(getattr(settings.training, "precision", "float32"), device)
        with _seeded(seed, device):
            if isinstance(settings, RunSettings):
                _classify(settings, seed, device, record, on_epoch, on_batch, checkpoint or Checkpoint())
            else:
                _step_by_step(settings, seed, device, record, Hooks(on_step, on_batch), checkpoint or Checkpoint())
    except Cancelled:
        raise
    except Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
        record["epochs"] = [asdict(epoch) for epoch in diverged.epochs]
    except steps.Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
    except (Exception, SystemExit) as error:  # the user's own class may call exit
        if not last_try and is_memory_error(error):
            raise OutOfMemory from None
        record |= {"status": "failed", "error": told(error)}
    return Record(**record, seconds=time.perf_counter() - began)


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
        record["arrays"], record["measures"] = probes.measure(model, data, device)
        record["measures"] |= naive.measure_classifier(model, data, settings.training.batch_size, device)


def _step_by_step(
    settings: ForecastingRun | AdditionRun,
    seed: int,
    device: torch.device,
    record: dict[str, Any],
    hooks: Hooks,
    checkpoint: Checkpoint,
) -> None:
    outcome = Outcome()
    cell = settings.model.cell
    source = {"source": source_of(cell, record["parts"].get("model.source"))} if is_own(cell) else {}
    try:
        if isinstance(settings, ForecastingRun):
            forecasting.carry_out(settings, device, hooks, outcome, checkpoint)
        else:
            addition.carry_out(settings, seed, device, hooks, outcome, checkpoint)
    finally:
        outcome.model |= source if outcome.model else {}
        record |= vars(outcome)


class _seeded:  # noqa: N801 - reads as a with-statement
    """Seeds torch's global generators, which layers draw their weights from, and puts them back."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.fork = torch.random.fork_rng(devices=[0] if device.type == "cuda" else [])

    def __enter__(self) -> None:
        self.fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *exception: Any) -> None:
        self.fork.__exit__(*exception)


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
