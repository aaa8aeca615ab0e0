"""Variants held against each other, run by run with the same seed, and on the same redrawn test sets."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis import statistics
from reportgen.analysis.judging import Difference, Redrawn, Scores, compare_scores, scores_of
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import Array
from reportgen.lab.record import Record
from reportgen.suite.base import PATHS
from reportgen.suite.expansion import Variant


def redrawn_scores(results: Runs, score: str) -> dict[tuple[str, int], Array]:
    """Return a score of each finished run on redrawn test sets, (redraws,), by variant and seed.

    `score` is test_accuracy or test_loss, of which every test example has one. Runs that were tested on the same
    examples are tested on the same redrawn ones.
    """
    by_test: dict[bytes, dict[tuple[str, int], Array]] = {}
    for variant in results.variants:
        for seed, record in _finished(variant.name, results).items():
            if record.predictions:
                own = by_test.setdefault(_test_set(variant, record), {})
                own[variant.name, seed] = _of_examples(record, score)
    found: dict[tuple[str, int], Array] = {}
    for test, own in by_test.items():
        means = statistics.redrawn(np.stack(list(own.values())), seed=test)
        found |= dict(zip(own, means.T, strict=True))
    return found


def _finished(variant: str, results: Runs) -> dict[int, Record]:
    """Return the records of the variant's finished runs, by seed."""
    return {results.records[run].seed: results.records[run] for run in results.runs_of(variant)}


def _of_examples(record: Record, score: str) -> Array:
    outcome = record.predictions
    if score == "test_loss":
        return np.asarray(outcome["loss"], float)
    return np.asarray(outcome["predicted"] == outcome["target"], float)


def _test_set(variant: Variant, record: Record) -> bytes:
    """Return what tells one test set from another: the settings that make it, its examples and their classes.

    Files count by name: where a lab lies must not change what is drawn.
    """
    told = variant.settings.told()["data"]
    settings = tested_on(variant)
    settings |= {name: told.get(name) for name in (*PATHS, "load", "files") if name in settings}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for name in ("target", "example"):
        digest.update(np.asarray(record.predictions.get(name, ()), np.int64).tobytes())
    return digest.digest()


def tested_on(variant: Variant) -> dict[str, Any]:
    """Return the settings that decide which examples are in the test part; how texts are encoded does not."""
    return variant.settings.data.model_dump(exclude={"tokens", "vocabulary_size", "max_length"})


def against(
    leader: str | None,
    variants: Iterable[str],
    results: Runs,
    runs: pd.DataFrame,
    score: str = "test_accuracy",
    redrawn: Redrawn | None = None,
    resolution: float = 0.0,
) -> list[Difference]:
    """Compare the leader with each other one of the variants that it shares a finished seed with, nearest first.

    `runs` are those of `results`, with a column `score`, of which more is better; the rest goes to `compare`.
    """
    if leader is None:
        return []
    others = [other for other in variants if other != leader]
    scores = scores_of(runs, score)
    found = [difference(leader, other, results, scores, redrawn, resolution) for other in others]
    return sorted((d for d in found if d.pairs), key=lambda difference: difference.mean)


def difference(
    one: str,
    other: str,
    results: Runs,
    scores: Scores,
    redrawn: Redrawn | None = None,
    resolution: float = 0.0,
) -> Difference:
    """Compare two variants by their scores, and note whether they were tested on the same examples."""
    if tested_on(results.variant(one)) != tested_on(results.variant(other)):
        return replace(compare_scores(one, other, scores), comparable=False)
    found = compare_scores(one, other, scores, redrawn, resolution)
    return replace(found, mcnemar=_mcnemar(found, results)) if redrawn else found


def _mcnemar(found: Difference, results: Runs) -> tuple[float, ...]:
    """Return for each seed that both finished p of McNemar's test; nothing if one was imported."""
    by_variant = [_finished(variant, results) for variant in (found.ahead, found.behind)]
    if not all(record.predictions for own in by_variant for record in own.values()):
        return ()
    seeds = [seed for seed in by_variant[0] if seed in by_variant[1]]
    right = [[_of_examples(own[seed], "test_accuracy") > 0 for seed in seeds] for own in by_variant]
    return tuple(statistics.mcnemar(one, other) for one, other in zip(*right, strict=True))


def alike(results: Runs) -> bool:
    """Tell whether all runs saw the same data on the same machine, so that their times can be compared."""
    records = [record for record in results.records.values() if record.data]
    return len({repr((record.data, record.environment)) for record in records}) == 1
