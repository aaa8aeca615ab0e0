"""What is tried in a process apart: how long it may compute, and how long it may wait."""

import os
import sys
import time

import pytest

from reportgen.errors import ReportgenError
from reportgen.user_code import subprocess
from reportgen.user_code.subprocess import apart


def test_time_that_others_take_does_not_count() -> None:
    """What waits for longer than it may compute, as on a busy machine, comes to its end."""
    assert apart(time.sleep, [3.0], 2.0) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends no process for its time")
def test_a_loop_that_python_does_not_see_is_ended() -> None:
    """One operation that never comes back to Python is ended by the system, and told as what it is."""
    with pytest.raises(ReportgenError, match=r"no result within 1 seconds of processor time \(an endless loop"):
        apart(sum, [range(10**14)], 1.0)


def test_what_waits_for_ever_is_given_up() -> None:
    """It computes nothing, so that no limit of a processor's time ends it: the clock does."""
    with pytest.raises(ReportgenError, match=r"no result, and nothing computed for 2 seconds \(does it wait for"):
        apart(time.sleep, [10_000.0], 60.0, idle=2.0)


def test_a_process_that_is_ended_from_outside_is_told_apart() -> None:
    """A process that was killed, as where memory is short, has not been too slow."""
    with pytest.raises(ReportgenError, match="its process was killed, or ended itself"):
        apart(os._exit, [9], 60.0)
    assert [subprocess.why_ended(code) for code in (-9, 0, 1)] == ["", "", ""]
