"""`reportgen init`: the folder that it writes builds at once, in both languages, and its workflows are valid."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Command, build
from ruamel.yaml import YAML

from reportgen.suite.reading import read_suite
from reportgen.user_code.layers import try_layer
from reportgen.user_code.matching import compare

OWN = ("--title", "LSTM: 'by' hand", "--language", "en", "--data", "own")


def names(folder: Path) -> list[str]:
    """Return the files of a folder."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@pytest.mark.slow
@pytest.mark.parametrize(("language", "data"), [("zh", "own"), ("en", "surnames")])
def test_the_folder_builds_at_once(tmp_path: Path, reportgen: Command, language: str, data: str) -> None:
    """Every run finishes, and the report has the title, the student's layer and the replaced section."""
    title = {"zh": "手写 LSTM 实验", "en": "An LSTM by hand"}[language]
    done = reportgen("init", "lab", "--title", title, "--language", language, "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    outcome = build(tmp_path / "lab" / "suite.yaml", tmp_path / "build", quick=True)
    assert outcome.unfinished == []
    assert [file.name for file in outcome.reports] == [
        f"report.{language}.{kind}" for kind in ("md", "html", "pdf")
    ]
    report = outcome.reports[0].read_text("utf-8")
    assert title in report
    assert "class MyLSTM(nn.Module):" in report
    assert {"zh": "本次实验比较了以下模型：", "en": "These models are compared: "}[language] in report


def test_the_folder_has_what_it_says(tmp_path: Path, reportgen: Command) -> None:
    """Suite, schema, layer, mapping, data, template and workflow; and the next step is told."""
    done = reportgen("init", "lab", *OWN)
    assert names(tmp_path / "lab") == [
        ".github/summary.py", ".github/workflows/report.yml", ".gitignore", "data/texts.csv", "my_models.py",
        "requirements.txt", "suite.schema.json", "suite.yaml", "templates/sections/aim.md.j2", "weights.yaml",
    ]  # fmt: skip
    assert done.stdout.splitlines()[-2:] == ["  cd lab", "  reportgen build suite.yaml --quick"]
    assert str(read_suite(tmp_path / "lab" / "suite.yaml", {"zh", "en"}).suite.title) != ""
    assert YAML(typ="safe", pure=True).load(tmp_path / "lab" / "suite.yaml")["title"] == "LSTM: 'by' hand"


def test_the_three_questions_are_asked(tmp_path: Path) -> None:
    """Title, language and data are asked for where they are not given; an empty answer takes the first choice."""
    command = [sys.executable, "-m", "reportgen", "init", "lab"]
    answers = "一次实验\n\nmovie-snippets\n"
    done = subprocess.run(command, cwd=tmp_path, input=answers, capture_output=True, text=True, check=True)
    assert [question in done.stdout for question in ("Title", "Language", "Data")] == [True] * 3
    suite = YAML(typ="safe", pure=True).load(tmp_path / "lab" / "suite.yaml")
    assert (suite["title"], suite["languages"], suite["data"]) == (
        "一次实验",
        ["zh"],
        {"source": "movie-snippets"},
    )
    answers = "Another\nfr\n"
    done = subprocess.run(
        [*command[:-1], "other"], cwd=tmp_path, input=answers, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "got 'fr', expected one of zh, en" in done.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("given", [[], ["--title", "T"], ["--title", "T", "--language", "en"]])
def test_without_a_terminal_the_options_to_give_are_named(tmp_path: Path, given: list[str]) -> None:
    """Where nobody can answer, as in a script or in CI, one message names the options, and nothing is written."""
    command = [sys.executable, "-m", "reportgen", "init", "lab", *given]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (message,) = done.stderr.splitlines()
    assert message.startswith("reportgen init: no answer to ")
    assert message.endswith("without a terminal give --title, --language and --data")
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("data", ["surnames", "movie-snippets", "own"])
def test_every_suite_it_writes_is_right(tmp_path: Path, reportgen: Command, language: str, data: str) -> None:
    """The reader accepts it, and no placeholder is left in any file."""
    reportgen("init", "lab", "--title", "T", "--language", language, "--data", data)
    suite = read_suite(tmp_path / "lab" / "suite.yaml", {"zh", "en"}).suite
    assert [run.name for run in suite.runs] == ["mine", "lstm"]
    texts = {name: (tmp_path / "lab" / name).read_text("utf-8") for name in names(tmp_path / "lab")}
    assert [name for name, text in texts.items() if "[=" in text or "=]" in text or "[%" in text] == []


def test_the_layer_is_a_plain_network_that_becomes_an_lstm(tmp_path: Path, reportgen: Command) -> None:
    """It runs as it is; it is not torch.nn.LSTM; and it is, once the gates are filled in."""
    reportgen("init", "lab", *OWN)
    file = tmp_path / "lab" / "my_models.py"
    mapping = YAML(typ="safe", pure=True).load(tmp_path / "lab" / "weights.yaml")
    assert try_layer(f"{file}:MyLSTM", 4, 6).fault is None
    unfilled = compare(f"{file}:MyLSTM", "lstm", 4, 6, mapping=mapping)
    assert (unfilled.trial.fault, unfilled.trial.notes, unfilled.right) == (None, [], False)
    gates = "".join(f"            {gate} = torch.sigmoid(self.W_{gate}(xh))\n" for gate in "ifo")
    text = file.read_text("utf-8")
    assert text.count("            h = g\n") == 1
    filled = text.replace(
        "            h = g\n", f"{gates}            c = f * c + i * g\n            h = o * torch.tanh(c)\n"
    )
    (tmp_path / "filled.py").write_text(filled, "utf-8")
    assert compare(f"{tmp_path / 'filled.py'}:MyLSTM", "lstm", 4, 6, mapping=mapping).right


@pytest.mark.parametrize("name", ["rnn_vs_lstm", "suite_rnn_vs_lstm"])
def test_a_suite_that_ships_can_be_the_beginning(tmp_path: Path, reportgen: Command, name: str) -> None:
    """The suite is that one, comments and all, and nothing is asked."""
    assert reportgen("init", "lab", "--from", name, "--ci", "none").returncode == 0
    suite = read_suite(tmp_path / "lab" / "suite.yaml", {"zh", "en"}).suite
    assert [run.name for run in suite.runs] == ["rnn", "lstm", "gru", "lstm_by_hand"]
    assert "experiments/" not in (tmp_path / "lab" / "suite.yaml").read_text("utf-8")
    assert not (tmp_path / "lab" / ".github").exists()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, reportgen: Command) -> None:
    """What is there stays as it is; a file in the folder's place is refused, too; an empty folder is taken."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "notes.txt").write_text("mine")
    for place in ("lab", "lab/notes.txt"):
        done = reportgen("init", place, *OWN)
        assert (done.returncode, "expected a new or empty folder" in done.stderr) == (2, True)
    assert names(tmp_path / "lab") == ["notes.txt"]
    (tmp_path / "lab" / "notes.txt").unlink()
    assert reportgen("init", "lab", *OWN).returncode == 0


def test_what_cannot_be_begun_with_is_told(reportgen: Command) -> None:
    """An unknown suite, with the nearest one; and --from beside what it replaces."""
    done = reportgen("init", "lab", "--from", "surnames_handwriten")
    assert (done.returncode, "did you mean 'surnames_handwritten'?" in done.stderr) == (2, True)
    done = reportgen("init", "lab", "--from", "rnn_vs_lstm", "--title", "T")
    assert (done.returncode, "expected --from alone" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("ci", "file", "schema"),
    [
        ("github", ".github/workflows/report.yml", "vendor.github-workflows"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_the_workflows_are_valid(tmp_path: Path, reportgen: Command, ci: str, file: str, schema: str) -> None:
    """Each is valid by the published schema of its service, and builds, keeps records, uploads, and compares."""
    reportgen("init", "lab", *OWN, "--ci", ci)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(tmp_path / "lab" / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.dumps(YAML(typ="safe", pure=True).load(tmp_path / "lab" / file))
    for part in (
        "reportgen build suite.yaml --strict",
        "build/records",
        {"github": "build/suite/*.pdf", "gitlab": '"build/suite/"'}[ci],
        "pip install -r requirements.txt",
        "reportgen diff base build/suite --language en --html",
    ):
        assert part in said


def test_only_the_job_that_comments_may_write(tmp_path: Path, reportgen: Command) -> None:
    """What runs the student's code has a token that reads; the job with a token that writes runs none of it."""
    reportgen("init", "lab", *OWN)
    flow = YAML(typ="safe", pure=True).load(tmp_path / "lab" / ".github" / "workflows" / "report.yml")
    build, comment = flow["jobs"]["report"], flow["jobs"]["comment"]
    assert (flow["permissions"], "permissions" in build) == ({"contents": "read"}, False)
    assert build["steps"][0]["with"] == {"persist-credentials": False}
    assert comment["permissions"] == {"pull-requests": "write"}
    steps = [step.get("uses") or step["run"].split()[0:3] for step in comment["steps"]]
    assert steps == ["actions/download-artifact@v4", ["gh", "pr", "comment"]]


def test_the_summary_is_a_table_of_the_comparison(tmp_path: Path, reportgen: Command) -> None:
    """The script of the GitHub workflow writes a Markdown table with a row a variant."""
    reportgen("init", "lab", *OWN)
    table = tmp_path / "comparison.csv"
    table.write_text("variant,finished,test_loss,test_accuracy,parameters\nlstm,3,0.43218,0.875,\n")
    command = [sys.executable, str(tmp_path / "lab" / ".github" / "summary.py"), str(table)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "| variant | finished | test_accuracy | test_loss | parameters |",
        "|---|---|---|---|---|",
        "| lstm | 3 | 0.8750 | 0.4322 |  |",
    ]
