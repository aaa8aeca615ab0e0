"""The executor that the command line asks for."""

import os
from importlib.util import find_spec

from reportgen.errors import ReportgenError
from reportgen.executors.base import Executor
from reportgen.executors.pool import Pool

NAMES = ("local", "ray")


def chosen(name: str, jobs: int | None, address: str | None = None, gpu_share: float = 1.0) -> Executor:
    """Return the executor called `name`; Ray is imported for its own alone.

    Args:
        name: local or ray.
        jobs: how many runs go side by side at most.
        address: host and port of a standing Ray cluster.
        gpu_share: how much of a GPU a run has with Ray.

    Raises ReportgenError for what does not go together, and if Ray is not installed.
    """
    if name not in NAMES:
        raise ReportgenError(f"--executor: got {name!r}, expected {' or '.join(NAMES)}")
    if name == "local":
        if address is not None or gpu_share != 1:
            option = "--address" if address is not None else "--gpu-share"
            raise ReportgenError(f"{option}: got it without --executor ray, expected both or neither")
        return Pool(jobs)
    if find_spec("ray") is None:
        raise ReportgenError('--executor ray: Ray is not installed; get it with: pip install "reportgen[ray]"')
    _ready_environment(address)
    from reportgen.executors.cluster import Cluster
    from reportgen.executors.connecting import address_parts

    if address is not None:
        address_parts(address)
    return Cluster(address, jobs, gpu_share)


def _ready_environment(address: str | None) -> None:
    """Set what Ray reads when it is imported."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:  # Ray's own switch for machines that are no cluster: it listens on 127.0.0.1 alone
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
