"""The report's numbers for other programs: tables as CSV, and results.json with the runs behind each number."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis import devices
from reportgen.analysis.claims import JudgedClaim
from reportgen.analysis.comparisons import Difference, flat
from reportgen.analysis.probes import cell_times
from reportgen.analysis.results import Runs
from reportgen.report.probes import Explained
from reportgen.storage.untrusted import UntrustedFolder


def put(folder: Path, tables: Iterable[tuple[str, pd.DataFrame]], content: dict[str, Any]) -> list[str]:
    """Write each table as CSV and the content as JSON; return their paths from `folder`."""
    files = UntrustedFolder(folder)
    written = ["results.json"]
    for name, table in tables:
        written.append(f"tables/{name}.csv")
        files.write(written[-1], table.to_csv(index=False, lineterminator="\n").encode())
    files.write("results.json", "".join(_lines(content)).encode())
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


def as_json_of(
    results: Runs, log: str, numbers: Iterable[dict[str, Any]], claims: Sequence[JudgedClaim]
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


def _claim(judged: JudgedClaim, results: Runs) -> dict[str, Any]:
    """Return a claim with its verdict, its figures and the runs behind them."""
    figures = {"left": judged.left, "right": judged.right, **asdict(judged.evidence)}
    return {
        "claim": judged.claim.text,
        "verdict": judged.verdict,
        "late": judged.late,
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
        yield number(results, name, gate.average, gate.variant)


def plain(value: Any) -> Any:
    """Return a number as JSON has it: NaN becomes null, numpy's numbers Python's."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
