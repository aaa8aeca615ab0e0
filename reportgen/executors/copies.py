"""Processes that train: copies of one that imports torch, so that it is imported once, and while a plan is made.

That one, Python's fork server, never runs the user's code. Outside Linux each process imports torch itself: there
torch's libraries do not all stand being copied.
"""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import BaseContext


def get_ready() -> None:
    """Let the process that is copied import what it needs, in the background, if it has not begun to."""
    if _can_copy():
        processes()
        forkserver.ensure_running()


def processes() -> BaseContext:
    """Return what starts processes."""
    if not _can_copy():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["reportgen.lab.imported"])
    return context


def take_over(environment: dict[str, str]) -> None:
    """Give this process the environment of the one that asked for it: a copy has that of its original."""
    os.environ.clear()
    os.environ.update(environment)


def _can_copy() -> bool:
    return sys.platform == "linux"
