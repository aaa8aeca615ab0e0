"""Two networks for names, letter by letter, written out by hand: every linear map is a layer of its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab.cells import Stack, State


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
