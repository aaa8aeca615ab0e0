"""What a worker leaves beside a record: the files that the user's code read, and how the machine computes.

It is a file of its own in the record's folder, `worker.json`, so that it is in no key and changes no layout.
"""

import hashlib
import json
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reportgen.lab.user_source import file_of_user_code
from reportgen.storage.records import Store

FILE = "worker.json"

OUTSIDE = "elsewhere/"
"""What the name of a file begins with that lies neither below the code's folder nor close to it."""

_MOST_UP = 2
"""Folders above the code's own that a name may lead to; where a file lies on a machine is nobody's business."""

_INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_PACKAGE = Path(__file__).parents[1]
_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))


@dataclass(frozen=True)
class Traces:
    """What is known of how a record came about."""

    reads: dict[str, str] = field(default_factory=dict)
    """Name, from the folder of the user's code, and SHA-256 of each file that this code opened to read."""
    arithmetic: str = ""
    """See `reportgen.lab.environment`."""


def of_record(store: Store, key: str) -> Traces | None:
    """Return what the worker left beside a record; None for a record without it, or one that cannot be read."""
    try:
        plain = json.loads((store.read(key) or {})[FILE])
        return Traces(
            {str(name): str(digest) for name, digest in plain["reads"].items()}, str(plain["arithmetic"])
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def to_file(traces: Traces) -> bytes:
    """Return the traces as they lie in a record."""
    plain = {"arithmetic": traces.arithmetic, "reads": dict(sorted(traces.reads.items()))}
    return json.dumps(plain, indent=1, ensure_ascii=False).encode()


def code_folder(settings: object) -> Path | None:
    """Return the folder that holds all code of the user's own that the settings of a run name; None without any.

    Args:
        settings: of a run, as plain values.
    """
    folders = [str(Path(file).parent.absolute()) for file in _own_files(settings)]
    return Path(os.path.commonpath(folders)) if folders else None


def named_files(settings: object) -> list[Path]:
    """Return the files and folders that the settings of a run name, as they lie on this machine."""
    if isinstance(settings, dict):
        return [file for value in settings.values() for file in named_files(value)]
    if isinstance(settings, list | tuple):
        return [file for value in settings for file in named_files(value)]
    file = Path(file_of_user_code(settings) or settings) if isinstance(settings, str) else Path()
    return [file] if file.is_absolute() and file.exists() else []


def _own_files(settings: object) -> Iterator[str]:
    match settings:
        case dict():
            for value in settings.values():
                yield from _own_files(value)
        case str() if file := file_of_user_code(settings):
            yield file


class _Watch:
    """Hears of every file that this process opens, and keeps those that the user's code asked for."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.reads: dict[Path, dict[str, str]] = {}
        self._busy = threading.local()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event: see `sys.addaudithook`."""
        if event != "open" or self.folder is None or getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            self._note(arguments[0], arguments[1])
        except (OSError, ValueError, TypeError):  # the open itself will fail, or is of no file
            return
        finally:
            self._busy.now = False

    def _note(self, path: Any, mode: Any) -> None:
        folder = self.folder
        if folder is None or isinstance(path, int) or (isinstance(mode, str) and not set(mode) & set("r+")):
            return
        file = Path(os.fsdecode(path)).resolve()
        ignored = (*_SYSTEM, *_INSTALLED, _PACKAGE)
        if not file.is_file() or any(file.is_relative_to(place) for place in ignored) or not _asked_from(folder):
            return
        name = _name_from(folder, file)
        if name not in self.reads[folder]:
            with file.open("rb") as stream:
                self.reads[folder][name] = hashlib.file_digest(stream, "sha256").hexdigest()


def _asked_from(folder: Path) -> bool:
    """Tell whether code below a folder is being run, be it that it called what opens a file."""
    top = f"{folder}{os.sep}"
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(top):
            return True
        frame = frame.f_back  # type: ignore[assignment]  # None above the outermost
    return False


def _name_from(folder: Path, file: Path) -> str:
    name = Path(os.path.relpath(file, folder.resolve()))
    return OUTSIDE + file.name if name.parts.count("..") > _MOST_UP else name.as_posix()


_watch: _Watch | None = None


@contextmanager
def reads_of(folder: Path | None) -> Iterator[dict[str, str]]:
    """Give the files, with their digests, that code below the folder opens to read; none without a folder.

    Those that it opened before in this process are among them: a module keeps what it has read. A file counts as
    it is when it is first opened. Not seen is what is read by a program that the code starts, or by a library in C
    that opens a file without Python's knowledge.
    """
    global _watch
    if folder is None:
        yield {}
        return
    if _watch is None:  # a hook stays for as long as the process does
        _watch = _Watch()
        sys.addaudithook(_watch.hear)
    reads = _watch.reads.setdefault(folder.absolute(), {})
    _watch.folder = folder.absolute()
    try:
        yield reads
    finally:
        _watch.folder = None
