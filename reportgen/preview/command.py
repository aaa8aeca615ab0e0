"""The command: a renderer, a server, and a look at the files ten times a second."""

import gc
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.executors import forkserver
from reportgen.preview.rendering import Renderer
from reportgen.preview.server import HOST, Preview
from reportgen.resources import TEMPLATES

PORT = 8377

_LOOK_SECONDS = 0.1
_SETTLE_SECONDS = 0.04
"""An editor writes a file in several steps; what it is made of is read when two looks agree."""

_QUIET_LOOKS = 8
"""Looks without a change after which there is time to look through all templates."""

Snapshot = dict[Path, tuple[int, int]]


def preview(file: Path, options: pipeline.Options, port: int | None, *, browser: bool) -> None:
    """Serve the report of the suite in `file` until Ctrl-C, and make it anew when what it is made from changes."""
    server = _server(port)
    forkserver.start(forkserver.REPORTS)
    stop = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{server.address}   Ctrl-C stops it", flush=True)
    if browser:
        webbrowser.open(server.address)
    try:
        with tempfile.TemporaryDirectory(prefix="reportgen-preview-") as scratch:
            follow(server, Renderer(file, options, Path(scratch)), file, options.build / "records", stop)
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def follow(server: Preview, renderer: Renderer, file: Path, records: Path, stop: threading.Event) -> None:
    """Publish the report, and again after every change of what it is made from, until `stop` is set.

    The files are looked at, rather than announced by the system: there are about a hundred of them, no change gets
    lost while the report is made, and it is the same on a network drive.
    """
    seen: Snapshot = {}
    quiet = 0
    while not stop.is_set():
        now = snapshot(file, records, renderer)
        if now == seen:
            quiet += 1
            if quiet == _QUIET_LOOKS:
                if state := renderer.second_look():
                    server.publish(state)
                _collect()
            stop.wait(_LOOK_SECONDS)
            continue
        quiet = 0
        while not stop.wait(_SETTLE_SECONDS) and (later := snapshot(file, records, renderer)) != now:
            now = later
        seen = now
        server.publish(renderer.state(server.wanted))


def _collect() -> None:
    """Look for garbage while there is time: Python would take a sixth of a second for it amid the next change."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def snapshot(file: Path, records: Path, renderer: Renderer) -> Snapshot:
    """Return time and size of every file that the report is made from."""
    found = {}
    for path in _files(file, records, renderer):
        try:
            stat = path.stat()
        except OSError:  # gone since it was listed
            continue
        found[path] = stat.st_mtime_ns, stat.st_size
    return found


def _files(file: Path, records: Path, renderer: Renderer) -> Iterator[Path]:
    yield file
    yield records
    yield from file.parent.glob("*.md")
    yield from renderer.beside
    for folder in (file.parent / "templates", TEMPLATES):
        yield from folder.rglob("*")


def _server(port: int | None) -> Preview:
    """Return a server on the port asked for; without one on the usual port, or on any if that is taken."""
    try:
        return Preview(PORT if port is None else port)
    except OSError as error:
        if port is None:
            return Preview(0)
        raise ReportgenError(f"--port: got {port}, expected a free port on {HOST} ({error.strerror})") from None
