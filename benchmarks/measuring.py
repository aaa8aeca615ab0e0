"""What every benchmark needs: medians, tables in Markdown, and what a command and its children cost."""

import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Cost:
    """What a command and all its children took: seconds by the clock and of the processors, and memory in MiB."""

    wall: float
    cpu: float
    peak: float


def cost_of(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run a command to its end; CalledProcessError if it fails.

    Memory is the greatest sum, over the processes, of the proportional share (Pss), so that what they share counts
    once; looked at twice a second.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    peak = 0.0
    with subprocess.Popen(command, env={**os.environ, **(environment or {})}, cwd=cwd) as process:  # noqa: S603
        while True:
            try:
                process.wait(_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, sum(map(_shared_out, _family(process.pid))))
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak)


def _family(parent: int) -> list[int]:
    """Return a process and all that it started, directly or not."""
    found = [parent]
    for child in found:
        for file in Path(f"/proc/{child}/task").glob("*/children"):
            try:
                found += map(int, file.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def _shared_out(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def here(*packages: str) -> str:
    """Return a line on the machine, the date and the versions of the packages."""
    names = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    processor = names[0].split(":", 1)[1].strip() if names else platform.machine()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {processor}, {len(os.sched_getaffinity(0))} cores, "
        f"{pages / 2**30:.0f} GiB; Python {platform.python_version()}, {versions}."
    )


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []
