"""Addition suites: records become DataFrames (*collect*), and those what can be said of them (*analyse*)."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from reportgen.analysis.claims import JudgedClaim, decided, judge
from reportgen.analysis.comparisons import (
    Comparing,
    Difference,
    Reach,
    Scores,
    corrected,
    scores_of,
)
from reportgen.analysis.outliers import Outlier, outliers
from reportgen.analysis.results import Runs
from reportgen.analysis.studies import Grid, Study, grids, studies, without_twins
from reportgen.analysis.tables import geometric, summary
from reportgen.suite.claims import Claim
from reportgen.tasks.addition.results import Additions
from reportgen.tasks.addition.settings import AdditionTrainingSettings
from reportgen.tasks.base import narrow

HOLDS = 0.99
"""Addition is learnt, and the carry holds at a length, when at least this share of sums is right in every seed."""


@dataclass(frozen=True)
class Studied:
    """What a study shows of the steps to right sums."""

    study: Study
    reached: list[str]
    """Variants of which every finished seed had all sums right at a logged step."""
    missed: list[str]
    """Finished variants of which a seed did not."""
    fastest: str | None
    """Of `reached`, the variant with the lowest mean first_step."""
    lead: Difference | None
    """The fastest against the next one, in steps; None unless there are two."""
    equal: list[str] = field(default_factory=list)
    """The fastest and all that are as fast, where there are such; else nothing."""


@dataclass(frozen=True)
class Generalisation:
    """How a variant that has learnt to add numbers of one length does with those of others."""

    variant: str
    trained: int
    holds: list[int]
    """Other lengths at which at least HOLDS of the sums are right in every seed."""
    fails: list[tuple[int, float, float]]
    """The rest: length, and means of exact_accuracy and of digit_accuracy."""


@dataclass(frozen=True)
class Findings:
    """Everything that the tables, figures and sentences of an addition report are made from."""

    comparison: pd.DataFrame
    """A row a variant: `analysis.tables.summary` of losses, accuracies and steps."""
    curves: pd.DataFrame
    """variant, metric (test_loss or exact_accuracy), step, mean, low, high and n; geometric means of losses."""
    studied: list[Studied]
    grids: list[Grid]
    lengths: pd.DataFrame
    """A row a variant and length: variant, digits, mean and std of digit_accuracy (digit_accuracy, …_std) and of
    exact_accuracy; of variants tested at several lengths."""
    generalisations: list[Generalisation]
    """Of variants that have learnt to add, and were tested at other lengths."""
    unlearnt: list[str]
    """Variants tested at other lengths that have not learnt to add at their own."""
    claims: list[JudgedClaim] = field(default_factory=list)
    reach: Reach | None = None
    """How much the report compares, and what its seeds can show."""
    outliers: list[Outlier] = field(default_factory=list)
    """Runs whose −log10 of first_step lies far from that of the other seeds of their model."""


def analyse(results: Runs, claims: Sequence[Claim] = (), late: Collection[str] = ()) -> Findings:
    """Work out what the results show, and judge the claims; of those in `late` runs were known."""
    results = narrow(results, Additions)
    best: dict[str, Literal["min", "max"]] = {
        "test_loss": "min",
        "digit_accuracy": "max",
        "exact_accuracy": "max",
        "first_step": "min",
    }
    variants = without_twins(results.variants)
    generalisations, unlearnt = _generalisations(results)
    lengths = results.lengths.groupby(["variant", "digits"], sort=False)[["digit_accuracy", "exact_accuracy"]]
    found = Findings(
        comparison=_compared(results.runs, best),
        curves=_curves(results.steps),
        studied=[_studied(study, results) for study in studies(variants)],
        grids=grids(variants),
        lengths=lengths.mean().join(lengths.std().add_suffix("_std")).reset_index(),
        generalisations=generalisations,
        unlearnt=unlearnt,
        claims=judge(claims, results, late),
        outliers=outliers(_paces(results)),
    )
    return _corrected(found)


def _corrected(found: Findings) -> Findings:
    """Return the findings with everything that they compare corrected."""
    leads = [item.lead for item in found.studied if item.lead]
    family = corrected(leads, [item.evidence for item in found.claims], [item.late for item in found.claims])
    adjusted = iter(family.differences)
    studied = [replace(item, lead=next(adjusted)) if item.lead else item for item in found.studied]
    return replace(found, studied=studied, claims=decided(found.claims, family.claims), reach=family.reach)


def _compared(runs: pd.DataFrame, best: dict[str, Literal["min", "max"]]) -> pd.DataFrame:
    """Summarise the variants; first_step has a mean only where every finished seed got all sums right."""
    table = summary(runs, best, ("training_seconds",))
    finished = runs[runs["status"] == "finished"]
    missed = set(finished.loc[finished["first_step"].isna(), "variant"])
    short = table["variant"].isin(missed)
    table.loc[short, ["first_step", "first_step_std"]] = np.nan
    return table.drop(columns="best_first_step")


def _curves(steps: pd.DataFrame) -> pd.DataFrame:
    """Average the logs over the seeds: losses on a logarithmic scale, shares of right sums as they are."""
    keys = ["variant", "step"]
    losses = geometric(steps, keys, "test_loss").assign(metric="test_loss")
    shares = steps.groupby(keys, sort=False)["exact_accuracy"].agg(mean="mean", std="std", n="count").reset_index()
    spread = shares["std"].fillna(0.0)
    shares = shares.assign(
        metric="exact_accuracy",
        low=(shares["mean"] - spread).clip(lower=0),
        high=(shares["mean"] + spread).clip(upper=1),
    ).drop(columns="std")
    return pd.concat([losses, shares], ignore_index=True)


def _studied(study: Study, results: Additions) -> Studied:
    runs = results.runs[results.runs["status"] == "finished"]
    steps = {name: runs.loc[runs["variant"] == name, "first_step"] for name in study.values}
    finished = {name: own for name, own in steps.items() if len(own)}
    reached = [name for name, own in finished.items() if own.notna().all()]
    ranked = sorted(reached, key=lambda name: float(finished[name].mean()))
    equal = [name for name in ranked if finished[name].mean() == finished[ranked[0]].mean()]
    scored = runs.assign(score=-runs["first_step"])
    # slow models vary more, by steps, than fast ones: their spreads are not alike
    scores = scores_of(scored, "score", resolution=_between_rows(study, results), pool=False)
    lead = Comparing(results, scores, "first_step").against(ranked[0], ranked[1:2]) if ranked else []
    return Studied(
        study,
        reached,
        [name for name in finished if name not in reached],
        ranked[0] if ranked else None,
        lead[0] if lead else None,
        equal if len(equal) > 1 else [],
    )


def _paces(results: Additions) -> Scores:
    """Return −log10 of the step from which all sums are right: on this scale slow models spread like fast ones."""
    runs = results.runs.assign(score=-np.log10(results.runs["first_step"].astype(float)))
    training = {v.name: v.settings.training for v in results.variants}
    scores = scores_of(runs, "score")
    for name, item in scores.items():
        if isinstance(own := training[name], AdditionTrainingSettings):
            resolution = own.log_every / 10 ** -float(item.sample.values.max()) / math.log(10)
            scores[name] = replace(item, sample=replace(item.sample, resolution=resolution))
    return scores


def _between_rows(study: Study, results: Additions) -> float:
    """Return the steps between two rows of the log: a first step is known to no less."""
    own = (v.settings.training for v in results.variants if v.name in study.values)
    return max(float(training.log_every) for training in own if isinstance(training, AdditionTrainingSettings))


def _generalisations(results: Additions) -> tuple[list[Generalisation], list[str]]:
    found, unlearnt = [], []
    for variant, rows in results.lengths.groupby("variant", sort=False):
        trained = int(results.records[results.runs_of(str(variant))[0]].data["digits"])
        by_length = rows.groupby("digits")
        right = by_length["exact_accuracy"].min() >= HOLDS
        if not right[trained]:
            unlearnt.append(str(variant))
            continue
        means = by_length[["exact_accuracy", "digit_accuracy"]].mean()
        others = [int(digits) for digits in right.index if digits != trained]
        fails = [
            (digits, float(means["exact_accuracy"][digits]), float(means["digit_accuracy"][digits]))
            for digits in others
            if not right[digits]
        ]
        holds = [digits for digits in others if right[digits]]
        found.append(Generalisation(str(variant), trained, holds, fails))
    return found, unlearnt


def by_setting(findings: Findings) -> list[list[Study]]:
    """Return the studies of numbers, those of one setting together, without those of which nothing finished."""
    found: dict[str, list[Study]] = {}
    for studied in findings.studied:
        if studied.study.setting and studied.study.numeric and (studied.reached or studied.missed):
            found.setdefault(studied.study.setting, []).append(studied.study)
    return list(found.values())
