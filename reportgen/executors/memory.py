"""How many runs the memory of this machine has room for."""

from pathlib import Path

A_RUN = 1 * 2**30
"""Bytes that a run may need. Measured: 0.5 GiB for film-review snippets, and 0.9 for reviews of 300 words."""

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def enough_for(free: int | None) -> int:
    """Return how many runs `free` bytes have room for, at least one; many if nobody knows how much is free."""
    return 10**6 if free is None else max(1, free // A_RUN)


def free(meminfo: Path = _MEMINFO, group: Path = _GROUP) -> int | None:
    """Return the bytes that are free, within the limits of a container; None where the system does not tell.

    Args:
        meminfo: where Linux tells of its memory.
        group: where it tells of the container's, as the second version of control groups has it.
    """
    try:
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        found = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit, used = ((group / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        return found if limit == "max" else min(found, int(limit) - int(used))
    except (OSError, ValueError):
        return found
