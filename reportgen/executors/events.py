"""What an executor tells while it works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A run to carry out: its name for people, its settings, and the parts of its key."""

    name: str
    key: str
    settings: dict[str, object]
    seed: int
    parts: dict[str, object]
    epochs: int
    unit: str = "epoch"
    """What `epochs` counts: epochs, or the steps of a task that has no epochs."""
    found: str = ""
    """Digest of the record that was there when the run was planned; empty without one."""
    alone: bool = False
    """Whether its time is compared with that on another device, so that no other run is to share its GPU."""


@dataclass(frozen=True)
class Begun:
    """So many runs, of so many epochs in all, are to be carried out."""

    runs: int
    epochs: int


@dataclass(frozen=True)
class EpochDone:
    """A run has finished an epoch, or got so far in steps."""

    name: str
    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    """None where there is nothing to be right or wrong about."""
    unit: str = "epoch"


@dataclass(frozen=True)
class RunStarted:
    """A worker has begun a run."""

    name: str
    epochs: int


@dataclass(frozen=True)
class RunDone:
    """A run has its record."""

    name: str
    status: str
    seconds: float
    error: str = ""
    here: bool = True
    """Whether this build made the record; another one that ran meanwhile may have."""


@dataclass(frozen=True)
class CardMeasured:
    """How many runs will share the GPU."""

    workers: int
    rates: dict[int, float]
    """Batches a second by how many workers trained side by side."""
    why: str
    """Why there are no more."""


Event = Begun | CardMeasured | RunStarted | EpochDone | RunDone
