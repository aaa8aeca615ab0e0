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


Event = Begun | RunStarted | EpochDone | RunDone
