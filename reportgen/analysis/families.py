"""Runs and the points of their sweeps: which point the validation part chooses."""

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.devices import without_twins
from reportgen.analysis.results import Results, Runs


def families(results: Runs) -> dict[str, list[str]]:
    """Return, by base run, the variants of it that have a finished run: itself and the points of its sweeps.

    A base run of which nothing finished has no family. What a sweep over devices adds is no choice to be made.
    """
    found: dict[str, list[str]] = {}
    for variant in without_twins(results.variants):
        if results.runs_of(variant.name):
            base = variant.baseline if variant.changed and variant.baseline else variant.name
            found.setdefault(base, []).append(variant.name)
    return found


def chosen(results: Results) -> dict[str, str]:
    """Return, by base run, the variant of its family with the highest mean accuracy on the validation part.

    The accuracy is that of the epoch that was kept. The test part decides nothing here: in a family of which some
    variant has no validation part, the base run stands for itself, or else the first variant does.
    """
    means = results.runs.groupby("variant")["validation_accuracy"].mean()
    return {base: _best(base, members, means) for base, members in families(results).items()}


def _best(base: str, members: list[str], means: "pd.Series[float]") -> str:
    own = means[members]
    if all(own.notna()):
        return str(own.idxmax())
    return base if base in members else members[0]


def representatives(results: Results) -> list[str]:
    """Return one variant a family, in the order of the suite: the one that was chosen."""
    names = set(chosen(results).values())
    return [variant.name for variant in results.variants if variant.name in names]


@dataclass(frozen=True)
class Choice:
    """The point that the validation part chose of a run and its sweeps; accuracies are means, fractions of 1."""

    base: str
    variant: str
    candidates: int
    validation: float
    test: float


def choices(results: Results) -> list[Choice]:
    """Return what was chosen of each run that is swept, where every candidate has a validation accuracy."""
    means = results.runs.groupby("variant")[["validation_accuracy", "test_accuracy"]].mean()
    validation, test = means["validation_accuracy"], means["test_accuracy"]
    picked = chosen(results)
    return [
        Choice(base, picked[base], len(members), float(validation[picked[base]]), float(test[picked[base]]))
        for base, members in families(results).items()
        if len(members) > 1 and all(validation[members].notna())
    ]
