"""A data set ready to train on: numbers in arrays, divided into parts, and the facts that a report states."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.lab.surnames import labelled_surnames, origin
from reportgen.suite.settings import DataSettings, SplitSettings

PARTS = ("train", "validation", "test")
_FEWEST_OF_A_CLASS = 5

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class DataFacts:
    """What a report says of a data set."""

    source: str
    origin: tuple[str, ...]
    digest: str
    classes: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    """Examples of each class, by part."""
    symbols: str
    lengths: dict[str, float]
    """Shortest, longest, mean and median length in symbols."""
    majority_class: str
    majority_accuracy: float
    """Accuracy on the test part of always naming the class that the training part has most of."""
    ambiguous: int
    """Texts that occur in more than one class, and that no classifier can get right in all of them."""
    unseen_symbols: int
    """How many different symbols the validation and test parts have that the training part has never shown."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Dataset:
    """Labelled sequences of symbols.

    `inputs` has shape (examples, longest): index 1 and up stands for a symbol, 0 for padding and for a
    symbol that the training part does not have. `lengths` and `labels` have shape (examples,). `parts` maps
    train, validation and test to indices of examples.
    """

    inputs: Integers
    lengths: Integers
    labels: Integers
    parts: dict[str, Integers]
    facts: DataFacts


@lru_cache(maxsize=8)
def prepare(settings: DataSettings) -> Dataset:
    """Load and divide the data that `settings` ask for."""
    texts, labels = labelled_surnames(settings.languages)
    parts = divide(np.array(labels), settings.split, settings.limit)
    return encode(settings.source, origin(), settings.languages, texts, labels, parts)


def divide(labels: Integers, split: SplitSettings, limit: int | None = None) -> dict[str, Integers]:
    """Divide the examples into parts that each have every class in proportion.

    Args:
        labels: shape (examples,).
        split: fractions and seed.
        limit: use about so many examples, of every class at least five or all it has.
    """
    random = np.random.default_rng(split.seed)
    kept = 1.0 if limit is None else min(1.0, limit / len(labels))
    found: dict[str, list[Integers]] = {part: [] for part in PARTS}
    for label in np.unique(labels):
        of_class = random.permutation(np.flatnonzero(labels == label))
        of_class = of_class[: max(_FEWEST_OF_A_CLASS, round(len(of_class) * kept))]
        tested, validated = _held_back(len(of_class), split)
        found["test"].append(of_class[:tested])
        found["validation"].append(of_class[tested : tested + validated])
        found["train"].append(of_class[tested + validated :])
    return {part: np.sort(np.concatenate(indices)) for part, indices in found.items()}


def _held_back(examples: int, split: SplitSettings) -> tuple[int, int]:
    """Return how many of a class's examples to test and to validate on: one or more, with one left to learn."""
    validated = max(1, round(examples * split.validation)) if split.validation else 0
    most = max(0, examples - 1 - bool(validated))
    tested = min(max(1, round(examples * split.test)), most)
    return tested, min(validated, examples - 1 - tested)


def encode(
    source: str,
    origin: tuple[str, ...],
    classes: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[int],
    parts: dict[str, Integers],
) -> Dataset:
    """Turn texts into arrays; the alphabet is that of the training part alone."""
    alphabet = sorted({symbol for i in parts["train"] for symbol in texts[i]})
    index = {symbol: i for i, symbol in enumerate(alphabet, start=1)}
    lengths = np.array([len(text) for text in texts])
    inputs = np.zeros((len(texts), int(lengths.max())), np.int64)
    for row, text in zip(inputs, texts, strict=True):
        row[: len(text)] = [index.get(symbol, 0) for symbol in text]
    targets = np.array(labels, np.int64)
    used = np.sort(np.concatenate(list(parts.values())))
    counts = {part: np.bincount(targets[indices], minlength=len(classes)) for part, indices in parts.items()}
    majority = int(counts["train"].argmax())
    facts = DataFacts(
        source=source,
        origin=origin,
        digest=_digest(texts, targets, parts, classes),
        classes=tuple(classes),
        counts={part: tuple(map(int, count)) for part, count in counts.items()},
        symbols="".join(alphabet),
        lengths={
            "shortest": int(lengths[used].min()),
            "longest": int(lengths[used].max()),
            "mean": float(lengths[used].mean()),
            "median": float(np.median(lengths[used])),
        },
        majority_class=classes[majority],
        majority_accuracy=float(counts["test"][majority] / counts["test"].sum()),
        ambiguous=_in_several_classes((texts[i], labels[i]) for i in used),
        unseen_symbols=len({symbol for i in used for symbol in texts[i]} - index.keys()),
    )
    return Dataset(inputs, lengths, targets, parts, facts)


def _in_several_classes(examples: Iterable[tuple[str, int]]) -> int:
    labels_of = Counter(text for text, _ in set(examples))
    return sum(labels > 1 for labels in labels_of.values())


def _digest(texts: Sequence[str], labels: Integers, parts: dict[str, Integers], classes: Sequence[str]) -> str:
    # the texts and not the arrays made of them: those do not tell one unseen symbol, or none, from another
    digest = hashlib.sha256(json.dumps([list(classes), list(texts)]).encode())
    for array in (labels, *(parts[part] for part in PARTS)):
        digest.update(repr(array.shape).encode())
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()
