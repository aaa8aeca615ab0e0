"""What a build is asked for, and what it came to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.executors.base import Executor
from reportgen.executors.pool import Pool
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.schema import Suite


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


def read_claims_and_checks(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the claims with their verdicts, and a line for each check, from the numbers beside the reports.

    A build with nothing to do has judged nothing anew, and its numbers are as they were written.
    """
    told = json.loads(UntrustedFolder(folder).read("results.json"))
    return told["claims"], told["checks"]["lines"]


def unsupported(claims: Sequence[dict[str, Any]]) -> list[str]:
    """Return the claims that the runs do not support: contradicted, or inconclusive."""
    return [str(claim["claim"]) for claim in claims if claim["verdict"] != "supported"]


def line(claim: dict[str, Any]) -> str:
    """Return a line on a claim: verdict, claim, and the p value that decided."""
    known = claim["adjusted"]
    p = "" if known is None else "  (p < 0.001)" if known < 0.0005 else f"  (p = {known:.3f})"
    return f"{claim['verdict']:<12} {claim['claim']}{p}"


def unprinted(suite: Suite) -> list[str]:
    """Return a note where claims are judged but stand in no section."""
    if suite.claims and "claims" not in suite.sections:
        return ["claims: evaluated but not in the report, because sections: does not list claims"]
    return []
