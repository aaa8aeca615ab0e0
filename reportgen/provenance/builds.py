"""One build as `reportgen diff` reads it: results.json, and the manifest beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.manifest import FILE, Manifest
from reportgen.provenance import reading
from reportgen.provenance.sources import read_results


@dataclass(frozen=True)
class Build:
    """What a build has left."""

    folder: Path
    results: Mapping[str, Any]
    manifest: Manifest | None
    """None for a results.json that lies alone."""

    @property
    def task(self) -> str:
        """The task of its suite."""
        return str(self.results.get("task", "classification"))

    @cached_property
    def runs(self) -> dict[str, dict[int, dict[str, Any]]]:
        """Variant to seed to the run's row."""
        found: dict[str, dict[int, dict[str, Any]]] = {}
        for row in self.results["runs"].values():
            found.setdefault(row["variant"], {})[row["seed"]] = row
        return found

    def label(self, variant: str, language: str) -> str:
        """Return what reports in the language call a variant."""
        labels = self.results.get("labels", {}).get(variant, {})
        return str(labels.get(language, labels.get("", variant)))

    def settings(self, variant: str) -> dict[str, Any]:
        """Return the settings of a variant by dotted name."""
        return dict(_flat(next(iter(self.runs[variant].values()))["settings"]))


def read_build(place: Path) -> Build:
    """Read a folder of reports, or the results.json or manifest.json in it.

    Raises ReportgenError if there is none, or it is cut short.
    """
    folder = place if place.is_dir() else place.parent
    if not place.exists() or (place.is_file() and place.name not in ("results.json", FILE)):
        raise ReportgenError(f"{place}: got no build, expected a folder of reports, or the results.json in it")
    manifest = reading.open_folder(folder) if (folder / FILE).is_file() else None
    return Build(folder, read_results(folder), manifest)


def require_one_suite(old: Build, new: Build) -> None:
    """Raise ReportgenError if two builds are not of one suite, or have no model in common."""
    if old.task != new.task:
        raise ReportgenError(f"got builds of two tasks, {old.task} and {new.task}, expected two of one suite")
    names = [build.manifest.suite.file for build in (old, new) if build.manifest]
    if len(set(names)) > 1:
        raise ReportgenError(f"got builds of two suites, {names[0]} and {names[1]}, expected two of one suite")
    if not old.runs.keys() & new.runs.keys():
        raise ReportgenError(
            f"got two builds with no model in common: {', '.join(old.runs)} in {old.folder}, "
            f"{', '.join(new.runs)} in {new.folder}"
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found
