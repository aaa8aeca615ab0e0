"""A connection to Ray: a cluster that stands, or one that is started on this machine and ends with the build."""

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import ray
from ray.exceptions import RayError

from reportgen.errors import ReportgenError

_REACH_SECONDS = 5.0
_ANSWER_SECONDS = 20.0
_OBJECT_STORE_BYTES = 128 << 20
"""Memory for records on their way; Ray puts what is beyond it on the disk."""
_PROBE = "import sys, ray; ray.init(sys.argv[1], logging_level='CRITICAL', log_to_driver=False)"


@contextmanager
def connected(address: str | None, jobs: int | None) -> Iterator[None]:
    """Connect to Ray at `address`, or start it with `jobs` CPUs, or all there are; ReportgenError if not."""
    if address is not None:
        _check(address)
    here = {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init(address or "local", logging_level="ERROR", log_to_driver=False, **({} if address else here))
    except (RuntimeError, ValueError, ConnectionError, RayError) as error:
        raise ReportgenError(f"Ray could not be {'reached' if address else 'started'}: {error}") from None
    with redirect_stdout(io.StringIO()):  # where Ray prints the log of a machine that is lost
        try:
            yield
        finally:
            ray.shutdown()


def _check(address: str) -> None:
    """Raise ReportgenError if there is no Ray at `address` that this machine is a node of."""
    try:
        socket.create_connection(address_parts(address), _REACH_SECONDS).close()
        fault = _fault(address)
    except OSError as error:
        fault = error.strerror or str(error)
    if fault:
        expected = "the head of a Ray cluster that this machine is a node of"
        raise ReportgenError(f"--address: got {address} ({fault}), expected {expected}")


def _fault(address: str) -> str:
    """Say why Ray cannot be reached; nothing if it can.

    A process of its own tries it: Ray would ask for two minutes before it gives up.
    """
    command = [sys.executable, "-c", _PROBE, address]
    try:
        done = subprocess.run(  # noqa: S603 - this Python itself
            command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "no answer"
    return (done.stderr.strip() or "it ended").splitlines()[-1] if done.returncode else ""


def address_parts(address: str) -> tuple[str, int]:
    """Return host and port; ReportgenError for anything else."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ReportgenError(f"--address: got {address!r}, expected HOST:PORT of a Ray cluster")
    return host.strip("[]"), int(port)
