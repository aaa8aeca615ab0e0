"""Processes that are copies of one that has imported, once, what fills in and typesets reports.

Where there can be no such copies, on Windows, each process imports that anew.
"""

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker
from typing import Any

_PREPARED = ["reportgen.executors.original", "reportgen.report.prepared", "reportgen.cli", "reportgen.pipeline"]
"""What the process imports that the others are copies of: each of them imports the command."""


def copies() -> Any:
    """Return what starts such processes."""
    if not _possible():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PREPARED)
    return context


def prepare() -> None:
    """Start the process that the others are copies of, which takes two seconds; nobody waits for it here."""
    if not _possible():
        return
    copies()
    resource_tracker.ensure_running()  # which would unblock the signal
    # the new process inherits what is blocked: Ctrl-C would end it with a traceback before it can say otherwise
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _possible() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()
