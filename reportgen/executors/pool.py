"""Runs on this machine: a pool of processes, each carrying out one run at a time.

The parent never imports torch. A worker writes its record to the store itself, so that what has finished is
kept whatever becomes of the others.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import Timeout

from reportgen.errors import ReportgenError
from reportgen.executors import memory
from reportgen.executors.events import Begun, EpochDone, Event, RunDone, RunStarted, Task
from reportgen.store import Store

if TYPE_CHECKING:  # importing the lab costs seconds: only the workers do
    from reportgen.lab.steps import Logged
    from reportgen.lab.training import Epoch

Result = TypeVar("Result")

_LISTEN_SECONDS = 0.1


def workers_for(tasks: int, device: str) -> int:
    """Return how many runs to carry out side by side: one a core while memory lasts, or one at a time on a GPU."""
    return 1 if device == "cuda" else max(1, min(tasks, _cores(), memory.enough_for(memory.free())))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def carry_out_all(
    tasks: Sequence[Task], folder: Path, workers: int | None, listen: Callable[[Event], None]
) -> set[str]:
    """Carry out every task and leave its record in the store at `folder`; `listen` hears of each step.

    Those on the CPU come first, and then those on the GPU, so that neither disturbs the times of the other.
    `workers` says how many go side by side; None leaves it to `workers_for`.

    Returns the keys of the records that were made; another build may have made others meanwhile.

    When a worker is killed from outside, the runs that were under way are tried again, one at a time; one whose
    process is killed again is recorded as failed, and the others go on. So is one for which memory ran out.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C; the runs that had finished are in the store.
        ReportgenError: workers die before they begin a run; likewise.
        OSError: a record could not be written; likewise.
    """
    key_of = {task.name: task.key for task in tasks}
    made: set[str] = set()

    def hear(event: Event) -> None:
        if isinstance(event, RunDone) and event.here:
            made.add(key_of[event.name])
        listen(event)

    hear(Begun(len(tasks), sum(task.epochs for task in tasks)))
    store = Store(folder)
    with _interrupt_as_flag() as interrupted, store.folder_for_now() as shared:
        for device in ("cpu", "cuda"):
            own = [task for task in tasks if task.settings["device"] == device]
            side_by_side = workers or workers_for(len(own), device)
            _carry_out_some(own, store, shared, side_by_side, hear, interrupted)
    return made


def _carry_out_some(
    tasks: list[Task],
    store: Store,
    shared: Path,
    workers: int,
    listen: Callable[[Event], None],
    interrupted: Callable[[], bool],
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
                _record_death(task, store, listen)


def _one_pool(
    tasks: Sequence[Task],
    store: Store,
    shared: Path,
    workers: int,
    listen: Callable[[Event], None],
    interrupted: Callable[[], bool],
    *,
    last_try: bool = False,
) -> tuple[list[Task], list[Task]]:
    """Carry out the tasks until done, or a worker is killed; return those to try again, and those not begun."""
    context = multiprocessing.get_context("spawn")
    events, stop = context.Queue(), context.Event()
    again: list[Task] = []
    begun: set[str] = set()

    def hear(event: Event) -> None:
        if isinstance(event, RunStarted):
            begun.add(event.name)
        listen(event)

    initial = (str(store.folder), str(shared), events, stop)
    pool = ProcessPoolExecutor(workers, context, _start_worker, initial)
    try:
        task_of = {pool.submit(_carry_out, task, last_try): task for task in tasks}
        waiting: set[Future[bool]] = set(task_of)
        while waiting and not interrupted():
            done, waiting = wait(waiting, _LISTEN_SECONDS, FIRST_COMPLETED)
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


def _record_death(task: Task, store: Store, listen: Callable[[Event], None]) -> None:
    from reportgen.lab.record import Record, to_files
    from reportgen.suite.tasks import run_settings, task_of

    settings = run_settings(task.settings)
    record = Record(
        key=task.key,
        parts=task.parts,
        settings=settings.told(),
        seed=task.seed,
        status="failed",
        error="its process was killed twice, the second time with no other run beside it (out of memory?)",
        model={},
        data={},
        environment={},
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        task=task_of(settings.data.source).name,
    )
    with store.lock(task.key):
        store.write(task.key, to_files(record))
    listen(RunDone(task.name, record.status, record.seconds, record.error))


@contextmanager
def _interrupt_as_flag() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a flag: as an exception in the midst of `wait` it would leave the pool's locks taken."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main one hears of signals
        yield pressed.is_set
        return
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _pass_on(events: "multiprocessing.Queue[Event]", listen: Callable[[Event], None]) -> None:
    while True:
        try:
            listen(events.get_nowait())
        except Empty:
            return


_worker: dict[str, Any] = {}


def _start_worker(folder: str, shared: str, events: Any, stop: Any) -> None:
    from reportgen.lab.sharing import share_in

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
    from reportgen.lab.checkpoints import Checkpoint
    from reportgen.lab.failures import OutOfMemory
    from reportgen.lab.record import from_files, to_files
    from reportgen.lab.work import Cancelled, carry_out
    from reportgen.suite.tasks import run_settings

    store, events, stop = _worker["store"], _worker["events"], _worker["stop"]

    def on_batch() -> None:
        if stop.is_set():
            raise Cancelled

    def on_epoch(epoch: "Epoch") -> None:
        events.put(EpochDone(task.name, epoch.epoch, task.epochs, epoch.heldout_loss, epoch.heldout_accuracy))

    def on_step(step: "Logged") -> None:
        events.put(EpochDone(task.name, step.step, task.epochs, step.loss, step.accuracy, task.unit))

    try:
        with _locked(store, task.key, on_batch):
            events.put(RunStarted(task.name, task.epochs))
            here = store.digest(task.key) == task.found  # else another build has made it meanwhile
            if here:
                settings = run_settings(task.settings)
                checkpoint = Checkpoint(store.scratch(task.key))
                record = carry_out(
                    settings,
                    task.seed,
                    task.parts,
                    on_epoch=on_epoch,
                    on_step=on_step,
                    on_batch=on_batch,
                    checkpoint=checkpoint,
                    last_try=last_try,
                )
                store.write(task.key, to_files(record))
                checkpoint.remove()
            done = from_files(store.read(task.key) or {})
    except Cancelled:
        return True
    except OutOfMemory:
        return False
    events.put(RunDone(task.name, done.status, done.seconds, done.error, here))
    return True


@contextmanager
def _locked(store: Store, key: str, check: Callable[[], None]) -> Iterator[None]:
    """Hold the record's lock; `check` is called while waiting for it, and may raise."""
    lock = store.lock(key)
    while not lock.is_locked:
        check()
        with suppress(Timeout):
            lock.acquire(timeout=_LISTEN_SECONDS)
    try:
        yield
    finally:
        lock.release()


def side_by_side(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> list[Result]:
    """Return what `work` makes of each of the arguments, in processes of their own if there are cores for them."""
    if len(arguments) < 2 or _cores() < 2:
        return [work(*own) for own in arguments]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(arguments), _cores()), context) as processes:
        return [done.result() for done in [processes.submit(work, *own) for own in arguments]]
