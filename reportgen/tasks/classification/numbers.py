"""The numbers of a classification report for other programs: tables as CSV, and results.json."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis.comparisons import flat
from reportgen.analysis.results import Runs
from reportgen.analysis.tables import norms
from reportgen.report.checks import checks_as_json
from reportgen.report.numbers import as_json_of, number, of_comparison, of_differences, of_memory, put
from reportgen.suite.declarations import Checks
from reportgen.suite.expansion import file_name
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow
from reportgen.tasks.classification.context import explain_classifiers
from reportgen.tasks.classification.findings import Findings
from reportgen.tasks.classification.results import Results


def write(folder: Path, results: Runs, findings: AnyFindings, silence: Checks) -> list[str]:
    """Write `tables/*.csv` and `results.json` into the report's folder; return their paths from there."""
    results = narrow(results, Results)
    findings = narrow(findings, Findings)
    return put(
        folder,
        _tables(results, findings),
        {**as_json(results, findings), "checks": checks_as_json(results, findings, silence)},
    )


def _tables(results: Results, findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "comparison", findings.comparison
    yield "runs", results.runs
    yield "epochs", results.epochs
    yield "curves", findings.curves
    if len(table := norms(results)):
        yield "gradient_norms", table
    yield "differences", pd.DataFrame([flat(d) for d in findings.differences])
    yield "overfitting", pd.DataFrame([asdict(item) for item in findings.overfitting])
    yield from ((f"metric-{metric.name}", metric.runs) for metric in results.metrics)
    for variant, matrix in results.confusion.items():
        classes = list(findings.per_class[variant]["class"])
        named = pd.DataFrame(matrix, columns=classes)
        named.insert(0, "true", classes)
        yield f"confusion-{file_name(variant)}", named
        yield f"classes-{file_name(variant)}", findings.per_class[variant]


def as_json(results: Results, findings: Findings) -> dict[str, Any]:
    """Return every run with its numbers, and every number of the report with the runs that it came from."""
    confusion = {
        variant: {"classes": list(findings.per_class[variant]["class"]), "counts": matrix.tolist()}
        for variant, matrix in results.confusion.items()
    }
    for variant, own in confusion.items():
        own["runs"] = results.runs_of(variant)
    own = as_json_of(results, "epoch_log", _numbers(results, findings), findings.claims)
    return own | {"confusion": confusion}


def _numbers(results: Results, findings: Findings) -> Iterator[dict[str, Any]]:
    every = [variant.name for variant in results.variants]
    yield from of_comparison(results, findings.comparison)
    yield from of_differences(results, "differences", findings.differences)
    for metric in results.metrics:
        for variant, row in metric.table.to_dict("index").items():
            for field, value in row.items():
                yield number(results, f"metrics.{metric.name}.{variant}.{field}", value, str(variant))
    for fit in findings.overfitting:
        for field, value in asdict(fit).items():
            if field != "variant":
                yield number(results, f"overfitting.{fit.variant}.{field}", value, fit.variant)
    for variant, pairs in findings.confusions.items():
        for pair in pairs:
            for field in ("share", "count", "support"):
                yield number(
                    results,
                    f"confusions.{variant}.{pair.true}.{pair.predicted}.{field}",
                    getattr(pair, field),
                    variant,
                )
        for row in findings.per_class[variant].to_dict("records"):
            for column in ("precision", "recall", "f1", "support"):
                yield number(results, f"classes.{variant}.{row['class']}.{column}", row[column], variant)
    explained = explain_classifiers(results, findings)
    yield from of_memory(results, explained)
    for choice in explained.choices:
        name = f"choices.{choice.base}"
        yield number(results, f"{name}.validation_accuracy", choice.validation, choice.variant)
        yield number(results, f"{name}.test_accuracy", choice.test, choice.variant)
    if findings.cost:
        for field, value in vars(findings.cost).items():
            if isinstance(value, float):
                yield number(results, f"cost.{field}", value, *every)
    for variant, accuracy in findings.baselines.items():
        yield number(results, f"baseline.{variant}", accuracy, variant)
    for i, data in enumerate(
        {record.data["digest"]: record.data for record in results.records.values() if record.data}.values()
    ):
        for field, value in _data_numbers(data):
            yield number(results, f"data.{i}.{field}", value, *every)


def _data_numbers(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for part, counts in data["counts"].items():
        yield from ((f"counts.{part}.{name}", count) for name, count in zip(data["classes"], counts, strict=True))
        yield f"counts.{part}", sum(counts)
    totals = [sum(of_class) for of_class in zip(*data["counts"].values(), strict=True)]
    yield "counts.total", sum(totals)
    for name, total in zip(data["classes"], totals, strict=True):
        yield f"counts.total.{name}", total
        yield f"shares.{name}", total / sum(totals)
    yield from ((f"lengths.{name}", value) for name, value in data["lengths"].items())
    yield from (
        (name, data[name])
        for name in (
            "vocabulary",
            "ambiguous",
            "unseen_tokens",
            "unknown_share",
            "majority_accuracy",
            "naive_bayes_accuracy",
            "repeated",
        )
    )
