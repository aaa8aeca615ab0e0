"""Runs as Ray tasks: on a standing cluster, or with Ray on this machine alone.

A run's record comes back whole, and this process writes it to the store: the machines of a cluster need not share
the build folder. Import this module through `reportgen.executors.chosen`, which readies the environment for Ray.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
from filelock import FileLock, Timeout
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from reportgen.errors import ReportgenError
from reportgen.executors.base import LISTEN_SECONDS, Asked, Listen, by_device, record_death, tell_done
from reportgen.executors.connecting import connected
from reportgen.executors.events import Task
from reportgen.executors.node import Mailbox, Work, carry_out_on_node, train
from reportgen.store import Store
from reportgen.suite.own import file_of_own

TRIES = 3
"""How often a run is begun whose process or machine is lost; the last time it has a machine's CPUs for itself."""

_KILLED = "its process or its machine was lost three times, at last with no other run beside it (out of memory?)"
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
        jobs: how many runs go side by side at most; None leaves it to Ray, which gives each run a CPU.
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
            raise ReportgenError(f"Ray: got no machine with {needed} for runs, expected one at least")
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


def named_files(settings: object) -> list[Path]:
    """Return the files and folders that the settings of a run name, as they lie on this machine."""
    if isinstance(settings, dict):
        return [file for value in settings.values() for file in named_files(value)]
    if isinstance(settings, list | tuple):
        return [file for value in settings for file in named_files(value)]
    file = Path(file_of_own(settings) or settings) if isinstance(settings, str) else Path()
    return [file] if file.is_absolute() and file.exists() else []
