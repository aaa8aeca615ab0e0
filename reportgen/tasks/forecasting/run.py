"""Forecasting: a network learns to tell the next point, and then goes on alone from its own output."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from reportgen.lab import probes
from reportgen.lab.models import naive
from reportgen.lab.printout import describe
from reportgen.lab.record import Outcome
from reportgen.lab.training import loop
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Diverged, Evaluation, Hooks, Logged, Moment
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.lab.user_source import is_user_code
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.data import Series
from reportgen.tasks.forecasting.model import Forecaster, forecaster
from reportgen.tasks.forecasting.settings import ForecastingRun


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
    settings: ForecastingRun,
    seed: int,  # noqa: ARG001 - of the initial weights alone, which come from torch's global generator
    device: torch.device,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> None:
    """Train and test one forecaster; `outcome` is filled in on the way.

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

    A run that was stopped early has `early_stop` in its measures, as `reportgen.lab.record` has it.

    Raises Diverged when a loss is not finite, or ends larger than it began.
    """
    data = forecasting_data.prepare(settings.data)
    outcome.data = data.facts.as_json()
    dtype = getattr(torch, settings.training.precision)
    parts = _Parts.of(data, dtype, device)
    model = forecaster(settings.model).to(device, dtype)
    outcome.model = describe(model, [parts.train[:1, :-1]])
    _train(model, parts, settings, hooks, outcome, checkpoint)
    model.eval()
    _test(model, parts, data, outcome)
    model.train()
    if is_user_code(settings.model.cell):
        return
    read = parts.test[: probes.SEQUENCES, : data.facts.given]
    outcome.arrays |= probes.measure_network(model.recurrent, read[..., None])
    outcome.measures["gate_tokens"] = [str(point) for point in range(1, data.facts.given + 1)]
    outcome.measures |= naive.measure(model.recurrent, parts.train[..., None])


class ForecastingObjective(loop.Objective[Tensor]):
    """A step sees all training sequences at once; an evaluation, the loss after it and the validation's forecasts.

    `losses` and `seconds` have an entry for each evaluation of loss and gradient: the loss, and the time spent in
    training up to its end.
    """

    def __init__(self, model: Forecaster, train: Tensor, validation: Tensor) -> None:
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self._model, self._train, self._validation = model, train, validation
        self._step = 0

    def batches(self) -> Iterable[Tensor]:
        """Return the training part, (sequences, length), as the one batch of a step."""
        self._step += 1
        return (self._train,)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean squared error one step ahead."""
        return one_step_ahead(self._model, batch)

    def observe(self, loss: Tensor, seconds: float) -> None:
        """Keep the loss of each evaluation; Diverged as soon as one is not finite, in the midst of a step, too."""
        self.losses.append(loop.finite(float(loss), "step", self._step))
        self.seconds.append(seconds)

    def evaluate(self, moment: Moment) -> Evaluation:
        """Return the loss after the step, and the error of the forecast on the validation part."""
        train_loss = float(one_step_ahead(self._model, self._train))
        validation_loss = None
        if len(self._validation):
            given = self._train.shape[1] // 2
            validation_loss = float(forecast_error(self._model, self._validation, given).mean())
        row = {
            "step": moment.rounds,
            "evaluations": len(self.losses),
            "seconds": self.seconds[-1],
            "train_loss": train_loss,
            "validation_loss": math.nan if validation_loss is None else validation_loss,
        }
        losses = (train_loss,) if validation_loss is None else (train_loss, validation_loss)
        return Evaluation(row, losses, validation_loss, Logged(moment.rounds, train_loss))

    def state(self) -> dict[str, Any]:
        """Return the evaluations so far."""
        return {"losses": self.losses, "seconds": self.seconds, "step": self._step}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self.losses, self.seconds, self._step = state["losses"], state["seconds"], state["step"]


def one_step_ahead(model: Forecaster, points: Tensor) -> Tensor:
    """Return the mean squared error of telling each point of (sequences, length) from those before it."""
    return F.mse_loss(model(points[:, :-1]), points[:, 1:])


def forecast_error(model: Forecaster, points: Tensor, given: int) -> Tensor:
    """Return the squared errors (sequences, length - given) of the forecast from the first `given` points."""
    return (model.forecast(points[:, :given], points.shape[1] - given) - points[:, given:]).square()


def _train(
    model: Forecaster,
    parts: _Parts,
    settings: ForecastingRun,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> None:
    how = settings.training
    optimizer = optimizer_of(model.parameters(), how.optimizer, how.learning_rate, max_iter=how.max_iter or 20)
    objective = ForecastingObjective(model, parts.train, parts.validation)
    try:
        trained = loop.train(
            model,
            objective,
            optimizer,
            how,
            rows=outcome.steps,
            log_every=how.log_every,
            keep=how.keep,
            hooks=hooks,
            checkpoint=checkpoint,
        )
    finally:
        outcome.arrays["evaluation_loss"] = np.array(objective.losses)
        outcome.arrays["evaluation_seconds"] = np.array(objective.seconds)
    outcome.measures |= {
        "kept_step": trained.kept,
        "evaluations": len(objective.losses),
        "seconds": objective.seconds[-1],
        **trained.measures,
    }


@torch.no_grad()
def _test(model: Forecaster, parts: _Parts, data: Series, outcome: Outcome) -> None:
    facts, kept = data.facts, outcome.measures["kept_step"]
    before, after = float(outcome.arrays["evaluation_loss"][0]), float(one_step_ahead(model, parts.train))
    if after > before:
        # L-BFGS without a line search may leave the minimum for good, and stay finite in float64
        raise Diverged(f"the loss is {after:.3g} after training, and was {before:.3g} before")
    outcome.measures["train_loss"] = loop.finite(after, "step", kept)
    outcome.measures["test_loss"] = loop.finite(float(one_step_ahead(model, parts.test)), "step", kept)
    outcome.arrays["truth"] = data.test * facts.spread + facts.center
    for name, given in (("from_half", facts.given), ("from_one", 1)):
        steps = facts.length - given
        scaled = model.forecast(parts.test[:, :given], steps).cpu().double().numpy()
        gaps = np.abs(scaled - data.test[:, given:])
        outcome.measures[f"forecast_{name}"] = loop.finite(float(np.square(gaps).mean()), "step", kept)
        outcome.arrays[f"forecast_{name}"] = scaled * facts.spread + facts.center
        outcome.arrays[f"error_{name}"] = gaps.mean(axis=0) * facts.spread
