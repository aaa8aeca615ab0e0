"""The stage *plan*: for each run its key, whether it is there already, and why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.executors.events import Task
from reportgen.importing import records as imports
from reportgen.lab import device as devices
from reportgen.lab.key import key_of, key_parts
from reportgen.lab.record import Record, from_files, to_files
from reportgen.store import Store
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, expand, runs_of, task_of_suite
from reportgen.suite.importing import ImportedRun
from reportgen.suite.schema import Suite
from reportgen.suite.settings import TrainingSettings
from reportgen.suite.tasks import AnyRun

QUICK: dict[str, dict[str, dict[str, int]]] = {
    "classification": {"data": {"limit": 1500}, "training": {"epochs": 2}},
    "forecasting": {
        "data": {"sequences": 12, "length": 200, "limit": 50, "window": 200, "test": 2, "validation": 2},
        "training": {"steps": 5, "log_every": 1},
    },
    "addition": {
        "data": {"test_numbers": 20},
        "training": {"steps": 60, "batch_size": 20, "log_every": 20},
    },
}
"""The largest values of a quick build, by task."""


class Action(Enum):
    """What will be done about a run."""

    REUSE = "reuse"
    TRAIN = "train"
    RETRY = "retry"
    IMPORT = "import"


@dataclass(frozen=True)
class Step:
    """A run, its key, and what will be done about it."""

    run: Run
    key: str
    parts: dict[str, Any]
    action: Action
    why: str


@dataclass(frozen=True)
class Plan:
    """The steps of a suite, in its order, and the device they go to."""

    steps: list[Step]
    device: str


def plan(suite: Suite, store: Store) -> Plan:
    """Expand the suite and decide about every run; nothing is trained, and torch is not imported."""
    device = devices.resolve(suite.device)
    if device == "cuda" and not devices.has_cuda():
        raise ReportgenError(
            "device: got 'cuda', expected a GPU that torch can use, which this machine has not; "
            "`device: auto` takes the CPU where there is none"
        )
    runs = runs_of(suite, device)
    past = _Past(store)
    return Plan([_step(run, past) for run in runs], device)


def left_out(suite: Suite) -> list[str]:
    """Return a note on the points of sweeps that are the run itself, if there are any."""
    names = ", ".join(expand(suite, Document(Path())).left_out)
    return [f"sweeps: left out, since the run itself is the same: {names}"] if names else []


def shortened(suite: Suite) -> Suite:
    """Return the suite with every run cut to seconds: few examples, few epochs or steps, one seed or two."""
    caps = QUICK[task_of_suite(suite).name]
    data = {
        name: min(caps["data"][name] if value is None else value, caps["data"][name])
        for name, value in suite.data
        if name in caps["data"]
    }
    runs = tuple(
        run.model_copy(update={name: _capped(getattr(run, name), caps[name]) for name in ("data", "training")})
        for run in suite.runs
    )
    return suite.model_copy(
        update={
            "data": suite.data.model_copy(update=data),
            "training": _capped({**caps["training"], **suite.training}, caps["training"]),
            "runs": runs,
            "sweeps": tuple(sweep.model_copy(update={"grid": _cut(sweep.grid, caps)}) for sweep in suite.sweeps),
            "seeds": suite.seeds[:2],
        }
    )


def _capped(given: dict[str, Any], caps: dict[str, int]) -> dict[str, Any]:
    return {
        name: min(caps[name] if value is None else value, caps[name]) if name in caps else value
        for name, value in given.items()
    }


def _cut(grid: dict[str, tuple[Any, ...]], caps: dict[str, dict[str, int]]) -> dict[str, tuple[Any, ...]]:
    """Return the grid with nothing in it that takes long; values that become the same are there once."""
    most = {f"{part}.{name}": cap for part, own in caps.items() for name, cap in own.items()}
    return {
        name: tuple(dict.fromkeys(min(most[name] if value is None else value, most[name]) for value in values))
        if name in most
        else values
        for name, values in grid.items()
    }


def tasks(planned: Plan) -> list[Task]:
    """Return what has to be trained: runs that share a key share one task."""
    needed = {
        step.key: (step, settings)
        for step in planned.steps
        if step.action is not Action.REUSE and not isinstance(settings := step.run.variant.settings, ImportedRun)
    }
    return [
        Task(
            step.run.name,
            step.key,
            settings.model_dump(mode="json"),
            step.run.seed,
            step.parts,
            *_length(settings),
        )
        for step, settings in needed.values()
    ]


def carry_in(planned: Plan, store: Store) -> None:
    """Read the logs of runs that were trained elsewhere, and leave their records."""
    for step in planned.steps:
        settings = step.run.variant.settings
        if step.action is Action.IMPORT and isinstance(settings, ImportedRun):
            store.write(step.key, to_files(imports.record_of(settings, step.run.seed, step.parts)))


def check_logs(suite: Suite) -> None:
    """Read every log that the suite imports; InputError with what is wrong with any of them."""
    runs = [(run.variant.settings, run.seed) for run in runs_of(suite, "cpu")]
    imports.check((settings, seed) for settings, seed in runs if isinstance(settings, ImportedRun))


def _length(settings: AnyRun) -> tuple[int, str]:
    """Return how long a run is, and in what it is counted."""
    training = settings.training
    return (training.epochs, "epoch") if isinstance(training, TrainingSettings) else (training.steps, "step")


def unfinished(planned: Plan, store: Store) -> list[str]:
    """Return the names of the runs whose records say diverged or failed."""
    statuses = {step.run.name: read(store, step.key) for step in planned.steps}
    return [name for name, record in statuses.items() if record is None or record.status != "finished"]


def read(store: Store, key: str) -> Record | None:
    """Read a record; None if it is absent, damaged, or of another version's layout."""
    files = store.read(key)
    if files is None:
        return None
    try:
        return from_files(files)
    except (ValueError, KeyError, TypeError):
        return None


def _step(run: Run, past: "_Past") -> Step:
    settings = run.variant.settings
    imported = isinstance(settings, ImportedRun)
    if isinstance(settings, ImportedRun):
        parts = imports.key_parts(settings, run.seed)
    else:
        parts = key_parts(settings, run.seed)
    key = key_of(parts)
    record = read(past.store, key)
    if record is None and imported:
        return Step(run, key, parts, Action.IMPORT, parts["import.format"])
    if record is None:
        damaged = "its record is damaged, or of another version" if past.store.has(key) else ""
        return Step(run, key, parts, Action.TRAIN, damaged or past.reason(parts))
    if record.status == "failed":
        return Step(run, key, parts, Action.RETRY, "it failed before")
    return Step(run, key, parts, Action.REUSE, f"{record.status} {record.started}")


class _Past:
    """All records of the store, read when the first reason is asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: list[dict[str, Any]] | None = None

    def reason(self, parts: dict[str, Any]) -> str:
        """Say what differs from the nearest record: `training.epochs: 12 → 14`."""
        if self._known is None:
            self._known = [r.parts for key in self.store.keys() if (r := read(self.store, key))]  # noqa: SIM118
        if not self._known:
            return "new"
        nearest = min(self._known, key=lambda known: (len(list(_changes(known, parts))), str(known.get("seed"))))
        changes = list(_changes(nearest, parts))
        return "new" if len(changes) > 3 else "; ".join(changes) or "new"


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield f"{name}: {_short(before)} → {_short(after)}"


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:8]}…"
