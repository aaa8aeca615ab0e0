"""The weights of torch.nn's network put into a layer of the user's own: by a mapping, a method, or equal names.

A mapping gives for each weight of the layer what it is made of: `weight_ih[i]` is the block of rows of gate i,
`weight_ih[i, f, o, g]` several blocks one below the other, `a + b` a sum, `a.T` is a transposed, and a list
stands side by side: `[weight_ih, weight_hh]`.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.marking.trial import Failed, Fault

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
