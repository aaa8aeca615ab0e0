"""Losses by the names that a suite gives them; each keeps the examples apart."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from reportgen.lab.user_class import load_function
from reportgen.lab.user_source import UserClass

Loss = Callable[[Tensor, Tensor], Tensor]
"""Takes logits (batch, outputs) and labels (batch,); returns a loss for each example, (batch,)."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """−log p of the true class, p being the softmax of the logits."""
    return F.cross_entropy(logits, labels, reduction="none")


def mse(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error between probabilities and one-hot targets, averaged over the classes."""
    return (logits.softmax(1) - _one_hot(logits, labels)).square().mean(1)


def bce_one_hot(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of each logit with the one-hot target, averaged over the classes."""
    return F.binary_cross_entropy_with_logits(logits, _one_hot(logits, labels), reduction="none").mean(1)


def bce_logit(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of a single logit, of shape (batch, 1), that speaks for class 1."""
    return F.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype), reduction="none")


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "mse": mse,
    "bce_one_hot": bce_one_hot,
    "bce_logit": bce_logit,
}


def loss_of(name: str) -> Loss:
    """Return the loss that a suite calls `name`: one of LOSSES, or a function of the user's own."""
    if name in LOSSES:
        return LOSSES[name]
    loss: Loss = load_function(UserClass.of(name))
    return loss


def outputs_for(loss: str, classes: int) -> int:
    """Return how many logits a model needs; ValueError if the loss cannot tell so many classes apart."""
    if loss != "bce_logit":
        return classes
    if classes != 2:
        raise ValueError(f"loss: bce_logit tells two classes apart, and the data have {classes}")
    return 1


def probabilities(loss: str, logits: Tensor) -> Tensor:
    """Return what the model says of each class, (batch, classes), from logits trained with `loss`.

    With bce_one_hot each class has a probability of its own, and a row need not sum to 1.
    """
    if loss == "bce_logit":
        positive = torch.sigmoid(logits[:, 0])
        return torch.stack([1 - positive, positive], dim=1)
    return torch.sigmoid(logits) if loss == "bce_one_hot" else logits.softmax(1)


def predicted(logits: Tensor) -> Tensor:
    """Return the class that each row of logits speaks for, (batch,): the largest, or the sign of a single one."""
    return (logits[:, 0] > 0).to(torch.int64) if logits.shape[1] == 1 else logits.argmax(1)


def _one_hot(logits: Tensor, labels: Tensor) -> Tensor:
    return F.one_hot(labels, logits.shape[1]).to(logits.dtype)
