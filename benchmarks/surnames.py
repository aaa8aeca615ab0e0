"""Names a second: the tutorial's loop letter by letter, a loop of whole names, and ours with two workers.

    python benchmarks/surnames.py [--seconds 20] [--epochs 10] [--repeat 3]

All train a plain recurrent network of 128 units on the same names, one-hot letters, 18 languages. The loops take
one name at a time in random order, on one core, for as long as is asked, and make the tensors of a name when it
comes, as the tutorial does. Ours trains two seeds side by side in batches of 64; its rate counts all names of all
epochs, the evaluation after each epoch included. "Whole process" has the start of the workers, the probes and the
records in it as well.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from measuring import machine, median, table
from torch import Tensor, nn

from reportgen import pipeline, planning
from reportgen.lab.dataset import Dataset, prepare
from reportgen.store import Store
from reportgen.suite.settings import SplitSettings, SurnamesSettings

HIDDEN = 128
SUITE = """
title: Surnames
data: {{source: surnames, split: {{test: 0.2, validation: 0.1}}}}
model: {{cell: rnn, hidden_size: 128}}
training: {{epochs: {epochs}, batch_size: 64, learning_rate: 0.002}}
runs: [{{name: rnn}}]
seeds: [0, 1]
"""
Example = tuple[str, int]
Loop = Callable[[str, int], None]


class TutorialRNN(nn.Module):
    """Two linear layers on a letter beside the last state."""

    def __init__(self, letters: int, classes: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(letters + HIDDEN, HIDDEN)
        self.i2o = nn.Linear(letters + HIDDEN, classes)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, letter: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Step once."""
        combined = torch.cat((letter, hidden), 1)
        return self.softmax(self.i2o(combined)), self.i2h(combined)


def letter_by_letter(letters: str, classes: int) -> Loop:
    """Return what trains on one name as the tutorial does: a call a letter, and SGD written out."""
    model, loss_of, rate = TutorialRNN(len(letters), classes), nn.NLLLoss(), 0.005

    def train(name: str, language: int) -> None:
        line = torch.zeros(len(name), 1, len(letters))
        for i, letter in enumerate(name):
            line[i][0][letters.find(letter)] = 1
        hidden = torch.zeros(1, HIDDEN)
        model.zero_grad()
        for i in range(line.size()[0]):
            output, hidden = model(line[i], hidden)
        loss = loss_of(output, torch.tensor([language]))
        loss.backward()
        for parameter in model.parameters():
            parameter.data.add_(parameter.grad.data, alpha=-rate)
        output.topk(1)[1][0].item()
        loss.item()

    return train


def name_by_name(letters: str, classes: int) -> Loop:
    """Return what trains on one whole name with torch.nn.RNN and Adam."""
    network, output = nn.RNN(len(letters), HIDDEN), nn.Linear(HIDDEN, classes)
    optimizer = torch.optim.Adam([*network.parameters(), *output.parameters()], 0.002)

    def train(name: str, language: int) -> None:
        indices = torch.tensor([letters.find(letter) for letter in name])
        _, last = network(nn.functional.one_hot(indices, len(letters)).float()[:, None])
        loss = nn.functional.cross_entropy(output(last[0]), torch.tensor([language]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return train


def examples(data: Dataset) -> list[Example]:
    """Return each name of the training part with the number of its class."""
    return [(data.texts[i].lower(), int(data.labels[i])) for i in data.parts["train"]]


def drawn(names: list[Example]) -> Iterator[Example]:
    """Yield names at random, for ever."""
    while True:
        yield random.choice(names)  # noqa: S311 - not for secrets


def rate_of(train: Loop, names: list[Example], seconds: float) -> float:
    """Return how many names a second `train` takes."""
    torch.set_num_threads(1)
    began, count = time.perf_counter(), 0
    for name, language in drawn(names):
        train(name, language)
        count += 1
        if time.perf_counter() - began > seconds:
            break
    return count / (time.perf_counter() - began)


def ours(epochs: int, names: int) -> tuple[float, float]:
    """Return the names a second of two workers, while they train, and of the whole build without its report."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "suite.yaml")
        file.write_text(SUITE.format(epochs=epochs))
        store = Store(Path(folder, "records"))
        began = time.perf_counter()
        planned = pipeline.plan(pipeline.load(file), store)
        pipeline.run(planned, store, pipeline.Options(build=Path(folder), jobs=2), lambda _: None)
        whole = time.perf_counter() - began
        records = [planning.read(store, step.key) for step in planned.steps]
        seconds = [sum(epoch["seconds"] for epoch in record.epochs) for record in records if record is not None]
        return sum(names * epochs / own for own in seconds), len(records) * names * epochs / whole


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    data = prepare(SurnamesSettings(source="surnames", split=SplitSettings(test=0.2, validation=0.1)))
    names, sizes = examples(data), ("".join(data.vocabulary), len(data.facts.classes))
    rates: dict[str, list[float]] = {}
    for _ in range(options.repeat):
        training, whole = ours(options.epochs, len(names))
        for way, rate in (
            ("letter by letter", rate_of(letter_by_letter(*sizes), names, options.seconds)),
            ("one whole name at a time", rate_of(name_by_name(*sizes), names, options.seconds)),
            ("ours, two workers", training),
            ("ours, whole process", whole),
        ):
            rates.setdefault(way, []).append(rate)
    medians = {way: median(own) for way, own in rates.items()}
    letters, single, *_ = medians.values()
    rows = [
        [
            way,
            f"{rate:.0f}",
            f"{rate / letters:.1f}",
            f"{rate / single:.1f}",
            ", ".join(f"{r:.0f}" for r in rates[way]),
        ]
        for way, rate in medians.items()
    ]
    print(machine(["torch"]))
    print(f"Medians of {options.repeat}.\n")
    print(table(["way", "names/s", "times letter by letter", "times whole names", "each"], rows))


if __name__ == "__main__":
    main()
