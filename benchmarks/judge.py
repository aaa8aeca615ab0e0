"""How often the judge is wrong, and how often it sees what is there: simulated reports through the product's code.

    python benchmarks/judge.py                    # the whole grid, as Markdown: minutes of one CPU
    python benchmarks/judge.py --reports 50       # a rough look
    python benchmarks/judge.py --world plain      # a quarter of it
    python benchmarks/judge.py --table claims     # late claims, several claims, and claims of being alike
    python benchmarks/judge.py --table unlike     # a model that spreads more than the others
    python benchmarks/judge.py --table odd        # seeds that are flagged

A test example i is answered rightly by model m with seed s if μ_m + b_i + c_mi + a_ms + e_msi > 0: a probit model
with how hard the example is, how the model takes to it, how the seed turned out, and the rest, all random. A
simulated report compares the leader with the others and the fastest model with the slowest, and judges one claim,
stated beforehand: that the first model is more accurate than the second.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import statistics
from reportgen.analysis.comparisons import (
    Difference,
    Evidence,
    Family,
    Score,
    Weighed,
    best_of,
    compare_scores,
    corrected,
    interval_of,
    weigh,
    weigh_equivalence,
)
from reportgen.analysis.outliers import outliers
from reportgen.analysis.statistics import ALPHA

ACCURACY = 0.77
HARDNESS = 2.4
"""Standard deviation of b, that of e being 1: with it the runs agree on most examples, as trained networks do."""

COLLAPSE = (0.1, 0.2)
"""How often a run collapses, and how much accuracy it then loses."""

EFFECTS = {200: 0.06, 1000: 0.03, 3400: 0.02}
"""By test examples, how much better the first model is where one is: neither sure nor hopeless to see."""


@dataclass(frozen=True)
class World:
    """What the runs of a simulated experiment are like."""

    interaction: float = 0.3
    """Standard deviation of c."""
    seeds: float = 0.006
    """Standard deviation between seeds, of the accuracy."""
    heavy: bool = False
    """Whether that is by Student's t with three degrees of freedom, and not normal."""
    collapses: bool = False
    """Whether runs of all models collapse."""


WORLDS: Mapping[str, World] = {
    "plain": World(),
    "interaction": World(interaction=1.0),
    "heavy tails": World(seeds=0.01, heavy=True),
    "rare collapse": World(collapses=True),
}


@dataclass(frozen=True)
class Cell:
    """A cell of the grid."""

    world: str
    models: int
    seeds: int
    examples: int


@dataclass(frozen=True)
class Rates:
    """What simulated reports of a cell came to; shares of 1."""

    wrong: float
    """Reports in which some sentence or claim is false, all models being equal."""
    leads: float
    """Coverage of the leader's intervals, all models being equal."""
    means: float
    """Coverage of the intervals of single models."""
    power: float
    """Of the leads of a model that is better, those that are called clear."""
    reference_wrong: float
    reference: float
    """The same of the mixed model with one variance between seeds for all models, and Tukey's correction."""


def grid() -> Iterator[Cell]:
    """Yield the cells."""
    for world, models, seeds, examples in product(WORLDS, (2, 4, 10), (3, 5, 10), (200, 1000, 3400)):
        yield Cell(world, models, seeds, examples)


def rates(cell: Cell, reports: int, seen: int) -> Rates:
    """Simulate `reports` reports of equal models, and `seen` of which the first model is better."""
    random = np.random.default_rng([list(WORLDS).index(cell.world), cell.models, cell.seeds, cell.examples])
    equal = [_report(cell, 0.0, random) for _ in range(reports)]
    better = [_report(cell, EFFECTS[cell.examples], random) for _ in range(seen)]
    truth = _accuracy(WORLDS[cell.world])
    few = equal[:seen]
    found = [judged(scores, times) for scores, times in equal]
    return Rates(
        float(np.mean([_is_wrong(family) for family in found])),
        float(np.mean([d.evidence.low <= 0 <= d.evidence.high for family in found for d in _leads(family)])),
        float(np.mean([_covers(item, truth) for scores, _ in equal for item in scores.values()])),
        float(np.mean([_seen(judged(scores, times)) for scores, times in better])),
        float(np.mean([_is_wrong(by_mixed_model(scores, times)) for scores, times in few])),
        float(np.mean([_seen(by_mixed_model(scores, times)) for scores, times in better])),
    )


Scores = dict[str, Score]


def _report(
    cell: Cell, effect: float, random: np.random.Generator, *, every_other: bool = False
) -> tuple[Scores, Scores]:
    """Draw the accuracies and the times of a report's models; the first, or every other one, is the better one."""
    world = WORLDS[cell.world]
    effects = [effect * (i % 2 == 0 if every_other else i == 0) for i in range(cell.models)]
    right = _answers(world, cell, effects, random)
    seconds = random.normal(0, 0.03, (cell.models, cell.seeds)) / math.log(10)
    accuracies = [statistics.sample(own.mean(axis=1), own.astype(float)) for own in right]
    return _scores(accuracies), _scores([statistics.sample(own) for own in seconds])


def _scores(samples: Sequence[statistics.Sample]) -> Scores:
    pooled = statistics.together(samples)
    return {f"m{i}": Score(dict(enumerate(map(float, own.values))), own) for i, own in enumerate(pooled)}


def _answers(world: World, cell: Cell, effects: Sequence[float], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which answers are right, (models, seeds, examples)."""
    total, slope = _scale(world)
    hardness = random.normal(0, HARDNESS, cell.examples).astype(np.float32)
    right = np.empty((len(effects), cell.seeds, cell.examples), bool)
    for own, effect in zip(right, effects, strict=True):
        level = _quantile(ACCURACY + effect) * total + _of_seeds(world, cell.seeds, random) / slope
        taken = hardness + random.normal(0, world.interaction, cell.examples).astype(np.float32)
        noise = random.standard_normal((cell.seeds, cell.examples), np.float32)
        np.greater(noise + taken, -level[:, None].astype(np.float32), out=own)
    return right


def _scale(world: World) -> tuple[float, float]:
    """Return the standard deviation of all that is random, and accuracy per unit of μ."""
    total = math.sqrt(1 + HARDNESS**2 + world.interaction**2)
    return total, math.exp(-(_quantile(ACCURACY) ** 2) / 2) / math.sqrt(2 * math.pi) / total


def _of_seeds(world: World, seeds: int, random: np.random.Generator) -> statistics.Array:
    drawn = random.standard_t(3, seeds) / math.sqrt(3) if world.heavy else random.standard_normal(seeds)
    share, loss = COLLAPSE if world.collapses else (0.0, 0.0)
    return np.asarray(world.seeds * drawn - loss * (random.random(seeds) < share))


def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _accuracy(world: World) -> float:
    """Return the accuracy of a model over all seeds and examples."""
    from scipy.special import ndtr

    total, slope = _scale(world)
    drawn = _of_seeds(world, 400_000, np.random.default_rng(0)) / slope
    return float(ndtr(_quantile(ACCURACY) + drawn / total).mean())


def judged(
    scores: Scores, times: Scores, claims: Sequence[Evidence] | None = None, *, late: bool = False
) -> Family:
    """Judge a report as the product does, with these claims, or with one that the first model is better."""
    models = len(scores)
    leader = best_of(scores) or ""
    leads = [compare_scores(leader, m, scores, "accuracy", models, "leader") for m in scores if m != leader]
    means = {name: item.sample.mean for name, item in times.items()}
    fast, slow = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    cost = compare_scores(fast, slow, times, "seconds", models, "extremes")
    claims = [weigh(_gap(scores, "m0", "m1"))] if claims is None else claims
    return corrected([*leads, cost], claims, [late] * len(claims))


def _gap(scores: Scores, one: str, other: str) -> Weighed:
    first, second = scores[one].sample, scores[other].sample
    return Weighed([first, second.scaled(-1)], first.values - second.values)


def by_mixed_model(scores: Scores, times: Scores) -> Family:
    """Judge a report by the same variance components, one variance between seeds for all, and without ranks."""
    with patch.object(statistics, "PRIOR_FREEDOM", 1e9):
        found = judged(scores, times)
    return replace(
        found,
        differences=[replace(d, evidence=replace(d.evidence, exact=0.0)) for d in found.differences],
        claims=[replace(claim, exact=0.0) for claim in found.claims],
    )


def _is_wrong(found: Family) -> bool:
    """Tell whether something is said of equal models."""
    return any(d.verdict == "clear" for d in found.differences) or any(claim.shown for claim in found.claims)


def _seen(found: Family) -> float:
    """Return the share of the first model's leads that are called clear."""
    leads = _leads(found)
    return sum(d.ahead == "m0" and d.verdict == "clear" for d in leads) / len(leads)


def _leads(found: Family) -> list[Difference]:
    return [difference for difference in found.differences if difference.measure == "accuracy"]


def _covers(score: Score, truth: float) -> bool:
    low, high = interval_of(score.sample)
    return low <= truth <= high


def hidden(seeds: int, reports: int) -> float:
    """Return how often a model is called clearly ahead that is not, since its collapses were not drawn.

    It is better by what its collapses cost on average, so that the true means are equal; the test set is large.
    """
    random = np.random.default_rng(seeds)
    share, loss = COLLAPSE
    wrong = 0
    for _ in range(reports):
        odd = share * loss + random.normal(0, 0.004, seeds) - loss * (random.random(seeds) < share)
        scores = _scores([statistics.sample(odd), statistics.sample(random.normal(0, 0.004, seeds))])
        (found,) = corrected([compare_scores("m0", "m1", scores)]).differences
        wrong += found.verdict == "clear"
    return wrong / reports


def claims_wrong(cell: Cell, reports: int) -> tuple[float, float, float, float, float]:
    """Return how often a report has a false sentence or claim, by the claims that it has.

    Of equal models: one stated late, that the best is better than the worst; and several stated beforehand, that
    each is better than the next. Of models of which every other one is better by a margin: that the two nearest of
    those that differ are within it, stated late; that each two neighbours are, stated beforehand; and, last, that
    claims of the latter kind are contradicted, which is no error at the margin but one just below it.
    """
    random = np.random.default_rng([7, list(WORLDS).index(cell.world), cell.models, cell.seeds, cell.examples])
    margin = EFFECTS[cell.examples]
    wrong = np.zeros(5)
    neighbours = [(f"m{i}", f"m{i + 1}") for i in range(cell.models - 1)]
    for _ in range(reports):
        scores, times = _report(cell, 0.0, random)
        means = {name: item.sample.mean for name, item in scores.items()}
        best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
        late = judged(scores, times, [weigh(_gap(scores, best, worst))], late=True)
        early = judged(scores, times, [weigh(_gap(scores, *pair)) for pair in neighbours])
        apart, times = _report(cell, margin, random, every_other=True)
        middles = {name: item.sample.mean for name, item in apart.items()}
        pairs = [(one, other) for one in list(apart)[::2] for other in list(apart)[1::2]]
        nearest = min(pairs, key=lambda pair: abs(middles[pair[0]] - middles[pair[1]]))
        near = judged(apart, times, [weigh_equivalence(_gap(apart, *nearest), margin)], late=True)
        alike = judged(apart, times, [weigh_equivalence(_gap(apart, *pair), margin) for pair in neighbours])
        within = [any(e.shown and abs(e.mean) < margin for e in found.claims) for found in (near, alike)]
        beyond = any(e.shown and abs(e.mean) >= margin for e in alike.claims)
        wrong += [_is_wrong(late), _is_wrong(early), *within, beyond]
    return tuple(wrong / reports)


def unlike(seeds: int, reports: int, models: int = 10, factor: float = 10.0) -> tuple[float, float]:
    """Return how often equal models, of which one has `factor` times the variance, are told apart.

    By the judge, and by the mixed model with one variance for all.
    """
    random = np.random.default_rng([11, seeds])
    wrong = np.zeros(2)
    spread = np.where(np.arange(models) == 0, math.sqrt(factor), 1.0)[:, None]
    for _ in range(reports):
        scores = _scores([statistics.sample(own) for own in spread * random.normal(0, 0.006, (models, seeds))])
        leader = best_of(scores) or ""
        for place, prior in enumerate((statistics.PRIOR_FREEDOM, 1e9)):
            with patch.object(statistics, "PRIOR_FREEDOM", prior):
                leads = [
                    compare_scores(leader, m, scores, "accuracy", models, "leader") for m in scores if m != leader
                ]
                adjusted = [
                    d.evidence.adjusted for d in corrected(leads).differences if place or d.verdict == "clear"
                ]
            wrong[place] += any(p <= ALPHA for p in adjusted)
    return tuple(wrong / reports)


def flagged(models: int, seeds: int, reports: int, *, heavy: bool = False) -> float:
    """Return the share of reports with a run that is flagged as an outlier, of models that spread alike."""
    random = np.random.default_rng([13, models, seeds])
    draw: Callable[..., statistics.Array] = random.standard_normal
    if heavy:
        draw = lambda size: random.standard_t(3, size)  # noqa: E731
    return (
        sum(
            bool(outliers(_scores([statistics.sample(own) for own in draw((models, seeds))])))
            for _ in range(reports)
        )
        / reports
    )


def collapses_flagged(models: int, seeds: int, reports: int) -> float:
    """Return the share of collapsed runs that are flagged; of a model fewer than half of the runs collapse."""
    random = np.random.default_rng([17, models, seeds])
    share, loss = COLLAPSE
    seen = all_of_them = 0
    for _ in range(reports):
        fell = random.random((models, seeds)) < share
        drawn = random.normal(0, 0.006, (models, seeds)) - loss * fell
        named = {
            (item.variant, item.seed) for item in outliers(_scores([statistics.sample(own) for own in drawn]))
        }
        real = {
            (f"m{i}", int(j)) for i, own in enumerate(fell) if 2 * own.sum() < seeds for j in np.flatnonzero(own)
        }
        seen, all_of_them = seen + len(named & real), all_of_them + len(real)
    return seen / all_of_them


_HEAD = """\
| world | models | seeds | examples | false | covers: leads | covers: means | power | mixed: false | mixed: power |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


def _rows(head: str, rows: Iterator[tuple[list[object], Sequence[float]]]) -> None:
    columns = head.count("|") - 1
    print(head + "\n|" + "--:|" * columns, flush=True)
    for names, shares in rows:
        print(
            "| " + " | ".join([*map(str, names), *(f"{100 * share:.1f}" for share in shares)]) + " |", flush=True
        )


def _of_claims(reports: int) -> None:
    cells = (Cell(w, m, s, 1000) for w in ("plain", "heavy tails") for m, s in product((2, 4, 10), (3, 5, 10)))
    _rows(
        "| world | models | seeds | late: order | early: orders | late: alike | early: alike | contradicted |",
        (([cell.world, cell.models, cell.seeds], claims_wrong(cell, reports)) for cell in cells),
    )


def _of_unlike(reports: int) -> None:
    _rows("| seeds | false | mixed: false |", (([seeds], unlike(seeds, reports)) for seeds in (3, 5, 10)))


def _of_odd(reports: int) -> None:
    sizes = [(models, seeds) for models in (2, 4, 10) for seeds in (3, 5, 10)]
    _rows(
        "| models | seeds | normal: flagged | heavy tails: flagged | collapses that are flagged |",
        (
            (
                list(size),
                (flagged(*size, reports), flagged(*size, reports, heavy=True), collapses_flagged(*size, reports)),
            )
            for size in sizes
        ),
    )


TABLES: Mapping[str, Callable[[int], None]] = {"claims": _of_claims, "unlike": _of_unlike, "odd": _of_odd}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reports", type=int, default=400, help="simulated reports a cell (default: 400)")
    parser.add_argument("--world", choices=WORLDS, help="that part of the grid alone")
    parser.add_argument("--table", choices=TABLES, help="another table in its place")
    asked = parser.parse_args()
    reports = asked.reports
    if asked.table:
        TABLES[asked.table](reports)
        return
    seen = max(1, reports * 3 // 10)
    print(_HEAD, flush=True)
    found: dict[Cell, Rates] = {}
    for cell in grid():
        if asked.world not in (None, cell.world):
            continue
        found[cell] = own = rates(cell, reports, seen)
        figures = (own.wrong, own.leads, own.means, own.power, own.reference_wrong, own.reference)
        told = " | ".join(f"{100 * value:.1f}" for value in figures)
        print(f"| {cell.world} | {cell.models} | {cell.seeds} | {cell.examples} | {told} |", flush=True)
    ratio = sum(own.power for own in found.values()) / sum(own.reference for own in found.values())
    print(f"\nMost reports with something false: {100 * max(own.wrong for own in found.values()):.1f}%.")
    print(f"Power, over that of the mixed model, all cells together: {ratio:.2f}.")
    print(f"Level: {100 * ALPHA:.0f}%; {reports} reports of equal models and {seen} with a better one a cell.\n")
    print("| seeds | false lead of a model with hidden collapses | no collapse is drawn |\n|--:|--:|--:|")
    for seeds in (3, 5, 10, 20, 30):
        print(f"| {seeds} | {100 * hidden(seeds, reports):.0f} | {100 * (1 - COLLAPSE[0]) ** seeds:.0f} |")


if __name__ == "__main__":
    main()
