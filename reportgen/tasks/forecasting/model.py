"""The network of a forecasting run."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.user_class import BATCH, TIME, ModelContract, user_model
from reportgen.tasks.forecasting.settings import ForecasterSettings

_Last = Tensor | tuple[Tensor, ...]  # h, or (h, c) of an LSTM, as torch.nn returns it


class Forecaster(nn.Module):
    """A recurrent network over numbers; a linear layer tells the next number from each state.

    Args:
        cell: rnn, lstm, gru, one of the handwritten cells, or a class of the user's own.
        hidden_size: size of the hidden state.
        layers: recurrent layers.
        arguments: further arguments of a class of the user's own.
    """

    def __init__(
        self, *, cell: str, hidden_size: int, layers: int = 1, arguments: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.recurrent = recurrent(cell, 1, hidden_size, layers, arguments=arguments)
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Return for each of the points (batch, time) what the network expects to come next, (batch, time)."""
        return self._onward(points, None)[0]

    def forecast(self, given: Tensor, steps: int) -> Tensor:
        """Return the `steps` points (batch, steps) after those given (batch, time).

        The loop is closed: the first comes from what is given, each later one from the one before it.
        """
        expected, state = self._onward(given, None)
        points = [expected[:, -1:]]
        for _ in range(steps - 1):
            expected, state = self._onward(points[-1], state)
            points.append(expected)
        return torch.cat(points, dim=1)

    def _onward(self, points: Tensor, state: _Last | None) -> tuple[Tensor, _Last]:
        states, last = self.recurrent(points[..., None], state)
        return self.output(states)[..., 0], last


class UserForecaster(Forecaster):
    """A whole model of the user's own: points (batch, time, 1) and a state in, what comes next and a state out."""

    def __init__(self, module: str, arguments: Mapping[str, Any] | None) -> None:
        nn.Module.__init__(self)
        self.model = user_model(module, (), arguments)

    def _onward(self, points: Tensor, state: _Last | None) -> tuple[Tensor, _Last]:
        expected, last = self.model(points[..., None], state)
        return expected[..., 0], last


def forecaster(settings: ForecasterSettings) -> Forecaster:
    """Return the model that a suite asks for, with fresh weights."""
    if settings.module is not None:
        return UserForecaster(settings.module, settings.arguments)
    return Forecaster(**settings.model_dump(exclude={"module"}))


def model_contract(outputs: int) -> ModelContract:  # noqa: ARG001 - it is always one
    """Return what a whole model of a student's is given: points (batch, time, 1), and perhaps a state."""
    return ModelContract((), (torch.randn(BATCH, TIME, 1),), (BATCH, TIME, 1), "batch, time, 1", last=True)
