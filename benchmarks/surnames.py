"""Names a second: the tutorial's loop letter by letter, a loop of whole names, and ours with two workers.

    python benchmarks/surnames.py [--seconds 20] [--epochs 10] [--repeat 3] [--batches 64,256]

All train a plain recurrent network of 128 units on the same names, one-hot letters, 18 languages. The loops take
one name at a time in random order, on one core, for as long as is asked, and make the tensors of a name when it
comes, as the tutorial does. Ours trains two seeds side by side in batches; its rate counts all names of all
epochs, the evaluation after each epoch included. "Whole process" has the start of the workers, the probes and the
records in it as well. Accuracies are of the test part after as many names for every way; larger batches have the
larger rate of learning.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import torch
from measuring import machine, median, table
from torch import Tensor, nn

from reportgen import pipeline
from reportgen.planning import plan
from reportgen.storage.records import Store
from reportgen.tasks.classification.data import Dataset, prepare
from reportgen.tasks.classification.settings import SplitSettings, SurnamesSettings

HIDDEN = 128
SUITE = """
title: Surnames
data: {{source: surnames, split: {{test: 0.2, validation: 0.1}}}}
model: {{cell: rnn, hidden_size: 128}}
training: {{epochs: {epochs}, batch_size: {batch}, learning_rate: {rate}}}
runs: [{{name: rnn}}]
seeds: [0, 1]
"""
RATES = {64: 0.002, 128: 0.004, 256: 0.008}
"""Rates of learning by the batch size."""
Example = tuple[str, int]
Loop = tuple[Callable[[str, int], None], Callable[[str], int]]
"""What trains on a name, and what says its language."""


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
    """Return what takes one name as the tutorial does: a call a letter, and SGD written out."""
    model, loss_of, rate = TutorialRNN(len(letters), classes), nn.NLLLoss(), 0.005

    def output_for(name: str) -> Tensor:
        line = torch.zeros(len(name), 1, len(letters))
        for i, letter in enumerate(name):
            line[i][0][letters.find(letter)] = 1
        hidden = torch.zeros(1, HIDDEN)
        for i in range(line.size()[0]):
            output, hidden = model(line[i], hidden)
        return output

    def train(name: str, language: int) -> None:
        model.zero_grad()
        output = output_for(name)
        loss = loss_of(output, torch.tensor([language]))
        loss.backward()
        for parameter in model.parameters():
            parameter.data.add_(parameter.grad.data, alpha=-rate)
        output.topk(1)[1][0].item()
        loss.item()

    return train, lambda name: int(output_for(name).argmax())


def name_by_name(letters: str, classes: int) -> Loop:
    """Return what takes one whole name with torch.nn.RNN and Adam."""
    network, output = nn.RNN(len(letters), HIDDEN), nn.Linear(HIDDEN, classes)
    optimizer = torch.optim.Adam([*network.parameters(), *output.parameters()], 0.002)

    def output_for(name: str) -> Tensor:
        indices = torch.tensor([letters.find(letter) for letter in name])
        _, last = network(nn.functional.one_hot(indices, len(letters)).float()[:, None])
        logits: Tensor = output(last[0])
        return logits

    def train(name: str, language: int) -> None:
        loss = nn.functional.cross_entropy(output_for(name), torch.tensor([language]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return train, lambda name: int(output_for(name).argmax())


def examples(data: Dataset, part: str) -> list[Example]:
    """Return each name of a part with the number of its class."""
    return [(data.texts[i].lower(), int(data.labels[i])) for i in data.parts[part]]


def drawn(names: list[Example]) -> Iterator[Example]:
    """Yield names at random, for ever."""
    while True:
        yield random.choice(names)  # noqa: S311 - not for secrets


def rate_of(loop: Loop, names: list[Example], seconds: float) -> float:
    """Return how many names a second a loop trains on."""
    torch.set_num_threads(1)
    train, _ = loop
    began, count = time.perf_counter(), 0
    for name, language in drawn(names):
        train(name, language)
        count += 1
        if time.perf_counter() - began > seconds:
            break
    return count / (time.perf_counter() - began)


def accuracy_of(loop: Loop, names: list[Example], count: int, tested: list[Example]) -> float:
    """Return the accuracy after `count` names."""
    torch.set_num_threads(1)
    train, language_of = loop
    for name, language in islice(drawn(names), count):
        train(name, language)
    with torch.no_grad():
        return statistics.mean(language_of(name) == language for name, language in tested)


def ours(epochs: int, names: int, batch: int) -> tuple[float, float, float]:
    """Return the names a second of two workers, while they train, and of the whole build; and the accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "suite.yaml")
        file.write_text(SUITE.format(epochs=epochs, batch=batch, rate=RATES[batch]))
        store = Store(Path(folder, "records"))
        began = time.perf_counter()
        planned = pipeline.plan(pipeline.load(file), store)
        pipeline.run(planned, store, pipeline.Options(build=Path(folder), jobs=2), lambda _: None)
        whole = time.perf_counter() - began
        records = [record for step in planned.steps if (record := plan.read(store, step.key))]
        seconds = [sum(epoch["seconds"] for epoch in record.epochs) for record in records]
        right = [(record.predictions["predicted"] == record.predictions["target"]).mean() for record in records]
        rates = sum(names * epochs / own for own in seconds), len(records) * names * epochs / whole
        return *rates, float(statistics.mean(right))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--batches", default="64,256", help=f"of {', '.join(map(str, RATES))}")
    options = parser.parse_args()
    data = prepare(SurnamesSettings(source="surnames", split=SplitSettings(test=0.2, validation=0.1)))
    sizes = letters, _ = "".join(data.vocabulary), len(data.facts.classes)
    names = examples(data, "train")  # the loops know no other letters than those of the training part
    tested = [("".join(filter(letters.__contains__, name)), label) for name, label in examples(data, "test")]
    loops = {"letter by letter": letter_by_letter, "one whole name at a time": name_by_name}
    count = options.epochs * len(names)
    random.seed(0)
    torch.manual_seed(0)
    right = {way: accuracy_of(loop(*sizes), names, count, tested) for way, loop in loops.items()}
    rates: dict[str, list[float]] = {way: [] for way in loops}
    for _ in range(options.repeat):
        for way, loop in loops.items():
            rates[way].append(rate_of(loop(*sizes), names, options.seconds))
        for batch in map(int, options.batches.split(",")):
            training, whole, accuracy = ours(options.epochs, len(names), batch)
            for way, rate in (
                (f"ours, batches of {batch}", training),
                (f"the same, whole process, {batch}", whole),
            ):
                rates.setdefault(way, []).append(rate)
                right[way] = accuracy
    medians = {way: median(own) for way, own in rates.items()}
    by_letter, by_name, *_ = medians.values()
    rows = [
        [
            way,
            f"{rate:.0f}",
            f"{rate / by_letter:.1f}",
            f"{rate / by_name:.1f}",
            f"{right[way]:.3f}",
            ", ".join(f"{r:.0f}" for r in rates[way]),
        ]
        for way, rate in medians.items()
    ]
    print(machine(["torch"]))
    print(f"Medians of {options.repeat}.\n")
    print(table(["way", "names/s", "times letter by letter", "times whole names", "accuracy", "each"], rows))


if __name__ == "__main__":
    main()
