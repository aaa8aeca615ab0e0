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

ROOT = Path(__file__).parents[1]

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""What lets Python keep what it has compiled, as it does for a package that pip has installed."""

_LOOK_SECONDS = 0.5
_LOOKS_PER_MEMORY = 4  # to ask for it keeps a process from its work for some 20 ms


@dataclass(frozen=True)
class Cost:
    """What a command and all its children took: seconds by the clock and of the processors, and memory in MiB."""

    wall: float
    cpu: float
    peak: float


def cost_of(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run a command to its end; CalledProcessError if it fails.

    Memory is the greatest sum, over the processes, of the proportional share (Pss), so that what they share counts
    once; looked at every two seconds. The seconds of processors are looked at, too: the system counts those of
    children that somebody has waited for, which leaves out a fork server and its copies.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    peak, seen, looks = 0.0, dict[int, float](), 0
    own = {**os.environ, **COMPILED, **(environment or {})}
    with subprocess.Popen(command, env=own, cwd=cwd) as process:  # noqa: S603
        while True:
            try:
                process.wait(_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                now = processes_of(process.pid)
                looks += 1
                if looks % _LOOKS_PER_MEMORY == 0:
                    peak = max(peak, sum(map(memory_of, now)))
                seen |= {one: seconds for one in now if (seconds := seconds_of(one))}
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, max(cpu, sum(seen.values())), peak)


def seconds_of(process: int) -> float:
    """Return the seconds that processors have spent on a process; 0 for one that has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime: see proc(5)


def processes_of(parent: int) -> list[int]:
    """Return a process and all that it started, directly or not."""
    found = [parent]
    for child in found:
        for file in Path(f"/proc/{child}/task").glob("*/children"):
            try:
                found += map(int, file.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def memory_of(process: int) -> float:
    """Return the MiB of a process, what it shares divided by those that share it; 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    return "\n".join(map(row, [head, [":---", *["---:"] * (len(head) - 1)], *rows]))


def row(cells: Sequence[object]) -> str:
    """Return a row of a Markdown table, for those that are printed as they come."""
    return f"| {' | '.join(map(str, cells))} |"


def machine(packages: Sequence[str] = (), others: Mapping[str, str] = {}) -> str:
    """Return a line on the machine, its load, the date and versions."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [*(f"{name} {version(name)}" for name in packages), *(f"{k} {v}" for k, v in others.items())]
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}", _cpu(), f"{cores} cores", f"load {load} at the end",
        f"Python {platform.python_version()}", *versions,
    ]  # fmt: skip
    return ", ".join(parts)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
