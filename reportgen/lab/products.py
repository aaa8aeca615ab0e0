"""Matrix products of the scans: those of oneDNN where it is faster than what torch takes by itself.

On a CPU torch's `mm` calls MKL for 32-bit numbers, which on processors not made by Intel reaches little more than
half of what oneDNN does. torch has oneDNN's as an operation for its compiler, without a public name, so all of
this works without it, too. Its call costs some 10 µs more: small products do without.
"""

import torch
from torch import Tensor

_WORTH_IT = 1_000_000
"""Multiplications from which on oneDNN wins: measured on an AMD EPYC, for 16 to 512 rows and 51 to 256 columns."""

_onednn = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None


def linear(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
    """Return x Wᵀ + b, (…, out), of x (…, in), W (out, in) and b (out,)."""
    if _in_onednn(x, W):
        return _onednn(x, W, b, "none", [], "")  # type: ignore[misc, no-any-return]
    return torch.nn.functional.linear(x, W, b)


def added(start: Tensor, x: Tensor, W: Tensor) -> Tensor:
    """Return start + x Wᵀ, (rows, out), of x (rows, in) and W (out, in)."""
    if _in_onednn(x, W):
        return _onednn.binary(x, start, W, None, "add")  # type: ignore[union-attr, no-any-return]
    return torch.addmm(start, x, W.t())


def by_weights(d: Tensor, met: Tensor) -> Tensor:
    """Return the gradient of weights, (out, in): the sum, over all rows, of d (…, out) ⊗ met (…, in)."""
    d, met = d.flatten(0, -2), met.flatten(0, -2)
    if not _in_onednn(d, met):
        return d.t() @ met
    if d.shape[1] > met.shape[1]:  # oneDNN copies the first one: let that be the smaller
        return _onednn(met.t(), d.t(), None, "none", [], "").t()  # type: ignore[misc, no-any-return]
    return _onednn(d.t(), met.t(), None, "none", [], "")  # type: ignore[misc, no-any-return]


def _in_onednn(x: Tensor, W: Tensor) -> bool:
    return (
        _onednn is not None
        and x.device.type == "cpu"
        and x.dtype == W.dtype == torch.float32
        and W.is_contiguous()  # else oneDNN is some hundred times slower
        and x.numel() // x.shape[-1] * W.numel() >= _WORTH_IT
    )
