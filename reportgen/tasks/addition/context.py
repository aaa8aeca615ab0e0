"""What the templates and other programs are told of an addition suite."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reportgen.analysis.display_limits import declared
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import Study, names_of
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
from reportgen.tasks.addition.findings import HOLDS, Findings, Studied, by_setting
from reportgen.tasks.addition.results import Additions
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow


@dataclass(frozen=True, kw_only=True)
class AdditionContext(Common):
    """The names in a template of an addition report."""

    findings: Findings
    studies: list[dict[str, Any]]
    """Each study: name (of its figure and its table), setting, base; names, variant to its value, or to its label
    where it has no value of its own; first_steps and steady_steps, variant to those of its seeds; besides,
    variant to what else it has that its base has not, (setting, value); reached and missed, names; and studied,
    what was found."""
    step_figures: list[tuple[str, list[str]]]
    """Setting and bases of each figure of steps to right sums, in order."""
    digits: list[int]
    """Lengths of the numbers trained on."""
    batch_sizes: list[int]
    test_numbers: list[int]
    test_seeds: list[int]
    examples: list[dict[str, str]]
    """Sums that a network was asked after training: first, second, sum and told."""
    examples_of: str
    """The variant of that network."""
    holds: float = HOLDS


CONTEXT: type[Common] = AdditionContext
"""What the templates of this task may use."""


def build_context(
    suite: Suite,
    results: Runs,
    findings: AnyFindings,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> AdditionContext:
    """Gather what the templates need, in one language."""
    results = narrow(results, Additions)
    findings = narrow(findings, Findings)
    shared = common(suite, results, findings, figures, language, quick=quick)
    settings = list(shared["settings"].values())
    told = [
        run
        for v in results.variants
        for run in results.runs_of(v.name)
        if results.records[run].measures["examples"]
    ]
    return AdditionContext(
        **shared,
        explained=explain_memory(results, declared(results)),
        findings=findings,
        studies=[
            {"name": f"study-{index}", **_study(studied, results, shared, language)}
            for index, studied in enumerate(findings.studied, 1)
        ],
        step_figures=[(group[0].setting, [study.base for study in group]) for group in by_setting(findings)],
        digits=_each(settings, "data.digits"),
        batch_sizes=_each(settings, "training.batch_size"),
        test_numbers=_each(settings, "data.test_numbers"),
        test_seeds=_each(settings, "data.test_seed"),
        examples=results.records[told[0]].measures["examples"] if told else [],
        examples_of=told[0].rpartition("/")[0] if told else "",
    )


def _study(studied: Studied, results: Additions, shared: Mapping[str, Any], language: Language) -> dict[str, Any]:
    study = studied.study
    names = names_of(study, list(study.values), shared["labels"], language)
    return {
        "setting": study.setting,
        "base": study.base,
        "names": names,
        **{
            f"{column}s": {name: _by_seed(results, name, column) for name in study.values}
            for column in ("first_step", "steady_step")
        },
        "besides": _besides(study, shared["settings"]),
        "reached": [names[name] for name in studied.reached],
        "missed": [names[name] for name in studied.missed],
        "studied": studied,
    }


def _each(settings: list[dict[str, Any]], name: str) -> list[int]:
    return sorted({own[name] for own in settings})


def _by_seed(results: Additions, variant: str, column: str) -> list[float]:
    """Return a column of the variant's finished runs, seed by seed."""
    rows = results.runs[(results.runs["variant"] == variant) & (results.runs["status"] == "finished")]
    return [float(step) for step in rows[column]]


def _besides(study: Study, settings: Mapping[str, dict[str, Any]]) -> dict[str, list[tuple[str, Any]]]:
    """Return for each variant, setting and value of whatever else it has that the study's base has not."""
    base = settings.get(study.base, {})
    changes = {
        variant: [
            (name, value)
            for name, value in settings[variant].items()
            if base and value != base.get(name) and name != "data.test_lengths" and not _is_of(name, study.setting)
        ]
        for variant in study.values
    }
    return {variant: changed for variant, changed in changes.items() if changed}


def _is_of(name: str, setting: str) -> bool:
    """Tell whether a setting is the one that is studied, or a member of the group that is."""
    return name == setting or name.startswith(f"{setting}.")


def write(folder: Path, results: Runs, findings: AnyFindings, silence: Checks) -> list[str]:
    """Write `tables/*.csv` and `results.json` into the report's folder; return their paths from there."""
    results = narrow(results, Additions)
    findings = narrow(findings, Findings)
    content = as_json_of(results, "step_log", _numbers(results, findings), findings.claims)
    return put(
        folder, _tables(results, findings), {**content, "checks": checks_as_json(results, findings, silence)}
    )


def _tables(results: Additions, findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "comparison", findings.comparison
    yield "runs", results.runs
    yield "curves", findings.curves
    if len(table := norms(results)):
        yield "gradient_norms", table
    yield "lengths", findings.lengths
    for index, studied in enumerate(findings.studied, 1):
        own = findings.comparison[findings.comparison["variant"].isin(list(studied.study.values))]
        yield f"study-{index}", own.assign(value=own["variant"].map(studied.study.values))


def _numbers(results: Additions, findings: Findings) -> Iterator[dict[str, Any]]:
    yield from of_comparison(results, findings.comparison)
    yield from of_memory(results, explain_memory(results, declared(results)))
    leads = [studied.lead for studied in findings.studied if studied.lead]
    yield from of_differences(results, "steps", leads)
    for row in findings.lengths.to_dict("records"):
        for metric in ("exact_accuracy", "digit_accuracy", "exact_accuracy_std", "digit_accuracy_std"):
            name = f"lengths.{row['variant']}.{row['digits']}.{metric}"
            yield number(results, name, row[metric], str(row["variant"]))


def log(record: Record) -> str:
    """Write what a run logged, a line a logged step."""
    return step_log(
        record,
        {
            "test_loss": "Loss: {:.4f}",
            "validation_loss": "Val: {:.4f}",
            "digit_accuracy": "Digit: {:.4f}",
            "exact_accuracy": "Exact: {:.3f}",
        },
    )
