"""What the templates are told of models, data, settings and runs, made ready to be printed."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.metrics import UserMetric
from reportgen.analysis.results import Runs
from reportgen.i18n.fonts import printable
from reportgen.i18n.origins import unmarked
from reportgen.lab.record import Record
from reportgen.lab.training.settings import flat_training
from reportgen.suite.expansion import Run
from reportgen.suite.imports import ImportedRun
from reportgen.suite.text import Text

_BETWEEN_CHINESE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


@dataclass(frozen=True)
class Imported:
    """A log in place of a training."""

    run: str
    label: str
    file: str
    format: str
    digest: str
    """SHA-256."""
    same_data: bool
    unread: Sequence[str]
    """Every name, kind of line and row of the log that was left unread."""
    encoding: str
    validated: Mapping[str, float]
    """Loss and accuracy on the validation part in the last epoch, where the log has no test figures."""


def imported_of(results: Runs, labels: Mapping[str, str]) -> list[Imported]:
    """Return what stands for each run that was trained elsewhere, in the order of the runs."""
    found = []
    for variant in results.variants:
        if not isinstance(settings := variant.settings, ImportedRun):
            continue
        for seed, file in settings.logs:
            run = Run(variant, seed).name
            read = results.records[run].measures["import"]
            found.append(
                Imported(
                    run=run,
                    label=labels[variant.name],
                    file=PurePath(file).name,
                    format=read["format"],
                    digest=read["digest"],
                    same_data=settings.imported.same_data,
                    unread=[printable(name) for name in read.get("unread", [])],
                    encoding=read.get("encoding", ""),
                    validated=_last_validation(results.records[run]),
                )
            )
    return found


def _last_validation(record: Record) -> dict[str, float]:
    tested = any(record.measures.get(name) is not None for name in ("test_loss", "test_accuracy"))
    if record.heldout != "validation" or not record.epochs or tested:
        return {}
    last = record.epochs[-1]
    figures = {"loss": last["heldout_loss"], "accuracy": last["heldout_accuracy"]}
    return {name: value for name, value in figures.items() if not math.isnan(value)}


@dataclass(frozen=True)
class Log:
    """What one run logged: epochs in the two-line form with the test line at the end, or a line a logged step."""

    run: str
    label: str
    seed: int
    text: str


def metric_of(metric: UserMetric, language: str) -> dict[str, Any]:
    """Return a metric of the user's own as templates take it."""
    values = {str(variant): dict(row) for variant, row in metric.table.to_dict("index").items()}
    return {"label": metric.label.in_language(language), "percent": metric.percent, "values": values}


def datasets_of(results: Runs, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the facts of each data set, with the labels of the variants that use it."""
    found: dict[str, dict[str, Any]] = {}
    for variant in results.variants:
        record = results.record_of(variant.name)
        if record is not None and record.data:
            data = found.setdefault(repr(record.data), {**record.data, "labels": []})
            data["labels"].append(labels[variant.name])
    return list(found.values())


def digits(smallest: float) -> int:
    """Return how many decimals show a number of that size with two significant digits; none to three."""
    if not smallest > 0:  # NaN, where nothing finished
        return 1
    return min(3, max(0, 1 - math.floor(math.log10(smallest))))


def prose(text: Text | None, language: str) -> Markup | None:
    """Return the suite's own words, which are Markdown; the typesetter reads no HTML in it."""
    if text is None:
        return None
    words = text.in_language(language).strip()
    # a line end within a folded YAML text is a space, which Chinese does not have between its characters
    return Markup(_BETWEEN_CHINESE.sub("", unmarked(words)))  # noqa: S704


def step_log(record: Record, forms: Mapping[str, str]) -> str:
    """Write a line for each logged step, without what was not measured.

    Args:
        record: its `steps` are written.
        forms: the columns, and how each is written; a line has to fit into half of the page.
    """
    lines = []
    for row in record.steps:
        figures = (
            form.format(row[name]) for name, form in forms.items() if not math.isnan(row.get(name, math.nan))
        )
        lines.append(" ".join([f"Step: {row['step']:.0f}", *figures]))
        lines += of_training(row)
    lines += stopped(record)
    if record.status != "finished":
        lines.append(f"{record.status.capitalize()}: {record.error}")
    return "\n".join(lines)


def of_training(row: Mapping[str, float]) -> list[str]:
    """Return a line with what every task may log; none where that was not asked for."""
    forms = {"learning_rate": "LR: {:.4g}", "gradient_norm": "Gradient norm: {:.4g}"}
    figures = [form.format(row[name]) for name, form in forms.items() if name in row]
    return [" ".join(figures)] if figures else []


def stopped(record: Record) -> list[str]:
    """Return a line about a run that was stopped early."""
    stop = record.measures.get("early_stop")
    return [f"Stopped early: no lower loss since {stop['unit']} {stop['best']}"] if stop else []


def early_stops(results: Runs, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return run, label, and where it was stopped, of each run that was stopped early."""
    return [
        {"run": row["run"], "label": labels[row["variant"]], **stop}
        for row in rows_of(results.runs)
        if (stop := results.records[row["run"]].measures.get("early_stop"))
    ]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def settings_of(resolved: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a variant by dotted name."""
    flat = {f"model.{name}": value for name, value in resolved["model"].items()}
    flat |= {f"training.{name}": value for name, value in flat_training(resolved["training"])}
    data = {f"data.{name}": value for name, value in resolved["data"].items() if name != "split"}
    split = {f"data.split.{name}": value for name, value in resolved["data"].get("split", {}).items()}
    device = {"device": resolved["device"]} if "device" in resolved else {}  # an imported run has none
    return {**flat, **data, **split, **device}


_OFF_AT_ZERO = {"data.validation_numbers", "training.schedule.warmup"}
_PART_OF = {"model.embedding_std": "model.embedding_size", "model.activation": "model.head_size"}


def is_off(name: str, settings: dict[str, Any]) -> bool:
    """Tell whether a setting stands for something that was not used: a dropout of 0, the scale of no embedding."""
    value = settings[_PART_OF.get(name, name)]
    can_be_off = isinstance(value, float) or name in _OFF_AT_ZERO
    return value is None or value is False or (can_be_off and value == 0)


def distinct(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without repetitions, in the order of their first."""
    return list({repr(item): item for item in items}.values())


def reason(error: str) -> str:
    """Return what was wrong in a line: of a traceback the error, and the file and the line that it comes from."""
    places = re.findall(r'^  File "(.+)", line (\d+)', error, re.MULTILINE)
    lines = [line for line in error.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    place = f" ({places[-1][0]}:{places[-1][1]})" if places else ""
    return printable(f"{lines[0]}{place}") if lines else ""
