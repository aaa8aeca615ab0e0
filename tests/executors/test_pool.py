"""Worker processes that are killed from outside: no run is lost, and no run is waited for in vain."""

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TINY

from reportgen import pipeline
from reportgen.executors.base import EpochDone, Event, RunDone, Task, carry_out_all
from reportgen.executors.pool import Pool
from reportgen.planning import plan
from reportgen.storage.records import Store


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    """Four runs, long enough to be killed."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    text = suite.read_text("utf-8").replace("epochs: 3,", "epochs: 200,")
    suite.write_text(text.replace("training.epochs: [1]", "training.epochs: [199]"), "utf-8")
    planned = pipeline.plan(pipeline.load(suite), Store(tmp_path / "records"))
    return plan.tasks(planned)[:4]


def carried_out(
    tasks: list[Task], folder: Path, workers: int, kill: Callable[[EpochDone], bool]
) -> dict[str, str]:
    """Carry the tasks out, kill all workers after each epoch that `kill` says; return the status of each run."""
    ends: dict[str, str] = {}

    def listen(event: Event) -> None:
        if isinstance(event, RunDone):
            ends[event.name] = event.status
        if isinstance(event, EpochDone) and kill(event):
            for process in multiprocessing.active_children():
                process.kill()

    carry_out_all(tasks, folder, Pool(workers), listen)
    return ends


@pytest.mark.slow
def test_a_run_whose_process_is_killed_is_tried_again(tasks: list[Task], tmp_path: Path) -> None:
    """A single kill costs nothing but time: every run ends, and none has failed."""
    kills: list[str] = []

    def once(event: EpochDone) -> bool:
        kills.append(event.name)
        return len(kills) == 1

    ends = carried_out(tasks, tmp_path / "records", 2, once)
    assert ends == {task.name: "finished" for task in tasks}


@pytest.mark.slow
def test_a_run_whose_process_is_killed_again_is_recorded_as_failed(tasks: list[Task], tmp_path: Path) -> None:
    """The run that always dies has a record that says so; those beside it and after it finish."""
    ends = carried_out(tasks, tmp_path / "records", 2, lambda event: event.name == tasks[0].name)
    assert ends == {task.name: "failed" if task is tasks[0] else "finished" for task in tasks}
    record = plan.read(Store(tmp_path / "records"), tasks[0].key)
    assert record is not None
    assert (record.status, record.error.split(",")[0]) == ("failed", "its process was killed twice")
