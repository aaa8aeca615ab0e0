"""Every figure of a report, in one language."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from reportgen.analysis.display_limits import MOST_CURVES, MOST_ROWS, most_accurate
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import sweeps
from reportgen.analysis.tables import row_normalised
from reportgen.figures.curves import gradient_norms
from reportgen.figures.deferred import DeferredFigure, DeferredFigures, defer, for_figures
from reportgen.figures.explaining import _memory, characters, diagrams_of
from reportgen.i18n.languages import Language
from reportgen.tasks.base import Findings as AnyFindings
from reportgen.tasks.base import narrow
from reportgen.tasks.classification.findings import Findings, matrix_difference
from reportgen.tasks.classification.rankings import representatives
from reportgen.tasks.classification.results import Results
from reportgen.tasks.classification.selection import with_curves, with_matrices


def deferred_figures(
    results: Runs, findings: AnyFindings, language: Language, sections: Collection[str] = ()
) -> DeferredFigures:
    """Return the figures by name: those of every report, and those of the sections that are asked for.

    `accuracies` shows the MOST_ROWS variants of the highest test accuracy. `accuracy` and `loss` are the learning
    curves of the variants that `analysis.display_limits.with_curves` names. Others are `sweep-<number>`,
    `confusion-<variant>`, and those of `figures.explaining`.
    """
    results = narrow(results, Results)
    findings = narrow(findings, Findings)
    names = [*(v.label_in(language.code) for v in results.variants), *_class_names(results, language)]
    figures = dict(_sketches(results, findings, for_figures(language), sections))
    return DeferredFigures(figures, [*names, *characters(results)], language)


def _sketches(
    results: Results, findings: Findings, language: Language, sections: Collection[str]
) -> Iterator[tuple[str, DeferredFigure]]:
    labels = {v.name: v.label_in(language.code) for v in results.variants}
    cells = {getattr(variant.settings.model, "cell", "") for variant in results.variants}
    yield from diagrams_of(sections, cells)
    finished = [name for name in labels if results.runs_of(name)]
    if not finished:
        return
    lines = {name: labels[name] for name in with_curves(results, findings.comparison)}
    tested = findings.comparison.dropna(subset=["test_accuracy"])
    rows = {
        name: labels[name] for name in most_accurate(tested, finished, MOST_ROWS) if name in set(tested["variant"])
    }
    if rows:
        yield (
            "accuracies",
            defer("figures.curves.test_accuracies", results.runs, findings.comparison, rows, language),
        )
    heldout = _heldout(results, lines)
    for quantity in ("accuracy", "loss"):
        yield (
            quantity,
            defer("figures.curves.learning_curves", findings.curves, lines, heldout, language, quantity),
        )
    yield from gradient_norms(results, lines, language)
    for name, sweep in sweeps(results).items():
        yield name, defer("figures.sweeps.swept", sweep, labels, language)
    for variant in with_matrices(results, findings.comparison):
        matrix = results.confusion[variant]
        data = results.records[results.runs_of(variant)[0]].data
        classes = [language.class_name(data["source"], name) for name in data["classes"]]
        shares = row_normalised(matrix)
        yield f"confusion-{variant}", defer("figures.matrices.confusion_matrix", shares, classes, language)
    yield from explaining(results, findings, sections, labels, language)


def _heldout(results: Results, variants: Iterable[str]) -> str:
    """Return the part that epochs were evaluated on, or heldout if that is not the same part everywhere."""
    parts = {results.records[run].heldout for variant in variants for run in results.runs_of(variant)} - {""}
    return parts.pop() if len(parts) == 1 else "heldout"


def _class_names(results: Results, language: Language) -> list[str]:
    data = [record.data for record in results.records.values() if record.data]
    return [language.class_name(facts["source"], name) for facts in data for name in facts["classes"]]


def explaining(
    results: Results,
    findings: Findings,
    sections: Collection[str],
    labels: Mapping[str, str],
    language: Language,
) -> Iterator[tuple[str, DeferredFigure]]:
    """Yield name and figure of what the sections show of the trained models.

    `gradient`, `forget_gate`, `recalls` and `difference` have one model for each run and its sweeps, and are left
    out where there is nothing to show.
    """
    shown = {
        name: labels[name] for name in most_accurate(findings.comparison, representatives(results), MOST_CURVES)
    }
    yield from _memory(results, sections, shown, language)
    if "matrix_difference" in sections and (difference := matrix_difference(results)):
        data = results.records[results.runs_of(difference.ahead)[0]].data
        classes = {name: language.class_name(data["source"], name) for name in difference.classes}
        alike = {name: label for name, label in shown.items() if _classes(findings, name) == difference.classes}
        yield "recalls", defer("figures.matrices.class_recalls", findings.per_class, alike, classes, language)
        classes_of_both = list(classes.values())
        yield (
            "difference",
            defer("figures.matrices.difference_of_matrices", difference.gaps, classes_of_both, language),
        )


def _classes(findings: Findings, variant: str) -> list[str]:
    return list(findings.per_class[variant]["class"])
