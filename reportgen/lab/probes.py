"""What a trained network does with time: how far back it reaches, and what its gates let through.

Measured once, after training, for every network that has one of the known cells: it takes less than an epoch and
changes no number, so that a suite need not ask for it before it trains.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reportgen.lab.models.cells import HandwrittenLSTM, HandwrittenPeepholeLSTM, LSTMCell, PeepholeLSTMCell, State

SEQUENCES = 64
"""The longest sequences of the test part, that the gradients are averaged over."""
DIRECTIONS = 16
"""Directions of the last state that each Jacobian is seen from."""
Arrays = dict[str, NDArray[np.generic]]


def measure_network(network: nn.Module, x: Tensor) -> Arrays:
    """Probe a trained recurrent network on sequences (batch, time, features) of one length.

    Returns the arrays of `measure`; the gates are those over the first sequence.
    """
    lengths = torch.full((len(x),), x.shape[1], device=x.device)
    with _frozen(network):
        norms, counts = gradient_norms(lambda inputs: network(inputs)[0], x, lengths)
    gates = gates_over(network, x[:1].detach())
    arrays: Arrays = {"gradient_norm": norms, "gradient_count": counts}
    return arrays if gates is None else {**arrays, "gates": gates}


def gradient_norms(
    states: Callable[[Tensor], Tensor], x: Tensor, lengths: Tensor, *, directions: int = DIRECTIONS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return how much the last state hangs on the input k steps before it, for k = 0, 1, …

    Entry k is the Frobenius norm of ∂h_T / ∂x_(T−k), averaged over the sequences that are longer than k, with h_T
    the state of the top layer at the last symbol (of the forward direction) and x the vectors that enter the
    network; the second array says how many sequences those are. Beyond k = 0 it is a product of k Jacobians, which
    shrinks or grows with k: Pascanu et al. 2013.

    The norm is estimated: for Q of `directions` orthonormal columns drawn at random, for each sequence others,
    hidden_size / directions · ‖Qᵀ J‖² is right on average, and exact with as many directions as units.

    Args:
        states: takes inputs (batch, time, features), and returns the states (batch, time, hidden_size).
        x: those inputs.
        lengths: (batch,), how many steps of each count.
        directions: how many directions to look from.
    """
    x = x.detach().requires_grad_()
    rows = torch.arange(len(x), device=x.device)
    with torch.backends.cudnn.flags(enabled=False):  # cuDNN has no backward in evaluation
        last = states(x)[rows, lengths - 1]
        hidden_size = last.shape[1]
        squares = torch.zeros(x.shape[:2], dtype=torch.float64, device=x.device)
        for direction in _orthonormal(len(x), hidden_size, directions).to(last).unbind(2):
            # not with `direction` as a third argument: for that torch imports SymPy, half a second
            (slope,) = torch.autograd.grad((last * direction).sum(), x, retain_graph=True)
            squares += slope.double().square().sum(2)
    norms = (squares * hidden_size / min(directions, hidden_size)).sqrt()
    return _by_distance(norms.cpu().numpy(), lengths.cpu().numpy())


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Ask for no gradients by the weights, which nobody would read."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_()


def _orthonormal(batch: int, size: int, columns: int) -> Tensor:
    """Return (batch, size, columns), columns orthonormal, at most `size` of them; the same at every call."""
    random = torch.Generator().manual_seed(0)
    drawn = torch.randn(batch, size, min(columns, size), generator=random, dtype=torch.float64)
    directions: Tensor = torch.linalg.qr(drawn).Q
    return directions


def _by_distance(
    norms: NDArray[np.float64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average (batch, time) over the sequences by the distance from each one's last symbol."""
    distances = lengths[:, None] - 1 - np.arange(norms.shape[1])
    counts = np.bincount(distances[distances >= 0])
    return np.bincount(distances[distances >= 0], norms[distances >= 0]) / counts, counts


@torch.no_grad()
def gates_over(network: nn.Module | None, x: Tensor) -> NDArray[np.float64] | None:
    """Return the mean activation of an LSTM's gates over a sequence (1, time, features); None for other networks.

    The result has shape (layers, 3, time): input, forget and output gate, each averaged over the layer's units.
    An LSTM that reads both ways has none, either.
    """
    if isinstance(network, nn.LSTM) and not network.bidirectional:
        with torch.random.fork_rng(devices=[]):  # torch's global generator is the run's
            copied = HandwrittenLSTM(network.input_size, network.hidden_size, network.num_layers).to(x)
        copied.copy_from(network)
        network = copied
    if not isinstance(network, HandwrittenLSTM | HandwrittenPeepholeLSTM):
        return None
    found = []
    for cell in network.cells:
        assert isinstance(cell, LSTMCell | PeepholeLSTMCell)  # noqa: S101 - ModuleList forgets what it holds
        gates, x = _through(cell, x)
        found.append(gates)
    return torch.stack(found).double().cpu().numpy()


def _through(cell: LSTMCell | PeepholeLSTMCell, x: Tensor) -> tuple[Tensor, Tensor]:
    """Step over (1, time, features); return the gates' means (3, time) and the outputs (1, time, hidden_size)."""
    state: State = (x.new_zeros(1, cell.hidden_size),) * 2
    means, outputs = [], []
    for step in x.unbind(1):
        means.append(torch.stack([gate.mean() for gate in cell.gates(step, state)]))
        state = cell(step, state)
        outputs.append(state[0])
    return torch.stack(means, dim=1), torch.stack(outputs, dim=1)
