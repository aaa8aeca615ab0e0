"""Whatever the processor: what it cannot do is refused before anything trains, and all else is right on it.

ONEDNN_MAX_CPU_ISA has any x86 machine behave, in oneDNN, like an older one; ATEN_CPU_CAPABILITY does so for
torch's own kernels. Both are read once a process, so what is tried runs in processes of its own.
"""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Command

from reportgen.planning import preflight
from reportgen.suite.reading import read_suite
from reportgen.tasks.registry import task_named

OLDER = {
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "SSE41": {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"},
}
pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="only an x86 processor can behave like an older one",
)

SUITE = """\
title: Short numbers
data: {source: surnames, languages: [Greek, Tamil], limit: 60}
model: {hidden_size: 6}
training:
  epochs: 1
  precision: bf16
runs:
RUNS
seeds: [0]
device: cpu
languages: [en]
formats: [md]
"""
ABLE = """\
  - {name: gru, model: {cell: gru}}
  - {name: rnn, model: {cell: rnn}}
  - {name: by_hand, model: {cell: handwritten_lstm}}
  - {name: both_ways, model: {cell: lstm, packed: true, bidirectional: true}}
  - {name: exact, model: {cell: lstm}, training: {precision: float32}}
"""
LSTM = "  - {name: lstm, model: {cell: lstm}}\n"
DEEP = "  - {name: deep, model: {cell: lstm, layers: 2}, training: {precision: bf16}}\n"
OWN = '''\
from torch import nn


class Mine(nn.Module):
    """torch's LSTM, inside."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        return self.lstm(x)
'''


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the processes that are started behave as on an older processor."""
    for name, value in OLDER[request.param].items():
        monkeypatch.setenv(name, value)
    return str(request.param)


def suite(folder: Path, runs: str) -> Path:
    """Write a suite of these runs."""
    file = folder / "suite.yaml"
    file.write_text(SUITE.replace("RUNS\n", runs), "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.usefixtures("older")
def test_a_precision_that_the_processor_lacks_is_refused(reportgen: Command, tmp_path: Path) -> None:
    """torch's LSTM has no bf16 there: plan and build say so with the line, and what would do; nothing trains."""
    suite(tmp_path, LSTM + DEEP + ABLE)
    for command in ("plan", "build"):
        done = reportgen(command, "suite.yaml")
        assert done.returncode == 2, done.stdout + done.stderr
        first, second = done.stderr.splitlines()
        expected = "expected float32, or another cell: handwritten_lstm, rnn, gru"
        for line, place in ((first, "6: training.precision"), (second, "9: runs[1].training.precision")):
            assert line.startswith(
                f"suite.yaml:{place}: got 'bf16', in which this machine cannot compute cell lstm ("
            )
            assert line.endswith(f"), {expected}")
    assert not list((tmp_path / "build" / "records").glob("*/record.json"))


@pytest.mark.slow
@pytest.mark.usefixtures("older")
def test_what_the_processor_can_is_trained(reportgen: Command, tmp_path: Path) -> None:
    """The cells that the refusal names, and an LSTM in float32, are trained in bf16 on the same processor."""
    suite(tmp_path, ABLE)
    done = reportgen("build", "suite.yaml")
    assert done.returncode == 0, done.stderr
    assert "5 trained, 0 reused" in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("older")
def test_a_layer_of_ones_own_is_tried_in_its_precision(reportgen: Command, tmp_path: Path) -> None:
    """What a class asks of the processor is found out before a build trains, and told with the student's line."""
    (tmp_path / "mine.py").write_text(OWN, "utf-8")
    suite(tmp_path, "  - {name: mine, model: {cell: 'mine.py:Mine'}}\n")
    done = reportgen("build", "suite.yaml")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith(
        "suite.yaml:8: runs[0].model.cell: got RuntimeError: could not create a primitive"
    )
    assert (
        "expected what this machine can compute in bf16; it can in float32; mine.py:12 in forward" in done.stderr
    )
    assert not list((tmp_path / "build" / "records").glob("*/record.json"))


@pytest.mark.usefixtures("older")
def test_a_machine_of_a_cluster_refuses_what_its_processor_lacks(tmp_path: Path) -> None:
    """A run that the build's machine could train is refused by one that cannot, before it begins."""
    file = suite(tmp_path, LSTM)
    code = (
        "import sys; from pathlib import Path; from reportgen.executors import cluster; "
        "from reportgen.suite.reading import read_suite; "
        "(run,) = read_suite(Path(sys.argv[1]), {'en'}).runs; "
        "cluster.check_precision(run.variant.settings)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert (
        f"ReportgenError: {platform.node()}: training.precision: got 'bf16', in which this machine" in done.stderr
    )


@pytest.mark.slow
def test_a_processor_that_ends_the_process_is_told_apart(tmp_path: Path) -> None:
    """An instruction that is not there kills the process that meets it: that trial alone is refused."""
    (tmp_path / "mine.py").write_text(OWN, "utf-8")
    killing = OWN.replace(
        "        return self.lstm(x)", "        import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    )
    (tmp_path / "killing.py").write_text(killing, "utf-8")
    sizes = {"what": "cell", "input_size": 3, "hidden_size": 4}
    good, bad = ({**sizes, "cell": f"{tmp_path / name}:Mine"} for name in ("mine.py", "killing.py"))
    faults = list(preflight.faults_of([good, {**bad, "precision": "bf16"}]))
    ended = f"'bf16', in which this machine cannot compute cell {bad['cell']} (its process was killed"
    assert faults[0] is None
    assert faults[1] is not None
    assert faults[1][0].startswith(ended)


ARITHMETIC = ["test_layers.py", "test_handwritten_cells.py", "test_optimizers.py", "test_precision.py"]


@pytest.mark.slow
def test_the_arithmetic_holds_on_an_older_processor(older: str) -> None:
    """The scans, oneDNN's products and the fused optimizers give what torch.nn's forms do, there too."""
    files = [str(Path(__file__).with_name(name)) for name in ARITHMETIC]
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, f"{older}: {done.stdout}"


def test_float32_is_not_tried(tmp_path: Path) -> None:
    """Every processor has it: of a suite's runs those in bf16 alone cost a plan the import of torch."""
    runs = read_suite(suite(tmp_path, LSTM + ABLE), {"en"}).runs
    trial_of = task_named("classification").precision_trial
    tried = {run.variant.name: trial_of(run.variant.settings) for run in runs}
    assert [name for name, call in tried.items() if call is None] == ["exact"]
    assert tried["both_ways"] == {
        "what": "precision",
        "task": "classification",
        "precision": "bf16",
        "model": {"cell": "lstm", "layers": 1, "bidirectional": True, "packed": True, "recurrent_dropout": 0.0},
        "device": "cpu",
    }
