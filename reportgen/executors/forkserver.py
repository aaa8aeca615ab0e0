"""Python's fork server: processes forked from one that has imported once what they need.

There is one server at a time, with the preload module of training or that of reports. It never runs user code.
Where there is no fork server each process imports what it needs: on Windows, and, to train, wherever torch has not
been seen to stand a fork.
"""

import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

from reportgen.lab import device as devices

TRAINING = "reportgen.executors.preload"
REPORTS = "reportgen.report.preload"
"""The preload modules: what the server imports before it forks."""

_running: list[str] = []
"""The preload module of the server that runs now."""


def context(preload: str) -> Any:
    """Return the multiprocessing context for processes that need what a preload module imports."""
    return multiprocessing.get_context("forkserver" if start(preload) else "spawn")


def start(preload: str) -> bool:
    """Start the fork server, which takes two seconds, without waiting; return whether there is one to use."""
    if not _supports(preload) or (_running not in ([], [preload]) and not stop()):
        return False
    _running[:] = [preload]
    multiprocessing.get_context("forkserver").set_forkserver_preload([preload])
    resource_tracker.ensure_running()  # which would unblock the signal
    # The new process inherits what is blocked: Ctrl-C would end it with a traceback before it can say otherwise.
    # To those that train it stays blocked: they hear from the build when to end.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return True


def stop() -> bool:
    """Stop the fork server, so that one with another preload module can start; return whether that was possible.

    Python has no public way. Without its private one, new processes are spawned: see `context`.
    """
    end = getattr(getattr(forkserver, "_forkserver", None), "_stop", None)
    if end is None:
        return False
    end()
    _running.clear()
    return True


def start_early(build: Path) -> None:
    """Start the server for training before the suite is read, if a build folder without records will need it."""
    if not (build / "records").exists() and devices.resolve("auto") == "cpu":
        start(TRAINING)


def take_environment(environment: dict[str, str]) -> None:
    """Replace this process's environment variables: a forked process has those of the server."""
    os.environ.clear()
    os.environ.update(environment)


def _supports(preload: str) -> bool:
    if preload == TRAINING:
        return sys.platform == "linux"
    return "forkserver" in multiprocessing.get_all_start_methods()
