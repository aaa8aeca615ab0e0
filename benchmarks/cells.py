"""What the cells written by hand cost beside torch.nn's: forward and backward over one batch, on one thread.

    python benchmarks/cells.py [--repeat 9] [--batch 200] [--time 64] [--size 64]

Three forms of each cell: the naive one, which calls the cell once a step and leaves the rest to autograd; the one
that suites train (`reportgen.lab.models.scans`); and torch.nn. They take turns, and each figure is a median.
"""

import argparse
import time

import torch
from measuring import machine, median, table
from torch import Tensor, nn

from reportgen.lab.models.cells import HandwrittenGRU, HandwrittenLSTM, HandwrittenRNN, Stack
from reportgen.lab.models.naive import Network, step_by_step

PAIRS: dict[str, tuple[type[Stack], type[nn.RNNBase]]] = {
    "RNN": (HandwrittenRNN, nn.RNN),
    "LSTM": (HandwrittenLSTM, nn.LSTM),
    "GRU": (HandwrittenGRU, nn.GRU),
}


def forms(name: str, size: int) -> dict[str, Network]:
    """Return the three forms of a cell, with the same weights."""
    by_hand, by_torch = PAIRS[name]
    theirs = by_torch(size, size, batch_first=True)
    ours = by_hand(size, size)
    ours.copy_from(theirs)
    return {
        "naive": step_by_step(ours),
        "by hand": lambda x: ours(x)[0],
        "torch.nn": lambda x: theirs(x)[0],
    }


def milliseconds(network: Network, x: Tensor) -> float:
    """Return the time of a forward and a backward."""
    began = time.perf_counter()
    network(x).sum().backward()
    return (time.perf_counter() - began) * 1000


def measured(name: str, x: Tensor, repeat: int) -> dict[str, float]:
    """Return the median time of each form, in milliseconds."""
    networks = forms(name, x.shape[2])
    for network in networks.values():
        milliseconds(network, x)
    times: dict[str, list[float]] = {form: [] for form in networks}
    for _ in range(repeat):
        for form, network in networks.items():
            times[form].append(milliseconds(network, x))
    return {form: median(found) for form, found in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--time", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x = torch.randn(options.batch, options.time, options.size, requires_grad=True)
    rows = []
    for name in PAIRS:
        found = measured(name, x, options.repeat)
        times = [f"{milliseconds:.1f}" for milliseconds in found.values()]
        ratios = [f"{found[form] / found['torch.nn']:.2f}" for form in ("naive", "by hand")]
        rows.append([name, *times, *ratios])
    print(machine(["torch"]))
    print(f"Batch {options.batch}, {options.time} steps, {options.size} to {options.size}, one thread; ", end="")
    print(f"medians of {options.repeat}, in milliseconds.\n")
    print(table(["cell", "naive", "by hand", "torch.nn", "naive / torch.nn", "by hand / torch.nn"], rows))


if __name__ == "__main__":
    main()
