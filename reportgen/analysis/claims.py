"""The claims of a suite, judged: supported, contradicted, or inconclusive."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reportgen.analysis.comparisons import (
    NOTHING,
    Evidence,
    Score,
    Weighed,
    examples_of,
    scores_of,
    weigh,
    weigh_equivalence,
)
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import Sample
from reportgen.suite.claims import Claim, Combined, Expression, Measured, Number, kind_of
from reportgen.tasks.base import Metric

Verdict = Literal["supported", "contradicted", "inconclusive"]


@dataclass(frozen=True)
class JudgedClaim:
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
    late: bool = False
    """Whether it was stated after the first run of its had been trained."""

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


def judge(claims: Sequence[Claim], results: Runs, late: Collection[str] = ()) -> list[JudgedClaim]:
    """Weigh each claim; `decided` gives the verdicts, once all that the report compares is corrected.

    Args:
        claims: those of the suite.
        results: of its runs.
        late: texts of claims that were stated after the first run of theirs had been trained.
    """
    scores: dict[Metric, Mapping[str, Score]] = {}
    for metric in {item.metric for claim in claims for item in claim.measured}:
        examples = examples_of(results, metric.column) if metric.by_example else None
        runs = results.runs if metric.by_chance else results.runs.assign(status="finished")
        # steps and epochs spread the more the more of them there are; the rest about alike
        scores[metric] = scores_of(runs, metric.column, examples, pool=metric.kind != "count")
    return [replace(_weighed(claim, results, scores), late=claim.text in late) for claim in claims]


def decided(judged: Sequence[JudgedClaim], evidence: Sequence[Evidence]) -> list[JudgedClaim]:
    """Return the claims with their verdicts by the corrected evidence."""
    return [_decided(replace(item, evidence=own)) for item, own in zip(judged, evidence, strict=True)]


def _weighed(claim: Claim, results: Runs, scores: Mapping[Metric, Mapping[str, Score]]) -> JudgedClaim:
    undecided = JudgedClaim(claim, "inconclusive", "", math.nan, math.nan, NOTHING)
    if any(item.metric.by_chance and not results.runs_of(item.variant) for item in claim.measured):
        return replace(undecided, reason="unfinished")
    found = {item: scores[item.metric].get(item.variant) for item in claim.measured}
    known = {item: score for item, score in found.items() if score is not None}
    if any(
        len(score.by_seed) < len(results.runs_of(item.variant)) if score else True for item, score in found.items()
    ):
        return replace(undecided, reason="missing")
    means = {item: score.sample.mean for item, score in known.items()}
    (left, left_slopes), (right, right_slopes) = (_linear(side, means) for side in _sides(claim))
    if not all(map(math.isfinite, (left, right, *left_slopes.values(), *right_slopes.values()))):
        return replace(undecided, reason="missing")
    undecided = replace(undecided, left=left, right=right)
    if undecided.certain:
        return _certain(undecided)
    if reason := _incomparable(claim, results):
        return replace(undecided, reason=reason)
    slopes = {item: left_slopes.get(item, 0.0) - right_slopes.get(item, 0.0) for item in known}
    value = left if claim.absolute else left - right
    weighed = _parts(
        claim, known, slopes, value, _resolution(claim, results) if undecided.kind == "count" else 0.0
    )
    evidence = weigh_equivalence(weighed, right) if claim.absolute else weigh(weighed)
    return replace(undecided, evidence=evidence, reason="one_seed" if weighed.fewest == 1 else "")


def _parts(
    claim: Claim,
    known: Mapping[Measured, Score],
    slopes: Mapping[Measured, float],
    value: float,
    resolution: float,
) -> Weighed:
    """Return the claim's number as a sum of parts, one a model: exact for sums, to first order for the rest."""
    by_variant: dict[str, list[Measured]] = {}
    for item in known:
        if item.metric.by_chance:
            by_variant.setdefault(item.variant, []).append(item)
    samples = [_sum([(known[item].sample, slopes[item]) for item in own]) for own in by_variant.values()]
    samples = [replace(item, resolution=resolution) for item in samples]
    shared = [
        seed for seed in next(iter(known.values())).by_seed if all(seed in s.by_seed for s in known.values())
    ]
    by_seed = [_linear_at(claim, known, seed) for seed in shared]
    counted = {item: score.diverged * (item.metric.kind in ("share", "number")) for item, score in known.items()}
    diverged = tuple(max(counted[item] for item in own) for own in by_variant.values())
    signs = tuple(int(np.sign(sum(slopes[item] * _better(item) for item in own))) for own in by_variant.values())
    offset = math.fsum(item.mean for item in samples) - value
    return Weighed(samples, np.array([v for v in by_seed if math.isfinite(v)]), offset, diverged, signs)


def _better(item: Measured) -> int:
    """Return 1 if more of the metric is better, else −1."""
    return 1 if item.name.endswith("accuracy") else -1


def _linear_at(claim: Claim, known: Mapping[Measured, Score], seed: int) -> float:
    """Return the claim's number with one seed."""
    values = {item: score.by_seed[seed] for item, score in known.items()}
    left, right = (_linear(side, values)[0] for side in _sides(claim))
    return left if claim.absolute else left - right


def _sum(parts: Sequence[tuple[Sample, float]]) -> Sample:
    """Return the sample of a sum of numbers of the same runs, each times a factor."""
    scaled = [sample.scaled(factor) for sample, factor in parts]
    if len(scaled) == 1:
        return scaled[0]
    profiles = [item.examples for item in scaled if item.examples is not None]
    return Sample(
        np.sum([item.values for item in scaled], axis=0),
        np.sum(profiles, axis=0) if profiles else None,
        sum(item.residual for item in scaled),
        test=scaled[0].test,
    )


def _sides(claim: Claim) -> tuple[Expression, Expression]:
    return claim.left, claim.right


def _linear(expression: Expression, values: Mapping[Measured, float]) -> tuple[float, dict[Measured, float]]:
    """Return the value of an expression, and its slope in each metric there; NaN where a divisor is 0."""
    match expression:
        case Number():
            return expression.value, {}
        case Measured():
            return values[expression], {expression: 1.0}
    (left, of_left), (right, of_right) = (_linear(side, values) for side in (expression.left, expression.right))
    if expression.operator == "/" and right == 0:
        return math.nan, {}
    value, by_left, by_right = {
        "+": lambda: (left + right, 1.0, 1.0),
        "-": lambda: (left - right, 1.0, -1.0),
        "*": lambda: (left * right, right, left),
        "/": lambda: (left / right, 1 / right, -left / right**2),
    }[expression.operator]()
    slopes = {item: by_left * slope for item, slope in of_left.items()}
    for item, slope in of_right.items():
        slopes[item] = slopes.get(item, 0.0) + by_right * slope
    return value, slopes


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


def _certain(judged: JudgedClaim) -> JudgedClaim:
    """Decide what no chance is in: it is so, or it is not."""
    claim = judged.claim
    left = abs(judged.left) if claim.absolute else judged.left
    gap = left - judged.right if claim.relation == ">" else judged.right - left
    return replace(judged, verdict="supported" if gap > 0 or (claim.equal and gap == 0) else "contradicted")


def _decided(judged: JudgedClaim) -> JudgedClaim:
    if not judged.evidence.shown or judged.reason:
        return judged
    mean = judged.evidence.mean
    above = abs(mean) > judged.right if judged.claim.absolute else mean > 0
    return replace(judged, verdict="supported" if above == (judged.claim.relation == ">") else "contradicted")
