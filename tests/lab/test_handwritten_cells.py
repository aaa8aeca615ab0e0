"""RNN and GRU written out by hand are torch's; every cell's scan is the cell step by step."""

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad

from reportgen.lab.models.cells import (
    GRUCell,
    HandwrittenGRU,
    HandwrittenLSTM,
    HandwrittenRNN,
    LSTMCell,
    RNNCell,
    Stack,
)

PAIRS = [(HandwrittenRNN, nn.RNN), (HandwrittenGRU, nn.GRU)]
BATCH, TIME, INPUTS, HIDDEN = 3, 5, 4, 6


def randn(*shape: int) -> Tensor:
    """Return a leaf of float64 that gradients can be asked for."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def close(actual: Tensor, expected: Tensor) -> None:
    """Fail unless two tensors agree to 1e-10."""
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def weighed(*tensors: Tensor) -> Tensor:
    """Return one number in which every entry has a weight of its own."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    return (flat * torch.linspace(-1, 2, len(flat), dtype=flat.dtype)).sum()


def twins(ours: type[Stack], theirs: type[nn.RNNBase], layers: int) -> tuple[Stack, nn.RNNBase]:
    """Return both networks with the same weights, in float64."""
    torch.manual_seed(layers)
    network = theirs(INPUTS, HIDDEN, layers, batch_first=True).double()  # type: ignore[arg-type]
    copy = ours(INPUTS, HIDDEN, layers).double()  # type: ignore[call-arg, arg-type]
    copy.copy_from(network)
    return copy, network


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["rnn", "gru"])
def test_values_and_gradients_are_torchs(ours: type[Stack], theirs: type[nn.RNNBase], layers: int) -> None:
    """With torch's weights, outputs, last state and what flows back to input and state agree to 1e-10."""
    copy, network = twins(ours, theirs, layers)
    x, h = randn(BATCH, TIME, INPUTS), randn(layers, BATCH, HIDDEN)
    for state in (None, h):
        (outputs, last), (expected, their_last) = copy(x, state), network(x, state)
        close(outputs, expected)
        close(last, their_last)
    found = grad(weighed(*copy(x, h)), [x, h])
    for one, other in zip(found, grad(weighed(*network(x, h)), [x, h]), strict=True):
        close(one, other)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_grus_weights_have_torchs_gradients(layers: int) -> None:
    """W gathers what torch gathers in W_ih and b_ih, U what it gathers in W_hh and b_hh."""
    copy, network = twins(HandwrittenGRU, nn.GRU, layers)
    x = randn(BATCH, TIME, INPUTS)
    weighed(*copy(x)).backward()  # type: ignore[no-untyped-call]
    weighed(*network(x)).backward()  # type: ignore[no-untyped-call]
    for layer, cell in enumerate(copy.cells):
        assert isinstance(cell, GRUCell)
        for linear, name in ((cell.W, "ih"), (cell.U, "hh")):
            assert linear.weight.grad is not None
            assert linear.bias.grad is not None
            close(linear.weight.grad, getattr(network, f"weight_{name}_l{layer}").grad)
            close(linear.bias.grad, getattr(network, f"bias_{name}_l{layer}").grad)


@pytest.mark.parametrize("kind", [RNNCell, LSTMCell, GRUCell], ids=lambda kind: kind.__name__)
def test_a_scan_is_the_cell_step_by_step(kind: type[RNNCell | LSTMCell | GRUCell]) -> None:
    """Running over a sequence gives what calling the cell once a step gives."""
    torch.manual_seed(0)
    cell = kind(INPUTS, HIDDEN).double()
    x = randn(BATCH, TIME, INPUTS)
    state = tuple(randn(BATCH, HIDDEN) for _ in range(cell.states))
    scanned, last = cell.scan(x, state)
    for t in range(TIME):
        state = cell(x[:, t], state)
        close(scanned[:, t], state[0])
    for one, other in zip(last, state, strict=True):
        close(one, other)


@pytest.mark.parametrize("time", [1, 4])
@pytest.mark.parametrize("kind", [RNNCell, LSTMCell, GRUCell], ids=lambda kind: kind.__name__)
def test_the_backward_written_by_hand_is_right(kind: type[RNNCell | LSTMCell | GRUCell], time: int) -> None:
    """Finite differences give the same gradients by the input, the first state and all weights."""
    torch.manual_seed(1)
    cell = kind(2, 3).double()
    state = tuple(randn(2, 3) for _ in range(cell.states))

    def scan(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        outputs, last = cell.scan(x, others[: cell.states])
        return outputs, *last

    assert torch.autograd.gradcheck(scan, (randn(2, time, 2), *state, *cell.parameters()))


@pytest.mark.parametrize("kind", [RNNCell, LSTMCell, GRUCell], ids=lambda kind: kind.__name__)
def test_a_graph_that_is_kept_gives_its_gradients_again(kind: type[RNNCell | LSTMCell | GRUCell]) -> None:
    """Backward uses up nothing that forward left, as the probes need, and a second derivative is refused."""
    cell = kind(2, 3).double()
    x = randn(2, 4, 2)
    outputs, _ = cell.scan(x, tuple(randn(2, 3) for _ in range(cell.states)))
    (first,) = grad(weighed(outputs.square()), x, retain_graph=True)
    (again,) = grad(weighed(outputs.square()), x, create_graph=True)
    close(again, first)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        again.sum().backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", [HandwrittenRNN, HandwrittenLSTM, HandwrittenGRU], ids=lambda kind: kind.__name__)
def test_no_gradient_is_worked_out_for_one_hot_vectors(kind: type[Stack]) -> None:
    """Where the input needs none, the weights have the same gradients as where it does."""
    torch.manual_seed(2)
    network = kind(INPUTS, HIDDEN, 2).double()  # type: ignore[call-arg, arg-type]
    x = randn(BATCH, TIME, INPUTS)
    weights = list(network.parameters())
    with_x = grad(weighed(network(x)[0]), weights)
    for one, other in zip(grad(weighed(network(x.detach())[0]), weights), with_x, strict=True):
        close(one, other)


def test_one_step_of_a_gru_by_hand() -> None:
    """With gates fixed by the biases, z = 1/2 mixes the old state with tanh of the candidate in equal parts."""
    cell = GRUCell(1, 1).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.W.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))  # r, z, n
        cell.U.bias.copy_(torch.tensor([0.0, 0.0, 4.0]))
    one = torch.ones(1, 1, dtype=torch.float64)
    (h,) = cell(one, (3 * one,))
    close(h, 0.5 * torch.tanh(one + 0.5 * 4) + 0.5 * 3 * one)
