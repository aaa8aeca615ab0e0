"""Runs trained anew and held against their records."""

import math
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.lab.record import Record
from reportgen.planning import plan, preflight
from reportgen.planning.load import Loaded
from reportgen.planning.plan import Action
from reportgen.provenance.answers import Check, Question, differs, proven, undecided
from reportgen.storage import traces
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store
from reportgen.storage.traces import Traces

RELATIVE, ABSOLUTE = 0.05, 0.02
"""The tolerance where bits cannot be equal: another machine, another torch. A number agrees if it is within 5% or
within 0.02, two percentage points of an accuracy, whichever is more; the two are not added."""

SLOWEST = 10
"""How many times as fast as here a run may say that it was: cores differ less between machines."""

_PLATFORM = ("code", "torch", "device", "dtype", "threads")
_MACHINE = ("system", "cpu", "gpu", "torch", "cuda", "cudnn", "threads")
_OUTCOMES = (
    "test_loss",
    "train_loss",
    "forecast_from_half",
    "forecast_from_one",
    "digit_accuracy",
    "exact_accuracy",
)
_DESCRIPTION = ("printout", "summary", "parameters", "arguments", "source", "loss_source")


def rerun(loaded: Loaded, manifest: Manifest, store: Store, count: int, seed: int | None) -> Iterator[Check]:
    """Train `count` runs anew, in a store of their own, and hold each against its record.

    The runs are drawn at random, by the system unless a seed is given, and named with the seed before they are
    trained. Imported ones cannot be trained.
    """
    elsewhere = {run.name for run in loaded.runs if run.variant.imported}
    names = [name for name in manifest.records if name not in elsewhere]
    chosen, seed = drawn(names, count, seed)
    words = (
        f"drawn of {len(names)} runs, again with --seed {seed}: {', '.join(chosen) or 'none, all are imported'}"
    )
    yield proven(Question.RERUN, words) if chosen else undecided(Question.RERUN, words)
    with TemporaryDirectory() as place:
        fresh = Store(Path(place) / "records")
        planned = pipeline.plan(loaded, fresh)
        steps = {step.run.name: replace(step, action=Action.TRAIN) for step in planned.steps}
        if missing := [name for name in chosen if name not in steps]:
            raise ReportgenError(f"{loaded.file}: got no run {missing[0]!r}, expected the runs of the report")
        wanted = replace(planned, steps=[steps[name] for name in chosen])
        preflight.try_own(loaded.document, [step.run for step in wanted.steps])
        pipeline.run(wanted, fresh, pipeline.Options(), lambda _: None)
        for name in chosen:
            pair = (store, manifest.records[name].key), (fresh, steps[name].key)
            before, after = (plan.read(*one) for one in pair)
            yield from compared(name, before, after, *(traces.of_record(*one) for one in pair))


def drawn(names: Sequence[str], count: int, seed: int | None) -> tuple[list[str], int]:
    """Return `count` of the names, in their order, and the seed that draws them again."""
    seed = secrets.randbelow(10**9) if seed is None else seed
    chosen = random.Random(seed).sample(list(names), min(count, len(names)))  # noqa: S311 - the seed is the secret
    return sorted(chosen, key=list(names).index), seed


def compared(
    name: str,
    before: Record | None,
    after: Record | None,
    left: Traces | None = None,
    left_now: Traces | None = None,
) -> Iterator[Check]:
    """Hold a run that was trained anew against its record.

    Args:
        name: of the run.
        before: its record.
        after: that of the training of now.
        left: what the worker left beside the record.
        left_now: the same of now: whether the machines compute alike is measured, and not taken from their names.
    """
    if before is None or after is None:
        yield undecided(Question.RERUN, f"{name}: trained anew, but its record cannot be read")
        return
    declared = {part for part in before.parts.keys() | after.parts.keys() if part not in _PLATFORM}
    if changed := sorted(part for part in declared if before.parts.get(part) != after.parts.get(part)):
        words = f"{name}: cannot be trained as it was, since these have changed: {', '.join(changed)}"
        yield differs(Question.RERUN, words)
        return
    yield from (
        differs(Question.RERUN, f"{name}: trained anew, {words}") for words in told_otherwise(before, after)
    )
    if not (unequal := unequal_parts(before, after)):
        yield proven(Question.RERUN, f"{name}: trained anew, it gives the same bits")
    elif platform := other_platform(before, after, left, left_now):
        yield _within(name, before, after, platform)
    else:
        yield differs(Question.RERUN, f"{name}: trained anew, it gives other bits: {', '.join(unequal)}")


def other_platform(before: Record, after: Record, left: Traces | None, left_now: Traces | None) -> list[str]:
    """Return in what machine and software of a record differ from those of now; nothing if bits must be equal.

    Where both have measured how they compute, that decides, whatever the machines are called.
    """
    parts = [part for part in _PLATFORM if before.parts.get(part) != after.parts.get(part)]
    if left and left_now and left.arithmetic and left_now.arithmetic:
        return [*parts, *(["arithmetic"] if left.arithmetic != left_now.arithmetic else [])]
    named = (part for part in _MACHINE if before.environment.get(part) != after.environment.get(part))
    return list(dict.fromkeys([*parts, *named]))


def told_otherwise(before: Record, after: Record) -> list[str]:
    """Return what a record says otherwise than the training of now, on whatever machine: model, epochs, times."""
    found = [
        f"its {part} is another"
        for part in _DESCRIPTION
        if before.model.get(part) != after.model.get(part) and before.parts.get("code") == after.parts.get("code")
    ]
    epochs = [len(record.epochs) for record in (before, after)]
    if before.status == after.status == "finished" and epochs[0] != epochs[1]:
        found.append(f"it has {epochs[1]} epochs, was {epochs[0]}")
    fastest = [_fastest(record) for record in (before, after)]
    if fastest[0] * SLOWEST < fastest[1]:
        found.append(
            f"an epoch or a step takes {fastest[1]:.3g} seconds at the least, was {fastest[0]:.3g}: "
            f"no machine is {SLOWEST} times as fast as this one"
        )
    return found


def _fastest(record: Record) -> float:
    """Return the shortest time of an epoch, or of a step between two rows of its log; NaN without any.

    The shortest, since whatever else a machine does makes a time longer, and never shorter.
    """
    epochs = [row["seconds"] for row in record.epochs]
    rows = [(0.0, 0.0), *((row["step"], row["seconds"]) for row in record.steps if "seconds" in row)]
    steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(rows) if b[0] > a[0]]
    return min([*epochs, *steps], default=math.nan)


def _within(name: str, before: Record, after: Record, platform: Sequence[str]) -> Check:
    """Compare what runs come to on two machines, where rounding differs and grows as they train."""
    told = f"5% or 0.02, since these differ: {', '.join(platform)}"
    if before.status != after.status:
        return differs(Question.RERUN, f"{name}: trained anew it is {after.status}, it was {before.status}")
    one, other = outcomes(before), outcomes(after)
    for measure, was in one.items():
        now = other.get(measure, math.nan)
        if not agree(now, was):
            words = f"{name}: trained anew, {measure} is {now:.6g}, was {was:.6g}; not within {told}"
            return differs(Question.RERUN, words)
    words = f"{name}: trained anew, it comes to the same within {told}; bits cannot be compared"
    return undecided(Question.RERUN, words)


def agree(now: float, was: float) -> bool:
    """Tell whether two numbers agree within the larger of the two tolerances; NaN agrees with NaN."""
    if math.isnan(now) or math.isnan(was):
        return math.isnan(now) and math.isnan(was)
    return now == was or abs(now - was) <= max(RELATIVE * abs(was), ABSOLUTE)


def outcomes(record: Record) -> dict[str, float]:
    """Return what a run came to: the numbers that its report compares."""
    found = {key: float(record.measures[key]) for key in _OUTCOMES if record.measures.get(key) is not None}
    if record.predictions:
        right = record.predictions["predicted"] == record.predictions["target"]
        found["test_accuracy"] = float(right.mean())
        found["test_loss"] = float(record.predictions["loss"].mean(dtype=np.float64))
    return found


def unequal_parts(before: Record, after: Record) -> list[str]:
    """Return which parts of two records differ in any bit, times apart."""
    plain = ("status", "heldout", "kept_epoch", "mistakes", "data")
    found = [part for part in plain if getattr(before, part) != getattr(after, part)]
    if before.model.get("parameters") != after.model.get("parameters"):
        found.append("parameters")
    for part in ("epochs", "steps"):
        rows = [[_timeless(row) for row in getattr(record, part)] for record in (before, after)]
        if repr(rows[0]) != repr(rows[1]):  # NaN is equal to itself here
            found.append(part)
    if repr(_timeless(before.measures)) != repr(_timeless(after.measures)):
        found.append("measures")
    for part in ("predictions", "arrays"):
        found += [f"{part}.{name}" for name in _unequal_arrays(getattr(before, part), getattr(after, part))]
    return found


def _timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(row.items()) if "seconds" not in name}


def _unequal_arrays(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        pair = (one.get(name), other.get(name))
        if "seconds" in name:
            continue
        if pair[0] is None or pair[1] is None or _bits(pair[0]) != _bits(pair[1]):
            yield name


def _bits(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()
