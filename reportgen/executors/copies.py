"""Processes that are copies of one that has imported, once, what they need: to train, or to make reports.

That one is Python's fork server. It never runs the user's code, and there is one at a time. Where there can be no
such copies each process imports what it needs anew: on Windows, and, to train, wherever torch has not been seen to
stand it.
"""

import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

from reportgen.lab import device as devices

TRAINING = (
    "reportgen.executors.before_imports",
    "reportgen.lab.run",
    "reportgen.cli.app",
    "reportgen.executors.after_imports",
)
REPORTS = (
    "reportgen.executors.original",
    "reportgen.executors.before_imports",
    "reportgen.report.prepared",
    "reportgen.cli.app",
    "reportgen.pipeline",
    "reportgen.executors.after_imports",
)
"""What the process imports that the others are copies of: each of them imports the command, too."""

_prepared: list[tuple[str, ...]] = []
"""What the fork server that runs now has been told to import."""


def copies(of: tuple[str, ...]) -> Any:
    """Return what starts copies of a process that has imported these modules."""
    if not _possible(of):
        return multiprocessing.get_context("spawn")
    prepare(of)
    return multiprocessing.get_context("forkserver")


def prepare(of: tuple[str, ...]) -> None:
    """Start the process that the others are copies of, which takes two seconds; nobody waits for it here."""
    if not _possible(of):
        return
    if _prepared not in ([], [of]):
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # Python has no other way
    _prepared[:] = [of]
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(of))
    resource_tracker.ensure_running()  # which would unblock the signal
    # The new process inherits what is blocked: Ctrl-C would end it with a traceback before it can say otherwise.
    # To those that train it stays blocked: they hear from the build when to end.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def foresee_training(build: Path) -> None:
    """Start the one to train before the suite is read, if a folder without records says that it will be needed."""
    if not (build / "records").exists() and devices.resolve("auto") == "cpu":
        prepare(TRAINING)


def take_over(environment: dict[str, str]) -> None:
    """Give this process the environment of the one that asked for it: a copy has that of its original."""
    os.environ.clear()
    os.environ.update(environment)


def _possible(of: tuple[str, ...]) -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods() if of is REPORTS else sys.platform == "linux"
