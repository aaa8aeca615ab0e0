"""Processes that are copies of one that has imported, once, what fills in and typesets reports.

Where there can be no such copies, on Windows, each process imports that anew.
"""

import multiprocessing
from multiprocessing import forkserver
from typing import Any

_PREPARED = ["reportgen.report.prepared", "reportgen.cli", "reportgen.pipeline"]
"""What the process imports that the others are copies of: each of them imports the command."""


def copies() -> Any:
    """Return what starts such processes."""
    if not _possible():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PREPARED)
    return context


def prepare() -> None:
    """Start the process that the others are copies of, which takes a second; nobody waits for it here."""
    if _possible():
        copies()
        forkserver.ensure_running()


def _possible() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()
