"""Single runs that lie far from the other seeds of their model, such as one that collapsed.

A run is held against the mean of its model's other seeds, in standard errors. Their own few values tell the spread
badly, so that it is drawn towards that of all models together, as the judge does it (docs/statistics.md). Runs are
taken out one by one, the oddest first, which keeps a second collapse from hiding behind the spread that the first
one makes: the generalised extreme Studentised deviate test (Rosner 1983), for several groups.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reportgen.analysis.comparisons import FEWEST, Score, Scores
from reportgen.analysis.statistics import AGREEMENT, PRIOR_FREEDOM, Array, Sample

OUTLYING = 0.01
"""Level of the test, corrected for all runs; for the shares of reports with a flag see docs/statistics.md."""


@dataclass(frozen=True)
class Outlier:
    """A run far from the other seeds of its model; values are on the scale of the score."""

    variant: str
    seed: int
    value: float
    """The score of the run."""
    middle: float
    """Median score of the model's other seeds."""
    others: int
    """How many other seeds there are."""


@dataclass(frozen=True)
class _Rest:
    """For each run of a model what the others say of it; (runs,) each."""

    gaps: Array
    """How far it is from the mean of the others."""
    variances: Array
    """Variance between the others."""
    own: int
    """Degrees of freedom of that."""


def outliers(scores: Scores) -> list[Outlier]:
    """Return the runs that lie far from the other seeds of their model, in the order of the models.

    Of a model fewer than half of the seeds can be, and none where it has fewer than FEWEST. The test with the
    spread of all models decides, corrected for all runs; that with the spread of the model's other seeds alone has
    to agree, corrected for these: a model may spread more than the rest without any odd run.

    Args:
        scores: of all models.
    """
    samples = {name: item.sample for name, item in scores.items() if len(item.sample.values) >= FEWEST}
    left = {name: list(range(len(item.values))) for name, item in samples.items()}
    rest = {name: _rest(item, left[name]) for name, item in samples.items()}
    taken: list[tuple[str, int]] = []
    count = 0
    while oddest := _oddest(samples, left, rest):
        name, place, flagged = oddest
        left[name].remove(place)
        rest[name] = _rest(samples[name], left[name])
        taken.append((name, place))
        count = len(taken) if flagged else count
    return [
        _outlier(name, place, scores[name], {other for model, other in taken[:count] if model == name})
        for name, place in sorted(taken[:count], key=lambda run: (list(samples).index(run[0]), run[1]))
    ]


def _rest(sample: Sample, left: Sequence[int]) -> _Rest:
    values = sample.values[list(left)]
    if len(values) < FEWEST:
        return _Rest(np.empty(0), np.empty(0), 0)
    others = [replace(sample, values=np.delete(values, i)) for i in range(len(values))]
    gaps = values - np.array([item.mean for item in others])
    return _Rest(gaps, np.array([item.seed_variance for item in others]), len(values) - 2)


def _oddest(
    samples: Mapping[str, Sample], left: Mapping[str, Sequence[int]], rest: Mapping[str, _Rest]
) -> tuple[str, int, bool] | None:
    """Return the model and the place of the run that is least likely, and whether it is so to be flagged."""
    variances = {
        name: replace(samples[name], values=samples[name].values[own]).seed_variance for name, own in left.items()
    }
    runs = sum(map(len, left.values()))
    found = None
    for name, item in samples.items():
        if 2 * (len(item.values) - len(left[name]) + 1) >= len(item.values) or not rest[name].own:
            continue
        others = [(len(left[model]) - 1, variance) for model, variance in variances.items() if model != name]
        by_all, by_own = _p(rest[name], item.answer_variance, others)
        i = int(by_all.argmin())
        if found is None or by_all[i] < found[0]:
            agrees = len(left[name]) * by_own[i] <= AGREEMENT
            found = by_all[i], (name, left[name][i], bool(runs * by_all[i] <= OUTLYING and agrees))
    return found and found[1]


def _p(rest: _Rest, noise: float, others: Sequence[tuple[int, float]]) -> tuple[Array, Array]:
    """Return two-sided p values of runs by a moderated Student's t, and by that of their own model alone.

    Args:
        rest: what the other runs of the model say.
        noise: variance that single answers make, below which none is believed.
        others: of each other model the degrees of freedom and the variance between its seeds.
    """
    from scipy.special import stdtr

    elsewhere = sum(freedom for freedom, _ in others)
    pooled = rest.own * rest.variances + sum(freedom * variance for freedom, variance in others)
    prior = min(PRIOR_FREEDOM, elsewhere)
    moderated = (rest.own * rest.variances + prior * pooled / (rest.own + elsewhere)) / (rest.own + prior)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_all, by_own = (
            2
            * stdtr(freedom, -np.abs(rest.gaps) / np.sqrt(np.maximum(variances, noise) * (1 + 1 / (rest.own + 1))))
            for freedom, variances in ((rest.own + prior, moderated), (rest.own, rest.variances))
        )
    return np.nan_to_num(by_all, nan=1.0), np.nan_to_num(by_own, nan=1.0)


def _outlier(name: str, place: int, score: Score, flagged: Collection[int]) -> Outlier:
    values = score.sample.values
    others = [value for i, value in enumerate(values) if i not in flagged]
    return Outlier(name, list(score.by_seed)[place], float(values[place]), float(np.median(others)), len(others))
