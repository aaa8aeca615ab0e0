"""The naive form of a cell written by hand, and what it costs beside the one that was trained and torch.nn's.

The naive form calls the cell once a step and leaves the backward pass to autograd: that is how one writes it down
from the equations. It is timed once a run is trained, on copies of the network, and changes no other number.
"""

import copy
import inspect
import statistics
import textwrap
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.models.cells import Cell, HandwrittenGRU, HandwrittenLSTM, HandwrittenRNN, Stack

MOST_STEPS = 32
"""Steps that are timed of longer sequences: each is as the one before it."""

PASSES = 25
"""Passes of which the median counts; fewer if they take longer than SECONDS in all."""

SECONDS = 0.3

_SEED = 0
_THEIRS: dict[type[Stack], type[nn.RNN | nn.LSTM | nn.GRU]] = {
    HandwrittenRNN: nn.RNN,
    HandwrittenLSTM: nn.LSTM,
    HandwrittenGRU: nn.GRU,
}

Network = Callable[[Tensor], Tensor]


def measure(network: nn.Module, x: Tensor) -> dict[str, Any]:
    """Return the source of one step, and the seconds of a forward and a backward pass; nothing for other networks.

    `step_source` is the source of the cell's own step; `cell_seconds` has batch and steps, and a median for each
    form: naive, by_hand, and torch, which is None for a cell that torch.nn has not.

    Args:
        network: a trained recurrent network, which stays as it is.
        x: what enters it, (batch, time, features), of which the first MOST_STEPS steps are taken.
    """
    if not isinstance(network, Stack):
        return {}
    x = x[:, :MOST_STEPS].detach().requires_grad_()
    found = _medians(_forms(network, x), x)
    told = {"batch": len(x), "steps": x.shape[1], "torch": None, **found}
    return {"step_source": source_of_step(network), "cell_seconds": told}


def source_of_step(network: Stack) -> str:
    """Return the source of what one step of the network's cell does, without docstrings."""
    cell = type(network.cells[0])
    parts = [getattr(cell, name) for name in ("forward", "_step") if name in vars(cell)]
    sources = [inspect.getsource(part).replace(f'        """{part.__doc__}"""\n', "") for part in parts]
    return "\n".join(map(textwrap.dedent, sources)).strip()


def step_by_step(network: Stack) -> Network:
    """Return a network with these weights that calls its cells once a step: the states of the top layer."""
    cells: list[Any] = list(network.cells)

    def run(x: Tensor) -> Tensor:
        for cell in cells:
            x = _run(cell, x)
        return x

    return run


def _run(cell: Cell, x: Tensor) -> Tensor:
    state = tuple(x.new_zeros(len(x), cell.hidden_size) for _ in range(cell.states))
    outputs = []
    for step in x.unbind(1):
        state = cell(step, state)  # type: ignore[operator]  # a cell is a module, too
        outputs.append(state[0])
    return torch.stack(outputs, dim=1)


def _forms(network: Stack, x: Tensor) -> dict[str, Network]:
    ours = copy.deepcopy(network).train()
    forms = {"naive": step_by_step(ours), "by_hand": lambda x: ours(x)[0]}
    if kind := _THEIRS.get(type(network)):
        first: Any = network.cells[0]
        with torch.random.fork_rng(devices=[]):  # torch's global generator is the run's; drawn anew below
            theirs = kind(x.shape[2], first.hidden_size, len(network.cells), batch_first=True, dtype=x.dtype)
        random = torch.Generator().manual_seed(_SEED)
        with torch.no_grad():
            for weights in theirs.parameters():
                weights.uniform_(-0.1, 0.1, generator=random)
        theirs = theirs.to(x.device)
        forms["torch"] = lambda x: theirs(x)[0]
    return forms


def _medians(forms: dict[str, Network], x: Tensor) -> dict[str, float]:
    for form in forms.values():
        _seconds(form, x)
    found: dict[str, list[float]] = {name: [] for name in forms}
    while len(found["naive"]) < PASSES and sum(map(sum, found.values())) < SECONDS:
        for name, form in forms.items():  # in turn, so that all meet the same disturbances
            found[name].append(_seconds(form, x))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def _seconds(form: Network, x: Tensor) -> float:
    _wait_for(x.device)
    began = time.perf_counter()
    form(x).sum().backward()
    _wait_for(x.device)
    return time.perf_counter() - began


def _wait_for(device: torch.device) -> None:
    """Return when a GPU has done all that it was given; a CPU has nothing to wait for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
