"""The claims of a suite, judged: supported, contradicted, or not shown."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import (
    NOTHING,
    Evidence,
    Reach,
    Redrawn,
    corrected,
    reach_of,
    redrawn_scores,
    weigh,
    weigh_equivalence,
)
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import Array
from reportgen.suite.claims import Claim, Combined, Expression, Measured, Number, kind_of

Verdict = Literal["supported", "contradicted", "not_shown"]


@dataclass(frozen=True)
class Judged:
    """A claim, what the runs say of it, and the figures that they say it with."""

    claim: Claim
    verdict: Verdict
    reason: str
    """Why nothing can be said: unfinished, one_seed, missing, other_machines, other_examples or other_losses;
    empty if something can."""
    left: float
    right: float
    """Means of both sides over the seeds that all its runs finished; NaN without one."""
    evidence: Evidence
    """Of left − right, or of the side within abs(…)."""

    @property
    def certain(self) -> bool:
        """Whether no chance is in it, as in a count of parameters."""
        return not any(item.metric.by_chance for item in self.claim.measured)

    @property
    def kind(self) -> str:
        """How its numbers are written: a kind of metric."""
        return kind_of(Combined("-", self.claim.left, self.claim.right)) or "number"

    @property
    def variants(self) -> list[str]:
        """The variants that it speaks of."""
        return list(dict.fromkeys(item.variant for item in self.claim.measured))


def judge(claims: Sequence[Claim], results: Runs, redrawn: Mapping[str, Redrawn] | None = None) -> list[Judged]:
    """Judge each claim, with Holm's correction over all of them.

    Args:
        claims: those of the suite.
        results: of its runs.
        redrawn: by score what `comparing.redrawn_scores` gave; the rest is worked out here.
    """
    known = dict(redrawn or {})
    found = [_weighed(claim, results, known) for claim in claims]
    tested = [i for i, item in enumerate(found) if item.evidence.pairs > 0 and not item.reason]
    for i, evidence in zip(tested, corrected([found[i].evidence for i in tested]), strict=True):
        found[i] = _decided(replace(found[i], evidence=evidence))
    return found


def reach_of_claims(judged: Sequence[Judged]) -> Reach | None:
    """Say what the claims could show at all; None where no chance is in any of them."""
    return reach_of([item.evidence for item in judged if not item.certain and not item.reason])


def _weighed(claim: Claim, results: Runs, redrawn: dict[str, Redrawn]) -> Judged:
    values = {item: _by_seed(item, results) for item in claim.measured}
    table = pd.DataFrame({str(i): series for i, series in enumerate(values.values())})
    # a seed counts if all the runs finished; a value that one of them lacks all the same is told
    shared = table.index if not len(table) else table.index[_all_finished(claim, results, table.index)]
    found = {item: table.loc[shared, str(i)].to_numpy(float)[None] for i, item in enumerate(values)}
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (_value(side, found.__getitem__) * np.ones((1, len(shared))) for side in _sides(claim))
    both = np.isfinite(left) & np.isfinite(right)
    undecided = Judged(claim, "not_shown", "", math.nan, math.nan, NOTHING)
    if not len(shared):
        return replace(undecided, reason="unfinished")
    if not both.all():
        return replace(undecided, reason="missing")
    undecided = replace(undecided, left=float(left.mean()), right=float(right.mean()))
    if undecided.certain:
        return _certain(undecided)
    if reason := _incomparable(claim, results):
        return replace(undecided, reason=reason)
    draws = _redrawn(claim, found, list(shared), results, redrawn)
    resolution = _resolution(claim, results) if undecided.kind == "count" else 0.0
    if claim.absolute:
        evidence = weigh_equivalence(left[0], float(right.mean()), draws, resolution)
    else:
        evidence = weigh((left - right)[0], draws, resolution)
    return replace(undecided, evidence=evidence, reason="one_seed" if len(shared) == 1 else "")


def _sides(claim: Claim) -> tuple[Expression, Expression]:
    return claim.left, claim.right


def _by_seed(item: Measured, results: Runs) -> "pd.Series[float]":
    runs = results.runs[results.runs["variant"] == item.variant].set_index("seed")
    return runs[item.metric.column].astype(float) if len(runs) else pd.Series(dtype=float)


def _all_finished(claim: Claim, results: Runs, seeds: "pd.Index[int]") -> list[bool]:
    runs = results.runs
    finished = runs[(runs["status"] == "finished") | (not any(item.metric.by_chance for item in claim.measured))]
    by_variant = [set(finished.loc[finished["variant"] == item.variant, "seed"]) for item in claim.measured]
    return [all(seed in own for own in by_variant) for seed in seeds]


def _value(expression: Expression, look_up: Callable[[Measured], Array]) -> Any:
    """Work out an expression for every redrawn test set and seed."""
    match expression:
        case Number():
            return expression.value
        case Measured():
            return look_up(expression)
    left, right = _value(expression.left, look_up), _value(expression.right, look_up)
    match expression.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return np.divide(left, right)


def _redrawn(
    claim: Claim,
    found: Mapping[Measured, Array],
    seeds: Sequence[int],
    results: Runs,
    redrawn: dict[str, Redrawn],
) -> Array | None:
    """Return what is weighed on each redrawn test set, (redraws, seeds); None where no metric has examples."""
    looked_up = dict(found)
    for item in found:
        column = item.metric.column
        if item.metric.by_example:
            if column not in redrawn:
                redrawn[column] = redrawn_scores(results, column)
            scores = redrawn[column]
            if any((item.variant, seed) not in scores for seed in seeds):
                return None
            looked_up[item] = np.stack([scores[item.variant, seed] for seed in seeds], 1)
    if not any(item.metric.by_example for item in found):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (_value(side, looked_up.__getitem__) for side in _sides(claim))
    values: Array = left if claim.absolute else left - right
    return values if np.isfinite(values).all() else None


def _incomparable(claim: Claim, results: Runs) -> str:
    """Return why its numbers cannot be held against each other; empty if they can."""
    if len({_machine(item, results) for item in claim.measured if not item.metric.comparable}) > 1:
        return "other_machines"
    named = {item.variant for item in claim.measured}
    if len(named) > 1 and named & set(results.apart):
        return "other_examples"
    losses = {
        variant.settings.training.loss
        for variant in results.variants
        if not variant.imported
        and hasattr(variant.settings.training, "loss")
        and any(item.variant == variant.name and item.name == "test_loss" for item in claim.measured)
    }
    return "other_losses" if len(losses) > 1 else ""


def _machine(item: Measured, results: Runs) -> str:
    if item.variant in results.imported:  # nobody knows on which
        return f"that of {item.variant}"
    return "; ".join(sorted({repr(results.records[run].environment) for run in results.runs_of(item.variant)}))


def _resolution(claim: Claim, results: Runs) -> float:
    named = {item.variant for item in claim.measured if item.metric.logged}
    steps = [
        float(getattr(variant.settings.training, "log_every", 0))
        for variant in results.variants
        if variant.name in named
    ]
    return max(steps, default=0.0)


def _certain(judged: Judged) -> Judged:
    """Decide what no chance is in: it is so, or it is not."""
    claim = judged.claim
    left = abs(judged.left) if claim.absolute else judged.left
    gap = left - judged.right if claim.relation == ">" else judged.right - left
    return replace(judged, verdict="supported" if gap > 0 or (claim.equal and gap == 0) else "contradicted")


def _decided(judged: Judged) -> Judged:
    if not judged.evidence.shown or judged.reason:
        return judged
    mean = judged.evidence.mean
    above = abs(mean) > judged.right if judged.claim.absolute else mean > 0
    return replace(judged, verdict="supported" if above == (judged.claim.relation == ">") else "contradicted")
