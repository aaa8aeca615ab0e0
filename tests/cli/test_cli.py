"""The command line: what it prints, and the status that it ends with."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PATIENCE, TINY, Command

from reportgen import __version__
from reportgen.resources import EXPERIMENTS

COMMANDS = ("build", "plan", "check", "clean", "doctor", "schema")


def test_the_version_is_printed(reportgen: Command) -> None:
    """`--version` prints name and version."""
    done = reportgen("--version")
    assert (done.returncode, done.stdout) == (0, f"reportgen {__version__}\n")


def test_help_lists_the_commands_with_examples_and_statuses(reportgen: Command) -> None:
    """`--help` shows every command, examples, and what the exit statuses mean."""
    help_text = reportgen("--help").stdout
    assert all(f"\n  {command} " in help_text for command in COMMANDS)
    assert "reportgen build experiments/suite_rnn_vs_lstm.yaml" in help_text
    assert "1    a run failed or diverged" in help_text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str, reportgen: Command) -> None:
    """The help of each command shows how it is called."""
    assert f"reportgen {command}" in reportgen(command, "--help").stdout.split("Example")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    """README and the page on commands have a row for each command."""
    root = Path(__file__).parents[2]
    for page in (root / "README.md", root / "docs" / "commands.md"):
        assert f"| `reportgen {command}" in page.read_text("utf-8")


def test_check_counts_the_runs(reportgen: Command) -> None:
    """A right suite is told so, with the number of its runs."""
    done = reportgen("check", TINY)
    assert (done.returncode, done.stdout) == (0, f"{TINY}: valid; 3 variants × 2 seeds = 6 runs\n")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sections/aim.md.j2", "{% if %}", "sections/aim.md.j2:1: "),
        ("text.en.yaml", "section: {aimm: Purpose}", "did you mean 'section.aim'?"),
        ("styles/own.css", "p { background: url(x.png) }", "own.css:1: got 'x.png', expected a data: URL"),
    ],
)
def test_check_looks_at_what_is_beside_the_suite(
    reportgen: Command, tmp_path: Path, name: str, text: str, expected: str
) -> None:
    """Faults in a template, a catalogue or a style sheet of one's own are told before anything is trained."""
    shutil.copy(TINY, tmp_path)
    (tmp_path / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "templates" / name).write_text(text, "utf-8")
    done = reportgen("check", "tiny.yaml")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert expected in done.stderr


def test_check_and_plan_mention_what_is_left_out(reportgen: Command, tmp_path: Path) -> None:
    """A point of a sweep that is the run itself, and a rule of own.css that says nothing, are a note each."""
    text = TINY.read_text("utf-8").replace("training.epochs: [1]", "training.epochs: [1, 3]")
    (tmp_path / "twice.yaml").write_text(text, "utf-8")
    (tmp_path / "templates" / "styles").mkdir(parents=True)
    (tmp_path / "templates" / "styles" / "own.css").write_text("p { colour: red }", "utf-8")
    checked, planned = reportgen("check", "twice.yaml"), reportgen("plan", "twice.yaml")
    assert checked.stdout == "twice.yaml: valid; 3 variants × 2 seeds = 6 runs\n"
    assert planned.stdout.splitlines()[-1] == "6 to train"
    for done in (checked, planned):
        assert done.returncode == 0
        assert done.stderr.splitlines() == [
            "note: sweeps: skipped points that equal their base run: rnn/epochs=3",
            "note: templates/styles/own.css:1: ignored `colour: red`: unknown property",
        ]


def test_a_suite_that_ships_is_found_by_its_name(reportgen: Command) -> None:
    """Outside a checkout, a suite's name is enough."""
    done = reportgen("check", "suite_rnn_vs_lstm")
    assert done.stdout == f"{EXPERIMENTS / 'suite_rnn_vs_lstm.yaml'}: valid; 4 variants × 5 seeds = 20 runs\n"


def test_a_suite_that_is_not_there_is_one_message(reportgen: Command) -> None:
    """A missing file ends with status 2 and names the suites that ship."""
    done = reportgen("build", "nowhere.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "nowhere.yaml:1: got no such file, expected a suite file, or the name of a shipped suite: "
    )


def test_every_problem_of_a_suite_is_told_at_once(reportgen: Command, tmp_path: Path) -> None:
    """Problems come as file:line: path: got X, expected Y, without a traceback, and with status 2."""
    text = TINY.read_text("utf-8").replace("epochs: 3", "epochz: 3").replace("hidden_size: 12", "hidden_size: -1")
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    done = reportgen("build", "bad.yaml")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "bad.yaml:10: training.epochz: got the unknown key 'epochz', expected one of batch_size, "
        "early_stopping, epochs, gradient_clip, gradient_clip_value, keep, learning_rate, log_gradient_norm, "
        "loss, momentum, optimizer, precision, schedule, weight_decay; did you mean 'epochs'?",
        "bad.yaml:11: model.hidden_size: got -1, expected a number above 0",
    ]


def test_a_wrong_option_ends_with_status_2(reportgen: Command) -> None:
    """The parser of the command line uses the same status for wrong input."""
    assert reportgen("build", TINY, "--jobs", "0").returncode == 2


def test_a_gpu_that_is_not_there_is_one_message(reportgen: Command, tmp_path: Path) -> None:
    """`device: cuda` on a machine without one says what to write instead."""
    from reportgen.lab.device import has_cuda

    if has_cuda():
        pytest.skip("this machine has a GPU")
    text = TINY.read_text("utf-8").replace("device: cpu", "device: cuda")
    (tmp_path / "gpu.yaml").write_text(text, "utf-8")
    done = reportgen("plan", "gpu.yaml")
    assert done.returncode == 2
    line = text.splitlines().index("device: cuda") + 1
    assert done.stderr.startswith(f"gpu.yaml:{line}: device: got 'cuda', expected a GPU that torch can use")


def test_a_build_folder_that_cannot_be_made_is_one_message(reportgen: Command, tmp_path: Path) -> None:
    """A file where the build folder should be ends with status 2 and its name."""
    (tmp_path / "build").write_text("not a folder")
    done = reportgen("build", TINY)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "build" in done.stderr


def test_the_schema_is_json(reportgen: Command) -> None:
    """`schema` prints the schema that ships."""
    shipped = json.loads((EXPERIMENTS / "suite.schema.json").read_text("utf-8"))
    assert json.loads(reportgen("schema").stdout) == shipped


def test_doctor_finds_what_a_build_needs(reportgen: Command) -> None:
    """On a machine that can build, `doctor` says so of every thing it looks at."""
    done = reportgen("doctor")
    words = [line.split()[:2] for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [word for word in words if word[0] == "ok"] >= [["ok", "Python"], ["ok", "PyTorch"], ["ok", "Pango"]]


@pytest.mark.slow
def test_plan_tells_what_and_why(reportgen: Command, tmp_path: Path) -> None:
    """Before a build every run is new; after it, a changed setting is named with both its values."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    before = reportgen("plan", suite).stdout.splitlines()
    assert before[1].split() == ["rnn/seed=0", "train", "new"]
    assert reportgen("build", suite).returncode == 0
    suite.write_text(suite.read_text("utf-8").replace("batch_size: 32", "batch_size: 31"), "utf-8")
    after = reportgen("plan", suite).stdout.splitlines()
    assert after[1].split(maxsplit=2) == [
        "rnn/seed=0",
        "train",
        "because training.batch_size changed from 32 to 31",
    ]
    assert after[-1] == "6 to train"


@pytest.mark.slow
def test_output_that_is_no_terminal_is_plain(reportgen: Command, tmp_path: Path) -> None:
    """A log file gets a line a run and a stage, without control characters; the reports are named last."""
    done = reportgen("build", TINY, "--quick")
    lines = [line.split("s  ", 1)[1] for line in done.stderr.splitlines() if line.startswith(" ")]
    assert lines[0] == "run      6 runs to train"
    assert sum(line.startswith("run      finished ") for line in lines) == 6
    assert [line.split()[0] for line in lines[7:]] == ["collect", "analyse", "draw", "write", "typeset"]
    assert "\x1b" not in done.stderr + done.stdout
    assert done.stdout.splitlines()[0] == "build/tiny.quick/report.zh.md"
    assert done.stdout.splitlines()[-1].startswith("6 trained, 0 reused, ")
    assert (tmp_path / "build/tiny.quick/report.en.pdf").is_file()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a process group")
def test_ctrl_c_keeps_what_has_finished(tmp_path: Path) -> None:
    """Stopped in the middle, a build ends with status 130 and one line; its finished runs are reused."""
    text = (
        TINY.read_text("utf-8")
        .replace("seeds: [0, 1]", f"seeds: {list(range(60))}")
        .replace("limit: 300", "limit: 900")
    )
    (tmp_path / "long.yaml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "reportgen", "build", "long.yaml", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    seen = next(line for line in process.stderr if "finished" in line)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(timeout=PATIENCE) == 130
    assert rest.splitlines()[-1] == "interrupted; finished runs are kept"
    assert "Traceback" not in rest
    plan = subprocess.run(
        [*command[:3], "plan", "long.yaml"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    name = seen.split("finished ")[1].split()[0]
    assert f"{name} reuse" in " ".join(plan.stdout.split())
