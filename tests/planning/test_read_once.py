"""A suite is read and expanded once a build, and what was worked out travels to the later stages."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from conftest import TINY, build

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.storage.records import Store
from reportgen.suite import document, expansion

COUNTED = {document.read_document.__code__: "read", expansion.expand.__code__: "expanded"}


@contextmanager
def counting(file: Path) -> Iterator[Counter[str]]:
    """Count how often the suite file is read, and how often a suite is expanded."""
    calls: Counter[str] = Counter()

    def profiled(frame: FrameType, event: str, _: object) -> None:
        name = COUNTED.get(frame.f_code)
        if event == "call" and name and frame.f_locals.get("file", file) == file:
            calls[name] += 1

    before = sys.getprofile()
    sys.setprofile(profiled)
    try:
        yield calls
    finally:
        sys.setprofile(before)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a small suite."""
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY.read_text("utf-8"), "utf-8")
    return file


@pytest.mark.slow
def test_a_build_reads_and_expands_its_suite_once(
    suite: Path, tiny_build: pipeline.Outcome, tmp_path: Path
) -> None:
    """From the file to the report: the later stages take the runs and the lines from the first."""
    folder = tmp_path / "build"
    shutil.copytree(tiny_build.folder.parent / "records", folder / "records")
    with counting(suite) as calls:
        built = build(suite, folder, formats=("md",))
    assert built.reports[0].is_file()
    assert calls == {"read": 1, "expanded": 1}


def test_each_profile_and_a_quick_build_are_suites_of_their_own(suite: Path) -> None:
    """All profiles are checked, each expanded once; what a quick build shortens is expanded once more."""
    suite.write_text(suite.read_text("utf-8") + "profiles: {long: {training: {epochs: 3}}}\n", "utf-8")
    with counting(suite) as calls:
        loaded = pipeline.load(suite, profile="long", quick=True)
    assert calls == {"read": 1, "expanded": 3}
    assert {run.variant.settings.model_dump()["training"]["epochs"] for run in loaded.runs} == {1, 2}


def test_a_fault_that_the_plan_finds_has_its_line_without_a_second_look(suite: Path, tmp_path: Path) -> None:
    """The value of a sweep that does not fit the data is told at its line."""
    suite.write_text(
        "title: t\nlanguages: [en]\ndata: {source: surnames, limit: 200}\nmodel: {cell: rnn}\n"
        "training: {epochs: 1}\nruns: [{name: a}]\nsweeps:\n  - base: a\n    grid:\n"
        "      training.loss:\n        - cross_entropy\n        - bce_logit\n",
        "utf-8",
    )
    with counting(suite) as calls, pytest.raises(SuiteError) as found:
        pipeline.plan(pipeline.load(suite), Store(tmp_path / "records"))
    assert str(found.value).startswith(
        f"{suite}:12: sweeps[0].grid.training.loss[1]: got 'bce_logit', and data with"
    )
    assert calls == {"read": 1, "expanded": 1}
