"""Validation of user code in a subprocess, whose time has a limit: it may hang, or end its process."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from reportgen.user_code.layers import Fault, Trial
    from reportgen.user_code.matching import Match

SECONDS = 60.0
"""How long one trial may take, the import of torch among it; without a hang it takes three."""


def try_layers(calls: Sequence[dict[str, Any]]) -> "list[Trial]":
    """Return what came of trying each: `what` is cell, module or loss, the rest are keyword arguments.

    See `reportgen.user_code.layers.try_layer`, `.whole.try_model` and `.functions.try_loss`.
    """
    return apart(_try_layers, [list(calls)], SECONDS * len(calls))  # type: ignore[no-any-return]


def measure(metric: str, cases: Sequence[Any]) -> "tuple[list[float], Fault | None]":
    """Return what came of `reportgen.user_code.functions.measured`."""
    return apart(_measured, [metric, list(cases)], SECONDS)  # type: ignore[no-any-return]


def compare_layer(call: dict[str, Any]) -> "Match":
    """Return what came of `reportgen.user_code.matching.compare` with the keyword arguments."""
    return apart(_compare, [call], SECONDS)  # type: ignore[no-any-return]


def apart(work: Callable[..., Any], arguments: Sequence[Any], seconds: float) -> Any:
    """Return what `work` returns in a process of its own; ReportgenError if that hangs or dies.

    Args:
        work: a function of a module, that a new process can import.
        arguments: its arguments.
        seconds: how long it may take.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, work, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise ReportgenError(f"no result within {seconds:.0f} seconds (an endless loop?)")
        return receiver.recv()
    except EOFError:
        raise ReportgenError("its process was killed, or ended itself") from None
    finally:
        process.terminate()
        process.join()


def _answer(sender: Connection, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    sender.send(work(*arguments))


def _try_layers(calls: list[dict[str, Any]]) -> "list[Trial]":
    from reportgen.user_code.functions import try_data, try_loss, try_metric
    from reportgen.user_code.layers import try_layer
    from reportgen.user_code.whole_models import try_model

    trials: dict[str, Callable[..., Trial]] = {
        "cell": try_layer,
        "module": try_model,
        "loss": try_loss,
        "metric": try_metric,
        "load": try_data,
    }
    return [trials[call.get("what", "cell")](**{k: v for k, v in call.items() if k != "what"}) for call in calls]


def _compare(call: dict[str, Any]) -> "Match":
    from reportgen.user_code.matching import compare

    return compare(**call)


def _measured(metric: str, cases: list[Any]) -> "tuple[list[float], Fault | None]":
    from reportgen.user_code.functions import measured

    return measured(metric, cases)
