"""Gradients: clipped by their norm or by value, and their norm for the log."""

from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.training.settings import AnyTrainingSettings


class Gradients:
    """Clips the gradients of a model, and averages their norm between two rows of the log where asked to."""

    def __init__(self, model: nn.Module, settings: AnyTrainingSettings) -> None:
        self._parameters = list(model.parameters())
        self._norm, self._value = settings.gradient_clip, settings.gradient_clip_value
        self._is_logged = settings.log_gradient_norm
        self._sum: Tensor | float = 0.0  # a tensor stays on the device, since reading waits for it
        self._count = 0

    def clip(self) -> None:
        """Clip the gradients; what is logged is their norm before that."""
        norm = _norm(self._parameters) if self._is_logged else 0.0
        if self._norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._norm)
        if self._value is not None:
            nn.utils.clip_grad_value_(self._parameters, self._value)
        if self._is_logged:
            self._sum, self._count = self._sum + norm, self._count + 1

    def logged(self) -> dict[str, float]:
        """Return the mean norm since the last row of the log as its column; nothing where it is not logged."""
        if not self._is_logged:
            return {}
        mean = float(self._sum) / self._count
        self._sum, self._count = 0.0, 0
        return {"gradient_norm": mean}

    def state(self) -> dict[str, Any]:
        """Return the sum and the count since the last row, for a checkpoint."""
        return {"sum": float(self._sum), "count": self._count}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self._sum, self._count = state["sum"], state["count"]


def _norm(parameters: list[nn.Parameter]) -> Tensor:
    """Return the Euclidean norm of all gradients together, as torch.nn.utils.clip_grad_norm_ has it."""
    norms = [torch.linalg.vector_norm(p.grad) for p in parameters if p.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm.double()
