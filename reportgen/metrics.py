"""Metrics of the user's own, measured in a process apart on the predictions that the records hold."""

from dataclasses import replace
from pathlib import Path

from reportgen.analysis.metrics import own_metric, predicting
from reportgen.analysis.results import Results, Runs
from reportgen.errors import ReportgenError, SuiteError
from reportgen.executors.trying import measure
from reportgen.suite.document import Document, read_document
from reportgen.suite.profiles import with_profile
from reportgen.suite.schema import Suite


def with_metrics(results: Runs, suite: Suite, file: Path, profile: str | None) -> Runs:
    """Return the results with what the suite's own metrics give; SuiteError names one that gives nothing."""
    if not suite.metrics or not isinstance(results, Results):
        return results
    records = [results.records[run] for run in predicting(results)]
    cases = [
        (record.predictions["predicted"], record.predictions["target"], len(record.data["classes"]))
        for record in records
    ]
    found = []
    for place, declared in enumerate(suite.metrics):
        try:
            values, fault = measure(declared.function, cases)
        except ReportgenError as error:  # it hangs, or has ended its process
            raise SuiteError(
                [_document(file, profile).problem(("metrics", place), str(error), "an end")]
            ) from None
        if fault is not None:
            problem = _document(file, profile).problem(("metrics", place), fault.got, fault.expected, fault.where)
            raise SuiteError([problem])
        found.append(own_metric(declared, results, values))
    return replace(results, metrics=tuple(found))


def _document(file: Path, profile: str | None) -> Document:
    document = read_document(file)
    return with_profile(document, profile) if profile else document
