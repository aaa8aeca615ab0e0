"""What is known of the data before any network: naive Bayes, which reads no order, and examples that repeat."""

import numpy as np
import pytest
from toy_data import toy

from reportgen.tasks.classification.data import NaiveBayes, naive_bayes_accuracy

# Manning, Raghavan & Schütze 2008, table 13.1: four documents to learn from and one to tell, China or not.
BOOK = ["Chinese", "Beijing", "Shanghai", "Macao", "Tokyo", "Japan"]
LEARNT = ["Chinese Beijing Chinese", "Chinese Chinese Shanghai", "Chinese Macao", "Tokyo Japan Chinese"]
TOLD = "Chinese Chinese Chinese Tokyo Japan"


def numbered(*texts: str) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Return texts as tokens from 1, filled up with 0."""
    rows = [[BOOK.index(word) + 1 if word in BOOK else len(BOOK) + 1 for word in text.split()] for text in texts]
    longest = max(map(len, rows))
    return np.array([row + [0] * (longest - len(row)) for row in rows], np.int32)


def book() -> NaiveBayes:
    """Return naive Bayes fitted to the example of the book; class 1 is China."""
    return NaiveBayes.fit(numbered(*LEARNT), np.array([1, 1, 1, 0]), 2, len(BOOK))


def test_naive_bayes_gives_the_probabilities_of_the_book() -> None:
    """The priors and the smoothed probabilities are those that Manning et al. work out in example 13.1."""
    model = book()
    assert np.exp(model.prior) == pytest.approx([1 / 4, 3 / 4])
    words = {word: np.exp(model.likelihood[BOOK.index(word) + 1]) for word in ("Chinese", "Tokyo", "Japan")}
    assert words["Chinese"] == pytest.approx([2 / 9, 3 / 7])
    assert words["Tokyo"] == pytest.approx([2 / 9, 1 / 14])
    assert words["Japan"] == pytest.approx([2 / 9, 1 / 14])


def test_naive_bayes_decides_as_the_book_does() -> None:
    """The fifth document is about China: 3/4·(3/7)³·(1/14)² ≈ 0.0003 against 1/4·(2/9)⁵ ≈ 0.0001."""
    (scores,) = np.exp(book().scores(numbered(TOLD)))
    assert scores == pytest.approx([1 / 4 * (2 / 9) ** 5, 3 / 4 * (3 / 7) ** 3 / 14**2])
    assert scores.round(4).tolist() == [0.0001, 0.0003]


def test_naive_bayes_reads_no_order_no_padding_and_no_unknown_token() -> None:
    """Another order, padding at the end, and a token outside the vocabulary change no score."""
    turned = numbered("Japan Chinese Tokyo Chinese Chinese", "Chinese Chinese Chinese Tokyo Japan Osaka")
    expected = book().scores(numbered(TOLD))
    assert book().scores(turned) == pytest.approx(np.repeat(expected, 2, axis=0))


def test_the_accuracy_is_of_the_test_part_fitted_to_the_training_part() -> None:
    """Trained on a/b alone, it tells aa from bb; it gets the three of four that look their class."""
    inputs = np.array([[1, 1], [2, 2], [2, 2], [1, 1], [1, 0], [2, 0], [2, 2], [1, 1]], np.int32)
    labels = np.array([0, 1, 0, 1, 0, 1, 1, 1])
    parts = {"train": np.array([0, 1]), "validation": np.array([2, 3]), "test": np.array([4, 5, 6, 7])}
    assert naive_bayes_accuracy(inputs, labels, parts, 2, 2) == 0.75


def test_many_texts_are_scored_in_pieces() -> None:
    """2,500 test texts, of which 500 are of the other class than they look, are 80 % right."""
    inputs = np.array([[1], [2]] + [[1]] * 2_500, np.int32)
    labels = np.array([0, 1] + [0] * 2_000 + [1] * 500)
    parts = {"train": np.array([0, 1]), "validation": np.array([], np.int64), "test": np.arange(2, 2_502)}
    assert naive_bayes_accuracy(inputs, labels, parts, 2, 2) == 0.8


@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        (["ab", "ba", "ab", "ba"], [0, 1, 0, 1], 2),
        (["ab", "ba", "ab", "bb"], [0, 1, 0, 1], 1),
        (["ab", "ba", "ab", "ba"], [0, 1, 1, 0], 0),
        (["ab", "ba", "aa", "bb"], [0, 1, 0, 1], 0),
    ],
    ids=["both", "one", "in the other class", "none"],
)
def test_repeated_examples_are_those_of_the_same_text_and_class(
    texts: list[str], labels: list[int], expected: int
) -> None:
    """An example of the test part counts if the training part has its text in its class."""
    parts: dict[str, list[int]] = {"train": [0, 1], "validation": [], "test": [2, 3]}
    assert toy(texts, labels, parts).facts.repeated == expected
