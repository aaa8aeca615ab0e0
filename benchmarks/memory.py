"""Peak memory of a build, all processes together: python benchmarks/memory.py [SUITE] [--jobs N].

Every 50 ms the PSS of the whole process tree is summed (Linux: a page that several processes share counts once).
The build goes into a folder of its own, so that all is trained.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from costs import reportgen
from measuring import ROOT, machine, memory_of, processes_of, table

_EVERY = 0.05


def main() -> None:
    """Print the peak, and what the build was at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", nargs="?", default=str(ROOT / "experiments" / "suite_rnn_vs_lstm.yaml"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="two epochs a run, which take the memory of all")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quick"] if asked.quick else []
        command = reportgen("build", asked.suite, "--build-dir", folder, "--jobs", asked.jobs, *options)
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        peak, processes, at = 0.0, 0, 0.0
        while process.poll() is None:
            sizes = [memory_of(pid) for pid in processes_of(process.pid)]
            if sum(sizes) > peak:
                peak, processes, at = sum(sizes), len(sizes), time.perf_counter() - began
            time.sleep(_EVERY)
        seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the build ended with {process.returncode}")
    name = f"`reportgen build {Path(asked.suite).name} {' '.join([*options, '--jobs', str(asked.jobs)])}`"
    print(table(["command", "peak, MiB", "processes then", "after, s", "wall, s"],
                [[name, f"{peak:.0f}", processes, f"{at:.0f}", f"{seconds:.0f}"]]))  # fmt: skip
    print("\n" + machine(["torch", "weasyprint"]))


if __name__ == "__main__":
    main()
