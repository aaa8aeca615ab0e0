"""Forecasting as the rest of the program sees it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.tasks.base import Findings, Metric, Misfit, Task, UserCode, UserData, loaded_data, model_of, narrow
from reportgen.tasks.forecasting.settings import (
    ForecasterSettings,
    ForecastingRun,
    ForecastTrainingSettings,
    OwnSeriesSettings,
    SeriesSettings,
    SineSettings,
)

if TYPE_CHECKING:
    import torch

    from reportgen.analysis.checks import Checked
    from reportgen.analysis.results import Runs
    from reportgen.figures.deferred import Sketches
    from reportgen.i18n.languages import Language
    from reportgen.lab.record import Outcome, Record
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract
    from reportgen.report.context import Common
    from reportgen.suite.claims import Claim
    from reportgen.suite.declarations import Checks
    from reportgen.suite.expansion import Run
    from reportgen.suite.schema import Suite
    from reportgen.user_code.layers import Trial


class Forecasting(Task):
    """Points of a sequence in, the next ones out."""

    name = "forecasting"
    data = (SineSettings, SeriesSettings, OwnSeriesSettings)
    model = ForecasterSettings
    training = ForecastTrainingSettings
    run = ForecastingRun
    has_epochs = False
    has_predictions = False
    metrics: Mapping[str, Metric] = {
        "train_loss": Metric("train_loss", "number"),
        "test_loss": Metric("test_loss", "number"),
        "forecast_from_half": Metric("forecast_from_half", "number"),
        "forecast_from_one": Metric("forecast_from_one", "number"),
        "evaluations": Metric("evaluations", "count"),
        "kept_step": Metric("kept_step", "count", logged=True),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    }
    quick: Mapping[str, Mapping[str, int]] = {
        "data": {"sequences": 12, "length": 200, "limit": 50, "window": 200, "test": 2, "validation": 2},
        "training": {"steps": 5, "log_every": 1},
    }

    def key_parts(self, settings: RunOfAnyTask) -> dict[str, Any]:
        """See `Task.key_parts`."""
        from reportgen.tasks.forecasting.data import key_parts

        return key_parts(narrow(settings, ForecastingRun))

    def user_code(self, settings: RunOfAnyTask) -> Iterator[UserCode]:
        """See `Task.user_code`."""
        own = narrow(settings, ForecastingRun)
        if isinstance(own.data, OwnSeriesSettings):
            yield loaded_data(own.data)
        yield from model_of(own, self.name, input_size=1, goes_on=True)

    def precision_trial(self, settings: RunOfAnyTask) -> Mapping[str, Any] | None:  # noqa: ARG002
        """See `Task.precision_trial`: float32 and float64 are what every machine has."""
        return None

    def try_precision(self, precision: str, model: Mapping[str, Any], device: str) -> "Trial":
        """See `Task.try_precision`: never asked for."""
        raise NotImplementedError

    def misfits(self, settings: Sequence[RunOfAnyTask]) -> Iterator[tuple[RunOfAnyTask, Misfit]]:  # noqa: ARG002
        """See `Task.misfits`: none that the settings do not show."""
        yield from ()

    def load_user_data(self, settings: Mapping[str, Any]) -> UserData:
        """See `Task.load_user_data`."""
        from reportgen.tasks.forecasting.data import prepare

        return UserData(prepare.__wrapped__(OwnSeriesSettings.model_validate(settings)).facts.digest)

    def share_data(self, settings: RunOfAnyTask, folder: Path) -> None:
        """See `Task.share_data`: each run makes its own faster than it could read them."""

    def model_contract(self, outputs: int) -> "ModelContract":
        """See `Task.model_contract`."""
        from reportgen.tasks.forecasting.model import model_contract

        return model_contract(outputs)

    def carry_out(
        self,
        settings: RunOfAnyTask,
        seed: int,
        device: "torch.device",
        hooks: "Hooks",
        outcome: "Outcome",
        checkpoint: "Checkpoint",
    ) -> None:
        """See `Task.carry_out`."""
        from reportgen.tasks.forecasting.run import carry_out

        carry_out(narrow(settings, ForecastingRun), seed, device, hooks, outcome, checkpoint)

    def collect(self, pairs: "Sequence[tuple[Run, Record]]") -> "Runs":
        """See `Task.collect`."""
        from reportgen.tasks.forecasting.results import collect

        return collect(pairs)

    def analyse(self, results: "Runs", claims: "Sequence[Claim]", late: Collection[str]) -> Findings:
        """See `Task.analyse`."""
        from reportgen.tasks.forecasting.findings import analyse
        from reportgen.tasks.forecasting.results import Forecasts

        return analyse(narrow(results, Forecasts), claims, late)

    def check(self, results: "Runs", findings: Findings) -> "Checked":
        """See `Task.check`."""
        from reportgen.analysis.checks import look
        from reportgen.tasks.forecasting.checks import CHECKS

        return look(CHECKS, results, findings)

    def seconds_per_step(self, record: "Record") -> float:
        """See `Task.seconds_per_step`."""
        from reportgen.tasks.forecasting.results import seconds_per_step

        return seconds_per_step(record)

    def figures(
        self, results: "Runs", findings: Findings, language: "Language", sections: Collection[str]
    ) -> "Sketches":
        """See `Task.figures`."""
        from reportgen.tasks.forecasting import figures
        from reportgen.tasks.forecasting.findings import Findings as Own
        from reportgen.tasks.forecasting.results import Forecasts

        return figures.sketches(narrow(results, Forecasts), narrow(findings, Own), language, sections)

    def log(self, record: "Record") -> str:
        """See `Task.log`."""
        from reportgen.tasks.forecasting.context import log

        return log(record)

    def context_class(self) -> "type[Common]":
        """See `Task.context_class`."""
        from reportgen.tasks.forecasting.context import ForecastContext

        return ForecastContext

    def context(
        self,
        suite: "Suite",
        results: "Runs",
        findings: Findings,
        figures: Mapping[str, str],
        language: "Language",
        *,
        quick: bool,
    ) -> "Common":
        """See `Task.context`."""
        from reportgen.tasks.forecasting.context import build_context
        from reportgen.tasks.forecasting.findings import Findings as Own
        from reportgen.tasks.forecasting.results import Forecasts

        own_results, own_findings = narrow(results, Forecasts), narrow(findings, Own)
        return build_context(suite, own_results, own_findings, figures, language, quick=quick)

    def write_numbers(self, folder: Path, results: "Runs", findings: Findings, silence: "Checks") -> list[str]:
        """See `Task.write_numbers`."""
        from reportgen.tasks.forecasting.context import write
        from reportgen.tasks.forecasting.findings import Findings as Own
        from reportgen.tasks.forecasting.results import Forecasts

        return write(folder, narrow(results, Forecasts), narrow(findings, Own), silence)
