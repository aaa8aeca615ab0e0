"""The same training on the CPU and on a GPU: what a step takes, and from which size on the GPU is faster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import Difference, compare, corrected
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import settings_of
from reportgen.suite.expansion import Variant
from reportgen.tasks.registry import task_named

DEVICES = ("cpu", "cuda")

SIZES = (
    "data.digits", "data.length", "data.window", "data.max_length", "model.hidden_size", "model.embedding_size",
    "model.layers", "training.batch_size",
)  # fmt: skip
"""Settings that say how much work a step is."""

Order = Literal["all", "none", "from", "mixed"]


@dataclass(frozen=True)
class Pair:
    """Two variants that differ in their device alone."""

    cpu: str
    cuda: str
    cpu_seconds: float
    """Seconds a step, an evaluation or an epoch: the median of a run, the geometric mean of the seeds."""
    cuda_seconds: float
    difference: Difference
    """Which is faster, on the scale of log10."""

    @property
    def ratio(self) -> float:
        """Return how many times as fast the GPU is."""
        return self.cpu_seconds / self.cuda_seconds

    @property
    def gpu_leads(self) -> bool:
        """Tell whether the GPU was faster with every seed."""
        return self.difference.ahead == self.cuda and self.difference.wins == self.difference.pairs


@dataclass(frozen=True)
class Scale:
    """Pairs that differ in one number alone, and at which of its values the GPU is faster with every seed."""

    setting: str
    """Dotted name, such as training.batch_size."""
    variant: str
    """The run that the pairs are changes of."""
    faster: list[float]
    """Values at which it is, ascending."""
    others: list[float]
    """The rest, ascending."""

    @property
    def order(self) -> Order:
        """Say where the GPU is faster: all, none, from (a value on, and at no smaller one), or mixed."""
        if not self.others:
            return "all"
        if not self.faster:
            return "none"
        return "from" if self.faster[0] > self.others[-1] else "mixed"


def pairs(results: Runs) -> list[Pair]:
    """Return each training that finished on both devices with a common seed, in the order of the suite.

    The pairs are corrected among themselves.
    """
    twins: dict[str, dict[str, str]] = {}
    for variant in results.variants:
        if variant.imported:
            continue
        of_training = twins.setdefault(repr(settings_of(variant)), {})
        of_training.setdefault(variant.settings.device, variant.name)
    both = [(own["cpu"], own["cuda"]) for own in twins.values() if len(own) == len(DEVICES)]
    times = _times(results) if both else pd.DataFrame()
    found = [pair for names in both if (pair := _pair(*names, times))]
    adjusted = corrected(pair.difference for pair in found).differences
    return [replace(pair, difference=difference) for pair, difference in zip(found, adjusted, strict=True)]


def _times(results: Runs) -> pd.DataFrame:
    step = task_named(results.task).results().seconds_per_step
    seconds = [step(results.records[run]) for run in results.runs["run"]]
    times = results.runs[["variant", "seed", "status"]].assign(seconds=seconds)
    return times.assign(score=-np.log10(times["seconds"]))


def _pair(cpu: str, cuda: str, times: pd.DataFrame) -> Pair | None:
    difference = replace(compare(cpu, cuda, times, "score"), measure="step_seconds")
    if not difference.pairs:
        return None
    wide = times.pivot_table(index="seed", columns="variant", values="score")[[cpu, cuda]].dropna()
    means = 10 ** -wide.mean()
    return Pair(cpu, cuda, float(means[cpu]), float(means[cuda]), difference)


def scales(found: Sequence[Pair], results: Runs) -> list[Scale]:
    """Return the sizes in which pairs differ alone, in the order of SIZES."""
    variants = {variant.name: variant for variant in results.variants}
    flat = {pair.cpu: settings_of(variants[pair.cpu]) for pair in found}
    groups: dict[tuple[str, str], list[Pair]] = {}
    for setting in SIZES:
        for pair in found:
            own = flat[pair.cpu]
            if own.get(setting) is not None:
                rest = repr({name: value for name, value in own.items() if name not in (setting, *_NO_MATTER)})
                groups.setdefault((setting, rest), []).append(pair)
    return [
        _scale(setting, group, flat, variants)
        for (setting, _), group in groups.items()
        if len({flat[pair.cpu][setting] for pair in group}) > 1
    ]


_NO_MATTER = ("data.test_lengths", "data.test_numbers")
"""Settings that say what is tested after training, which takes none of its time."""


def _scale(
    setting: str, group: Sequence[Pair], flat: dict[str, dict[str, Any]], variants: dict[str, Variant]
) -> Scale:
    values: dict[float, bool] = {}
    for pair in sorted(group, key=lambda pair: flat[pair.cpu][setting]):
        value = flat[pair.cpu][setting]
        values[value] = values.get(value, True) and pair.gpu_leads
    bases = {base_of(variants[name]) for pair in group for name in (pair.cpu, pair.cuda)}
    base = next(name for name in variants if name in bases)
    faster = [value for value, leads in values.items() if leads]
    return Scale(setting, base, faster, [value for value in values if value not in faster])


def base_of(variant: Variant) -> str:
    """Return the run that a sweep made the variant of; itself if none did."""
    return (variant.baseline if variant.changed else None) or variant.name


def numbers(results: Runs) -> Iterator[tuple[str, float, str, str]]:
    """Yield name and value of each number that is told of devices, and the two variants that it is from."""
    for pair in pairs(results):
        for name in ("cpu_seconds", "cuda_seconds", "ratio"):
            yield f"devices.{pair.cpu}.{pair.cuda}.{name}", getattr(pair, name), pair.cpu, pair.cuda
