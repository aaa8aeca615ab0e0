"""The stage *plan*: for each run its key, whether it is there already, and why not.

The modules that read data and records are imported where they are needed: a plan that finds all as an earlier one
did needs neither them nor numpy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportgenError
from reportgen.executors.base import Task
from reportgen.lab import device as devices
from reportgen.planning.cache import Remembered, State
from reportgen.planning.explain import reasons
from reportgen.storage.cache import Kept
from reportgen.storage.records import Store
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, expand, runs_of
from reportgen.suite.imports import ImportedRun
from reportgen.suite.schema import Suite
from reportgen.tasks.base import AnyRun
from reportgen.tasks.classification.settings import TrainingSettings

if TYPE_CHECKING:
    from reportgen.lab.record import Record


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
    """What the key is made of; empty for a run that is there."""
    action: Action
    why: str
    found: str = ""
    """Digest of the record that was there; empty without one."""
    status: str = ""
    """Of the record that was there and can be read."""


@dataclass(frozen=True)
class Plan:
    """The steps of a suite, in its order."""

    steps: list[Step]


def plan(suite: Suite, store: Store, kept: Kept | None = None, name: str = "") -> Plan:
    """Expand the suite and decide about every run; nothing is trained, and torch is not imported.

    Args:
        suite: what is planned.
        store: where the records are.
        kept: where the plan leaves what it has worked out, for the next one of the suite of this name.
        name: of the suite.
    """
    asking = None if devices.has_cuda() else next(_asking_for_cuda(suite), None)
    if asking:
        raise ReportgenError(
            f"{asking}: got 'cuda', expected a GPU that torch can use, which this machine has not; "
            "`device: auto` takes the CPU where there is none, and a sweep over device is left out"
        )
    runs = runs_of(suite, devices.resolve("auto"))
    known = Remembered(kept, name)
    steps = [_step(run, store, known) for run in runs]
    known.keep()
    return Plan(_with_reasons(steps, store))


def has_new(suite: Suite, store: Store) -> bool:
    """Tell, before any key is worked out, whether there are fewer records than runs to train on the CPU."""
    settings = [run.variant.settings for run in runs_of(suite, devices.resolve("auto"))]
    to_train = sum(not isinstance(own, ImportedRun) and own.device == "cpu" for own in settings)
    return to_train > len(list(store.keys()))


def _asking_for_cuda(suite: Suite) -> Iterator[str]:
    """Yield the settings that take no other device: the suite's, unless every run has its own, and the runs'."""
    if suite.device == "cuda" and not all(run.device for run in suite.runs):
        yield "device"
    yield from (f"runs.{run.name}.device" for run in suite.runs if run.device == "cuda")


def left_out(suite: Suite) -> list[str]:
    """Return notes on the points of sweeps that are the run itself, and on those that lack a GPU."""
    if not suite.sweeps:
        return []
    found = expand(suite, Document(Path()), devices.resolve("auto"))
    same, lacking = ", ".join(found.left_out), ", ".join(found.lacking)
    notes = [f"sweeps: left out, since the run itself is the same: {same}"] if same else []
    if lacking:
        notes.append(f"sweeps: left out, since this machine has no GPU that torch can use: device of {lacking}")
    return notes


def tasks(planned: Plan) -> list[Task]:
    """Return what has to be trained: runs that share a key share one task."""
    alone = any("device" in dict(step.run.variant.changed) for step in planned.steps)
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
            alone,
        )
        for step, settings in needed.values()
    ]


def carry_in(planned: Plan, store: Store) -> int:
    """Read the logs of runs that were trained elsewhere, and leave their records; return how many that were."""
    new = [
        (step, settings)
        for step in planned.steps
        if step.action is Action.IMPORT and isinstance(settings := step.run.variant.settings, ImportedRun)
    ]
    if new:
        from reportgen.importers.records import record_of
        from reportgen.lab.record import to_files

        for step, settings in new:
            store.write(step.key, to_files(record_of(settings, step.run.seed, step.parts)))
    return len(new)


def check_logs(suite: Suite) -> None:
    """Read every log that the suite imports; InputError with what is wrong with any of them."""
    if not any(run.imported for run in suite.runs):
        return
    from reportgen.importers import records as imports

    runs = [(run.variant.settings, run.seed) for run in runs_of(suite, "cpu")]
    imports.check((settings, seed) for settings, seed in runs if isinstance(settings, ImportedRun))


def _length(settings: AnyRun) -> tuple[int, str]:
    """Return how long a run is, and in what it is counted."""
    training = settings.training
    return (training.epochs, "epoch") if isinstance(training, TrainingSettings) else (training.steps, "step")


def unfinished(planned: Plan, store: Store) -> list[str]:
    """Return the names of the runs whose records say diverged or failed."""
    return [step.run.name for step in planned.steps if _status(step, store) != "finished"]


def _status(step: Step, store: Store) -> str:
    if step.action is Action.REUSE:  # it was read when it was planned
        return step.status
    record = read(store, step.key)
    return record.status if record else ""


def read(store: Store, key: str) -> "Record | None":
    """Read a record; None if it is absent, damaged, or of another version's layout."""
    files = store.read(key)
    return None if files is None else _parsed(files)


def _parsed(files: dict[str, bytes]) -> "Record | None":
    from reportgen.lab.record import from_files

    try:
        return from_files(files)
    except Exception:  # whatever numpy, zipfile and json make of it: the run is trained anew
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
    from reportgen.lab.record import LAYOUT, layout_of

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
        from reportgen.importers.records import key_parts as parts_of_log

        return parts_of_log(settings, run.seed)
    from reportgen.lab.key import key_parts

    return key_parts(settings, run.seed)


def _key(run: Run) -> str:
    from reportgen.lab.key import key_of

    return key_of(parts_of_key(run))


def _step(run: Run, store: Store, known: Remembered) -> Step:
    key = known.key(run, lambda: _key(run))
    found = store.digest(key)
    files = store.read(key)
    state = None if files is None else known.state(found, lambda: _state(files))
    if state is not None and state[0] != "failed":
        return Step(run, key, {}, Action.REUSE, " ".join(state), found, state[0])
    parts = parts_of_key(run)
    if state is not None:
        return Step(run, key, parts, Action.RETRY, "it failed before", found, state[0])
    if run.variant.imported:
        return Step(run, key, parts, Action.IMPORT, _lacking(store, key) or parts["import.format"], found)
    return Step(run, key, parts, Action.TRAIN, _lacking(store, key), found)


def _state(files: dict[str, bytes]) -> State | None:
    record = _parsed(files)
    return (record.status, record.started) if record else None
