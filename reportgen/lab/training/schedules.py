"""What changes the learning rate on the way, and what ends a training early. The schedulers are torch's own."""

import math
from typing import Any

from torch.optim import Optimizer, lr_scheduler

from reportgen.lab.training.settings import EarlyStoppingSettings, ScheduleSettings


class RateSchedule:
    """Sets the optimizer's learning rate after each round, or after each evaluation where that decides.

    Args:
        optimizer: whose rate it is.
        settings: which schedule; none leaves the rate as it is.
        rounds: epochs or steps of the whole run.
    """

    def __init__(self, optimizer: Optimizer, settings: ScheduleSettings | None, rounds: int) -> None:
        self._optimizer = optimizer
        self._scheduler = None if settings is None else scheduler_of(optimizer, settings, rounds)

    def end_round(self, validation_loss: float | None, *, evaluated: bool) -> None:
        """Set the rate of the next round.

        Raises ValueError if the validation loss decides, and there is no validation part.
        """
        if isinstance(self._scheduler, lr_scheduler.ReduceLROnPlateau):
            if evaluated and validation_loss is None:
                raise ValueError("schedule: plateau needs a validation part")
            if validation_loss is not None:
                self._scheduler.step(validation_loss)
        elif self._scheduler is not None:
            self._scheduler.step()

    def logged(self) -> dict[str, float]:
        """Return the rate of the round as a column of the log; nothing where it never changes."""
        return {} if self._scheduler is None else {"learning_rate": float(self._optimizer.param_groups[0]["lr"])}

    def state(self) -> dict[str, Any] | None:
        """Return the scheduler's state, for a checkpoint."""
        return None if self._scheduler is None else self._scheduler.state_dict()

    def load_state(self, state: dict[str, Any] | None) -> None:
        """Take over what `state` returned."""
        if self._scheduler is not None and state is not None:
            self._scheduler.load_state_dict(state)


def scheduler_of(
    optimizer: Optimizer, settings: ScheduleSettings, rounds: int
) -> lr_scheduler.LRScheduler | lr_scheduler.ReduceLROnPlateau:
    """Return torch's scheduler for a run of `rounds` epochs or steps; a warm-up comes before it."""
    given = settings.model_dump(exclude_none=True)
    if settings.kind == "plateau":
        return lr_scheduler.ReduceLROnPlateau(
            optimizer,
            factor=given["factor"],
            patience=given["patience"],
            threshold=given["min_delta"],
            threshold_mode="abs",
            min_lr=given["lowest"],
        )
    if not given["warmup"]:
        return _main(optimizer, given, rounds)
    # of N rounds the first has 1/(N + 1) of the rate, and the first one after them all of it
    first = lr_scheduler.LinearLR(optimizer, 1 / (given["warmup"] + 1), total_iters=given["warmup"])
    if settings.kind == "warmup":
        return first
    then = _main(optimizer, given, rounds - given["warmup"])
    return lr_scheduler.SequentialLR(optimizer, [first, then], [given["warmup"]])


def _main(optimizer: Optimizer, given: dict[str, Any], rounds: int) -> lr_scheduler.LRScheduler:
    match given["kind"]:
        case "step":
            return lr_scheduler.StepLR(optimizer, given["every"], given["factor"])
        case "exponential":
            return lr_scheduler.ExponentialLR(optimizer, given["factor"])
        case _:
            return lr_scheduler.CosineAnnealingLR(optimizer, max(1, rounds), given["lowest"])


class EarlyStopping:
    """Ends a training when the validation loss has not become lower for a while.

    Args:
        settings: how long it waits, and what counts as lower; none never stops.
    """

    def __init__(self, settings: EarlyStoppingSettings | None) -> None:
        self.patience = None if settings is None else settings.patience
        self.min_delta = settings.min_delta if settings else 0.0
        self.best, self.best_round = math.inf, 0
        self.waited = self.stopped_round = 0

    @property
    def stopped(self) -> bool:
        """Whether it is time to stop."""
        return self.stopped_round > 0

    def hear(self, validation_loss: float | None, number: int) -> None:
        """Take note of the validation loss after a round.

        Raises ValueError if there is no validation part.
        """
        if self.patience is None:
            return
        if validation_loss is None:
            raise ValueError("early_stopping needs a validation part")
        if validation_loss < self.best - self.min_delta:
            self.best, self.best_round, self.waited = validation_loss, number, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.stopped_round = number

    def measures(self, unit: str) -> dict[str, Any]:
        """Return `early_stop` for the record; nothing if the training was not stopped."""
        if not self.stopped:
            return {}
        numbers = {"stopped": self.stopped_round, "best": self.best_round, "waited": self.waited}
        return {"early_stop": {"unit": unit, **numbers}}
