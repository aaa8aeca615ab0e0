"""The classifier that the suites train: symbols in, logits out."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.user_class import BATCH, TIME, ModelContract
from reportgen.tasks.classification.vectors import Vectors

_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}

Pooling = Literal["last", "mean", "max"]


class OneHot(nn.Module):
    """Symbol indices (batch, time) as one-hot vectors (batch, time, symbols).

    Padding, 0, and the unknown symbol, symbols + 1, become zeros.
    """

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.symbols = symbols

    def forward(self, indices: Tensor) -> Tensor:
        """Look the vectors up."""
        return F.one_hot(indices.long(), self.symbols + 2)[..., 1:-1].to(torch.get_default_dtype())

    def extra_repr(self) -> str:
        """Show the size in `print(model)`."""
        return str(self.symbols)


class SequenceClassifier(nn.Module):
    """A recurrent network over symbols; its states, pooled over time, decide the class.

    Args:
        symbols: size of the vocabulary; inputs hold 1 … symbols, 0 for padding, and symbols + 1 for unknown ones.
        outputs: how many logits: one a class, or a single one for binary cross-entropy.
        cell: rnn, lstm, gru, handwritten_rnn, handwritten_lstm, handwritten_gru, handwritten_peephole_lstm, or a
            class of the user's own, such as my_models.py:MyLSTM with the path of its file.
        arguments: further arguments of a class of the user's own.
        hidden_size: size of the hidden state.
        layers: recurrent layers.
        bidirectional: read the sequence from both ends; for torch.nn's cells, packed.
        recurrent_dropout: dropout between recurrent layers; for torch.nn's cells.
        packed: pack the sequences, so that the network never sees padding; for torch.nn's cells.
        pooling: the last state, or the mean or maximum of all states.
        embedding_size: size of a learnt embedding; one-hot vectors without it.
        embedding_std: standard deviation of the embedding's initial weights.
        vectors: word vectors that the embedding begins with, instead of embedding_size and embedding_std.
        vectors_frozen: leave these as they are.
        head_size: size of a linear layer between the pooled state and the output; none without it.
        activation: relu, sigmoid or tanh, after that layer.
        dropout: probability of dropping an entry of the output layer's input while training.
        log_softmax: return log p of each class in place of logits.
    """

    def __init__(
        self,
        symbols: int,
        outputs: int,
        *,
        cell: str,
        arguments: Mapping[str, Any] | None = None,
        hidden_size: int,
        layers: int = 1,
        bidirectional: bool = False,
        recurrent_dropout: float = 0.0,
        packed: bool = False,
        pooling: Pooling = "last",
        embedding_size: int | None = None,
        embedding_std: float = 1.0,
        vectors: Vectors | None = None,
        vectors_frozen: bool = False,
        head_size: int | None = None,
        activation: str = "relu",
        dropout: float = 0.0,
        log_softmax: bool = False,
    ) -> None:
        super().__init__()
        self.packed = packed
        self.pooling = pooling
        if vectors is not None:
            embedding_size = vectors.matrix.shape[1]
            self.input: nn.Module = _pretrained(vectors, vectors_frozen)
        elif embedding_size:
            self.input = _embedding(symbols, embedding_size, embedding_std)
        else:
            self.input = OneHot(symbols)
        self.recurrent = recurrent(
            cell,
            embedding_size or symbols,
            hidden_size,
            layers,
            bidirectional=bidirectional,
            dropout=recurrent_dropout,
            arguments=arguments,
        )
        self.hidden_size = hidden_size
        self.output = _head(hidden_size * (1 + bidirectional), outputs, head_size, activation, dropout)
        if log_softmax:
            self.output = nn.Sequential(self.output, nn.LogSoftmax(dim=1))

    def forward(self, indices: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, outputs) for symbols (batch, time) of which the first `lengths` (batch,) count."""
        logits: Tensor = self.output(self._pool(self.states(self.input(indices), lengths), lengths))
        return logits

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the states (batch, time, directions × hidden_size); what padding gives is never read."""
        if not self.packed:
            states: Tensor = self.recurrent(inputs)[0]
            return states
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.recurrent(packed)[0], batch_first=True, total_length=inputs.shape[1])[0]

    def _pool(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, directions × hidden_size): a state for the whole sequence."""
        lengths = lengths.to(states.device, non_blocking=True)
        if self.pooling == "last":
            last = states[torch.arange(len(lengths), device=lengths.device), lengths - 1]
            if states.shape[2] == self.hidden_size:
                return last
            # the backward direction has read everything when it is back at the first symbol
            return torch.cat([last[:, : self.hidden_size], states[:, 0, self.hidden_size :]], dim=1)
        counts = torch.arange(states.shape[1], device=lengths.device) < lengths[:, None]
        if self.pooling == "mean":
            return (states * counts[..., None]).sum(1) / lengths[:, None]
        return states.masked_fill(~counts[..., None], -torch.inf).amax(1)


def _embedding(symbols: int, size: int, std: float) -> nn.Embedding:
    embedding = nn.Embedding(symbols + 2, size, padding_idx=0)
    with torch.no_grad():
        embedding.weight *= std  # torch draws with a standard deviation of 1; row 0 is zeros
        embedding.weight[-1] = 0  # an unknown symbol says nothing, unless training meets one
    return embedding


def _pretrained(vectors: Vectors, frozen: bool) -> nn.Embedding:
    """Return an embedding of the vectors; words without one are drawn at the scale of those that have."""
    symbols, size = vectors.matrix.shape
    embedding = _embedding(symbols, size, vectors.std)
    known = torch.from_numpy(vectors.known)
    with torch.no_grad():
        embedding.weight[1:-1][known] = torch.from_numpy(vectors.matrix)[known]
    embedding.weight.requires_grad_(not frozen)
    return embedding


def _head(inputs: int, outputs: int, between: int | None, activation: str, dropout: float) -> nn.Module:
    layers: list[nn.Module] = []
    if between:
        layers += [nn.Linear(inputs, between), _ACTIVATIONS[activation]()]
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(between or inputs, outputs))
    return nn.Sequential(*layers) if len(layers) > 1 else layers[0]


def model_contract(outputs: int) -> ModelContract:
    """Return what a whole model of a student's is given: tokens (batch, time), padded with 0, and lengths."""
    symbols = 9
    lengths = torch.tensor([TIME, TIME - 2, 1])
    tokens = torch.randint(1, symbols, (BATCH, TIME)) * (torch.arange(TIME) < lengths[:, None])
    return ModelContract((symbols, outputs), (tokens, lengths), (BATCH, outputs), "batch, classes")
