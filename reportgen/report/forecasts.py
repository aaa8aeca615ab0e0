"""What the templates and other programs are told of a forecasting suite."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis.findings import Difference
from reportgen.analysis.forecasts import Findings, Forecasts
from reportgen.analysis.shown import MOST_PANELS
from reportgen.languages import Language
from reportgen.report.context import Common, common
from reportgen.report.numbers import as_json_of, number, of_comparison, of_differences, put
from reportgen.suite.forecasting import SineSettings
from reportgen.suite.schema import Suite


@dataclass(frozen=True, kw_only=True)
class ForecastContext(Common):
    """The names in a template of a forecasting report."""

    findings: Findings
    optimizers: list[str]
    """The optimizers in use, in the order of their first use."""
    keep: str
    """How the tested step was chosen: best, last, or mixed."""
    most_panels: int = MOST_PANELS


def build_context(
    suite: Suite,
    results: Forecasts,
    findings: Findings,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> ForecastContext:
    """Gather what the templates need, in one language."""
    shared = common(suite, results, findings.comparison, figures, language, quick=quick)
    settings = shared["settings"].values()
    periods = {
        record.data["digest"]: 2 * math.pi * variant.settings.data.time_scale
        for variant in results.variants
        if isinstance(variant.settings.data, SineSettings)
        and (record := results.record_of(variant.name))
        and record.data
    }
    keeps = {own["training.keep"] for own in settings}
    shared["datasets"] = [{**data, "period": periods.get(data["digest"])} for data in shared["datasets"]]
    return ForecastContext(
        **shared,
        findings=findings,
        optimizers=list(dict.fromkeys(own["training.optimizer"] for own in settings)),
        keep=keeps.pop() if len(keeps) == 1 else "mixed",
    )


def write(folder: Path, results: Forecasts, findings: Findings) -> list[str]:
    """Write `tables/*.csv` and `results.json` into the report's folder; return their paths from there."""
    return put(folder, _tables(results, findings), as_json_of(results, "step_log", _numbers(results, findings)))


def _tables(results: Forecasts, findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "comparison", findings.comparison
    yield "runs", results.runs
    yield "learning", findings.learning
    yield "errors", findings.horizons
    yield "differences", pd.DataFrame([asdict(item) for item in findings.differences])
    yield "drift", pd.DataFrame([asdict(item) | {"growth": item.growth} for item in findings.drifts])


def _numbers(results: Forecasts, findings: Findings) -> Iterator[dict[str, Any]]:
    yield from of_comparison(results, findings.comparison)
    yield from _compared(results, "differences", findings.differences)
    yield from _compared(results, "drift_differences", findings.drift_differences)
    if findings.leader:
        yield number(results, "leader_error", findings.leader_error, findings.leader)
    for declared in results.variants:
        if isinstance(declared.settings.data, SineSettings):
            period = 2 * math.pi * declared.settings.data.time_scale
            yield number(results, f"data.{declared.name}.period", period, declared.name)
    for drift in findings.drifts:
        for field in ("early", "late", "growth"):
            yield number(results, f"drift.{drift.variant}.{field}", getattr(drift, field), drift.variant)
    for race in findings.races:
        pair = (race.one, race.other)
        yield number(results, f"race.{race.one}.{race.other}.loss", race.loss, *pair)
        for variant, needed in race.needed.items():
            for field, value in zip(("evaluations", "seconds"), needed, strict=True):
                yield number(results, f"race.{race.one}.{race.other}.{variant}.{field}", value, *pair)
        yield from _compared(results, "race_evaluations", [race.evaluations])
        yield from _compared(results, "race_seconds", [race.seconds])


def _compared(results: Forecasts, name: str, differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
    """Yield the numbers of differences of log10, and the factors that sentences have in their place."""
    for item in differences:
        yield from of_differences(results, name, [item])
        for field in ("mean", "spread"):
            named = f"{name}.{item.ahead}.{item.behind}.{field}_factor"
            yield number(results, named, 10 ** getattr(item, field), item.ahead, item.behind)
