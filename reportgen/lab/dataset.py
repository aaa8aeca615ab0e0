"""A data set ready to train on: numbers in arrays, divided into parts, and the facts that a report states."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.lab.corpora import Corpus, read_folder, read_polarity, read_scored_snippets, read_table
from reportgen.lab.fetching import MOVIE_SNIPPETS, fetched
from reportgen.lab.surnames import labelled_surnames, origin
from reportgen.lab.tokens import TOKENIZERS, vocabulary
from reportgen.suite.settings import (
    DataSettings,
    FolderSettings,
    MovieSnippetsSettings,
    PolaritySettings,
    SplitSettings,
    SurnamesSettings,
    TableSettings,
)

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
    tokens: str
    """What a text is made of: letters, words or characters."""
    vocabulary: int
    """How many different tokens the model knows, the unknown one not counted."""
    unknown_share: float
    """Share of the test part's tokens that are not in the vocabulary."""
    cut: int
    """Texts that were cut to the greatest length."""
    lengths: dict[str, float]
    """Shortest, longest, mean and median length in tokens, after cutting."""
    majority_class: str
    majority_accuracy: float
    """Accuracy on the test part of always naming the class that the training part has most of."""
    ambiguous: int
    """Texts that occur in more than one class, and that no classifier can get right in all of them."""
    unseen_tokens: int
    """How many different tokens the validation and test parts have that are not in the vocabulary."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Dataset:
    """Labelled sequences of tokens.

    `inputs` has shape (examples, longest): index 1 and up stands for a token of the vocabulary, 0 for padding
    and for any other token. `lengths` and `labels` have shape (examples,). `parts` maps
    train, validation and test to indices of examples.
    """

    inputs: Integers
    lengths: Integers
    labels: Integers
    parts: dict[str, Integers]
    vocabulary: tuple[str, ...]
    facts: DataFacts


@lru_cache(maxsize=8)
def prepare(settings: DataSettings) -> Dataset:
    """Load and divide the data that `settings` ask for; DataError for files that cannot be learnt from."""
    corpus = load(settings)
    parts = divide(np.array(corpus.labels), settings.split, settings.limit)
    return encode(settings.source, corpus, parts, Encoding.of(settings))


def load(settings: DataSettings) -> Corpus:
    """Load the texts that `settings` ask for."""
    match settings:
        case SurnamesSettings():
            return Corpus(*labelled_surnames(settings.languages), settings.languages, origin())
        case MovieSnippetsSettings():
            return read_scored_snippets(fetched(MOVIE_SNIPPETS), (MOVIE_SNIPPETS.requirement.replace("==", " "),))
        case PolaritySettings():
            return read_polarity(Path(settings.negative), Path(settings.positive))
        case TableSettings():
            return read_table(Path(settings.file), settings.source, settings.text, settings.label)
        case FolderSettings():
            return read_folder(Path(settings.folder))


@dataclass(frozen=True)
class Encoding:
    """How texts become numbers."""

    tokens: str = "letters"
    vocabulary_size: int | None = None
    max_length: int | None = None

    @classmethod
    def of(cls, settings: DataSettings) -> "Encoding":
        """Return the encoding that a suite asks for; surnames are read letter by letter."""
        if isinstance(settings, SurnamesSettings):
            return cls()
        return cls(settings.tokens, settings.vocabulary_size, settings.max_length)


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


def encode(source: str, corpus: Corpus, parts: dict[str, Integers], encoding: Encoding = Encoding()) -> Dataset:  # noqa: B008 - frozen
    """Turn texts into arrays; the vocabulary is that of the training part alone."""
    tokenized = [TOKENIZERS[encoding.tokens](text) or [""] for text in corpus.texts]
    used = np.sort(np.concatenate(list(parts.values())))
    cut = sum(len(tokenized[i]) > (encoding.max_length or len(tokenized[i])) for i in used)
    tokenized = [tokens[: encoding.max_length] for tokens in tokenized]
    known = vocabulary((tokenized[i] for i in parts["train"]), encoding.vocabulary_size)
    index = {token: i for i, token in enumerate(known, start=1)}
    lengths = np.array([len(tokens) for tokens in tokenized])
    inputs = np.zeros((len(tokenized), int(lengths.max())), np.int64)
    for row, tokens in zip(inputs, tokenized, strict=True):
        row[: len(tokens)] = [index.get(token, 0) for token in tokens]
    targets = np.array(corpus.labels, np.int64)
    counts = {part: np.bincount(targets[i], minlength=len(corpus.classes)) for part, i in parts.items()}
    majority = int(counts["train"].argmax())
    tested = parts["test"]
    facts = DataFacts(
        source=source,
        origin=corpus.origin,
        digest=_digest(corpus, encoding, parts),
        classes=tuple(corpus.classes),
        counts={part: tuple(map(int, count)) for part, count in counts.items()},
        tokens=encoding.tokens,
        vocabulary=len(known),
        unknown_share=1 - np.count_nonzero(inputs[tested]) / int(lengths[tested].sum()),
        cut=cut,
        lengths={
            "shortest": int(lengths[used].min()),
            "longest": int(lengths[used].max()),
            "mean": float(lengths[used].mean()),
            "median": float(np.median(lengths[used])),
        },
        majority_class=corpus.classes[majority],
        majority_accuracy=float(counts["test"][majority] / counts["test"].sum()),
        ambiguous=_in_several_classes((corpus.texts[i], corpus.labels[i]) for i in used),
        unseen_tokens=len({token for i in used for token in tokenized[i]} - index.keys()),
    )
    return Dataset(inputs, lengths, targets, parts, tuple(known), facts)


def _in_several_classes(examples: Iterable[tuple[str, int]]) -> int:
    labels_of = Counter(text for text, _ in set(examples))
    return sum(labels > 1 for labels in labels_of.values())


def _digest(corpus: Corpus, encoding: Encoding, parts: dict[str, Integers]) -> str:
    # the texts and not the arrays made of them: those do not tell one unseen token, or none, from another
    words = [list(corpus.classes), corpus.texts, corpus.labels, asdict(encoding)]
    digest = hashlib.sha256(json.dumps(words).encode())
    for array in (parts[part] for part in PARTS):
        digest.update(repr(array.shape).encode())
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()
