"""What a report was made from: beside the reports as manifest.json, and inside each PDF and HTML."""

import json
import platform
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from reportgen import __version__
from reportgen.errors import ReportgenError
from reportgen.storage import build_state
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest
from reportgen.storage.untrusted import UntrustedFolder

FILE = "manifest.json"


def _below(name: str) -> str:
    if name.startswith("/") or "\\" in name or not set(PurePosixPath(name).parts).isdisjoint({"..", "/"}):
        raise ValueError(f"got the name {name!r}, expected one of a file below the folder")
    return name


def _plain(name: str) -> str:
    if PurePosixPath(name).name != name:
        raise ValueError(f"got the name {name!r}, expected one without a folder")
    return name


Below = Annotated[str, AfterValidator(_below)]
"""The path of a file from a folder, in which it lies: a manifest may be a stranger's."""

Plain = Annotated[str, AfterValidator(_plain)]
"""The name of a file or a folder, without what it lies in."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteFile(_Part):
    """The suite, and how much of it was built."""

    file: Plain
    """Its name, without its folder."""
    digest: str
    profile: str | None
    quick: bool


class RecordFiles(_Part):
    """The record of a run."""

    key: Plain
    files: dict[Plain, str]
    """Name and SHA-256 of each of its files."""


class Manifest(_Part):
    """What a report was made from, and what it was when it was written. Digests are SHA-256."""

    format: Literal["reportgen manifest 1"]
    suite: SuiteFile
    records: dict[str, RecordFiles]
    """By the run's name."""
    program: str
    """A digest of reportgen's source and of the templates."""
    versions: dict[str, str]
    """Of reportgen, Python, torch, and all that a report's bytes depend on."""
    own: dict[str, str] = {}
    """Name and digest of each file of the author's own that took part: see `reportgen.own_files`."""
    files: dict[Below, str] = {}
    """Of manifest.json alone: path and digest of each file of the build."""
    text: str = ""
    """Of a manifest inside a report: the digest of the Markdown that it was made from."""
    pages: list[str] = []
    """Of a manifest inside a PDF: the digest of each page's content, not compressed."""
    pango: str = ""
    """Of a manifest inside a PDF: the version of Pango, which set its type."""
    seal: str = ""
    """Of a manifest inside a report: the digest of that file, with zeros in the seal's place."""


def of(
    suite: Path,
    keys: Mapping[str, str],
    store: Store,
    templates: Sequence[Path],
    *,
    profile: str | None,
    quick: bool,
    own: Mapping[str, str],
) -> dict[str, Any]:
    """Return the part of `Manifest` that all reports of a build share, as plain values.

    Args:
        suite: its file.
        keys: run to the key of its record.
        store: where the records are.
        templates: the folders of the templates.
        profile: of the suite.
        quick: whether it was a quick build.
        own: name and digest of each file of the author's own.
    """
    return {
        "format": "reportgen manifest 1",
        "suite": {
            "file": suite.name,
            "digest": digest(suite.read_bytes()),
            "profile": profile,
            "quick": quick,
        },
        "records": {run: {"key": key, "files": store.digests(key)} for run, key in keys.items()},
        "program": build_state.program(templates),
        "versions": versions(),
        "own": dict(own),
    }


def versions() -> dict[str, str]:
    """Return name and version of reportgen, Python, torch, and the packages that a report's bytes depend on."""
    return {
        "reportgen": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        **build_state.versions(),
    }


def leave(folder: Path, made: Mapping[str, Any], written: Collection[str]) -> str:
    """Write manifest.json into the reports' folder, with the digest of each file written; return its name."""
    reports = UntrustedFolder(folder)
    files = {name: digest(reports.read(name)) for name in sorted(written)}
    reports.write(FILE, (json.dumps({**made, "files": files}, indent=1) + "\n").encode())
    return FILE


def parsed(text: str | bytes, where: object) -> Manifest:
    """Return the manifest that was read at `where`; ReportgenError if it is none, or is cut short."""
    try:
        return Manifest.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        problem = f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}"
    except (ValueError, RecursionError) as error:  # JSON's and UTF-8's; nested without end
        problem = str(error)
    raise ReportgenError(
        f"{where}: got a manifest that is cut short or of another version ({problem}), "
        "expected one that this version of reportgen wrote"
    )
