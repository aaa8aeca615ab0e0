"""Batches of sequences of about the same length, so that little of a batch is padding."""

from collections.abc import Iterator

import torch
from torch import Tensor

_BATCHES_A_POOL = 32


def shuffled(lengths: Tensor, batch_size: int, random: torch.Generator) -> Iterator[Tensor]:
    """Yield every index of `lengths` (examples,) once, in batches of `batch_size`, in random order.

    The examples are shuffled, dealt into pools, and sorted by length only within a pool; the batches then
    come in random order. So a batch holds sequences of nearly one length, and no two epochs the same ones.
    """
    order = torch.randperm(len(lengths), generator=random)
    batches: list[Tensor] = []
    for pool in order.split(batch_size * _BATCHES_A_POOL):
        batches += pool[lengths[pool].argsort(stable=True)].split(batch_size)
    for i in torch.randperm(len(batches), generator=random).tolist():
        yield batches[i]


def in_order_of_length(lengths: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Yield every index of `lengths` (examples,) once, shortest sequences first."""
    yield from lengths.argsort(stable=True).split(batch_size)
