"""How many runs a minute one head node hands out and takes in, with runs that do nothing.

    python benchmarks/head_node.py --runs 2000 --jobs 2

Ray is started on this machine unless --address names a cluster. Each run is a Ray task and gives back a record
without numbers, which is written to the store and synced to the disk as with a real run; nothing is trained.
"""

import argparse
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from reportgen.executors.base import RunDone, Task, carry_out_all
from reportgen.executors.factory import chosen
from reportgen.lab.key import key_of
from reportgen.lab.record import Record, to_files


def nothing(task: Task, *_: object) -> dict[str, bytes]:
    """Return the record of a run that did nothing."""
    record = Record(
        key=task.key, parts=task.parts, settings={}, seed=task.seed, status="finished", error="", model={},
        data={}, environment={}, started="", seconds=0.0,
    )  # fmt: skip
    return to_files(record)


def task(seed: int) -> Task:
    """Return a run that only its seed tells from the others."""
    parts: dict[str, object] = {"seed": seed}
    return Task(f"nothing/seed={seed}", key_of(parts), {"device": "cpu"}, seed, parts, epochs=1)


def measure(runs: int, jobs: int | None, address: str | None) -> float:
    """Return the seconds that so many runs take, Ray's start and the first run of each worker left out."""
    chosen("ray", jobs, address)  # which readies the environment for Ray
    from reportgen.executors.cluster import Cluster

    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        carry_out_all(
            [task(seed) for seed in range(runs)],
            Path(folder),
            Cluster(address, jobs, work=nothing),
            lambda event: ends.append(time.perf_counter()) if isinstance(event, RunDone) else None,
        )
    warm = len(ends) // 10
    return (ends[-1] - ends[warm]) / (len(ends) - 1 - warm) * runs


def main() -> None:
    """Print the runs a minute, and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--jobs", type=int, help="runs side by side; one a CPU unless given")
    parser.add_argument("--address", help="HOST:PORT of a standing cluster")
    given = parser.parse_args()
    seconds = measure(given.runs, given.jobs, given.address)
    each = seconds / given.runs
    print(f"{given.runs} empty runs: {60 / each:,.0f} a minute, {each * 1e3:.1f} ms each")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}, Python "
        f"{platform.python_version()}, Ray {version('ray')}"
    )


if __name__ == "__main__":
    main()
