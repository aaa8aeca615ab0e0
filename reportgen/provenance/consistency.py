"""Does a record agree with itself, and the records of a report with each other? Nothing is trained for it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from reportgen.lab.key import key_of
from reportgen.lab.record import Record
from reportgen.planning import plan
from reportgen.provenance.answers import Check, Question, differs, proven, undecided
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store

FIRST_DAY = datetime(2026, 11, 21, tzinfo=UTC)
"""No record of this layout was written before it: on this day the layout was made."""

_AHEAD = timedelta(hours=1)
"""How far a clock may be ahead of this machine's."""

_CLOSE = 1e-3
"""Float32 losses and probabilities that say the same agree within it."""


def consistency(manifest: Manifest, store: Store, now: datetime | None = None) -> Iterator[Check]:
    """Hold each record against itself and against the others of the report; `now` is the time of day."""
    now = now or datetime.now(UTC)
    records = {run: plan.read(store, entry.key) for run, entry in manifest.records.items()}
    sound = True
    for run, record in records.items():
        if record is None:
            yield undecided(Question.CONSISTENCY, f"{run}: its record cannot be read")
            sound = False
            continue
        faults = [*_of_key(record, manifest.records[run].key), *_of_log(record), *_of_predictions(record)]
        faults += _of_times(record, now)
        yield from (differs(Question.CONSISTENCY, f"{run}: {fault}") for fault in faults)
        sound = sound and not faults
    whole = {run: record for run, record in records.items() if record}
    for words in [*_of_models(whole), *_of_copies(whole, manifest)]:
        yield differs(Question.CONSISTENCY, words)
        sound = False
    if now < FIRST_DAY:
        yield undecided(
            Question.CONSISTENCY, f"the clock of this machine says {now:%Y-%m-%d}: dates are not compared"
        )
    elif sound:
        yield proven(Question.CONSISTENCY, f"{len(records)} records agree with themselves and with each other")


def _of_key(record: Record, key: str) -> Iterator[str]:
    if not record.key == key == key_of(record.parts):
        yield f"its key is {key}, and what it was made from gives {key_of(record.parts)}"
    for part in ("model", "training"):
        for name, value in record.settings.get(part, {}).items():
            declared = record.parts.get(f"{part}.{name}", value)
            if isinstance(value, bool | int | float) and declared is not None and declared != value:
                yield f"its settings have {value} as {part}.{name}, and its key is of {declared}"
    if record.parts.get("seed") != record.seed:
        yield f"its seed is {record.seed}, and its key is of {record.parts.get('seed')}"


def _is_imported(record: Record) -> bool:
    return "import.digest" in record.parts


def _of_log(record: Record) -> Iterator[str]:
    """Hold the log of epochs or steps against the settings, and the kept epoch against the log."""
    if _is_imported(record):
        return
    training = record.settings["training"]
    epochs = [row["epoch"] for row in record.epochs]
    if epochs != list(range(1, len(epochs) + 1)):
        yield "its epochs are not counted from 1"
    if record.status == "finished" and epochs and len(epochs) != training.get("epochs", len(epochs)):
        yield f"its log has {len(epochs)} epochs, and it was to train {training['epochs']}"
    if record.status == "finished" and record.kept_epoch and epochs:
        losses = [row["heldout_loss"] for row in record.epochs]
        kept = len(epochs) if training.get("keep") == "last" else int(np.argmin(losses)) + 1
        if kept != record.kept_epoch:
            yield f"it says that epoch {record.kept_epoch} was kept, and its log gives epoch {kept}"
    steps = [row["step"] for row in record.steps]
    if steps != sorted(set(steps)) or max(steps, default=0) > training.get("steps", math.inf):
        yield "its steps are not counted upwards to those that it was to train"


def _of_predictions(record: Record) -> Iterator[str]:
    """Hold predictions against the test part, their own losses, and the epoch that was tested on the same part."""
    found = record.predictions
    if not found:
        return
    sizes = {len(array) for array in found.values()}
    counts = record.data.get("counts", {}).get("test")
    target, predicted = found["target"], found["predicted"]
    tested = np.bincount(target, minlength=len(counts or ())).tolist()
    if len(sizes) > 1 or (counts is not None and tested != list(counts)):
        yield "its predictions are not of the test part that its data have"
        return
    right = predicted == target
    training = record.settings["training"]
    plain = (training.get("loss"), training.get("precision")) == ("cross_entropy", "float32")
    if plain and not np.allclose(np.exp(-found["loss"][right]), found["confidence"][right], atol=_CLOSE):
        yield "the losses and the probabilities of its right predictions do not belong together"
    for mistake in record.mistakes:
        here = found["example"] == mistake["example"]
        if [*target[here], *predicted[here]] != [mistake["target"], mistake["predicted"]]:
            yield f"its list of mistakes has example {mistake['example']} otherwise than its predictions"
    if record.heldout == "test" and record.kept_epoch and not _is_imported(record):
        logged = record.epochs[record.kept_epoch - 1]["heldout_accuracy"]
        if not math.isclose(logged, float(right.mean()), abs_tol=_CLOSE):
            yield f"its log has an accuracy of {logged:.4f} at the kept epoch, its predictions {right.mean():.4f}"


def _of_times(record: Record, now: datetime) -> Iterator[str]:
    """Say which times cannot be: parts that take longer than the whole, dates too early or not yet over."""
    seconds = [row["seconds"] for row in record.epochs]
    if _is_imported(record):
        seconds = [value for value in seconds if math.isfinite(value)]
    if not all(math.isfinite(value) and value > 0 for value in seconds):
        yield "an epoch took no time, or none that is a number"
    so_far = [row["seconds"] for row in record.steps if "seconds" in row]
    if so_far != sorted(so_far):
        yield "the seconds of its steps, which add up, become fewer"
    total = max(math.fsum(seconds), max(so_far, default=0.0))
    if total > record.seconds * (1 + 1e-9):
        yield f"its log adds up to {total:.3f} seconds, and the whole run took {record.seconds:.3f}"
    try:
        started = datetime.fromisoformat(record.started)
        ended = started + timedelta(seconds=0 if _is_imported(record) else record.seconds)
    except (ValueError, TypeError, OverflowError):
        yield f"got {record.started!r} as the time at which it began, expected a date"
        return
    if started.tzinfo is None or ended > now + _AHEAD:
        yield f"it began at {record.started} and took {record.seconds:.0f} seconds, which is not over yet"
    elif started < FIRST_DAY <= now:
        yield f"it began at {record.started}, before there were records like it ({FIRST_DAY:%Y-%m-%d})"


def _of_models(records: Mapping[str, Record]) -> Iterator[str]:
    """Yield the runs whose model is printed otherwise than that of another seed."""
    first: dict[str, tuple[str, Any]] = {}
    for run, record in records.items():
        if not record.model:
            continue
        model = {name: record.model.get(name) for name in ("printout", "summary", "parameters", "arguments")}
        other, expected = first.setdefault(repr((record.settings, record.parts.get("code"))), (run, model))
        if model != expected:
            names = [name for name in model if model[name] != expected[name]]
            yield f"{run}: its model is otherwise than that of {other}: {', '.join(names)}"


def _of_copies(records: Mapping[str, Record], manifest: Manifest) -> Iterator[str]:
    """Yield the runs that have the log of another run of this report, seconds and all."""
    logs: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for run, record in records.items():
        if not _is_imported(record):
            for name in ("epochs.csv", "steps.csv"):
                rows = record.epochs if name == "epochs.csv" else record.steps
                if rows and (log := manifest.records[run].files.get(name)):
                    logs[log].setdefault(record.key, run)
    for runs in logs.values():
        first, *others = runs.values()
        yield from (f"{other}: its log is that of {first}, with the same seconds" for other in others)
