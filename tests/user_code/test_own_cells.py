"""A recurrent layer of the student's own: tried before it is trained, part of the key, printed in the report."""

import os
import sys
from pathlib import Path

import pytest
from conftest import Command, build
from student_layers import LAYER
from torch import nn

from reportgen import pipeline
from reportgen.lab.key import key_of
from reportgen.lab.user_class import load
from reportgen.lab.user_source import UserClass, user_code_sources
from reportgen.storage.records import Store
from reportgen.suite.reading import read_suite
from reportgen.tasks.classification.settings import RunSettings
from reportgen.tasks.runs import carry_out, key_parts
from reportgen.user_code.layers import Trial, try_layer

SUITE = """\
title: Ours
data: {{source: surnames, languages: [Greek, Tamil], limit: 60}}
training: {{epochs: 1}}
model: {{hidden_size: 6, {model}}}
runs:
  - {{name: mine}}
seeds: [0]
device: cpu
languages: [en]
formats: [md]
"""
CELL = "cell: 'my_models.py:MyRNN'"


def lab(folder: Path, layer: str = LAYER, model: str = CELL) -> Path:
    """Write a suite with a layer beside it, and return the suite."""
    (folder / "my_models.py").write_text(layer, "utf-8")
    (folder / "suite.yaml").write_text(SUITE.format(model=model), "utf-8")
    return folder / "suite.yaml"


def keys(suite: Path) -> list[str]:
    """Return the keys of the suite's runs."""
    return [step.key for step in pipeline.plan(pipeline.load(suite), Store(suite.parent / "records")).steps]


def tried(folder: Path, layer: str, name: str = "MyRNN", **options: object) -> Trial:
    """Try a layer of four features and six units."""
    (folder / "my_models.py").write_text(layer, "utf-8")
    return try_layer(f"{folder / 'my_models.py'}:{name}", 4, 6, **options)  # type: ignore[arg-type]


def test_a_suite_with_a_layer_of_ones_own_is_built(tmp_path: Path) -> None:
    """The layer is trained like any other, its source is in the report, and where it lies is not."""
    outcome = build(lab(tmp_path, model=f"{CELL}, arguments: {{scale: 0.5}}"), tmp_path / "build")
    assert (outcome.trained, outcome.unfinished) == (1, [])
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    assert LAYER[LAYER.index("class MyRNN") :].rstrip() in report
    assert "(recurrent): MyRNN(" in report
    assert "scale=0.5" in report
    assert str(tmp_path) not in report
    assert build(tmp_path / "suite.yaml", tmp_path / "build").up_to_date


def test_the_arguments_reach_the_layer(tmp_path: Path) -> None:
    """The same seed with another argument trains to other losses."""
    lab(tmp_path)
    losses = set()
    for scale in (0.5, 2.0):
        suite = read_suite(lab(tmp_path, model=f"{CELL}, arguments: {{scale: {scale}}}"), {"zh", "en"}).suite
        settings = RunSettings.model_validate(
            {"data": suite.data.model_dump(), "model": suite.model, "training": suite.training}
        )
        record = carry_out(settings, 0, key_parts(settings, 0))
        assert record.status == "finished", record.error
        losses.add(record.epochs[0]["train_loss"])
    assert len(losses) == 2


SAME = {
    "a comment": ("# one step", "# the next step"),
    "a docstring": ('"""A plain network."""', '"""Elman\'s network."""'),
    "layout": ("states = []", "states = [\n        ]"),
}
DIFFERENT = {
    "a constant": ("START = 0.0", "START = 0.1"),
    "an operation": ("torch.tanh", "torch.sigmoid"),
    "a default": ("scale=1.0", "scale=1.5"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_what_means_the_same_trains_nothing(tmp_path: Path, old: str, new: str) -> None:
    """A comment, a docstring or layout of the student's file leaves the keys as they are."""
    before = keys(lab(tmp_path))
    assert old in LAYER
    assert keys(lab(tmp_path, LAYER.replace(old, new))) == before


@pytest.mark.parametrize(("old", "new"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_means_something_else_is_trained_anew(tmp_path: Path, old: str, new: str) -> None:
    """A constant, an operation or a default of the student's file gives another key."""
    before = keys(lab(tmp_path))
    assert old in LAYER
    assert keys(lab(tmp_path, LAYER.replace(old, new))) != before


def test_files_that_the_layer_imports_are_part_of_the_key(tmp_path: Path) -> None:
    """A module beside it counts, one that it imports in turn, too, and one that nobody imports does not."""
    suite = lab(tmp_path, LAYER.replace("import torch\n", "import torch\nfrom gates import squash\n", 1))
    (tmp_path / "gates.py").write_text("from parts.tables import SCALE\nsquash = SCALE\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "tables.py").write_text("SCALE = 1\n")
    (tmp_path / "notes.py").write_text("A = 1\n")
    names = [file.relative_to(tmp_path).as_posix() for file in user_code_sources(tmp_path / "my_models.py")]
    assert names == ["gates.py", "my_models.py", "parts/__init__.py", "parts/tables.py"]
    before = keys(suite)
    (tmp_path / "notes.py").write_text("A = 2\n")
    assert keys(suite) == before
    (tmp_path / "parts" / "tables.py").write_text("SCALE = 2\n")
    assert keys(suite) != before


def test_what_runs_is_the_file_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes within a second, to a text of the same length, is not run as Python had compiled it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "mine.py"
    for kind in (nn.RNN, nn.GRU):
        file.write_text(f"from torch.nn import {kind.__name__} as Mine\n", "utf-8")
        os.utime(file, (1_000_000_000, 1_000_000_000))
        assert load(UserClass.of(f"{file}:Mine")) is kind


def test_the_key_does_not_hang_on_where_the_layer_lies(tmp_path: Path) -> None:
    """The same folder elsewhere has the same keys."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert keys(lab(tmp_path / "a")) == keys(lab(tmp_path / "b"))


def test_a_file_that_changes_during_the_build_is_not_recorded_under_the_old_key(tmp_path: Path) -> None:
    """The run fails and says why, rather than lie under a key that is not its own."""
    suite = read_suite(lab(tmp_path), {"zh", "en"}).suite
    settings = RunSettings.model_validate(
        {"data": suite.data.model_dump(), "model": suite.model, "training": suite.training}
    )
    parts = key_parts(settings, 0)
    lab(tmp_path, LAYER.replace("torch.tanh", "torch.sigmoid"))
    record = carry_out(settings, 0, parts)
    assert (record.key, record.status) == (key_of(parts), "failed")
    assert "my_models.py has changed since the build began" in record.error


def test_a_sound_layer_passes_every_look(tmp_path: Path) -> None:
    """Eight things are looked at, and nothing is said against it."""
    trial = tried(tmp_path, LAYER)
    assert (trial.fault, trial.notes, len(trial.passed)) == (None, [], 8)
    assert trial.passed[1] == "MyRNN(4, 6) makes a layer of 66 weights"


BODY = "        return torch.stack(states, dim=1), h\n"
SHAPE = "(states, last state) with states (3, 5, 6) for x (3, 5, 4): batch, time, features"
FAULTS = {
    "one tensor alone": (BODY, "        return torch.stack(states, dim=1)\n",
        f"got one tensor (3, 5, 6), expected {SHAPE}; my_models.py:16"),
    "batch and time changed about": (BODY, "        return torch.stack(states), h\n",
        f"got states (5, 3, 6), expected {SHAPE}; my_models.py:16"),
    "nothing": (BODY, "", f"got nothing, expected {SHAPE}; my_models.py:16"),
    "an exception": ("torch.cat([step, h], dim=1)", "torch.cat([step, h], dim=0)",
        "got RuntimeError: Sizes of tensors must match except in dimension 0. Expected size 4 but got size 6 for "
        f"tensor number 1 in the list, expected {SHAPE}; my_models.py:20 in forward: h = torch.tanh("),
    "a NaN": ("h = torch.tanh(", "h = torch.log(-1 - ",
        "got NaN or infinity in the states, from step 1 on, expected finite numbers; my_models.py:16"),
    "a state that is cut off": (BODY, "        return torch.stack(states, dim=1).detach(), h\n",
        "got states cut off from the weights (detach, no_grad, .data or a new tensor?), expected states that a "
        "gradient flows back from to the weights; my_models.py:16"),
    "an argument too many": ("scale=1.0):", "scale):",
        "got MyRNN(input_size, hidden_size, scale): missing a required argument: 'scale', expected a class that "
        "can be called as MyRNN(4, 6); my_models.py:11"),
    "no weights": ("nn.Linear(input_size + hidden_size, hidden_size)", "lambda x: x[:, -6:]",
        "got a layer without weights, expected nn.Linear or nn.Parameter in __init__, set on self; "
        "my_models.py:11"),
    "another name": ("class MyRNN", "class MyRMM",
        "got a file without MyRNN; its classes are MyRMM, expected an nn.Module called MyRNN; my_models.py"),
    "no module": ("class MyRNN(nn.Module)", "class MyRNN",
        "got MyRNN, which is no nn.Module, expected an nn.Module called MyRNN; my_models.py"),
    "an import that fails": ("import torch\n", "import torch\nimport torhc\n",
        "got ModuleNotFoundError: No module named 'torhc', expected a file that can be run, with a class of that "
        "name; my_models.py:3 in <module>: import torhc"),
    "a program that ends": ("START = 0.0", "raise SystemExit('bye')",
        "got SystemExit: bye, expected a file that can be run, with a class of that name; my_models.py:5"),
    "a mixed batch": (BODY, "        y = torch.stack(states, dim=1)\n        return y - y.mean(0), h\n",
        "got states of a sequence that hang on the others of its batch, expected x as (batch, time, features)"),
    "a look ahead": (BODY, "        y = torch.stack(states, dim=1)\n        return y.flip(1), h\n",
        "got states that hang on later steps, which may be padding, expected a layer that reads from left "),
    "a squeeze": (BODY, "        return torch.stack(states, dim=1).squeeze(0), h\n",
        "got states of a sequence that hang on the others of its batch"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_the_students_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """What was found, what was expected, and where in the student's own file."""
    assert old in LAYER
    fault = tried(tmp_path, LAYER.replace(old, new, 1)).fault
    assert str(fault).startswith(message), str(fault)


def test_a_state_kept_between_calls_is_found(tmp_path: Path) -> None:
    """A layer that begins with the last batch's state gives other states the second time."""
    kept = "self.__dict__.get('h', x.new_zeros(1, 6)).mean(0, True).expand(len(x), 6)"
    layer = LAYER.replace("x.new_full((len(x), self.hidden_size), START)", kept)
    layer = layer.replace(BODY, "        self.__dict__['h'] = h.detach()\n" + BODY)
    fault = tried(tmp_path, layer).fault
    assert str(fault).startswith(
        "got other states for the same batch the second time, expected a layer that keeps"
    )


def test_weights_that_no_gradient_reaches_are_told(tmp_path: Path) -> None:
    """A gate that is made and not used is no fault, but it is said."""
    layer = LAYER.replace("        self.W =", "        self.V = nn.Linear(1, 1)\n        self.W =")
    trial = tried(tmp_path, layer)
    assert trial.fault is None
    assert trial.notes == ["no gradient reaches V.weight, V.bias: is it used?"]


def test_layers_above_one_need_num_layers(tmp_path: Path) -> None:
    """`layers: 2` is passed on as num_layers; a class without that argument is refused."""
    message = str(tried(tmp_path, LAYER, layers=2).fault)
    assert "unexpected keyword argument 'num_layers'" in message
    assert "MyRNN(4, 6, num_layers=2)" in message


@pytest.mark.slow
def test_a_build_with_a_faulty_layer_trains_nothing(tmp_path: Path, reportgen: Command) -> None:
    """The message names the suite's line and the student's, exit status is 2, and there is no record."""
    lab(tmp_path, LAYER.replace(BODY, "        return h, h\n"))
    done = reportgen("build", "suite.yaml")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.strip().endswith(
        "suite.yaml:4: model.cell: got states (3, 6), expected (states, last state) with states (3, 5, 6) "
        "for x (3, 5, 7): batch, time, features; my_models.py:16"
    )
    assert list((tmp_path / "build").rglob("MANIFEST.json")) == []


@pytest.mark.slow
def test_a_fault_is_told_once_for_a_whole_sweep(tmp_path: Path, reportgen: Command) -> None:
    """A run and the points of its sweep name the class at one place, and that has one message."""
    suite = lab(tmp_path, LAYER.replace("dim=1)))", "dim=0)))"))
    with suite.open("a", encoding="utf-8") as file:
        file.write("sweeps:\n  - {base: mine, grid: {model.hidden_size: [4, 8]}}\n")
    done = reportgen("build", "suite.yaml")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "suite.yaml:4: model.cell: got RuntimeError: " in done.stderr
    assert "my_models.py:20 in forward: " in done.stderr


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path, reportgen: Command) -> None:
    """A file that is not Python is one message."""
    lab(tmp_path, LAYER.replace("def forward(self, x, state=None):", "def forward(self, x, state=None)"))
    for command in ("build", "plan", "check"):
        done = reportgen(command, "suite.yaml")
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "my_models.py:16" in done.stderr


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("cell: 'other.py:MyRNN'", "4: model.cell: got no such file: "),
        (
            f"{CELL}, packed: true",
            "4: model: got settings that do not go together, expected no bidirectional",
        ),
        (
            "cell: rnn, arguments: {a: 1}",
            "4: model: got settings that do not go together, expected no arguments",
        ),
        (f"{CELL}, arguments: {{a: [1]}}", "4: model.arguments: got a mapping, expected a number, a text, true, "),
        (
            f"{CELL}, arguments: {{hidden_size: 1}}",
            "4: model: got settings that do not go together, expected no hid",
        ),
        ("cell: 'my_models.py'", "4: model.cell: got 'my_models.py', expected 'rnn', "),
    ],
)
def test_settings_that_cannot_be_passed_on_are_refused(tmp_path: Path, model: str, message: str) -> None:
    """What a class of one's own does not have, or is not there, is told when the suite is read."""
    from reportgen.errors import SuiteError

    suite = lab(tmp_path, model=model)
    with pytest.raises(SuiteError) as caught:
        read_suite(suite, {"zh", "en"})
    assert f"{suite}:{message}" in str(caught.value), str(caught.value)


@pytest.mark.slow
def test_a_layer_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop without an end is told by the time that it computes, with the suite's line."""
    from reportgen.errors import SuiteError
    from reportgen.planning import preflight
    from reportgen.user_code import subprocess

    monkeypatch.setattr(subprocess, "SECONDS", 6.0)
    suite = lab(tmp_path, LAYER.replace("        states = []", "        while True: pass"))
    loaded = pipeline.load(suite)
    planned = pipeline.plan(loaded, Store(tmp_path / "records"))
    with pytest.raises(
        SuiteError, match=r"suite.yaml:4: model.cell: got my_models.py:MyRNN: no result within 6 seconds of"
    ):
        preflight.try_own(loaded.document, planned.new)
