"""Validation of user code in a subprocess, whose time has a limit: it may hang, or end its process."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from reportgen.user_code.layers import Fault, Trial
    from reportgen.user_code.matching import Match

try:
    import resource
except ImportError:  # Windows: there a process within one long operation of Python's is not ended
    resource = None  # type: ignore[assignment]

IDLE_SECONDS = 600.0
"""On the clock, after which a process that has computed nothing meanwhile is taken to wait for ever."""

_NOTHING = 0.5
"""Seconds of a processor's time that count as nothing computed: the thread that watches takes some itself."""

_GRACE = 2
_TIME_IS_UP, _IS_IDLE = 124, 125


def limit_time(seconds: float, idle: float = IDLE_SECONDS) -> None:
    """Have this process ended once it has computed for `seconds` more, or waited for `idle` seconds on the clock.

    Each process that this one starts inherits the limit of what it may compute, counted from its own beginning.
    """
    end = time.process_time() + seconds
    threading.Thread(target=_watch, args=(end, idle), daemon=True).start()
    if resource is None:
        return
    soft = int(end) + 1
    with suppress(ValueError, OSError):  # a lower limit is set from outside
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        # code that does not heed the signal of the first limit is killed at the second
        resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + _GRACE))


def why_ended(exitcode: int | None) -> str:
    """Say which limit ended a process of this code, as multiprocessing has it: time, idle, or neither."""
    if exitcode in (-getattr(signal, "SIGXCPU", -_TIME_IS_UP), _TIME_IS_UP):
        return "time"
    return "idle" if exitcode == _IS_IDLE else ""


def _watch(end: float, idle: float) -> None:
    computed, since = time.process_time(), time.monotonic()
    while (now := time.process_time()) < end:
        if now - computed > _NOTHING:
            computed, since = now, time.monotonic()
        if time.monotonic() - since > idle:
            os._exit(_IS_IDLE)
        time.sleep(0.5)
    os._exit(_TIME_IS_UP)


SECONDS = 60.0
"""Of a processor's time: how long one trial may compute. Without a hang it takes three, to import torch."""


def try_layers(calls: Sequence[dict[str, Any]]) -> "list[Trial]":
    """Return what came of each trial: `what` names it, as `_try_layers` does, the rest are keyword arguments."""
    return apart(_try_layers, [list(calls)], SECONDS * len(calls))  # type: ignore[no-any-return]


def measure(metric: str, cases: Sequence[Any]) -> "tuple[list[float], Fault | None]":
    """Return what came of `reportgen.user_code.functions.measured`."""
    return apart(_measured, [metric, list(cases)], SECONDS)  # type: ignore[no-any-return]


def compare_layer(call: dict[str, Any]) -> "Match":
    """Return what came of `reportgen.user_code.matching.compare` with the keyword arguments."""
    return apart(_compare, [call], SECONDS)  # type: ignore[no-any-return]


def apart(work: Callable[..., Any], arguments: Sequence[Any], seconds: float, idle: float = IDLE_SECONDS) -> Any:
    """Return what `work` returns in a process of its own; ReportgenError if that hangs or dies.

    Args:
        work: a function of a module, that a new process can import.
        arguments: its arguments.
        seconds: how long it may compute.
        idle: how long on the clock it may compute nothing.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, work, arguments, seconds, idle), daemon=True)
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        process.join()
        said = {
            "time": f"no result within {seconds:.0f} seconds of processor time (an endless loop?)",
            "idle": f"no result, and nothing computed for {idle:.0f} seconds (does it wait for something?)",
            "": "its process was killed, or ended itself",
        }
        raise ReportgenError(said[why_ended(process.exitcode)]) from None
    finally:
        process.terminate()
        process.join()


def _answer(
    sender: Connection, work: Callable[..., Any], arguments: Sequence[Any], seconds: float, idle: float
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    limit_time(seconds, idle)
    sender.send(work(*arguments))


def _try_layers(calls: list[dict[str, Any]]) -> "list[Trial]":
    from reportgen.tasks.registry import task_named
    from reportgen.user_code.functions import try_data, try_loss, try_metric
    from reportgen.user_code.layers import try_layer
    from reportgen.user_code.whole_models import try_model

    trials: dict[str, Callable[..., Trial]] = {
        "cell": try_layer,
        "module": try_model,
        "loss": try_loss,
        "metric": try_metric,
        "load": try_data,
        "precision": lambda task, **call: task_named(task).try_precision(**call),
    }
    return [trials[call.get("what", "cell")](**{k: v for k, v in call.items() if k != "what"}) for call in calls]


def _compare(call: dict[str, Any]) -> "Match":
    from reportgen.user_code.matching import compare

    return compare(**call)


def _measured(metric: str, cases: list[Any]) -> "tuple[list[float], Fault | None]":
    from reportgen.user_code.functions import measured

    return measured(metric, cases)
