"""How many runs share a GPU: measured when a build begins, not guessed.

One worker trains batches of the build's first run, then two do so side by side, four, and so on, while another
doubling makes the batches a second of all of them grow enough and fits into the memory. What the trials train is
thrown away: they leave no record, and the runs themselves begin as if there had been none. No trial asks whether
the device is a GPU, so that tests carry trials out on a CPU.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reportgen.executors import pool
from reportgen.executors.base import LISTEN_SECONDS, Asked, CardMeasured, Listen, Task

if TYPE_CHECKING:
    from reportgen.tasks.base import AnyRun

FEWEST = 4
"""Runs from which on it is worth while to measure."""

GAIN = 1.1
"""A doubling has to make the batches a second grow by this factor."""

SECONDS = 1.5
"""How long each number of workers is measured."""

WARM_UP = 10
"""Batches that a worker trains before it is measured."""

SHORT = 60.0
"""Seconds; runs that take less one after another are not worth further trials, each of which takes some."""

PATIENCE = 600.0
"""Seconds in which a worker has to answer, the import of torch among them, beside whatever else is running."""

_FAILED = "the run that was tried did not finish"


class Ends(Exception):  # noqa: N818 - not an error: it ends the trials
    """Raised by a trial if no further one is worth while; says why."""


@dataclass(frozen=True)
class _Report:
    """What a trial worker has found."""

    rate: float
    """Batches a second."""
    length: int
    """Batches of the run, or steps of a task that is counted in those."""
    half_free: bool
    """Whether at least half of the card's memory is free."""


def workers_on_card(tasks: Sequence[Task], shared: Path, listen: Listen, interrupted: Asked) -> int:
    """Return how many runs are to share the card; `listen` hears what was measured.

    Args:
        tasks: the runs, all of one device.
        shared: a folder where workers share data sets.
        listen: hears of what was measured.
        interrupted: says whether the user wants it to end.

    Raises KeyboardInterrupt if the user does.
    """
    most = min(len(tasks), pool.enough_for(pool.free()))
    with _Trial(tasks[0], len(tasks), shared, interrupted) as trial:
        found = climb(trial.rate, most)
    listen(found)
    return found.workers


def climb(rate: Callable[[int], float], most: int) -> CardMeasured:
    """Double the workers until that gains too little, does not fit, or would be more than `most`.

    `rate` takes a number of workers, returns the batches a second of all of them, and raises Ends if no more are
    to be tried. The number that is chosen was tried, but for 1 where even that could not be.
    """
    rates: dict[int, float] = {}
    workers = 1
    while workers <= most:
        try:
            rates[workers] = rate(workers)
        except Ends as why:
            return CardMeasured(max(1, workers // 2), rates, str(why))
        if workers > 1 and rates[workers] < GAIN * rates[workers // 2]:
            return CardMeasured(workers // 2, rates, f"{workers} gain less than {GAIN - 1:.0%}")
        workers *= 2
    return CardMeasured(max(1, workers // 2), rates, "more than the runs or this machine's memory allow")


class _Trial:
    """Workers that train batches of one run, each in a process, until it is left."""

    def __init__(self, task: Task, runs: int, shared: Path, interrupted: Asked) -> None:
        self._task, self._runs, self._shared, self._interrupted = task, runs, shared, interrupted
        self._members: list[tuple[BaseProcess, Connection]] = []
        self._last: _Report | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, pipe in self._members:
            process.kill()
            process.join()  # its memory on the card is free from now on
            pipe.close()

    def rate(self, workers: int) -> float:
        """Return the batches a second of so many workers, at least as many as before."""
        if self._last:
            self._worth_while(self._last)
        for _ in range(workers - len(self._members)):
            self._start()
        for _, pipe in self._members:
            pipe.send(True)
        reports = [self._answer(pipe) for _, pipe in self._members]
        self._last = reports[-1]
        return sum(report.rate for report in reports)

    def _worth_while(self, report: _Report) -> None:
        if len(self._members) == 1 and self._runs * report.length / report.rate < SHORT:
            raise Ends(f"all runs together take less than {SHORT:.0f} s")
        if not report.half_free:
            raise Ends("the card's memory has no room for twice as many")

    def _start(self) -> None:
        """Start a worker, and wait until it is warm."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_train, args=(theirs, self._task, self._shared), daemon=True)
        process.start()
        theirs.close()
        self._members.append((process, ours))
        self._answer(ours)

    def _answer(self, pipe: Connection) -> _Report:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._interrupted():
                raise KeyboardInterrupt
            if pipe.poll(LISTEN_SECONDS):
                try:
                    answer = pipe.recv()
                except EOFError:
                    raise Ends("a process of the trial was killed") from None
                if isinstance(answer, str):
                    raise Ends(answer)
                return answer  # type: ignore[no-any-return]  # what came through a pipe is of any type
        raise Ends(f"no answer within {PATIENCE:.0f} s")


def _train(pipe: Connection, task: Task, shared: Path) -> None:
    """Train the run again and again, in a process of its own: warm up, answer, and then measure when asked to."""
    from reportgen.data_files.sharing import share_in
    from reportgen.lab.failures import OutOfMemory
    from reportgen.lab.run import Cancelled, carry_out
    from reportgen.tasks.base import run_settings

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    share_in(shared)
    settings = run_settings(task.settings)
    try:
        meter = _Meter(pipe, settings, task)
        while True:
            record = carry_out(settings, task.seed, task.parts, on_batch=meter.on_batch, last_try=False)
            if record.status != "finished":
                pipe.send(_FAILED)
                return
    except OutOfMemory:
        pipe.send("no memory for as many")
    except (Cancelled, OSError):  # the parent has what it wanted, or is gone
        return
    except Exception:  # whatever it is, the run itself will have it in its record
        pipe.send(_FAILED)


class _Meter:
    """Counts batches, and waits between two measurements."""

    def __init__(self, pipe: Connection, settings: "AnyRun", task: Task) -> None:
        self._pipe = pipe
        self._device = settings.device
        self._length = _batches_of(settings, task)
        self._batches = 0
        self._began: float | None = None

    def on_batch(self) -> None:
        """Count a batch that is about to begin; raise Cancelled if nobody asks any more."""
        from reportgen.lab.card import is_half_free, wait_for
        from reportgen.lab.run import Cancelled

        if self._batches >= WARM_UP if self._began is None else time.perf_counter() - self._began >= SECONDS:
            wait_for(self._device)
            seconds = time.perf_counter() - (self._began or 0.0)
            self._pipe.send(_Report(self._batches / seconds, self._length, is_half_free(self._device)))
            try:
                self._pipe.recv()
            except EOFError:
                raise Cancelled from None
            self._batches, self._began = 0, time.perf_counter()
        self._batches += 1


def _batches_of(settings: "AnyRun", task: Task) -> int:
    from reportgen.tasks.classification.data import prepare
    from reportgen.tasks.classification.settings import RunSettings

    if not isinstance(settings, RunSettings):
        return task.epochs
    examples = len(prepare(settings.data).parts["train"])
    return task.epochs * -(-examples // settings.training.batch_size)
