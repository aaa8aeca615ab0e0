"""A metric of the student's own: measured on the predictions that are there, with nothing trained for it."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import GOLDEN, TINY, Command, build, golden_files
from pandas.testing import assert_frame_equal

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.lab.record import from_files
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.tasks.classification.results import Results
from reportgen.user_code.functions import measured, try_metric
from reportgen.user_code.metrics import with_metrics

METRICS = """\
import numpy as np


def macro_recall(predicted, target, classes):
    recalls = [np.mean(predicted[target == c] == c) for c in range(classes) if np.any(target == c)]
    return np.mean(recalls)


def mistakes(predicted, target, classes):
    return int(np.sum(predicted != target))
"""
DECLARED = """
metrics:
  - {function: "my_metrics.py:macro_recall", label: {zh: 宏平均召回率, en: Macro recall}, percent: true}
  - my_metrics.py:mistakes
formats: [md]
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny suite with two metrics, and its golden records in the store."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "my_metrics.py").write_text(METRICS, "utf-8")
    (folder / "suite.yaml").write_text(TINY.read_text("utf-8") + DECLARED, "utf-8")
    store = Store(folder / "build" / "records")
    for step in pipeline.plan(pipeline.load(folder / "suite.yaml"), store).steps:
        store.write(step.key, golden_files(step))
    return folder / "suite.yaml"


@pytest.mark.slow
def test_a_metric_is_a_column_of_its_own_table(suite: Path) -> None:
    """Means and deviations over the seeds are those of the records' predictions; nothing is trained."""
    outcome = build(suite, suite.parent / "build")
    assert outcome.trained == 0
    scores = []
    for seed in (0, 1):
        files = {f.name: f.read_bytes() for f in (GOLDEN / "records" / f"rnn-seed={seed}").iterdir()}
        found = from_files(files).predictions
        recalls = [np.mean(found["predicted"][found["target"] == c] == c) for c in range(3)]
        scores.append(100 * float(np.mean(recalls)))
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    assert "| Model | Macro recall | mistakes |" in report
    assert f"| RNN | {np.mean(scores):.2f}% ± {np.std(scores, ddof=1):.2f}% | " in report
    assert "| 模型 | 宏平均召回率 | mistakes |" in (outcome.folder / "report.zh.md").read_text("utf-8")
    numbers = json.loads((outcome.folder / "results.json").read_text("utf-8"))["numbers"]
    (mean,) = [n for n in numbers if n["name"] == "metrics.macro_recall.rnn.mean"]
    assert mean["value"] == pytest.approx(np.mean(scores) / 100)
    assert mean["runs"] == ["rnn/seed=0", "rnn/seed=1"]


def test_verify_runs_no_metric(suite: Path, reportgen: Command) -> None:
    """Verifying runs no code of the suite's: a metric's values are taken from the report, and that is said."""
    folder = build(suite, suite.parent / "build").folder
    file = suite.parent / "my_metrics.py"
    file.write_text(f"from pathlib import Path\nPath({str(suite.parent / 'ran')!r}).touch()\n{METRICS}", "utf-8")
    done = reportgen("verify", folder, "--suite", suite)
    file.write_text(METRICS, "utf-8")
    assert "the values of macro_recall, mistakes are taken from the report" in done.stdout
    assert f"DIFFERS    own files: {file.name}: is not the file that took part in the report" in done.stdout
    assert done.returncode == 1, done.stdout + done.stderr
    assert not (suite.parent / "ran").exists()


def test_a_metric_that_changes_is_measured_anew(suite: Path) -> None:
    """Its source is part of what the report is made from, and of no key."""
    build(suite, suite.parent / "build")
    assert build(suite, suite.parent / "build").up_to_date
    file = suite.parent / "my_metrics.py"
    file.write_text(METRICS.replace("int(np.sum(", "-1 * int(np.sum("), "utf-8")
    outcome = build(suite, suite.parent / "build")
    assert (outcome.up_to_date, outcome.trained) == (False, 0)
    assert "| −" in (outcome.folder / "report.en.md").read_text("utf-8")
    file.write_text(METRICS, "utf-8")


@pytest.mark.slow
def test_a_metric_is_measured_once(suite: Path) -> None:
    """A change of the report's text measures nothing; what is kept is the same values, NaN too."""
    loaded = pipeline.load(suite)
    store = Store(suite.parent / "build" / "records")
    results = pipeline.collect(pipeline.plan(loaded, store), store)
    calls = suite.parent / "calls"
    calls.mkdir()
    noting = f"import os, pathlib\npathlib.Path({str(calls)!r}, str(os.getpid())).touch()\n"
    file = suite.parent / "my_metrics.py"
    file.write_text(noting + METRICS.replace("return int(", "return float('nan') * int("), "utf-8")
    cache = Cache(suite.parent / "kept")
    first, second, without = (
        with_metrics(results, loaded.suite.metrics, loaded.document, own) for own in (cache, cache, None)
    )
    file.write_text(METRICS, "utf-8")
    assert isinstance(first, Results)
    assert isinstance(second, Results)
    assert isinstance(without, Results)
    assert len(list(calls.iterdir())) == 2 + 2  # a process a metric, with what is kept and without
    for one, other, anew in zip(first.metrics, second.metrics, without.metrics, strict=True):
        assert_frame_equal(one.runs, other.runs)
        assert_frame_equal(one.runs, anew.runs)
    assert second.metrics[1].runs["value"].isna().all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("int(np.sum(predicted != target))", "predicted != target", "got ndarray, expected one number"),
        ("return int(np.sum(predicted != target))", "pass", "got nothing, expected one number for predicted ("),
        ("int(np.sum(", "1 / (0 * np.sum(", "got infinity, expected one number"),
        ("predicted != target", "predicted != taget", "got NameError: name 'taget' is not defined, expected "
            "one number for predicted (examples,), target (examples,) and classes; my_metrics.py:10 in mist"),
        (", target, classes):\n    return", ", target):\n    return", "got TypeError: mistakes() takes 2 "
            "positional arguments but 3 were given, expected one number"),
        ("def mistakes", "def errors", "got a file without mistakes; its functions are macro_recall, errors, "
            "expected a function called mistakes; my_metrics.py"),
    ],
)  # fmt: skip
def test_a_fault_of_a_metric_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    """It takes predicted classes, true ones and their number, and gives one number."""
    assert old in METRICS
    (tmp_path / "my_metrics.py").write_text(METRICS.replace(old, new), "utf-8")
    with np.errstate(divide="ignore"):
        fault = try_metric(f"{tmp_path / 'my_metrics.py'}:mistakes").fault
    assert str(fault).startswith(message), fault


def test_a_metric_may_have_no_value(tmp_path: Path) -> None:
    """NaN is a dash in the table, and no fault; what it does to the arrays reaches no other metric."""
    text = "def f(predicted, target, classes):\n    target[:] = 0\n    return float('nan')\n"
    (tmp_path / "m.py").write_text(text, "utf-8")
    target = np.array([1, 2])
    values, fault = measured(f"{tmp_path / 'm.py'}:f", [(target, target, 3)])
    assert fault is None
    assert np.isnan(values).all()
    assert target.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            "[my_metrics.py:mistakes, my_metrics.py:mistakes]",
            "suite.yaml:20: metrics[1]: got the metric 'mistakes' a second time, expected a name",
        ),
        ("[my_metrics.py:f1]", "my_metrics.py:1: got no function f1, expected one of macro_recall, mistakes, np"),
        ("[metrics.py:f]", "suite.yaml:20: metrics[0]: got no such file: "),
        ("[f1]", "suite.yaml:20: metrics[0].function: got 'f1', expected one of your own: file.py:Name"),
        ("[{label: F}]", "suite.yaml:20: metrics[0].function: got nothing, expected a value (the function, file"),
    ],
)
def test_a_metric_that_cannot_be_is_refused(tmp_path: Path, declared: str, message: str) -> None:
    """A name that is there twice, a file that is not there, no function at all."""
    (tmp_path / "my_metrics.py").write_text(METRICS, "utf-8")
    file = tmp_path / "suite.yaml"
    file.write_text(f"{TINY.read_text('utf-8')}\nmetrics: {declared}\n", "utf-8")
    with pytest.raises(SuiteError) as caught:
        pipeline.load(file)
    assert f"{tmp_path}/{message}" in str(caught.value), str(caught.value)


@pytest.mark.slow
def test_a_metric_is_tried_before_anything_trains(tmp_path: Path, reportgen: Command) -> None:
    """A fault is one message with the suite's line, and status 2."""
    (tmp_path / "my_metrics.py").write_text(METRICS.replace("np.mean(recalls)", "recalls"), "utf-8")
    (tmp_path / "suite.yaml").write_text(TINY.read_text("utf-8") + DECLARED, "utf-8")
    done = reportgen("build", "suite.yaml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("suite.yaml:21: metrics[0]: got list, expected one number for ")
    assert not (tmp_path / "build" / "records").exists()
