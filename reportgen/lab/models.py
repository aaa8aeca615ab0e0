"""The classifier that the suites train: symbols in, logits out."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab.cells import HandwrittenLSTM


def recurrent(cell: str, input_size: int, hidden_size: int, num_layers: int) -> nn.Module:
    """Return the recurrent network that a suite calls `cell`; ValueError for a name it does not have."""
    match cell:
        case "rnn":
            return nn.RNN(input_size, hidden_size, num_layers, batch_first=True)
        case "lstm":
            return nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        case "gru":
            return nn.GRU(input_size, hidden_size, num_layers, batch_first=True)
        case "handwritten_lstm":
            return HandwrittenLSTM(input_size, hidden_size, num_layers)
    raise ValueError(f"no cell is called {cell!r}")


class OneHot(nn.Module):
    """Symbol indices (batch, time) as one-hot vectors (batch, time, symbols); index 0 becomes zeros."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.symbols = symbols

    def forward(self, indices: Tensor) -> Tensor:
        """Look the vectors up."""
        return F.one_hot(indices, self.symbols + 1)[..., 1:].to(torch.get_default_dtype())

    def extra_repr(self) -> str:
        """Show the size in `print(model)`."""
        return str(self.symbols)


class SequenceClassifier(nn.Module):
    """A recurrent network over symbols; its state after the last symbol decides the class.

    Args:
        symbols: size of the alphabet; inputs hold 1 … symbols, and 0 for padding.
        classes: how many classes there are.
        cell: rnn, lstm, gru or handwritten_lstm.
        hidden_size: size of the hidden state.
        layers: recurrent layers.
        embedding_size: size of a learnt embedding; one-hot vectors without it.
        dropout: probability of dropping an entry of the last state while training.
    """

    def __init__(
        self,
        symbols: int,
        classes: int,
        *,
        cell: str,
        hidden_size: int,
        layers: int = 1,
        embedding_size: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input: nn.Module = (
            nn.Embedding(symbols + 1, embedding_size, padding_idx=0) if embedding_size else OneHot(symbols)
        )
        self.recurrent = recurrent(cell, embedding_size or symbols, hidden_size, layers)
        linear = nn.Linear(hidden_size, classes)
        self.output = nn.Sequential(nn.Dropout(dropout), linear) if dropout else linear

    def forward(self, indices: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes) for symbols (batch, time) of which the first `lengths` (batch,) count."""
        states, _ = self.recurrent(self.input(indices))
        # what comes after the last symbol is padding: it is computed, but never read
        last = states[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        logits: Tensor = self.output(last)
        return logits
