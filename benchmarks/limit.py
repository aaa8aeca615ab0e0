"""What torch's kernels take for the runs of training.py, and where the rest of a build's time goes.

    python benchmarks/limit.py [--repeat 3]

The limit: the runs in two processes of one thread, with torch imported and all batches made before the clock
starts, so that forward, loss, backward, Adam and evaluation remain; once with torch.nn's layers, as the peers of
training.py have them, and once with those that reportgen trains. Then a build of the same runs without a report,
from its first line to its last, by what it spends its time on.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from measuring import COMPILED, machine, median, table
from training import CELLS, FOLDER, export

sys.path.insert(0, str(FOLDER))

SEEDS = (0, 1)
WORKERS = 2


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # what this script calls itself with
    asked = parser.parse_args()
    if asked.build:
        print(json.dumps(build(asked.build)))
        return
    limits: dict[str, list[float]] = {}
    parts: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        export(data)
        for i in range(asked.repeat):
            for ours in (False, True):
                name = "reportgen's layers" if ours else "torch.nn's layers"
                limits.setdefault(name, []).append(kernels(data, ours=ours))
            for name, seconds in waits(Path(folder, str(i))):
                parts.setdefault(name, []).append(seconds)
    print(machine(["torch"]))
    print(f"Medians of {asked.repeat}.\n")
    print(table(["kernels alone, two processes", "s", "each"], rows(limits)), end="\n\n")
    print(table(["a build without a report", "s", "each"], rows(parts)))


def rows(found: dict[str, list[float]]) -> list[list[str]]:
    """Return the rows of a table."""
    return [
        [name, f"{median(own):.1f}", ", ".join(f"{seconds:.1f}" for seconds in own)] for name, own in found.items()
    ]


def kernels(data: Path, *, ours: bool) -> float:
    """Return the seconds that the runs take with all cores at work and nothing around them."""
    runs = [(cell, seed) for cell in reversed(CELLS) for seed in SEEDS]
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as processes:
        return sum(processes.map(partial(kernels_of, data=data, ours=ours), runs)) / WORKERS


def kernels_of(run: tuple[str, int], data: Path, *, ours: bool) -> float:
    """Return the seconds of one run."""
    import careful
    import model
    import numpy as np
    import torch
    from task import EPOCHS, RATE, Part

    from reportgen.lab.models.scans import GRU, RNN

    torch.set_num_threads(1)
    cell, seed = run
    torch.manual_seed(seed)
    if ours:
        model.NETWORKS |= {"rnn": RNN, "gru": GRU}
    with np.load(data) as arrays:
        train, test = (Part(*(arrays[f"{part}_{name}"] for name in Part._fields)) for part in ("train", "test"))
        network = model.Classifier(cell, int(arrays["symbols"]))
    optimizer = torch.optim.Adam(network.parameters(), RATE, fused=True)

    def made(part: Part, batches: list[torch.Tensor]) -> list[tuple[torch.Tensor, ...]]:
        inputs, lengths, labels = careful.tensors(part)
        return [(inputs[own, : int(lengths[own].max())], lengths[own], labels[own]) for own in batches]

    epochs = [made(train, careful.batches(torch.from_numpy(train.lengths))) for _ in range(EPOCHS)]
    evaluated = made(test, list(torch.from_numpy(test.lengths).argsort().split(512)))
    began = time.perf_counter()
    for epoch in epochs:
        for inputs, lengths, labels in epoch:
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(network(inputs, lengths), labels).backward()
            optimizer.step()
        with torch.no_grad():
            for inputs, lengths, labels in evaluated:
                torch.nn.functional.cross_entropy(network(inputs, lengths), labels)
    return time.perf_counter() - began


def waits(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield what a build in a process of its own spends its seconds on."""
    own = {**os.environ, **COMPILED}
    began = time.time()
    command = [sys.executable, __file__, "--build", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=own)  # noqa: S603 - this script itself
    seconds = time.time() - began
    found = json.loads(done.stdout)
    yield "Python and imports", found["imported"] - began
    yield "suite and plan", found["planned"] - found["imported"]
    yield "until the first run begins", found["first"] - found["planned"]
    yield "epochs", found["epochs"] / WORKERS
    yield "within the runs, around the epochs", (found["runs"] - found["epochs"]) / WORKERS
    busy = found["first"] - began + found["runs"] / WORKERS
    yield "records, workers that wait, the end", seconds - busy
    yield "in all", seconds


def build(folder: Path) -> dict[str, float]:
    """Train the runs; return when what began, and the seconds of all runs and of their epochs."""
    import ours
    from task import BATCH, EMBEDDING, EPOCHS, HIDDEN, RATE

    from reportgen.executors import forkserver

    folder.mkdir()
    forkserver.start_early(folder / "build")
    from reportgen import pipeline
    from reportgen.executors.base import Event, RunStarted
    from reportgen.planning import plan
    from reportgen.storage.records import Store

    times = {"imported": time.time()}
    names = ", ".join(f"{{name: {cell}, model: {{cell: {cell}}}}}" for cell in CELLS)
    sizes = {"hidden": HIDDEN, "embedding": EMBEDDING, "epochs": EPOCHS, "batch": BATCH, "rate": RATE}
    file = folder / "suite.yaml"
    file.write_text(ours.SUITE.format(runs=names, seeds=list(SEEDS), **sizes))
    options = pipeline.Options(build=folder / "build", jobs=WORKERS)
    store = Store(options.build / "records")
    loaded = pipeline.load(file)
    planned = pipeline.plan(loaded, store)
    times["planned"] = time.time()

    def listen(event: Event) -> None:
        if isinstance(event, RunStarted):
            times.setdefault("first", time.time())

    pipeline.run(planned, store, options, listen)
    records = [record for step in planned.steps if (record := plan.read(store, step.key))]
    runs = sum(record.seconds for record in records)
    return {**times, "runs": runs, "epochs": sum(epoch["seconds"] for r in records for epoch in r.epochs)}


if __name__ == "__main__":
    main()
