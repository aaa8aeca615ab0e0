"""torch.nn's RNN and GRU, computed on a CPU by the scans, which are faster; weights and printout stay torch's.

torch.nn.LSTM needs no help: torch hands it over to oneDNN as a whole.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.scans import GRUScan, RNNScan

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class RNN(nn.RNN):
    """torch.nn.RNN, with its tanh."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:  # noqa: A002 - torch's own name
        """Return the states (batch, time, hidden_size) and the last one of each layer."""
        return _scan_with(self, _rnn, input) if _can_scan(self, input, hx) else super().forward(input, hx)


class GRU(nn.GRU):
    """torch.nn.GRU."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:  # noqa: A002 - torch's own name
        """Return the states (batch, time, hidden_size) and the last one of each layer."""
        return _scan_with(self, _gru, input) if _can_scan(self, input, hx) else super().forward(input, hx)


STANDS_FOR: dict[type[nn.Module], type[nn.Module]] = {RNN: nn.RNN, GRU: nn.GRU}


def _can_scan(layer: nn.RNNBase, x: Any, state: Tensor | None) -> bool:
    return (
        state is None
        and isinstance(x, Tensor)  # and not packed
        and x.device.type == "cpu"
        and x.dtype == layer.weight_ih_l0.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and x.dim() == 3
        and layer.batch_first
        and layer.bias
        and not layer.bidirectional
        and not (layer.dropout and layer.training)
    )


def _scan_with(layer: nn.RNNBase, scan: Callable[..., Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    states, last = x.transpose(0, 1).contiguous(), []
    for i in range(layer.num_layers):
        zeros = states.new_zeros(states.shape[1], layer.hidden_size)
        states = scan(states, zeros, *(getattr(layer, f"{name}_l{i}") for name in _WEIGHTS))
        last.append(states[-1])
    return states.transpose(0, 1), torch.stack(last)


def _rnn(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor, v: Tensor) -> Tensor:
    states: Tensor = RNNScan.apply(x, h, W, U, b + v)
    return states


def _gru(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor, v: Tensor) -> Tensor:
    states: Tensor = GRUScan.apply(x, h, W, U, b, v)
    return states
