"""Data that a function of the student's own loads: never by a plan, tried before they are learnt from."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, build

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.storage.records import Store
from reportgen.suite.reading import read_suite
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.settings import FunctionSettings
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.settings import LoadedSeriesSettings
from reportgen.user_code.functions import try_data

LOAD = '''\
from pathlib import Path


def load():
    """Good and bad fruit."""
    (Path(__file__).parent / "called").touch()
    fruit = (Path(__file__).parent / "fruit.txt").read_text("utf-8").split()
    return [(f"{name} {i}", "good" if i % 2 else "bad") for i in range(10) for name in fruit]


def waves():
    (Path(__file__).parent / "called").touch()
    return [abs(i % 7 - 3) for i in range(80)]
'''
SUITE = """\
title: Ours
data: {source: function, load: "my_data.py:load", files: [fruit.txt]}
training: {epochs: 1}
model: {hidden_size: 4}
runs:
  - {name: rnn, model: {cell: rnn}}
seeds: [0]
device: cpu
languages: [en]
formats: [md]
"""
OWN = 'function, load: "my_data.py:load", files: [fruit.txt]'
SERIES = SUITE.replace(OWN, 'series-function, load: "my_data.py:waves", window: 12').replace(
    "epochs: 1", "steps: 2"
)


def lab(folder: Path, suite: str = SUITE, load: str = LOAD) -> Path:
    """Write a suite with a loading function and its file, and return the suite."""
    (folder / "my_data.py").write_text(load, "utf-8")
    (folder / "fruit.txt").write_text("apple\npear\nplum\n", "utf-8")
    (folder / "suite.yaml").write_text(suite, "utf-8")
    return folder / "suite.yaml"


def key(suite: Path) -> str:
    """Return the key of the suite's run."""
    (step,) = pipeline.plan(pipeline.load(suite), Store(suite.parent / "records")).steps
    return step.key


def settings(folder: Path, **more: object) -> FunctionSettings:
    """Return settings that name the function in the folder."""
    raw = {"source": "function", "load": f"{folder / 'my_data.py'}:load", **more}
    return FunctionSettings.model_validate(raw)


def test_a_plan_runs_none_of_the_students_code(tmp_path: Path) -> None:
    """The function is called where a run is trained, and not to plan it."""
    assert key(lab(tmp_path))
    assert not (tmp_path / "called").exists()


def test_texts_of_a_function_are_learnt_from(tmp_path: Path) -> None:
    """They are divided, encoded and reported like those of a table; where they lie is not told."""
    outcome = build(lab(tmp_path), tmp_path / "build")
    assert (outcome.trained, outcome.unfinished) == (1, [])
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    assert "The data are 30 texts in 2 classes, returned by my_data.py:load and fruit.txt." in report
    assert str(tmp_path) not in report
    assert build(tmp_path / "suite.yaml", tmp_path / "build").up_to_date


def test_a_lab_that_was_moved_gives_the_same_numbers(tmp_path: Path) -> None:
    """No interval, drawn at random as it is, hangs on the folder that the lab lies in."""
    (tmp_path / "here").mkdir()
    suite = lab(tmp_path / "here", SUITE.replace("seeds: [0]", "seeds: [0, 1]"), LOAD.replace("10", "200"))
    outcome = build(suite, tmp_path / "here" / "build")
    there = shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(there / "build" / "suite")
    moved = build(there / "suite.yaml", there / "build")
    assert (moved.trained, moved.reused) == (0, 2)
    for name in ("results.json", "report.en.md"):
        assert (moved.folder / name).read_bytes() == (outcome.folder / name).read_bytes()


def test_numbers_of_a_function_are_forecast(tmp_path: Path) -> None:
    """They are cut into windows like the column of a table."""
    outcome = build(lab(tmp_path, SERIES), tmp_path / "build")
    assert (outcome.trained, outcome.unfinished) == (1, [])
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    assert "The data are 80 numbers returned by my_data.py:waves, cut into" in report


def test_what_the_data_hang_on_is_in_the_key(tmp_path: Path) -> None:
    """The source, without comments, and every file that the suite names; where they lie is not."""
    before = key(lab(tmp_path))
    assert key(lab(tmp_path, load=f"# fruit\n{LOAD}")) == before
    assert key(lab(tmp_path, load=LOAD.replace("range(10)", "range(12)"))) != before
    lab(tmp_path)
    (tmp_path / "fruit.txt").write_text("apple\npear\n", "utf-8")
    assert key(tmp_path / "suite.yaml") != before
    (tmp_path / "elsewhere").mkdir()
    assert key(lab(tmp_path / "elsewhere")) == before


def test_a_function_may_return_its_own_test_part(tmp_path: Path) -> None:
    """Then the validation part alone is taken from what there is to train on."""
    body = "p = lambda n: [(str(i), i % 2) for i in range(n)]; return {'train': p(20), 'test': p(8)}"
    lab(tmp_path, load=f"def load():\n    {body}\n")
    data = classification_data.prepare(settings(tmp_path))
    assert {part: len(examples) for part, examples in data.parts.items()} == {
        "train": 18,
        "validation": 2,
        "test": 8,
    }
    assert (data.facts.classes, data.facts.divided) == (("0", "1"), "own_test")


def test_the_numbers_are_those_that_were_returned(tmp_path: Path) -> None:
    """Arrays and lists are read alike, in their order."""
    lab(tmp_path, load="import numpy\ndef load():\n    return numpy.arange(60) % 7.0\n")
    asked = {"source": "series-function", "load": f"{tmp_path / 'my_data.py'}:load", "window": 10}
    data = forecasting_data.prepare(LoadedSeriesSettings.model_validate(asked))
    unscaled = data.test * data.facts.spread + data.facts.center
    assert unscaled.ravel() == pytest.approx(np.arange(40, 60) % 7)
    assert data.facts.points == 60


FORM = "a list of pairs (text, class), or {'train': such a list, 'test': another}"
FAULTS = {
    "nothing": ("pass", f"got nothing, expected {FORM}; my_data.py"),
    "a text": ("return 'abc'", f"got str 'abc', expected {FORM}; my_data.py"),
    "three of a pair": ("return [('a', 'x', 1)]", "got a tuple of 3, expected a pair (text, class); my_"),
    "a text that is none": ("return [('a', 'x'), (3, 'y')]", "got int '3' as a text, expected a str; "),
    "a class that is none": ("return [('a', None)]", "got nothing as a class, expected the name of a class, or "
        "its number; my_data.py: [0]"),
    "one class": ("return [('a', 'x')] * 9", "got the one class 'x', expected examples of two classes or more"),
    "another part": ("return {'train': [], 'valid': []}", "got the part 'valid', expected train and test; "
        "data.split.validation is taken from train; my_data.py"),
    "no test part": ("return {'train': []}", "got the parts train, expected train and test; my_data.py"),
    "a test part that is wrong": ("return {'train': [('a', 'x')], 'test': [1]}", "got int '1', expected a pair "
        "(text, class); my_data.py: ['test'][0]"),
    "an exception": ("return open('/no/such/file')", "got FileNotFoundError: [Errno 2] No such file or "
        "directory: '/no/such/file', expected data that can be learnt from; my_data.py:2 in load: return "),
    "an argument": (None, "got TypeError: load() missing 1 required positional argument: 'n', expected data "),
    "chance": ("import random; return [(str(random.random()), i % 2) for i in range(40)]", "got other data the "
        "second time, expected the same at every call: give random numbers a seed; my_data.py"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_data_is_told(tmp_path: Path, body: str | None, message: str) -> None:
    """What the function returned, what was expected, and at which place."""
    lab(tmp_path, load=f"def load({'' if body else 'n'}):\n    {body or 'return n'}\n")
    asked = settings(tmp_path)
    fault = try_data(asked.load, asked.model_dump(mode="json")).fault
    assert str(fault).startswith(message), fault


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [[1, 2], [3, 4]]", "got an array of shape (2, 2), expected numbers in the order of time: "),
        ("return ['a']", "got a list of 1, expected numbers in the order of time"),
        ("return [1.0, float('nan')]", "got nan at place 1, expected finite numbers; my_data.py"),
        ("return [1, 2, 3]", "got 3 numbers, expected at least 36: a window to train on, and 2 of 12 held out"),
    ],
)
def test_a_fault_of_the_numbers_is_told(tmp_path: Path, body: str, message: str) -> None:
    """A table, words, NaN, or too few of them."""
    lab(tmp_path, load=f"def load():\n    {body}\n")
    asked = {"source": "series-function", "load": f"{tmp_path / 'my_data.py'}:load", "window": 12}
    fault = try_data(asked["load"], asked).fault  # type: ignore[arg-type]  # a text, as it was written
    assert str(fault).startswith(message), fault


@pytest.mark.slow
def test_a_fault_ends_the_build_with_the_suites_line(tmp_path: Path, reportgen: Command) -> None:
    """One message, status 2, and nothing is trained."""
    lab(tmp_path, load="def load():\n    return 1\n")
    done = reportgen("build", "suite.yaml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"suite.yaml:2: data.load: got int '1', expected {FORM}; my_data.py"
    assert not (tmp_path / "build" / "records").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"my_data.py:load"', "data.py:load", "2: data.load: got no such file: "),
        ('"my_data.py:load"', "load", "2: data.load: got 'load', expected one of your own: file.py:Name"),
        ("[fruit.txt]", "[fruit.csv]", "2: data.files: got no such file: "),
        ("{cell: rnn}", "{cell: rnn, vectors: glove-6b-50d}", "6: runs[0]: got settings that do not go "),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Files have to be there, and word vectors need words that a plan can read."""
    suite = lab(tmp_path, SUITE.replace(old, new))
    with pytest.raises(SuiteError) as caught:
        read_suite(suite, {"zh", "en"})
    assert f"{suite}:{message}" in str(caught.value), str(caught.value)
