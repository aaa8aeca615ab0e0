"""The fork server: it is ready early, ends when it should, and is done without where it cannot be stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reportgen.executors import forkserver
from reportgen.executors.parallel import parallel_map
from reportgen.lab import device as devices

STARTING = """
import signal, time
from reportgen.executors.forkserver import REPORTS, start

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a test that runs in the background has not
start(REPORTS)
print("started", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has neither process groups nor a fork server")
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
    assert process.communicate(timeout=30) == ("", "")


def test_a_first_build_starts_it_before_the_suite_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without records says that something will be trained; one with records does not, nor does a GPU."""
    started: list[str] = []
    monkeypatch.setattr(forkserver, "start", started.append)
    monkeypatch.setattr(devices, "resolve", lambda _: "cuda")
    forkserver.start_early(tmp_path)
    assert started == []
    monkeypatch.setattr(devices, "resolve", lambda _: "cpu")
    forkserver.start_early(tmp_path)
    assert started == [forkserver.TRAINING]
    (tmp_path / "records").mkdir()
    forkserver.start_early(tmp_path)
    assert started == [forkserver.TRAINING]


def process_of(_piece: int) -> int:
    """Return which process this is."""
    return os.getpid()


def test_work_has_its_results_in_order() -> None:
    """Each piece has its own arguments, and its result its place; without pieces the work is done here."""
    with parallel_map(3) as parallel:
        assert parallel(divmod, [(7, 2), (9, 4), (1, 1)]) == [(3, 1), (2, 1), (1, 0)]
        (elsewhere,) = parallel(process_of, [(0,)])
    assert elsewhere != os.getpid()
    with parallel_map(0) as parallel:
        assert parallel(process_of, [(0,)]) == [os.getpid()]


FALLBACK = """
import multiprocessing, os
from multiprocessing import forkserver as server

from reportgen.executors import forkserver
from reportgen.executors.parallel import parallel_map


def main():
    assert forkserver.start(forkserver.TRAINING)
    del server.ForkServer._stop
    with parallel_map(2) as parallel:
        print(parallel(divmod, [(7, 2), (9, 4)]), parallel(os.getpid, [()]) != [os.getpid()])
    print(forkserver.context(forkserver.REPORTS).get_start_method())
    print(forkserver.context(forkserver.TRAINING).get_start_method())


if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the fork server trains on Linux alone")
def test_without_a_private_name_of_pythons_new_processes_are_spawned(tmp_path: Path) -> None:
    """A server that cannot be stopped goes on with its own preload module; other work is done all the same."""
    script = tmp_path / "fallback.py"
    script.write_text(FALLBACK, "utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == ["[(3, 1), (2, 1)] True", "spawn", "forkserver"]
