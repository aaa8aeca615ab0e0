"""What runs that are counted in steps, and not in epochs, tell of themselves. Imports no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = dict[str, float]


class Diverged(Exception):  # noqa: N818 - not an error of the program, a result of the experiment
    """The loss is NaN or infinite, or is larger after training than before."""


def finite(loss: float, step: int) -> float:
    """Return the loss; Diverged if it is not finite."""
    if not math.isfinite(loss):
        raise Diverged(f"the loss is not finite in step {step}")
    return loss


@dataclass(frozen=True)
class Logged:
    """How far a run is: the step, its loss, and the accuracy where there is one."""

    step: int
    loss: float
    accuracy: float | None = None


@dataclass(frozen=True)
class Hooks:
    """Called while a run trains: after each row of the log, and before each evaluation. Both may raise to stop."""

    on_step: Callable[[Logged], None] = lambda _: None
    on_batch: Callable[[], None] = lambda: None


@dataclass
class Outcome:
    """What a run comes to, filled in as it trains, so that what a run had before it diverged is kept."""

    model: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    steps: list[Row] = field(default_factory=list)
    measures: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
