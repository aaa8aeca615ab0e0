"""Optimizers without torch's compiler are torch's own."""

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reportgen.lab.training.optimizers import bare

KINDS: dict[type[torch.optim.Optimizer], dict[str, Any]] = {
    torch.optim.Adam: {"fused": True, "weight_decay": 0.1},
    torch.optim.AdamW: {"fused": True},
    torch.optim.Adamax: {},
    torch.optim.RMSprop: {"momentum": 0.5},
    torch.optim.SGD: {"fused": True, "momentum": 0.5},
    torch.optim.LBFGS: {"max_iter": 3},
}


def weights_after(kind: type[torch.optim.Optimizer], network: nn.Module, given: dict[str, Any]) -> list[Tensor]:
    """Return the weights after four steps, the last two with an optimizer that was restored."""
    network = copy.deepcopy(network)
    x = torch.linspace(-1, 1, 12).reshape(3, 4)

    def loss() -> Tensor:
        optimizer.zero_grad()
        found: Tensor = network(x).square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimizer = kind(network.parameters(), lr=0.1, **given)  # type: ignore[call-arg]
    for i in range(4):
        if i == 2:
            before = optimizer.state_dict()
            optimizer = kind(network.parameters(), lr=0.5, **given)  # type: ignore[call-arg]
            optimizer.load_state_dict(before)
        optimizer.step(loss)  # type: ignore[arg-type]
    return [weight.detach() for weight in network.parameters()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_steps_are_torchs_to_the_bit(kind: type[torch.optim.Optimizer]) -> None:
    """With a closure, a saved and a restored state, and no gradients kept of a step, the weights are equal."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    found = weights_after(bare(kind), network, KINDS[kind])
    assert all(map(torch.equal, found, weights_after(kind, network, KINDS[kind])))
    assert not any(map(torch.equal, found, network.parameters()))


def test_training_does_not_import_the_compiler() -> None:
    """An optimizer is made, steps, is saved and restored, and torch._dynamo is not there afterwards."""
    code = """
import sys
import torch
from reportgen.lab.training.optimizers import bare

layer = torch.nn.Linear(2, 1)
optimizer = bare(torch.optim.Adam)(layer.parameters(), lr=0.1, fused=True)
layer(torch.ones(3, 2)).sum().backward()
optimizer.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print(layer.weight.grad, "torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None False\n"
