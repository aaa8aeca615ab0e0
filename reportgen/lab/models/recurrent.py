"""The recurrent networks by the names that a suite calls them."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from reportgen.lab.models.cells import HandwrittenGRU, HandwrittenLSTM, HandwrittenPeepholeLSTM, HandwrittenRNN
from reportgen.lab.models.scans import GRU, RNN
from reportgen.lab.user_class import user_layer
from reportgen.lab.user_source import is_user_code

_TORCH: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": RNN, "lstm": nn.LSTM, "gru": GRU}


_HANDWRITTEN = {
    "handwritten_rnn": HandwrittenRNN,
    "handwritten_lstm": HandwrittenLSTM,
    "handwritten_gru": HandwrittenGRU,
    "handwritten_peephole_lstm": HandwrittenPeepholeLSTM,
}


def recurrent(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    *,
    bidirectional: bool = False,
    dropout: float = 0.0,
    arguments: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Return the recurrent network that a suite calls `cell`; ValueError for a name it does not have."""
    if is_user_code(cell):
        return user_layer(cell, input_size, hidden_size, num_layers, arguments)
    if cell in _TORCH:
        return _TORCH[cell](
            input_size, hidden_size, num_layers, batch_first=True, bidirectional=bidirectional, dropout=dropout
        )
    if cell in _HANDWRITTEN:
        return _HANDWRITTEN[cell](input_size, hidden_size, num_layers)
    raise ValueError(f"no cell is called {cell!r}")
