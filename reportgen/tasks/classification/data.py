"""Data sets for classification: encoded sequences, divided into parts, and their facts."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from reportgen.data_files.fetching import MOVIE_SNIPPETS, fetched
from reportgen.data_files.sharing import Shared, Texts, shared
from reportgen.errors import DataError, Problem, reading, refuse
from reportgen.lab.data.corpora import (
    IMDB,
    Corpus,
    Reading,
    read_folder,
    read_imdb,
    read_labelled,
    read_polarity,
    read_scored_snippets,
    unpacked,
)
from reportgen.lab.data.surnames import labelled_surnames, origin
from reportgen.lab.data.tables import Form
from reportgen.lab.data.tokens import TOKENIZERS, jieba_version, unspaced_share, vocabulary
from reportgen.lab.data.user_function import read_function, source_digest
from reportgen.lab.settings import PATHS
from reportgen.lab.user_source import UserClass, is_user_code, user_code_digest
from reportgen.tasks.classification.settings import (
    DataSettings,
    FolderSettings,
    FunctionSettings,
    GivenTestSplit,
    ImdbSettings,
    MovieSnippetsSettings,
    PolaritySettings,
    RunSettings,
    SplitSettings,
    SurnamesSettings,
    TableSettings,
)

PARTS = ("train", "validation", "test")
_FEWEST_OF_A_CLASS = 5

Integers = NDArray[np.int64]


def divide(
    labels: Integers, split: GivenTestSplit, limit: int | None = None, test_from: int | None = None
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


def _held_back(examples: int, split: GivenTestSplit, kept: float) -> tuple[int, int]:
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


def check_sizes(corpus: Corpus, split: GivenTestSplit) -> None:
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


_AT_ONCE = 1_000
"""Texts that are scored at once, so that a long test part needs little memory."""


@dataclass(frozen=True)
class NaiveBayes:
    """Logarithms of the prior of each class, (classes,), and of each token's probability, (tokens, classes).

    Row 0 is padding and the last row the unknown token; both are 0, so that neither says anything.
    """

    prior: NDArray[np.float64]
    likelihood: NDArray[np.float64]

    @classmethod
    def fit(cls, inputs: NDArray[np.int32], labels: Integers, classes: int, vocabulary: int) -> "NaiveBayes":
        """Count the tokens 1 … `vocabulary` of texts (examples, longest) with labels (examples,).

        Every count begins at 1 (Laplace). Nothing is chosen, so that no validation part is needed.
        Source: Manning, Raghavan & Schütze, Introduction to Information Retrieval, 2008, figure 13.2.
        """
        counts = np.stack(
            [np.bincount(inputs[labels == label].ravel(), minlength=vocabulary + 2) for label in range(classes)],
            axis=1,
        )[1:-1]
        smoothed = counts + 1.0
        likelihood = np.zeros((vocabulary + 2, classes))
        likelihood[1:-1] = np.log(smoothed / smoothed.sum(axis=0))
        with np.errstate(divide="ignore"):  # a class without an example is never named
            prior = np.log(np.bincount(labels, minlength=classes) / len(labels))
        return cls(prior, likelihood)

    def scores(self, inputs: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return log P(class) + Σ log P(token | class) for texts (examples, longest): (examples, classes)."""
        scores: NDArray[np.float64] = self.prior + self.likelihood[inputs].sum(axis=1)
        return scores


def naive_bayes_accuracy(
    inputs: NDArray[np.int32], labels: Integers, parts: dict[str, Integers], classes: int, vocabulary: int
) -> float:
    """Return the accuracy on the test part of naive Bayes fitted to the training part.

    It reads the very tokens that the networks read, cut to the same length, but not their order.
    """
    trained, tested = parts["train"], parts["test"]
    model = NaiveBayes.fit(inputs[trained], labels[trained], classes, vocabulary)
    right = sum(
        int((model.scores(inputs[some]).argmax(axis=1) == labels[some]).sum())
        for some in np.split(tested, range(_AT_ONCE, len(tested), _AT_ONCE))
    )
    return right / len(tested)


def repeated(rows: list[Integers], labels: Integers, parts: dict[str, Integers]) -> int:
    """Return how many examples of the test part are in the training part too, token for token, in the same class.

    Args:
        rows: the tokens of each example, as numbers, cut as the networks read them.
        labels: shape (examples,).
        parts: indices of examples.
    """
    known = {(rows[i].tobytes(), labels[i]) for i in parts["train"]}
    return sum((rows[i].tobytes(), labels[i]) in known for i in parts["test"])


LONGEST = 5_000
"""Tokens of a text that is not cut: all texts lie in one array, as wide as the longest."""

_NAMES = {"jieba": "words"}

_UNSPACED_FROM = 0.5


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

    empty: int = 0
    """Texts without a token, which are one step of padding."""
    unspaced: float = 0.0
    """Share of the letters that are of scripts without spaces between words."""
    reading: tuple[Reading, ...] = ()
    """How each file was read: its name, its encoding, and the separator of its cells."""
    merged: tuple[tuple[str, str], ...] = ()
    """Classes that were written in two ways, and what each is: 1.0 and 1."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self) | {"reading": tuple(reading._asdict() for reading in self.reading)}


@dataclass(frozen=True)
class Dataset:
    """Labelled sequences of tokens.

    `inputs` has shape (examples, longest): 0 is padding, 1 … V the tokens of the vocabulary, and V + 1 any other
    token. `lengths` and `labels` have shape (examples,). `parts` maps train, validation and test to indices of
    examples. An example in no part is all padding and has the length 0; an empty text is one step of padding, as a
    network reads no fewer, and has the length 1.
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
    return encode(settings.source, corpus, parts, Encoding.of(settings, corpus.texts), _divided(settings, corpus))


def load(settings: DataSettings) -> Corpus:
    """Load the texts that `settings` ask for; InputError for files that cannot be read, whatever is in them."""
    named = (getattr(settings, name, None) for name in PATHS)
    if (file := next(filter(None, named), None)) is None:  # what ships, or what a function of the user's loads
        return _loaded(settings)
    with reading(Path(file), "data that can be learnt from"):
        return _loaded(settings)


def _loaded(settings: DataSettings) -> Corpus:
    match settings:
        case SurnamesSettings():
            return Corpus(*labelled_surnames(settings.languages), settings.languages, origin())
        case MovieSnippetsSettings():
            return read_scored_snippets(fetched(MOVIE_SNIPPETS), (MOVIE_SNIPPETS.requirement.replace("==", " "),))
        case ImdbSettings():
            return read_imdb(Path(settings.folder)) if settings.folder else read_imdb(unpacked(IMDB), (IMDB.file,))
        case PolaritySettings():
            return read_polarity(Path(settings.negative), Path(settings.positive), settings.encoding)
        case TableSettings():
            usual = "\t" if settings.source == "tsv" else ","
            form = Form(settings.encoding, settings.separator, settings.columns, usual)
            tested = Path(settings.test_file) if settings.test_file else None
            return read_labelled(Path(settings.file), settings.source, settings.text, settings.label, tested, form)
        case FolderSettings():
            return read_folder(Path(settings.folder), settings.encoding)
        case FunctionSettings():
            divided = settings.split.test is not None or settings.split.train_per_class is not None
            return read_function(settings, divided=divided)


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
    def of(cls, settings: DataSettings, texts: Sequence[str] = ()) -> "Encoding":
        """Return the encoding that a suite asks for; surnames are read letter by letter.

        Where it does not say what the tokens are, they are words, and characters if half of the texts' letters and
        more are of scripts without spaces between words.
        """
        if isinstance(settings, SurnamesSettings):
            return cls()
        usual = "characters" if unspaced_share(texts) >= _UNSPACED_FROM else "words"
        version = jieba_version() if settings.tokens == "jieba" else ""
        return cls(settings.tokens or usual, settings.vocabulary_size, settings.max_length, version)


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
    index = np.array([place.get(token, unknown) if token else 0 for token in tokens], np.int32)
    lengths = np.array([len(row) for row in rows])
    inputs = np.zeros((len(rows), int(lengths.max())), np.int32)
    for example, row in zip(inputs, rows, strict=True):
        example[: len(row)] = index[row]
    labels = np.array(corpus.labels, np.int64)
    tested = parts["test"]
    said = np.count_nonzero(inputs, axis=1)  # the tokens of a text, of which an empty one has none
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
        unknown_share=np.count_nonzero(inputs[tested] == unknown) / max(1, int(said[tested].sum())),
        max_length=encoding.max_length,
        cut=cut,
        lengths=_lengths(said[used]),
        **_class_facts(corpus, labels, parts),
        naive_bayes_accuracy=naive_bayes_accuracy(inputs, labels, parts, len(corpus.classes), len(known)),
        repeated=repeated(rows, labels, parts),
        ambiguous=_in_several_classes((corpus.texts[i], corpus.labels[i]) for i in used),
        unseen_tokens=len({token for i, token in enumerate(tokens) if token and heldout[i]} - place.keys()),
        empty=int((said[used] == 0).sum()),
        unspaced=unspaced_share(corpus.texts[i] for i in used),
        reading=corpus.reading,
        merged=corpus.merged,
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
    words: list[Any] = [list(corpus.classes), corpus.texts, corpus.labels, asdict(encoding)]
    told = [
        reading[1:]
        for reading in corpus.reading
        if reading.encoding != "UTF-8" or reading.separator in (";", "|", "，")
    ]
    words += [[told, corpus.merged]] if told or corpus.merged else []  # what the report says of the files
    digest = hashlib.sha256(json.dumps(words).encode())
    for array in (parts[part] for part in PARTS):
        digest.update(repr(array.shape).encode())
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()


def key_parts(settings: RunSettings) -> dict[str, Any]:
    """Return what a run's key holds of its data, its word vectors and its loss, and not where they lie."""
    from reportgen.tasks.classification.vectors import vectors_for  # it imports this module

    vectors, loss = settings.model.vectors, settings.training.loss
    parts = {
        "data": data_digest(settings.data),
        "model.vectors": vectors and vectors_for(vectors, settings.data).digest,
    }
    if is_user_code(loss):
        own = UserClass.of(loss)
        parts |= {"training.loss": str(own), "training.source": user_code_digest(own)}
    return parts


def data_digest(settings: DataSettings) -> str:
    """Return a digest of the data, or, where a function loads them, of what they are loaded from."""
    if isinstance(settings, FunctionSettings):
        return source_digest(settings)
    return prepare(settings).facts.digest
