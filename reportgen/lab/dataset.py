"""A data set ready to train on: numbers in arrays, divided into parts, and the facts that a report states."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from reportgen.lab.baseline import naive_bayes_accuracy, repeated
from reportgen.lab.corpora import (
    Corpus,
    read_folder,
    read_imdb,
    read_polarity,
    read_scored_snippets,
    read_table,
    refuse,
)
from reportgen.lab.fetching import MOVIE_SNIPPETS, fetched
from reportgen.lab.own_data import read_function
from reportgen.lab.reviews import IMDB, unpacked
from reportgen.lab.sharing import Shared, Texts, shared
from reportgen.lab.splitting import PARTS, Integers, check_sizes, divide
from reportgen.lab.surnames import labelled_surnames, origin
from reportgen.lab.tokens import TOKENIZERS, jieba_version, vocabulary
from reportgen.suite.settings import (
    DataSettings,
    FolderSettings,
    FunctionSettings,
    ImdbSettings,
    MovieSnippetsSettings,
    PolaritySettings,
    SplitSettings,
    SurnamesSettings,
    TableSettings,
)

LONGEST = 5_000
"""Tokens of a text that is not cut: all texts lie in one array, as wide as the longest."""

_NAMES = {"jieba": "words"}


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
    """What a text is made of: letters, words, characters or jieba."""
    divided: str
    """How the parts came about: fractions, per_class, or own_test for data with a test part of their own."""
    vocabulary: int
    """How many different tokens the model knows, padding and the unknown one not counted."""
    trained_tokens: int
    """How many different tokens the training part has; more than `vocabulary` where that is limited."""
    unknown_share: float
    """Share of the test part's tokens that are not in the vocabulary."""
    max_length: int | None
    """The greatest length in tokens that was asked for."""
    cut: int
    """Texts that were cut to it."""
    lengths: dict[str, float]
    """Shortest, longest, mean and median length in tokens, after cutting."""
    majority_class: str
    majority_accuracy: float
    """Accuracy on the test part of always naming the class that the training part has most of."""
    naive_bayes_accuracy: float
    """The same of naive Bayes, which knows the tokens of a text and not their order."""
    repeated: int
    """Examples of the test part that are in the training part too, token for token, in the same class."""
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

    `inputs` has shape (examples, longest): 0 is padding, 1 … V the tokens of the vocabulary, and V + 1 any other
    token. `lengths` and `labels` have shape (examples,). `parts` maps train, validation and test to indices of
    examples. An example in no part is all padding and has the length 0.
    """

    inputs: NDArray[np.int32]
    lengths: Integers
    labels: Integers
    parts: dict[str, Integers]
    vocabulary: tuple[str, ...]
    facts: DataFacts
    texts: Texts
    """The examples as they were read."""

    def shared(self) -> Shared:
        """Return the same as arrays and plain values."""
        arrays: dict[str, NDArray[Any]] = {"inputs": self.inputs, "lengths": self.lengths, "labels": self.labels}
        arrays |= {**self.parts, "texts": self.texts.content, "begins": self.texts.begins}
        return Shared(arrays, {"vocabulary": self.vocabulary, "facts": self.facts.as_json()})

    @classmethod
    def of(cls, shared: Shared) -> "Dataset":
        """Return the data set that `shared` was made of."""
        arrays, values = shared.arrays, shared.values
        return cls(
            arrays["inputs"],
            arrays["lengths"],
            arrays["labels"],
            {part: arrays[part] for part in PARTS},
            tuple(values["vocabulary"]),
            TypeAdapter(DataFacts).validate_python(values["facts"]),
            Texts(arrays["texts"], arrays["begins"]),
        )


@lru_cache(maxsize=8)
def prepare(settings: DataSettings) -> Dataset:
    """Load and divide the data that `settings` ask for; DataError for files that cannot be learnt from."""
    return Dataset.of(shared(settings, lambda: _prepared(settings).shared()))


def _prepared(settings: DataSettings) -> Dataset:
    corpus = load(settings)
    check_sizes(corpus, settings.split)
    parts = divide(np.array(corpus.labels), settings.split, settings.limit, corpus.test_from)
    return encode(settings.source, corpus, parts, Encoding.of(settings), _divided(settings, corpus))


def load(settings: DataSettings) -> Corpus:
    """Load the texts that `settings` ask for."""
    match settings:
        case SurnamesSettings():
            return Corpus(*labelled_surnames(settings.languages), settings.languages, origin())
        case MovieSnippetsSettings():
            return read_scored_snippets(fetched(MOVIE_SNIPPETS), (MOVIE_SNIPPETS.requirement.replace("==", " "),))
        case ImdbSettings():
            return read_imdb(Path(settings.folder)) if settings.folder else read_imdb(unpacked(IMDB), (IMDB.file,))
        case PolaritySettings():
            return read_polarity(Path(settings.negative), Path(settings.positive))
        case TableSettings():
            tested = Path(settings.test_file) if settings.test_file else None
            return read_table(Path(settings.file), settings.source, settings.text, settings.label, tested)
        case FolderSettings():
            return read_folder(Path(settings.folder))
        case FunctionSettings():
            return read_function(settings)


def _divided(settings: DataSettings, corpus: Corpus) -> str:
    if corpus.test_from is not None:
        return "own_test"
    counted = isinstance(settings.split, SplitSettings) and settings.split.train_per_class is not None
    return "per_class" if counted else "fractions"


@dataclass(frozen=True)
class Encoding:
    """How texts become numbers."""

    tokens: str = "letters"
    vocabulary_size: int | None = None
    max_length: int | None = None
    version: str = ""
    """Of the package that splits the texts, where that is none of ours."""

    @classmethod
    def of(cls, settings: DataSettings) -> "Encoding":
        """Return the encoding that a suite asks for; surnames are read letter by letter."""
        if isinstance(settings, SurnamesSettings):
            return cls()
        version = jieba_version() if settings.tokens == "jieba" else ""
        return cls(settings.tokens, settings.vocabulary_size, settings.max_length, version)


def encode(
    source: str,
    corpus: Corpus,
    parts: dict[str, Integers],
    encoding: Encoding = Encoding(),
    divided: str = "fractions",
) -> Dataset:
    """Turn texts into arrays; the vocabulary is that of the training part alone.

    Raises DataError for a text that is too long for an array, and if the training part has no token at all.
    """
    used = np.sort(np.concatenate(list(parts.values())))
    rows, tokens, cut = _numbered(corpus, used, encoding)
    trained = _counts(rows, parts["train"], len(tokens))
    counted = {token: int(trained[i]) for i, token in enumerate(tokens) if trained[i]}
    known = vocabulary(counted, encoding.vocabulary_size)
    if not known:
        got = f"a training part without any {_NAMES.get(encoding.tokens, encoding.tokens)}"
        raise refuse(*corpus.place(0), got, "texts with something in them")
    place = {token: i for i, token in enumerate(known, start=1)}
    unknown = len(known) + 1
    index = np.array([place.get(token, unknown) for token in tokens], np.int32)
    lengths = np.array([len(row) for row in rows])
    inputs = np.zeros((len(rows), int(lengths.max())), np.int32)
    for example, row in zip(inputs, rows, strict=True):
        example[: len(row)] = index[row]
    labels = np.array(corpus.labels, np.int64)
    tested = parts["test"]
    heldout = _counts(rows, np.concatenate([parts["validation"], tested]), len(tokens))
    facts = DataFacts(
        source=source,
        origin=corpus.origin,
        digest=_digest(corpus, replace(encoding, vocabulary_size=len(known)), parts),
        classes=tuple(corpus.classes),
        tokens=encoding.tokens,
        divided=divided,
        vocabulary=len(known),
        trained_tokens=len(counted.keys() - {""}),
        unknown_share=np.count_nonzero(inputs[tested] == unknown) / int(lengths[tested].sum()),
        max_length=encoding.max_length,
        cut=cut,
        lengths=_lengths(lengths[used]),
        **_class_facts(corpus, labels, parts),
        naive_bayes_accuracy=naive_bayes_accuracy(inputs, labels, parts, len(corpus.classes), len(known)),
        repeated=repeated(rows, labels, parts),
        ambiguous=_in_several_classes((corpus.texts[i], corpus.labels[i]) for i in used),
        unseen_tokens=len({token for i, token in enumerate(tokens) if token and heldout[i]} - place.keys()),
    )
    return Dataset(inputs, lengths, labels, parts, tuple(known), facts, Texts.of(corpus.texts))


def _numbered(corpus: Corpus, used: Integers, encoding: Encoding) -> tuple[list[Integers], list[str], int]:
    """Return the texts as numbers of tokens, these tokens, and how many texts were cut; unused texts stay empty.

    A text without any token is the empty one alone.
    """
    tokenize = TOKENIZERS[encoding.tokens]
    numbers: dict[str, int] = {}
    rows: list[Integers] = [np.zeros(0, np.int64)] * len(corpus.texts)
    cut = 0
    for i in used:
        tokens = tokenize(corpus.texts[i]) or [""]
        cut += len(tokens) > (encoding.max_length or len(tokens))
        tokens = tokens[: encoding.max_length]
        if encoding.max_length is None and len(tokens) > LONGEST:
            got = f"a text of {len(tokens):,} {_NAMES.get(encoding.tokens, encoding.tokens)}"
            raise refuse(*corpus.place(i), got, f"at most {LONGEST:,}, or a data.max_length to cut texts to")
        rows[i] = np.array([numbers.setdefault(token, len(numbers)) for token in tokens])
    return rows, list(numbers), cut


def _counts(rows: list[Integers], examples: Integers, tokens: int) -> Integers:
    """Return how often each token occurs in the examples, (tokens,)."""
    return np.bincount(np.concatenate([rows[i] for i in examples] or [[]]).astype(np.int64), minlength=tokens)


def _lengths(lengths: Integers) -> dict[str, float]:
    return {
        "shortest": int(lengths.min()),
        "longest": int(lengths.max()),
        "mean": float(lengths.mean()),
        "median": float(np.median(lengths)),
    }


def _class_facts(corpus: Corpus, labels: Integers, parts: dict[str, Integers]) -> dict[str, Any]:
    counts = {part: np.bincount(labels[i], minlength=len(corpus.classes)) for part, i in parts.items()}
    majority = int(counts["train"].argmax())
    return {
        "counts": {part: tuple(map(int, count)) for part, count in counts.items()},
        "majority_class": corpus.classes[majority],
        "majority_accuracy": float(counts["test"][majority] / counts["test"].sum()),
    }


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
