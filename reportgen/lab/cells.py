"""Recurrent cells written out by hand, to be read beside their equations."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, Tensor]


class LSTMCell(nn.Module):
    """One step of an LSTM, with one fused linear map for all four gates.

    With [x, h] the input beside the last hidden state, and gates in the order of torch.nn.LSTM:

        i, f, g, o = split(W [x, h] + b);   c' = σ(f) ∘ c + σ(i) ∘ tanh(g);   h' = σ(o) ∘ tanh(c')

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000. torch.nn
    keeps two biases whose sum is this one; so the fused map has `4 × hidden_size` parameters fewer.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Linear(input_size + hidden_size, 4 * hidden_size)
        bound = hidden_size**-0.5  # the initial range of torch.nn's recurrent layers
        nn.init.uniform_(self.W.weight, -bound, bound)
        nn.init.uniform_(self.W.bias, -bound, bound)

    def forward(self, x: Tensor, state: State) -> State:
        """Step once: `x` (batch, input_size) and (h, c), each (batch, hidden_size), give the next (h, c)."""
        h, c = state
        return self.update(self.W(torch.cat([x, h], dim=1)), c)

    @staticmethod
    def update(gates: Tensor, c: Tensor) -> State:
        """Return the next (h, c) from the gates' inputs (batch, 4 × hidden_size) and c (batch, hidden_size)."""
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over a whole sequence: `x` (batch, time, input_size) gives (batch, time, hidden_size), (h, c).

        The same as calling the cell once a step; the part of W that meets x is applied to all steps at once.
        """
        from_x, from_h = self.W.weight.split([x.shape[2], self.hidden_size], dim=1)
        projected = F.linear(x, from_x, self.W.bias)
        from_h = from_h.t()
        h, c = state
        outputs = []
        for step in projected.unbind(1):
            h, c = self.update(torch.addmm(step, h, from_h), c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c)


class HandwrittenLSTM(nn.Module):
    """LSTM cells stacked, called like `torch.nn.LSTM(..., batch_first=True)`.

    Takes (batch, time, input_size) and returns (batch, time, hidden_size) with the last (h, c), each of shape
    (layers, batch, hidden_size). Begins with zeros unless a state is given.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__()
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in sizes)
        self.hidden_size = hidden_size

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run all layers over the sequence."""
        if state is None:
            zeros = x.new_zeros(len(self.cells), x.shape[0], self.hidden_size)
            state = (zeros, zeros)
        last = []
        for cell, h, c in zip(self.cells, *state, strict=True):
            assert isinstance(cell, LSTMCell)  # noqa: S101 - ModuleList forgets what it holds
            x, after = cell.scan(x, (h, c))
            last.append(after)
        return x, (torch.stack([h for h, _ in last]), torch.stack([c for _, c in last]))

    @torch.no_grad()
    def copy_from(self, lstm: nn.LSTM) -> None:
        """Take over the weights of a torch.nn.LSTM of the same sizes."""
        for layer, cell in enumerate(self.cells):
            assert isinstance(cell, LSTMCell)  # noqa: S101 - as above
            parts = {name: getattr(lstm, f"{name}_l{layer}") for name in _TORCH_NAMES}
            cell.W.weight.copy_(torch.cat([parts["weight_ih"], parts["weight_hh"]], dim=1))
            cell.W.bias.copy_(parts["bias_ih"] + parts["bias_hh"])


_TORCH_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
