"""A suite of 24 small runs on one GPU: one run after another, and several at a time. Runs a minute.

    python benchmarks/gpu.py [--jobs 1,2,4,8] [--epochs 5] [--precision float32]

Surnames, RNN, LSTM and GRU of 128 units with eight seeds each. Each number of workers builds all 24 runs anew,
without a report; the start of the workers is in the time. A build takes one unless `--jobs` says otherwise.
"""

import argparse
import tempfile
import time
from pathlib import Path

from measuring import machine, table

from reportgen import pipeline
from reportgen.lab.device import has_cuda
from reportgen.planning import plan
from reportgen.storage.records import Store

SUITE = """
title: Surnames
device: cuda
data: {{source: surnames, split: {{test: 0.2, validation: 0.1}}}}
model: {{hidden_size: 128}}
training: {{epochs: {epochs}, batch_size: 64, learning_rate: 0.002, precision: {precision}}}
runs:
  - {{name: rnn, model: {{cell: rnn}}}}
  - {{name: lstm, model: {{cell: lstm}}}}
  - {{name: gru, model: {{cell: gru}}}}
seeds: [0, 1, 2, 3, 4, 5, 6, 7]
"""


def seconds_with(jobs: int, epochs: int, precision: str) -> float:
    """Return how long the 24 runs take with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "suite.yaml")
        file.write_text(SUITE.format(epochs=epochs, precision=precision))
        store = Store(Path(folder, "records"))
        planned = pipeline.plan(pipeline.load(file), store)
        began = time.perf_counter()
        pipeline.run(planned, store, pipeline.Options(build=Path(folder), jobs=jobs), lambda _: None)
        seconds = time.perf_counter() - began
        for step in planned.steps:
            record = plan.read(store, step.key)
            if record is None or record.status != "finished":
                raise SystemExit(f"{step.run.name} did not finish: {record and record.error}")
        return seconds


def main() -> None:
    """Print the table, or that there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default="1,2,4,8")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--precision", default="float32", choices=["float32", "tf32", "bf16"])
    options = parser.parse_args()
    if not has_cuda():
        print("No GPU here that torch can use: nothing was measured.")
        return
    jobs = map(int, options.jobs.split(","))
    seconds = {n: seconds_with(n, options.epochs, options.precision) for n in jobs}
    one = next(iter(seconds.values()))
    rows = [[str(n), f"{own:.0f}", f"{24 * 60 / own:.1f}", f"{one / own:.2f}"] for n, own in seconds.items()]
    print(machine(["torch"]))
    print(f"24 runs of {options.epochs} epochs in {options.precision}.\n")
    print(table(["workers", "seconds", "runs a minute", "times the first"], rows))


if __name__ == "__main__":
    main()
