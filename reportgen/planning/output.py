"""The folder of a suite's reports: whether they are up to date, and new reports put in place of the old."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import BaseFileLock

from reportgen.planning.load import Loaded
from reportgen.planning.plan import Plan
from reportgen.planning.user_files import OwnFile, own_files
from reportgen.storage import build_state, manifest
from reportgen.storage.records import Store
from reportgen.storage.untrusted import UntrustedFolder, refuse_link

CACHE = ".cache"
"""What was worked out once, in the build folder: see `reportgen.storage.cache`."""


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
            own={own.name: own.digest for own in self.user_files},
        )

    @cached_property
    def user_files(self) -> tuple[OwnFile, ...]:
        """The author's own files that took part; those that code read are known once it has run."""
        return own_files(self.loaded, self.planned, self.store)

    @property
    def mark(self) -> str:
        """A digest of all that the reports are made from, as it is now."""
        loaded = self.loaded
        return build_state.of(loaded.suite, loaded.template_folders, self.planned.keys, self.store, loaded.beside)

    def is_up_to_date(self, mark: str) -> bool:
        """Tell whether the reports are there as they were written, and were made from what `mark` stands for."""
        return build_state.matches(self.folder, mark)

    def locked(self) -> BaseFileLock:
        """Return a lock on the folder, which is made; another build may be at the same reports."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return UntrustedFolder(self.folder.parent).lock(f".{self.folder.name}.lock")

    def refuse_links(self) -> None:
        """Raise LinkError for a folder of the build that is a link, before anything is trained."""
        build = self.folder.parent
        written_to = [self.folder / name for name in ("figures", "tables", "pictures")]
        for folder in (build, build / "records", build / CACHE, self.folder, *written_to):
            refuse_link(folder)
        for top in written_to:
            for place, inner, _ in os.walk(top):
                for name in inner:
                    refuse_link(Path(place) / name)

    def put(
        self, reports: Mapping[str, bytes], others: Sequence[str], mark: str, *, keep_others: bool = False
    ) -> list[Path]:
        """Write the reports, the manifest and the mark; remove what an earlier build wrote and this one did not.

        Args:
            reports: content by file name.
            others: paths, from the folder, of the files that this build has written there already.
            mark: of what they were made from, taken before they were made: it may have changed since.
            keep_others: leave reports of other formats as an earlier build wrote them.

        Returns where reports are kept that somebody had edited.
        """
        edited = build_state.set_aside(self.folder, reports)

        for name, content in reports.items():
            UntrustedFolder(self.folder).write(name, content, sync=True)

        files = [*reports, *others]
        if keep_others:
            files += build_state.unchanged_reports(self.folder, reports)
        files.append(manifest.leave(self.folder, self.manifest, files))
        build_state.leave(self.folder, mark, files)
        return edited
