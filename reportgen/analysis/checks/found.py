"""What a check finds, in figures: nothing is worded here; `reportgen.report.checks` does that."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reportgen.analysis.results import Runs
from reportgen.suite.checks import Code


@dataclass(frozen=True)
class Found:
    """A weakness, and what has it.

    Figures go by the placeholders of the catalogue's sentences, where their names also say how they are written:
    `model` is a variant, `accuracy` a fraction of 1.
    """

    code: Code
    items: Sequence[Mapping[str, Any]]
    """One for each thing that has the weakness, the worst first."""
    runs: Sequence[str]
    """Names of the runs that show it."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Figures that are not of a single item."""
    form: str = ""
    """Ending of the sentence's key, where a check has one sentence a task."""


@dataclass(frozen=True)
class Checked:
    """What was looked for, and what was found of it, both in the order of the codes."""

    looked_for: Sequence[Code]
    found: Sequence[Found]


Check = Callable[[Any, Any], Found | None]
"""Takes the results and the findings of a task; None if there is nothing to tell."""


def of_variants(code: Code, results: Runs, items: Iterable[Mapping[str, Any]], **rest: Any) -> Found | None:
    """Return what was found, with the finished runs of the variants that the items are about; None without items.

    An item names its variants under model, large, small, or models, of which there are several.
    """
    items = list(items)
    named = [item.get(key) for item in items for key in ("model", "large", "small")]
    variants = [*named, *(variant for item in items for variant in item.get("models", ()))]
    runs = [run for variant in dict.fromkeys(variants) if variant for run in results.runs_of(variant)]
    return Found(code, items, runs, **rest) if items else None
