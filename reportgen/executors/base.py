"""What an executor tells while it works."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reportgen.storage.records import Store

if TYPE_CHECKING:
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Logged


@dataclass(frozen=True)
class Task:
    """A run to carry out: its name for people, its settings, and the parts of its key."""

    name: str
    key: str
    settings: dict[str, object]
    seed: int
    parts: dict[str, object]
    epochs: int
    unit: str = "epoch"
    """What `epochs` counts: epochs, or the steps of a task that has no epochs."""
    found: str = ""
    """Digest of the record that was there when the run was planned; empty without one."""


@dataclass(frozen=True)
class Begun:
    """So many runs, of so many epochs in all, are to be carried out."""

    runs: int
    epochs: int


@dataclass(frozen=True)
class EpochDone:
    """A run has finished an epoch, or got so far in steps."""

    name: str
    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    """None where there is nothing to be right or wrong about."""
    unit: str = "epoch"


@dataclass(frozen=True)
class RunStarted:
    """A worker has begun a run."""

    name: str
    epochs: int


@dataclass(frozen=True)
class RunDone:
    """A run has its record."""

    name: str
    status: str
    seconds: float
    error: str = ""
    here: bool = True
    """Whether this build made the record; another one that ran meanwhile may have."""


Event = Begun | RunStarted | EpochDone | RunDone


Listen = Callable[[Event], None]
Asked = Callable[[], bool]

LISTEN_SECONDS = 0.1
"""How often an executor looks at what has happened."""


class Executor(Protocol):
    """A place where runs are carried out."""

    def get_ready(self) -> None:
        """Begin, without waiting for it, with what takes long and is sure to be needed."""

    def carry_out(self, tasks: Sequence[Task], store: Store, listen: Listen, interrupted: Asked) -> None:
        """Carry out runs of one device, or of several, and leave a record of each in the store.

        Args:
            tasks: the runs.
            store: where the records go; what another build has put there meanwhile stays.
            listen: hears of each step.
            interrupted: says whether the user wants it to end.

        Raises:
            KeyboardInterrupt: the user wanted it to end; the runs that had finished are in the store.
            ReportgenError: runs cannot be carried out here; likewise.
            OSError: a record could not be written; likewise.
        """


def carry_out_all(tasks: Sequence[Task], folder: Path, executor: Executor, listen: Listen) -> set[str]:
    """Carry out every task and leave its record in the store at `folder`; `listen` hears of each step.

    Returns the keys of the records that were made; another build may have made others meanwhile.

    A run whose process is killed from outside is tried again, at the end with no other beside it; if it is killed
    even then it is recorded as failed, and the others go on. So is one for which memory ran out.

    Raises what `Executor.carry_out` raises.
    """
    key_of = {task.name: task.key for task in tasks}
    made: set[str] = set()

    def hear(event: Event) -> None:
        if isinstance(event, RunDone) and event.here:
            made.add(key_of[event.name])
        listen(event)

    hear(Begun(len(tasks), sum(task.epochs for task in tasks)))
    with _interrupt_as_flag() as interrupted:
        executor.carry_out(tasks, Store(folder), hear, interrupted)
    return made


def by_device(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield the runs on the CPU, and then those on the GPU, so that neither disturbs the times of the other."""
    for device in ("cpu", "cuda"):
        if own := [task for task in tasks if task.settings["device"] == device]:
            yield own


@contextmanager
def _interrupt_as_flag() -> Iterator[Asked]:
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


def files_of_run(
    task: Task, tell: Listen, on_batch: Callable[[], None], checkpoint: "Checkpoint", *, last_try: bool
) -> dict[str, bytes]:
    """Carry out a run, in the process of a worker, and return the files of its record.

    Args:
        task: the run.
        tell: hears how far it is.
        on_batch: called before each batch; may raise Cancelled.
        checkpoint: where the run keeps its state on the way.
        last_try: whether a lack of memory is to be recorded.

    Raises OutOfMemory if memory ran out and this is not the last try.
    """
    from reportgen.lab.environment import arithmetic
    from reportgen.lab.record import to_files
    from reportgen.lab.training.loop import Hooks
    from reportgen.storage import traces
    from reportgen.tasks.registry import run_settings
    from reportgen.tasks.runs import carry_out

    here: set[int] = set()  # the epochs or steps of this attempt; a run that was stopped has others from before

    def on_log(logged: "Logged") -> None:
        here.add(logged.number)
        tell(EpochDone(task.name, logged.number, task.epochs, logged.loss, logged.accuracy, task.unit))

    with traces.reads_of(traces.code_folder(task.settings)) as reads:
        record = carry_out(
            run_settings(task.settings),
            task.seed,
            task.parts,
            hooks=Hooks(on_log, on_batch),
            checkpoint=checkpoint,
            last_try=last_try,
        )

    left = traces.Traces(dict(reads), arithmetic(str(task.settings["device"])))
    before = [row["seconds"] for row in record.epochs if row["epoch"] not in here]
    before += [max((row["seconds"] for row in record.steps if row["step"] not in here), default=0.0)]  # added up
    record = replace(record, seconds=record.seconds + sum(before))
    return {**to_files(record), traces.FILE: traces.to_file(left)}


def record_death(task: Task, error: str, store: Store, listen: Listen) -> None:
    """Leave a record of a run whose process was killed too often."""
    from reportgen.lab.record import Record, to_files
    from reportgen.tasks.registry import run_settings, task_of

    settings = run_settings(task.settings)
    record = Record(
        key=task.key,
        parts=task.parts,
        settings=settings.as_printed(),
        seed=task.seed,
        status="failed",
        error=error,
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


def tell_done(task: Task, store: Store, listen: Listen, *, here: bool) -> None:
    """Tell of a run whose record is in the store; `here` says whether this build made it."""
    from reportgen.lab.record import from_files

    done = from_files(store.read(task.key) or {})
    listen(RunDone(task.name, done.status, done.seconds, done.error, here))
