"""A careful hand's loop: batches of one length, tensors made once, fused Adam, two processes of one thread each.

The processes are forked, so that torch is imported once.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import torch
from model import Classifier
from task import BATCH, CELLS, EPOCHS, RATE, Part, Task, given
from torch import Tensor, nn

POOL = 32 * BATCH


def tensors(part: Part) -> tuple[Tensor, Tensor, Tensor]:
    """Return the part as tensors."""
    inputs, lengths, labels = map(torch.from_numpy, part)
    return inputs, lengths, labels


def batches(lengths: Tensor) -> list[Tensor]:
    """Return the examples in batches of about the same length, in random order."""
    found: list[Tensor] = []
    for pool in torch.randperm(len(lengths)).split(POOL):
        found += pool[lengths[pool].argsort()].split(BATCH)
    return [found[i] for i in torch.randperm(len(found)).tolist()]


@torch.no_grad()
def accuracy(model: nn.Module, part: tuple[Tensor, Tensor, Tensor]) -> float:
    """Return the share that the model gets right, and work out its loss on the way."""
    model.eval()
    inputs, lengths, labels = part
    right, loss_sum = torch.zeros(()), torch.zeros(())
    for batch in lengths.argsort().split(1024):
        logits = model(inputs[batch, : int(lengths[batch].max())], lengths[batch])
        loss_sum += nn.functional.cross_entropy(logits, labels[batch], reduction="sum")
        right += (logits.argmax(1) == labels[batch]).sum()
    return float(right) / len(labels)


def trained(run: tuple[str, int], task: Task) -> float:
    """Train one model; return its accuracy."""
    cell, seed = run
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    (inputs, lengths, labels), test = tensors(task.train), tensors(task.test)
    model = Classifier(cell, task.symbols)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    right = 0.0
    for _ in range(EPOCHS):
        model.train()
        for batch in batches(lengths):
            logits = model(inputs[batch, : int(lengths[batch].max())], lengths[batch])
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(logits, labels[batch]).backward()
            optimizer.step()
        right = accuracy(model, test)
    return right


def main() -> None:
    """Train every cell with every seed, the slow cells first."""
    task = given()
    runs = [(cell, seed) for cell in reversed(CELLS) for seed in task.seeds]
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as processes:
        found = processes.map(partial(trained, task=task), runs)
        task.finish({f"{cell}/{seed}": right for (cell, seed), right in zip(runs, found, strict=True)})


if __name__ == "__main__":
    main()
