"""Folders whose content may be a stranger's, read and written without following a link.

A hand-in brings its `build/` along. A link in it would have a build write over a file elsewhere, or print one.
So every read and write of a build folder goes through `UntrustedFolder`, which opens one folder inside the other
by its descriptor; on Windows, which has no descriptors of folders, each is looked at before it is used.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock

from reportgen.errors import ReportgenError

_HAS_DESCRIPTORS = os.open in os.supports_dir_fd and os.listdir in os.supports_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
# a pipe is not waited for
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK


class LinkError(ReportgenError, OSError):
    """What lies in an untrusted folder is a link, a pipe or a device, or a name leads out of the folder."""

    def __init__(self, place: Path, got: str, expected: str) -> None:
        super().__init__(f"{place}: got {got}, expected {expected}; no link in a build folder is followed")


def refuse_link(folder: Path) -> None:
    """Raise LinkError if the folder itself is a link, as the `build` of a stranger's folder may be."""
    if _is_link(folder, {}):
        expected = f"a folder; to build in the one that it leads to, name that: {folder.resolve()}"
        raise LinkError(folder, "a link", expected)


class UntrustedFolder:
    """A folder, and what is below it, in which others may have left links.

    Names are relative to the folder, with `/` between their parts. Each method raises LinkError for a name that
    leads out of the folder and where a link stands for a folder, and OSError as the system does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> bytes:
        """Return the content of a plain file; LinkError for a link, a pipe or a device."""
        with self._parent(name) as (last, at):
            place = self.path / name
            if _is_link(last, at):
                raise LinkError(place, "a link", "a file")
            with open(os.open(last, _READ, **at), "rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                if stat.S_ISDIR(mode):
                    raise IsADirectoryError(f"{place}: got a folder, expected a file")
                if not stat.S_ISREG(mode):
                    raise LinkError(place, "a pipe or a device", "a file")
                return stream.read()

    def create(self, name: str, content: bytes, *, sync: bool = False) -> None:
        """Write a file that is not there yet; `sync` waits until it is on the disk."""
        with self._parent(name) as (last, at):
            _create(last, at, content, sync=sync)

    def write(self, name: str, content: bytes, *, sync: bool = False) -> None:
        """Write a file in one step: the old or the new one is whole, also on a full disk and if the process dies.

        A link in its place is replaced, and what it leads to stays as it is. Folders that are missing are made.
        """
        with self._parent(name, make=True) as (last, at):
            path = Path(last)
            unfinished = str(path.with_name(f".{path.name}.new"))
            with suppress(FileNotFoundError):
                os.unlink(unfinished, **at)
            try:
                _create(unfinished, at, content, sync=sync)
                _replace(unfinished, last, at)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished, **at)

    def rename(self, old: str, new: str) -> None:
        """Rename what lies in the folder itself; a file, or a link, that has the new name is replaced."""
        with self._parent(old) as (last, at):
            _replace(last, str(Path(last).with_name(*_parts(self.path, new))), at)

    def remove(self, name: str) -> None:
        """Remove a file or a link, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError), self._parent(name) as (last, at):
            os.unlink(last, **at)

    def remove_tree(self, name: str) -> None:
        """Remove a folder with all that is in it, as far as that goes; of a link only the link."""
        with suppress(OSError), self._parent(name) as (last, at):
            if _is_link(last, at):
                os.unlink(last, **at)
            else:
                shutil.rmtree(last, ignore_errors=True, **at)

    def remove_empty(self, name: str) -> None:
        """Remove a folder, and those above it, as long as nothing is in them."""
        for folder in (PurePosixPath(name), *PurePosixPath(name).parents):
            if not folder.name:
                return
            try:
                with self._parent(str(folder)) as (last, at):
                    os.rmdir(last, **at)
            except OSError:
                return

    def make(self, name: str = "", *, private: bool = False) -> None:
        """Make a folder, and those above it; a private one is this user's alone and must not be there yet."""
        self.path.mkdir(parents=True, exist_ok=True)
        if private:
            with self._parent(name) as (last, at):
                os.mkdir(last, 0o700, **at)
        elif name:
            with self._parent(f"{name}/x", make=True):
                pass

    def names(self, name: str = "") -> list[str]:
        """Return the names of what is in a folder; none if there is no such folder."""
        try:
            with self._parent(f"{name}/x" if name else "x") as (last, at):
                return os.listdir(at["dir_fd"] if at else Path(last).parent)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def stat(self, name: str) -> os.stat_result | None:
        """Return what the system knows of a file, a folder or a link itself; None if nothing is there."""
        try:
            with self._parent(name) as (last, at):
                return os.stat(last, follow_symlinks=False, **at)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_file(self, name: str) -> bool:
        """Tell whether a plain file is there, and no link to one."""
        found = self.stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def lock(self, name: str) -> FileLock:
        """Return the lock of that name, for which the folder is made; what is no plain file gives way to it."""
        self.make()
        found = self.stat(name)
        if found is not None and not (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
            self.remove(name)
        return FileLock(self.path / name)

    def sync(self) -> None:
        """Wait until the names in the folder are on the disk; Windows cannot, and need not."""
        with self._parent("x") as (_, at):
            if at:
                os.fsync(at["dir_fd"])

    @contextmanager
    def _parent(self, name: str, *, make: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield how to name a file in calls of the system: its last part, and the descriptor of its folder.

        Without descriptors it is named by its path.
        """
        *folders, last = _parts(self.path, name)
        if make:
            self.path.mkdir(parents=True, exist_ok=True)
        place, at = self.path, _enter(self.path, {}, make=False)
        try:
            for part in folders:
                place /= part
                outer, at = at, _enter(place, at, make=make)
                _leave(outer)
            yield (last if at else str(place / last)), at
        finally:
            _leave(at)


def _parts(folder: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a name; LinkError for one that leads out of the folder."""
    parts = PurePosixPath(name).parts
    forbidden = "\0:\\" if os.name == "nt" else "\0"
    if not parts or name.startswith("/") or ".." in parts or set(name) & set(forbidden):
        raise LinkError(folder, f"the name {name!r}", "one of a file below it")
    return parts


def _enter(place: Path, at: dict[str, Any], *, make: bool) -> dict[str, Any]:
    """Open a folder inside the one that is open; LinkError if it is a link."""
    target = place.name if at else place
    if make:
        with suppress(FileExistsError):
            os.mkdir(target, **at)
    if _is_link(target, at):
        raise LinkError(place, "a link", "a folder")
    if not _HAS_DESCRIPTORS:
        os.listdir(place)  # raises what opening it would raise
        return {}
    try:
        return {"dir_fd": os.open(target, _FOLDER, **at)}
    except OSError as error:
        error.filename = str(place)  # the name alone would say too little
        raise


def _leave(at: dict[str, Any]) -> None:
    if at:
        os.close(at["dir_fd"])


def _is_link(target: str | Path, at: dict[str, Any]) -> bool:
    try:
        found = os.stat(target, follow_symlinks=False, **at)
    except OSError:
        return False
    # on Windows a junction leads elsewhere and is no symbolic link
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_reparse_tag", 0))


def _create(last: str, at: dict[str, Any], content: bytes, *, sync: bool) -> None:
    with open(os.open(last, _CREATE, 0o666, **at), "wb") as stream:
        stream.write(content)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())


def _replace(old: str, new: str, at: dict[str, Any]) -> None:
    ends = {"src_dir_fd": at["dir_fd"], "dst_dir_fd": at["dir_fd"]} if at else {}
    os.replace(old, new, **ends)
