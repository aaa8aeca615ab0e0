"""Checks of data, runs and results, each with a code; `reportgen.report.checks` words them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from reportgen.analysis.comparisons import FEWEST
from reportgen.analysis.outliers import Outlier
from reportgen.analysis.results import Runs
from reportgen.analysis.statistics import ALPHA
from reportgen.analysis.studies import Study
from reportgen.suite.declarations import Code


@dataclass(frozen=True)
class Found:
    """A weakness, and what has it.

    Figures go by the placeholders of the catalogue's sentences, where their names also say how they are written:
    `model` is a variant, `accuracy` a fraction of 1.
    """

    code: Code
    items: Sequence[Mapping[str, Any]]
    """One for each thing that has the weakness, the worst first."""
    runs: Sequence[str]
    """Names of the runs that show it."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Figures that are not of a single item."""
    form: str = ""
    """Ending of the sentence's key, where a check has one sentence a task."""


@dataclass(frozen=True)
class Checked:
    """What was looked for, and what was found of it, both in the order of the codes."""

    looked_for: Sequence[Code]
    found: Sequence[Found]


Check = Callable[[Any, Any], Found | None]
"""Takes the results and the findings of a task; None if there is nothing to tell."""


def of_variants(code: Code, results: Runs, items: Iterable[Mapping[str, Any]], **rest: Any) -> Found | None:
    """Return what was found, with the finished runs of the variants that the items are about; None without items.

    An item names its variants under model, large, small, or models, of which there are several.
    """
    items = list(items)
    named = [item.get(key) for item in items for key in ("model", "large", "small")]
    variants = [*named, *(variant for item in items for variant in item.get("models", ()))]
    runs = [run for variant in dict.fromkeys(variants) if variant for run in results.runs_of(variant)]
    return Found(code, items, runs, **rest) if items else None


SAMPLING_ERRORS = 2.0
"""An accuracy is clearly above another from so many standard errors on, sqrt(p (1 − p) / n) for n test examples.

Two of them are about the half width of a 95 % interval of a proportion (Manning et al. 2008 and every textbook).
"""

PARAMETER_RATIO = 1.5
"""Sizes are far apart from this ratio on: between the 4/3 of LSTM and GRU and the 3 of GRU and RNN of one hidden
size, of which the first are usually compared as equals."""

FEWEST_VALUES = 3
"""A sweep has an edge from so many values on; of two values each is at an edge."""


def unfinished(results: Runs, _: Any) -> Found | None:
    """RG201: runs that diverged or failed."""
    rows = results.runs[results.runs["status"] != "finished"].to_dict("records")
    items = [{"run": str(row["run"]), "status": str(row["status"])} for row in rows]
    return Found("RG201", items, [item["run"] for item in items]) if items else None


def unequal_sizes(results: Runs, findings: Any) -> Found | None:
    """RG304: models, other than changes of one another, that have many times the parameters of the smallest."""
    changes = {variant.name for variant in results.variants if variant.baseline}
    table = findings.comparison
    declared = table[(table["finished"] > 0) & ~table["variant"].isin(changes)]
    own = declared.set_index("variant")["parameters"].dropna()  # of an imported run nobody knows them
    if own.empty:
        return None
    small, fewest = str(own.idxmin()), int(own.min())
    larger = own[own >= PARAMETER_RATIO * fewest].sort_values(ascending=False, kind="stable")
    items = (
        {"large": str(name), "small": small, "ratio": more / fewest, "more": int(more), "fewer": fewest}
        for name, more in larger.items()
    )
    return of_variants("RG304", results, items)


def few_seeds(results: Runs, findings: Any) -> Found | None:
    """RG305: so few seeds that no order can be clear, or that none is without assuming a normal distribution."""
    reach = findings.reach
    if reach is None or reach.seeds >= reach.needed_for_all:
        return None
    figures = {
        "seeds": reach.seeds, "p": reach.smallest, "comparisons": reach.comparisons,
        "level": ALPHA / reach.comparisons, "needed": reach.needed_for_all, "fewest": FEWEST,
    }  # fmt: skip
    runs = [run for variant in results.variants for run in results.runs_of(variant.name)]
    return Found("RG305", [], runs, figures, form="_two" if reach.seeds < FEWEST else "")


def odd_seeds(
    results: Runs, outliers: Iterable[Outlier], written: Callable[[Outlier], Mapping[str, Any]], form: str = ""
) -> Found | None:
    """RG306: runs whose result lies far from the other seeds of their model.

    Args:
        results: of all runs.
        outliers: the runs.
        written: gives the figures of the task's sentence: what the run came to, and the median of the other seeds.
        form: ending of the sentence's key.
    """
    names = {(row["variant"], row["seed"]): str(row["run"]) for row in results.runs.to_dict("records")}
    found = {names[item.variant, item.seed]: item for item in outliers}
    items = [
        {"model": item.variant, "seed": item.seed, "others": item.others, **written(item)}
        for item in found.values()
    ]
    return Found("RG306", items, list(found), form=form) if items else None


def edge(values: Mapping[str, float], best: str) -> str:
    """Return `smallest` or `largest` if the value of the best variant is at that edge; nothing if it is between.

    Fewer than FEWEST_VALUES different values have no edge.
    """
    if len(set(values.values())) < FEWEST_VALUES:
        return ""
    return {min(values.values()): "smallest", max(values.values()): "largest"}.get(values[best], "")


def at_edges(results: Runs, best: Iterable[tuple[Study, str]]) -> Found | None:
    """RG202: studies of a number whose best variant has the smallest or the largest value that was tried."""
    return of_variants("RG202", results, _at_edges(best))


def _at_edges(best: Iterable[tuple[Study, str]]) -> Iterator[dict[str, Any]]:
    for study, variant in best:
        place = edge(study.values, variant) if study.numeric else ""
        if place and study.base and is_searched(study.setting):
            yield {
                "model": study.base, "setting": study.setting, "value": study.values[variant], "edge": place,
                "count": len(set(study.values.values())),
            }  # fmt: skip


def is_searched(setting: str) -> bool:
    """Tell whether a best value of the setting is wanted: more data, or shorter numbers, are always easier."""
    return not setting.startswith("data.")


def by_data(results: Runs) -> list[tuple[list[str], dict[str, Any]]]:
    """Return each data set's facts with the variants that were trained on it, in the order of the suite."""
    found: dict[str, tuple[list[str], dict[str, Any]]] = {}
    for variant in results.variants:
        record = results.record_of(variant.name)
        if record is not None and record.data:
            found.setdefault(record.data["digest"], ([], record.data))[0].append(variant.name)
    return list(found.values())


def repeated(results: Runs, totals: Mapping[str, int]) -> Found | None:
    """RG103: examples of the test part that are in the training part, too; `totals`: test examples by digest."""
    items = (
        {
            "models": variants,
            "count": data["repeated"],
            "total": totals[data["digest"]],
            "share": data["repeated"] / totals[data["digest"]],
        }
        for variants, data in by_data(results)
        if data["repeated"]
    )
    return of_variants("RG103", results, items)


def means_of(runs: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return by variant the mean of a column over its finished runs."""
    finished = runs[runs["status"] == "finished"]
    return finished.groupby("variant", sort=False)[column].mean()


def look(checks: Mapping[Code, Check], results: Runs, findings: Any) -> Checked:
    """Look for all that a reader should know before believing the numbers, in the order of the codes."""
    found = [check(results, findings) for check in checks.values()]
    return Checked(tuple(checks), [item for item in found if item is not None])
