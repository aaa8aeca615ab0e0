"""Which modules report on which task."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_type_hints

Findings = Any
"""What a task's analysis finds: a class of its own in each of the modules for `analyse`."""


@dataclass(frozen=True)
class _Modules:
    """The modules of a task, by the stage that they are for; imported when they are needed."""

    collect: str
    analyse: str
    draw: str
    context: str
    numbers: str


_TASKS = {
    "classification": _Modules(
        "tasks.classification.results",
        "tasks.classification.findings",
        "tasks.classification.figures",
        "tasks.classification.context",
        "tasks.classification.numbers",
    ),
    "forecasting": _Modules(
        "tasks.forecasting.results",
        "tasks.forecasting.findings",
        "tasks.forecasting.figures",
        "tasks.forecasting.context",
        "tasks.forecasting.context",
    ),
    "addition": _Modules(
        "tasks.addition.results",
        "tasks.addition.findings",
        "tasks.addition.figures",
        "tasks.addition.context",
        "tasks.addition.context",
    ),
}


def module_for(task: str, stage: str) -> Any:
    """Return the module that does a stage for a task: collect, analyse, draw, context or numbers."""
    return import_module(f"reportgen.{getattr(_TASKS[task], stage)}")


def contexts() -> dict[str, type[Any]]:
    """Return by task what its templates may use: a class with a field a name."""
    return {task: get_type_hints(module_for(task, "context").build_context)["return"] for task in _TASKS}
