"""The checks of a forecasting suite."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reportgen.analysis.checks import (
    Check,
    Found,
    at_edges,
    by_data,
    few_seeds,
    odd_seeds,
    of_variants,
    repeated,
    unequal_sizes,
    unfinished,
)
from reportgen.analysis.studies import Study, families, studies
from reportgen.analysis.tables import geometric
from reportgen.lab.record import Record
from reportgen.suite.declarations import Code
from reportgen.tasks.forecasting.findings import Findings
from reportgen.tasks.forecasting.results import Forecasts


def chosen_by_test(results: Forecasts, findings: Findings) -> Found | None:
    """RG101: the leader, named by its error on the test part, is one of several candidates of a search."""
    items = [
        {"model": findings.leader, "count": len(members)}
        for members in families(results).values()
        if len(members) > 1 and findings.leader in members
    ]
    return of_variants("RG101", results, items)


def in_both_parts(results: Forecasts, _: Findings) -> Found | None:
    """RG103: sequences of the test part that are in the training part, too."""
    return repeated(results, {data["digest"]: data["counts"]["test"] for _, data in by_data(results)})


def at_edge(results: Forecasts, _: Findings) -> Found | None:
    """RG202: the value with the lowest error of a forecast is the smallest or the largest that was tried."""
    return at_edges(results, _best(results))


def _best(results: Forecasts) -> Iterator[tuple[Study, str]]:
    finished = results.runs.dropna(subset=["forecast_from_half"])
    errors = geometric(finished, ["variant"], "forecast_from_half").set_index("variant")["mean"]
    for study in studies(results.variants):
        own = errors[errors.index.isin(list(study.values))]
        if (own == own.min()).sum() == 1:  # of equal errors none is the lowest
            yield study, str(own.idxmin())


def worse_than_mean(results: Forecasts, _: Findings) -> Found | None:
    """RG302: runs whose forecast from half of the points is no better than the mean of the training part."""
    items = list(_worse_than_mean(results))
    return Found("RG302", items, [item["run"] for item in items]) if items else None


def _worse_than_mean(results: Forecasts) -> Iterator[dict[str, Any]]:
    for run, record in results.records.items():
        if record.status == "finished":
            error, mean = float(record.measures["forecast_from_half"]), error_of_mean(record)
            if error >= mean:
                yield {"run": run, "error": error, "mean": mean}


def error_of_mean(record: Record) -> float:
    """Return the mean squared error of always forecasting the training part's mean, on the network's scale."""
    data, truth = record.data, record.arrays["truth"]
    scaled = (truth[:, data["given"] :] - data["center"]) / data["spread"]
    return float(np.square(scaled).mean())


def dates_run_backwards(results: Forecasts, _: Findings) -> Found | None:
    """RG206: in the table of a series, dates that are before those above them."""
    items = [
        {
            "models": variants,
            "column": table["dates"],
            "count": table["backwards"],
            "line": table["backwards_line"],
        }
        for variants, data in by_data(results)
        if (table := data.get("table")) and table["backwards"]
    ]
    return of_variants("RG206", results, items)


def far_from_other_seeds(results: Forecasts, findings: Findings) -> Found | None:
    """RG306: runs whose error from half of the points lies far, in powers of ten, from that of the other seeds."""
    return odd_seeds(
        results, findings.outliers, lambda item: {"error": 10**-item.value, "mean": 10**-item.middle}, "_error"
    )


CHECKS: Mapping[Code, Check] = {
    "RG101": chosen_by_test,
    "RG103": in_both_parts,
    "RG201": unfinished,
    "RG202": at_edge,
    "RG206": dates_run_backwards,
    "RG302": worse_than_mean,
    "RG304": unequal_sizes,
    "RG305": few_seeds,
    "RG306": far_from_other_seeds,
}
