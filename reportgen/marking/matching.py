"""Is a layer of the user's own torch.nn's network? Told with the same weights, in float64, to 1e-10."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.own import OwnClass
from reportgen.marking.trial import BATCH, Failed, Trial, made, watched
from reportgen.marking.weights import GATES, NETWORKS, Made, copy_weights, left_over

STEPS = 7
TOLERANCE = 1e-10
_SEED = 1


@dataclass(frozen=True)
class Difference:
    """How far two tensors are apart."""

    what: str
    largest: float
    wrong: bool
    """Whether that is more than the tolerance, or NaN."""
    first_step: int | None
    """The first step, counted from 1, at which they differ; None where they do not, or have no steps."""


@dataclass
class Match:
    """What came of a comparison with torch.nn's network."""

    trial: Trial = field(default_factory=Trial)
    """What was looked at before, and the fault that ended it, if there is one."""
    differences: list[Difference] = field(default_factory=list)
    exchanged: str = ""
    """Which gates have to change places to make it right, where that helps: `i, f, g, o as f, i, g, o`."""

    @property
    def right(self) -> bool:
        """Tell whether the layer is torch's network."""
        return self.trial.fault is None and not any(found.wrong for found in self.differences)


def compare(
    cell: str,
    kind: str,
    input_size: int,
    hidden_size: int,
    *,
    arguments: Mapping[str, Any] | None = None,
    mapping: Mapping[str, Made] | None = None,
) -> Match:
    """Compare a class of the user's own with torch.nn's network of the same sizes and weights.

    Args:
        cell: the class, `my_models.py:MyLSTM`, with the path of its file.
        kind: rnn, lstm or gru.
        input_size: features of a step.
        hidden_size: size of the states.
        arguments: further arguments of the class.
        mapping: what each weight of the layer is made of, see `reportgen.marking.weights`.
    """
    match, own = Match(), OwnClass.of(cell)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            network = NETWORKS[kind](input_size, hidden_size, batch_first=True).double()
            layer = made(own, input_size, hidden_size, 1, arguments, []).double().eval()
            with watched(own, f"the weights of torch.nn.{kind.upper()} to fit"):
                how = copy_weights(layer, network, kind, mapping)
            match.trial.passed.append(f"the weights of torch.nn.{kind.upper()} were put in, {how}")
            if mapping is not None and (rest := left_over(kind, mapping)):
                match.trial.notes.append(f"the mapping leaves out {', '.join(rest)}, which are not zero")
            x = torch.randn(BATCH, STEPS, input_size, dtype=torch.float64)
            with watched(own, "states in float64: x.new_zeros(…) has the type of x"):
                ours = _run(layer, x)
            match.differences = _differences(ours, _run(network, x))
            if not match.right:
                with watched(own, ""):
                    match.exchanged = _exchanged(layer, network, kind, mapping, x)
    except Failed as failed:
        match.trial.fault = failed.fault
    return match


def _run(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return states, last states where they can be told, and the gradient of the input; each (batch, time, …)."""
    x = x.clone().requires_grad_()
    states, last = network(x)
    weights = torch.linspace(-1, 2, states.numel(), dtype=states.dtype).reshape(states.shape)
    (gradient,) = torch.autograd.grad((states * weights).sum(), x)
    found = {"states": states.detach(), "gradient of the input": gradient}
    parts = last if isinstance(last, tuple) else (last,)
    for name, part in zip(("last h", "last c"), parts, strict=False):
        if isinstance(part, Tensor) and part.numel() == len(x) * states.shape[2]:
            found[name] = part.detach().reshape(len(x), 1, -1)
    return found


def _differences(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> list[Difference]:
    found = []
    for what in (name for name in theirs if name in ours):
        apart = (ours[what] - theirs[what]).abs().amax(dim=(0, 2))
        steps = (~(apart <= TOLERANCE)).nonzero()[:, 0].tolist()  # NaN is a difference
        by_step = not what.startswith("last")
        found.append(
            Difference(what, float(apart.max()), bool(steps), steps[0] + 1 if steps and by_step else None)
        )
    return found


def _exchanged(
    layer: nn.Module, network: nn.RNNBase, kind: str, mapping: Mapping[str, Made] | None, x: Tensor
) -> str:
    """Find the order of torch's gates with which the layer is right after all."""
    wanted = _run(network, x)["states"]
    size = network.hidden_size
    for order in permutations(range(len(GATES[kind]))):
        mixed = NETWORKS[kind](network.input_size, size, batch_first=True).double()
        for own, other in zip(mixed.parameters(), network.parameters(), strict=True):
            blocks = other.detach().split(size)
            own.data = torch.cat([blocks[i] for i in order])
        copy_weights(layer, mixed, kind, mapping)
        if torch.allclose(_run(layer, x)["states"], wanted, rtol=0, atol=TOLERANCE):
            return f"{', '.join(GATES[kind])} as {', '.join(GATES[kind][i] for i in order)}"
    return ""
