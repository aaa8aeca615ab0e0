"""The gradient of an embedding, dense or sparse, with plain SGD: python benchmarks/embedding.py [--repeat 5].

Sparse gradients have rows for the words of the batch alone. Plain SGD changes no other row either, so that both
give the same training; Adam, momentum and weight decay change every row at every step, and need the dense form. A
step is that of a suite: a network over word vectors, its loss, backward, and the optimizer. Both forms take turns,
on the same batches, in one thread, of which the CPU time counts; all weights are compared at the end.
"""

import argparse
import time
from collections.abc import Iterator

import torch
from measuring import machine, median, table
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 2
RATE = 0.1
UNKNOWN_AND_PADDING = 2


def batches(words: int, batch: int, length: int, steps: int) -> list[tuple[Tensor, Tensor]]:
    """Return batches of words, (batch, length), as frequent as Zipf's law has it, and classes (batch,)."""
    random = torch.Generator().manual_seed(0)
    chances = 1 / torch.arange(1, words + 1, dtype=torch.float64)
    drawn = torch.multinomial(chances, steps * batch * length, replacement=True, generator=random) + 1
    labels = torch.randint(CLASSES, (steps, batch), generator=random)
    return list(zip(drawn.view(steps, batch, length), labels, strict=True))


class Network(nn.Module):
    """A recurrent classifier over words, as the suites train it."""

    def __init__(self, words: int, size: int, cell: str, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.input = nn.Embedding(words + UNKNOWN_AND_PADDING, size, padding_idx=0, sparse=sparse)
        kinds = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        self.recurrent = kinds[cell](size, size, batch_first=True)
        self.output = nn.Linear(size, CLASSES)

    def forward(self, words: Tensor) -> Tensor:
        """Return logits (batch, classes)."""
        return self.output(self.recurrent(self.input(words))[0][:, -1])


def optimizer_of(model: nn.Module, sparse: bool) -> torch.optim.Optimizer:
    """Return plain SGD, in its fused form where the gradients are dense; the fused form takes no others."""
    return torch.optim.SGD(model.parameters(), RATE, fused=not sparse)


def milliseconds(model: Network, optimizer: torch.optim.Optimizer, data: list[tuple[Tensor, Tensor]]) -> float:
    """Return the CPU time of a step, the mean over the batches."""
    began = time.process_time()
    for words, labels in data:
        loss = F.cross_entropy(model(words), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return (time.process_time() - began) / len(data) * 1000


def measured(cell: str, options: argparse.Namespace) -> Iterator[str]:
    """Yield the cells of a row: dense, sparse, their ratio, and whether the weights are the same to the bit."""
    data = batches(options.words, options.batch, options.length, options.steps)
    models = {sparse: Network(options.words, options.size, cell, sparse) for sparse in (False, True)}
    optimizers = {sparse: optimizer_of(model, sparse) for sparse, model in models.items()}
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(options.repeat + 1):
        for sparse, model in models.items():
            times[sparse].append(milliseconds(model, optimizers[sparse], data))
    dense, sparse_ = (median(own[1:]) for own in times.values())  # the first round warms up
    pairs = list(zip(models[False].parameters(), models[True].parameters(), strict=True))
    furthest = max(float((one - other).detach().abs().max()) for one, other in pairs)
    yield cell
    yield from (f"{dense:.2f}", f"{sparse_:.2f}", f"{dense / sparse_:.2f}")
    yield "same bits" if all(torch.equal(*pair) for pair in pairs) else f"differ by up to {furthest:.1e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--words", type=int, default=18_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [list(measured(cell, options)) for cell in ("rnn", "lstm", "gru")]
    print(machine(["torch"]))
    print(
        f"{options.words:,} words × {options.size}, batch {options.batch} of {options.length} words, plain SGD, ",
        end="",
    )
    print(f"one thread; medians of {options.repeat} × {options.steps} steps.\n")
    print(table(["cell", "dense, ms a step", "sparse, ms a step", "dense / sparse", "weights at the end"], rows))


if __name__ == "__main__":
    main()
