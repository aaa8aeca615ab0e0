"""One run: data, model, training, and a record of the outcome."""

import time
from datetime import UTC, datetime
from typing import Any, Protocol

import torch

from reportgen.errors import ReportgenError
from reportgen.lab.environment import collect, set_tf32
from reportgen.lab.failures import OutOfMemory, is_memory_error, told
from reportgen.lab.key import THREADS, key_of
from reportgen.lab.record import Outcome, Record
from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import NO_HOOKS, Diverged, Hooks
from reportgen.lab.user_class import source_of
from reportgen.lab.user_source import is_user_code


class Trains(Protocol):
    """What a run asks of its task: see `reportgen.tasks.base.Task`."""

    name: str

    def key_parts(self, settings: RunOfAnyTask) -> dict[str, Any]:
        """Return what the run's key holds of the task, the data's digest among it."""

    def carry_out(
        self,
        settings: RunOfAnyTask,
        seed: int,
        device: torch.device,
        hooks: Hooks,
        outcome: Outcome,
        checkpoint: Checkpoint,
    ) -> None:
        """Train and test one model, and fill in `outcome` on the way."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised by the callbacks of a run to end it without a record."""


def carry_out(
    task: Trains,
    settings: RunOfAnyTask,
    seed: int,
    parts: dict[str, Any],
    *,
    hooks: Hooks = NO_HOOKS,
    checkpoint: Checkpoint | None = None,
    last_try: bool = True,
) -> Record:
    """Train and test one model; a run that diverges or raises is a record, too.

    Args:
        task: whose run it is.
        settings: what to train, on what, and how.
        seed: of the initial weights, the order of the examples or the examples themselves, and dropout.
        parts: what the run's key is made of.
        hooks: called on the way; both may raise Cancelled.
        checkpoint: where the run keeps its state on the way.
        last_try: record that memory ran out, and do not ask for another try.

    Raises OutOfMemory if memory ran out and this is not the last try.
    """
    torch.set_num_threads(THREADS)
    device = torch.device(settings.device)
    record: dict[str, Any] = {
        "key": key_of(parts),
        "parts": parts,
        "settings": settings.as_printed(),
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": collect().as_json(),
        "status": "finished",
        "error": "",
        "task": task.name,
    }
    outcome = Outcome()
    began = time.perf_counter()
    try:
        _check_data(task, settings, parts)
        sources = _own_sources(settings, parts)
        set_tf32(getattr(settings.training, "precision", "float32"), device)
        with _seeded(seed, device):
            task.carry_out(settings, seed, device, hooks, outcome, checkpoint or Checkpoint())
    except Cancelled:
        raise
    except Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
    except (Exception, SystemExit) as error:  # the user's own class may call exit
        if not last_try and is_memory_error(error):
            raise OutOfMemory from None
        record |= {"status": "failed", "error": told(error)}
    if outcome.model:
        outcome.model |= sources
    return Record(**record, **vars(outcome), seconds=time.perf_counter() - began)


def _check_data(task: Trains, settings: RunOfAnyTask, parts: dict[str, Any]) -> None:
    """Raise ReportgenError if the data are not those of the key, under which the record would lie."""
    digest = task.key_parts(settings)["data"]
    if parts.get("data", digest) != digest:
        raise ReportgenError("the data have changed since the build began; run the same command again")


def _own_sources(settings: RunOfAnyTask, parts: dict[str, Any]) -> dict[str, str]:
    """Return the source of a cell or model and of a loss of the user's own, for the record's model."""
    cell, loss = settings.model.cell, getattr(settings.training, "loss", "")
    sources = {}
    if is_user_code(cell):
        sources["source"] = source_of(cell, parts.get("model.source"))
    if is_user_code(loss):
        sources["loss_source"] = source_of(loss, parts.get("training.source"))
    return sources


class _seeded:  # noqa: N801 - reads as a with-statement
    """Seeds torch's global generators, which layers draw their weights from, and puts them back."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.fork = torch.random.fork_rng(devices=[0] if device.type == "cuda" else [])

    def __enter__(self) -> None:
        self.fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *exception: Any) -> None:
        self.fork.__exit__(*exception)
