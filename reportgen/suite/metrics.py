"""What of a run a claim may speak of, by task."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["share", "seconds", "count", "number"]


@dataclass(frozen=True)
class Metric:
    """A number that every finished run has."""

    column: str
    """Its column in the table of runs."""
    kind: Kind
    """How it is written: shares of 1 are told in percent, and their differences in percentage points."""
    by_example: bool = False
    """Whether each test example has one, so that the chance in the test sample can be told."""
    by_chance: bool = True
    """Whether another seed could give another number."""
    comparable: bool = True
    """Whether it can be compared between machines."""
    logged: bool = False
    """Whether it is known only to a row of the log, of which there is one every `training.log_every` steps."""


METRICS: dict[str, dict[str, Metric]] = {
    "classification": {
        "test_accuracy": Metric("test_accuracy", "share", by_example=True),
        "test_loss": Metric("test_loss", "number", by_example=True),
        "validation_accuracy": Metric("validation_accuracy", "share"),
        "kept_epoch": Metric("kept_epoch", "count"),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "seconds_per_epoch": Metric("seconds_per_epoch", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    },
    "forecasting": {
        "train_loss": Metric("train_loss", "number"),
        "test_loss": Metric("test_loss", "number"),
        "forecast_from_half": Metric("forecast_from_half", "number"),
        "forecast_from_one": Metric("forecast_from_one", "number"),
        "evaluations": Metric("evaluations", "count"),
        "kept_step": Metric("kept_step", "count", logged=True),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    },
    "addition": {
        "test_loss": Metric("test_loss", "number"),
        "digit_accuracy": Metric("digit_accuracy", "share"),
        "exact_accuracy": Metric("exact_accuracy", "share"),
        "first_step": Metric("first_step", "count", logged=True),
        "steady_step": Metric("steady_step", "count", logged=True),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    },
}
"""By task, the metrics by the name that a claim calls them."""
