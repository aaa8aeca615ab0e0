"""The folder of a suite's reports: whether they are up to date, and new reports put in place of the old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from reportgen.planning.load import Loaded
from reportgen.planning.plan import Plan
from reportgen.storage import build_state, manifest
from reportgen.storage.records import Store, put_in_place


@dataclass(frozen=True)
class Output:
    """A folder for the reports of a plan."""

    folder: Path
    loaded: Loaded
    planned: Plan
    store: Store

    @classmethod
    def of(cls, build: Path, loaded: Loaded, planned: Plan, store: Store) -> "Output":
        """Return the suite's folder in a build folder: a profile and a quick build have folders of their own."""
        parts = [loaded.file.stem, loaded.profile, "quick" if loaded.quick else None]
        return cls(build / ".".join(filter(None, parts)), loaded, planned, store)

    @property
    def reports(self) -> list[Path]:
        """The reports that the suite asks for."""
        suite = self.loaded.suite
        return [self.folder / f"report.{code}.{kind}" for code in suite.languages for kind in suite.formats]

    @property
    def manifest(self) -> dict[str, Any]:
        """What the reports are made from: see `reportgen.manifest.Manifest`."""
        return manifest.of(
            self.loaded.file,
            {step.run.name: step.key for step in self.planned.steps},
            self.store,
            self.loaded.template_folders,
            profile=self.loaded.profile,
            quick=self.loaded.quick,
        )

    @property
    def mark(self) -> str:
        """A digest of all that the reports are made from, as it is now."""
        loaded = self.loaded
        return build_state.of(loaded.suite, loaded.template_folders, self.planned.keys, self.store, loaded.beside)

    def is_up_to_date(self, mark: str) -> bool:
        """Tell whether the reports are there as they were written, and were made from what `mark` stands for."""
        return build_state.matches(self.folder, mark)

    def locked(self) -> FileLock:
        """Return a lock on the folder, which is made; another build may be at the same reports."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder.with_name(f".{self.folder.name}.lock"))

    def put(self, reports: Mapping[str, bytes], others: Sequence[str], mark: str) -> list[Path]:
        """Write the reports, the manifest and the mark; remove what an earlier build wrote and this one did not.

        Args:
            reports: content by file name.
            others: paths, from the folder, of the files that this build has written there already.
            mark: of what they were made from, taken before they were made: it may have changed since.

        Returns where reports are kept that somebody had edited.
        """
        edited = build_state.set_aside(self.folder, reports)

        for name, content in reports.items():
            put_in_place(self.folder / name, content)

        files = [*reports, *others]
        files.append(manifest.leave(self.folder, self.manifest, files))
        build_state.leave(self.folder, mark, files)
        return edited
