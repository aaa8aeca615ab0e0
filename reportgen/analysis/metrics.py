"""Metrics of the user's own: measured on the predictions of each run, and averaged by variant."""

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.results import Runs
from reportgen.suite.declarations import MetricDeclaration
from reportgen.suite.text import Text


@dataclass(frozen=True)
class UserMetric:
    """What a metric gives: `runs` has run, variant and value, a row a finished run that has predictions."""

    name: str
    label: Text
    percent: bool
    runs: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """Return a row a variant, by name: mean and std (sample standard deviation) of the value."""
        return self.runs.groupby("variant", sort=False)["value"].agg(["mean", "std"])


def predicting(results: Runs) -> list[str]:
    """Return the finished runs that have predictions, in the order of the suite."""
    finished = results.runs.loc[results.runs["status"] == "finished", "run"]
    return [run for run in finished if results.records[run].predictions]


def user_metric(declared: MetricDeclaration, results: Runs, values: list[float]) -> UserMetric:
    """Gather the values of a metric, one for each of the runs of `predicting`."""
    variants = dict(zip(results.runs["run"], results.runs["variant"], strict=True))
    rows = [(run, variants[run], value) for run, value in zip(predicting(results), values, strict=True)]
    table = pd.DataFrame(rows, columns=["run", "variant", "value"])
    return UserMetric(declared.name, declared.shown, declared.percent, table)
