"""What the templates may use. Each name is explained here, and nowhere else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.findings import CLEAR_SPREADS, OVERFITTING_RISE, Findings
from reportgen.analysis.results import Results
from reportgen.lab.record import Record
from reportgen.languages import Language
from reportgen.suite.schema import Suite
from reportgen.suite.text import Text

_BETWEEN_CHINESE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")

COVER = ("author", "student_number", "course", "school", "supervisor", "date")
ENVIRONMENT = ("cpu", "cores", "memory_gib", "gpu", "system", "python", "torch", "cuda", "cudnn", "threads")


@dataclass(frozen=True)
class Model:
    """A model of the suite: the variants that train it, what it prints, and how large it is."""

    labels: list[str]
    cell: str
    printout: str
    summary: str
    parameters: int


@dataclass(frozen=True)
class Log:
    """The epochs of one run in the two-line form, with the test line at the end."""

    run: str
    label: str
    seed: int
    text: str


@dataclass(frozen=True)
class Context:
    """The names in a template, besides the functions that `reportgen.report.markdown` adds."""

    title: str
    cover: list[tuple[str, str]]
    """Label and value of each line of the cover that the suite gives."""
    aim: Markup | None
    closing: Markup | None
    """The suite's own `summary`."""
    quick: bool
    """Whether this is a `--quick` build, which nobody should hand in."""
    seeds: list[int]
    labels: dict[str, str]
    """Variant to what tables and figures call it."""
    environments: list[dict[str, Any]]
    """Each machine and software that runs of this suite ran on."""
    datasets: list[dict[str, Any]]
    """Each data set: the fields of `reportgen.lab.dataset.DataFacts`."""
    models: list[Model]
    cells: list[str]
    """The kinds of cell, in the order of their first use."""
    common_settings: list[tuple[str, Any]]
    """Name and value of each setting that all variants share, without the options that are off."""
    differing_settings: list[str]
    """Names of the settings in which variants differ."""
    settings: dict[str, dict[str, Any]]
    """Variant to its settings by dotted name."""
    heldout: str
    """The part that each epoch was evaluated on: validation or test."""
    losses: list[str]
    """The losses in use, in the order of their first use."""
    uses_adam: bool
    keep: str
    """How the tested epoch was chosen: best, last, or mixed."""
    comparison: list[dict[str, Any]]
    """A row a variant: the columns of `reportgen.analysis.tables.comparison`, and label."""
    runs: list[dict[str, Any]]
    """A row a run: the columns of `reportgen.analysis.results.Results.runs`, and label."""
    unfinished: list[dict[str, Any]]
    """The rows of `runs` that diverged or failed, with the last line of the error as `reason`."""
    findings: Findings
    figures: dict[str, str]
    """Name of a figure to its path beside the report."""
    confusion_figures: list[tuple[str, str]]
    """Variant and name of its confusion matrix."""
    logs: list[Log]
    rows: dict[str, dict[str, Any]]
    """The rows of `comparison` by variant."""
    word_vectors: Sequence[dict[str, Any]] = ()
    """The word vectors in use: the fields of `reportgen.lab.vectors.VectorFacts`, and the data set's digest."""
    environment_rows: tuple[str, ...] = ENVIRONMENT
    """What is told of an environment, in order."""
    clear_spreads: float = CLEAR_SPREADS
    overfitting_rise: float = OVERFITTING_RISE


def build_context(
    suite: Suite,
    results: Results,
    findings: Findings,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> Context:
    """Gather what the templates need, in one language."""
    code = language.code
    labels = {variant.name: variant.label_in(code) for variant in results.variants}
    settings = {variant.name: _settings(variant.settings.told()) for variant in results.variants}
    names = list(next(iter(settings.values())))
    differing = [name for name in names if len({repr(own[name]) for own in settings.values()}) > 1]
    first = next(iter(settings.values()))
    runs = [{**row, "label": labels[row["variant"]]} for row in _rows(results.runs)]
    comparison = [{**row, "label": labels[row["variant"]]} for row in _rows(findings.comparison)]
    records = list(results.records.values())
    keeps = {own["training.keep"] for own in settings.values()}
    return Context(
        title=suite.title.in_language(code),
        cover=[
            (language.say(f"cover.{name}"), language.date(text.in_language(code)))
            for name in COVER
            if (text := getattr(suite.cover, name)) is not None
        ],
        aim=_prose(suite.aim, code),
        closing=_prose(suite.summary, code),
        quick=quick,
        seeds=list(suite.seeds),
        labels=labels,
        environments=_distinct([record.environment for record in records]),
        datasets=_distinct([record.data for record in records if record.data]),
        word_vectors=_distinct(
            [
                {**record.model["vectors"], "data": record.data["digest"]}
                for record in records
                if "vectors" in record.model
            ]
        ),
        models=_models(results, labels),
        cells=list(dict.fromkeys(own["model.cell"] for own in settings.values())),
        common_settings=[(n, first[n]) for n in names if n not in differing and not _is_off(n, first)],
        differing_settings=differing,
        settings=settings,
        heldout=next((record.heldout for record in records if record.heldout), "validation"),
        losses=list(dict.fromkeys(own["training.loss"] for own in settings.values())),
        uses_adam=any(own["training.optimizer"] == "adam" for own in settings.values()),
        keep=keeps.pop() if len(keeps) == 1 else "mixed",
        comparison=comparison,
        rows={row["variant"]: row for row in comparison},
        runs=runs,
        unfinished=[{**row, "reason": _reason(row["error"])} for row in runs if row["status"] != "finished"],
        findings=findings,
        figures=dict(figures),
        confusion_figures=[(v, f"confusion-{v}") for v in results.confusion],
        logs=[Log(row["run"], row["label"], row["seed"], epoch_log(results.records[row["run"]])) for row in runs],
    )


def _prose(text: Text | None, language: str) -> Markup | None:
    """Return the suite's own words, which are Markdown; the typesetter reads no HTML in it."""
    if text is None:
        return None
    words = text.in_language(language).strip()
    # a line end within a folded YAML text is a space, which Chinese does not have between its characters
    return Markup(_BETWEEN_CHINESE.sub("", words))  # noqa: S704


def epoch_log(record: Record) -> str:
    """Write the epochs the way training scripts print them: two lines an epoch, and the test part's at the end."""
    lines = []
    for row in record.epochs:
        lines.append(
            f"Train Epoch: {row['epoch']:.0f} Loss: {row['train_loss']:.6f} Acc: {row['train_accuracy']:.6f}"
        )
        lines.append(_evaluation(record.heldout, row["heldout_loss"], row["heldout_accuracy"]))
    if record.predictions and record.heldout != "test":
        outcome = record.predictions
        accuracy = float((outcome["predicted"] == outcome["target"]).mean())
        lines.append(f"Kept epoch: {record.kept_epoch}")
        lines.append(_evaluation("test", float(outcome["loss"].mean(dtype="float64")), accuracy))
    if record.status != "finished":
        lines.append(f"{record.status.capitalize()}: {_reason(record.error)}")
    return "\n".join(lines)


def _evaluation(part: str, loss: float, accuracy: float) -> str:
    return f"{part.capitalize()} set: Average loss: {loss:.4f}, Accuracy: {accuracy:.4f}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _settings(resolved: dict[str, Any]) -> dict[str, Any]:
    flat = {f"{part}.{name}": value for part in ("model", "training") for name, value in resolved[part].items()}
    data = {f"data.{name}": value for name, value in resolved["data"].items() if name != "split"}
    split = {f"data.split.{name}": value for name, value in resolved["data"]["split"].items()}
    return {**flat, **data, **split, "device": resolved["device"]}


_PART_OF = {"model.embedding_std": "model.embedding_size", "model.activation": "model.head_size"}


def _is_off(name: str, settings: dict[str, Any]) -> bool:
    """Tell whether a setting stands for something that was not used: a dropout of 0, the scale of no embedding."""
    value = settings[_PART_OF.get(name, name)]
    return value is None or value is False or (isinstance(value, float) and value == 0)


def _models(results: Results, labels: Mapping[str, str]) -> list[Model]:
    found: dict[str, Model] = {}
    for variant in results.variants:
        record = results.record_of(variant.name)
        if record is None:
            continue
        described = record.model
        model = found.setdefault(
            described["printout"],
            Model(
                [],
                variant.settings.model.cell,
                described["printout"],
                described["summary"],
                described["parameters"],
            ),
        )
        model.labels.append(labels[variant.name])
    return list(found.values())


def _distinct(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({repr(item): item for item in items}.values())


def _reason(error: str) -> str:
    return error.strip().splitlines()[-1] if error.strip() else ""
