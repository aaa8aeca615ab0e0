"""Recurrences over a whole sequence, with a backward of their own; torch.nn's RNN and GRU computed by them."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

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


def backward_of(function: Literal["sigmoid", "tanh"]) -> Callable[..., Tensor]:
    """Return f(d, y, grad_input=out), the gradient through y = σ(x) or tanh(x): d ∘ y ∘ (1 − y) or d ∘ (1 − y²).

    ATen's operator makes it in one step; it has no public name, and without it public operations do.
    """
    operator = getattr(torch.ops.aten, f"{function}_backward", None)
    if operator is not None and hasattr(operator, "grad_input"):
        return operator.grad_input  # type: ignore[no-any-return]

    def backward(d: Tensor, y: Tensor, *, grad_input: Tensor) -> Tensor:
        slope = y * (1 - y) if function == "sigmoid" else 1 - y * y
        return torch.mul(d, slope, out=grad_input)

    return backward


def _in_onednn(x: Tensor, W: Tensor) -> bool:
    return (
        _onednn is not None
        and x.device.type == "cpu"
        and x.dtype == W.dtype == torch.float32
        and W.is_contiguous()  # else oneDNN is some hundred times slower
        and x.numel() // x.shape[-1] * W.numel() >= _WORTH_IT
    )


_through_sigmoid = backward_of("sigmoid")
_through_tanh = backward_of("tanh")

Gradients = tuple[Tensor | None, ...]


class RNNScan(Function):
    """h' = tanh(W x + U h + b)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
        """Return h of every step: (time, batch, hidden_size)."""
        hs, U_twice = _room(x, h), 2 * U
        for step, h, next_h in zip(linear(x, 2 * W, 2 * b), hs, hs[1:], strict=False):
            _tanh_of_half(added(step, h, U_twice), out=next_h)
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
        weights = _by_weights(ctx, 2, d_steps, x), _by_weights(ctx, 3, d_steps, hs[:-1])
        return _by_input(ctx, d_steps, W), d_h, *weights, d_steps.sum((0, 1))


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
        g_twice = torch.ones_like(b)
        g_twice.chunk(4)[2].fill_(2)
        U_twice = U * g_twice[:, None]
        gates = []
        for step, h, c, next_h, next_c, tanh_c in zip(
            linear(x, W * g_twice[:, None], b * g_twice), hs, cs, hs[1:], cs[1:], tanh_cs, strict=False
        ):
            gates.append(added(step, h, U_twice).sigmoid_())
            i, f, g, o = gates[-1].chunk(4, dim=1)
            torch.mul(f, c, out=next_c).addcmul_(i, _twice_less_one(g, out=g))
            torch.mul(o, _tanh_of_half(torch.mul(next_c, 2, out=tanh_c), out=tanh_c), out=next_h)
        ctx.save_for_backward(x, W, U, hs, cs, tanh_cs, *gates)
        return hs[1:], cs[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor, d_c: Tensor) -> Gradients:
        """Return the gradients by x, h, c, W, U and b."""
        x, W, U, hs, cs, tanh_cs, *gates = ctx.saved_tensors
        U_turned = U.t().contiguous()
        d_steps = x.new_empty(len(x), len(d_c), 4, d_c.shape[1])
        d_h, room = d_hs[-1], torch.empty_like(d_c)
        for c, tanh_c, now, d_step, d_i_f_g, d_before in _backwards(
            cs[:-1], tanh_cs, gates, d_steps, d_steps[:, :, :3], _before(d_hs)
        ):
            i, f, g, o = now.chunk(4, dim=1)
            d_i, d_f, d_g, d_o = d_step.unbind(1)
            d_c = torch.addcmul(d_c, d_h, _through_tanh(o, tanh_c, grad_input=room))
            _through_sigmoid(g, i, grad_input=d_i)
            _through_sigmoid(c, f, grad_input=d_f)
            _through_tanh(i, g, grad_input=d_g)
            d_i_f_g.mul_(d_c[:, None])
            _through_sigmoid(tanh_c, o, grad_input=d_o).mul_(d_h)
            d_c.mul_(f)
            d_h = added(d_before, d_step.flatten(1), U_turned)
        d_steps = d_steps.flatten(2)
        weights = _by_weights(ctx, 3, d_steps, x), _by_weights(ctx, 4, d_steps, hs[:-1])
        return _by_input(ctx, d_steps, W), d_h, d_c, *weights, d_steps.sum((0, 1))


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
        r_zs, ns = gates.split(parts, dim=2)
        rs, zs = r_zs.chunk(2, dim=2)
        ns.mul_(2)  # and in each step what it adds
        ns_by_h = torch.empty_like(hs[1:])
        for h, r_z, r, z, n, next_h, n_by_h in zip(hs, r_zs, rs, zs, ns, hs[1:], ns_by_h, strict=False):
            r_z_by_h, by_h = linear(h, U, v).split(parts, dim=1)
            n_by_h.copy_(by_h)
            r_z.add_(r_z_by_h).sigmoid_()
            _tanh_of_half(n.addcmul_(r, n_by_h, value=2), out=n)
            torch.lerp(n, h, z, out=next_h)
        ctx.save_for_backward(x, W, U, hs, gates, ns_by_h)
        return hs[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hs: Tensor) -> Gradients:
        """Return the gradients by x, h, W, U, b and v."""
        x, W, U, hs, gates, ns_by_h = ctx.saved_tensors
        U_turned = U.t().contiguous()
        rs, zs, ns = gates.chunk(3, dim=2)
        # what does not hang on the steps after it, for all steps at once: less to do in the loop
        d_steps = gates.new_empty(*rs.shape[:2], 3, rs.shape[2])
        d_rs, d_zs, d_ns_by_h = d_steps.unbind(2)
        d_ns = _through_tanh(1 - zs, ns, grad_input=torch.empty_like(ns_by_h))
        torch.mul(_through_sigmoid(ns_by_h, rs, grad_input=d_rs), d_ns, out=d_rs)
        _through_sigmoid(hs[:-1] - ns, zs, grad_input=d_zs)
        torch.mul(d_ns, rs, out=d_ns_by_h)
        d_h = d_hs[-1]
        for z, d_n, d_step, d_before in _backwards(zs, d_ns, d_steps, _before(d_hs)):
            d_n.mul_(d_h)
            d_step.mul_(d_h[:, None])
            d_h = added(torch.addcmul(d_before, d_h, z), d_step.flatten(1), U_turned)
        d_steps = d_steps.flatten(2)
        d_U, d_v = _by_weights(ctx, 3, d_steps, hs[:-1]), d_steps.sum((0, 1))
        d_ns_by_h.copy_(d_ns)  # d_steps are now by W x + b, and no longer by U h + v
        d_W, d_b = _by_weights(ctx, 2, d_steps, x), d_steps.sum((0, 1))
        return _by_input(ctx, d_steps, W), d_h, d_W, d_U, d_b, d_v


_MINUS_ONE = torch.tensor(-1.0)


def _tanh_of_half(x: Tensor, out: Tensor) -> Tensor:
    """Put tanh(x/2) in `out`, and spoil x."""
    return _twice_less_one(x.sigmoid_(), out)


def _twice_less_one(x: Tensor, out: Tensor) -> Tensor:
    """Put 2 x − 1 in `out`."""
    return torch.add(_MINUS_ONE, x, alpha=2, out=out)


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


def _by_weights(ctx: Any, place: int, d_steps: Tensor, met: Tensor) -> Tensor | None:
    """Return the gradient by the weights at a place among the inputs, if anybody asks: frozen ones have none."""
    return by_weights(d_steps, met) if ctx.needs_input_grad[place] else None


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
