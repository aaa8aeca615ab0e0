"""A connection to Ray: a cluster that stands, or one that is started on this machine and ends with the build."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from reportgen.errors import ReportgenError

_REACH_SECONDS = 5.0
_ANSWER_SECONDS = 20.0
_OBJECT_STORE_BYTES = 128 << 20
"""Memory for records on their way; Ray puts what is beyond it on the disk."""
_PROBE = "import sys, ray; ray.init(sys.argv[1], logging_level='CRITICAL', log_to_driver=False)"


@contextmanager
def connected(address: str | None, jobs: int | None) -> Iterator[None]:
    """Connect to Ray at `address`, or start it with `jobs` CPUs, or all there are; ReportgenError if not."""
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init(
            "local",
            num_cpus=jobs,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            **quiet,
        )
    else:
        _check(address)
        ray.init(address, **quiet)
    try:
        yield
    finally:
        ray.shutdown()


def _check(address: str) -> None:
    """Raise ReportgenError if there is no Ray at `address` that this machine is a node of.

    A process of its own tries it, since Ray itself asks for two minutes before it gives up.
    """
    expected = "the head of a Ray cluster that this machine is a node of; `ray status` tells of one"
    try:
        host, port = address_parts(address)
        socket.create_connection((host, port), _REACH_SECONDS).close()
    except OSError as error:
        raise ReportgenError(
            f"--address: got {address} ({error.strerror or error}), expected {expected}"
        ) from None
    command = [sys.executable, "-c", _PROBE, address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ReportgenError(f"--address: got no answer of Ray from {address}, expected {expected}") from None
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise ReportgenError(f"--address: got {address} ({reason}), expected {expected}")


def address_parts(address: str) -> tuple[str, int]:
    """Return host and port; ReportgenError for anything else."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ReportgenError(f"--address: got {address!r}, expected HOST:PORT of a Ray cluster")
    return host.strip("[]"), int(port)
