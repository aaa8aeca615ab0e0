"""What can be wrong with the logs and the metrics that a suite names, before any of them is read."""

from collections.abc import Iterator

from reportgen.errors import Problem
from reportgen.suite.document import Document, shown
from reportgen.suite.files import data_problems, own_problems
from reportgen.suite.messages import repetitions
from reportgen.suite.schema import Suite
from reportgen.suite.tasks import CLASSIFICATION, task_of


def log_problems(suite: Suite, document: Document, *, files: bool) -> Iterator[Problem]:
    """Yield what is wrong with each `import`; `files`: a log that is not there, too."""
    for i, run in enumerate(suite.runs):
        if run.imported is None:
            continue
        path = ("runs", i, "import")
        if task_of(suite.data.source) is not CLASSIFICATION:
            got = f"a log of epochs with source {suite.data.source}"
            yield document.problem(path, got, "import in a suite that classifies")
        logs, seeds = len(run.imported.path), len(suite.seeds)
        if logs > seeds:
            expected = "a log a seed, or fewer; seeds: [0, 1, …] says how many there are"
            yield document.problem((*path, "path"), f"{logs} logs for {seeds} seeds", expected)
        for _, name in run.imported.logs(suite.seeds) if files else ():
            yield from data_problems(name, (*path, "path"), "file", document, "a log that is there")


def metric_problems(suite: Suite, document: Document, *, files: bool) -> Iterator[Problem]:
    """Yield what is wrong with each of `metrics`; `files`: a file that is not there, too."""
    if suite.metrics and task_of(suite.data.source) is not CLASSIFICATION:
        got = f"metrics of classes with source {suite.data.source}"
        yield document.problem(("metrics",), got, "metrics in a suite that classifies")
    for i, name in repetitions([metric.name for metric in suite.metrics]):
        yield document.problem(("metrics", i), f"the metric {shown(name)} a second time", "a name of its own")
    for i, metric in enumerate(suite.metrics if files else ()):
        yield from own_problems(metric.function, ("metrics", i), "function", document)
