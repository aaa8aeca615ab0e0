"""Fork-server preload module of reports: import what fills in and typesets, and compile the shipped templates.

SIGINT has its default action from the first line on, so that Ctrl-C ends the server and its processes without a
traceback. The garbage collector is off meanwhile, as in `reportgen.executors.preload`.
"""

import gc
import signal
from contextlib import suppress
from importlib import import_module

from reportgen.errors import MissingPrerequisiteError
from reportgen.report import markdown
from reportgen.report.pdf import load_weasyprint

signal.signal(signal.SIGINT, signal.SIG_DFL)
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
gc.disable()


with suppress(MissingPrerequisiteError):  # reported by whoever needs it
    load_weasyprint()
markdown.compile_shipped()
for name in ("reportgen.cli", "reportgen.pipeline"):
    import_module(name)
gc.freeze()
gc.enable()
