"""What trained networks remember, and what a hand-written cell costs: the probes of `lab.probes`."""

import statistics
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.analysis.results import Runs


@dataclass(frozen=True)
class CellTimes:
    """Milliseconds of a forward and a backward pass over a batch: medians over the finished seeds of a variant."""

    variant: str
    source: str
    """Of one step, as the cell has it."""
    batch: int
    steps: int
    naive: float
    """Called once a step, with the backward pass left to autograd."""
    by_hand: float
    """As it was trained."""
    torch: float | None
    """The network of torch.nn of the same sizes; None where it has none."""

    @property
    def forms(self) -> dict[str, float]:
        """The milliseconds of each form that there is, by name."""
        every = {"naive": self.naive, "by_hand": self.by_hand, "torch": self.torch}
        return {name: milliseconds for name, milliseconds in every.items() if milliseconds is not None}


def cell_times(results: Runs, variant: str) -> CellTimes | None:
    """Return what was measured when the variant was trained; None for other cells, and if no run finished."""
    measured = [results.records[run].measures for run in results.runs_of(variant)]
    times = [measures["cell_seconds"] for measures in measured if "cell_seconds" in measures]
    if not times:
        return None
    first = times[0]
    forms = [form for form in ("naive", "by_hand", "torch") if first[form] is not None]
    found = {form: 1000 * statistics.median(own[form] for own in times) for form in forms}
    source, torch = measured[0]["step_source"], found.get("torch")
    return CellTimes(variant, source, first["batch"], first["steps"], found["naive"], found["by_hand"], torch)


TOLD_DISTANCE = 10
"""Steps back that the report tells of each network, where the sequences are that long."""

MOST_TOKENS = 60
"""Tokens that a page has room for; of a longer sequence the last ones are shown."""

_CLEARLY = 1.1
"""A norm that is so many times another one is clearly larger."""

_FORGET = 1
"""Where the forget gate stands among the gates of a record."""

_FEWEST_SEQUENCES = 0.5
"""A distance counts as long as so large a share of the probed sequences is longer than it."""


@dataclass(frozen=True)
class Kept:
    """What is left of a network's gradient some steps back."""

    variant: str
    distance: int
    share: float
    """Gradient norm at that distance, divided by the norm at distance 0."""
    factor: float
    """What each further step multiplies the norm by: the geometric mean from distance 1 to that distance."""
    turns: bool
    """Whether the norm is clearly lower somewhere on the way than at that distance."""


@dataclass(frozen=True)
class ForgetGate:
    """The mean activation of one layer's forget gate over a sequence of the test part, averaged over the seeds."""

    variant: str
    layer: int
    """Counted from 1."""
    layers: int
    tokens: tuple[str | None, ...]
    """None for a token that is not in the vocabulary."""
    mean: NDArray[np.float64]
    """One value a token."""
    spread: NDArray[np.float64]
    """Sample standard deviation between the seeds, 0 with one seed."""
    length: int
    """Of the whole sequence, of which the last tokens are here."""

    @property
    def average(self) -> float:
        """Mean over the tokens."""
        return float(self.mean.mean())

    @property
    def cut(self) -> bool:
        """Tell whether the sequence is longer than what is here of it."""
        return self.length > len(self.tokens)


def gradients(results: Runs, variants: Collection[str]) -> pd.DataFrame:
    """Return the gradient norm by distance, each run's divided by its own at distance 0.

    A row for each variant and distance: mean, low and high, the geometric mean over the finished seeds and one
    geometric standard deviation below and above it, and n, the seeds. Distances are as far as half of the probed
    sequences reach; a run whose norm is 0 or not finite there is left out from that distance on.
    """
    rows = [row for variant in variants for row in _rows(results, variant)]
    return pd.DataFrame(rows, columns=["variant", "distance", "mean", "low", "high", "n"])


def _rows(results: Runs, variant: str) -> Iterator[tuple[str, int, float, float, float, int]]:
    shares = [share for run in results.runs_of(variant) if len(share := _shares(results, run))]
    for distance in range(max(map(len, shares), default=0)):
        logs = np.log([share[distance] for share in shares if len(share) > distance])
        spread = float(logs.std(ddof=1)) if len(logs) > 1 else 0.0
        mean = float(logs.mean())
        low, middle, high = np.exp([mean - spread, mean, mean + spread]).tolist()
        yield variant, distance, middle, low, high, len(logs)


def _shares(results: Runs, run: str) -> NDArray[np.float64]:
    arrays = results.records[run].arrays
    if "gradient_norm" not in arrays:
        return np.empty(0)
    norms, counts = arrays["gradient_norm"].astype(float), arrays["gradient_count"]
    able = (counts >= _FEWEST_SEQUENCES * counts[0]) & np.isfinite(norms) & (norms > 0)
    reach = len(norms) if able.all() else int(np.argmin(able))
    return norms[:reach] / norms[0] if reach else np.empty(0)


def kept(gradients: pd.DataFrame) -> list[Kept]:
    """Return what each variant keeps at TOLD_DISTANCE, or at the last distance that all of them reach.

    Those that keep most come first; empty where some variant reaches no further than one step.
    """
    if not len(gradients):
        return []
    distance = min(TOLD_DISTANCE, int(gradients.groupby("variant")["distance"].max().min()))
    if distance <= 1:
        return []
    means = gradients.set_index(["variant", "distance"])["mean"]
    found = []
    for variant in gradients["variant"].unique():
        share, first = float(means[variant, distance]), float(means[variant, 1])
        turns = share > _CLEARLY * float(means[variant].loc[:distance].min())
        found.append(Kept(str(variant), distance, share, (share / first) ** (1 / (distance - 1)), turns))
    return sorted(found, key=lambda item: -item.share)


def forget_gates(results: Runs, variants: Collection[str]) -> list[ForgetGate]:
    """Return the forget gates of the variants that have one, layer by layer, over the sequence that was probed.

    Variants whose probed sequence is not that of the first one, since they read other data, are left out.
    """
    found = [gate for variant in variants for gate in _gates(results, variant)]
    return [gate for gate in found if gate.tokens == found[0].tokens]


def _gates(results: Runs, variant: str) -> Iterator[ForgetGate]:
    records = [results.records[run] for run in results.runs_of(variant)]
    records = [record for record in records if "gates" in record.arrays]
    if not records:
        return
    tokens = records[0].measures["gate_tokens"]
    seeds = np.stack([record.arrays["gates"][:, _FORGET] for record in records])[..., -MOST_TOKENS:]
    spreads = seeds.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros(seeds.shape[1:])
    for layer, (mean, spread) in enumerate(zip(seeds.mean(axis=0), spreads, strict=True), start=1):
        yield ForgetGate(variant, layer, len(spreads), tuple(tokens[-MOST_TOKENS:]), mean, spread, len(tokens))
