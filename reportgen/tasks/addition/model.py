"""The network of an addition run."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.user_class import BATCH, TIME, ModelContract, user_model
from reportgen.tasks.addition.settings import AdderSettings


class Adder(nn.Module):
    """Both digits embedded and put side by side, a recurrent network, and a linear layer to the sum's digit.

    Args:
        cell: rnn, lstm, gru, one of the handwritten cells, or a class of the user's own.
        hidden_size: size of the hidden state.
        layers: recurrent layers.
        embedding_size: size of a digit's embedding, the same for both numbers.
        arguments: further arguments of a class of the user's own.
    """

    def __init__(
        self,
        *,
        cell: str,
        hidden_size: int,
        layers: int,
        embedding_size: int,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, embedding_size)
        self.recurrent = recurrent(cell, 2 * embedding_size, hidden_size, layers, arguments=arguments)
        self.output = nn.Linear(hidden_size, 10)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (batch, digits, 10) for pairs of digits (batch, digits, 2), the last digit first."""
        logits: Tensor = self.output(self.recurrent(self.embedding(pairs).flatten(2))[0])
        return logits


def adder(settings: AdderSettings) -> nn.Module:
    """Return the model that a suite asks for, with fresh weights; a whole one of the user's own as it is."""
    if settings.module is not None:
        return user_model(settings.module, (), settings.arguments)
    return Adder(**settings.model_dump(exclude={"module"}))


def model_contract(outputs: int) -> ModelContract:  # noqa: ARG001 - there are always ten digits
    """Return what a whole model of a student's is given: two digits a step, (batch, digits, 2)."""
    pairs = torch.randint(10, (BATCH, TIME, 2))
    return ModelContract((), (pairs,), (BATCH, TIME, 10), "batch, digits, 10")
