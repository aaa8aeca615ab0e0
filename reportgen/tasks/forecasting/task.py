"""Forecasting as the rest of the program sees it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.tasks.base import (
    ChecksModule,
    ContextModule,
    FiguresModule,
    FindingsModule,
    Metric,
    NumbersModule,
    ResultsModule,
    Task,
    UserCode,
    UserData,
    loaded_data,
    model_of,
    narrow,
)
from reportgen.tasks.forecasting.settings import (
    ForecasterSettings,
    ForecastingRun,
    ForecastTrainingSettings,
    LoadedSeriesSettings,
    SeriesSettings,
    SineSettings,
)

if TYPE_CHECKING:
    import torch

    from reportgen.lab.record import Outcome
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract


class Forecasting(Task):
    """Points of a sequence in, the next ones out."""

    name = "forecasting"
    data = (SineSettings, SeriesSettings, LoadedSeriesSettings)
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
        if isinstance(own.data, LoadedSeriesSettings):
            yield loaded_data(own.data)
        yield from model_of(own, self.name, input_size=1, goes_on=True)

    def load_user_data(self, settings: Mapping[str, Any]) -> UserData:
        """See `Task.load_user_data`."""
        from reportgen.tasks.forecasting.data import prepare

        return UserData(prepare.__wrapped__(LoadedSeriesSettings.model_validate(settings)).facts.digest)

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

    def results(self) -> ResultsModule:
        """See `Task.results`."""
        from reportgen.tasks.forecasting import results

        return results

    def findings(self) -> FindingsModule:
        """See `Task.findings`."""
        from reportgen.tasks.forecasting import findings

        return findings

    def checks(self) -> ChecksModule:
        """See `Task.checks`."""
        from reportgen.tasks.forecasting import checks

        return checks

    def figures(self) -> FiguresModule:
        """See `Task.figures`."""
        from reportgen.tasks.forecasting import figures

        return figures

    def context(self) -> ContextModule:
        """See `Task.context`."""
        from reportgen.tasks.forecasting import context

        return context

    def numbers(self) -> NumbersModule:
        """See `Task.numbers`."""
        from reportgen.tasks.forecasting import context

        return context
