"""What the templates are told of the CPU and the GPU."""

from dataclasses import dataclass, field, replace

from reportgen.analysis.devices import Pair, Scale, base_of, pairs, scales
from reportgen.analysis.results import Runs
from reportgen.suite.expansion import compares_devices
from reportgen.suite.schema import Suite


@dataclass(frozen=True)
class Devices:
    """How long the same training takes on both."""

    pairs: list[tuple[str, Pair]] = field(default_factory=list)
    """What a table calls the training, and its times; of each run the smallest first."""
    scales: list[Scale] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Labels of the runs whose comparison was left out, since there was no GPU."""


def devices_of(suite: Suite, results: Runs, language: str) -> Devices:
    """Gather what was measured, and what the suite asks for and was left out."""
    variants = {variant.name: variant for variant in results.variants}
    found = pairs(results)
    compared = {variant.baseline for variant in variants.values() if "device" in dict(variant.changed)}
    asked = [sweep.base for sweep in suite.sweeps if compares_devices(sweep)]
    lacking = [name for name in dict.fromkeys(asked) if name not in compared]
    named = []
    order = list(variants)
    for pair in sorted(found, key=lambda pair: (order.index(base_of(variants[pair.cpu])), pair.cpu_seconds)):
        variant = max((variants[pair.cpu], variants[pair.cuda]), key=lambda variant: len(variant.changed))
        others = tuple(change for change in variant.changed if change[0] != "device")
        named.append((replace(variant, changed=others).label_in(language), pair))
    return Devices(named, scales(found, results), [variants[name].label_in(language) for name in lacking])
