"""The command: a renderer, a server, and the files that are watched."""

import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from watchfiles import Change, watch

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.preview.rendering import Renderer
from reportgen.preview.server import HOST, Preview
from reportgen.resources import TEMPLATES

PORT = 8377

_WATCHED = {".yaml", ".yml", ".j2", ".css", ".md", ".svg", ".png", ".jpg", ".jpeg"}
_GATHER_MS = 60
"""How long changes are gathered: an editor writes a file in several steps."""


def preview(file: Path, options: pipeline.Options, port: int | None, *, browser: bool) -> None:
    """Serve the report of the suite in `file` until Ctrl-C, and make it anew when what it is made from changes."""
    server = _server(port)
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
        stop.set()
        server.closed = True
        server.shutdown()


def follow(server: Preview, renderer: Renderer, file: Path, records: Path, stop: threading.Event) -> None:
    """Publish the report, and again after every change of what it is made from, until `stop` is set."""
    while not stop.is_set():
        watched = _folders(file, records, renderer)
        for state in renderer.states(server.wanted):
            server.publish(state)
        if (now := _folders(file, records, renderer)) != watched:
            watched = now
        for _ in watch(
            *watched,
            watch_filter=lambda change, path: _matters(change, Path(path), records),
            debounce=_GATHER_MS,
            step=20,
            stop_event=stop,
            recursive=False,
            raise_interrupt=True,
        ):
            if _folders(file, records, renderer) != watched:
                break  # a folder has come or gone: it is to be watched as well
            for state in renderer.states(server.wanted):
                server.publish(state)


def _folders(file: Path, records: Path, renderer: Renderer) -> list[Path]:
    """Return the folders whose files the report is made from."""
    roots = [file.parent / "templates", TEMPLATES]
    beside = [path.parent for path in renderer.loaded.beside] if renderer.loaded else []
    below = chain.from_iterable(_with_folders_below(root) for root in roots)
    found = (folder for folder in [file.parent, *beside, *below, records] if folder.is_dir())
    return sorted({folder.absolute() for folder in found})


def _with_folders_below(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield root
        yield from (path for path in root.rglob("*") if path.is_dir())


def _matters(_: Change, path: Path, records: Path) -> bool:
    return path.suffix in _WATCHED or not path.suffix or records.absolute() in path.parents


def _server(port: int | None) -> Preview:
    """Return a server on the port asked for; without one on the usual port, or on any if that is taken."""
    try:
        return Preview(PORT if port is None else port)
    except OSError as error:
        if port is None:
            return Preview(0)
        raise ReportgenError(f"--port: got {port}, expected a free port on {HOST} ({error.strerror})") from None
