"""What the sections that explain are told of the trained models."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reportgen.analysis import memory
from reportgen.analysis.classes import MatrixDifference, matrix_difference
from reportgen.analysis.families import Choice, choices, representatives
from reportgen.analysis.findings import Findings
from reportgen.analysis.results import Results, Runs
from reportgen.analysis.shown import MOST_CURVES, most_accurate

PLAIN = ("rnn", "handwritten_rnn", "handwritten_rnn_i2h_i2o")
"""Cells without gates."""


@dataclass(frozen=True)
class Explained:
    """What was measured of the models, one for each run and its sweeps."""

    kept: list[memory.Kept] = field(default_factory=list)
    """What each network keeps of its gradient, the most first."""
    order: str = ""
    """gated if every network with gates keeps more than every one without, plain if it is the other way round,
    mixed if neither; empty where there is only one kind."""
    sequences: int = 0
    """Sequences that the gradient is averaged over."""
    steps: int = 0
    """Steps of the longest of them."""
    forget_gates: list[memory.ForgetGate] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    """What the validation part chose of each run that is swept."""
    difference: MatrixDifference | None = None


def explain(results: Results, findings: Findings) -> Explained:
    """Gather what the sections of a classification report need."""
    variants = most_accurate(findings.comparison, representatives(results), MOST_CURVES)
    measured = explain_memory(results, variants)
    return replace(measured, choices=choices(results), difference=matrix_difference(results))


def explain_memory(results: Runs, variants: Sequence[str]) -> Explained:
    """Gather what was measured of these variants, whatever their task."""
    kept = memory.kept(memory.gradients(results, variants))
    probed = [record.arrays for variant in variants if (record := results.record_of(variant))]
    counts = [arrays["gradient_count"] for arrays in probed if "gradient_count" in arrays]
    return Explained(
        kept=kept,
        order=_order(results, kept),
        sequences=int(counts[0][0]) if counts else 0,
        steps=max(map(len, counts), default=0),
        forget_gates=memory.forget_gates(results, variants),
    )


def _order(results: Runs, kept: list[memory.Kept]) -> str:
    cells = {variant.name: getattr(variant.settings.model, "cell", "") for variant in results.variants}
    plain = [item.share for item in kept if cells[item.variant] in PLAIN]
    gated = [item.share for item in kept if cells[item.variant] not in PLAIN]
    if not plain or not gated:
        return ""
    if min(gated) > max(plain):
        return "gated"
    return "plain" if min(plain) > max(gated) else "mixed"
