"""Is a student's layer torch.nn's network? Compared with the same weights, in float64, to 1e-10."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import permutations
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.user_class import BATCH
from reportgen.lab.user_source import UserClass
from reportgen.user_code.layers import Failed, Fault, Trial, built_layer, watched

NETWORKS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}
"""The blocks of rows of torch's weights, in their order."""
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_TERM = re.compile(r"\s*(\w+)\s*(?:\[([\w\s,]+)\])?\s*(\.T)?\s*")

Made = str | list[str]
"""What a weight is made of: an expression, or several side by side."""


def copy_weights(layer: nn.Module, network: nn.RNNBase, kind: str, mapping: Mapping[str, Made] | None) -> str:
    """Put the network's weights into the layer, and say how; Failed says why they do not fit.

    Args:
        layer: the user's.
        network: torch.nn's, of one layer.
        kind: rnn, lstm or gru.
        mapping: for each weight of the layer what it is made of; without one, a method `copy_from(network)` of the
            layer is called, or weights of torch's own names are copied.
    """
    if mapping is not None:
        _by_mapping(layer, network, kind, mapping)
        return "by the mapping"
    theirs = network.state_dict()
    if callable(method := getattr(layer, "copy_from", None)):
        method(network)
        return "by its method copy_from"
    own = {name: parameter.shape for name, parameter in layer.named_parameters()}
    if own == {name: value.shape for name, value in theirs.items()}:
        layer.load_state_dict(theirs)
        return "by their names"
    listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in own.items())
    expected = "a mapping (--weights), a method copy_from(network), or torch's own names"
    raise Failed(Fault(f"the weights {listed}", expected))


def left_over(kind: str, mapping: Mapping[str, Made]) -> list[str]:
    """Return the blocks of torch's weights that no weight of the layer is made of."""
    used = set()
    for made in mapping.values():
        for name, gates, _ in _TERM.findall(" ".join([made] if isinstance(made, str) else made)):
            used |= {(name, gate) for gate in (_letters(gates) or GATES[kind])}
    return [
        name if len(missing) == len(GATES[kind]) else f"{name}[{', '.join(missing)}]"
        for name in _NAMES
        if (missing := [gate for gate in GATES[kind] if (name, gate) not in used])
    ]


def _by_mapping(layer: nn.Module, network: nn.RNNBase, kind: str, mapping: Mapping[str, Made]) -> None:
    parameters = dict(layer.named_parameters())
    for name in mapping:
        if name not in parameters:
            near = get_close_matches(name, list(parameters), n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            expected = f"a weight of the layer: {', '.join(parameters)}"
            raise Failed(Fault(f"the unknown weight {name!r}", expected, hint, setting=name))
    if missing := [name for name in parameters if name not in mapping]:
        raise Failed(Fault(f"nothing for {', '.join(missing)}", "every weight of the layer"))
    for name, made in mapping.items():
        value = torch.cat([_value(part, network, kind, name) for part in _listed(made)], dim=-1)
        wanted = parameters[name]
        if value.shape != wanted.shape:
            got = f"{made!r} of shape {tuple(value.shape)}"
            raise Failed(Fault(got, f"the shape of {name}, {tuple(wanted.shape)}", setting=name))
        with torch.no_grad():
            wanted.copy_(value)


def _value(expression: str, network: nn.RNNBase, kind: str, weight: str) -> Tensor:
    terms = [_term(term, network, kind, weight) for term in expression.split("+")]
    if len({term.shape for term in terms}) > 1:
        shapes = " and ".join(str(tuple(term.shape)) for term in terms)
        raise Failed(Fault(f"a sum of {shapes}", "terms of one shape", setting=weight))
    return torch.stack(terms).sum(0)


def _term(term: str, network: nn.RNNBase, kind: str, weight: str) -> Tensor:
    found = _TERM.fullmatch(term)
    gates = _letters(found[2]) if found else []
    if not found or found[1] not in _NAMES or not set(gates) <= set(GATES[kind]):
        expected = f"{', '.join(_NAMES)}, with [gate, …] of {', '.join(GATES[kind])} or without, + and .T"
        raise Failed(Fault(repr(term.strip()), expected, setting=weight))
    value: Tensor = getattr(network, f"{found[1]}_l0").detach()
    if gates:
        blocks = dict(zip(GATES[kind], value.chunk(len(GATES[kind])), strict=True))
        value = torch.cat([blocks[gate] for gate in gates])
    return value.T if found[3] else value


def _letters(gates: str | None) -> list[str]:
    return [gate.strip() for gate in gates.split(",")] if gates else []


def _listed(made: Any) -> list[str]:
    return made if isinstance(made, list) else [made]


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
        mapping: what each weight of the layer is made of, see `reportgen.user_code.matching`.
    """
    match, own = Match(), UserClass.of(cell)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            network = NETWORKS[kind](input_size, hidden_size, batch_first=True).double()
            layer = built_layer(own, input_size, hidden_size, 1, arguments, []).double().eval()
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
