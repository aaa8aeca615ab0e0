"""The models of a suite: a printout for each structure, and of its other sizes what differs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reportgen.analysis.probes import CellTimes, cell_times
from reportgen.analysis.results import Runs
from reportgen.i18n.fonts import printable
from reportgen.i18n.origins import Text, with_origins
from reportgen.suite.expansion import Variant

_LINEAR = re.compile(r"in_features=(\d+), out_features=(\d+)")


@dataclass(frozen=True)
class Size:
    """A model that a sweep makes of another one: it differs in numbers alone, most of them sizes of layers."""

    labels: list[str]
    parameters: int
    layers: list[str]
    """The layers in which it differs, each once: Linear(57, 16)."""


@dataclass(frozen=True)
class Model:
    """A model of the suite: the variants that train it, what it prints, and how large it is."""

    labels: list[str]
    """Those of the runs that the suite declares, or, where only points of sweeps have this model, of those."""
    cell: str
    printout: str
    summary: str
    parameters: int
    source: str
    """The source of a class of the user's own; empty for other cells."""
    whole: bool = False
    """Whether that class is the whole model, and not its recurrent layer."""
    times: CellTimes | None = None
    """What the forms of a cell written by hand take; None for other cells."""
    sizes: list[Size] = field(default_factory=list)
    """Points of sweeps that have the same structure."""
    swept: int = 0
    """How many points of sweeps have this very model, besides what is labelled."""


def models_of(results: Runs, labels: Mapping[str, str]) -> list[Model]:
    """Return each different model once, with the labels of the variants that train it.

    A model that only points of sweeps have, and that differs from another one in numbers alone, is a size of that.
    """
    variants: dict[str, list[Variant]] = {}
    described: dict[str, tuple[str, dict[str, Any], str]] = {}
    declared = set()
    for variant in results.variants:
        record = results.record_of(variant.name)
        if record is not None:
            printout = record.model["printout"]
            variants.setdefault(printout, []).append(variant)
            run = next(name for name, other in results.records.items() if other is record)
            described.setdefault(printout, (variant.settings.as_printed()["model"]["cell"], record.model, run))
            declared |= set() if variant.changed else {printout}
    found: dict[tuple[str, str], Model] = {}
    models = []
    for printout in sorted(described, key=lambda printout: printout not in declared):
        cell, facts, run = described[printout]
        alike = found.get((cell, _structure(printout)))
        if alike is not None and printout not in declared:
            named, layers = [labels[own.name] for own in variants[printout]], _differing(printout, alike.printout)
            alike.sizes.append(Size(named, _parameters(facts, run), layers))
            continue
        shown = [own for own in variants[printout] if not own.changed] or variants[printout]
        model = Model(
            [labels[own.name] for own in shown],
            cell,
            Text(printable(printout), (("runs", run, "model", "printout"),)),
            Text(printable(facts["summary"]), (("runs", run, "model", "summary"),)),
            _parameters(facts, run),
            printable(facts.get("source", "")),
            getattr(shown[0].settings.model, "module", None) is not None,
            times=next((times for own in shown if (times := cell_times(results, own.name))), None),
            swept=len(variants[printout]) - len(shown),
        )
        found.setdefault((cell, _structure(printout)), model)
        models.append(model)
    return models


def _parameters(facts: Mapping[str, Any], run: str) -> int:
    count: int = facts["parameters"]
    known: int = with_origins(count, (("runs", run, "parameters", f"={count}"),))
    return known


def _structure(printout: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r"num_layers=\d+, ", "", printout))


def _differing(printout: str, other: str) -> list[str]:
    """Return the layers of a printout that another one of the same structure has with other numbers."""
    lines = zip(printout.splitlines(), other.splitlines(), strict=True)
    return list(dict.fromkeys(_short(line) for line, before in lines if line != before))


def _short(line: str) -> str:
    """Write `(W): Linear(in_features=8, out_features=4, bias=True)` as Linear(8, 4)."""
    layer = line.strip().partition("): ")[2] or line.strip()
    return re.sub(r", (?:batch_first|bias)=True", "", _LINEAR.sub(r"\1, \2", layer))
