"""What happens on a machine of a Ray cluster: one run, its progress told, its record given back."""

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from reportgen.errors import ReportgenError
from reportgen.executors.base import Listen, files_of_run
from reportgen.executors.events import Event, RunStarted, Task

Work = Callable[[Task, Listen, Path, bool], dict[str, bytes] | None]
"""Carries out a run: given it, who hears of it, a file for its checkpoints, and whether this is the last try, it
returns the files of the record, or None if memory ran out and it is to be tried again."""

_FLUSH_SECONDS = 10.0


class Mailbox:
    """Where runs leave what they tell; it lives beside the build, which empties it."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def put(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """Return what has come since the last time."""
        events, self._events = self._events, []
        return events


def carry_out_on_node(
    work: Work, task: Task, scratch: Path, files: Sequence[Path], mailbox: Any, last_try: bool
) -> dict[str, bytes] | None:
    """Carry out a run on this machine.

    Args:
        work: what to do.
        task: the run.
        scratch: a file for its checkpoints, which are kept if the build folder is here, too.
        files: what its settings name.
        mailbox: hears how far it is.
        last_try: whether a lack of memory is to be recorded.

    Returns what `work` returns. Raises ReportgenError if this machine would make another record.
    """
    check_machine(task, files)
    told: list[Any] = []

    def tell(event: Event) -> None:
        with suppress(RayError):  # the build has ended, or is about to
            told[:] = [mailbox.put.remote(event)]  # not waited for: a run is not to be slower than in a pool

    tell(RunStarted(task.name, task.epochs))
    try:
        return work(task, tell, scratch, last_try)
    finally:
        with suppress(RayError):  # so that nothing is told of a run after its end
            ray.get(told, timeout=_FLUSH_SECONDS)


def check_machine(task: Task, files: Sequence[Path]) -> None:
    """Raise ReportgenError if the key of the run is not what this machine would give it, or files are missing."""
    from reportgen.lab.key import code_digest

    here = {"torch": version("torch"), "code": code_digest()}
    for what, name in (("torch", "torch"), ("code", "a lab of reportgen with the digest")):
        if here[what] != task.parts[what]:
            raise ReportgenError(
                f"{platform.node()}: got {name} {here[what]}, expected {task.parts[what]}, as on the machine "
                "where the build runs"
            )
    for file in files:
        if not file.exists():
            raise ReportgenError(
                f"{platform.node()}: got no {file}, expected the suite's folder at the same place on every "
                "machine of the cluster; see docs/cluster.md"
            )


def train(task: Task, tell: Listen, scratch: Path, last_try: bool) -> dict[str, bytes] | None:
    """Train and test a model as a worker of the pool does: see `Work`."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        del os.environ["CUDA_VISIBLE_DEVICES"]  # Ray hides the GPU from CPU runs; their record says what is there
    from reportgen.lab.checkpoints import Checkpoint
    from reportgen.lab.failures import OutOfMemory

    checkpoint = Checkpoint(scratch if scratch.parent.is_dir() else None)
    try:
        files = files_of_run(task, tell, lambda: None, checkpoint, last_try=last_try)
    except OutOfMemory:
        return None
    checkpoint.remove()
    return files
