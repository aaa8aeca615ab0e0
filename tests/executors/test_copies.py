"""The process that others are copies of, which fill in and typeset: it is ready early, and ends when it should."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PATIENCE

from reportgen.executors import copies
from reportgen.executors.beside import side_by_side
from reportgen.lab import device as devices

STARTING = """
import signal, time
from reportgen.executors.copies import REPORTS, prepare

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a test that runs in the background has not
prepare(REPORTS)
print("started", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no groups of processes, nor copies of one")
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.4])
def test_ctrl_c_ends_it_without_a_word(seconds: float) -> None:
    """Whatever it is importing, there is no traceback of it, and nothing of it is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTING],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "started\n"
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    # the pipes are its own, too: they are closed once it has ended
    assert process.communicate(timeout=PATIENCE) == ("", "")


def test_a_first_build_starts_it_before_the_suite_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without records says that something will be trained; one with records does not, nor does a GPU."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(copies, "prepare", told.append)
    monkeypatch.setattr(devices, "resolve", lambda _: "cuda")
    copies.foresee_training(tmp_path)
    assert told == []
    monkeypatch.setattr(devices, "resolve", lambda _: "cpu")
    copies.foresee_training(tmp_path)
    assert told == [copies.TRAINING]
    (tmp_path / "records").mkdir()
    copies.foresee_training(tmp_path)
    assert told == [copies.TRAINING]


def process_of(_piece: int) -> int:
    """Return which process this is."""
    return os.getpid()


def test_work_has_its_results_in_order() -> None:
    """Each piece has its own arguments, and its result its place; without pieces the work is done here."""
    with side_by_side(3) as carry_out:
        assert carry_out(divmod, [(7, 2), (9, 4), (1, 1)]) == [(3, 1), (2, 1), (1, 0)]
        (elsewhere,) = carry_out(process_of, [(0,)])
    assert elsewhere != os.getpid()
    with side_by_side(0) as carry_out:
        assert carry_out(process_of, [(0,)]) == [os.getpid()]
