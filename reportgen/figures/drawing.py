"""Every figure of a report, in one language."""

from collections.abc import Collection, Iterable, Iterator

from matplotlib.figure import Figure

from reportgen.analysis.findings import Findings
from reportgen.analysis.results import Results
from reportgen.analysis.shown import MOST_ROWS, most_accurate, with_curves
from reportgen.analysis.sweeps import sweeps
from reportgen.analysis.tables import row_normalised
from reportgen.figures.accuracies import test_accuracies
from reportgen.figures.curves import learning_curves
from reportgen.figures.explaining import characters, diagrams_of, explaining
from reportgen.figures.matrices import confusion_matrix
from reportgen.figures.style import as_svg
from reportgen.figures.sweeps import swept
from reportgen.languages import Language


def draw(
    results: Results, findings: Findings, language: Language, sections: Collection[str] = ()
) -> dict[str, str]:
    """Return the figures as SVG, by name: those of every report, and those of the sections that are asked for.

    `accuracies` shows the MOST_ROWS variants of the highest test accuracy. `accuracy` and `loss` are the learning
    curves of the variants that `analysis.shown.with_curves` names. Others are `sweep-<number>`,
    `confusion-<variant>`, and those of `figures.explaining`.
    """
    names = [*(v.label_in(language.code) for v in results.variants), *_class_names(results, language)]
    figures = _figures(results, findings, language, sections)
    return as_svg(figures, [*names, *characters(results)], language)


def _figures(
    results: Results, findings: Findings, language: Language, sections: Collection[str]
) -> Iterator[tuple[str, Figure]]:
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
        yield "accuracies", test_accuracies(results.runs, findings.comparison, rows, language)
    heldout = _heldout(results, lines)
    yield "accuracy", learning_curves(findings.curves, lines, heldout, language, "accuracy")
    yield "loss", learning_curves(findings.curves, lines, heldout, language, "loss")
    for name, sweep in sweeps(results).items():
        yield name, swept(sweep, labels, language)
    for variant, matrix in results.confusion.items():
        data = results.records[results.runs_of(variant)[0]].data
        classes = [language.class_name(data["source"], name) for name in data["classes"]]
        yield f"confusion-{variant}", confusion_matrix(row_normalised(matrix), classes, language)
    yield from explaining(results, findings, sections, labels, language)


def _heldout(results: Results, variants: Iterable[str]) -> str:
    """Return the part that epochs were evaluated on, or heldout if that is not the same part everywhere."""
    parts = {results.records[run].heldout for variant in variants for run in results.runs_of(variant)} - {""}
    return parts.pop() if len(parts) == 1 else "heldout"


def _class_names(results: Results, language: Language) -> list[str]:
    data = [record.data for record in results.records.values() if record.data]
    return [language.class_name(facts["source"], name) for facts in data for name in facts["classes"]]
