"""The data: how it is divided, what it becomes, and the facts that a report states of it."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from toy_data import TEXTS, TOY_LABELS, TOY_PARTS, toy

from reportgen.lab.data.surnames import labelled_surnames, surnames
from reportgen.tasks.classification.data import PARTS, Dataset, Integers, divide, prepare
from reportgen.tasks.classification.settings import (
    SURNAME_LANGUAGES,
    SplitSettings,
    SurnameLanguage,
    SurnamesSettings,
)

SPLIT = SplitSettings(test=0.2, validation=0.1)
LABELS = np.repeat([0, 1, 2], [100, 50, 10])


def as_lists(parts: dict[str, Integers]) -> dict[str, list[int]]:
    """Return the parts as lists."""
    return {part: indices.tolist() for part, indices in parts.items()}


splits = (
    st.tuples(st.floats(0.001, 0.999), st.just(0.0) | st.floats(0.001, 0.999), st.integers(0, 2**32 - 1))
    .filter(lambda drawn: drawn[0] + drawn[1] < 1)
    .map(lambda drawn: SplitSettings(test=drawn[0], validation=drawn[1], seed=drawn[2]))
)


def test_every_part_has_every_class_in_proportion() -> None:
    """Of 100, 50 and 10 examples, 20 % go to the test part and 10 % to the validation part, class by class."""
    parts = divide(LABELS, SPLIT)
    counts = {part: np.bincount(LABELS[indices]).tolist() for part, indices in parts.items()}
    assert counts == {"train": [70, 35, 7], "validation": [10, 5, 1], "test": [20, 10, 2]}


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), splits)
def test_parts_share_nothing_and_leave_nothing_out(labels: list[int], split: SplitSettings) -> None:
    """Without a limit, every example is in exactly one part."""
    parts = divide(np.array(labels), split)
    assert tuple(sorted(parts)) == tuple(sorted(PARTS))
    assert sorted(i for indices in parts.values() for i in indices.tolist()) == list(range(len(labels)))


@example([3], SplitSettings(test=0.05, validation=0.9), None)
@example([3], SplitSettings(test=0.9, validation=0.05), None)
@settings(deadline=None)
@given(st.lists(st.integers(3, 60), min_size=1, max_size=4), splits, st.none() | st.integers(1, 100))
def test_no_part_goes_without_a_class(counts: list[int], split: SplitSettings, limit: int | None) -> None:
    """However lopsided the split, each class of three or more is trained on, validated on and tested on."""
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = divide(labels, split, limit)
    expected = {part: set(range(len(counts))) for part in PARTS}
    if not split.validation:
        expected["validation"] = set()
    assert {part: set(labels[indices].tolist()) for part, indices in parts.items()} == expected


def test_the_same_seed_divides_alike_and_another_otherwise() -> None:
    """The split depends on its seed and on nothing else that is drawn."""
    once, again = as_lists(divide(LABELS, SPLIT)), as_lists(divide(LABELS, SPLIT))
    other = as_lists(divide(LABELS, SplitSettings(test=0.2, validation=0.1, seed=1)))
    assert once == again
    assert all(once[part] != other[part] for part in PARTS)


def test_without_a_validation_share_there_is_no_validation_part() -> None:
    """A validation fraction of zero leaves the part empty, and its examples to the training part."""
    parts = divide(LABELS, SplitSettings(test=0.2, validation=0.0))
    assert {part: len(indices) for part, indices in parts.items()} == {"train": 128, "validation": 0, "test": 32}


def test_a_limit_keeps_the_proportions_but_at_least_five_of_a_class() -> None:
    """Half of 100, 50 and 10 is 50, 25 and 5; a tenth is 10, and 5 of the others."""
    half, tenth = (divide(LABELS, SPLIT, limit) for limit in (80, 16))
    assert np.bincount(LABELS[np.concatenate(list(half.values()))]).tolist() == [50, 25, 5]
    assert np.bincount(LABELS[np.concatenate(list(tenth.values()))]).tolist() == [10, 5, 5]


def test_a_limit_above_what_there_is_changes_nothing() -> None:
    """Asking for more examples than there are gives all of them."""
    assert as_lists(divide(LABELS, SPLIT, 10_000)) == as_lists(divide(LABELS, SPLIT))


def test_symbols_become_their_place_in_the_training_alphabet() -> None:
    """1 is a, 2 is b, 3 is c, d and x, which the training part does not have; 0 is padding. The last is unused."""
    data = toy()
    assert data.inputs.tolist() == [
        [1, 2, 0], [2, 1, 0], [2, 0, 0], [1, 2, 3], [1, 2, 0], [3, 3, 3], [1, 0, 0], [0, 0, 0],
    ]  # fmt: skip
    assert data.lengths.tolist() == [2, 2, 1, 3, 2, 3, 1, 0]
    assert data.labels.tolist() == TOY_LABELS
    assert list(data.texts) == list(TEXTS)


def test_the_facts_of_the_toy_set() -> None:
    """Everything that a report says of the data, counted by hand; the unused text counts nowhere."""
    facts = toy().facts
    assert (facts.source, facts.origin, facts.classes) == ("toy", ("by hand 1.0",), ("cat", "dog"))
    assert facts.counts == {"train": (2, 1), "validation": (0, 2), "test": (1, 1)}
    assert (facts.tokens, facts.vocabulary, toy().vocabulary) == ("letters", 2, ("a", "b"))
    assert facts.unknown_share == 3 / 4  # x, c and c of the test part's xcc and a
    # lengths 2 2 1 3 2 3 1
    assert facts.lengths == {"shortest": 1, "longest": 3, "mean": 2.0, "median": 2.0}
    assert (facts.majority_class, facts.majority_accuracy) == ("cat", 0.5)
    assert facts.ambiguous == 1  # ab is a cat and a dog
    assert facts.unseen_tokens == 3  # d to validate on; x and c, twice, to test on


def test_a_text_that_occurs_twice_in_one_class_is_not_ambiguous() -> None:
    """Only a text with two different classes cannot be got right."""
    assert toy(labels=[0, 0, 1, 1, 0, 1, 0, 1]).facts.ambiguous == 0


def test_the_majority_accuracy_is_of_the_training_parts_class_on_the_test_part() -> None:
    """Two of three to train on are dogs; one of four to test on is."""
    data = toy(["a"] * 7, [1, 1, 0, 0, 0, 1, 0], {"train": [0, 1, 2], "validation": [], "test": [3, 4, 5, 6]})
    assert (data.facts.majority_class, data.facts.majority_accuracy) == ("dog", 0.25)


def test_the_facts_are_plain_values() -> None:
    """What goes into a JSON file is the facts field by field."""
    facts = toy().facts
    assert facts.as_json() == vars(facts)


def test_the_digest_is_of_the_content_alone() -> None:
    """Equal data has an equal digest; 64 hexadecimal digits."""
    assert toy().facts.digest == toy().facts.digest
    assert len(toy().facts.digest) == 64


@pytest.mark.parametrize(
    "changed",
    [
        toy(texts=["ab", "ba", "a", *TEXTS[3:]]),
        toy(texts=[*TEXTS[:5], "xcd", *TEXTS[6:]]),  # one unseen symbol for another
        toy(texts=[*TEXTS[:5], "xc", *TEXTS[6:]]),  # one unseen symbol less
        toy(texts=[text.replace("b", "z") for text in TEXTS]),  # the same indices, another alphabet
        toy(texts=[*TEXTS[:7], "unuse"]),
        toy(labels=[1, *TOY_LABELS[1:]]),
        toy(parts={**TOY_PARTS, "test": [6]}),
        toy(parts={**TOY_PARTS, "validation": [3], "test": [4, 5, 6]}),
        toy(parts={**TOY_PARTS, "validation": TOY_PARTS["test"], "test": TOY_PARTS["validation"]}),
        toy(classes=["cat", "cow"]),
    ],
    ids=["text", "unseen", "shorter", "alphabet", "unused", "label", "part", "moved", "swapped", "class"],
)
def test_the_digest_sees_every_change(changed: Dataset) -> None:
    """Any other text, label, class or part gives another digest."""
    assert changed.facts.digest != toy().facts.digest


def surname_data(
    limit: int = 60, seed: int = 0, languages: tuple[SurnameLanguage, ...] = ("Greek", "Tamil")
) -> Dataset:
    """Return a small set of surnames."""
    split = SplitSettings(test=0.2, validation=0.1, seed=seed)
    return prepare(SurnamesSettings(source="surnames", languages=languages, limit=limit, split=split))


def test_prepared_surnames_are_those_of_their_languages() -> None:
    """Read back through the alphabet, every name of the training part is on the list of its language."""
    data = surname_data()
    for i in data.parts["train"]:
        name = "".join(data.vocabulary[index - 1] for index in data.inputs[i, : data.lengths[i]])
        assert name in surnames(data.facts.classes[data.labels[i]])


def test_prepared_data_has_about_as_many_examples_as_asked_for() -> None:
    """The limit is met up to rounding, one example a class."""
    used = sum(map(sum, surname_data().facts.counts.values()))
    assert abs(used - 60) <= 1


def test_prepared_data_differs_by_its_settings() -> None:
    """Limit, seed of the split and languages each give other data, the same settings the same."""
    digests = [
        surname_data(limit=60).facts.digest,
        surname_data(limit=61 + 10).facts.digest,
        surname_data(seed=1).facts.digest,
        surname_data(languages=("Tamil", "Greek")).facts.digest,
    ]
    assert len(set(digests)) == 4
    prepare.cache_clear()
    assert surname_data(limit=60).facts.digest == digests[0]


@pytest.mark.parametrize("language", SURNAME_LANGUAGES)
def test_surnames_are_plain_lower_case_words(language: SurnameLanguage) -> None:
    """Each list is ASCII, without capitals, sorted, without repetition, and of at least 200 names."""
    names = surnames(language)
    assert [name for name in names if not name.isascii() or name != name.lower() or not name.strip()] == []
    assert names == sorted(set(names))
    assert len(names) >= 200


def test_labels_are_the_places_of_the_languages() -> None:
    """The order of the languages gives the labels, and every name of each is there."""
    names, labels = labelled_surnames(["Tamil", "Greek"])
    assert names == surnames("Tamil") + surnames("Greek")
    assert labels == [0] * len(surnames("Tamil")) + [1] * len(surnames("Greek"))
