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
from torch.nn import functional as F

_through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input  # of d and y = σ(x): d ∘ y ∘ (1 − y)
_through_tanh = torch.ops.aten.tanh_backward.grad_input  # of d and y = tanh(x): d ∘ (1 − y²)

Gradients = tuple[Tensor | None, ...]


class RNNScan(Function):
    """h' = tanh(W x + U h + b)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
        """Return h of every step, the first one given among them: (time + 1, batch, hidden_size)."""
        hs = _room(x, h)
        for step, before, after in zip(F.linear(x, W, b), hs, hs[1:], strict=False):
            _tanh_(torch.addmm(step, before, U.t(), out=after))
        ctx.save_for_backward(x, W, U, hs)
        return hs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor) -> Gradients:
        """Return the gradients by x, h, W, U and b."""
        x, W, U, hs = ctx.saved_tensors
        d_steps = torch.empty_like(hs[1:])
        d_h = d_hs[-1]
        for h, d_step, d_before in _backwards(hs[1:], d_steps, d_hs[:-1]):
            _through_tanh(d_h, h, grad_input=d_step)
            d_h = torch.addmm(d_before, d_step, U)
        return (
            _by_input(ctx, d_steps, W),
            d_h,
            _product(d_steps, x),
            _product(d_steps, hs[:-1]),
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
        """Return h of every step, the first one given among them, and the last c."""
        hs, cs, gates = _room(x, h), _room(x, c), F.linear(x, W, b)
        for h, c, now, next_h, next_c in zip(hs, cs, gates, hs[1:], cs[1:], strict=False):
            i, f, g, o = now.addmm_(h, U.t()).chunk(4, dim=1)
            torch.mul(f.sigmoid_(), c, out=next_c).addcmul_(i.sigmoid_(), _tanh_(g))
            torch.mul(o.sigmoid_(), _tanh_(next_c.clone()), out=next_h)
        ctx.save_for_backward(x, W, U, hs, cs, gates)
        return hs, cs[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor, d_c: Tensor) -> Gradients:
        """Return the gradients by x, h, c, W, U and b."""
        x, W, U, hs, cs, gates = ctx.saved_tensors
        d_steps = torch.empty_like(gates)
        d_h, room = d_hs[-1], torch.empty_like(d_c)
        for c, next_c, now, d_step, d_before in _backwards(cs[:-1], cs[1:], gates, d_steps, d_hs[:-1]):
            i, f, g, o = now.chunk(4, dim=1)
            d_i, d_f, d_g, d_o = d_step.chunk(4, dim=1)
            tanh_c = _tanh_(next_c.clone())
            d_c = d_c + _through_tanh(d_h * o, tanh_c, grad_input=room)
            _through_sigmoid(d_c * g, i, grad_input=d_i)
            _through_sigmoid(d_c * c, f, grad_input=d_f)
            _through_tanh(d_c * i, g, grad_input=d_g)
            _through_sigmoid(d_h * tanh_c, o, grad_input=d_o)
            d_c = d_c * f
            d_h = torch.addmm(d_before, d_step, U)
        by_weights = _product(d_steps, x), _product(d_steps, hs[:-1]), d_steps.sum((0, 1))
        return _by_input(ctx, d_steps, W), d_h, d_c, *by_weights


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
        """Return h of every step, the first one given among them: (time + 1, batch, hidden_size)."""
        size = h.shape[1]
        hs, gates = _room(x, h), F.linear(x, W, b)
        from_h = torch.empty_like(hs[1:])  # what r lets through
        for h, now, kept, next_h in zip(hs, gates, from_h, hs[1:], strict=False):
            r_z, n = now.split([2 * size, size], dim=1)
            r_z_by_h, n_by_h = torch.addmm(v, h, U.t()).split([2 * size, size], dim=1)
            r, z = r_z.add_(r_z_by_h).sigmoid_().chunk(2, dim=1)
            _tanh_(n.addcmul_(r, kept.copy_(n_by_h)))
            torch.lerp(n, h, z, out=next_h)
        ctx.save_for_backward(x, W, U, hs, gates, from_h)
        return hs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor) -> Gradients:
        """Return the gradients by x, h, W, U, b and v."""
        x, W, U, hs, gates, from_h = ctx.saved_tensors
        size = hs.shape[2]
        d_steps, d_from_h = torch.empty_like(gates), torch.empty_like(gates)  # by W x + b, and by U h + v
        d_h = d_hs[-1]
        for h, now, kept, d_x, d_u, d_before in _backwards(hs[:-1], gates, from_h, d_steps, d_from_h, d_hs[:-1]):
            r, z, n = now.chunk(3, dim=1)
            d_r, d_z, d_n = d_x.chunk(3, dim=1)
            _through_sigmoid(d_h * (h - n), z, grad_input=d_z)
            _through_tanh(d_h - d_h * z, n, grad_input=d_n)
            _through_sigmoid(d_n * kept, r, grad_input=d_r)
            d_u.copy_(d_x)
            d_u[:, 2 * size :] *= r
            d_h = torch.addcmul(d_before, d_h, z).addmm_(d_u, U)
        by_weights = _product(d_steps, x), _product(d_from_h, hs[:-1])
        by_biases = d_steps.sum((0, 1)), d_from_h.sum((0, 1))
        return _by_input(ctx, d_steps, W), d_h, *by_weights, *by_biases


def _tanh_(x: Tensor) -> Tensor:
    """Put tanh(x) = 2 σ(2x) − 1 in the place of x: torch computes σ some ten times faster than tanh."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def _room(x: Tensor, first: Tensor) -> Tensor:
    """Return room for the states of all steps, with the first one filled in."""
    states = first.new_empty(len(x) + 1, *first.shape)
    states[0] = first
    return states


def _backwards(*arrays: Tensor) -> "zip[tuple[Tensor, ...]]":
    return zip(*(reversed(array.unbind()) for array in arrays), strict=True)


def _product(d_steps: Tensor, met: Tensor) -> Tensor:
    """Return the gradient of weights: the sum, over steps and batch, of d_steps ⊗ what the weights met."""
    return d_steps.flatten(0, 1).t() @ met.flatten(0, 1)


def _by_input(ctx: Any, d_steps: Tensor, W: Tensor) -> Tensor | None:
    """Return the gradient by x, if anybody asks: one-hot vectors have none."""
    return d_steps @ W if ctx.needs_input_grad[0] else None
