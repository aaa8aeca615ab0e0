"""What the templates of a classification report may use, and its numbers for other programs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.analysis.display_limits import MOST_CURVES, MOST_ROWS, most_accurate
from reportgen.analysis.studies import Sweep, sweeps
from reportgen.i18n.fonts import printable
from reportgen.i18n.languages import Language
from reportgen.lab.record import Record
from reportgen.report.context import Common, Picked, common
from reportgen.report.facts import (
    digits,
    distinct,
    metric_of,
    of_training,
    prose,
    stopped,
)
from reportgen.report.probes import Explained, explain_memory
from reportgen.suite.schema import Suite
from reportgen.tasks.classification.findings import OVERFITTING_RISE, Findings, MatrixDifference, matrix_difference
from reportgen.tasks.classification.rankings import Choice, Tuning, choices, representatives
from reportgen.tasks.classification.results import Results, test_figures
from reportgen.tasks.classification.selection import (
    logged_of,
    narrowed,
    sizes_of,
    told_of,
    with_curves,
    with_matrices,
)


@dataclass(frozen=True)
class ExplainedClassifiers(Explained):
    """What was measured of the models, and of their classes."""

    choices: list[Choice] = field(default_factory=list)
    """What the validation part chose of each run that is swept."""
    difference: MatrixDifference | None = None


@dataclass(frozen=True, kw_only=True)
class Context(Common):
    """The names in a template of a classification report."""

    explained: ExplainedClassifiers = field(default_factory=ExplainedClassifiers)
    """What the sections that explain are told."""
    word_vectors: list[dict[str, Any]]
    """The word vectors: the fields of `VectorFacts`, and the data set's digest."""
    heldout: str
    """The part that each epoch was evaluated on: validation or test; heldout if the variants differ in that."""
    heldout_of: dict[str, str]
    """Variant to the part that its epochs were evaluated on."""
    losses: list[str]
    """The losses in use, in the order of their first use."""
    loss_sources: dict[str, str] = field(default_factory=dict)
    """The source of each loss of the user's own."""
    uses_adam: bool
    keep: str
    """How the tested epoch was chosen: best, last, or mixed."""
    tunings: list[dict[str, Any]]
    """Each variant that is a change of another: variant, baseline, why, difference, gain, and changes, a list of
    (setting, before, after)."""
    sweeps: dict[str, Sweep]
    """Name of its figure to each sweep of one number."""
    mistakes: list[dict[str, Any]]
    """The leader's most confident mistakes in its first run: text, target, predicted, confidence."""
    mistakes_seed: int
    """The seed of that run."""
    findings: Findings
    confusion_figures: list[tuple[str, str]]
    """Variant and name of its confusion matrix: those that stand in the text."""
    more_confusion_figures: list[tuple[str, str]]
    """The same of those that stand in an appendix, where there are many."""
    seconds_digits: int
    """Decimals that tell the seconds of an epoch apart."""
    metrics: list[dict[str, Any]] = field(default_factory=list)
    """The suite's own metrics: label, percent, and `values`, by variant its mean and std over the seeds."""
    curves: int = 0
    """How many variants have learning curves."""
    overfitting_rise: float = OVERFITTING_RISE
    most_rows: int = MOST_ROWS


def build_context(
    suite: Suite,
    results: Results,
    findings: Findings,
    figures: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
) -> Context:
    """Gather what the templates of a classification report need, in one language."""
    shared = common(suite, results, findings, figures, language, quick=quick)
    settings = shared["settings"]
    keeps = {own["training.keep"] for own in settings.values() if "training.keep" in own} or {"imported"}
    heldout_of = {v.name: part for v in results.variants if (part := results.heldout_of(v.name))}
    heldout = set(heldout_of.values()) or {"validation"}
    best = results.record_of(findings.detailed) if findings.detailed else None
    in_text = matrices_in_text(results, findings)
    matrices = with_matrices(results, findings.comparison)
    told_variants, logged = told_of(results, findings), set(logged_of(results, findings))
    drawn_from, findings, told_names = findings, narrowed(findings, told_variants), set(told_variants)
    every = {name: shared[name] for name in ("runs", "comparison", "logs")}
    shared |= {
        "told": told_variants,
        "runs": [row for row in every["runs"] if row["variant"] in told_names],
        "comparison": [row for row in every["comparison"] if row["variant"] in told_names],
        "logs": [log for log, row in zip(every["logs"], every["runs"], strict=True) if row["variant"] in logged],
        "models": sizes_of(shared["models"], told_variants, shared["labels"]),
    }
    if len(told_variants) < len(results.variants) or len(shared["logs"]) < len(every["logs"]):
        counts = [len(told_variants), len(results.variants), len(shared["logs"]), len(every["logs"])]
        shared["picked"] = Picked(*counts)
    return Context(
        **shared,
        word_vectors=distinct(
            [
                {**record.model["vectors"], "data": record.data["digest"]}
                for record in results.records.values()
                if "vectors" in record.model
            ]
        ),
        heldout=heldout.pop() if len(heldout) == 1 else "heldout",
        heldout_of=heldout_of,
        losses=list(dict.fromkeys(own["training.loss"] for own in settings.values() if "training.loss" in own)),
        loss_sources={
            record.settings["training"]["loss"]: record.model["loss_source"]
            for record in results.records.values()
            if "loss_source" in record.model
        },
        uses_adam=any(own.get("training.optimizer") == "adam" for own in settings.values()),
        keep=keeps.pop() if len(keeps) == 1 else "mixed",
        seconds_digits=digits(drawn_from.comparison["seconds_per_epoch"].min()),
        tunings=[tuning_of(tuning, results, settings, language.code) for tuning in findings.tunings],
        sweeps=sweeps(results),
        mistakes=mistakes_of(best) if best and best.data else [],
        mistakes_seed=best.seed if best else 0,
        findings=findings,
        metrics=[metric_of(metric, language.code) for metric in results.metrics],
        curves=len(with_curves(results, drawn_from.comparison)),
        explained=explain_classifiers(results, drawn_from),
        confusion_figures=[(v, f"confusion-{v}") for v in in_text],
        more_confusion_figures=[(v, f"confusion-{v}") for v in matrices if v not in in_text],
    )


_MATRICES_IN_TEXT = 4


_MISTAKES = 8


def tuning_of(
    tuning: Tuning, results: Results, settings: Mapping[str, dict[str, Any]], language: str
) -> dict[str, Any]:
    """Return a change as templates take it; `settings` are those of `settings_of`, by variant."""
    before, after = settings[tuning.baseline], settings[tuning.variant]
    names = dict.fromkeys([*before, *after])
    imported = {tuning.baseline, tuning.variant} & results.imported.keys()  # of those not everything is told
    why = next(variant.why for variant in results.variants if variant.name == tuning.variant)
    return {
        "variant": tuning.variant,
        "baseline": tuning.baseline,
        "why": prose(why, language),
        "difference": tuning.difference,
        "gain": tuning.gain,
        "changes": [
            (name, before.get(name), after.get(name))
            for name in names
            if before.get(name) != after.get(name) and ((name in before and name in after) or not imported)
        ],
    }


def matrices_in_text(results: Results, findings: Findings) -> list[str]:
    """Return the variants whose confusion matrices stand in the text.

    All of a few. Where sweeps make many of a few runs, the one of each run that was chosen; else the best two.
    """
    if len(results.confusion) <= _MATRICES_IN_TEXT:
        return list(results.confusion)
    chosen = representatives(results)
    if len(chosen) <= _MATRICES_IN_TEXT:
        return chosen
    table = findings.comparison[findings.comparison["variant"].isin(list(results.confusion))]
    best = set(table.sort_values("test_accuracy", ascending=False)["variant"][:2])
    return [variant for variant in results.confusion if variant in best]


def mistakes_of(record: Record) -> list[dict[str, Any]]:
    """Return the run's most confident mistakes, with the names of the classes that they are about."""
    classes = record.data["classes"]
    return [
        {
            **mistake,
            "text": printable(mistake["text"]),
            "target": classes[mistake["target"]],
            "predicted": classes[mistake["predicted"]],
        }
        for mistake in record.mistakes[:_MISTAKES]
    ]


def explain_classifiers(results: Results, findings: Findings) -> ExplainedClassifiers:
    """Gather what the sections of a classification report need."""
    variants = most_accurate(findings.comparison, representatives(results), MOST_CURVES)
    measured = replace(explain_memory(results, variants), chosen=bool(chosen := choices(results)))
    return ExplainedClassifiers(**vars(measured), choices=chosen, difference=matrix_difference(results))


def log(record: Record) -> str:
    """Write the epochs the way training scripts print them: two lines an epoch, and the test part's at the end."""
    lines = []
    for row in record.epochs:
        figures = _said(("Loss:", row["train_loss"], 6), ("Acc:", row["train_accuracy"], 6))
        lines.append(f"Train Epoch: {row['epoch']:.0f} {figures}".rstrip())
        lines += of_training(row)
        lines += _evaluation(record.heldout, row["heldout_loss"], row["heldout_accuracy"])
    if record.heldout != "test":
        lines += stopped(record)
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
