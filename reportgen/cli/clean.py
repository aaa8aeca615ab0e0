"""`reportgen clean`: remove the records that no suite uses any more."""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from reportgen.storage.records import Store

_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_DEVICES = ("cpu", "cuda")
"""A build folder may be shared with another machine, so that the records of both kinds are in use."""


def clean(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to search for suites, with its subfolders.")
    ] = Path(),
    build_dir: Annotated[Path, typer.Option("--build-dir", metavar="DIR", help="Folder of the records.")] = Path(
        "build"
    ),
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Remove only what is older than this: 12h, 30d or 8w.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove the records that no suite in a folder uses. They are listed first, and you are asked."""
    from reportgen.storage.records import Store

    least_age = _seconds(older_than) if older_than else 0.0
    store = Store(build_dir / "records")
    suites = sorted(_suites(folder, build_dir))
    if not suites:
        raise ReportgenError(
            f"{folder}: got a folder without suites, expected that of the suites with records in {build_dir}"
        )
    found = [*_leftovers(store, used_keys(suites)), *_drawings(build_dir)]
    unused = [leftover for leftover in found if leftover.age >= least_age]
    for leftover in unused:
        typer.echo(leftover.line())
    size = sum(leftover.size for leftover in unused)
    what = f"{len(unused)} unused {'item' if len(unused) == 1 else 'items'} in {build_dir}, {_readable(size)}"
    if not unused:
        typer.echo(f"nothing to remove: every record in {build_dir} is in use, or too recent")
    elif yes or typer.confirm(f"{what}. Remove them?"):
        cache = [leftover.key for leftover in unused if not leftover.removed(store)]
        typer.echo(
            f"removed {what}" + (f"; kept, because a build is using them: {', '.join(cache)}" if cache else "")
        )
        store.remove_unfinished()
    else:
        typer.echo("nothing was removed")


@dataclass(frozen=True)
class Leftover:
    """A record that no suite uses, or what is left of a run that did not end."""

    key: str
    digest: str
    what: str
    size: int
    """Bytes."""
    age: float
    """Seconds since it was written; below 0 if the clock was set back since."""

    files: tuple[Path, ...] = ()
    """Of what is no record."""

    def removed(self, store: "Store") -> bool:
        """Remove it, unless a process is at it."""
        for file in self.files:
            file.unlink(missing_ok=True)
        return bool(self.files) or _removed(store, self)

    def line(self) -> str:
        """Say what it is, how old and how large."""
        return f"{self.key}  {self.what}, {max(self.age, 0) / 86_400:.0f} days, {_readable(self.size)}"


def used_keys(suites: Iterable[Path]) -> set[str]:
    """Return the keys of all runs of the suites, with every profile, in full and quick, on every kind of device.

    Raises ReportgenError if one of them cannot be read.
    """
    from reportgen import pipeline
    from reportgen.lab.key import key_of
    from reportgen.planning import plan  # they take a second to import
    from reportgen.suite.document import read_document
    from reportgen.suite.expansion import runs_of
    from reportgen.suite.profiles import profile_names, shortened

    keys = set()
    for file in suites:
        for profile in (None, *profile_names(read_document(file).value)):
            loaded = pipeline.load(file, profile=profile)
            for suite in (loaded.suite, shortened(loaded.suite)):
                runs = (run for device in _DEVICES for run in runs_of(suite, device))
                keys |= {key_of(plan.parts_of_key(run)) for run in runs}
    return keys


def _suites(folder: Path, build: Path) -> Iterator[Path]:
    """Yield the files below a folder that are suites, or are meant to be: YAML that has runs."""
    for file in (*folder.rglob("*.yaml"), *folder.rglob("*.yml")):
        hidden = any(part.startswith(".") and part != ".." for part in file.relative_to(folder).parts)
        if hidden or file.resolve().is_relative_to(build.resolve()) or "site-packages" in file.parts:
            continue
        if re.search(rb"\bruns\b[\"']?\s*:", file.read_bytes()):
            yield file


def _drawings(build: Path) -> Iterator[Leftover]:
    """Yield the figures, formulas and fonts that are kept and stand in no report of the build folder, as one."""
    from reportgen.planning.output import CACHE
    from reportgen.storage.cache import Cache

    cache = Cache(build / CACHE)
    shown = {hashlib.sha256(content).digest() for content in _contents(build, "*/figures/*.svg")}
    pages = b"".join(_contents(build, "*/report.*.html"))
    files = []
    for file in cache.files():
        content = cache.get(file.name)
        used = content is not None and (hashlib.sha256(content).digest() in shown or content in pages)
        if not used and not file.name.startswith("plan-") and file.suffix != ".metric":
            files.append(file)
    if files:
        stats = [file.stat() for file in files]
        age = time.time() - max(stat.st_mtime for stat in stats)
        size = sum(stat.st_size for stat in stats)
        what = f"{len(files)} cached drawings that no report uses"
        yield Leftover(CACHE, "", what, size, age, tuple(files))


def _contents(build: Path, pattern: str) -> Iterator[bytes]:
    """Yield the contents of files of a build folder; what is reached through a link is none of it."""
    from reportgen.storage.untrusted import UntrustedFolder

    for file in build.glob(pattern):
        with suppress(OSError):
            yield UntrustedFolder(build).read(file.relative_to(build).as_posix())


def _leftovers(store: "Store", used: set[str]) -> Iterator[Leftover]:
    records = set(store.keys())
    for key in sorted(records - used):
        files = [path for path in (store.folder / key).rglob("*") if path.is_file()]
        yield _leftover(store, key, _told(store, key), files)
    for key in sorted(set(store.scratches()) - used - records):
        yield _leftover(store, key, "checkpoint of an unfinished run", [store.scratch(key)])


def _leftover(store: "Store", key: str, what: str, files: list[Path]) -> Leftover:
    stats = [file.stat() for file in files]
    written = max(stat.st_mtime for stat in stats)
    return Leftover(key, store.digest(key), what, sum(stat.st_size for stat in stats), time.time() - written)


def _told(store: "Store", key: str) -> str:
    from reportgen.planning import plan

    record = plan.read(store, key)
    if record is None:
        return "unreadable record"
    if "import" in record.measures:
        return f"imported log, seed {record.seed}, {record.status}"
    cell = Path(str(record.settings["model"]["cell"])).name
    return f"{record.settings['data']['source']}, {cell}, seed {record.seed}, {record.status}"


def _removed(store: "Store", leftover: Leftover) -> bool:
    """Remove it, unless a process is at it or has made it anew since it was shown."""
    from filelock import Timeout

    if store.digest(leftover.key) != leftover.digest:
        return False
    try:
        store.remove(leftover.key)
    except Timeout:
        return False
    return True


def _seconds(age: str) -> float:
    match = re.fullmatch(r"(\d{1,6})([hdw])", age)
    if match is None:
        raise ReportgenError(f"--older-than: got {age!r}, expected a number of hours, days or weeks: 12h, 30d, 8w")
    return float(match[1]) * _SECONDS[match[2]]


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
