"""How many runs the memory of this machine has room for."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from filelock import Timeout

from reportgen.errors import ReportgenError
from reportgen.executors import forkserver
from reportgen.executors.base import (
    LISTEN_SECONDS,
    Asked,
    Event,
    Listen,
    RunStarted,
    Task,
    by_device,
    files_of_run,
    record_death,
    tell_done,
)
from reportgen.storage.records import Store
from reportgen.storage.secret import machine_secret

A_RUN = 1 * 2**30
"""Bytes that a run may need. Measured: 0.5 GiB for film-review snippets, and 0.9 for reviews of 300 words."""

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def enough_for(free: int | None) -> int:
    """Return how many runs `free` bytes have room for, at least one; many if nobody knows how much is free."""
    return 10**6 if free is None else max(1, free // A_RUN)


def free(meminfo: Path = _MEMINFO, group: Path = _GROUP) -> int | None:
    """Return the bytes that are free, within the limits of a container; None where the system does not tell.

    Args:
        meminfo: where Linux tells of its memory.
        group: where it tells of the container's, as the second version of control groups has it.
    """
    try:
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        found = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit, used = ((group / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        return found if limit == "max" else min(found, int(limit) - int(used))
    except (OSError, ValueError):
        return found


_KILLED_TWICE = "its process was killed twice, the second time while no other run was active (out of memory?)"


def workers_for(tasks: int, device: str) -> int:
    """Return the number of parallel runs: one per core while memory lasts, or one at a time on a GPU."""
    return 1 if device == "cuda" else max(1, min(tasks, cores(), enough_for(free())))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Pool:
    """Processes on this machine; `workers` says how many runs go side by side, None leaves it to the pool.

    When a worker is killed from outside, the runs that were under way are tried again, one at a time; one whose
    process is killed again is recorded as failed.
    """

    workers: int | None = None

    def get_ready(self) -> None:
        """Begin to import what runs need."""
        forkserver.start(forkserver.TRAINING)

    def carry_out(self, tasks: Sequence[Task], store: Store, listen: Listen, interrupted: Asked) -> None:
        """Carry out runs: see `reportgen.executors.base.Executor`."""
        with store.folder_for_now() as shared:
            _leave_data(tasks[0], shared)
            for own in by_device(tasks):
                workers = self.workers or workers_for(len(own), str(own[0].settings["device"]))
                _carry_out_some(own, store, shared, workers, listen, interrupted)


def _leave_data(task: Task, shared: Path) -> None:
    """Prepare the data that all workers will want first while they are starting; the plan may have done it."""
    from reportgen.tasks.registry import run_settings, task_of

    settings = run_settings(task.settings)
    with suppress(ReportgenError, OSError):  # the run will have it in its record
        task_of(settings.data.source).share_data(settings, shared)


def _carry_out_some(
    tasks: list[Task],
    store: Store,
    shared: Path,
    workers: int,
    listen: Listen,
    interrupted: Asked,
) -> None:
    left = tasks
    while left:
        again, left = _one_pool(left, store, shared, workers, listen, interrupted)
        if left and not again:
            raise ReportgenError(
                "a worker process was killed before it began a run (out of memory?); the runs that had "
                "finished are kept, so run the same command again, with fewer --jobs if memory is short"
            )
        for task in again:
            if any(_one_pool([task], store, shared, 1, listen, interrupted, last_try=True)):
                record_death(task, _KILLED_TWICE, store, listen)


def _one_pool(
    tasks: Sequence[Task],
    store: Store,
    shared: Path,
    workers: int,
    listen: Listen,
    interrupted: Asked,
    *,
    last_try: bool = False,
) -> tuple[list[Task], list[Task]]:
    """Carry out the tasks until done, or a worker is killed; return those to try again, and those not begun."""
    # forked workers have not been tried on a GPU
    on_cpu = all(task.settings["device"] == "cpu" for task in tasks)
    context = forkserver.context(forkserver.TRAINING) if on_cpu else multiprocessing.get_context("spawn")
    events, stop = context.Queue(), context.Event()
    again: list[Task] = []
    begun: set[str] = set()

    def hear(event: Event) -> None:
        if isinstance(event, RunStarted):
            begun.add(event.name)
        listen(event)

    initial = (dict(os.environ), str(store.folder), str(shared), events, stop)
    pool = ProcessPoolExecutor(workers, context, _start_worker, initial)
    try:
        task_of = {pool.submit(_carry_out, task, last_try): task for task in tasks}
        waiting: set[Future[bool]] = set(task_of)
        while waiting and not interrupted():
            done, waiting = wait(waiting, LISTEN_SECONDS, FIRST_COMPLETED)
            _pass_on(events, hear)
            again += [task_of[future] for future in done if not future.result()]
    except BrokenProcessPool:
        _pass_on(events, hear)
        undone = [task for task in tasks if store.digest(task.key) == task.found]
        return [t for t in undone if t.name in begun], [t for t in undone if t.name not in begun]
    except OSError:  # there is no room for a record: the others need not go on until there is
        stop.set()
        raise
    finally:
        if interrupted():
            stop.set()
        pool.shutdown(cancel_futures=True)
    _pass_on(events, hear)
    if interrupted():
        raise KeyboardInterrupt
    return again, []


def _pass_on(events: "multiprocessing.Queue[Event]", listen: Listen) -> None:
    while True:
        try:
            listen(events.get_nowait())
        except Empty:
            return


_worker: dict[str, Any] = {}


def _start_worker(environment: dict[str, str], folder: str, shared: str, events: Any, stop: Any) -> None:
    from reportgen.data_files.sharing import share_in

    forkserver.take_environment(environment)
    share_in(Path(shared))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which sets `stop`
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _worker.update(store=Store(Path(folder)), events=events, stop=stop)


def _end_with_the_parent() -> None:
    """End this process when the parent has: if that was killed, nobody else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _carry_out(task: Task, last_try: bool) -> bool:
    """Carry out a run, unless another build has; return whether there is a record: memory may have run out."""
    from reportgen.lab.failures import OutOfMemory
    from reportgen.lab.run import Cancelled
    from reportgen.lab.training.checkpoints import Checkpoint

    store, events, stop = _worker["store"], _worker["events"], _worker["stop"]

    def on_batch() -> None:
        if stop.is_set():
            raise Cancelled

    try:
        with _locked(store, task.key, on_batch):
            events.put(RunStarted(task.name, task.epochs))
            here = store.digest(task.key) == task.found  # else another build has made it meanwhile
            if here:
                checkpoint = Checkpoint(store.scratch(task.key), secret=machine_secret())
                files = files_of_run(task, events.put, on_batch, checkpoint, last_try=last_try)
                store.write(task.key, files)
                checkpoint.remove()
            tell_done(task, store, events.put, here=here)
    except Cancelled:
        return True
    except OutOfMemory:
        return False
    return True


@contextmanager
def _locked(store: Store, key: str, check: Callable[[], None]) -> Iterator[None]:
    """Hold the record's lock; `check` is called while waiting for it, and may raise."""
    lock = store.lock(key)
    while not lock.is_locked:
        check()
        with suppress(Timeout):
            lock.acquire(timeout=LISTEN_SECONDS)
    try:
        yield
    finally:
        lock.release()
