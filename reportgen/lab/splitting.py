"""Examples into parts to train, validate and test on: stratified, and the same for the same seed."""

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import Problem
from reportgen.lab.corpora import Corpus, DataError, refuse
from reportgen.suite.settings import OwnTestSplit, SplitSettings

PARTS = ("train", "validation", "test")
_FEWEST_OF_A_CLASS = 5

Integers = NDArray[np.int64]


def divide(
    labels: Integers, split: OwnTestSplit, limit: int | None = None, test_from: int | None = None
) -> dict[str, Integers]:
    """Divide the examples into parts that each have every class in proportion.

    Args:
        labels: shape (examples,).
        split: how much of each class goes to which part, and the seed.
        limit: use about so many examples, of every class at least five or all it has; a number of examples to
            train on is lowered in proportion.
        test_from: the examples from this one on are the test part already.
    """
    random = np.random.default_rng(split.seed)
    kept = 1.0 if limit is None else min(1.0, limit / len(labels))
    found: dict[str, list[Integers]] = {part: [] for part in PARTS}
    for label in np.unique(labels):
        of_class = _fewer(random.permutation(np.flatnonzero(labels[:test_from] == label)), kept)
        if test_from is None:
            tested, validated = _held_back(len(of_class), split, kept)
            own = of_class[:tested]
        else:
            own = test_from + np.flatnonzero(labels[test_from:] == label)
            own = _fewer(random.permutation(own), kept)
            tested, validated = 0, min(_share(len(of_class), split.validation), len(of_class) - 1)
        found["test"].append(own)
        found["validation"].append(of_class[tested : tested + validated])
        found["train"].append(of_class[tested + validated :])
    return {part: np.sort(np.concatenate(indices)) for part, indices in found.items()}


def _fewer(examples: Integers, kept: float) -> Integers:
    return examples if kept == 1 else examples[: max(_FEWEST_OF_A_CLASS, round(len(examples) * kept))]


def _held_back(examples: int, split: OwnTestSplit, kept: float) -> tuple[int, int]:
    """Return how many of a class's examples to test and to validate on: one or more, with one left to learn."""
    validated = _share(examples, split.validation)
    if isinstance(split, SplitSettings) and split.train_per_class is not None:
        tested = examples - validated - max(1, round(split.train_per_class * kept))
        return max(1, tested), validated
    fraction = split.test_share if isinstance(split, SplitSettings) else 0.0
    tested = min(_share(examples, fraction), max(0, examples - 1 - bool(validated)))
    return tested, min(validated, examples - 1 - tested)


def _share(examples: int, fraction: float) -> int:
    return max(1, round(examples * fraction)) if fraction else 0


def check_sizes(corpus: Corpus, split: OwnTestSplit) -> None:
    """Raise DataError if a class has too few examples for the split, one problem a class."""
    labels = np.array(corpus.labels[: corpus.test_from])
    counts = np.bincount(labels, minlength=len(corpus.classes)).tolist()
    if isinstance(split, SplitSettings) and split.train_per_class is not None:
        _check_wanted(corpus, counts, split.train_per_class, split.validation)
        return
    fewest = 1 + bool(split.validation) + (corpus.test_from is None)
    problems = [
        Problem(*corpus.place(_first(labels, label)), "", f"{count} of the class {name!r}", _NEEDED[fewest])
        for label, (name, count) in enumerate(zip(corpus.classes, counts, strict=True))
        if count < fewest
    ]
    if problems:
        raise DataError(problems)


def _first(labels: Integers, label: int) -> int:
    return int(np.argmax(labels == label))


_NEEDED = {
    1: "an example or more",
    2: "two examples or more, one for each part",
    3: "three examples or more, one for each part",
}


def _check_wanted(corpus: Corpus, counts: list[int], wanted: int, validation: float) -> None:
    fewest = min(counts)
    most = fewest - _share(fewest, validation) - 1
    if wanted > most:
        name = corpus.classes[counts.index(fewest)]
        rest = "of which some are needed to validate and to test on" if validation else "of which one is tested"
        expected = f"at most {max(0, most):,}: the class {name!r} has {fewest:,}, {rest}"
        raise refuse(corpus.place(0)[0], 1, f"{wanted:,}", expected, "split.train_per_class")
