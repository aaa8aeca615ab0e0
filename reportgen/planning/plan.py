"""The stage *plan*: for each run its key, whether it is there already, and why not.

The modules that read data and records are imported where they are needed: a plan that finds all as an earlier one
did needs neither them nor numpy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportgenError
from reportgen.executors.base import Task
from reportgen.planning.cache import PlanCache, State
from reportgen.planning.explain import reasons
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.suite.expansion import Run
from reportgen.suite.imports import ImportedRun

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

    @property
    def new(self) -> list[Run]:
        """The runs that have to be trained or imported."""
        return [step.run for step in self.steps if step.action is not Action.REUSE]

    @property
    def keys(self) -> list[str]:
        """The key of each run."""
        return [step.key for step in self.steps]


def plan(runs: Sequence[Run], store: Store, cache: Cache | None = None, name: str = "") -> Plan:
    """Decide about every run; nothing is trained, and torch is not imported.

    Args:
        runs: those of a suite, in its order.
        store: where the records are.
        kept: where the plan leaves what it has worked out, for the next one of the suite of this name.
        name: of the suite.
    """
    known = PlanCache(cache, name)
    steps = [_step(run, store, known) for run in runs]
    known.keep()
    return Plan(_with_reasons(steps, store))


def has_new(runs: Iterable[Run], store: Store) -> bool:
    """Tell, before any key is worked out, whether there are fewer records than runs to train on the CPU."""
    to_train = sum(not run.variant.imported and run.variant.settings.device == "cpu" for run in runs)
    return to_train > len(list(store.keys()))


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
            settings.training.rounds,
            settings.training.unit,
            step.found,
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


def unfinished(planned: Plan, store: Store) -> list[str]:
    """Return the names of the runs whose records say diverged or failed."""
    return [step.run.name for step in planned.steps if _status(step, store) != "finished"]


def _status(step: Step, store: Store) -> str:
    if step.action is Action.REUSE:  # it was read when it was planned
        return step.status
    record = read(store, step.key)
    return record.status if record else ""


def read(store: Store, key: str) -> "Record | None":
    """Read a record; None if it is absent, damaged, another run's, or of another version's layout."""
    files = store.read(key)
    return None if files is None else _parsed(files, key)


def _parsed(files: dict[str, bytes], key: str) -> "Record | None":
    from reportgen.lab.record import from_files

    try:
        record = from_files(files)
        return record if record.key == key else None
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
    from reportgen.lab.record import LAYOUT, key_in, layout_of

    fault = store.fault(key)
    if fault:
        return f"its record is damaged: {fault}"
    files = store.read(key) or {}
    layout = layout_of(files)
    if layout is not None and layout > LAYOUT:
        raise ReportgenError(
            f"{store.folder / key}: got a record of layout {layout}, expected {LAYOUT}; a newer reportgen wrote "
            "it: use that one, or build into another folder with --build-dir"
        )
    if layout == LAYOUT:
        whose = key_in(files)
        return (
            "its record cannot be read" if whose == key else f"its record is another run's: it has the key {whose}"
        )
    return f"its record has layout {layout}, and this version reads layout {LAYOUT}"


def parts_of_key(run: Run) -> dict[str, Any]:
    """Return what the key of a run is made of, be it trained here or elsewhere."""
    settings = run.variant.settings
    if isinstance(settings, ImportedRun):
        from reportgen.importers.records import key_parts as parts_of_log

        return parts_of_log(settings, run.seed)
    from reportgen.tasks.runs import key_parts

    return key_parts(settings, run.seed)


def _key(run: Run) -> str:
    from reportgen.lab.key import key_of

    return key_of(parts_of_key(run))


def _step(run: Run, store: Store, known: PlanCache) -> Step:
    key = known.key(run, lambda: _key(run))
    found = store.digest(key)
    files = store.read(key)
    state = None if files is None else known.state(f"{key} {found}", lambda: _state(files, key))
    if state is not None and state[0] != "failed":
        return Step(run, key, {}, Action.REUSE, " ".join(state), found, state[0])
    parts = parts_of_key(run)
    if state is not None:
        return Step(run, key, parts, Action.RETRY, "the last attempt failed", found, state[0])
    if run.variant.imported:
        return Step(run, key, parts, Action.IMPORT, _lacking(store, key) or parts["import.format"], found)
    return Step(run, key, parts, Action.TRAIN, _lacking(store, key), found)


def _state(files: dict[str, bytes], key: str) -> State | None:
    record = _parsed(files, key)
    return (record.status, record.started) if record else None
