"""Runs that go on where their process ended: the same bits as if nothing had happened."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reportgen.lab.checkpoints import Checkpoint
from reportgen.lab.key import key_parts
from reportgen.lab.record import Record
from reportgen.lab.work import Cancelled, carry_out
from reportgen.suite.classifier import ModelSettings
from reportgen.suite.settings import RunSettings, SurnamesSettings, TrainingSettings

SETTINGS = RunSettings(
    data=SurnamesSettings(source="surnames", languages=("Greek", "Russian"), limit=300),
    model=ModelSettings(cell="lstm", hidden_size=8, layers=2, recurrent_dropout=0.2, dropout=0.3),
    training=TrainingSettings(epochs=5, batch_size=32, learning_rate=0.01),
)

SCRIPT = """
import sys
from pathlib import Path
from test_checkpoints import Checkpoint, run
run(Checkpoint(Path(sys.argv[1]), 0))
"""


def run(checkpoint: Checkpoint | None = None, stop_after: int = 0) -> Record:
    """Carry out the run; with `stop_after`, only so many epochs of it."""

    def on_epoch(epoch: Any) -> None:
        if epoch.epoch == stop_after:
            raise Cancelled

    parts = key_parts(SETTINGS, 3)
    return carry_out(SETTINGS, 3, parts, on_epoch=on_epoch, checkpoint=checkpoint)


def numbers(record: Record) -> tuple[Any, ...]:
    """Return all that must be the same: everything but times."""
    epochs = [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in record.epochs]
    arrays = {name: array.tobytes() for name, array in sorted({**record.predictions, **record.arrays}.items())}
    return epochs, record.kept_epoch, arrays, record.measures


@pytest.fixture(scope="module")
def quiet() -> Record:
    """The run without an interruption."""
    return run()


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_an_interrupted_run_ends_with_the_same_bits(stop_after: int, quiet: Record, tmp_path: Path) -> None:
    """Weights, optimizer, order of the examples, dropout and the kept epoch go on as they were."""
    checkpoint = Checkpoint(tmp_path / "run", 0)
    with pytest.raises(Cancelled):
        run(checkpoint, stop_after)
    began: list[int] = []
    resumed = carry_out(
        SETTINGS,
        3,
        key_parts(SETTINGS, 3),
        on_epoch=lambda epoch: began.append(epoch.epoch),
        checkpoint=checkpoint,
    )
    assert began == list(range(stop_after + 1, 6))
    assert numbers(resumed) == numbers(quiet)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file", None], ids=["empty", "not whole", "cut short"])
def test_a_damaged_checkpoint_is_as_good_as_none(damage: bytes | None, quiet: Record, tmp_path: Path) -> None:
    """The run begins anew, and ends as it should."""
    checkpoint = Checkpoint(tmp_path / "run", 0)
    with pytest.raises(Cancelled):
        run(checkpoint, 2)
    content = (tmp_path / "run").read_bytes()
    (tmp_path / "run").write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert checkpoint.load() is None
    assert numbers(run(checkpoint)) == numbers(quiet)


def test_a_state_is_kept_only_so_often(tmp_path: Path) -> None:
    """Between two checkpoints there is at least so much time; without a file there are none."""
    often, seldom, never = Checkpoint(tmp_path / "a", 0), Checkpoint(tmp_path / "b", 3600), Checkpoint()
    for checkpoint in (often, seldom, never):
        checkpoint.offer({"best": 1.0})
    assert (often.load(), seldom.load(), never.load()) == ({"best": 1.0}, None, None)
    often.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_killed_goes_on(quiet: Record, tmp_path: Path) -> None:
    """kill -9 at several moments, and then to the end: the record is that of a quiet run, bit for bit."""
    file = tmp_path / "run"
    for seconds in (0.0, 0.05, 0.2):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(file)], cwd=Path(__file__).parent)
        while process.poll() is None and not file.is_file():
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.wait()
    assert file.is_file()
    assert numbers(run(Checkpoint(file, 0))) == numbers(quiet)
