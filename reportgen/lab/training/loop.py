"""The training loop of every task.

A task brings an `Objective`: its batches, its loss, and its evaluation. The loop counts in rounds, which are
epochs or steps, as the task has it, and owns what does not depend on the task: the optimizer's closure, clipping,
the learning rate, the log, divergence, early stopping, what is kept, and checkpoints.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from reportgen.lab.training.checkpoints import Checkpoint, random_state, set_random_state
from reportgen.lab.training.gradients import Gradients
from reportgen.lab.training.schedules import EarlyStopping, RateSchedule
from reportgen.lab.training.settings import AnyTrainingSettings

Batch = TypeVar("Batch")
Row = dict[str, float]
"""One row of a log: an epoch or a logged step, by column."""


class Diverged(Exception):  # noqa: N818 - not an error of the program, a result of the experiment
    """The loss is NaN or infinite, or is larger after training than before."""


@dataclass(frozen=True)
class Logged:
    """How far a run is: the number of the epoch or step, its loss, and the accuracy where there is one."""

    number: int
    loss: float
    accuracy: float | None = None


@dataclass(frozen=True)
class Hooks:
    """Called while a run trains: after each row of the log, and before each evaluation. Both may raise to stop."""

    on_log: Callable[[Logged], None] = lambda _: None
    on_batch: Callable[[], None] = lambda: None


NO_HOOKS = Hooks()


@dataclass(frozen=True)
class Moment:
    """When an evaluation is made: after so many rounds, and so many seconds of training without evaluations."""

    rounds: int
    seconds: float
    seconds_since: float
    """Those since the evaluation before."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found."""

    row: Row
    """The task's own columns of the log."""
    losses: tuple[float, ...]
    """All losses that were measured; a run in which one is not finite has diverged."""
    validation_loss: float | None
    """That on the validation part, which alone may choose or stop anything; None without such a part."""
    logged: Logged


class Objective(Protocol[Batch]):
    """What a task brings to the loop."""

    def batches(self) -> Iterable[Batch]:
        """Return the batches of one round."""

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar with a gradient; L-BFGS asks several times for the same batch."""
        raise NotImplementedError

    def observe(self, loss: Tensor, seconds: float) -> None:  # noqa: ARG002
        """Hear of each loss when its gradient is there, after so many seconds of training in all."""
        return

    def evaluate(self, moment: Moment) -> Evaluation:
        """Measure the model, which is in evaluation mode and records no gradients."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return what the next round needs to know, for a checkpoint: its generators and its sums, say."""
        raise NotImplementedError

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""


@dataclass
class Progress:
    """How far a training is: all that a round leaves to the next one, next to model, optimizer and objective."""

    rows: list[Row] = field(default_factory=list)
    """The log."""
    rounds: int = 0
    seconds: float = 0.0
    seconds_logged: float = 0.0
    """Those at the last row of the log."""
    best: float = math.inf
    """The lowest validation loss so far, where the best round is kept."""
    kept: int = 0
    """The round that is kept."""
    weights: dict[str, Any] | None = None
    """Those of the best round so far, where it is kept."""


@dataclass(frozen=True)
class Trained:
    """How a training ended."""

    kept: int
    """The round whose weights the model has."""
    seconds: float
    """Time spent in training, without evaluations."""
    measures: dict[str, Any]
    """For the record: `early_stop`, as `reportgen.lab.record` has it, if the run was stopped early; else empty."""


def train(
    model: nn.Module,
    objective: Objective[Batch],
    optimizer: Optimizer,
    settings: AnyTrainingSettings,
    *,
    rows: list[Row],
    log_every: int = 1,
    keep: Literal["best", "last"] = "last",
    hooks: Hooks = NO_HOOKS,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train `model`, and leave it with the weights of the round that is kept.

    A run that goes on from its `checkpoint` ends with the very bits of one that was not interrupted.

    Args:
        model: trained in place.
        objective: what it learns.
        optimizer: of its parameters.
        settings: how many rounds there are at most, and how rates, gradients and early stopping are handled.
        rows: the log, filled in on the way, so that it is there whatever happens.
        log_every: rounds between two evaluations; the last round always has one.
        keep: the last round, or that of the lowest validation loss.
        hooks: hear of the progress; both may raise to stop.
        checkpoint: where the state is kept on the way.

    Raises:
        Diverged: a loss is NaN or infinite.
        ValueError: something is to be chosen on a validation part, and there is none.
    """
    checkpoint = checkpoint or Checkpoint()
    progress = Progress(rows)
    gradients = Gradients(model, settings)
    schedule = RateSchedule(optimizer, settings.schedule, settings.rounds)
    stopping = EarlyStopping(settings.early_stopping)
    state = _State(progress, model, optimizer, objective, gradients, schedule, stopping)
    state.resume(checkpoint.load())
    model.train()

    began = time.perf_counter()

    def loss_and_gradient(batch: Batch) -> Tensor:
        hooks.on_batch()
        optimizer.zero_grad(set_to_none=True)
        loss = objective.loss(batch)
        loss.backward()
        gradients.clip()
        objective.observe(loss.detach(), progress.seconds + time.perf_counter() - began)
        return loss.detach()

    while progress.rounds < settings.rounds and not stopping.stopped:
        progress.rounds += 1
        began = time.perf_counter()
        for batch in objective.batches():
            loss = optimizer.step(partial(loss_and_gradient, batch))  # type: ignore[arg-type]  # a tensor will do
        is_logged = progress.rounds % log_every == 0 or progress.rounds == settings.rounds
        if is_logged:  # reading the loss waits for the device, so that the clock is right
            finite(float(loss), settings.unit, progress.rounds)
        progress.seconds += time.perf_counter() - began

        validation_loss = None
        if is_logged:
            found = _evaluate(model, objective, progress)
            for value in found.losses:
                finite(value, settings.unit, progress.rounds)
            rows.append({**found.row, **schedule.logged(), **gradients.logged()})
            validation_loss = found.validation_loss
            _keep(model, progress, keep, validation_loss)
            stopping.hear(validation_loss, progress.rounds)
        schedule.end_round(validation_loss, evaluated=is_logged)
        checkpoint.offer(state.save)
        if is_logged:
            hooks.on_log(found.logged)

    if progress.weights is not None:
        model.load_state_dict(progress.weights)
    return Trained(progress.kept, progress.seconds, stopping.measures(settings.unit))


def finite(loss: float, unit: str, number: int) -> float:
    """Return the loss; Diverged if it is NaN or infinite, after the epoch or step of that number."""
    if not math.isfinite(loss):
        raise Diverged(f"the loss is not finite in {unit} {number}")
    return loss


@torch.no_grad()
def _evaluate(model: nn.Module, objective: Objective[Batch], progress: Progress) -> Evaluation:
    since = progress.seconds - progress.seconds_logged
    progress.seconds_logged = progress.seconds
    model.eval()
    try:
        return objective.evaluate(Moment(progress.rounds, progress.seconds, since))
    finally:
        model.train()


def _keep(model: nn.Module, progress: Progress, keep: str, validation_loss: float | None) -> None:
    """Keep the weights of the round if it is the best so far; the last ones need no copy."""
    if keep == "last":
        progress.kept = progress.rounds
        return
    if validation_loss is None:
        raise ValueError("keep: best needs a validation part")
    if validation_loss < progress.best:
        progress.best, progress.kept = validation_loss, progress.rounds
        progress.weights = copy.deepcopy(model.state_dict())


@dataclass(frozen=True)
class _State:
    """Everything that a training consists of, to be saved in a checkpoint and restored from it."""

    progress: Progress
    model: nn.Module
    optimizer: Optimizer
    objective: Objective[Any]
    gradients: Gradients
    schedule: RateSchedule
    stopping: EarlyStopping

    def save(self) -> dict[str, Any]:
        return {
            "progress": vars(self.progress),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "objective": self.objective.state(),
            "gradients": self.gradients.state(),
            "schedule": self.schedule.state(),
            "stopping": vars(self.stopping),
            "random": random_state(),
        }

    def resume(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self.progress.rows[:] = state["progress"].pop("rows")
        vars(self.progress).update(state["progress"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.objective.load_state(state["objective"])
        self.gradients.load_state(state["gradients"])
        self.schedule.load_state(state["schedule"])
        vars(self.stopping).update(state["stopping"])
        set_random_state(state["random"])
