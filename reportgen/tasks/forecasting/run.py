"""Forecasting: a network learns to tell the next point, and then goes on alone from its own output."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab import probes
from reportgen.lab.models import naive
from reportgen.lab.printout import describe
from reportgen.lab.training.checkpoints import Checkpoint, random_state, set_random_state
from reportgen.lab.training.optimizers import bare
from reportgen.lab.training.steps import Diverged, Hooks, Logged, Outcome, finite
from reportgen.lab.user_source import is_own
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.data import Series
from reportgen.tasks.forecasting.model import Forecaster, forecaster
from reportgen.tasks.forecasting.settings import ForecastingRun, ForecastTrainingSettings


@dataclass(frozen=True)
class _Parts:
    """The sequences, (sequences, length), on the device and in the precision of the run."""

    train: Tensor
    validation: Tensor
    test: Tensor

    @classmethod
    def of(cls, data: Series, dtype: torch.dtype, device: torch.device) -> "_Parts":
        return cls(
            *(torch.from_numpy(part).to(device, dtype) for part in (data.train, data.validation, data.test))
        )


def carry_out(
    settings: ForecastingRun, device: torch.device, hooks: Hooks, outcome: Outcome, checkpoint: Checkpoint
) -> None:
    """Train and test one forecaster; `outcome` is filled in on the way.

    A run that goes on from its `checkpoint` ends with the very bits of one that was not interrupted; only its
    seconds are others.

    `outcome.steps` has a row for each logged step: step, evaluations and seconds so far (without the time for
    measuring), train_loss after the step, and validation_loss, the error of the forecast on the validation part,
    NaN without one. Losses are mean squared errors of scaled points.

    `outcome.measures` has kept_step, evaluations, seconds, train_loss and test_loss (one step ahead) of the kept
    model, and the mean squared error of the forecasts of the test part: forecast_from_half and forecast_from_one.

    `outcome.arrays`, in the series' own unit: truth (test, length), forecast_from_half (test, length - given),
    forecast_from_one (test, length - 1), the absolute errors of both averaged over the test part, error_from_half
    and error_from_one, by horizon; and for each evaluation in training, evaluation_loss and evaluation_seconds.
    Those of `probes.measure_network` are of the test sequences as far as they are given, and the tokens of
    `outcome.measures` are the numbers of those points; a class of the user's own is not probed.

    Raises Diverged when a loss is not finite, or ends larger than it began.
    """
    data = forecasting_data.prepare(settings.data)
    outcome.data = data.facts.as_json()
    dtype = getattr(torch, settings.training.precision)
    parts = _Parts.of(data, dtype, device)
    model = forecaster(settings.model).to(device, dtype)
    outcome.model = describe(model, [parts.train[:1, :-1]])
    _train(model, parts, settings.training, hooks, outcome, checkpoint)
    _test(model, parts, data, outcome)
    if is_own(settings.model.cell):
        return
    read = parts.test[: probes.SEQUENCES, : data.facts.given]
    outcome.arrays |= probes.measure_network(model.recurrent, read[..., None])
    outcome.measures["gate_tokens"] = [str(point) for point in range(1, data.facts.given + 1)]
    outcome.measures |= naive.measure(model.recurrent, parts.train[..., None])


def optimizer_of(model: nn.Module, settings: ForecastTrainingSettings) -> torch.optim.Optimizer:
    """Return the optimizer that `settings` name."""
    if settings.optimizer == "adam":
        return bare(torch.optim.Adam)(model.parameters(), settings.learning_rate, fused=True)
    return bare(torch.optim.LBFGS)(model.parameters(), settings.learning_rate, settings.max_iter or 20)


class Training:
    """Steps of an optimizer over all training sequences at once, and what they cost.

    `losses` and `seconds` have an entry for each evaluation of loss and gradient: the loss, and the time spent in
    training up to its end.
    """

    def __init__(
        self,
        model: Forecaster,
        points: Tensor,
        optimizer: torch.optim.Optimizer,
        on_batch: Callable[[], None] = lambda: None,
    ) -> None:
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.steps = 0
        self._model, self._points, self._optimizer, self._on_batch = model, points, optimizer, on_batch
        self._spent = self._began = 0.0

    def step(self) -> None:
        """Make one step; Diverged as soon as an evaluation gives no finite loss."""
        self.steps += 1
        self._began = time.perf_counter()
        self._optimizer.step(self._evaluate)
        self._spent += time.perf_counter() - self._began

    def _evaluate(self) -> float:
        self._on_batch()
        self._optimizer.zero_grad(set_to_none=True)
        loss = one_step_ahead(self._model, self._points)
        loss.backward()
        self.losses.append(finite(float(loss.detach()), self.steps))
        self.seconds.append(self._spent + time.perf_counter() - self._began)
        return self.losses[-1]

    def state(self) -> dict[str, Any]:
        """Return what the next step begins with."""
        return {
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            **random_state(),
            "losses": self.losses,
            "seconds": self.seconds,
            "steps": self.steps,
            "spent": self._spent,
        }

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        set_random_state(state)
        self.losses, self.seconds = state["losses"], state["seconds"]
        self.steps, self._spent = state["steps"], state["spent"]


def one_step_ahead(model: Forecaster, points: Tensor) -> Tensor:
    """Return the mean squared error of telling each point of (sequences, length) from those before it."""
    return F.mse_loss(model(points[:, :-1]), points[:, 1:])


def forecast_error(model: Forecaster, points: Tensor, given: int) -> Tensor:
    """Return the squared errors (sequences, length - given) of the forecast from the first `given` points."""
    return (model.forecast(points[:, :given], points.shape[1] - given) - points[:, given:]).square()


def _train(
    model: Forecaster,
    parts: _Parts,
    settings: ForecastTrainingSettings,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> None:
    training = Training(model, parts.train, optimizer_of(model, settings), hooks.on_batch)
    kept = _Kept(math.inf, 0, model.state_dict())
    if before := checkpoint.load():
        training.go_on_from(before["training"])
        outcome.steps[:] = before["log"]
        kept = _Kept(**before["kept"])

    def state() -> dict[str, Any]:
        return {"training": training.state(), "log": outcome.steps, "kept": vars(kept)}

    try:
        while training.steps < settings.steps:
            training.step()
            if training.steps % settings.log_every == 0 or training.steps == settings.steps:
                row = _measured(model, parts, training)
                outcome.steps.append(row)
                if settings.keep == "last" or row["validation_loss"] < kept.loss:
                    kept = _Kept(row["validation_loss"], training.steps, copy.deepcopy(model.state_dict()))
                hooks.on_step(Logged(training.steps, row["train_loss"]))
            checkpoint.offer(state)
    finally:
        outcome.arrays["evaluation_loss"] = np.array(training.losses)
        outcome.arrays["evaluation_seconds"] = np.array(training.seconds)
    model.load_state_dict(kept.weights)
    outcome.measures |= {
        "kept_step": kept.step,
        "evaluations": len(training.losses),
        "seconds": training.seconds[-1],
    }


@dataclass(frozen=True)
class _Kept:
    """The step that is tested, with its validation loss and its weights."""

    loss: float
    step: int
    weights: dict[str, Any]


def _measured(model: Forecaster, parts: _Parts, training: Training) -> dict[str, float]:
    """Return a row of the log; Diverged if a loss is not finite."""
    step = training.steps
    with torch.no_grad():
        train_loss = finite(float(one_step_ahead(model, parts.train)), step)
        errors = (
            forecast_error(model, parts.validation, parts.train.shape[1] // 2) if len(parts.validation) else None
        )
    return {
        "step": step,
        "evaluations": len(training.losses),
        "seconds": training.seconds[-1],
        "train_loss": train_loss,
        "validation_loss": math.nan if errors is None else finite(float(errors.mean()), step),
    }


@torch.no_grad()
def _test(model: Forecaster, parts: _Parts, data: Series, outcome: Outcome) -> None:
    facts, kept = data.facts, outcome.measures["kept_step"]
    before, after = float(outcome.arrays["evaluation_loss"][0]), float(one_step_ahead(model, parts.train))
    if after > before:
        # L-BFGS without a line search may leave the minimum for good, and stay finite in float64
        raise Diverged(f"the loss is {after:.3g} after training, and was {before:.3g} before")
    outcome.measures["train_loss"] = finite(after, kept)
    outcome.measures["test_loss"] = finite(float(one_step_ahead(model, parts.test)), kept)
    outcome.arrays["truth"] = data.test * facts.spread + facts.center
    for name, given in (("from_half", facts.given), ("from_one", 1)):
        steps = facts.length - given
        scaled = model.forecast(parts.test[:, :given], steps).cpu().double().numpy()
        gaps = np.abs(scaled - data.test[:, given:])
        outcome.measures[f"forecast_{name}"] = finite(float(np.square(gaps).mean()), kept)
        outcome.arrays[f"forecast_{name}"] = scaled * facts.spread + facts.center
        outcome.arrays[f"error_{name}"] = gaps.mean(axis=0) * facts.spread
