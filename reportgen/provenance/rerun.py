"""Runs trained anew and held against their records."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
from reportgen.provenance.verify import Check
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store

RELATIVE, ABSOLUTE = 0.05, 0.02
"""The tolerance where bits cannot be equal: another machine, another torch. A number counts as the same if it is
within 5% or within 0.02, two percentage points of an accuracy."""

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


def rerun(loaded: Loaded, manifest: Manifest, store: Store, count: int, seed: int) -> Iterator[Check]:
    """Train `count` runs anew, in a store of their own, and hold each against its record.

    The runs are drawn at random by `seed`, so that another one takes others. Imported ones cannot be trained.
    """
    elsewhere = {run.name for run in loaded.runs if run.variant.imported}
    names = [name for name in manifest.records if name not in elsewhere]
    chosen = sorted(random.Random(seed).sample(names, min(count, len(names))), key=names.index)  # noqa: S311 - no secret
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
            yield compared(name, plan.read(store, manifest.records[name].key), plan.read(fresh, steps[name].key))


def compared(name: str, before: Record | None, after: Record | None) -> Check:
    """Hold a run that was trained anew against its record: bits on the same kind of machine, else a tolerance."""
    if before is None or after is None:
        return Check(False, f"{name}: trained anew, but its record cannot be read")
    declared = {part for part in before.parts.keys() | after.parts.keys() if part not in _PLATFORM}
    if changed := sorted(part for part in declared if before.parts.get(part) != after.parts.get(part)):
        return Check(False, f"{name}: cannot be trained as it was, since these have changed: {', '.join(changed)}")
    platform = [
        *(part for part in _PLATFORM if before.parts.get(part) != after.parts.get(part)),
        *(part for part in _MACHINE if before.environment.get(part) != after.environment.get(part)),
    ]
    if platform:
        return _within(name, before, after, list(dict.fromkeys(platform)))
    if unequal := unequal_parts(before, after):
        return Check(False, f"{name}: trained anew, it gives other bits: {', '.join(unequal)}")
    return Check(True, f"{name}: trained anew, it gives the same bits")


def _within(name: str, before: Record, after: Record, platform: Sequence[str]) -> Check:
    """Compare what runs come to on two machines, where rounding differs and grows as they train."""
    told = f"5% or 0.02, since these differ: {', '.join(platform)}"
    if before.status != after.status:
        return Check(False, f"{name}: trained anew it is {after.status}, it was {before.status}")
    one, other = outcomes(before), outcomes(after)
    for measure, was in one.items():
        now = other.get(measure, float("nan"))
        if not np.isclose(now, was, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True):
            return Check(False, f"{name}: trained anew, {measure} is {now:.6g}, was {was:.6g}; not within {told}")
    return Check(True, f"{name}: trained anew, it comes to the same within {told}")


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
