"""What short commands cost, as the median of some runs: wall time, CPU seconds, memory of the largest process."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import COMPILED, ROOT, processes_of, seconds_of

_LOOK_SECONDS = 0.1


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
    environment = {**os.environ, **COMPILED, "PYTHONPATH": str(ROOT)}
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
    seconds, peaks = dict[int, float](), [0.0]

    def look() -> None:  # the system does not count what a fork server and its copies take: see measuring.cost_of
        while True:
            for one in processes_of(process.pid):
                seconds[one] = max(seconds.get(one, 0.0), seconds_of(one))
                peaks.append(peak_of(one))
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=look, daemon=True).start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(1)
    cpu = max(used.ru_utime + used.ru_stime, sum(seconds.values()))
    print(json.dumps([wall, cpu, max(used.ru_maxrss / 1024, *peaks)]))


def peak_of(process: int) -> float:
    """Return the most memory that a process has had, in MiB; 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def reportgen(*arguments: object) -> list[str]:
    """Return the command line of reportgen."""
    return [sys.executable, "-m", "reportgen", *map(str, arguments)]


def _said(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    _measure(sys.argv[1:])
