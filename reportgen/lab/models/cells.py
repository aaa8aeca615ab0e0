"""Recurrent cells written out by hand, to be read beside their equations.

A cell called once makes one step: that is the form to read. To scan a sequence, the weights that meet the input
are applied to all steps at once, and only what needs the last state is done step by step, in `scans`, which has
derivatives of its own. Initial weights are drawn from the range that torch.nn's recurrent layers use, and weights
can be copied from those.
"""

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn

from reportgen.lab.models.scans import GRUScan, LSTMScan, RNNScan

State = tuple[Tensor, ...]
"""Tensors (batch, hidden_size); the first is the output of the step."""

TorchLayer = dict[str, Tensor]
"""weight_ih, weight_hh, bias_ih and bias_hh of one layer of torch.nn."""


class Cell(Protocol):
    """What a stack needs of a cell."""

    states: int
    """How many tensors the state has."""
    hidden_size: int

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over (batch, time, input_size); return (batch, time, hidden_size) and the last state."""

    def copy_from(self, layer: TorchLayer) -> None:
        """Take over the weights of a layer of torch.nn."""


class RNNCell(nn.Module):
    """One step of a plain recurrent network, with one linear map of the input beside the last hidden state.

        h' = tanh(W [x, h] + b)

    Source: Elman 1990. torch.nn keeps two biases whose sum is this one.
    """

    states = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Linear(input_size + hidden_size, hidden_size)
        _draw(self.parameters(), hidden_size)

    def forward(self, x: Tensor, state: State) -> State:
        """Step once: `x` (batch, input_size) and (h,), h of (batch, hidden_size), give the next (h,)."""
        return (torch.tanh(self.W(torch.cat([x, state[0]], dim=1))),)

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over (batch, time, input_size); return (batch, time, hidden_size) and the last state."""
        hs = RNNScan.apply(*_ready(x, *state, *_split(self.W, x), self.W.bias))
        return hs.transpose(0, 1), (hs[-1],)

    def copy_from(self, layer: TorchLayer) -> None:
        """Take over the weights of a layer of torch.nn.RNN."""
        _fuse(self.W, layer)


class LSTMCell(nn.Module):
    """One step of an LSTM, with one fused linear map for all four gates.

    With [x, h] the input beside the last hidden state, and gates in the order of torch.nn.LSTM:

        i, f, g, o = split(W [x, h] + b);   c' = σ(f) ∘ c + σ(i) ∘ tanh(g);   h' = σ(o) ∘ tanh(c')

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000. torch.nn
    keeps two biases whose sum is this one; so the fused map has `4 × hidden_size` parameters fewer.
    """

    states = 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Linear(input_size + hidden_size, 4 * hidden_size)
        _draw(self.parameters(), hidden_size)

    def forward(self, x: Tensor, state: State) -> State:
        """Step once: `x` (batch, input_size) and (h, c), each (batch, hidden_size), give the next (h, c)."""
        h, c = state
        i, f, g, o = self.W(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def gates(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        """Return the input, forget and output gate, each (batch, hidden_size), of the step from `state`."""
        i, f, _, o = torch.sigmoid(self.W(torch.cat([x, state[0]], dim=1))).chunk(4, dim=1)
        return i, f, o

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over (batch, time, input_size); return (batch, time, hidden_size) and the last (h, c)."""
        hs, c = LSTMScan.apply(*_ready(x, *state, *_split(self.W, x), self.W.bias))
        return hs.transpose(0, 1), (hs[-1], c)

    def copy_from(self, layer: TorchLayer) -> None:
        """Take over the weights of a layer of torch.nn.LSTM."""
        _fuse(self.W, layer)


class GRUCell(nn.Module):
    """One step of a GRU, in the form that torch.nn.GRU computes.

    The reset gate acts on the hidden state after its linear map, so that the maps of input and state stay apart:

        r = σ(W_r x + U_r h);   z = σ(W_z x + U_z h);   n = tanh(W_n x + r ∘ (U_n h));   h' = (1 − z) ∘ n + z ∘ h

    where every map has its bias. Source: Cho et al. 2014; the place of the reset gate is that of cuDNN.
    """

    states = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Linear(input_size, 3 * hidden_size)
        self.U = nn.Linear(hidden_size, 3 * hidden_size)
        _draw(self.parameters(), hidden_size)

    def forward(self, x: Tensor, state: State) -> State:
        """Step once: `x` (batch, input_size) and (h,), h of (batch, hidden_size), give the next (h,)."""
        (h,) = state
        rx, zx, nx = self.W(x).chunk(3, dim=1)
        rh, zh, nh = self.U(h).chunk(3, dim=1)
        z = torch.sigmoid(zx + zh)
        n = torch.tanh(nx + torch.sigmoid(rx + rh) * nh)
        return ((1 - z) * n + z * h,)

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over (batch, time, input_size); return (batch, time, hidden_size) and the last state."""
        weights = self.W.weight, self.U.weight, self.W.bias, self.U.bias
        hs = GRUScan.apply(*_ready(x, *state, *weights))
        return hs.transpose(0, 1), (hs[-1],)

    @torch.no_grad()
    def copy_from(self, layer: TorchLayer) -> None:
        """Take over the weights of a layer of torch.nn.GRU."""
        for linear, name in ((self.W, "ih"), (self.U, "hh")):
            linear.weight.copy_(layer[f"weight_{name}"])
            linear.bias.copy_(layer[f"bias_{name}"])


class Stack(nn.Module):
    """Cells one on top of the other, called like torch.nn's recurrent networks with batch_first=True.

    Takes (batch, time, input_size) and returns (batch, time, hidden_size) with the last state: h, or (h, c) for
    an LSTM, each of shape (layers, batch, hidden_size). Begins with zeros unless a state is given.
    """

    def __init__(self, cells: Iterable[nn.Module]) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)

    def forward(self, x: Tensor, state: Tensor | State | None = None) -> tuple[Tensor, Tensor | State]:
        """Run all layers over the sequence."""
        cells: list[Cell] = list(self.cells)  # type: ignore[arg-type]  # ModuleList forgets what it holds
        if state is None:
            zeros = x.new_zeros(len(cells), x.shape[0], cells[0].hidden_size)
            state = (zeros,) * cells[0].states
        parts = (state,) if isinstance(state, Tensor) else state
        last = []
        for cell, *own in zip(cells, *parts, strict=True):
            x, after = cell.scan(x, tuple(own))
            last.append(after)
        joined = tuple(torch.stack(layers) for layers in zip(*last, strict=True))
        return x, joined if len(joined) > 1 else joined[0]

    def copy_from(self, network: nn.RNNBase) -> None:
        """Take over the weights of torch.nn's network of the same kind and sizes."""
        for layer, cell in enumerate(self.cells):
            weights = {name: getattr(network, f"{name}_l{layer}").detach() for name in _TORCH_NAMES}
            cell.copy_from(weights)  # type: ignore[operator]  # as above


class HandwrittenRNN(Stack):
    """RNNCells, called like torch.nn.RNN."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__(RNNCell(size, hidden_size) for size in _sizes(input_size, hidden_size, num_layers))


class HandwrittenLSTM(Stack):
    """LSTMCells, called like torch.nn.LSTM."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__(LSTMCell(size, hidden_size) for size in _sizes(input_size, hidden_size, num_layers))


class HandwrittenGRU(Stack):
    """GRUCells, called like torch.nn.GRU."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__(GRUCell(size, hidden_size) for size in _sizes(input_size, hidden_size, num_layers))


_TORCH_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _sizes(input_size: int, hidden_size: int, num_layers: int) -> list[int]:
    return [input_size] + [hidden_size] * (num_layers - 1)


def _draw(parameters: Iterable[nn.Parameter], hidden_size: int) -> None:
    """Draw uniformly from ± 1/√hidden_size, as torch.nn's recurrent layers do."""
    bound = hidden_size**-0.5
    for parameter in parameters:
        nn.init.uniform_(parameter, -bound, bound)


def _ready(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return x (batch, time, …) with the time first, and the others, in autocast's number type if it is on."""
    kind = x.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
    return tuple(tensor.to(dtype) for tensor in (x.transpose(0, 1).contiguous(), *others))


def _split(fused: nn.Linear, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the parts of a fused map's weights that meet x and h."""
    for_x, for_h = fused.weight.split([x.shape[2], fused.in_features - x.shape[2]], dim=1)
    return for_x.contiguous(), for_h.contiguous()


@torch.no_grad()
def _fuse(fused: nn.Linear, layer: TorchLayer) -> None:
    fused.weight.copy_(torch.cat([layer["weight_ih"], layer["weight_hh"]], dim=1))
    fused.bias.copy_(layer["bias_ih"] + layer["bias_hh"])


class PeepholeLSTMCell(nn.Module):
    """One step of an LSTM whose gates see the cell state, with a linear layer for each map.

        i = σ(W_ix x + W_ih h + W_ic c);   f = σ(W_fx x + W_fh h + W_fc c)
        c' = f ∘ c + i ∘ tanh(W_cx x + W_ch h)
        o = σ(W_ox x + W_oh h + W_oc c');   h' = o ∘ tanh(c')

    where every map has its bias. Source: Gers, Schraudolph & Schmidhuber 2002, whose peepholes W_ic, W_fc and W_oc
    are diagonal; here each unit sees the cell states of all.
    """

    states = 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.linear_i_x = nn.Linear(input_size, hidden_size)
        self.linear_i_h = nn.Linear(hidden_size, hidden_size)
        self.linear_i_c = nn.Linear(hidden_size, hidden_size)
        self.linear_f_x = nn.Linear(input_size, hidden_size)
        self.linear_f_h = nn.Linear(hidden_size, hidden_size)
        self.linear_f_c = nn.Linear(hidden_size, hidden_size)
        self.linear_c_x = nn.Linear(input_size, hidden_size)
        self.linear_c_h = nn.Linear(hidden_size, hidden_size)
        self.linear_o_x = nn.Linear(input_size, hidden_size)
        self.linear_o_h = nn.Linear(hidden_size, hidden_size)
        self.linear_o_c = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> State:
        """Step once: `x` (batch, input_size) and (h, c), each (batch, hidden_size), give the next (h, c)."""
        *_, o, c = self._step(x, *state)
        return o * torch.tanh(c), c

    def gates(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        """Return the input, forget and output gate, each (batch, hidden_size), of the step from `state`."""
        return self._step(x, *state)[:3]

    def _step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        i = torch.sigmoid(self.linear_i_x(x) + self.linear_i_h(h) + self.linear_i_c(c))
        f = torch.sigmoid(self.linear_f_x(x) + self.linear_f_h(h) + self.linear_f_c(c))
        c = f * c + i * torch.tanh(self.linear_c_x(x) + self.linear_c_h(h))
        o = torch.sigmoid(self.linear_o_x(x) + self.linear_o_h(h) + self.linear_o_c(c))
        return i, f, o, c

    def scan(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Step over (batch, time, input_size); return (batch, time, hidden_size) and the last (h, c)."""
        from_x = torch.cat([self.linear_i_x(x), self.linear_f_x(x), self.linear_c_x(x), self.linear_o_x(x)], dim=2)
        by_h, b_h = _joined(self.linear_i_h, self.linear_f_h, self.linear_c_h, self.linear_o_h)
        by_c, b_c = _joined(self.linear_i_c, self.linear_f_c)
        h, c = state
        outputs = []
        for step in (from_x + b_h).unbind(1):
            i_f, g, o = torch.addmm(step, h, by_h).split(
                [2 * self.hidden_size, self.hidden_size, self.hidden_size], 1
            )
            i, f = torch.sigmoid(i_f + torch.addmm(b_c, c, by_c)).chunk(2, dim=1)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + self.linear_o_c(c)) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c)


def _joined(*linears: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return the weights of layers that have one input, side by side and transposed, and their biases."""
    return torch.cat([linear.weight for linear in linears]).t(), torch.cat([linear.bias for linear in linears])


class HandwrittenPeepholeLSTM(Stack):
    """PeepholeLSTMCells, called like torch.nn.LSTM."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        super().__init__(PeepholeLSTMCell(size, hidden_size) for size in sizes)
