"""Data are prepared once and shared by all workers; so many runs go side by side as memory has room for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, build
from hypothesis import given
from hypothesis import strategies as st

from reportgen import pipeline
from reportgen.data_files import sharing
from reportgen.data_files.sharing import Texts
from reportgen.errors import ReportgenError
from reportgen.executors import pool
from reportgen.planning import plan
from reportgen.storage.records import Store
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.data import Dataset, prepare
from reportgen.tasks.classification.settings import SurnamesSettings

SETTINGS = SurnamesSettings(source="surnames", languages=("Greek", "Tamil"), limit=60)
MIB = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Share in a folder of the test's own."""
    sharing.share_in(tmp_path)
    prepare.cache_clear()
    yield tmp_path
    sharing.share_in(None)
    prepare.cache_clear()


def again() -> Dataset:
    """Prepare the data as another process would, that has nothing of its own."""
    prepare.cache_clear()
    return prepare(SETTINGS)


def test_shared_data_are_the_same(folder: Path) -> None:
    """Arrays, parts, facts and texts are those that are prepared without sharing."""
    shared = again()
    sharing.share_in(None)
    own = again()
    for name in ("inputs", "lengths", "labels"):
        np.testing.assert_array_equal(getattr(shared, name), getattr(own, name), strict=True)
    assert {part: list(own.parts[part]) for part in own.parts} == {
        part: list(shared.parts[part]) for part in shared.parts
    }
    assert (shared.facts, shared.vocabulary, list(shared.texts)) == (own.facts, own.vocabulary, list(own.texts))
    assert folder.is_dir()


@pytest.mark.usefixtures("folder")
def test_only_the_first_prepares_and_the_others_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads the sources twice, and the arrays lie in files that nobody can write to."""
    first = again()
    monkeypatch.setattr(classification_data, "load", lambda _: pytest.fail("was read again"))
    second = again()
    np.testing.assert_array_equal(first.inputs, second.inputs)
    assert isinstance(second.inputs, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        second.inputs[0, 0] = 1


def test_what_one_process_has_prepared_the_others_map(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that were left in the folder are read by nobody again; where they are there already nothing changes."""
    sharing.share_in(None)
    own = again()
    for _ in range(2):
        sharing.leave(SETTINGS, own.shared(), folder)
    sharing.share_in(folder)
    monkeypatch.setattr(classification_data, "load", lambda _: pytest.fail("was read again"))
    found = again()
    assert isinstance(found.inputs, np.memmap)
    np.testing.assert_array_equal(found.inputs, own.inputs)


def test_workers_find_the_data_of_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build leaves them while its workers start; what cannot be had is left to the run, which will say so."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    task, *_ = plan.tasks(pipeline.plan(pipeline.load(suite), Store(tmp_path / "records")))
    pool._leave_data(task, tmp_path)
    assert len(list(tmp_path.glob("*/inputs.npy"))) == 1
    shutil.rmtree(next(tmp_path.glob("*/inputs.npy")).parent)

    def gone(_: object) -> None:
        raise ReportgenError("gone")

    monkeypatch.setattr(classification_data, "prepare", gone)
    pool._leave_data(task, tmp_path)
    assert not list(tmp_path.glob("*/inputs.npy"))


def test_data_are_not_shared_where_there_is_no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk makes each process prepare its own, and leaves nothing that looks whole."""

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert again().facts.classes == ("Greek", "Tamil")
    assert not [path for path in folder.iterdir() if path.is_dir() and path.suffix != ".new"]


@pytest.mark.slow
def test_what_was_shared_is_gone_after_a_build(tmp_path: Path) -> None:
    """A build leaves records beside its reports, and no copy of the data."""
    outcome = build(TINY, tmp_path)
    assert outcome.trained
    assert [path.name for path in (tmp_path / "records").iterdir() if path.name.startswith(".shared")] == []


@given(st.lists(st.text(st.characters(codec=None))))
def test_texts_put_together_are_the_texts(texts: list[str]) -> None:
    """Each comes back to the letter, from the front, from the back, and in a slice."""
    found = Texts.of(texts)
    assert list(found) == texts
    assert found[1:] == texts[1:]
    assert [found[-i - 1] for i in range(len(texts))] == texts[::-1]


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [("max", 0, 5000 * MIB), (str(3000 * MIB), 1000 * MIB, 2000 * MIB), (str(9000 * MIB), 0, 5000 * MIB)],
)
def test_free_memory_heeds_the_container(tmp_path: Path, limit: str, used: int, expected: int) -> None:
    """It is what Linux says is available, or what the container's limit leaves if that is less."""
    (tmp_path / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable: {5000 * 1024} kB\n")
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    assert pool.free(tmp_path / "meminfo", tmp_path) == expected


def test_memory_of_a_system_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    """Then only the cores count; without a container's limit, Linux's own number does."""
    assert pool.free(tmp_path / "none", tmp_path) is None
    (tmp_path / "meminfo").write_text("MemAvailable: 2 kB\n")
    assert pool.free(tmp_path / "meminfo", tmp_path) == 2048


@pytest.mark.parametrize(
    ("free", "expected"), [(None, 8), (0, 1), (pool.A_RUN, 1), (3 * pool.A_RUN + 5, 3), (99 * pool.A_RUN, 8)]
)
def test_so_many_runs_go_side_by_side_as_cores_and_memory_allow(
    free: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On eight cores, at most eight, at most as many as memory has room for, and at least one."""
    monkeypatch.setattr(pool, "cores", lambda: 8)
    monkeypatch.setattr(pool, "free", lambda: free)
    assert pool.workers_for(20, "cpu") == expected
    assert pool.workers_for(20, "cuda") == 1
