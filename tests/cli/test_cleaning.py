"""`reportgen clean`: what no suite uses goes, after it was shown; what any of them uses stays."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TINY, Command

from reportgen import pipeline
from reportgen.cli.clean import used_keys
from reportgen.planning import plan
from reportgen.storage.records import Store

PROFILED = """
profiles:
  long: {training: {epochs: 30}, seeds: [5]}
"""


@pytest.fixture
def lab(tiny_build: pipeline.Outcome, tmp_path: Path) -> Path:
    """A folder with the tiny suite, its build, a file that is no suite, and three leftovers.

    These are a record that no suite uses, a damaged one, and a checkpoint of a run that did not end.
    """
    shutil.copy(TINY, tmp_path / "tiny.yaml")
    (tmp_path / "weights.yaml").write_text("W_i.weight: [a, b]\n", "utf-8")
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    store = Store(tmp_path / "build" / "records")
    key = next(store.keys())
    files = store.read(key) or {}
    store.write("0" * 20, {**files, "record.json": files["record.json"].replace(key.encode(), b"0" * 20)})
    store.write("1" * 20, {"record.json": b"nothing"})
    store.scratch("2" * 20).write_bytes(b"x" * 5000)
    return tmp_path


def keys(lab: Path) -> set[str]:
    """Return the keys of all records."""
    return set(Store(lab / "build" / "records").keys())


def whole(lab: Path) -> dict[str, bytes]:
    """Return all files of the records."""
    return {str(path): path.read_bytes() for path in (lab / "build").rglob("*") if path.is_file()}


def test_what_no_suite_uses_is_shown_and_removed(reportgen: Command, lab: Path) -> None:
    """Each leftover has a line that says what it is and how large; the records of the suite stay."""
    before = keys(lab)
    done = reportgen("clean", "--yes")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith(f"{'0' * 20}  surnames, ")
    assert lines[0].split(", ")[-2:][0] == "0 days"
    assert lines[1] == f"{'1' * 20}  unreadable record, 0 days, 0.1 kB"
    assert lines[2] == f"{'2' * 20}  checkpoint of an unfinished run, 0 days, 5.0 kB"
    assert lines[3].startswith("removed 3 unused items in build, ")
    assert keys(lab) == before - {"0" * 20, "1" * 20}
    assert len(keys(lab)) == 6
    assert not list((lab / "build" / "records").glob(".*.unfinished"))
    again = reportgen("clean", "--yes")
    assert again.stdout == "nothing to remove: every record in build is in use, or too recent\n"
    assert reportgen("plan", "tiny.yaml").stdout.splitlines()[-1] == "6 to reuse"


@pytest.mark.parametrize(("answer", "left"), [("n\n", 8), ("\n", 8), ("y\n", 6)])
def test_it_asks_first(lab: Path, answer: str, left: int) -> None:
    """Nothing is removed unless the answer is yes."""
    command = [sys.executable, "-m", "reportgen", "clean"]
    done = subprocess.run(command, cwd=lab, input=answer, capture_output=True, text=True, check=True)
    assert "3 unused items in build, " in done.stdout
    assert "Remove them? [y/N]" in done.stdout
    assert ("nothing was removed" in done.stdout) is (left == 8)
    assert len(keys(lab)) == left


def test_a_suite_that_does_not_load_is_told_and_nothing_is_removed(reportgen: Command, lab: Path) -> None:
    """Its records might be among those that seem unused."""
    (lab / "below").mkdir()
    (lab / "below" / "broken.yml").write_text("title: T\nruns: [{name: a}]\ndata: {source: surname}\n", "utf-8")
    before = whole(lab)
    done = reportgen("clean", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("below/broken.yml:3: data.source: got 'surname', expected ")
    assert whole(lab) == before


def test_a_folder_without_a_suite_is_refused(reportgen: Command, lab: Path) -> None:
    """All records would be unused, which nobody means."""
    (lab / "tiny.yaml").unlink()
    done = reportgen("clean", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ".: got a folder without suites, expected that of the suites with records in build\n"
    assert len(keys(lab)) == 8


def test_what_is_not_old_enough_stays(reportgen: Command, lab: Path) -> None:
    """With --older-than, the age of the last write counts; a clock that was set back makes nothing old."""
    for key, days in (("0" * 20, 40), ("1" * 20, -40)):
        for path in (lab / "build" / "records" / key).iterdir():
            os.utime(path, (time.time() - days * 86_400,) * 2)
    done = reportgen("clean", "--yes", "--older-than", "30d")
    assert done.stdout.splitlines()[0].split(", ")[-2] == "40 days"
    assert done.stdout.splitlines()[1].startswith("removed 1 unused item in build, ")
    assert "1" * 20 in keys(lab)
    assert "0" * 20 not in keys(lab)
    wrong = reportgen("clean", "--older-than", "a month")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        "--older-than: got 'a month', expected a number of hours, days or weeks: 12h, 30d, 8w\n"
    )


def test_what_a_process_is_at_stays(reportgen: Command, lab: Path) -> None:
    """A record or a checkpoint whose lock is held is not removed, and that is said."""
    store = Store(lab / "build" / "records")
    with store.lock("0" * 20), store.lock("2" * 20):
        done = reportgen("clean", "--yes")
    kept = f"kept, because a build is using them: {'0' * 20}, {'2' * 20}"
    assert done.stdout.splitlines()[-1].endswith(kept)
    assert store.read("0" * 20) is not None
    assert store.scratch("2" * 20).exists()
    assert "1" * 20 not in keys(lab)


@pytest.mark.parametrize(
    "options", [{}, {"quick": True}, {"profile": "long"}, {"profile": "long", "quick": True}], ids=str
)
def test_every_variant_of_a_suite_counts_as_used(tmp_path: Path, options: dict[str, object]) -> None:
    """In full or quick, with and without a profile, on a CPU and on a GPU."""
    suite = tmp_path / "tiny.yaml"
    suite.write_text(TINY.read_text("utf-8") + PROFILED, "utf-8")
    loaded = pipeline.load(suite, **options)  # type: ignore[arg-type]  # passed on as they are
    planned = {step.key for step in plan.plan(loaded.runs, Store(tmp_path / "records")).steps}
    assert planned <= used_keys([suite])


def test_a_record_that_is_removed_is_absent_at_once(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads while the files go sees no half record, and what is left of them is removed later."""
    store = Store(lab / "build" / "records")
    seen: list[object] = []

    def seeing(remove: Callable[..., None]) -> Callable[..., None]:
        def instead(path: Path, **options: object) -> None:
            seen.append((store.has("0" * 20), "0" * 20 in store.keys()))  # noqa: SIM118
            remove(path, **options)

        return instead

    monkeypatch.setattr(shutil, "rmtree", seeing(shutil.rmtree))
    store.remove("0" * 20)
    assert set(seen) == {(False, False)}
    assert not [path.name for path in store.folder.iterdir() if "0" * 20 in path.name and path.is_dir()]
