"""A data set of a few made-up texts."""

from collections.abc import Sequence

import numpy as np

from reportgen.lab.data.corpora import Corpus
from reportgen.tasks.classification.data import Dataset, encode

# Worked out by hand below: the training part is ab, ba, b; its alphabet is a, b.
TEXTS = ["ab", "ba", "b", "abd", "ab", "xcc", "a", "unused"]


TOY_LABELS = [0, 0, 1, 1, 1, 1, 0, 1]


TOY_PARTS = {"train": [0, 1, 2], "validation": [3, 4], "test": [5, 6]}


def toy(
    texts: Sequence[str] = TEXTS,
    labels: Sequence[int] = TOY_LABELS,
    parts: dict[str, list[int]] = TOY_PARTS,
    classes: Sequence[str] = ("cat", "dog"),
) -> Dataset:
    """Return the toy set, or one that differs from it in what is given."""
    arrays = {part: np.array(indices, np.int64) for part, indices in parts.items()}
    return encode("toy", Corpus(list(texts), list(labels), tuple(classes), ("by hand 1.0",)), arrays)
