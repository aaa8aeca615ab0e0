"""The figures of those sections that a suite has to ask for."""

from collections.abc import Collection, Iterator, Mapping

from reportgen.analysis import probes
from reportgen.analysis.display_limits import declared
from reportgen.analysis.results import Runs
from reportgen.figures.deferred import DeferredFigure, defer
from reportgen.figures.style import RAISED
from reportgen.i18n.languages import Language

_NOTATION = "σ×+−…␣"
"""Characters of diagrams and axes that no sentence has."""

_DIAGRAMS = {
    "why_rnn_forgets": ("rnn",),
    "lstm_gates": ("lstm", "peephole_lstm", "gru"),
    "sequence_settings": ("many_to_one", "many_to_many", "closed_loop"),
}
_ASKS_FOR = {"peephole_lstm": "handwritten_peephole_lstm"}
"""Diagrams that are of no use without a cell."""


def diagrams_of(sections: Collection[str], cells: Collection[str]) -> Iterator[tuple[str, DeferredFigure]]:
    """Yield `diagram-<name>` and the diagram, for those that the sections show of models with these cells."""
    for name in (name for section in sections for name in _DIAGRAMS.get(section, ())):
        if _ASKS_FOR.get(name) in (None, *cells):
            yield f"diagram-{name}", defer("figures.diagrams.diagram", name)


def explaining_steps(
    results: Runs, sections: Collection[str], labels: Mapping[str, str], language: Language
) -> Iterator[tuple[str, DeferredFigure]]:
    """Yield the diagrams, `gradient` and `forget_gate` for a task counted in steps: of its declared runs."""
    yield from diagrams_of(sections, {variant.settings.model.cell for variant in results.variants})
    yield from _memory(results, sections, {name: labels[name] for name in declared(results)}, language)


def characters(results: Runs) -> list[str]:
    """Return what diagrams, and the tokens under the forget gates, have that no sentence has."""
    tokens = [str(t) for record in results.records.values() for t in record.measures.get("gate_tokens", ())]
    return [*tokens, _NOTATION, RAISED]


def _memory(
    results: Runs, sections: Collection[str], shown: Mapping[str, str], language: Language
) -> Iterator[tuple[str, DeferredFigure]]:
    if "why_rnn_forgets" in sections and len(table := probes.gradients(results, shown)):
        names = {name: shown[name] for name in table["variant"].unique()}
        yield "gradient", defer("figures.probes.gradient_norms", table, names, language)
    if "lstm_gates" in sections and (gates := probes.forget_gates(results, shown)):
        names = {gate.variant: shown[gate.variant] for gate in gates}
        yield "forget_gate", defer("figures.probes.forget_gates", gates, names, language)
