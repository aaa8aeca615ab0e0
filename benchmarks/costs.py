"""What a command costs: wall time, CPU seconds and peak memory of the whole process tree, as a Markdown table."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cost:
    """What a command took, the median of some runs; `peak` is of its largest process."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of all its processes."""
    peak: float
    """MiB, of the process that took most."""
    walls: tuple[float, ...]
    """Seconds of each run."""

    def cells(self) -> list[str]:
        """Return what a row of a table says of it."""
        return [f"{self.wall:.2f}", f"{self.cpu:.2f}", f"{self.peak:.0f}", _said(self.walls)]


HEAD = ["wall, s", "CPU, s", "peak memory, MiB", "wall of each run, s"]


def cost(command: Sequence[str], times: int = 3, folder: Path = ROOT) -> Cost:
    """Return the medians over some runs of a command; RuntimeError if it fails."""
    runs = [_once(command, folder) for _ in range(times)]
    wall, cpu, peak = (statistics.median(values) for values in zip(*runs, strict=True))
    return Cost(wall, cpu, peak, tuple(run[0] for run in runs))


def _once(command: Sequence[str], folder: Path) -> tuple[float, float, float]:
    # by a process of its own, which is small: a new process counts the memory of the one that starts it as its own
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    small = [sys.executable, __file__, *command]
    done = subprocess.run(small, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stderr[-2000:]}")
    wall, cpu, peak = json.loads(done.stdout)
    return wall, cpu, peak


def _measure(command: Sequence[str]) -> None:
    """Run a command and print what it took, as JSON."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - written in this folder
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(1)
    print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))


def reportgen(*arguments: object) -> list[str]:
    """Return the command line of reportgen."""
    return [sys.executable, "-m", "reportgen", *map(str, arguments)]


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


def _said(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    _measure(sys.argv[1:])
