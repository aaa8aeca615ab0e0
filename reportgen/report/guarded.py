"""Templates beside a suite, filled in by a process of their own: confined, and with an end of time and memory.

Those that ship are trusted: where a suite has none of its own, nothing has an end.
"""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from reportgen.errors import TemplateError
from reportgen.executors import forkserver
from reportgen.executors.parallel import ParallelMap, serial_map
from reportgen.executors.pool import cores
from reportgen.i18n.languages import Language
from reportgen.report import markdown
from reportgen.report.border import Crossed, crossed
from reportgen.report.confinement import confine
from reportgen.report.context import Common

try:
    import resource
except ImportError:  # Windows: there the time has an end, and the memory is the machine's
    resource = None  # type: ignore[assignment]

_GRACE = 2.0
"""Seconds that a process has to say where it is, when its time is over, before it is ended."""

_PATIENCE = 60.0
_BUSY_MACHINE = 10
"""Seconds on the clock to begin with, and for each of a processor's, after which nothing more is waited for."""


_OF_LIMITS = tuple(-getattr(signal, name) for name in ("SIGXCPU", "SIGKILL") if hasattr(signal, name))
"""How a process ends whose time is over, or that the system has no memory for."""


@dataclass(frozen=True)
class Limits:
    """What one document may cost."""

    seconds: float = 30.0
    """Of a processor's time, so that a busy machine is no fault of the template's."""
    memory: int = 1 << 30
    """Bytes, above what the process has when it begins."""


def write(
    contexts: Iterable[tuple[Common | Crossed, Language]],
    folders: Sequence[Path],
    limits: Limits = Limits(),
    parallel: ParallelMap[str] = serial_map,
) -> list[str]:
    """Fill in the templates in each language, as `markdown.write` does, one a core side by side.

    Those that ship alone are filled in by `parallel`, without limits.

    Raises TemplateError of the first language that has one, and for templates that exceed the limits, too.
    """
    if not any(True for folder in folders[:-1] for _ in folder.rglob("*.j2")):
        return parallel(markdown.write_marked, [(*own, folders) for own in contexts])
    waiting = deque((crossed(context, language.code), language) for context, language in contexts)
    under_way: deque[_Apart] = deque()
    texts = []
    try:
        while waiting or under_way:
            while waiting and len(under_way) < cores():
                under_way.append(_Apart(*waiting.popleft(), folders, limits))
            texts.append(under_way[0].text())
            under_way.popleft().end()
    finally:
        for process in under_way:
            process.end()
    return texts


class _Apart:
    """A process that fills in the templates in one language."""

    def __init__(self, context: Crossed, language: Language, folders: Sequence[Path], limits: Limits) -> None:
        self._folders, self._limits = folders, limits
        processes = forkserver.context(forkserver.REPORTS)
        self._receiver, sender = processes.Pipe(duplex=False)
        arguments = (sender, context, language, folders, limits)
        self._process = processes.Process(target=_fill_in, args=arguments, daemon=True)
        self._process.start()
        sender.close()

    def text(self) -> str:
        """Wait for the text; TemplateError if there is none."""
        limits = self._limits
        try:
            in_time = self._receiver.poll(_PATIENCE + limits.seconds * _BUSY_MACHINE)
            text, fault = self._receiver.recv() if in_time else ("", _too_long(limits))
        except EOFError:
            text, fault = "", self._how_it_ended()
        if fault:
            raise TemplateError(fault if ".j2" in fault else f"{self._folders[0]}: {fault}")
        return str(text)

    def _how_it_ended(self) -> str:
        """Say what ended a process that gave no answer: a limit only if the system ended it for one."""
        self._process.join(_PATIENCE)
        code = self._process.exitcode
        if code in _OF_LIMITS:
            memory = f"or more memory than the {self._limits.memory >> 20:,} MiB that they may"
            return f"{_too_long(self._limits)}, {memory}"
        how = f"by the signal {signal.Signals(-code).name}" if code and code < 0 else f"with status {code}"
        return f"the process that fills in the templates was ended {how}"

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self._receiver.close()


def _too_long(limits: Limits) -> str:
    return f"the templates took more than {limits.seconds:g} seconds; is there a loop without an end?"


def _fill_in(
    sender: Connection, context: Crossed, language: Language, folders: Sequence[Path], limits: Limits
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    answering = threading.Lock()
    watch = (threading.get_ident(), sender, answering, limits)
    _limit(limits)
    confine(threading.Thread(target=_watch, args=watch, daemon=True).start)
    try:
        answer = markdown.write_marked(context, language, folders), ""
    except TemplateError as error:
        answer = "", str(error)
    except Exception as error:  # of the program itself: told as one message, and no limit is blamed
        answer = "", f"the templates could not be filled in: {type(error).__name__}: {error}"
    with answering:
        sender.send(answer)
        os._exit(0)  # the watching thread has nothing more to say


def _limit(limits: Limits) -> None:
    """Let the system end this process where it does not listen: within one long operation of Python's."""
    if resource is None:
        return
    with suppress(ValueError, OSError):  # a lower limit is set from outside, or the system has none of this kind
        seconds = int(time.process_time() + limits.seconds + _GRACE) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with suppress(ValueError, OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _watch(writer: int, sender: Connection, answering: threading.Lock, limits: Limits) -> None:
    """End the process when its time is over, and say which line of which template it has got to."""
    began = time.process_time()
    while time.process_time() - began < limits.seconds:
        time.sleep(0.05)
    with answering:
        sender.send(("", f"{_place(sys._current_frames()[writer])}{_too_long(limits)}"))
        os._exit(1)


def _place(frame: FrameType | None) -> str:
    """Return `template:line: ` of the innermost template that is being filled in."""
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return f"{template.filename}:{template.get_corresponding_lineno(frame.f_lineno)}: "
        frame = frame.f_back
    return ""
