"""A baseline that reads no order: multinomial naive Bayes over the tokens of a text. Imports no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.lab.splitting import Integers

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
