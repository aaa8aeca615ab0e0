"""The preview's web server: on this machine alone, read-only, with an event for every new version."""

import json
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reportgen.errors import ReportgenError
from reportgen.i18n.languages import cache_name
from reportgen.preview.rendering import State
from reportgen.report.html import POLICY

HOST = "127.0.0.1"

_PAGE = Path(__file__).parent
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_SHELL_MAY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:"
)
_REPORT_MAY = f"{POLICY}; frame-ancestors 'self'"
_PING_SECONDS = 10


class Preview(ThreadingHTTPServer):
    """Serves the last state, and tells every open page when there is a newer one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.wanted = ""
        """The document that was last looked at."""
        self.closed = False
        self._shown = State()
        self._told: dict[str, Any] = {"version": 0, "error": "", "notes": [], "languages": []}
        self._changed = threading.Condition()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.server_port}/"

    @property
    def hosts(self) -> set[str]:
        """The names that a browser may call it by: a page elsewhere whose name leads to here may not."""
        return {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    def close(self) -> None:
        """Stop serving, and let every open page go."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a browser go that closes a connection; anything else is a defect, and shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def publish(self, state: State) -> None:
        """Show a new state; the documents before it stay where it has an error."""
        with self._changed:
            if state.documents:
                self._shown = state
            names = [{"name": name, "label": _label(name)} for name in self._shown.documents]
            self._told = {
                "version": state.version,
                "error": state.error,
                "notes": list(state.notes),
                "languages": names,
                "page": self._shown.version,
            }
            self._changed.notify_all()

    def page(self, name: str) -> str | None:
        """Return a document as HTML; None if there is none of that name."""
        shown = self._shown
        if name not in shown.documents:
            return None
        self.wanted = name
        return shown.page(name)

    def after(self, version: int) -> dict[str, Any] | None:
        """Wait for a state after that version, and return what is told of it; None after a while."""
        with self._changed:
            if self._told["version"] == version and not self.closed:
                self._changed.wait(_PING_SECONDS)
            return self._told if self._told["version"] != version else None


def _label(name: str) -> str:
    return " + ".join(cache_name(code) for code in name.split("+"))


class _Handler(BaseHTTPRequestHandler):
    server: Preview
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Host", "") not in self.server.hosts:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", "the preview can only be opened on this machine")
            return
        path = unquote(urlsplit(self.path).path)
        if path in _FILES:
            name, kind = _FILES[path]
            self._send(HTTPStatus.OK, kind, (_PAGE / name).read_text("utf-8"), _SHELL_MAY)
        elif path == "/events":
            self._events()
        elif path.startswith("/report/"):
            self._report(path.removeprefix("/report/"))
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "not found")

    def _report(self, name: str) -> None:
        try:
            html = self.server.page(name)
        except ReportgenError as error:
            self._send(HTTPStatus.CONFLICT, "text/plain", str(error))
            return
        if html is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "no such report")
        else:
            self._send(HTTPStatus.OK, "text/html", html, _REPORT_MAY)

    def _events(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        version = -1
        try:
            while not self.server.closed:
                told = self.server.after(version)
                if told:
                    version = told["version"]
                self.wfile.write(f"data: {json.dumps(told)}\n\n".encode() if told else b":\n\n")
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):  # the page was closed
            pass
        self.close_connection = True

    def _send(self, status: HTTPStatus, kind: str, text: str, policy: str = "default-src 'none'") -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "no-referrer"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name that the library gives it
        """Say nothing of every request."""
