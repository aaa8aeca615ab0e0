"""What the templates are told of models, data, settings and runs, made ready to be printed."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.metrics import OwnMetric
from reportgen.analysis.results import Runs
from reportgen.i18n.fonts import printable
from reportgen.lab.record import Record
from reportgen.suite.expansion import Run
from reportgen.suite.imports import ImportedRun
from reportgen.suite.text import Text
from reportgen.tasks.classification.results import test_figures

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
    if record.heldout != "validation" or not record.epochs or not all(map(math.isnan, test_figures(record))):
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


def metric_of(metric: OwnMetric, language: str) -> dict[str, Any]:
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
    return Markup(_BETWEEN_CHINESE.sub("", words))  # noqa: S704


_STEP_LOG = {
    "forecasting": {"evaluations": "Eval: {:.0f}", "train_loss": "Loss: {:.3e}", "validation_loss": "Val: {:.3e}"},
    "addition": {
        "test_loss": "Loss: {:.4f}",
        "digit_accuracy": "Digit: {:.4f}",
        "exact_accuracy": "Exact: {:.3f}",
    },
}
"""By task the columns that a log has, and how it writes them: a line has to fit into half of the page."""


def log_of(record: Record) -> str:
    """Write what a run logged, the way its task is counted."""
    return epoch_log(record) if record.task == "classification" else step_log(record)


def step_log(record: Record) -> str:
    """Write a line for each logged step, without what was not measured."""
    lines = []
    for row in record.steps:
        figures = (
            form.format(row[name])
            for name, form in _STEP_LOG[record.task].items()
            if not math.isnan(row.get(name, math.nan))
        )
        lines.append(" ".join([f"Step: {row['step']:.0f}", *figures]))
    if record.status != "finished":
        lines.append(f"{record.status.capitalize()}: {record.error}")
    return "\n".join(lines)


def epoch_log(record: Record) -> str:
    """Write the epochs the way training scripts print them: two lines an epoch, and the test part's at the end."""
    lines = []
    for row in record.epochs:
        figures = _said(("Loss:", row["train_loss"], 6), ("Acc:", row["train_accuracy"], 6))
        lines.append(f"Train Epoch: {row['epoch']:.0f} {figures}".rstrip())
        lines += _evaluation(record.heldout, row["heldout_loss"], row["heldout_accuracy"])
    if record.heldout != "test":
        lines += [f"Kept epoch: {record.kept_epoch}"] if record.kept_epoch else []
        lines += _evaluation("test", *test_figures(record))
    if record.status != "finished":
        lines.append(f"{record.status.capitalize()}: {record.error}")
    return "\n".join(lines)


def _evaluation(part: str, loss: float, accuracy: float) -> list[str]:
    """Return a line, or none if an imported log has nothing to tell."""
    figures = _said(("Average loss:", loss, 4), ("Accuracy:", accuracy, 4), between=", ")
    return [f"{part.capitalize()} set: {figures}"] if figures else []


def _said(*figures: tuple[str, float, int], between: str = " ") -> str:
    return between.join(f"{name} {value:.{digits}f}" for name, value, digits in figures if not math.isnan(value))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def settings_of(resolved: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a variant by dotted name."""
    flat = {f"{part}.{name}": value for part in ("model", "training") for name, value in resolved[part].items()}
    data = {f"data.{name}": value for name, value in resolved["data"].items() if name != "split"}
    split = {f"data.split.{name}": value for name, value in resolved["data"].get("split", {}).items()}
    device = {"device": resolved["device"]} if "device" in resolved else {}  # an imported run has none
    return {**flat, **data, **split, **device}


_PART_OF = {"model.embedding_std": "model.embedding_size", "model.activation": "model.head_size"}


def is_off(name: str, settings: dict[str, Any]) -> bool:
    """Tell whether a setting stands for something that was not used: a dropout of 0, the scale of no embedding."""
    value = settings[_PART_OF.get(name, name)]
    return value is None or value is False or (isinstance(value, float) and value == 0)


def distinct(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without repetitions, in the order of their first."""
    return list({repr(item): item for item in items}.values())


def reason(error: str) -> str:
    """Return what was wrong in a line: of a traceback the error, and the file and the line that it comes from."""
    places = re.findall(r'^  File "(.+)", line (\d+)', error, re.MULTILINE)
    lines = [line for line in error.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    place = f" ({places[-1][0]}:{places[-1][1]})" if places else ""
    return printable(f"{lines[0]}{place}") if lines else ""
