"""The checks of an addition suite."""

from collections.abc import Iterator, Mapping
from math import expm1, log1p
from typing import Any

from reportgen.analysis.checks import (
    Check,
    Found,
    at_edges,
    few_seeds,
    odd_seeds,
    of_variants,
    unequal_sizes,
    unfinished,
)
from reportgen.suite.declarations import Code
from reportgen.tasks.addition.findings import Findings
from reportgen.tasks.addition.results import Additions
from reportgen.tasks.addition.settings import AdditionRun

SEEN = 0.01
"""Share of the test's pairs that may have been trained on, too: less cannot move an accuracy by more than a
percentage point."""


def seen_before(results: Additions, _: Findings) -> Found | None:
    """RG103: the numbers are so short that many a pair of the test was trained on, too."""
    return of_variants("RG103", results, _seen_before(results), form="_addition")


def _seen_before(results: Additions) -> Iterator[dict[str, Any]]:
    for variant in results.variants:
        share = expected_share(variant.settings) if isinstance(variant.settings, AdditionRun) else 0.0
        if share >= SEEN and results.runs_of(variant.name):
            yield {"model": variant.name, "share": share}


def expected_share(settings: AdditionRun) -> float:
    """Return the expected share of pairs of numbers that have been drawn at least once in training.

    Of N draws from 10^(2 digits) pairs, all of them equally likely, that is 1 − (1 − 10^(−2 digits))^N.
    """
    drawn = settings.training.steps * settings.training.batch_size
    return -expm1(drawn * log1p(-(10.0 ** (-2 * min(settings.data.digits, 100)))))


def at_edge(results: Additions, findings: Findings) -> Found | None:
    """RG202: the value that got all sums right first is the smallest or the largest that was tried."""
    return at_edges(results, ((s.study, s.fastest) for s in findings.studied if s.fastest and not s.equal))


def never_right(results: Additions, _: Findings) -> Found | None:
    """RG204: finished runs that never had all sums of a test right."""
    runs = results.runs[(results.runs["status"] == "finished") & results.runs["first_step"].isna()]
    rows = runs.sort_values("exact_accuracy", kind="stable").to_dict("records")
    items: list[dict[str, Any]] = [
        {"run": str(row["run"]), "accuracy": float(row["exact_accuracy"])} for row in rows
    ]
    return Found("RG204", items, [item["run"] for item in items]) if items else None


def far_from_other_seeds(results: Additions, findings: Findings) -> Found | None:
    """RG306: runs that get all sums right at a step far, in powers of ten, from that of the other seeds."""
    return odd_seeds(
        results,
        findings.outliers,
        lambda item: {"step": round(10**-item.value), "usual": round(10**-item.middle)},
        "_step",
    )


CHECKS: Mapping[Code, Check] = {
    "RG103": seen_before,
    "RG201": unfinished,
    "RG202": at_edge,
    "RG204": never_right,
    "RG304": unequal_sizes,
    "RG305": few_seeds,
    "RG306": far_from_other_seeds,
}
