"""Two networks for names, letter by letter, written out by hand: every linear map is a layer of its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RNN(nn.Module):
    """A classifier of two linear layers: one gives the next state, the other the class.

    With [x, h] the input beside the last state:

        h' = W_h [x, h] + b_h;   log p = log softmax(W_o [x, h] + b_o)

    There is no activation between the steps: the state is a linear function of all inputs. The last symbol enters
    the output without passing through the state. Source: PyTorch's tutorial on classifying names, 2017.

    Args:
        symbols: size of the vocabulary; inputs hold 1 … symbols, 0 for padding, and symbols + 1 for unknown ones.
        outputs: how many classes.
        hidden_size: size of the state.
    """

    def __init__(self, symbols: int, outputs: int, hidden_size: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(symbols + hidden_size, hidden_size)
        self.i2o = nn.Linear(symbols + hidden_size, outputs)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, indices: Tensor, lengths: Tensor) -> Tensor:
        """Return log p (batch, outputs) for symbols (batch, time) of which the first `lengths` (batch,) count."""
        x = self.input(indices)
        before = F.pad(self.states(x, lengths), (0, 0, 1, 0))  # the state that each step begins with
        last = torch.arange(len(x), device=x.device), lengths - 1
        logp: Tensor = self.softmax(self.i2o(torch.cat([x[last], before[last]], dim=1)))
        return logp

    def input(self, indices: Tensor) -> Tensor:
        """Return symbols (batch, time) as one-hot vectors (batch, time, symbols); unknown ones become zeros."""
        return F.one_hot(indices.long(), self.symbols + 2)[..., 1:-1].to(self.i2h.weight.dtype)

    def states(self, x: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002 - as SequenceClassifier has it
        """Return the state after each step, (batch, time, hidden_size), for inputs (batch, time, symbols)."""
        h = x.new_zeros(len(x), self.hidden_size)
        found = []
        for step in x.unbind(1):
            h = self.i2h(torch.cat([step, h], dim=1))
            found.append(h)
        return torch.stack(found, dim=1)
