"""Nothing lost: builds that are killed, run out of room, meet one another, or lie in odd places.

REPORTGEN_KILLS sets how often a build is killed: `REPORTGEN_KILLS=30 pytest tests/test_survival.py`.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE, build, largest_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interrupted import numbers

from reportgen import pipeline
from reportgen.planning import plan
from reportgen.storage.records import Store
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.reading import read_suite

KILLS = int(os.environ.get("REPORTGEN_KILLS", "4"))

SUITE = """\
title: Small
data: {source: surnames, languages: [Greek, Russian], limit: 300}
training: {epochs: 24, batch_size: 16, learning_rate: 0.01}
model: {hidden_size: 12}
runs:
  - {name: rnn, model: {cell: rnn}}
  - {name: lstm, model: {cell: lstm, layers: 2, recurrent_dropout: 0.2}}
seeds: [0, 1]
device: cpu
languages: [en]
formats: [md]
"""
SHARING = SUITE.replace("title: Small", "title: Sharing").replace("name: rnn,", "name: plain,")

# Each worker process imports this file as __mp_main__: there every epoch leaves a checkpoint, and each record that
# is written leaves a line in a file.
SCRIPT = """
import os
if __name__ == "__main__":
    from reportgen.cli.app import main
    main()
else:
    from reportgen.storage import records as store
    from reportgen.lab.training import checkpoints
    checkpoints.SECONDS_BETWEEN = 0.0
    write = store.Store.write
    def noted(self, key, files):
        write(self, key, files)
        with open(os.environ["WRITTEN"], "a") as written:
            written.write(key + "\\n")
    store.Store.write = noted
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with the suite, another suite that shares half of its runs, and the script that builds them."""
    (tmp_path / "small.yaml").write_text(SUITE, "utf-8")
    (tmp_path / "sharing.yaml").write_text(SHARING, "utf-8")
    (tmp_path / "script.py").write_text(SCRIPT, "utf-8")
    return tmp_path


def begun(lab: Path, suite: str = "small.yaml", folder: str = "build") -> subprocess.Popen[str]:
    """Begin a build in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "script.py", "build", suite, "--build-dir", folder, "--jobs", "2"],
        cwd=lab, env={**os.environ, "WRITTEN": str(lab / "written")}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def numbers_of(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the files of every record in a build folder, but for what is measured in seconds."""
    store = Store(folder / "records")
    found = {key: plan.read(store, key) for key in store.keys()}  # noqa: SIM118
    return {key: numbers(record) for key, record in found.items() if record}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folder of a build that nothing happened to; its suite lies beside it."""
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "small.yaml").write_text(SUITE, "utf-8")
    outcome = build(folder / "small.yaml", folder / "build")
    assert (outcome.trained, outcome.unfinished) == (4, [])
    return folder / "build"


def below(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder that is not hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_builds_killed_at_random_moments_end_as_a_quiet_one(lab: Path, quiet: Path) -> None:
    """After kill -9 of the whole group, again and again, the records have the bits of a quiet build's."""
    moments = random.Random(7)  # noqa: S311 - no secret
    resumable = 0
    for kill in range(KILLS):
        process = begun(lab)
        if kill % 2:  # one half at any time, the other while runs are trained
            wait_for_a_run(process, lab / "build" / "records")
        try:
            process.communicate(timeout=moments.uniform(0, 1.5 if kill % 2 else 6))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        store = Store(lab / "build" / "records")
        resumable += any(store.folder.glob(".*.unfinished"))
        assert numbers_of(lab / "build").items() <= numbers_of(quiet).items()
        keys = sorted(store.keys())
        if len(keys) == 4:  # so that there is something to kill
            shutil.rmtree(store.folder / moments.choice(keys))
    assert resumable or KILLS < 30
    last = begun(lab)
    _, told = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, told
    assert numbers_of(lab / "build") == numbers_of(quiet)
    left = [path.name for path in (lab / "build" / "records").iterdir() if path.name.startswith(".")]
    assert [name for name in left if not name.endswith(".lock")] == []
    assert not list((lab / "build" / "small").glob("*.bak*"))
    assert (lab / "build" / "small" / "report.en.md").is_file()


def wait_for_a_run(process: subprocess.Popen[str], records: Path) -> None:
    """Wait until a run has left a checkpoint, or the build has ended."""
    while process.poll() is None and not list(records.glob(".*.unfinished")):
        time.sleep(0.02)


@pytest.mark.skipif(os.name != "posix", reason="kill")
def test_workers_end_with_a_build_that_is_killed(lab: Path) -> None:
    """When the parent alone is killed, its workers do not go on for ever without anybody to tell."""
    (lab / "small.yaml").write_text(SUITE.replace("epochs: 24", "epochs: 100000"), "utf-8")
    process = begun(lab)
    wait_for_a_run(process, lab / "build" / "records")
    process.kill()
    process.wait()
    assert ended(process.pid)


def ended(group: int) -> bool:
    """Wait until no process of a group is left; tell whether that has come."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return False


@pytest.mark.slow
def test_two_builds_at_once_do_the_work_once(lab: Path, quiet: Path) -> None:
    """Of one suite, and of another that shares its runs: each record is made once, each build has its report."""
    builds = [begun(lab), begun(lab), begun(lab, "sharing.yaml")]
    told = [process.communicate(timeout=PATIENCE) for process in builds]
    assert [process.returncode for process in builds] == [0, 0, 0], told
    written = Counter((lab / "written").read_text().split())
    assert set(written.values()) == {1}
    assert len(written) == 4
    assert numbers_of(lab / "build") == numbers_of(quiet)
    trained = [int(out.splitlines()[-1].split(" trained")[0].split()[-1]) for out, _ in told]
    assert sum(trained) == 4
    assert all((lab / "build" / name / "report.en.md").is_file() for name in ("small", "sharing"))


HOLDER = """
import sys
from pathlib import Path
from reportgen.storage.records import Store
with Store(Path(sys.argv[1])).lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_dead_process_is_nobodys(tmp_path: Path) -> None:
    """While its holder lives a record's lock is waited for; with the holder it ends."""
    store = Store(tmp_path)
    command = [sys.executable, "-c", HOLDER, str(tmp_path), "key"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TimeoutError):
        store.lock("key").acquire(timeout=0.1)
    holder.kill()
    holder.communicate()
    with store.lock("key").acquire(timeout=5):
        assert (tmp_path / ".key.lock").exists()


# --- no room, and no leave to write ------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 100 KiB; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk],  # noqa: S607 - wherever it is
        check=False, capture_output=True,
    ) if shutil.which("mount") else None  # fmt: skip
    if mounted is None or mounted.returncode:
        pytest.skip("a disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)  # noqa: S607 - wherever it is


def remount(disk: Path, options: str) -> None:
    """Change a disk that is mounted."""
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)  # noqa: S607 - wherever it is


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_the_build_goes_on_when_there_is_room(
    lab: Path, small_disk: Path, quiet: Path
) -> None:
    """What was written is whole, and what had finished is not trained again."""
    filling = small_disk / "filling"
    filling.write_bytes(b"x" * 60_000)
    full = begun(lab, folder=str(small_disk / "build"))
    _, told = full.communicate(timeout=PATIENCE)
    assert full.returncode == 2
    assert told.splitlines()[-1].endswith(
        "No space left on device; finished runs are kept: free some space and run the same command again"
    )
    assert "Traceback" not in told
    kept = numbers_of(small_disk / "build")
    assert kept.items() <= numbers_of(quiet).items()
    store = Store(small_disk / "build" / "records")
    assert {key: store.fault(key) for key in store.keys()} == dict.fromkeys(kept, "")  # noqa: SIM118
    remount(small_disk, "size=3m")
    filling.unlink()
    outcome = build(lab / "small.yaml", small_disk / "build")
    assert (outcome.trained, outcome.reused, outcome.unfinished) == (4 - len(kept), len(kept), [])
    assert numbers_of(small_disk / "build") == numbers_of(quiet)


def test_a_report_that_there_is_no_room_for_is_one_message(lab: Path, small_disk: Path, quiet: Path) -> None:
    """The old report stays as it was; with room there is the new one, and nobody takes the old one for edited."""
    remount(small_disk, "size=3m")
    shutil.copytree(quiet, small_disk / "build")
    report = small_disk / "build" / "small" / "report.en.md"
    old = report.read_bytes()
    (lab / "small.yaml").write_text(SUITE.replace("title: Small", f"title: Large\naim: {'long ' * 8000}"), "utf-8")
    (small_disk / "filling").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 30_000))
    full = begun(lab, folder=str(small_disk / "build"))
    _, told = full.communicate(timeout=PATIENCE)
    assert (full.returncode, "Traceback" in told) == (2, False)
    assert "No space left on device; finished runs are kept" in told.splitlines()[-1]
    assert report.read_bytes() == old
    (small_disk / "filling").unlink()
    outcome = build(lab / "small.yaml", small_disk / "build")
    assert (outcome.trained, outcome.reused, outcome.notes) == (0, 4, [])
    assert report.read_text("utf-8").count("long ") > 7000


def test_a_build_folder_that_cannot_be_written_is_one_message(lab: Path, small_disk: Path, quiet: Path) -> None:
    """Reading goes on: a plan, and a build with nothing to do; a build with something to do says what is wrong."""
    remount(small_disk, "size=3m")
    shutil.copytree(quiet, small_disk / "build")
    remount(small_disk, "ro")
    outcome = build(lab / "small.yaml", small_disk / "build")
    assert (outcome.trained, outcome.reused, outcome.up_to_date) == (0, 4, True)
    (lab / "small.yaml").write_text(SUITE.replace("epochs: 24", "epochs: 1"), "utf-8")
    failing = begun(lab, folder=str(small_disk / "build"))
    _, told = failing.communicate(timeout=PATIENCE)
    assert failing.returncode == 2
    assert told.splitlines()[-1].startswith(str(small_disk / "build" / "records"))
    assert told.splitlines()[-1].endswith(": Read-only file system")
    assert "Traceback" not in told


@pytest.mark.parametrize("content", [b"", b"short", os.urandom(10_000)])
def test_a_file_that_there_is_no_room_for_leaves_the_old_one(tmp_path: Path, content: bytes) -> None:
    """A report or a mark is the old one or the new one, and nothing is left beside it."""
    (tmp_path / "report.md").write_bytes(b"the old one")
    if content:
        with largest_file(len(content) - 1), pytest.raises(OSError, match="File too large"):
            UntrustedFolder(tmp_path).write("report.md", content)
        assert below(tmp_path) == {"report.md": b"the old one"}
    UntrustedFolder(tmp_path).write("report.md", content)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_bytes() == content


# --- damage ------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_in_any_file_of_a_record_is_found_and_named(quiet: Path, data: st.DataObject) -> None:
    """The plan trains that run anew, and says which file is damaged; the other runs are reused."""
    store = Store(quiet / "records")
    runs = read_suite(quiet.parent / "small.yaml", {"en"}).runs
    keys = sorted(store.keys())
    key = data.draw(st.sampled_from(keys))
    file = data.draw(st.sampled_from(sorted((store.folder / key).iterdir())))
    whole = file.read_bytes()
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    file.write_bytes(whole[: bit // 8] + bytes([whole[bit // 8] ^ (1 << bit % 8)]) + whole[bit // 8 + 1 :])
    try:
        steps = plan.plan(runs, store).steps
    finally:
        file.write_bytes(whole)
    damaged = [step for step in steps if step.action.value != "reuse"]
    assert [(step.key, step.action.value) for step in damaged] == [(key, "train")]
    assert damaged[0].why.startswith("its record is damaged: ")
    assert file.name in damaged[0].why
    assert len(steps) == len(keys)


def test_damaged_records_are_trained_anew_to_the_same_bits(quiet: Path, tmp_path: Path) -> None:
    """With one file of each kind damaged, a build puts every record right."""
    shutil.copytree(quiet, tmp_path / "build")
    names = ("MANIFEST.json", "record.json", "epochs.csv", "predictions.npz")
    for key, name in zip(sorted(Store(quiet / "records").keys()), names, strict=True):
        file = tmp_path / "build" / "records" / key / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
    outcome = build(quiet.parent / "small.yaml", tmp_path / "build")
    assert (outcome.trained, outcome.reused) == (4, 0)
    assert numbers_of(tmp_path / "build") == numbers_of(quiet)


# --- odd places and odd times ------------------------------------------------------------------------------


def test_a_build_lies_wherever_it_is_put_and_the_clock_may_be_set_back(quiet: Path, tmp_path: Path) -> None:
    """Suite and build folder have spaces, Chinese and emoji in their paths; every file is from the year 2100."""
    odd = tmp_path / "我的 实验 😀 'a' \"b\""
    odd.mkdir()
    suite = odd / "小 套件 😀.yaml"
    suite.write_text(SUITE.replace("seeds: [0, 1]", "seeds: [0, 1, 2]"), "utf-8")
    folder = odd / "out put 结果 😀"
    shutil.copytree(quiet, folder)
    for path in folder.rglob("*"):
        os.utime(path, (4.1e9, 4.1e9))
    outcome = build(suite, folder)
    assert (outcome.trained, outcome.reused, outcome.unfinished) == (2, 4, [])
    assert outcome.folder == folder / "小 套件 😀"
    assert all(report.is_file() for report in outcome.reports)
    assert build(suite, folder).up_to_date


def test_a_plan_of_200_runs_is_a_plan_like_any_other(tmp_path: Path) -> None:
    """Each run has a key of its own, and a reason."""
    suite = tmp_path / "large.yaml"
    suite.write_text(SUITE.replace("seeds: [0, 1]", f"seeds: {list(range(100))}"), "utf-8")
    steps = pipeline.plan(pipeline.load(suite), Store(tmp_path / "records")).steps
    assert len({step.key for step in steps}) == 200
    assert {(step.action.value, step.why) for step in steps} == {("train", "new")}
