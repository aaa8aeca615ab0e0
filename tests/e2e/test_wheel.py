"""The wheel: built, installed by itself, and used outside the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `reportgen` command of an environment that has the wheel, and no way to the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(run, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-deps", str(wheel)], check=True, capture_output=True
    )
    # the dependencies are those of the environment that runs the tests; a .pth file reads no further .pth files,
    # so the editable installation of the checkout stays out of reach
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "reportgen"


def call(command: Path, folder: Path, *arguments: str) -> str:
    """Run the installed command in a folder, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_finds_its_suites(installed: Path, tmp_path: Path) -> None:
    """A suite that ships is checked by its name, from inside the environment."""
    said = call(installed, tmp_path, "check", "suite_rnn_vs_lstm")
    assert said.endswith("suite_rnn_vs_lstm.yaml: valid; 4 variants × 5 seeds = 20 runs\n")
    assert str(installed.parents[1]) in said


@pytest.mark.slow
def test_the_wheel_builds_a_report(installed: Path, tmp_path: Path) -> None:
    """Templates, catalogues, styles and fonts are all found outside the checkout."""
    said = call(installed, tmp_path, "build", "suite_rnn_vs_lstm", "--quick")
    assert said.splitlines()[-1].startswith("8 trained, 0 reused, ")
    reports = tmp_path / "build" / "suite_rnn_vs_lstm.quick"
    assert (reports / "report.zh.pdf").read_bytes()[:5] == b"%PDF-"
