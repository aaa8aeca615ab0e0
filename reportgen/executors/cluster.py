"""Runs as Ray tasks, here or on a cluster."""

import io
import os
import platform
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
from filelock import FileLock, Timeout
from ray import exceptions
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from reportgen.errors import ReportgenError
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
from reportgen.lab.settings import RunOfAnyTask
from reportgen.storage.records import Store
from reportgen.storage.secret import machine_secret
from reportgen.storage.traces import named_files
from reportgen.tasks.registry import run_settings, task_of
from reportgen.tasks.runs import key_parts

_REACH_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_OBJECT_STORE_BYTES = 128 << 20
"""Memory for records on their way; Ray puts what is beyond it on the disk."""
_PROBE = (
    "import sys, ray; print('imported', flush=True); "
    "ray.init(sys.argv[1], logging_level='CRITICAL', log_to_driver=False)"
)


@contextmanager
def connected(address: str | None, jobs: int | None) -> Iterator[None]:
    """Connect to Ray at `address`, or start it with `jobs` CPUs, or all there are; ReportgenError if not."""
    if address is not None:
        _check(address)
    here = {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init(address or "local", logging_level="ERROR", log_to_driver=False, **({} if address else here))
    except (RuntimeError, ValueError, ConnectionError, RayError) as error:
        raise ReportgenError(f"Ray could not be {'reached' if address else 'started'}: {error}") from None
    with redirect_stdout(io.StringIO()):  # where Ray prints the log of a machine that is lost
        try:
            yield
        finally:
            ray.shutdown()


def _check(address: str) -> None:
    """Raise ReportgenError if there is no Ray at `address` that this machine is a node of."""
    try:
        socket.create_connection(address_parts(address), _REACH_SECONDS).close()
        fault = _fault(address)
    except OSError as error:
        fault = error.strerror or str(error)
    if fault:
        expected = "the head of a Ray cluster that this machine is a node of"
        raise ReportgenError(f"--address: got {address} ({fault}), expected {expected}")


def _fault(address: str) -> str:
    """Say why Ray cannot be reached; nothing if it can.

    A process of its own tries it: Ray would ask for two minutes before it gives up.
    """
    command = [sys.executable, "-c", _PROBE, address]
    with subprocess.Popen(  # noqa: S603 - this Python itself
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as probe:
        if probe.stdout is not None:
            probe.stdout.readline()  # on a busy machine the import takes long, which is no fault of the cluster's
        try:
            _, said = probe.communicate(timeout=_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            probe.kill()
            return "no answer"
    return (said.strip() or "it ended").splitlines()[-1] if probe.returncode else ""


def address_parts(address: str) -> tuple[str, int]:
    """Return host and port; ReportgenError for anything else."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ReportgenError(f"--address: got {address!r}, expected HOST:PORT of a Ray cluster")
    return host.strip("[]"), int(port)


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


def check_key(task: Task, settings: RunOfAnyTask) -> None:
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


def check_precision(settings: RunOfAnyTask) -> None:
    """Raise ReportgenError if the processor of this machine cannot compute the run's model as its settings ask."""
    task = task_of(settings.data.source)
    trial = task.precision_trial(settings)
    if trial is None:
        return
    fault = task.try_precision(trial["precision"], trial["model"], trial["device"]).fault
    if fault is not None:
        raise ReportgenError(f"{platform.node()}: training.precision: {fault}")


def train(task: Task, tell: Listen, scratch: Path, last_try: bool) -> dict[str, bytes] | None:
    """Train and test a model as a worker of the pool does: see `Work`. Raises what the checks do."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        del os.environ["CUDA_VISIBLE_DEVICES"]  # Ray hides the GPU from CPU runs; their record says what is there
    from reportgen.lab.failures import OutOfMemory
    from reportgen.lab.training.checkpoints import Checkpoint

    settings = run_settings(task.settings)
    check_key(task, settings)
    check_precision(settings)
    checkpoint = Checkpoint(scratch if scratch.parent.is_dir() else None, secret=machine_secret())
    try:
        files = files_of_run(task, tell, lambda: None, checkpoint, last_try=last_try)
    except OutOfMemory:
        return None
    checkpoint.remove()
    return files


TRIES = 3
"""How often a run is begun whose process or machine is lost; the last time it has a machine's CPUs for itself."""

_KILLED = (
    "its process or its machine was lost three times, the last time while no other run was active (out of memory?)"
)
_LOST = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,  # Ray ends a process before the machine's memory is full
    exceptions.ObjectLostError,  # the machine was lost with the record on it
)
_WAITING = 8
"""Runs that wait at the cluster beyond those that it has room for, so that no core is idle meanwhile."""


@dataclass(frozen=True)
class Attempt:
    """A run, and how often it was begun before."""

    task: Task
    before: int = 0

    @property
    def last(self) -> bool:
        """Whether it is the last one."""
        return self.before + 1 == TRIES


@dataclass(frozen=True)
class Cluster:
    """Ray at `address`, or started on this machine.

    Args:
        address: host and port of a standing cluster that this machine is a node of; None starts Ray here.
        jobs: the largest number of parallel runs; None leaves it to Ray, which gives each run a CPU.
        gpu_share: how much of a GPU a run has, for runs on a GPU.
        work: what a run is; only measurements change it.
    """

    address: str | None = None
    jobs: int | None = None
    gpu_share: float = 1.0
    work: Work = train

    def get_ready(self) -> None:
        """Do nothing yet: a cluster is connected to when it is known what it shall do."""

    def carry_out(self, tasks: Sequence[Task], store: Store, listen: Listen, interrupted: Asked) -> None:
        """Carry out runs: see `reportgen.executors.base.Executor`."""
        with connected(self.address, self.jobs):
            for own in by_device(tasks):
                _Dispatcher(self, str(own[0].settings["device"]), store, listen).carry_out(own, interrupted)


class _Dispatcher:
    """Hands out runs of one device, so many as there is room for, and takes in their records."""

    def __init__(self, cluster: Cluster, device: str, store: Store, listen: Listen) -> None:
        self.cluster = cluster
        self.needs = {"CPU": 1.0} | ({"GPU": cluster.gpu_share} if device == "cuda" else {})
        self.store = store
        self.listen = listen
        self.under_way: dict[Any, tuple[Attempt, FileLock]] = {}
        # beside this process: whatever machine is lost, this one is not, or the build ends anyway
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        lasting = {"max_restarts": -1, "max_task_retries": -1}
        self.mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here, **lasting).remote()
        self.work = ray.remote(carry_out_on_node)

    def carry_out(self, tasks: Iterable[Task], interrupted: Asked) -> None:
        """Carry out the runs; raises what `Executor.carry_out` raises."""
        if not self._room_on(_resources()):
            needed = " and ".join(f"{count:g} {what}" for what, count in self.needs.items())
            raise ReportgenError(f"Ray: got no machine with {needed}, which a run needs, expected at least one")
        waiting = deque(Attempt(task) for task in tasks)
        try:
            while waiting or self.under_way:
                self._hand_out(waiting)
                waiting.extendleft(self._take_in())
                if interrupted():
                    raise KeyboardInterrupt
        finally:
            self._cancel()

    def _hand_out(self, waiting: deque[Attempt]) -> None:
        most = self.cluster.jobs or self._room_on(_resources()) + _WAITING
        for _ in range(min(len(waiting), most - len(self.under_way))):
            attempt = waiting.popleft()
            lock = self.store.lock(attempt.task.key)
            try:
                lock.acquire(timeout=0)
            except Timeout:  # another build is making it
                waiting.append(attempt)
                continue
            if self.store.digest(attempt.task.key) == attempt.task.found:
                self.under_way[self._submit(attempt)] = (attempt, lock)
            else:  # another build has made it meanwhile
                with lock:
                    tell_done(attempt.task, self.store, self.listen, here=False)
                lock.release()

    def _submit(self, attempt: Attempt) -> Any:
        options = {"num_cpus": self._whole() if attempt.last else 1, "num_gpus": self.needs.get("GPU", 0)}
        scratch = self.store.scratch(attempt.task.key).absolute()
        named = named_files(attempt.task.settings)
        # Ray's own retries would know neither the record's lock nor an end where memory is short
        return self.work.options(name=attempt.task.name, max_retries=0, **options).remote(
            self.cluster.work, attempt.task, scratch, named, self.mailbox, attempt.last
        )

    def _take_in(self) -> list[Attempt]:
        """Wait a moment for runs to end, and take in their records; return those to try again."""
        if not self.under_way:
            time.sleep(LISTEN_SECONDS)
            return []
        ready, waiting = ray.wait(list(self.under_way), timeout=LISTEN_SECONDS)
        if ready and waiting:
            ready += ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]
        names = {attempt.task.name for attempt, _ in self.under_way.values()}
        for event in ray.get(self.mailbox.take.remote()):
            if event.name in names:  # a machine that counts as lost may still be talking
                self.listen(event)
        return [again for again in map(self._ended, ready) if again]

    def _ended(self, run: Any) -> Attempt | None:
        """Take in the record of a run; return what to try next if there is none."""
        attempt, lock = self.under_way[run]
        files = _files(run)
        if files is not None:
            self.store.write(attempt.task.key, files)
            tell_done(attempt.task, self.store, self.listen, here=True)
        del self.under_way[run]
        lock.release()
        if files is not None:
            return None
        if attempt.last:
            record_death(attempt.task, _KILLED, self.store, self.listen)
            return None
        return replace(attempt, before=attempt.before + 1)

    def _cancel(self) -> None:
        """End what is under way, if anything still is: the build ends."""
        for run, (_, lock) in self.under_way.items():
            ray.cancel(run, force=True)
            lock.release()
        ray.kill(self.mailbox)

    def _fitting(self, machines: Iterable[dict[str, float]]) -> list[dict[str, float]]:
        return [own for own in machines if all(own.get(what, 0) >= count for what, count in self.needs.items())]

    def _whole(self) -> float:
        """Return the CPUs of the largest machine: whoever has them has no other run beside it."""
        return max((own["CPU"] for own in self._fitting(_resources())), default=1)

    def _room_on(self, machines: Iterable[dict[str, float]]) -> int:
        """Return how many runs the machines have room for."""
        fitting = self._fitting(machines)
        return sum(int(min(own[what] / count for what, count in self.needs.items())) for own in fitting)


def _resources() -> list[dict[str, float]]:
    """Return what each machine of the cluster has for runs, be it free or not."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _files(run: Any) -> dict[str, bytes] | None:
    """Return the record of a run that has ended; None if it is to be tried again."""
    try:
        files: dict[str, bytes] | None = ray.get(run)
    except exceptions.RayTaskError as error:
        if isinstance(error.cause, ReportgenError):
            raise error.cause from None
        raise ReportgenError(f"Ray: a machine could not begin a run: {str(error).splitlines()[-1]}") from None
    except _LOST:
        return None
    except exceptions.RayError as error:
        raise ReportgenError(f"Ray: {str(error).splitlines()[0]}") from None
    return files
