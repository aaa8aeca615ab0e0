"""Runs that do not finish: each is a record that says why, in the user's own lines, and the others go on."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import build

from reportgen import pipeline
from reportgen.lab.failures import is_memory_error, told
from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.record import Record
from reportgen.planning import plan
from reportgen.storage.records import Store

LAYER = '''\
"""A layer of our own that goes wrong in training, and not when it is tried."""
from torch import nn

from helping import go_wrong


class MyRNN(nn.RNN):
    """Goes wrong with the first real batch, in one of several ways."""

    def __init__(self, input_size, hidden_size, fault):
        super().__init__(input_size, hidden_size, batch_first=True)
        self.fault = fault

    def forward(self, x, state=None):
        if len(x) > 20:
            go_wrong(x, self.fault)
        return super().forward(x, state)
'''
HELPING = """\
from pathlib import Path

import torch


def go_wrong(x, fault):
    with Path(__file__).with_name(fault).open("a") as tries:
        tries.write("x")
    match fault:
"""
FAULTS = {
    "own": ('raise ValueError(f"a batch\\nof {len(x)}")', "ValueError: a batch", 1),
    "torchs": ("x @ x.new_zeros(3, 4)", "RuntimeError: mat1 and mat2 shapes cannot be multiplied", 1),
    "exit": ("raise SystemExit(3)", "SystemExit: 3", 1),
    "gpu": (
        'raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")',
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        2,
    ),
}
"""Each with what the report says, and how often the run is tried."""
ONCE = "once"
SUITE = """\
title: Ours
data: {source: surnames, languages: [Greek, Tamil], limit: 60}
training: {epochs: 1, batch_size: 30}
model: {hidden_size: 6}
seeds: [0]
device: cpu
languages: [en]
formats: [md]
runs:
"""


@dataclass(frozen=True)
class Built:
    """A suite that was built: its outcome, its report, its records by run, and how often each run was tried."""

    outcome: pipeline.Outcome
    text: str
    records: dict[str, Record]
    tries: dict[str, int]
    folder: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A suite in which a run goes wrong in each way there is, one has too little memory once, and one is sound."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "my_models.py").write_text(LAYER, "utf-8")
    cases = [(name, fault) for name, (fault, _, _) in FAULTS.items()]
    cases.append((ONCE, f"if Path(__file__).with_name({ONCE!r}).read_text() == 'x': raise MemoryError"))
    branches = "".join(f"        case {name!r}:\n            {fault}\n" for name, fault in cases)
    (folder / "helping.py").write_text(HELPING + branches, "utf-8")
    own = "  - {{name: {0}, model: {{cell: 'my_models.py:MyRNN', arguments: {{fault: {0}}}}}}}\n"
    runs = "".join(own.format(name) for name, _ in cases) + "  - {name: sound, model: {cell: rnn}}\n"
    suite = folder / "suite.yaml"
    suite.write_text(SUITE + runs, "utf-8")
    outcome = build(suite, folder / "build")
    store = Store(folder / "build" / "records")
    steps = pipeline.plan(pipeline.load(suite), store).steps
    found = {step.run.variant.name: plan.read(store, step.key) for step in steps}
    return Built(
        outcome=outcome,
        text=(outcome.folder / "report.en.md").read_text("utf-8"),
        records={name: record for name, record in found.items() if record},
        tries={name: len((folder / name).read_text()) for name, _ in cases},
        folder=folder,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_run_that_fails_is_a_record_with_the_users_lines(built: Built, name: str) -> None:
    """Its traceback is the user's own lines and the error, and does not tell where the files lie."""
    fault, reason, tries = FAULTS[name]
    record = built.records[name]
    frames = [line.strip() for line in record.error.splitlines() if line.startswith('  File "')]
    assert record.status == "failed"
    assert [frame.rsplit(", ", 1)[1] for frame in frames] == ["in forward", "in go_wrong"]
    assert [frame.split(",")[0] for frame in frames] == ['File "my_models.py"', 'File "helping.py"']
    assert f"\n    {fault}\n" in record.error
    assert f"\n{reason}" in record.error.replace("torch.cuda.", "").replace("torch.", "")
    assert str(built.folder) not in record.error
    assert built.tries[name] == tries


@pytest.mark.parametrize("name", FAULTS)
def test_the_report_has_a_row_for_a_run_that_failed(built: Built, name: str) -> None:
    """The row says why and in which line of whose file; the log has the user's lines."""
    text = built.text.replace("\\", "")
    row = next(line for line in text.splitlines() if line.startswith(f"| {name}/seed=0 | failed |"))
    source = (built.folder / "helping.py").read_text("utf-8").splitlines()
    line = next(number for number, code in enumerate(source, 1) if code.strip() == FAULTS[name][0])
    assert FAULTS[name][1] in row
    assert row.endswith(f" (helping.py:{line}) |")
    assert f"Failed: {built.records[name].error}" in built.text


def test_the_runs_beside_those_that_failed_are_finished(built: Built) -> None:
    """One that had too little memory once was tried again, alone, and nobody sees it."""
    assert built.outcome.unfinished == [f"{name}/seed=0" for name in FAULTS]
    assert (built.records["sound"].status, built.records[ONCE].status) == ("finished", "finished")
    assert built.tries[ONCE] > 1


def error_of(fault: Callable[[], object]) -> Exception:
    """Return what a function raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any will do
        fault()
    return caught.value


def test_an_error_of_reportgens_own_shows_where_in_reportgen() -> None:
    """Without a line of the user's, the last lines are shown, by their place in reportgen."""
    error = error_of(lambda: recurrent("/nowhere/my_models.py:MyRNN", 1, 1, 1))
    while error.__traceback__ and "test_failed_runs" in error.__traceback__.tb_frame.f_code.co_filename:
        error.__traceback__ = error.__traceback__.tb_next
    lines = told(error).splitlines()
    places = [re.sub(r", line \d+", "", line) for line in lines if line.startswith('  File "')]
    assert places == [
        f'  File "reportgen/lab/user_class.py", in {name}' for name in ("user_layer", "load", "_found", "get_code")
    ]
    assert lines[-1].startswith("FileNotFoundError: ")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda: [0] * 2**60, True),
        (lambda: np.empty(2**55), True),
        (lambda: torch.empty(2**55), True),
        (lambda: torch.zeros(2) @ torch.zeros(3), False),
        (lambda: int("memory"), False),
    ],
    ids=["Python", "NumPy", "torch", "another of torch's", "another of Python's"],
)
def test_what_is_a_memory_error(fault: Callable[[], object], expected: bool) -> None:
    """Python, NumPy and torch each have a memory error of their own, and nothing else is tried twice."""
    assert is_memory_error(error_of(fault)) is expected
