"""Forecasting suites: records become DataFrames (*collect*), and those what can be said of them (*analyse*)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd

from reportgen.analysis.claims import JudgedClaim, decided, judge
from reportgen.analysis.comparisons import (
    Comparing,
    Difference,
    Reach,
    Scores,
    alike,
    best_of,
    compare,
    corrected,
    interval_of,
    scores_of,
)
from reportgen.analysis.outliers import Outlier, outliers
from reportgen.analysis.results import Runs
from reportgen.analysis.tables import SMALLEST, geometric, marked, summary
from reportgen.suite.claims import Claim
from reportgen.suite.expansion import Variant
from reportgen.tasks.base import narrow
from reportgen.tasks.forecasting.results import Forecasts


@dataclass(frozen=True)
class Drift:
    """How a variant's forecast from half of the points leaves the truth: absolute errors, geometric means."""

    variant: str
    early: float
    """Mean over the first half of the horizon."""
    late: float
    """Mean over the second half."""

    @property
    def growth(self) -> float:
        """Return how many times the early error the late one is."""
        return self.late / max(self.early, SMALLEST)


@dataclass(frozen=True)
class Race:
    """Two variants that differ in their optimizer alone, on the way to a loss that both reach."""

    one: str
    other: str
    loss: float
    """For each seed the higher of the lowest training losses of the two; the geometric mean of that."""
    evaluations: Difference
    """Who needs fewer evaluations, on the scale of log10."""
    seconds: Difference
    """Who needs less time, on the scale of log10."""
    needed: dict[str, tuple[float, float]]
    """By variant the mean evaluations and seconds until that loss."""


@dataclass(frozen=True)
class Findings:
    """Everything that the tables, figures and sentences of a forecasting report are made from.

    Errors and losses are compared as −log10: they are spread over powers of ten, so that one bad seed would
    outweigh all others in a mean, and its spread would hide every difference.
    """

    comparison: pd.DataFrame
    """A row a variant: `analysis.tables.summary` of losses, errors, evaluations and seconds."""
    learning: pd.DataFrame
    """variant, evaluation, seconds (mean), and of the training loss mean, low, high and n, as `geometric` gives
    them, as long as every finished seed went on."""
    horizons: pd.DataFrame
    """variant, given, horizon, and of the absolute error mean, low, high and n."""
    leader: str | None
    """The variant with the lowest geometric mean of forecast_from_half; None if nothing finished."""
    leader_error: float
    """That mean; NaN if nothing finished."""
    differences: list[Difference]
    """The leader against each other variant: log10 of the mean squared error from half of the points."""
    drifts: list[Drift]
    """In the order of the suite."""
    steadiest: str | None
    """The variant with the lowest late error."""
    drift_differences: list[Difference]
    """The steadiest against each other variant: log10 of the late error."""
    races: list[Race]
    same_machine: bool
    """Whether all runs were made on the same machine, so that their times can be compared."""
    claims: list[JudgedClaim] = field(default_factory=list)
    reach: Reach | None = None
    """How much the report compares, and what its seeds can show."""
    outliers: list[Outlier] = field(default_factory=list)
    """Runs whose −log10 of forecast_from_half lies far from that of the other seeds of their model."""


def analyse(results: Runs, claims: Sequence[Claim] = (), late: Collection[str] = ()) -> Findings:
    """Work out what the results show, and judge the claims; of those in `late` runs were known."""
    results = narrow(results, Forecasts)
    measures = ("train_loss", "forecast_from_half", "forecast_from_one")
    table = summary(results.runs, dict.fromkeys(measures, "min"), ("evaluations", "training_seconds"))
    finished = list(table.loc[table["finished"] > 0, "variant"])
    runs = results.runs.merge(_halves(results.errors), how="left", on="run")
    half, late_half = (scores_of(_scored(runs, column), "score") for column in ("forecast_from_half", "late"))
    leader, steadiest = best_of(half), best_of(late_half)
    first, second = (geometric(runs.dropna(subset=[name]), ["variant"], name) for name in ("early", "late"))
    halves = zip(first["variant"], first["mean"], second["mean"], strict=True)
    found = Findings(
        comparison=_with_intervals(marked(table, results.runs, leader, "forecast_from_half", "min"), half),
        learning=_learning(results.evaluations),
        horizons=geometric(results.errors, ["variant", "given", "horizon"], "error"),
        leader=leader,
        leader_error=10 ** -half[leader].sample.mean if leader else float("nan"),
        differences=Comparing(results, half, "forecast_from_half").against(leader, finished),
        drifts=[Drift(str(variant), float(a), float(b)) for variant, a, b in halves],
        steadiest=steadiest,
        drift_differences=Comparing(results, late_half, "late").against(steadiest, finished),
        races=list(_races(results)),
        same_machine=alike(results),
        claims=judge(claims, results, late),
        outliers=outliers(half),
    )
    return _corrected(found)


def _all(found: Findings) -> list[Difference]:
    """Return all comparisons that the report makes by itself; times of other machines are none."""
    races = [race.evaluations for race in found.races]
    races += [race.seconds for race in found.races if found.same_machine]
    return [*found.differences, *found.drift_differences, *races]


def _corrected(found: Findings) -> Findings:
    family = corrected(_all(found), [item.evidence for item in found.claims], [item.late for item in found.claims])
    adjusted = iter(family.differences)
    differences = [next(adjusted) for _ in found.differences]
    drifts = [next(adjusted) for _ in found.drift_differences]
    races = [replace(race, evaluations=next(adjusted)) for race in found.races]
    if found.same_machine:
        races = [replace(race, seconds=next(adjusted)) for race in races]
    return replace(
        found,
        differences=differences,
        drift_differences=drifts,
        races=races,
        reach=family.reach,
        claims=decided(found.claims, family.claims),
    )


def _with_intervals(table: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    """Add the limits of the geometric mean of forecast_from_half over the seeds: …_low and …_high."""
    nothing = (float("nan"), float("nan"))
    limits = [interval_of(scores[v].sample) if v in scores else nothing for v in table["variant"]]
    return table.assign(
        forecast_from_half_low=[10**-high for _, high in limits],
        forecast_from_half_high=[10**-low for low, _ in limits],
    )


def _halves(errors: pd.DataFrame) -> pd.DataFrame:
    """Return for each run the mean absolute errors of both halves of the horizon, from half of the points."""
    rows = errors[errors["given"] == "from_half"]
    middle = rows.groupby("run")["horizon"].transform("max") / 2
    means = {
        name: rows[half].groupby("run")["error"].mean()
        for name, half in (("early", rows["horizon"] <= middle), ("late", rows["horizon"] > middle))
    }
    return pd.DataFrame(means).reset_index(names="run")


def _scored(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    return runs.assign(score=-np.log10(runs[column].astype(float).clip(lower=SMALLEST)))


def _learning(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Average the training losses evaluation by evaluation, as long as every run of the variant went on."""
    lengths = evaluations.groupby("run")["evaluation"].transform("max")
    common = evaluations[evaluations["evaluation"] <= lengths.groupby(evaluations["variant"]).transform("min")]
    keys = ["variant", "evaluation"]
    seconds = common.groupby(keys, sort=False)["seconds"].mean().reset_index()
    return geometric(common, keys, "loss").merge(seconds, on=keys)


def _races(results: Forecasts) -> Iterator[Race]:
    for one, other in combinations(results.variants, 2):
        if _rivals(one, other):
            race = _race(one.name, other.name, results.evaluations)
            if race is not None:
                yield race


def _rivals(one: Variant, other: Variant) -> bool:
    """Tell whether two variants learn the same with the same model, by another optimizer."""
    a, b = one.settings, other.settings
    alike = a.data == b.data and a.model == b.model and a.device == b.device
    return alike and a.training.optimizer != b.training.optimizer


def _race(one: str, other: str, evaluations: pd.DataFrame) -> Race | None:
    log = evaluations[evaluations["variant"].isin([one, other])]
    lowest = log.pivot_table(index="seed", columns="variant", values="loss", aggfunc="min")
    goals = lowest.reindex(columns=[one, other]).dropna().max(axis=1)
    if goals.empty:
        return None
    there = log[log["seed"].isin(goals.index)]
    there = there[there["loss"] <= there["seed"].map(goals)].sort_values("evaluation")
    first = there.groupby(["variant", "seed"])[["evaluation", "seconds"]].first().reset_index()
    first = first.assign(status="finished")
    fewer, quicker = (
        replace(compare(one, other, _scored(first, name), "score"), measure=f"race.{name}")
        for name in ("evaluation", "seconds")
    )
    means = first.groupby("variant")[["evaluation", "seconds"]].mean()
    needed = {name: (float(means["evaluation"][name]), float(means["seconds"][name])) for name in (one, other)}
    return Race(one, other, float(10 ** np.log10(goals).mean()), fewer, quicker, needed)
