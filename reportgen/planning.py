"""The stage *plan*: for each run its key, whether it is there already, and why not."""

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from reportgen.errors import ReportgenError
from reportgen.executors.events import Task
from reportgen.importing import records as imports
from reportgen.lab import device as devices
from reportgen.lab.key import key_of, key_parts
from reportgen.lab.record import LAYOUT, Record, from_files, layout_of, to_files
from reportgen.reasons import reasons
from reportgen.store import Store
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, expand, runs_of, task_of_suite
from reportgen.suite.importing import ImportedRun
from reportgen.suite.schema import Suite
from reportgen.suite.settings import RunSettings, TrainingSettings
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
    found: str = ""
    """Digest of the record that was there; empty without one."""


@dataclass(frozen=True)
class Plan:
    """The steps of a suite, in its order."""

    steps: list[Step]


def plan(suite: Suite, store: Store) -> Plan:
    """Expand the suite and decide about every run; nothing is trained, and torch is not imported."""
    asking = None if devices.has_cuda() else next(_asking_for_cuda(suite), None)
    if asking:
        raise ReportgenError(
            f"{asking}: got 'cuda', expected a GPU that torch can use, which this machine has not; "
            "`device: auto` takes the CPU where there is none, and a sweep over device is left out"
        )
    runs = runs_of(suite, devices.resolve("auto"))
    if on_cpu := next((run for run in runs if _wants_tf32_of_a_cpu(run)), None):
        raise ReportgenError(
            f"runs.{on_cpu.variant.name}.training.precision: got 'tf32' for a run on the CPU, expected float32 or "
            "bf16; tf32 is a GPU's"
        )
    steps = [_step(run, store) for run in runs]
    return Plan(_with_reasons(steps, store))


def _wants_tf32_of_a_cpu(run: Run) -> bool:
    settings = run.variant.settings
    return isinstance(settings, RunSettings) and (settings.device, settings.training.precision) == ("cpu", "tf32")


def _asking_for_cuda(suite: Suite) -> Iterator[str]:
    """Yield the settings that take no other device: the suite's, unless every run has its own, and the runs'."""
    if suite.device == "cuda" and not all(run.device for run in suite.runs):
        yield "device"
    yield from (f"runs.{run.name}.device" for run in suite.runs if run.device == "cuda")


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


def left_out(suite: Suite) -> list[str]:
    """Return notes on the points of sweeps that are the run itself, and on those that lack a GPU."""
    found = expand(suite, Document(Path()), devices.resolve("auto"))
    same, lacking = ", ".join(found.left_out), ", ".join(found.lacking)
    notes = [f"sweeps: left out, since the run itself is the same: {same}"] if same else []
    if lacking:
        notes.append(f"sweeps: left out, since this machine has no GPU that torch can use: device of {lacking}")
    return notes


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
            step.found,
        )
        for step, settings in needed.values()
    ]


def carry_in(planned: Plan, store: Store) -> int:
    """Read the logs of runs that were trained elsewhere, and leave their records; return how many that were."""
    count = 0
    for step in planned.steps:
        settings = step.run.variant.settings
        if step.action is Action.IMPORT and isinstance(settings, ImportedRun):
            store.write(step.key, to_files(imports.record_of(settings, step.run.seed, step.parts)))
            count += 1
    return count


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
    except (
        csv.Error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        RecursionError,
        MemoryError,
    ):
        return None
    except (BadZipFile, zlib.error):
        return None


def _with_reasons(steps: list[Step], store: Store) -> list[Step]:
    """Say of every run that has no record why not: what changed since the one that it takes the place of."""
    new = {step.key: step.parts for step in steps if step.action is Action.TRAIN and not step.why}
    if not new:
        return steps
    used = {step.key for step in steps}
    records = {key: read(store, key) for key in store.keys() if key not in used}  # noqa: SIM118 - a Store is no dict
    why = reasons(new, {key: record.parts for key, record in records.items() if record})
    return [replace(step, why=step.why or why[step.key]) for step in steps]


def _lacking(store: Store, key: str) -> str:
    """Say why what lies where a record belongs is not read; nothing if nothing lies there.

    Raises ReportgenError for a record of a layout that is newer than this version's.
    """
    if not store.has(key):
        return ""
    fault = store.fault(key)
    if fault:
        return f"its record is damaged: {fault}"
    layout = layout_of(store.read(key) or {})
    if layout is not None and layout > LAYOUT:
        raise ReportgenError(
            f"{store.folder / key}: got a record of layout {layout}, expected {LAYOUT}; a newer reportgen wrote "
            "it: use that one, or build into another folder with --build-dir"
        )
    return f"its record has layout {layout}, and this version reads layout {LAYOUT}"


def parts_of_key(run: Run) -> dict[str, Any]:
    """Return what the key of a run is made of, be it trained here or elsewhere."""
    settings = run.variant.settings
    if isinstance(settings, ImportedRun):
        return imports.key_parts(settings, run.seed)
    return key_parts(settings, run.seed)


def _step(run: Run, store: Store) -> Step:
    parts = parts_of_key(run)
    key = key_of(parts)
    found = store.digest(key)
    record = read(store, key)
    if record is None and run.variant.imported:
        return Step(run, key, parts, Action.IMPORT, _lacking(store, key) or parts["import.format"], found)
    if record is None:
        return Step(run, key, parts, Action.TRAIN, _lacking(store, key), found)
    if record.status == "failed":
        return Step(run, key, parts, Action.RETRY, "it failed before", found)
    return Step(run, key, parts, Action.REUSE, f"{record.status} {record.started}", found)
