"""torch's optimizers, without what torch puts around their methods for the sake of its compiler.

Such a method imports the compiler, which nothing here uses and which takes a second, when it is first called. What
is computed stays the same, to the bit.
"""

from inspect import unwrap
from typing import TypeVar

import torch
from torch.optim import Optimizer

Kind = TypeVar("Kind", bound=Optimizer)

_METHODS = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def bare(kind: type[Kind]) -> type[Kind]:
    """Return a class of torch's optimizers with its methods as they are written down.

    Not for one with `differentiable`, whose step keeps gradients.
    """
    methods = {name: unwrap(getattr(kind, name)) for name in _METHODS}
    return type(kind.__name__, (kind,), {**methods, "step": torch.no_grad()(unwrap(kind.step))})
