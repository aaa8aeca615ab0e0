"""What went wrong in a run, for people: the lines of the user's own code and the error. Imports no torch."""

import sysconfig
import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_MOST_FRAMES = 4


class OutOfMemory(Exception):  # noqa: N818 - not the error itself: it asks for another try
    """There was too little memory for a run beside the others; alone it may have enough."""


def is_memory_error(error: BaseException) -> bool:
    """Tell whether memory ran out: Python's, or torch's on a GPU or on the CPU."""
    named = {kind.__name__ for kind in type(error).__mro__}
    return bool(named & {"MemoryError", "OutOfMemoryError"}) or "DefaultCPUAllocator" in str(error)


def told(error: BaseException) -> str:
    """Return the error and where it came from: the lines of the user's own files, or else the last four lines.

    Files of the user's are told by name alone, those of reportgen by their place in it: where they lie on this
    machine is nobody's business.
    """
    whole = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in whole.stack if not frame.filename.startswith("<")]
    shown = [frame for frame in frames if _is_of_the_user(frame.filename)] or frames[-_MOST_FRAMES:]
    stack = traceback.StackSummary.from_list([_moved(frame) for frame in shown])
    return "".join(
        ["Traceback (most recent call last):\n", *stack.format(), *whole.format_exception_only()]
    ).strip()


def _moved(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    file = Path(frame.filename)
    name = file.relative_to(_PACKAGE.parent).as_posix() if file.is_relative_to(_PACKAGE) else file.name
    return traceback.FrameSummary(name, frame.lineno, frame.name, lookup_line=False, line=frame.line)


def _is_of_the_user(file: str) -> bool:
    return not any(Path(file).is_relative_to(top) for top in (_PACKAGE, *_INSTALLED))
