"""What the templates may use. Each name is explained here, and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from reportgen.analysis.checks import look
from reportgen.analysis.display_limits import MOST_CURVES
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import AGREEMENT, ALPHA
from reportgen.i18n import origins
from reportgen.i18n.languages import Language
from reportgen.lab.record import Record
from reportgen.report.checks import Section, section
from reportgen.report.claims import Told, told
from reportgen.report.devices import Devices, devices_of
from reportgen.report.facts import (
    Imported,
    Log,
    datasets_of,
    distinct,
    early_stops,
    imported_of,
    is_off,
    prose,
    reason,
    rows_of,
    settings_of,
)
from reportgen.report.printouts import Model, models_of
from reportgen.report.probes import Explained
from reportgen.suite.schema import Suite
from reportgen.tasks.base import Task
from reportgen.tasks.registry import task_named


@dataclass(frozen=True)
class Picked:
    """How much of what there is a report prints."""

    models: int
    """Models with a row in tables."""
    of_models: int
    logs: int
    """Runs whose log is printed."""
    of_logs: int


COVER = (
    "author", "student_number", "student_class", "course", "major", "department", "school", "supervisor", "date",
)  # fmt: skip
"""The lines of a cover, in order."""
ENVIRONMENT = ("cpu", "cores", "memory_gib", "gpu", "system", "python", "torch", "cuda", "cudnn", "threads")


@dataclass(frozen=True, kw_only=True)
class Common:
    """The names in a template of any task, besides the functions that `reportgen.report.markdown` adds."""

    title: str
    look: str
    """The look that the suite chose: the name of a cover in `covers/` and of a style sheet in `styles/`."""
    cover: list[tuple[str, str]]
    """Label and value of each line of the cover that the suite gives."""
    cover_fields: dict[str, str]
    """Name and value of every line that a cover may have; empty for one that the suite does not give."""
    aim: Markup | None
    closing: Markup | None
    """The suite's own `summary`."""
    sections: tuple[str, ...]
    """The sections after the cover, by the names of their templates."""
    quick: bool
    """Whether this is a `--quick` build, which nobody should hand in."""
    seeds: list[int]
    labels: dict[str, str]
    """Variant to what tables and figures call it."""
    environments: list[dict[str, Any]]
    """Each machine and software that runs of this suite ran on."""
    datasets: list[dict[str, Any]]
    """Each data set: what its records say of it, such as the fields
    of its task's facts, and the labels of those that use it."""
    models: list[Model]
    layers: dict[str, list[tuple[str, str]]]
    """The layers of torch.nn that the models use: name and default of each argument."""
    cells: list[str]
    """The kinds of cell, in the order of their first use."""
    common_settings: list[tuple[str, Any]]
    """Name and value of each setting that all variants share, without the options that are off."""
    differing_settings: list[str]
    """Names of the settings in which variants differ."""
    settings: dict[str, dict[str, Any]]
    """Variant to its settings by dotted name."""
    runs: list[dict[str, Any]]
    """A row a run: the columns of the task's results, such as `reportgen.analysis.results.Results.runs`, and
    label."""
    unfinished: list[dict[str, Any]]
    """The rows of `runs` that diverged or failed, with the last line of the error as `reason`."""
    comparison: list[dict[str, Any]]
    """A row a variant: the columns of the findings' table, such as `reportgen.analysis.tables.comparison`, and
    label."""
    rows: dict[str, dict[str, Any]]
    """The rows of `comparison` by variant."""
    logs: list[Log]
    picked: Picked | None = None
    """How much a report of many models prints of what there is; None where it prints all."""
    told: list[str] = field(default_factory=list)
    """The variants with a row in tables."""
    figures: dict[str, str]
    """Name of a figure to its path beside the report."""
    checks: Section
    """What the checks found, in words."""
    words: dict[str, str] = field(default_factory=dict)
    """The Markdown of each section of the suite's own, by its name in `sections`."""
    own_files: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, kind and SHA-256 of each file of the author's own that took part, the suite first."""
    imported: list[Imported] = field(default_factory=list)
    """The logs of the runs that were trained elsewhere."""
    environment_rows: tuple[str, ...] = ENVIRONMENT
    """What is told of an environment, in order."""
    claims: list[Told] = field(default_factory=list)
    """The claims of the suite, judged."""
    alpha: float = ALPHA
    agreement: float = AGREEMENT
    """p up to which the rank test agrees."""
    most_curves: int = MOST_CURVES
    task: str = "classification"
    explained: Explained = field(default_factory=Explained)
    """What the sections that explain are told."""
    early_stops: list[dict[str, Any]] = field(default_factory=list)
    """Each run that was stopped early: run, label, unit (epoch or step), stopped, best (their numbers), waited."""
    devices: Devices = field(default_factory=Devices)
    """How the CPU and a GPU compare, where a suite asks for that."""


def common(
    suite: Suite,
    results: Runs,
    findings: Any,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> dict[str, Any]:
    """Return the fields of `Common`, in one language; `findings` are those of any task."""
    code, task = language.code, task_named(results.task)
    labels = {variant.name: variant.label_in(code) for variant in results.variants}
    settings = {variant.name: settings_of(variant.settings.as_printed()) for variant in results.variants}
    # an imported run, and a whole model of the user's own, do not differ in what they have not
    names = list(dict.fromkeys(name for own in sorted(settings.values(), key=len, reverse=True) for name in own))
    said = {name: [own[name] for own in settings.values() if name in own] for name in names}
    differing = [name for name in names if len(set(map(repr, said[name]))) > 1]
    first = {name: values[0] for name, values in said.items()}
    runs = [{**row, "label": labels[row["variant"]]} for row in rows_of(results.runs)]
    compared = [{**row, "label": labels[row["variant"]]} for row in rows_of(findings.comparison)]
    records = list(results.records.values())
    fields = {name: text.in_language(code) if (text := getattr(suite.cover, name)) else "" for name in COVER}
    fields["date"] = language.date(fields["date"])
    return {
        "title": suite.title.in_language(code),
        "look": suite.look,
        "cover": [(language.say(f"cover.{name}"), value) for name, value in fields.items() if value],
        "cover_fields": fields,
        "aim": prose(suite.aim, code),
        "closing": prose(suite.summary, code),
        "sections": suite.sections,
        "quick": quick,
        "seeds": list(suite.seeds),
        "labels": labels,
        "environments": distinct([record.environment for record in records if record.environment]),
        "datasets": datasets_of(results, labels),
        "models": models_of(results, labels),
        "layers": {
            layer: arguments
            for record in records
            for layer, arguments in record.model.get("arguments", {}).items()
        },
        "cells": list(dict.fromkeys(own["model.cell"] for own in settings.values() if "model.cell" in own)),
        "common_settings": [(n, first[n]) for n in names if n not in differing and not is_off(n, first)],
        "differing_settings": differing,
        "settings": settings,
        "runs": runs,
        "unfinished": [{**row, "reason": reason(row["error"])} for row in runs if row["status"] != "finished"],
        "comparison": compared,
        "rows": {row["variant"]: row for row in compared},
        "logs": [
            Log(row["run"], row["label"], row["seed"], _log_text(row["run"], results.records[row["run"]], task))
            for row in runs
        ],
        "figures": dict(figures),
        "checks": section(look(task.checks().CHECKS, results, findings), suite.checks, language, labels),
        "claims": told(findings.claims, labels, language),
        "imported": imported_of(results, labels),
        "early_stops": early_stops(results, labels),
        "task": results.task,
        "devices": devices_of(suite, results, code),
    }


def _log_text(run: str, record: Record, task: Task) -> str:
    return origins.Text(
        task.context().log(record), (("runs", run, "epoch_log" if task.has_epochs else "step_log"),)
    )
