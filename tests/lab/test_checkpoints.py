"""Runs that go on where their process ended: the same bits as if nothing had happened."""

import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
import torch
from conftest import largest_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interrupted import numbers

from reportgen.lab.record import Record
from reportgen.lab.run import Cancelled
from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Hooks, Logged
from reportgen.tasks.classification.settings import ModelSettings, RunSettings, SurnamesSettings, TrainingSettings
from reportgen.tasks.registry import run_settings
from reportgen.tasks.runs import carry_out, key_parts

SETTINGS = RunSettings(
    data=SurnamesSettings(source="surnames", languages=("Greek", "Russian"), limit=300),
    model=ModelSettings(cell="lstm", hidden_size=8, layers=2, recurrent_dropout=0.2, dropout=0.3),
    training=TrainingSettings(epochs=5, batch_size=32, learning_rate=0.01),
)

BY_STEPS = {
    "adam": {
        "data": {"source": "sine", "sequences": 8, "length": 40, "validation": 2},
        "model": {"cell": "lstm", "hidden_size": 6},
        "training": {"optimizer": "adam", "steps": 12, "log_every": 5, "keep": "best"},
    },
    "lbfgs": {
        "data": {"source": "sine", "sequences": 8, "length": 40},
        "model": {"cell": "gru", "hidden_size": 6},
        "training": {"optimizer": "lbfgs", "steps": 9, "max_iter": 4, "learning_rate": 0.5, "log_every": 2},
    },
    "lbfgs in float32": {
        "data": {"source": "sine", "sequences": 8, "length": 40, "validation": 2},
        "model": {"cell": "rnn", "hidden_size": 6},
        "training": {"optimizer": "lbfgs", "steps": 12, "max_iter": 3, "precision": "float32", "keep": "best"},
    },
    "addition, stopped early": {
        "data": {"source": "addition", "digits": 4, "test_numbers": 20, "validation_numbers": 20},
        "model": {"cell": "lstm", "hidden_size": 8, "layers": 1, "embedding_size": 4},
        "training": {
            "steps": 60, "batch_size": 10, "log_every": 3, "learning_rate": 0.3, "early_stopping": {"patience": 3},
            "schedule": {"kind": "plateau", "patience": 1}, "gradient_clip_value": 0.1, "log_gradient_norm": True,
        },
    },
    "forecasting with a warm-up": {
        "data": {"source": "sine", "sequences": 8, "length": 40, "validation": 2},
        "model": {"cell": "gru", "hidden_size": 6},
        "training": {
            "steps": 20, "log_every": 4, "keep": "best", "schedule": {"kind": "cosine", "warmup": 8},
            "log_gradient_norm": True, "gradient_clip": 0.1,
        },
    },
    "addition": {
        "data": {"source": "addition", "digits": 4, "test_numbers": 20, "test_lengths": [6]},
        "model": {"cell": "gru", "hidden_size": 8, "layers": 1, "embedding_size": 4},
        "training": {"steps": 14, "batch_size": 10, "log_every": 4, "optimizer": "rmsprop", "gradient_clip": 1.0},
    },
}  # fmt: skip

SCRIPT = """
import sys
from pathlib import Path
from test_checkpoints import Checkpoint, run
run(Checkpoint(Path(sys.argv[1]), 0))
"""


def run(checkpoint: Checkpoint | None = None, stop_after: int = 0) -> Record:
    """Carry out the run; with `stop_after`, only so many epochs of it."""

    def on_log(logged: Logged) -> None:
        if logged.number == stop_after:
            raise Cancelled

    parts = key_parts(SETTINGS, 3)
    return carry_out(SETTINGS, 3, parts, hooks=Hooks(on_log), checkpoint=checkpoint)


def step_by_step(
    settings: RunOfAnyTask, checkpoint: Checkpoint | None = None, stop_at: int = 0
) -> tuple[Record, int]:
    """Carry out a run that is counted in steps, up to its evaluation `stop_at`; return how many it had."""
    batches = count(1)

    def on_batch() -> None:
        if next(batches) == stop_at:
            raise Cancelled

    record = carry_out(settings, 3, key_parts(settings, 3), hooks=Hooks(on_batch=on_batch), checkpoint=checkpoint)
    return record, next(batches) - 1


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
        hooks=Hooks(lambda logged: began.append(logged.number)),
        checkpoint=checkpoint,
    )
    assert began == list(range(stop_after + 1, 6))
    assert numbers(resumed) == numbers(quiet)


@pytest.mark.parametrize("name", BY_STEPS)
def test_a_run_counted_in_steps_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    """Stopped again and again, between and within rows of the log, it goes on as if nothing had happened."""
    chosen = run_settings(BY_STEPS[name])
    quiet, batches = step_by_step(chosen)
    checkpoint = Checkpoint(tmp_path / "run", 0)
    for stop_at in (batches // 3, batches // 4, 2):
        with pytest.raises(Cancelled):
            step_by_step(chosen, checkpoint, stop_at)
        assert checkpoint.load() is not None
    resumed, batches_left = step_by_step(chosen, checkpoint)
    assert batches_left < batches * 0.7
    assert (quiet.status, numbers(resumed)) == ("finished", numbers(quiet))


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


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_anywhere_makes_a_checkpoint_absent(tmp_path: Path, data: st.DataObject) -> None:
    """torch itself reads most flipped bits of a weight without a word."""
    checkpoint = Checkpoint(tmp_path / "run", 0)
    checkpoint.offer(lambda: {"model": {"weight": torch.arange(300.0)}, "best": 1.0})
    content = bytearray((tmp_path / "run").read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    (tmp_path / "run").write_bytes(content)
    assert checkpoint.load() is None


def test_a_state_is_kept_only_so_often(tmp_path: Path) -> None:
    """Between two checkpoints there is at least so much time; without a file there are none."""
    often, seldom, never = Checkpoint(tmp_path / "a", 0), Checkpoint(tmp_path / "b", 3600), Checkpoint()
    for checkpoint in (often, seldom, never):
        checkpoint.offer(lambda: {"best": 1.0})
    assert (often.load(), seldom.load(), never.load()) == ({"best": 1.0}, None, None)
    often.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_machine_is_none(tmp_path: Path) -> None:
    """The weights of somebody who does not know the machine's secret are not trained on."""
    Checkpoint(tmp_path / "run", 0, b"theirs").offer(lambda: {"best": 1.0})
    assert Checkpoint(tmp_path / "run", 0, b"ours").load() is None
    assert Checkpoint(tmp_path / "run", 0, b"theirs").load() == {"best": 1.0}


def test_a_checkpoint_never_writes_through_a_link(tmp_path: Path) -> None:
    """Links where a checkpoint belongs are replaced, and what they lead to stays as it is."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "run").symlink_to(tmp_path / "precious")
    (tmp_path / "run.new").symlink_to(tmp_path / "precious")
    Checkpoint(tmp_path / "run", 0).offer(lambda: {"best": 1.0})
    assert Checkpoint(tmp_path / "run").load() == {"best": 1.0}
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_checkpoint_that_has_no_room_ends_no_run(quiet: Record, tmp_path: Path) -> None:
    """On a full disk the run goes on without a checkpoint, and the last one that was whole stays."""
    checkpoint = Checkpoint(tmp_path / "run", 0)
    checkpoint.offer(lambda: {"best": 1.0})
    with largest_file(50_000):
        checkpoint.offer(lambda: {"best": 2.0, "large": os.urandom(100_000)})
    assert checkpoint.load() == {"best": 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    (tmp_path / "run").unlink()
    checkpoint.file = Path("/dev/full/run")
    assert numbers(run(checkpoint)) == numbers(quiet)


def test_a_run_that_is_killed_goes_on(quiet: Record, tmp_path: Path) -> None:
    """kill -9 at several moments, and then to the end: the record is that of a quiet run, bit for bit."""
    file = tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # where this module and conftest are
    for seconds in (0.0, 0.05, 0.2):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(file)], env=environment)
        while process.poll() is None and not file.is_file():
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.wait()
    assert file.is_file()
    assert numbers(run(Checkpoint(file, 0))) == numbers(quiet)
