"""torch.nn's GRU, computed on a CPU by a scan, which is faster; weights and printout stay torch's.

The other two need no help: torch hands its LSTM over to oneDNN as a whole, and its RNN is as fast as the scan.
"""

from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.scans import GRUScan

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class GRU(nn.GRU):
    """torch.nn.GRU."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:  # noqa: A002 - torch's own name
        """Return the states (batch, time, hidden_size) and the last one of each layer."""
        return self._scan(input) if hx is None and self._can_scan(input) else super().forward(input, hx)

    def _can_scan(self, x: Any) -> bool:
        return (
            isinstance(x, Tensor)  # and not packed
            and x.device.type == "cpu"
            and x.dtype == self.weight_ih_l0.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and x.dim() == 3
            and self.batch_first
            and self.bias
            and not self.bidirectional
            and not (self.dropout and self.training)
        )

    def _scan(self, x: Tensor) -> tuple[Tensor, Tensor]:
        states, last = x.transpose(0, 1).contiguous(), []
        for layer in range(self.num_layers):
            zeros = states.new_zeros(states.shape[1], self.hidden_size)
            weights = (getattr(self, f"{name}_l{layer}") for name in _WEIGHTS)
            states = GRUScan.apply(states, zeros, *weights)
            last.append(states[-1])
        return states.transpose(0, 1), torch.stack(last)


STANDS_FOR: dict[type[nn.Module], type[nn.Module]] = {GRU: nn.GRU}
