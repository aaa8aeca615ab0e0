"""What the sections that explain are told of the trained models."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from reportgen.analysis import probes
from reportgen.analysis.results import Runs

PLAIN = ("rnn", "handwritten_rnn", "handwritten_rnn_i2h_i2o")
"""Cells without gates."""


@dataclass(frozen=True)
class Explained:
    """What was measured of the models, one for each run and its sweeps."""

    kept: list[probes.Kept] = field(default_factory=list)
    """What each network keeps of its gradient, the most first."""
    order: str = ""
    """gated if every network with gates keeps more than every one without, plain if it is the other way round,
    mixed if neither; crossing if that is not the same as far back as all networks reach; empty where there is only
    one kind."""
    sequences: int = 0
    """Sequences that the gradient is averaged over."""
    steps: int = 0
    """Steps of the longest of them."""
    forget_gates: list[probes.ForgetGate] = field(default_factory=list)
    chosen: bool = False
    """Whether the validation part chose which point of a sweep stands for its run."""


def explain_memory(results: Runs, variants: Sequence[str]) -> Explained:
    """Gather what was measured of these variants, whatever their task."""
    table = probes.gradients(results, variants)
    kept = probes.kept(table)
    probed = [record.arrays for variant in variants if (record := results.record_of(variant))]
    counts = [arrays["gradient_count"] for arrays in probed if "gradient_count" in arrays]
    return Explained(
        kept=kept,
        order=_order(results, table, kept),
        sequences=int(counts[0][0]) if counts else 0,
        steps=max(map(len, counts), default=0),
        forget_gates=probes.forget_gates(results, variants),
    )


def _order(results: Runs, gradients: pd.DataFrame, kept: Sequence[probes.Kept]) -> str:
    if not kept:
        return ""
    reach = int(gradients.groupby("variant")["distance"].max().min())
    near, far = (_order_at(results, gradients[gradients["distance"] == at]) for at in (kept[0].distance, reach))
    return near if near == far else "crossing"


def _order_at(results: Runs, rows: pd.DataFrame) -> str:
    cells = {variant.name: getattr(variant.settings.model, "cell", "") for variant in results.variants}
    is_plain = rows["variant"].map(cells).isin(PLAIN)
    plain, gated = rows.loc[is_plain, "mean"], rows.loc[~is_plain, "mean"]
    if plain.empty or gated.empty:
        return ""
    if gated.min() > plain.max():
        return "gated"
    return "plain" if plain.min() > gated.max() else "mixed"
