"""Every figure of a report, in one language."""

from collections.abc import Collection, Iterable, Iterator

from reportgen.analysis.findings import Findings
from reportgen.analysis.results import Results
from reportgen.analysis.shown import MOST_ROWS, most_accurate, with_curves, with_matrices
from reportgen.analysis.sweeps import sweeps
from reportgen.analysis.tables import row_normalised
from reportgen.figures.explaining import characters, diagrams_of, explaining
from reportgen.figures.sketches import Sketch, Sketches, for_figures, sketch
from reportgen.languages import Language


def sketches(results: Results, findings: Findings, language: Language, sections: Collection[str] = ()) -> Sketches:
    """Return the figures by name: those of every report, and those of the sections that are asked for.

    `accuracies` shows the MOST_ROWS variants of the highest test accuracy. `accuracy` and `loss` are the learning
    curves of the variants that `analysis.shown.with_curves` names. Others are `sweep-<number>`,
    `confusion-<variant>`, and those of `figures.explaining`.
    """
    names = [*(v.label_in(language.code) for v in results.variants), *_class_names(results, language)]
    figures = dict(_sketches(results, findings, for_figures(language), sections))
    return Sketches(figures, [*names, *characters(results)], language)


def _sketches(
    results: Results, findings: Findings, language: Language, sections: Collection[str]
) -> Iterator[tuple[str, Sketch]]:
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
        yield "accuracies", sketch("accuracies.test_accuracies", results.runs, findings.comparison, rows, language)
    heldout = _heldout(results, lines)
    for quantity in ("accuracy", "loss"):
        yield quantity, sketch("curves.learning_curves", findings.curves, lines, heldout, language, quantity)
    for name, sweep in sweeps(results).items():
        yield name, sketch("sweeps.swept", sweep, labels, language)
    for variant in with_matrices(results, findings.comparison):
        matrix = results.confusion[variant]
        data = results.records[results.runs_of(variant)[0]].data
        classes = [language.class_name(data["source"], name) for name in data["classes"]]
        shares = row_normalised(matrix)
        yield f"confusion-{variant}", sketch("matrices.confusion_matrix", shares, classes, language)
    yield from explaining(results, findings, sections, labels, language)


def _heldout(results: Results, variants: Iterable[str]) -> str:
    """Return the part that epochs were evaluated on, or heldout if that is not the same part everywhere."""
    parts = {results.records[run].heldout for variant in variants for run in results.runs_of(variant)} - {""}
    return parts.pop() if len(parts) == 1 else "heldout"


def _class_names(results: Results, language: Language) -> list[str]:
    data = [record.data for record in results.records.values() if record.data]
    return [language.class_name(facts["source"], name) for facts in data for name in facts["classes"]]
