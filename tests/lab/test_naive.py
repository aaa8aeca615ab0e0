"""The naive form of a cell written by hand: the same numbers as the trained one, timed beside it."""

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from conftest import GOLDEN
from torch import nn

from reportgen.analysis.probes import CellTimes, cell_times
from reportgen.lab.models.cells import (
    HandwrittenGRU,
    HandwrittenLSTM,
    HandwrittenPeepholeLSTM,
    HandwrittenRNN,
    Stack,
)
from reportgen.lab.models.naive import MOST_STEPS, measure, step_by_step
from reportgen.lab.record import Record
from reportgen.provenance.rerun import unequal_parts
from reportgen.tasks.registry import run_settings
from reportgen.tasks.runs import carry_out, key_parts

STACKS: tuple[Callable[..., Stack], ...] = (
    HandwrittenRNN,
    HandwrittenLSTM,
    HandwrittenGRU,
    HandwrittenPeepholeLSTM,
)

RUNS: dict[str, dict[str, Any]] = {
    "classification": {
        "data": {"source": "surnames", "languages": ["Chinese", "Greek"], "limit": 60},
        "training": {"epochs": 1, "batch_size": 16},
    },
    "addition": {
        "data": {"source": "addition", "digits": 3, "test_numbers": 8, "test_lengths": []},
        "training": {"steps": 2, "batch_size": 4, "log_every": 2},
    },
    "forecasting": {
        "data": {"source": "sine", "sequences": 6, "length": 40, "time_scale": 3},
        "training": {"optimizer": "adam", "steps": 2},
    },
}


def trained(task: str, cell: str = "handwritten_lstm") -> Record:
    """Return the record of a tiny run."""
    settings = run_settings({**RUNS[task], "model": {"cell": cell, "hidden_size": 4}, "device": "cpu"})
    record = carry_out(settings, 0, key_parts(settings, 0))
    assert record.status == "finished", record.error
    return record


@pytest.mark.parametrize("kind", STACKS)
def test_the_naive_form_gives_the_numbers_that_are_trained(kind: Callable[..., Stack]) -> None:
    """Called once a step, two layers have the states, and the gradients, of the form that suites train."""
    torch.manual_seed(0)
    network = kind(3, 5, 2).double()
    x = torch.randn(4, 6, 3, dtype=torch.float64, requires_grad=True)
    found = []
    for states in (step_by_step(network)(x), network(x)[0]):
        network.zero_grad()
        (slope,) = torch.autograd.grad(states.square().sum(), x, retain_graph=True)
        found.append((states, slope))
    for naive, by_hand in zip(*found, strict=True):
        torch.testing.assert_close(naive, by_hand)


@pytest.mark.parametrize("kind", STACKS)
def test_every_form_is_timed_on_at_most_so_many_steps(kind: Callable[..., Stack]) -> None:
    """Naive, by hand, and torch.nn's, which has no peepholes; batch and steps are told."""
    times = measure(kind(3, 5), torch.randn(4, 40, 3))["cell_seconds"]
    assert list(times) == ["batch", "steps", "torch", "naive", "by_hand"]
    assert (times["batch"], times["steps"]) == (4, MOST_STEPS)
    assert (times["torch"] is None) == (kind is HandwrittenPeepholeLSTM)
    assert all(seconds > 0 for name, seconds in times.items() if seconds is not None)


def test_timing_leaves_no_trace() -> None:
    """Weights, gradients and torch's generator are as they were."""
    network = HandwrittenLSTM(3, 5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    measure(network, torch.zeros(4, 6, 3))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weights.grad is None for weights in network.parameters())


def test_the_source_is_that_of_the_step() -> None:
    """It is the cell's own code, with what it calls, and without docstrings; other networks have none."""
    source = measure(HandwrittenLSTM(3, 5), torch.zeros(2, 2, 3))["step_source"]
    assert source.splitlines() == [
        "def forward(self, x: Tensor, state: State) -> State:",
        "    h, c = state",
        "    i, f, g, o = self.W(torch.cat([x, h], dim=1)).chunk(4, dim=1)",
        "    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)",
        "    return torch.sigmoid(o) * torch.tanh(c), c",
    ]
    peephole = measure(HandwrittenPeepholeLSTM(3, 5), torch.zeros(2, 2, 3))["step_source"]
    assert "def _step(self" in peephole
    assert "self.linear_o_c(c)" in peephole
    assert measure(nn.LSTM(3, 5), torch.zeros(2, 2, 3)) == {}


@pytest.mark.parametrize("task", RUNS)
def test_a_run_of_any_task_has_the_times_in_its_record(task: str) -> None:
    """On a batch of its own size; trained again, it is the same run, since times count for nothing."""
    record = trained(task)
    batches = {"classification": 16, "addition": 4}
    if task in batches:
        assert record.measures["cell_seconds"]["batch"] == batches[task]
    assert unequal_parts(record, trained(task)) == []
    assert "cell_seconds" not in trained(task, "lstm").measures


def results_of(*measures: dict[str, Any]) -> Any:
    """Return results of one variant with a finished run for each of these measures."""
    records = {str(place): SimpleNamespace(measures=own) for place, own in enumerate(measures)}
    return SimpleNamespace(runs_of=lambda _: list(records), records=records)


def test_times_are_medians_over_seeds_in_milliseconds() -> None:
    """Of three seeds the middle one counts for each form; a variant without times has none."""
    rows = [(3.0, 0.5, 0.25), (1.0, 2.0, 0.5), (2.0, 1.0, 1.0)]
    measured = [
        {
            "step_source": "def forward",
            "cell_seconds": {"batch": 8, "steps": 5, "naive": naive, "by_hand": own, "torch": theirs},
        }
        for naive, own, theirs in rows
    ]
    found = cell_times(results_of(*measured), "lstm")
    assert found == CellTimes("lstm", "def forward", 8, 5, 2000.0, 1000.0, 500.0)
    assert list(found.forms) == ["naive", "by_hand", "torch"]
    assert list(replace(found, torch=None).forms) == ["naive", "by_hand"]
    assert cell_times(results_of({}), "rnn") is None
    assert cell_times(results_of(), "rnn") is None


@pytest.mark.parametrize(
    ("code", "caption"), [("en", "LSTM written by hand: milliseconds"), ("zh", "手写 LSTM：一次")]
)
def test_the_report_shows_the_step_and_its_times(code: str, caption: str) -> None:
    """In the section on that cell alone: the listing, and a table with both ratios."""
    text = (GOLDEN / f"report.{code}.md").read_text("utf-8")
    assert text.count("i, f, g, o = self.W(torch.cat([x, h], dim=1)).chunk(4, dim=1)") == 1
    (line,) = [line for line in text.splitlines() if caption in line]
    rows = [re.split(r"(?<!\\)\|", row) for row in text[text.index(line) :].splitlines()[2:5]]
    assert [len(row) for row in rows] == [10, 10, 10]
    naive, by_hand, theirs, *ratios = map(float, rows[2][4:9])
    assert ratios == pytest.approx([naive / theirs, by_hand / theirs], rel=0.06)
