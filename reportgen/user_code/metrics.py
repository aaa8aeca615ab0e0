"""Metrics of the user's own, measured in a process apart on the predictions that the records hold."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reportgen.analysis.metrics import predicting, user_metric
from reportgen.analysis.results import Runs
from reportgen.errors import ReportgenError, SuiteError
from reportgen.lab.user_source import UserClass, user_code_digest
from reportgen.storage.cache import Cache, cache_name
from reportgen.storage.fingerprints import source_digest, version_of
from reportgen.suite.declarations import MetricDeclaration
from reportgen.suite.document import Document
from reportgen.tasks.registry import task_named
from reportgen.user_code.subprocess import measure

_MEASURED_WITH = ("numpy", "scipy", "pandas", "scikit-learn", "torch")


def with_metrics(
    results: Runs,
    metrics: Sequence[MetricDeclaration],
    document: Document,
    cache: Cache | None = None,
    measured: Mapping[str, Mapping[str, float]] | None = None,
) -> Runs:
    """Return the results with what the suite's own metrics give; SuiteError names one that gives nothing.

    A metric that is in `cache`, of the same source and of the same predictions, is not measured again, nor is
    one that `measured` has, by its name: a value a run.
    """
    if not metrics or not task_named(results.task).has_predictions:
        return results
    records = [results.records[run] for run in predicting(results)]
    cases = [
        (record.predictions["predicted"], record.predictions["target"], len(record.data["classes"]))
        for record in records
    ]
    found = []
    for place, declared in enumerate(metrics):
        if measured and declared.name in measured:
            given = [measured[declared.name].get(run, math.nan) for run in predicting(results)]
            found.append(user_metric(declared, results, given))
            continue
        name = f"{_digest(declared.function, cases)}.metric"
        known = cache.get(name) if cache else None
        values = json.loads(known) if known else _measured(declared.function, cases, document, place)
        if cache and not known:
            cache.put(name, json.dumps(values).encode())
        found.append(user_metric(declared, results, values))
    return replace(results, metrics=tuple(found))


def _digest(metric: str, cases: Sequence[Any]) -> str:
    """Digest all that a metric's values come from: its source, the predictions, and the programs."""
    digest = hashlib.sha256()
    for predicted, target, classes in cases:
        for part in (predicted, target):
            digest.update(f"{part.dtype} {part.shape}\0".encode() + part.tobytes())
        digest.update(f"{classes}\0".encode())
    programs = (source_digest(), platform.python_version(), *map(version_of, _MEASURED_WITH))
    return cache_name([*programs, metric, user_code_digest(UserClass.of(metric)), digest.hexdigest()])


def _measured(metric: str, cases: Sequence[Any], document: Document, place: int) -> list[float]:
    """Measure it; SuiteError tells the fault, at the metric's line."""
    try:
        values, fault = measure(metric, cases)
    except ReportgenError as error:  # it hangs, or has ended its process
        raise SuiteError([document.problem(("metrics", place), str(error), "a result")]) from None
    if fault is not None:
        raise SuiteError([document.problem(("metrics", place), fault.got, fault.expected, fault.where)])
    return values
