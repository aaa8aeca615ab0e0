"""The tasks that there are: a new one is a folder beside this file, and one line here."""

from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask, Settings
from reportgen.tasks.addition.task import Addition
from reportgen.tasks.base import Task, sources
from reportgen.tasks.classification.task import Classification
from reportgen.tasks.forecasting.task import Forecasting

if TYPE_CHECKING:
    from reportgen.report.context import Common

TASKS: list[Task] = [Classification(), Forecasting(), Addition()]
"""The first is that of a suite whose data source is none that there is."""


def data_sources() -> dict[str, type[Settings]]:
    """Return the data sources of all tasks by name."""
    return {name: kind for task in TASKS for name, kind in sources(task).items()}


def task_of(source: object) -> Task:
    """Return the task that a data source is for; the first task for what is no data source at all."""
    return next((task for task in TASKS if isinstance(source, str) and source in sources(task)), TASKS[0])


def task_named(name: str) -> Task:
    """Return the task of this name, as records have it; KeyError if there is none."""
    return {task.name: task for task in TASKS}[name]


def run_settings(plain: dict[str, Any]) -> RunOfAnyTask:
    """Return the settings of a run from plain values, whatever its task."""
    return task_of(plain["data"]["source"]).run.model_validate(plain)


def contexts() -> "dict[str, type[Common]]":
    """Return by task what its templates may use: a class with a field a name."""
    return {task.name: task.context().CONTEXT for task in TASKS}
