"""The cells' recurrences over a whole sequence, each with a backward of its own.

Left to autograd, every operation of every step would keep a node and a tensor of its own. Here forward applies the
weights that meet the input to all steps in one product, then makes a step with one product each, and keeps the
gates and the states. Backward follows the chain rule from the last step to the first, again with one product a
step, and finds the gradients of the weights and of the input with one product over all steps.

x is (time, batch, input_size), with the time first so that a step is one piece of memory; hs and cs are the states
of all steps, (time, batch, hidden_size). W meets the input, U the last state; d_x is the loss's gradient by x.
Second derivatives are not there: nothing here asks for them, and autograd refuses them.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from reportgen.lab.products import added, by_weights, linear

_through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input  # of d and y = σ(x): d ∘ y ∘ (1 − y)
_through_tanh = torch.ops.aten.tanh_backward.grad_input  # of d and y = tanh(x): d ∘ (1 − y²)

Gradients = tuple[Tensor | None, ...]


class RNNScan(Function):
    """h' = tanh(W x + U h + b)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
        """Return h of every step: (time, batch, hidden_size)."""
        hs = _room(x, h)
        for step, h, next_h in zip(linear(x, W, b), hs, hs[1:], strict=False):
            _tanh(added(step, h, U), out=next_h)
        ctx.save_for_backward(x, W, U, hs)
        return hs[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor) -> Gradients:
        """Return the gradients by x, h, W, U and b."""
        x, W, U, hs = ctx.saved_tensors
        U_turned = U.t().contiguous()
        d_steps = torch.empty_like(hs[1:])
        d_h = d_hs[-1]
        for h, d_step, d_before in _backwards(hs[1:], d_steps, _before(d_hs)):
            _through_tanh(d_h, h, grad_input=d_step)
            d_h = added(d_before, d_step, U_turned)
        return (
            _by_input(ctx, d_steps, W),
            d_h,
            by_weights(d_steps, x),
            by_weights(d_steps, hs[:-1]),
            d_steps.sum((0, 1)),
        )


class LSTMScan(Function):
    """i, f, g, o = split(W x + U h + b);   c' = σ(f) ∘ c + σ(i) ∘ tanh(g);   h' = σ(o) ∘ tanh(c')."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        W: Tensor,
        U: Tensor,
        b: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return h of every step, and the last c."""
        hs, cs, tanh_cs = _room(x, h), _room(x, c), h.new_empty(len(x), *c.shape)
        gates = []
        for step, h, c, next_h, next_c, tanh_c in zip(
            linear(x, W, b), hs, cs, hs[1:], cs[1:], tanh_cs, strict=False
        ):
            gates.append(added(step, h, U))
            i, f, g, o = gates[-1].chunk(4, dim=1)
            torch.mul(f.sigmoid_(), c, out=next_c).addcmul_(i.sigmoid_(), _tanh(g, out=g))
            torch.mul(o.sigmoid_(), _tanh(tanh_c.copy_(next_c), out=tanh_c), out=next_h)
        ctx.save_for_backward(x, W, U, hs, cs, tanh_cs, *gates)
        return hs[1:], cs[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor, d_c: Tensor) -> Gradients:
        """Return the gradients by x, h, c, W, U and b."""
        x, W, U, hs, cs, tanh_cs, *gates = ctx.saved_tensors
        U_turned = U.t().contiguous()
        d_steps = x.new_empty(len(x), *gates[0].shape)
        d_h, room = d_hs[-1], torch.empty_like(d_c)
        for c, tanh_c, now, d_step, d_before in _backwards(cs[:-1], tanh_cs, gates, d_steps, _before(d_hs)):
            i, f, g, o = now.chunk(4, dim=1)
            d_i, d_f, d_g, d_o = d_step.chunk(4, dim=1)
            d_c = d_c + _through_tanh(torch.mul(d_h, o, out=room), tanh_c, grad_input=room)
            _through_sigmoid(torch.mul(d_c, g, out=room), i, grad_input=d_i)
            _through_sigmoid(torch.mul(d_c, c, out=room), f, grad_input=d_f)
            _through_tanh(torch.mul(d_c, i, out=room), g, grad_input=d_g)
            _through_sigmoid(torch.mul(d_h, tanh_c, out=room), o, grad_input=d_o)
            d_c = d_c * f
            d_h = added(d_before, d_step, U_turned)
        weights = by_weights(d_steps, x), by_weights(d_steps, hs[:-1]), d_steps.sum((0, 1))
        return _by_input(ctx, d_steps, W), d_h, d_c, *weights


class GRUScan(Function):
    """r, z = σ(W x + b + U h + v);   n = tanh(W x + b + r ∘ (U h + v));   h' = n + z ∘ (h − n)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h: Tensor,
        W: Tensor,
        U: Tensor,
        b: Tensor,
        v: Tensor,
    ) -> Tensor:
        """Return h of every step: (time, batch, hidden_size)."""
        parts = [2 * h.shape[1], h.shape[1]]
        hs, gates = _room(x, h), linear(x, W, b)
        from_h = []
        for h, now, next_h in zip(hs, gates, hs[1:], strict=False):
            from_h.append(linear(h, U, v))
            r_z_by_h, n_by_h = from_h[-1].split(parts, dim=1)
            r_z, n = now.split(parts, dim=1)
            r, z = r_z.add_(r_z_by_h).sigmoid_().chunk(2, dim=1)
            _tanh(n.addcmul_(r, n_by_h), out=n)
            torch.lerp(n, h, z, out=next_h)
        ctx.save_for_backward(x, W, U, hs, gates, *from_h)
        return hs[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor) -> Gradients:
        """Return the gradients by x, h, W, U, b and v."""
        x, W, U, hs, gates, *from_h = ctx.saved_tensors
        U_turned = U.t().contiguous()
        d_steps, d_ns = torch.empty_like(gates), torch.empty_like(hs[1:])
        d_h, room = d_hs[-1], torch.empty_like(d_hs[-1])
        for h, now, by_h, d_step, d_n, d_before in _backwards(
            hs[:-1], gates, from_h, d_steps, d_ns, _before(d_hs)
        ):
            r, z, n = now.chunk(3, dim=1)
            d_r, d_z, d_n_by_h = d_step.chunk(3, dim=1)
            _through_sigmoid(torch.sub(h, n, out=room).mul_(d_h), z, grad_input=d_z)
            kept = d_h * z
            _through_tanh(torch.sub(d_h, kept, out=room), n, grad_input=d_n)
            _through_sigmoid(torch.mul(d_n, by_h.chunk(3, dim=1)[2], out=room), r, grad_input=d_r)
            torch.mul(d_n, r, out=d_n_by_h)
            d_h = added(kept.add_(d_before), d_step, U_turned)
        d_U, d_v = by_weights(d_steps, hs[:-1]), d_steps.sum((0, 1))
        d_steps.chunk(3, dim=2)[2].copy_(d_ns)  # now by W x + b, and no longer by U h + v
        return _by_input(ctx, d_steps, W), d_h, by_weights(d_steps, x), d_U, d_steps.sum((0, 1)), d_v


def _tanh(x: Tensor, out: Tensor) -> Tensor:
    """Put tanh(x) = 2 σ(2x) − 1 in `out`, and spoil x: torch computes σ some ten times faster than tanh."""
    return torch.sub(x.mul_(2).sigmoid_().mul_(2), 1, out=out)


def _room(x: Tensor, first: Tensor) -> Tensor:
    """Return room for the states of all steps, with the first one filled in."""
    states = first.new_empty(len(x) + 1, *first.shape)
    states[0] = first
    return states


def _before(d_hs: Tensor) -> list[Tensor]:
    """Return, for each step, the loss's gradient by the state before it; no loss is of the first one given."""
    return [torch.zeros_like(d_hs[0]), *d_hs[:-1]]


def _backwards(*arrays: Tensor | list[Tensor]) -> "zip[tuple[Tensor, ...]]":
    """Yield a step of each array (time, …) at a time, the last one first."""
    steps = (array.unbind() if isinstance(array, Tensor) else array for array in arrays)
    return zip(*(reversed(own) for own in steps), strict=True)


def _by_input(ctx: Any, d_steps: Tensor, W: Tensor) -> Tensor | None:
    """Return the gradient by x, if anybody asks: one-hot vectors have none."""
    return linear(d_steps, W.t().contiguous()) if ctx.needs_input_grad[0] else None
