"""torch's optimizers by the names that a suite gives them."""

from collections.abc import Iterable
from inspect import unwrap
from typing import TypeVar

import torch
from torch import nn
from torch.optim import Optimizer

Kind = TypeVar("Kind", bound=Optimizer)

_METHODS = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def optimizer_of(
    parameters: Iterable[nn.Parameter],
    name: str,
    learning_rate: float,
    *,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    max_iter: int = 20,
    sparse: bool = False,
) -> Optimizer:
    """Return an optimizer, in its fused form where torch has one.

    Args:
        parameters: what it changes.
        name: adam, adamw, adamax, rmsprop, sgd or lbfgs.
        learning_rate: its learning rate.
        weight_decay: L2 penalty, or decoupled decay with adamw; not for lbfgs.
        momentum: of rmsprop and sgd.
        max_iter: iterations a step of lbfgs.
        sparse: whether some gradient is sparse, which the fused form of sgd does not take.
    """
    match name:
        case "adam":
            return bare(torch.optim.Adam)(parameters, learning_rate, weight_decay=weight_decay, fused=True)
        case "adamw":
            return bare(torch.optim.AdamW)(parameters, learning_rate, weight_decay=weight_decay, fused=True)
        case "adamax":
            return bare(torch.optim.Adamax)(parameters, learning_rate, weight_decay=weight_decay)
        case "rmsprop":
            rmsprop = bare(torch.optim.RMSprop)
            return rmsprop(parameters, learning_rate, weight_decay=weight_decay, momentum=momentum)
        case "sgd":
            sgd = bare(torch.optim.SGD)
            return sgd(parameters, learning_rate, momentum, weight_decay=weight_decay, fused=not sparse)
        case "lbfgs":
            return bare(torch.optim.LBFGS)(parameters, learning_rate, max_iter)
        case _:
            raise ValueError(f"got the optimizer {name!r}")


def bare(kind: type[Kind]) -> type[Kind]:
    """Return a class of torch's optimizers without what torch puts around their methods for its compiler.

    The first call of a method that is wrapped imports the compiler, which nothing here uses: a second in each
    process. What is computed stays the same, to the bit. Not for an optimizer with `differentiable`, whose step
    keeps gradients.
    """
    methods = {name: unwrap(getattr(kind, name)) for name in _METHODS}
    return type(kind.__name__, (kind,), {**methods, "step": torch.no_grad()(unwrap(kind.step))})
