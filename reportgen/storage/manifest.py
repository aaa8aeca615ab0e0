"""What a report was made from: beside the reports as manifest.json, and inside each PDF and HTML."""

import json
import platform
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from reportgen import __version__
from reportgen.errors import ReportgenError
from reportgen.storage import build_state
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest

FILE = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteFile(_Part):
    """The suite, and how much of it was built."""

    file: str
    """Its name, without its folder."""
    digest: str
    profile: str | None
    quick: bool


class RecordFiles(_Part):
    """The record of a run."""

    key: str
    files: dict[str, str]
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
    files: dict[str, str] = {}
    """Of manifest.json alone: path and digest of each file of the build."""
    text: str = ""
    """Of a manifest inside a report: the digest of the Markdown that it was made from."""
    pages: list[str] = []
    """Of a manifest inside a PDF: the digest of each page's content, not compressed."""
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
) -> dict[str, Any]:
    """Return the part of `Manifest` that all reports of a build share, as plain values.

    Args:
        suite: its file.
        keys: run to the key of its record.
        store: where the records are.
        templates: the folders of the templates.
        profile: of the suite.
        quick: whether it was a quick build.
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
    files = {name: digest((folder / name).read_bytes()) for name in sorted(written)}
    (folder / FILE).write_text(json.dumps({**made, "files": files}, indent=1) + "\n", "utf-8")
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
