"""How many runs share a GPU: the trials are real, on the CPU where there is no GPU; no test asserts a time."""

import io
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import TINY
from rich.console import Console

from reportgen import pipeline
from reportgen.cli.progress import Display
from reportgen.executors import card, pool
from reportgen.executors.base import CardMeasured, Event, Task, carry_out_all
from reportgen.executors.card import Ends, climb, workers_on_card
from reportgen.executors.pool import Pool
from reportgen.lab import device
from reportgen.lab.device import has_cuda
from reportgen.planning import plan
from reportgen.storage.records import Store

LAYER = """\
import os

import torch
from torch import nn


class MyRNN(nn.RNN):
    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        if len(x) > 20:  # and not while the layers are listed
            {}
        return super().forward(x, state)
"""


def tasks_of(folder: Path, old: str = "", new: str = "") -> list[Task]:
    """Return the runs of the tiny suite, in which `old` was replaced."""
    suite = Path(shutil.copy(TINY, folder / "tiny.yaml"))
    text = suite.read_text("utf-8")
    assert old in text
    suite.write_text(text.replace(old, new), "utf-8")
    return plan.tasks(pipeline.plan(pipeline.load(suite), Store(folder / "records")))


@pytest.mark.parametrize(
    ("found", "most", "workers", "tried", "why"),
    [
        ([100, 190, 300, 310, 999], 16, 4, 4, "8 gain less than 10%"),
        ([100, 105, 999], 16, 1, 2, "2 gain less than 10%"),
        ([100, 190], 16, 2, 2, "no memory for as many"),
        ([], 16, 1, 0, "no memory for as many"),
        ([100, 190, 300, 999], 7, 4, 3, "more than the runs or this machine's memory allow"),
        ([100], 1, 1, 1, "more than the runs or this machine's memory allow"),
    ],
)
def test_workers_double_while_that_helps_and_fits(
    found: Sequence[float], most: int, workers: int, tried: int, why: str
) -> None:
    """What gains less than a tenth, or has no room, ends the climb, and the last number that helped is chosen."""
    known = {2**i: rate for i, rate in enumerate(found)}

    def rate(workers: int) -> float:
        if workers not in known:
            raise Ends("no memory for as many")
        return known[workers]

    assert climb(rate, most) == CardMeasured(workers, dict(list(known.items())[:tried]), why)


def test_trials_train_the_runs_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers train batches, first one, then two; the number that is chosen was tried, and no record is left."""
    monkeypatch.setattr(card, "SHORT", 0.0)
    heard: list[Event] = []
    workers = workers_on_card(tasks_of(tmp_path)[:2], tmp_path, heard.append, lambda: False)
    (measured,) = heard
    assert isinstance(measured, CardMeasured)
    assert measured.workers == workers
    assert list(measured.rates) == [1, 2]
    assert workers in measured.rates
    assert all(rate > 0 for rate in measured.rates.values())
    assert list(Store(tmp_path / "records").keys()) == []


def test_short_runs_are_not_worth_a_second_trial(tmp_path: Path) -> None:
    """Six runs of three epochs are done sooner than further workers have started."""
    heard: list[Event] = []
    assert workers_on_card(tasks_of(tmp_path), tmp_path, heard.append, lambda: False) == 1
    (measured,) = heard
    assert isinstance(measured, CardMeasured)
    assert list(measured.rates) == [1]
    assert measured.why == "all runs together take less than 60 s"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("torch.empty(10**13)", "no memory for as many"),
        ("x @ x.new_zeros(1, 1)", "the run that was tried did not finish"),
        ("os._exit(1)", "a process of the trial was killed"),
    ],
)
def test_a_trial_that_goes_wrong_fails_no_run(fault: str, why: str, tmp_path: Path) -> None:
    """Too little memory, or a fault of the user's own class, leaves one worker, and no record."""
    (tmp_path / "my_models.py").write_text(LAYER.format(fault), "utf-8")
    tasks = tasks_of(tmp_path, "{cell: rnn}", "{cell: 'my_models.py:MyRNN'}")
    heard: list[Event] = []
    assert workers_on_card(tasks, tmp_path, heard.append, lambda: False) == 1
    assert heard == [CardMeasured(1, {}, why)]
    assert list(Store(tmp_path / "records").keys()) == []


def test_ctrl_c_ends_the_trials(tmp_path: Path) -> None:
    """The user need not wait for a number."""
    with pytest.raises(KeyboardInterrupt):
        workers_on_card(tasks_of(tmp_path), tmp_path, lambda _: None, lambda: True)


def test_trials_are_for_several_new_runs_on_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on the CPU, few runs, those whose times are compared with the CPU's, and --jobs ask for no trial."""
    asked: list[int] = []
    used: list[int] = []

    def measured(tasks: Sequence[Task], *_: object) -> int:
        asked.append(len(tasks))
        return 3

    monkeypatch.setattr(card, "workers_on_card", measured)
    monkeypatch.setattr(pool, "_carry_out_some", lambda _tasks, _store, _shared, workers, *_: used.append(workers))
    tasks = tasks_of(tmp_path)
    on_gpu = [replace(task, settings={**task.settings, "device": "cuda"}) for task in tasks]
    for runs, workers in [
        (tasks, 2),
        (on_gpu[:3], None),
        ([replace(task, alone=True) for task in on_gpu], None),
        (on_gpu, 5),
        (on_gpu, None),
    ]:
        carry_out_all(runs, tmp_path / "records", Pool(workers), lambda _: None)
    assert used == [2, 1, 1, 5, 3]
    assert asked == [6]


def test_runs_of_a_sweep_over_devices_have_the_card_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their times are compared with those on the CPU."""
    assert not any(task.alone for task in tasks_of(tmp_path))
    monkeypatch.setattr(device, "has_cuda", lambda: True)
    compared = tasks_of(tmp_path, "training.epochs: [1]", "device: [cpu, cuda]")
    assert {task.settings["device"] for task in compared} == {"cpu", "cuda"}
    assert all(task.alone for task in compared)


def test_one_line_says_what_was_measured_and_chosen() -> None:
    """The numbers of workers, their batches a second, and why there are no more."""
    told = io.StringIO()
    with Display(Console(file=told, width=200)) as display:
        display.hear(CardMeasured(2, {1: 812.4, 2: 1390.0, 4: 1432.1}, "4 gain less than 10%"))
    (line,) = told.getvalue().splitlines()
    assert line.endswith(
        "2 at a time on the GPU; batches/s by workers: 1: 812, 2: 1,390, 4: 1,432; 4 gain less than 10%"
    )


@pytest.mark.skipif(not has_cuda(), reason="needs a GPU")
def test_trials_run_on_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU the same trials train there."""
    monkeypatch.setattr(card, "SHORT", 0.0)
    tasks = tasks_of(tmp_path)
    on_gpu = [replace(task, settings={**task.settings, "device": "cuda"}) for task in tasks]
    heard: list[Event] = []
    workers = workers_on_card(on_gpu, tmp_path, heard.append, lambda: False)
    (measured,) = heard
    assert isinstance(measured, CardMeasured)
    assert workers in measured.rates
