"""The executor that the command line asks for."""

import os
import secrets
from importlib.util import find_spec
from pathlib import Path

from reportgen.errors import ReportgenError
from reportgen.executors.base import Executor
from reportgen.executors.pool import Pool

NAMES = ("local", "ray")
_TOKEN = Path("~/.ray/auth_token").expanduser()
"""Where `ray get-auth-token --generate` leaves it."""


def chosen(name: str, jobs: int | None, address: str | None = None, gpu_share: float = 1.0) -> Executor:
    """Return the executor called `name`; Ray is imported for its own alone.

    Args:
        name: local or ray.
        jobs: the largest number of parallel runs.
        address: host and port of a standing Ray cluster.
        gpu_share: how much of a GPU a run has with Ray.

    Raises ReportgenError for what does not go together, and if Ray is not installed.
    """
    if name not in NAMES:
        raise ReportgenError(f"--executor: got {name!r}, expected {' or '.join(NAMES)}")
    if name == "local":
        if address is not None or gpu_share != 1:
            option = "--address" if address is not None else "--gpu-share"
            raise ReportgenError(f"{option}: requires --executor ray")
        return Pool(jobs)
    if find_spec("ray") is None:
        raise ReportgenError('--executor ray: Ray is not installed; get it with: pip install "reportgen[ray]"')
    _ready_environment(address)
    from reportgen.executors.cluster import Cluster, address_parts

    if address is not None:
        address_parts(address)
    return Cluster(address, jobs, gpu_share)


def _ready_environment(address: str | None) -> None:
    """Set what Ray reads when it is imported; what the user has set stays, but for usage statistics."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        # Ray's own switch for machines that are no cluster: it listens on 127.0.0.1 alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        # nobody else on this machine may give it work; without this Ray leaves a token in the user's home folder
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    if any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")) or _TOKEN.exists():
        # where there is a token `ray start` asks for it; a cluster that does not is content without
        os.environ.setdefault("RAY_AUTH_MODE", "token")
