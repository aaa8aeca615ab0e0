"""The report's numbers for other programs: tables as CSV, and results.json with the runs behind each number."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis import devices
from reportgen.analysis.cells import cell_times
from reportgen.analysis.claims import Judged
from reportgen.analysis.findings import Findings
from reportgen.analysis.judging import Difference, flat
from reportgen.analysis.results import Results, Runs
from reportgen.report.checks import checks_as_json
from reportgen.report.explained import Explained, explain
from reportgen.suite.checks import Checks
from reportgen.suite.expansion import file_name


def write(folder: Path, results: Results, findings: Findings, silence: Checks) -> list[str]:
    """Write `tables/*.csv` and `results.json` into the report's folder; return their paths from there."""
    return put(
        folder,
        _tables(results, findings),
        {**as_json(results, findings), "checks": checks_as_json(results, findings, silence)},
    )


def put(folder: Path, tables: Iterable[tuple[str, pd.DataFrame]], content: dict[str, Any]) -> list[str]:
    """Write each table as CSV and the content as JSON; return their paths from `folder`."""
    (folder / "tables").mkdir(exist_ok=True)
    written = ["results.json"]
    for name, table in tables:
        table.to_csv(folder / "tables" / f"{name}.csv", index=False, lineterminator="\n")
        written.append(f"tables/{name}.csv")
    with (folder / "results.json").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(content))
    return written


def _lines(content: dict[str, Any]) -> Iterator[str]:
    """Yield JSON in which each entry of a part is a line: indented throughout, it would be twice as long."""
    before = "{"
    for name, part in content.items():
        yield f"{before}\n{_compact(name)}: "
        match part:
            case dict() if part:
                yield from _within("{}", (f"{_compact(key)}: {_compact(value)}" for key, value in part.items()))
            case list() if part:
                yield from _within("[]", map(_compact, part))
            case _:
                yield _compact(part)
        before = ","
    yield "\n}\n"


def _within(brackets: str, entries: Iterable[str]) -> Iterator[str]:
    before = brackets[0]
    for entry in entries:
        yield f"{before}\n {entry}"
        before = ","
    yield brackets[1]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _tables(results: Results, findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "comparison", findings.comparison
    yield "runs", results.runs
    yield "epochs", results.epochs
    yield "curves", findings.curves
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


def as_json_of(
    results: Runs, log: str, numbers: Iterable[dict[str, Any]], claims: Sequence[Judged]
) -> dict[str, Any]:
    """Return what `results.json` holds, for any task; `log` names what its runs logged: epoch_log or step_log.

    `labels` has what reports call each variant, by language; a label for every language has the key "".
    """
    rows = results.runs.to_dict("records")
    runs = {str(row["run"]): {str(k): plain(v) for k, v in row.items() if k != "run"} for row in rows}
    for name, record in results.records.items():
        runs[name] |= {
            log: _finite_rows(record.steps if log == "step_log" else record.epochs),
            "environment": record.environment,
            "settings": record.settings,
        }
    of_devices = (number(results, *item) for item in devices.numbers(results))
    told = [_claim(item, results) for item in claims]
    labels = {v.name: {code: v.label_in(code) for code, _ in v.label.by_language} for v in results.variants}
    every = [*numbers, *of_devices, *_of_cells(results)]
    return {"task": results.task, "labels": labels, "runs": runs, "claims": told, "numbers": every}


def _claim(judged: Judged, results: Runs) -> dict[str, Any]:
    """Return a claim with its verdict, its figures and the runs behind them."""
    figures = {"left": judged.left, "right": judged.right, **asdict(judged.evidence)}
    return {
        "claim": judged.claim.text,
        "verdict": judged.verdict,
        "reason": judged.reason,
        **{name: plain(value) for name, value in figures.items()},
        "sources": judged.evidence.sources,
        "runs": [run for variant in judged.variants for run in results.runs_of(variant)],
    }


def _finite_rows(rows: list[dict[str, float]]) -> list[dict[str, Any]]:
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def number(results: Runs, name: str, value: Any, *variants: str) -> dict[str, Any]:
    """Return a number of the report with the runs that it came from: the finished ones of the variants."""
    runs = [run for variant in variants for run in results.runs_of(variant)]
    return {"name": name, "value": plain(value), "runs": runs}


def of_comparison(results: Runs, comparison: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the numbers of a table with a row a variant."""
    for row in comparison.to_dict("records"):
        for column, value in row.items():
            if column != "variant" and not str(column).startswith("best_"):
                yield number(results, f"comparison.{row['variant']}.{column}", value, str(row["variant"]))


def of_differences(results: Runs, name: str, differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
    """Yield the numbers of differences between two variants each."""
    for item in differences:
        for field, value in flat(item).items():
            if field not in ("ahead", "behind"):
                named = f"{name}.{item.ahead}.{item.behind}.{field}"
                yield number(results, named, value, item.ahead, item.behind)


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
    explained = explain(results, findings)
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


def _of_cells(results: Runs) -> Iterator[dict[str, Any]]:
    """Yield what the forms of cells written by hand take, in milliseconds, and beside torch.nn's."""
    for times in filter(None, (cell_times(results, variant.name) for variant in results.variants)):
        for form, milliseconds in times.forms.items():
            name = f"cell_times.{times.variant}.{form}"
            yield number(results, name, milliseconds, times.variant)
            if times.torch and form != "torch":
                yield number(results, f"{name}_by_torch", milliseconds / times.torch, times.variant)


def of_memory(results: Runs, explained: Explained) -> Iterator[dict[str, Any]]:
    """Yield what was measured of the models for the sections that explain."""
    for kept in explained.kept:
        name = f"gradient.{kept.variant}"
        yield number(results, f"{name}.distance_{kept.distance}", kept.share, kept.variant)
        yield number(results, f"{name}.factor", kept.factor, kept.variant)
    for gate in explained.forget_gates:
        name = f"forget_gate.{gate.variant}.layer_{gate.layer}.mean"
        yield number(results, name, gate.mean.mean(), gate.variant)


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


def plain(value: Any) -> Any:
    """Return a number as JSON has it: NaN becomes null, numpy's numbers Python's."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
