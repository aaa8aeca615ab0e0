"""What happens on a machine of a Ray cluster: one run, its progress told, its record given back."""

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from reportgen.errors import ReportgenError
from reportgen.executors.base import Listen, files_of_run
from reportgen.executors.events import Event, RunStarted, Task
from reportgen.lab.key import key_parts
from reportgen.suite.tasks import AnyRun, run_settings

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

    Returns what `work` returns. Raises ReportgenError if files are missing on this machine.
    """
    check_files(files)
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


def check_files(files: Sequence[Path]) -> None:
    """Raise ReportgenError if files are missing on this machine."""
    for file in files:
        if not file.exists():
            raise ReportgenError(
                f"{platform.node()}: got no {file}, expected the suite's folder at the same place on every "
                "machine of the cluster; see docs/cluster.md"
            )


def check_key(task: Task, settings: AnyRun) -> None:
    """Raise ReportgenError if this machine would give the run another key: its record would lie under a wrong one.

    What is read for it, the data above all, is kept for the run itself.
    """
    try:
        here = key_parts(settings, task.seed)
    except (ReportgenError, OSError) as error:
        raise ReportgenError(f"{platform.node()}: {error}") from None
    for part, value in task.parts.items():
        if here.get(part) != value:
            raise ReportgenError(
                f"{platform.node()}: got {here.get(part)} as {part}, expected {value} as on the machine of the "
                "build: the same reportgen, torch and files; see docs/cluster.md"
            )


def train(task: Task, tell: Listen, scratch: Path, last_try: bool) -> dict[str, bytes] | None:
    """Train and test a model as a worker of the pool does: see `Work`. Raises what `check_key` raises."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        del os.environ["CUDA_VISIBLE_DEVICES"]  # Ray hides the GPU from CPU runs; their record says what is there
    from reportgen.lab.checkpoints import Checkpoint
    from reportgen.lab.failures import OutOfMemory

    check_key(task, run_settings(task.settings))
    checkpoint = Checkpoint(scratch if scratch.parent.is_dir() else None)
    try:
        files = files_of_run(task, tell, lambda: None, checkpoint, last_try=last_try)
    except OutOfMemory:
        return None
    checkpoint.remove()
    return files
