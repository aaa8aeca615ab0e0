"""torch.nn's RNN and GRU, computed on a CPU by scans, which are faster; weights and printout stay torch's.

The LSTM needs no help: torch hands it over to oneDNN as a whole.
"""

from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.scans import GRUScan, RNNScan

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class _Scanned(nn.RNNBase):
    """A recurrent network of torch.nn's that is scanned where that gives the same."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:  # noqa: A002 - torch's own name
        """Return the states (batch, time, hidden_size) and the last one of each layer."""
        if hx is not None or not self._can_scan(input):
            found: tuple[Any, Tensor] = super().forward(input, hx)
            return found
        states, last = input.transpose(0, 1).contiguous(), []
        for layer in range(self.num_layers):
            zeros = states.new_zeros(states.shape[1], self.hidden_size)
            *maps, b, v = (getattr(self, f"{name}_l{layer}") for name in _WEIGHTS)
            if self.mode == "GRU":
                states = GRUScan.apply(states, zeros, *maps, b, v)
            else:
                states = RNNScan.apply(states, zeros, *maps, b + v)
            last.append(states[-1])
        return states.transpose(0, 1), torch.stack(last)

    def _can_scan(self, x: Any) -> bool:
        return (
            isinstance(x, Tensor)  # and not packed
            and x.device.type == "cpu"
            and x.dtype == self.weight_ih_l0.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and x.dim() == 3
            and self.batch_first
            and self.bias
            and self.mode != "RNN_RELU"
            and not self.bidirectional
            and not (self.dropout and self.training)
        )


class RNN(_Scanned, nn.RNN):
    """torch.nn.RNN."""


class GRU(_Scanned, nn.GRU):
    """torch.nn.GRU."""


STANDS_FOR: dict[type[nn.Module], type[nn.Module]] = {RNN: nn.RNN, GRU: nn.GRU}
