"""What the templates and other programs are told of a forecasting suite."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis.comparisons import Difference, flat
from reportgen.analysis.display_limits import MOST_PANELS, declared
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import FORECAST_ERROR, Sweep, sweeps
from reportgen.analysis.tables import norms
from reportgen.i18n.languages import Language
from reportgen.lab.record import Record
from reportgen.report.checks import checks_as_json
from reportgen.report.context import Common, common
from reportgen.report.facts import step_log
from reportgen.report.numbers import as_json_of, number, of_comparison, of_differences, of_memory, put
from reportgen.report.probes import explain_memory
from reportgen.suite.declarations import Checks
from reportgen.suite.schema import Suite
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow
from reportgen.tasks.forecasting.findings import Findings
from reportgen.tasks.forecasting.results import Forecasts
from reportgen.tasks.forecasting.settings import SineSettings


@dataclass(frozen=True, kw_only=True)
class ForecastContext(Common):
    """The names in a template of a forecasting report."""

    findings: Findings
    optimizers: list[str]
    """The optimizers in use, in the order of their first use."""
    keep: str
    """How the tested step was chosen: best, last, or mixed."""
    sweeps: dict[str, Sweep]
    """Name of its figure to each sweep of one number."""
    most_panels: int = MOST_PANELS


CONTEXT: type[Common] = ForecastContext
"""What the templates of this task may use."""


def build_context(
    suite: Suite,
    results: Runs,
    findings: AnyFindings,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> ForecastContext:
    """Gather what the templates need, in one language."""
    results = narrow(results, Forecasts)
    findings = narrow(findings, Findings)
    shared = common(suite, results, findings, figures, language, quick=quick)
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
        explained=explain_memory(results, declared(results)),
        findings=findings,
        optimizers=list(dict.fromkeys(own["training.optimizer"] for own in settings)),
        keep=keeps.pop() if len(keeps) == 1 else "mixed",
        sweeps=sweeps(results, FORECAST_ERROR),
    )


def write(folder: Path, results: Runs, findings: AnyFindings, silence: Checks) -> list[str]:
    """Write `tables/*.csv` and `results.json` into the report's folder; return their paths from there."""
    results = narrow(results, Forecasts)
    findings = narrow(findings, Findings)
    content = as_json_of(results, "step_log", _numbers(results, findings), findings.claims)
    return put(
        folder, _tables(results, findings), {**content, "checks": checks_as_json(results, findings, silence)}
    )


def _tables(results: Forecasts, findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "comparison", findings.comparison
    yield "runs", results.runs
    yield "learning", findings.learning
    if len(table := norms(results)):
        yield "gradient_norms", table
    yield "errors", findings.horizons
    yield "differences", pd.DataFrame([flat(item) for item in findings.differences])
    yield "drift", pd.DataFrame([asdict(item) | {"growth": item.growth} for item in findings.drifts])
    yield from ((name, sweep.averages) for name, sweep in sweeps(results, FORECAST_ERROR).items())


def _numbers(results: Forecasts, findings: Findings) -> Iterator[dict[str, Any]]:
    yield from of_comparison(results, findings.comparison)
    yield from of_memory(results, explain_memory(results, declared(results)))
    yield from _compared(results, "differences", findings.differences)
    yield from _compared(results, "drift_differences", findings.drift_differences)
    if findings.leader:
        yield number(results, "leader_error", findings.leader_error, findings.leader)
    for variant in results.variants:
        if isinstance(variant.settings.data, SineSettings):
            period = 2 * math.pi * variant.settings.data.time_scale
            yield number(results, f"data.{variant.name}.period", period, variant.name)
    for drift in findings.drifts:
        for field in ("early", "late", "growth"):
            yield number(results, f"drift.{drift.variant}.{field}", getattr(drift, field), drift.variant)
    for race in findings.races:
        pair = (race.one, race.other)
        yield number(results, f"race.{race.one}.{race.other}.loss", race.loss, *pair)
        for name, needed in race.needed.items():
            for field, value in zip(("evaluations", "seconds"), needed, strict=True):
                yield number(results, f"race.{race.one}.{race.other}.{name}.{field}", value, *pair)
        yield from _compared(results, "race_evaluations", [race.evaluations])
        yield from _compared(results, "race_seconds", [race.seconds])


def _compared(results: Forecasts, name: str, differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
    """Yield the numbers of differences of log10, and the factors that sentences have in their place."""
    for item in differences:
        yield from of_differences(results, name, [item])
        limits = {"low": item.evidence.low, "high": item.evidence.high}
        for field, value in {"mean": item.mean, "spread": item.spread, **limits}.items():
            named = f"{name}.{item.ahead}.{item.behind}.{field}_factor"
            yield number(results, named, 10**value, item.ahead, item.behind)


def log(record: Record) -> str:
    """Write what a run logged, a line a logged step."""
    return step_log(
        record, {"evaluations": "Eval: {:.0f}", "train_loss": "Loss: {:.3e}", "validation_loss": "Val: {:.3e}"}
    )
