"""A tiny task to train: a line to fit, with dropout, whose validation losses a test may dictate."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import NO_HOOKS, Evaluation, Hooks, Logged, Moment, Objective, Row, Trained, train
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.lab.training.settings import AnyTrainingSettings

Weights = dict[str, Tensor]
BATCHES = 3


class Settings(AnyTrainingSettings):
    """Settings of a task whose rounds have three batches."""

    steps: int = 8

    @property
    def rounds(self) -> int:
        """The steps."""
        return self.steps


class Line(Objective[Tensor]):
    """Fits y = 3x with dropout, from batches that its own generator draws; validation losses may be dictated."""

    def __init__(self, model: nn.Module, validation: Callable[[int], float | None] | None = None) -> None:
        self.model, self.validation = model, validation
        self.random = torch.Generator().manual_seed(1)
        self.modes: list[tuple[bool, bool]] = []

    def batches(self) -> Iterator[Tensor]:
        """Draw three batches."""
        for _ in range(BATCHES):
            yield torch.randn(5, 2, generator=self.random)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the squared error."""
        gaps: Tensor = self.model(batch) - 3 * batch
        return gaps.square().mean()

    def evaluate(self, moment: Moment) -> Evaluation:
        """Return the loss on fixed points, and what is to count as the validation loss."""
        self.modes.append((self.model.training, torch.is_grad_enabled()))
        loss = float(self.loss(torch.linspace(-1, 1, 8).reshape(4, 2)))
        validation = loss if self.validation is None else self.validation(moment.rounds)
        losses = (loss,) if validation is None else (loss, validation)
        return Evaluation({"step": moment.rounds, "loss": loss}, losses, validation, Logged(moment.rounds, loss))

    def state(self) -> dict[str, Any]:
        """Return the generator's state."""
        return {"random": self.random.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take it over."""
        self.random.set_state(state["random"])


def fresh() -> nn.Module:
    """Return a small network with dropout, and seed what the dropout draws from."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.2), nn.Tanh(), nn.Linear(4, 2))


def trained(
    settings: Settings,
    optimizer: str = "adam",
    validation: Callable[[int], float | None] | None = None,
    *,
    hooks: Hooks = NO_HOOKS,
    checkpoint: Checkpoint | None = None,
    rows: list[Row] | None = None,
    **how: Any,
) -> tuple[Trained, list[Row], Weights]:
    """Train the small network; return how it ended, the log and the weights."""
    model, log = fresh(), [] if rows is None else rows
    chosen = optimizer_of(model.parameters(), optimizer, 0.05, max_iter=3)
    done = train(
        model, Line(model, validation), chosen, settings, rows=log, hooks=hooks, checkpoint=checkpoint, **how
    )
    return done, log, model.state_dict()


def equal(one: Weights, other: Weights) -> bool:
    """Tell whether all weights have the same bits."""
    return all(torch.equal(one[name], other[name]) for name in one)
