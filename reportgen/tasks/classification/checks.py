"""The checks of a classification suite."""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any

import pandas as pd

from reportgen.analysis.checks import (
    FEWEST_VALUES,
    SAMPLING_ERRORS,
    Check,
    Found,
    by_data,
    few_seeds,
    is_searched,
    means_of,
    odd_seeds,
    of_variants,
    repeated,
    unequal_sizes,
    unfinished,
)
from reportgen.analysis.studies import families, sweeps
from reportgen.suite.declarations import Code
from reportgen.tasks.classification.findings import Findings
from reportgen.tasks.classification.rankings import chosen
from reportgen.tasks.classification.results import Results

IMBALANCE = 4.0
"""Classes are unequal if the largest has so many times the examples of the smallest. With two classes the smaller
one then has a fifth of the examples, from where on Google's Machine Learning Crash Course speaks of a moderate
imbalance."""

UNSPACED = 0.5
"""The share of letters of such scripts from which on a text has no spaces to split at."""


def chosen_by_test(results: Results, findings: Findings) -> Found | None:
    """RG101: of a search, the best variant was named by its test accuracy.

    That is so where some candidate has no validation part, and where the report's leader is a candidate other
    than the one that the validation part chose.
    """
    validated = results.runs.groupby("variant")["validation_accuracy"].mean()
    picked = chosen(results)
    found = {}
    for base, members in families(results).items():
        by_test = not validated[members].notna().all()
        if len(members) > 1 and (by_test or (findings.leader in members and picked[base] != findings.leader)):
            found[base] = {"model": base if by_test else findings.leader, "count": len(members)}
    for sweep in sweeps(results).values():
        sizes = sweep.averages["base"].value_counts()
        for best in sweep.best:
            if best.validation is None:
                found.setdefault(best.base, {"model": best.base, "count": int(sizes[best.base])})
    return of_variants("RG101", results, found.values())


def tested_each_epoch(results: Results, _: Findings) -> Found | None:
    """RG102: without a validation part, the test part was evaluated after every epoch."""
    evaluated = set(results.epochs["variant"])
    names = [variant.name for variant in results.variants if variant.name in evaluated]
    models = [name for name in names if results.heldout_of(name) == "test"]
    return of_variants("RG102", results, [{"models": models}] if models else [])


def in_both_parts(results: Results, _: Findings) -> Found | None:
    """RG103: examples of the test part that are in the training part, too."""
    return repeated(results, {data["digest"]: sum(data["counts"]["test"]) for _, data in by_data(results)})


def unequal_classes(results: Results, _: Findings) -> Found | None:
    """RG104: the largest class of a training part has many times the examples of the smallest."""
    return of_variants("RG104", results, _unequal_classes(results))


def _unequal_classes(results: Results) -> Iterator[dict[str, Any]]:
    for models, data in by_data(results):
        sizes = dict(zip(data["classes"], data["counts"]["train"], strict=True))
        large, small = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
        ratio = sizes[large] / max(1, sizes[small])
        if ratio >= IMBALANCE:
            yield {
                "models": models, "largest": (data["source"], large), "most": sizes[large],
                "smallest": (data["source"], small), "fewest": sizes[small], "ratio": ratio,
            }  # fmt: skip


def order_not_needed(results: Results, _: Findings) -> Found | None:
    """RG105: on some data the best network is not clearly ahead of naive Bayes, which reads no order."""
    return of_variants("RG105", results, _order_not_needed(results), figures={"errors": SAMPLING_ERRORS})


def _order_not_needed(results: Results) -> Iterator[dict[str, Any]]:
    accuracies = means_of(results.runs, "test_accuracy")
    for models, data in by_data(results):
        own = accuracies[accuracies.index.isin(models)]
        baseline, total = data["naive_bayes_accuracy"], sum(data["counts"]["test"])
        if len(own) and not clearly_above(float(own.max()), baseline, total):
            yield {"model": str(own.idxmax()), "accuracy": float(own.max()), "baseline": baseline, "total": total}


def clearly_above(accuracy: float, other: float, examples: int) -> bool:
    """Tell whether an accuracy is above another by more than chance lets one of so many examples vary."""
    return accuracy - other > SAMPLING_ERRORS * sqrt(other * (1 - other) / examples)


def at_edge(results: Results, _: Findings) -> Found | None:
    """RG202: the best value of a sweep is the smallest or the largest that was tried."""
    return of_variants("RG202", results, _at_edge(results))


def _at_edge(results: Results) -> Iterator[dict[str, Any]]:
    for sweep in sweeps(results).values():
        sizes = sweep.averages["base"].value_counts()
        for best in sweep.best:
            if best.at_edge and sizes[best.base] >= FEWEST_VALUES and is_searched(sweep.setting):
                yield {
                    "model": best.base, "setting": sweep.setting, "value": best.value, "edge": best.at_edge,
                    "count": int(sizes[best.base]),
                }  # fmt: skip


def overfitting(results: Results, findings: Findings) -> Found | None:
    """RG203: the held-out loss rises while the training loss falls, as the findings judge it."""
    items = (
        {"model": fit.variant, "epoch": fit.lowest_epoch, "lowest": fit.lowest_loss, "last": fit.last_loss}
        for fit in findings.overfitting
        if fit.present
    )
    return of_variants("RG203", results, items)


def below_majority(results: Results, findings: Findings) -> Found | None:
    """RG301: a mean test accuracy that is not above that of always naming the most frequent class."""
    means = means_of(results.runs, "test_accuracy")
    items = (
        {"model": variant, "accuracy": float(means[variant]), "majority": majority}
        for variant, majority in findings.baselines.items()
        if means[variant] <= majority
    )
    return of_variants("RG301", results, sorted(items, key=lambda item: item["accuracy"]))


def above_training(results: Results, _: Findings) -> Found | None:
    """RG303: a mean test accuracy clearly above that of the training part in the epoch that was tested."""
    tested = means_of(results.runs, "test_accuracy")
    return of_variants("RG303", results, _above_training(results, tested), figures={"errors": SAMPLING_ERRORS})


def _above_training(results: Results, tested: "pd.Series[float]") -> Iterator[dict[str, Any]]:
    for variant, accuracy in tested[tested.index.isin(list(results.confusion))].items():
        records = [results.records[run] for run in results.runs_of(str(variant))]
        kept = [epoch for record in records for epoch in record.epochs if epoch["epoch"] == record.kept_epoch]
        train = sum(epoch["train_accuracy"] for epoch in kept) / len(kept)
        if clearly_above(float(accuracy), train, sum(records[0].data["counts"]["test"])):
            yield {"model": str(variant), "accuracy": float(accuracy), "train": train}


def words_without_spaces(results: Results, _: Findings) -> Found | None:
    """RG205: texts of a script without spaces, such as Chinese, that the suite splits into words at spaces."""
    items = [
        {"models": variants, "share": data["unspaced"]}
        for variants, data in by_data(results)
        if data.get("tokens") == "words" and data.get("unspaced", 0) >= UNSPACED
    ]
    return of_variants("RG205", results, items)


def far_from_other_seeds(results: Results, findings: Findings) -> Found | None:
    """RG306: runs whose test accuracy lies far from that of the other seeds of their model."""
    return odd_seeds(
        results,
        findings.outliers,
        lambda item: {"accuracy": item.value, "baseline": item.middle},
    )


CHECKS: Mapping[Code, Check] = {
    "RG101": chosen_by_test,
    "RG102": tested_each_epoch,
    "RG103": in_both_parts,
    "RG104": unequal_classes,
    "RG105": order_not_needed,
    "RG201": unfinished,
    "RG202": at_edge,
    "RG203": overfitting,
    "RG205": words_without_spaces,
    "RG301": below_majority,
    "RG303": above_training,
    "RG304": unequal_sizes,
    "RG305": few_seeds,
    "RG306": far_from_other_seeds,
}
