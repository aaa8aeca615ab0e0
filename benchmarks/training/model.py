"""The model that all peers on torch train."""

import torch
from task import EMBEDDING, HIDDEN
from torch import Tensor, nn

NETWORKS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Classifier(nn.Module):
    """An embedding, a recurrent layer, and a linear layer on the state at each sequence's last symbol."""

    def __init__(self, cell: str, symbols: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, EMBEDDING, padding_idx=0)
        self.recurrent = NETWORKS[cell](EMBEDDING, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, 2)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, 2) for symbols (batch, time)."""
        states, _ = self.recurrent(self.embedding(inputs))
        return self.output(states[torch.arange(len(states)), lengths - 1])
