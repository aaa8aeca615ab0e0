"""What every peer trains: the same data, sizes, batches and epochs. Needs nothing but numpy."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

CELLS = ("rnn", "lstm", "gru")
EPOCHS = 5
BATCH = 64
EMBEDDING = 64
HIDDEN = 128
RATE = 0.002


class Part(NamedTuple):
    """Symbols (examples, longest) with 0 for padding, how many of each row count, and the classes."""

    inputs: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray


class Task(NamedTuple):
    """The data, the seeds to train with, and where the accuracies go."""

    train: Part
    test: Part
    symbols: int
    seeds: list[int]
    answer: Path

    def finish(self, accuracies: dict[str, float]) -> None:
        """Leave the test accuracy of the last epoch of each run, `cell/seed`."""
        self.answer.write_text(json.dumps(accuracies))


def given() -> Task:
    """Return what the command line asks for: data.npz, answer.json, and the seeds."""
    data, answer, *seeds = sys.argv[1:]
    with np.load(data) as arrays:
        parts = [Part(*(arrays[f"{part}_{name}"] for name in Part._fields)) for part in ("train", "test")]
        return Task(*parts, int(arrays["symbols"]), [int(seed) for seed in seeds], Path(answer))
