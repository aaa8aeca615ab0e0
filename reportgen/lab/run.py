"""One run: data, model, training, and a record of the outcome."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch

from reportgen.lab.environment import collect, set_tf32
from reportgen.lab.failures import OutOfMemory, is_memory_error, told
from reportgen.lab.key import THREADS, key_of
from reportgen.lab.record import Record
from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.training import steps
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Diverged, Epoch
from reportgen.lab.training.steps import Hooks, Logged, Outcome
from reportgen.lab.user_class import source_of
from reportgen.lab.user_source import is_own
from reportgen.tasks.addition import run as addition_run
from reportgen.tasks.addition.settings import AdditionRun
from reportgen.tasks.classification.run import _classify
from reportgen.tasks.classification.settings import RunSettings
from reportgen.tasks.forecasting import run as forecasting_run
from reportgen.tasks.forecasting.settings import ForecastingRun
from reportgen.tasks.registry import task_of


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised by the callbacks of a run to end it without a record."""


def carry_out(
    settings: RunOfAnyTask,
    seed: int,
    parts: dict[str, Any],
    *,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_step: Callable[[Logged], None] = lambda _: None,
    on_batch: Callable[[], None] = lambda: None,
    checkpoint: Checkpoint | None = None,
    last_try: bool = True,
) -> Record:
    """Train and test one model; a run that diverges or raises is a record, too.

    Args:
        settings: what to train, on what, and how.
        seed: of the initial weights, the order of the examples or the examples themselves, and dropout.
        parts: what the run's key is made of.
        on_epoch: called after each epoch.
        on_step: called after each row of the log of a task that is counted in steps.
        on_batch: called before each batch; all of them may raise Cancelled.
        checkpoint: where the run keeps its state on the way.
        last_try: record that memory ran out, and do not ask for another try.

    Raises OutOfMemory if memory ran out and this is not the last try.
    """
    torch.set_num_threads(THREADS)
    device = torch.device(settings.device)
    record: dict[str, Any] = {
        "key": key_of(parts),
        "parts": parts,
        "settings": settings.told(),
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": collect().as_json(),
        "status": "finished",
        "error": "",
        "model": {},
        "data": {},
        "task": task_of(settings.data.source).name,
    }
    began = time.perf_counter()
    try:
        set_tf32(getattr(settings.training, "precision", "float32"), device)
        with _seeded(seed, device):
            if isinstance(settings, RunSettings):
                _classify(settings, seed, device, record, on_epoch, on_batch, checkpoint or Checkpoint())
            else:
                _step_by_step(settings, seed, device, record, Hooks(on_step, on_batch), checkpoint or Checkpoint())
    except Cancelled:
        raise
    except Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
        record["epochs"] = [asdict(epoch) for epoch in diverged.epochs]
    except steps.Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
    except (Exception, SystemExit) as error:  # the user's own class may call exit
        if not last_try and is_memory_error(error):
            raise OutOfMemory from None
        record |= {"status": "failed", "error": told(error)}
    return Record(**record, seconds=time.perf_counter() - began)


def _step_by_step(
    settings: ForecastingRun | AdditionRun,
    seed: int,
    device: torch.device,
    record: dict[str, Any],
    hooks: Hooks,
    checkpoint: Checkpoint,
) -> None:
    outcome = Outcome()
    cell = settings.model.cell
    source = {"source": source_of(cell, record["parts"].get("model.source"))} if is_own(cell) else {}
    try:
        if isinstance(settings, ForecastingRun):
            forecasting_run.carry_out(settings, device, hooks, outcome, checkpoint)
        else:
            addition_run.carry_out(settings, seed, device, hooks, outcome, checkpoint)
    finally:
        outcome.model |= source if outcome.model else {}
        record |= vars(outcome)


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
