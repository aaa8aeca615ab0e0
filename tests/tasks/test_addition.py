"""Addition: the sums are right, the network learns to carry, and the log says when."""

import math
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor, nn

from reportgen.lab.record import Record, from_files, to_files
from reportgen.lab.training.loop import Hooks, Logged
from reportgen.tasks.addition.data import draw, sums_of
from reportgen.tasks.addition.model import Adder
from reportgen.tasks.addition.run import score
from reportgen.tasks.registry import run_settings
from reportgen.tasks.runs import carry_out, key_parts

NUMBERS = st.integers(0, 10**40 - 1)


def number(digits: Tensor) -> int:
    """Return the number whose digits those are, the last one first."""
    return int("".join(str(digit) for digit in reversed(digits.tolist())))


def digits_of(value: int, places: int) -> list[int]:
    """Return the digits of a number, the last one first."""
    return [int(digit) for digit in reversed(f"{value:0{places}d}")]


def adding(**training: Any) -> dict[str, Any]:
    """Return plain settings of a small run."""
    return {
        "data": {"source": "addition", "digits": 3, "test_numbers": 40, "test_lengths": [2, 6]},
        "model": {"cell": "gru", "layers": 1, "hidden_size": 24},
        "training": {"steps": 6, "batch_size": 16, "log_every": 4, **training},
    }


def carried_out(raw: dict[str, Any], seed: int = 0, **hooks: Any) -> Record:
    """Carry out a run with its proper key."""
    settings = run_settings(raw)
    return carry_out(settings, seed, key_parts(settings, seed), **hooks)


def numbers(record: Record) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """Return all that a run came to, without the times."""
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in record.steps]
    return rows, {name: value for name, value in record.measures.items() if "seconds" not in name}


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
@example([(10**40 - 1, 1), (10**40 - 1, 10**40 - 1), (0, 0), (5 * 10**39, 5 * 10**39)])
@example([(123456789, 999999999 - 123456789), (199999, 1)])
def test_the_sums_are_pythons(pairs: list[tuple[int, int]]) -> None:
    """Digit by digit, the sums are those of Python's integers: chains of carries, too."""
    rows = [list(zip(digits_of(a, 41), digits_of(b, 41), strict=True)) for a, b in pairs]
    sums = sums_of(torch.tensor(rows, dtype=torch.uint8))
    assert [number(row) for row in sums] == [a + b for a, b in pairs]


@given(st.integers(1, 60), st.integers(0, 1000))
def test_drawn_numbers_leave_room_for_the_carry(digits: int, seed: int) -> None:
    """The numbers have so many digits, each from 0 to 9, one more place that is 0, and their sum fits in."""
    pairs = draw(4, digits, torch.Generator().manual_seed(seed))
    assert pairs.shape == (4, digits + 1, 2)
    assert int(pairs.max()) <= 9
    assert pairs[:, -1].count_nonzero() == 0
    found = [number(row) for row in sums_of(pairs)]
    assert found == [number(first) + number(second) for first, second in zip(*pairs.unbind(2), strict=True)]


def test_every_digit_is_drawn_about_as_often() -> None:
    """Of 20,000 digits each makes up a tenth, within five standard deviations."""
    counts = draw(100, 100, torch.Generator().manual_seed(0))[:, :-1].flatten().bincount(minlength=10)
    assert counts.sum() == 20_000
    assert (counts - 2000).abs().max() < 5 * math.sqrt(20_000 * 0.09)


class Carryless(nn.Module):
    """Adds without ever carrying."""

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits that are sure of the sum of the two digits, modulo 10."""
        return 50 * nn.functional.one_hot(pairs.sum(2) % 10, 10).float()


def test_a_score_counts_digits_and_whole_sums() -> None:
    """Of 12 + 34 and 15 + 25, adding without carrying gets five digits of six right, and one sum of two."""
    rows = [[(2, 4), (1, 3), (0, 0)], [(5, 5), (1, 2), (0, 0)]]
    found = score(Carryless(), torch.tensor(rows, dtype=torch.uint8))
    assert (found.digit_accuracy, found.exact_accuracy) == (5 / 6, 0.5)
    assert found.loss == pytest.approx(50 / 6)


def test_a_score_does_not_hang_on_how_it_is_batched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured a few numbers at a time, the figures are the same."""
    torch.manual_seed(0)
    model, pairs = Adder(cell="rnn", hidden_size=8, layers=1, embedding_size=4), draw(30, 9, torch.Generator())
    whole = score(model, pairs)
    monkeypatch.setattr("reportgen.tasks.addition.run._MOST_DIGITS", 40)
    parts = score(model, pairs)
    assert (parts.digit_accuracy, parts.exact_accuracy) == (whole.digit_accuracy, whole.exact_accuracy)
    assert parts.loss == pytest.approx(whole.loss)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_carrying_is_learnt(cell: str) -> None:
    """A small network adds numbers of three digits without a mistake, and the log says from which step."""
    raw = adding(steps=600, batch_size=64, log_every=50, learning_rate=0.01)
    record = carried_out({**raw, "model": {**raw["model"], "cell": cell}})
    log, measures = record.steps, record.measures
    assert (measures["digit_accuracy"], measures["exact_accuracy"]) == (1.0, 1.0)
    exact = [row["step"] for row in log if row["exact_accuracy"] == 1]
    wrong = [row["step"] for row in log if row["exact_accuracy"] < 1]
    assert measures["first_step"] == exact[0]
    assert measures["steady_step"] == min(step for step in exact if step > max(wrong))
    assert measures["lengths"][0]["exact_accuracy"] == 1.0
    for told in measures["examples"]:
        assert int(told["first"]) + int(told["second"]) == int(told["sum"]) == int(told["told"])


def test_sums_never_right_have_no_first_step() -> None:
    """A network that was hardly trained has reached nothing, and the record says so."""
    record = carried_out(adding(learning_rate=1e-9))
    assert (record.status, record.measures["first_step"], record.measures["steady_step"]) == (
        "finished",
        None,
        None,
    )


def test_the_log_has_its_steps_and_ends_with_the_last() -> None:
    """Every four of six steps, and at the end; the run tells of each row."""
    heard: list[Logged] = []
    batches: list[None] = []
    record = carried_out(adding(), hooks=Hooks(heard.append, lambda: batches.append(None)))
    assert [row["step"] for row in record.steps] == [4, 6]
    assert [(told.number, told.loss) for told in heard] == [(r["step"], r["test_loss"]) for r in record.steps]
    assert len(batches) == 6
    assert record.measures["steps"] == 6


def test_how_often_is_logged_changes_nothing_that_is_learnt() -> None:
    """The weights come from the steps alone: with another log the network does as well on the test lengths."""
    often, seldom = (carried_out(adding(log_every=every)) for every in (1, 6))
    assert often.measures["lengths"] == seldom.measures["lengths"]


def test_the_test_lengths_are_tested() -> None:
    """Each length of the suite is measured, and its figures are of numbers of that length."""
    lengths = carried_out(adding()).measures["lengths"]
    assert [row["digits"] for row in lengths] == [2, 6]
    for row in lengths:
        places = 40 * (row["digits"] + 1)
        assert row["digit_accuracy"] * places == pytest.approx(round(row["digit_accuracy"] * places))


def test_the_same_seed_gives_the_same_bits() -> None:
    """Log and measures repeat exactly, whatever torch's global generator was at; another seed differs."""
    torch.manual_seed(1)
    first = numbers(carried_out(adding(), seed=3))
    torch.manual_seed(2)
    assert numbers(carried_out(adding(), seed=3)) == first
    assert numbers(carried_out(adding(), seed=4))[0] != first[0]


def test_test_numbers_are_never_those_of_a_run() -> None:
    """Even with one seed for both, the numbers tested on are not those trained on."""
    raw = adding(learning_rate=1e-30, batch_size=40, steps=1, log_every=1)
    record = carried_out({**raw, "data": {**raw["data"], "test_seed": 0}}, seed=0)
    (row,) = record.steps
    assert row["train_loss"] != row["test_loss"]


def test_a_rate_far_too_high_is_a_diverged_record() -> None:
    """The record keeps the log before, says in which step it was, and is read back as it was."""
    record = carried_out(adding(steps=40, log_every=1, learning_rate=1e38, optimizer="sgd"))
    assert record.status == "diverged"
    assert record.error == f"the loss is not finite in step {len(record.steps) + 1}"
    assert record.task == "addition"
    again = from_files(to_files(record))
    assert (again.steps, again.error) == (record.steps, record.error)


def test_a_finished_record_is_read_back() -> None:
    """Steps, measures and data survive the disk; the steps are whole numbers there."""
    record = carried_out(adding())
    files = to_files(record)
    again = from_files(files)
    assert (again.steps, again.measures, again.data, again.task) == (
        record.steps, record.measures, {**record.data, "test_lengths": [2, 6]}, "addition",
    )  # fmt: skip
    assert files["steps.csv"].decode().splitlines()[1].startswith("4,")
