"""What a build is asked for, and what it came to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.executors.base import Executor
from reportgen.executors.pool import Pool


@dataclass(frozen=True)
class Options:
    """How to build: where to, and how much."""

    build: Path = Path("build")
    quick: bool = False
    profile: str | None = None
    """One of the suite's profiles; the suite as it is without one."""
    jobs: int | None = None
    formats: tuple[str, ...] = ()
    """In place of the suite's formats."""
    executor: Executor | None = None
    """Where runs are carried out; None is a pool of processes on this machine."""

    @property
    def place(self) -> Executor:
        """Where runs are carried out."""
        return self.executor or Pool(self.jobs)


@dataclass(frozen=True)
class Outcome:
    """What a build came to."""

    folder: Path
    reports: list[Path]
    trained: int
    reused: int
    unfinished: list[str]
    """Names of the runs that diverged or failed."""
    seconds: float
    up_to_date: bool
    notes: list[str]
    """What the user should know of the suite, and of the reports that were there before."""
    claims: list[dict[str, Any]]
    """The claims of the suite with their verdicts, as results.json has them."""
    checks: list[str]
    """A line for each check that found something."""
    imported: int = 0
