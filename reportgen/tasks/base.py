"""The tasks that a suite can set. `data.source` decides which one it is, and so which settings there are."""

from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import Field

from reportgen.lab.settings import Settings
from reportgen.tasks.addition.settings import (
    AdderSettings,
    AdditionRun,
    AdditionSettings,
    AdditionTrainingSettings,
)
from reportgen.tasks.classification.settings import (
    DATA_SETTINGS,
    ClassificationData,
    ModelSettings,
    RunSettings,
    TrainingSettings,
)
from reportgen.tasks.forecasting.settings import (
    ForecasterSettings,
    ForecastingRun,
    ForecastTrainingSettings,
    OwnSeriesSettings,
    SeriesSettings,
    SineSettings,
)

AnyRun = RunSettings | ForecastingRun | AdditionRun
AnyData = Annotated[
    ClassificationData | SineSettings | SeriesSettings | OwnSeriesSettings | AdditionSettings,
    Field(discriminator="source"),
]


@dataclass(frozen=True)
class Task:
    """A task, its data sources, and the classes of its settings."""

    name: str
    data: tuple[type[Settings], ...]
    model: type[Settings]
    training: type[Settings]
    run: type[AnyRun]

    @property
    def sources(self) -> dict[str, type[Settings]]:
        """The data sources by the name that a suite gives them."""
        return {name: kind for kind in self.data for name in get_args(kind.model_fields["source"].annotation)}


CLASSIFICATION = Task("classification", DATA_SETTINGS, ModelSettings, TrainingSettings, RunSettings)
TASKS = (
    CLASSIFICATION,
    Task(
        "forecasting",
        (SineSettings, SeriesSettings, OwnSeriesSettings),
        ForecasterSettings,
        ForecastTrainingSettings,
        ForecastingRun,
    ),
    Task("addition", (AdditionSettings,), AdderSettings, AdditionTrainingSettings, AdditionRun),
)
SOURCES = {name: settings for task in TASKS for name, settings in task.sources.items()}


def task_of(source: object) -> Task:
    """Return the task that a data source is for; classification for what is no data source at all."""
    return next((task for task in TASKS if isinstance(source, str) and source in task.sources), CLASSIFICATION)


def run_settings(plain: dict[str, Any]) -> AnyRun:
    """Return the settings of a run from plain values, whatever its task."""
    return task_of(plain["data"]["source"]).run.model_validate(plain)
