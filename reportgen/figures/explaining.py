"""The figures of those sections that a suite has to ask for."""

from collections.abc import Collection, Iterator, Mapping

from reportgen.analysis import memory
from reportgen.analysis.classes import matrix_difference
from reportgen.analysis.families import representatives
from reportgen.analysis.findings import Findings
from reportgen.analysis.results import Results, Runs
from reportgen.analysis.shown import MOST_CURVES, declared, most_accurate
from reportgen.figures.labels import RAISED
from reportgen.figures.sketches import Sketch, sketch
from reportgen.languages import Language

_NOTATION = "σ×+−…␣"
"""Characters of diagrams and axes that no sentence has."""

_DIAGRAMS = {
    "why_rnn_forgets": ("rnn",),
    "lstm_gates": ("lstm", "peephole_lstm", "gru"),
    "sequence_settings": ("many_to_one", "many_to_many", "closed_loop"),
}
_ASKS_FOR = {"peephole_lstm": "handwritten_peephole_lstm"}
"""Diagrams that are of no use without a cell."""


def diagrams_of(sections: Collection[str], cells: Collection[str]) -> Iterator[tuple[str, Sketch]]:
    """Yield `diagram-<name>` and the diagram, for those that the sections show of models with these cells."""
    for name in (name for section in sections for name in _DIAGRAMS.get(section, ())):
        if _ASKS_FOR.get(name) in (None, *cells):
            yield f"diagram-{name}", sketch("diagrams.diagram", name)


def explaining(
    results: Results,
    findings: Findings,
    sections: Collection[str],
    labels: Mapping[str, str],
    language: Language,
) -> Iterator[tuple[str, Sketch]]:
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
        yield "recalls", sketch("classes.class_recalls", findings.per_class, alike, classes, language)
        classes_of_both = list(classes.values())
        yield "difference", sketch("matrices.difference_of_matrices", difference.gaps, classes_of_both, language)


def explaining_steps(
    results: Runs, sections: Collection[str], labels: Mapping[str, str], language: Language
) -> Iterator[tuple[str, Sketch]]:
    """Yield the diagrams, `gradient` and `forget_gate` for a task counted in steps: of its declared runs."""
    yield from diagrams_of(sections, {variant.settings.model.cell for variant in results.variants})
    yield from _memory(results, sections, {name: labels[name] for name in declared(results)}, language)


def characters(results: Runs) -> list[str]:
    """Return what diagrams, and the tokens under the forget gates, have that no sentence has."""
    tokens = [str(t) for record in results.records.values() for t in record.measures.get("gate_tokens", ())]
    return [*tokens, _NOTATION, RAISED]


def _memory(
    results: Runs, sections: Collection[str], shown: Mapping[str, str], language: Language
) -> Iterator[tuple[str, Sketch]]:
    if "why_rnn_forgets" in sections and len(table := memory.gradients(results, shown)):
        names = {name: shown[name] for name in table["variant"].unique()}
        yield "gradient", sketch("memory.gradient_norms", table, names, language)
    if "lstm_gates" in sections and (gates := memory.forget_gates(results, shown)):
        names = {gate.variant: shown[gate.variant] for gate in gates}
        yield "forget_gate", sketch("memory.forget_gates", gates, names, language)


def _classes(findings: Findings, variant: str) -> list[str]:
    return list(findings.per_class[variant]["class"])
