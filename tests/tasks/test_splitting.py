"""Parts by the number of a class to train on, parts around a test part of the data's own, and too few examples."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reportgen.errors import DataError
from reportgen.lab.data.corpora import read_labelled
from reportgen.tasks.classification.data import PARTS, Integers, check_sizes, divide, prepare
from reportgen.tasks.classification.settings import GivenTestSplit, RunSettings, SplitSettings, TableSettings

LABELS = np.repeat([0, 1], [100, 60])


def counts(parts: dict[str, Integers], labels: Integers = LABELS) -> dict[str, list[int]]:
    """Return the examples of each class, by part."""
    return {part: np.bincount(labels[indices], minlength=2).tolist() for part, indices in parts.items()}


def test_equally_many_of_each_class_are_trained_on_and_the_rest_is_tested() -> None:
    """40 of each class to train on, a tenth of each to validate, and what is left to test, as in 4,000 + 4,000."""
    parts = divide(LABELS, SplitSettings(train_per_class=40, validation=0.1))
    assert counts(parts) == {"train": [40, 40], "validation": [10, 6], "test": [50, 14]}


def test_without_a_validation_part_all_the_rest_is_tested() -> None:
    """The published setting: so many of each class to train on, everything else to test on."""
    parts = divide(LABELS, SplitSettings(train_per_class=40, validation=0))
    assert counts(parts) == {"train": [40, 40], "validation": [0, 0], "test": [60, 20]}


def test_a_split_by_count_is_seeded() -> None:
    """The same seed gives the same parts, another seed others of the same sizes."""
    once, again, other = (divide(LABELS, SplitSettings(train_per_class=40, seed=seed)) for seed in (3, 3, 4))
    assert all(once[part].tolist() == again[part].tolist() for part in PARTS)
    assert once["train"].tolist() != other["train"].tolist()
    assert counts(once) == counts(other)


def test_a_limit_lowers_the_count_in_proportion() -> None:
    """Half of the examples leaves half of the 40 to train on."""
    parts = divide(LABELS, SplitSettings(train_per_class=40, validation=0.1), limit=80)
    assert counts(parts) == {"train": [20, 20], "validation": [5, 3], "test": [25, 7]}


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(33, 90), st.integers(33, 90), st.none() | st.integers(1, 100))
def test_no_part_is_without_a_class_whatever_the_count(
    wanted: int, one: int, other: int, limit: int | None
) -> None:
    """Each class is trained on, validated on and tested on, and no example is in two parts."""
    labels = np.repeat([0, 1], [one, other])
    parts = divide(labels, SplitSettings(train_per_class=min(wanted, 25), validation=0.05), limit)
    assert all(count > 0 for part in counts(parts, labels).values() for count in part)
    together = np.concatenate(list(parts.values()))
    assert len(set(together.tolist())) == len(together)


def test_a_test_part_of_its_own_is_kept() -> None:
    """From the example 120 on all is tested; what is before is divided into the other two parts."""
    labels = np.tile([0, 1], 80)
    parts = divide(labels, GivenTestSplit(validation=0.1), test_from=120)
    assert counts(parts, labels) == {"train": [54, 54], "validation": [6, 6], "test": [20, 20]}
    assert parts["test"].tolist() == list(range(120, 160))


@pytest.mark.parametrize(("split", "message"), [
    ({"train_per_class": 10, "test": 0.2}, "test or train_per_class, of which one follows from the other"),
    ({"test": 0.95}, "test . validation below 1"),
    ({"validation": 0.8}, "test . validation below 1"),
    ({"train_per_class": 0}, "greater than 0"),
])  # fmt: skip
def test_a_split_that_cannot_be_is_refused(split: dict[str, object], message: str) -> None:
    """What contradicts itself is told before any data are read."""
    with pytest.raises(ValidationError, match=message):
        SplitSettings.model_validate(split)


def table(folder: Path, yes: int, no: int, name: str = "texts.csv") -> Path:
    """Write a table with so many examples of each class, those of `yes` first."""
    rows = [f"text {i},yes" for i in range(yes)] + [f"text {i},no" for i in range(no)]
    (folder / name).write_text("text,label\n" + "\n".join(rows) + "\n")
    return folder / name


@pytest.mark.parametrize(("split", "message"), [
    ({"train_per_class": 9, "validation": 0.1},
     "1: split.train_per_class: got 9, expected at most 8: the class 'no' has 10, of which some are needed to "
     "validate and to test on"),
    ({"train_per_class": 10, "validation": 0},
     "1: split.train_per_class: got 10, expected at most 9: the class 'no' has 10, of which one is tested"),
])  # fmt: skip
def test_a_class_with_too_few_for_the_count_is_one_message(
    split: dict[str, object], message: str, tmp_path: Path
) -> None:
    """The message says how many there may be, and why."""
    file = table(tmp_path, 12, 10)
    with pytest.raises(DataError) as caught:
        check_sizes(read_labelled(file, "csv", "text", "label"), SplitSettings.model_validate(split))
    assert str(caught.value).split(":", 1)[1] == message


def test_a_stray_class_is_told_at_its_line(tmp_path: Path) -> None:
    """A label that occurs once, maybe by a slip, cannot be in every part; its line is named."""
    file = table(tmp_path, 5, 1)
    with pytest.raises(DataError) as caught:
        check_sizes(read_labelled(file, "csv", "text", "label"), SplitSettings())
    assert (
        str(caught.value)
        == f"{file}:7: got 1 of the class 'no', expected three examples or more, one for each part"
    )
    check_sizes(read_labelled(table(tmp_path, 5, 3), "csv", "text", "label"), SplitSettings())
    check_sizes(read_labelled(table(tmp_path, 5, 2), "csv", "text", "label"), SplitSettings(validation=0))


def test_a_second_table_is_the_test_part(tmp_path: Path) -> None:
    """With a test_file its rows are tested, and the first table is divided into the other two parts."""
    given = {"source": "csv", "file": str(table(tmp_path, 20, 10)),
             "test_file": str(table(tmp_path, 2, 3, "held out.csv"))}  # fmt: skip
    facts = prepare(TableSettings.model_validate(given)).facts
    assert facts.counts == {"train": (9, 18), "validation": (1, 2), "test": (3, 2)}  # no, yes
    assert (facts.divided, facts.origin) == ("own_test", ("texts.csv", "held out.csv"))
    for split in ({"test": 0.3}, {"train_per_class": 3}):
        with pytest.raises(ValidationError, match=r"no split\.test or split\.train_per_class with test_file"):
            TableSettings.model_validate({**given, "split": split})


@pytest.mark.parametrize(("data", "test"), [
    ({"source": "surnames"}, 0.2),
    ({"source": "surnames", "split": {"test": 0.3}}, 0.3),
    ({"source": "surnames", "split": {"train_per_class": 50}}, None),
    ({"source": "csv", "file": "/a/b.csv", "test_file": "/a/c.csv"}, None),
])  # fmt: skip
def test_the_fraction_that_is_told_is_the_one_that_counts(data: dict[str, object], test: float | None) -> None:
    """A report lists 0.2 where nothing was said, and nothing where no fraction decides; files have their names."""
    told = RunSettings.model_validate({"data": data, "model": {"cell": "rnn"}}).as_printed()["data"]
    assert told["split"]["test"] == test
    assert told.get("test_file") in (None, "c.csv")


def test_a_count_can_be_swept() -> None:
    """The settings of a run that was resolved can be read again, as a worker does."""
    given = {"data": {"source": "surnames", "split": {"train_per_class": 50}}, "model": {"cell": "rnn"}}
    resolved = RunSettings.model_validate(given)
    assert RunSettings.model_validate(resolved.model_dump(mode="json")) == resolved
