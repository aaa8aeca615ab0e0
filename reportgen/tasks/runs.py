"""Runs of any task: their keys, and carrying them out."""

from typing import TYPE_CHECKING, Any

from reportgen.lab import key
from reportgen.lab.settings import RunOfAnyTask
from reportgen.tasks.registry import task_of

if TYPE_CHECKING:  # torch is imported with it
    from reportgen.lab.record import Record


def key_parts(settings: RunOfAnyTask, seed: int) -> dict[str, Any]:
    """Return what the key of a run is made of: the name of each part and its value. Imports no torch."""
    task = task_of(settings.data.source)
    return key.key_parts(settings, seed, task.key_parts(settings), key.code_digest(task.name))


def carry_out(settings: RunOfAnyTask, seed: int, parts: dict[str, Any], **how: Any) -> "Record":
    """Train and test one model; the other arguments are those of `reportgen.lab.run.carry_out`."""
    from reportgen.lab import run

    return run.carry_out(task_of(settings.data.source), settings, seed, parts, **how)
