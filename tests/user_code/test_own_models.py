"""A whole model and a loss of the student's own: tried first, part of the key, trained, printed in the report."""

from pathlib import Path

import pytest
from conftest import Command, build
from student_models import CLASSIFY, LOSSES, MODELS, lab

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.planning import preflight
from reportgen.storage.records import Store
from reportgen.suite.reading import read_suite
from reportgen.user_code.functions import try_loss
from reportgen.user_code.layers import Trial, try_layer
from reportgen.user_code.whole_models import try_model

FORECAST = """\
title: Ours
data: {source: sine, sequences: 6, length: 24}
training: {steps: 2, log_every: 1}
runs:
  - {name: cell, model: {cell: "my_models.py:MyCell", hidden_size: 4, arguments: {scale: 0.5}}}
  - {name: whole, model: {module: "my_models.py:MyForecaster"}}
seeds: [0]
device: cpu
languages: [en]
formats: [md]
"""
ADD = FORECAST.replace("sine, sequences: 6, length: 24", "addition, digits: 3, test_numbers: 9").replace(
    "MyForecaster", "MyAdder"
).replace("hidden_size: 4,", "hidden_size: 4, layers: 1,")  # fmt: skip


def keys(suite: Path) -> dict[str, str]:
    """Return the keys of the suite's runs by name."""
    steps = pipeline.plan(pipeline.load(suite), Store(suite.parent / "records")).steps
    return {step.run.variant.name: step.key for step in steps}


@pytest.mark.slow
@pytest.mark.parametrize("suite", [CLASSIFY, FORECAST, ADD], ids=["classification", "forecasting", "addition"])
def test_models_of_ones_own_are_trained_for_every_task(tmp_path: Path, suite: str) -> None:
    """Whole models, cells and losses train; their sources are in the report, and where they lie is not."""
    outcome = build(lab(tmp_path, suite), tmp_path / "build", jobs=1)
    assert (outcome.reused, outcome.unfinished) == (0, [])
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    classes = {CLASSIFY: ["MyClassifier"], FORECAST: ["MyForecaster", "MyCell"], ADD: ["MyAdder", "MyCell"]}[suite]
    for name in classes:
        source = MODELS[MODELS.index(f"class {name}") :].split("\n\n\n")[0].rstrip()
        assert source in report
    assert (LOSSES.rstrip() in report) == (suite == CLASSIFY)
    assert ("trained with different loss functions" in report) == (suite == CLASSIFY)
    assert str(tmp_path) not in report


def test_a_whole_model_takes_none_of_the_shared_settings(tmp_path: Path) -> None:
    """It is made of sizes that come from the data and of its arguments; the table has a dash for the rest."""
    suite = pipeline.load(lab(tmp_path)).suite
    runs = {
        step.run.variant.name: step.run.variant
        for step in pipeline.plan(pipeline.load(tmp_path / "suite.yaml"), Store(tmp_path)).steps
    }
    told = runs["whole"].settings.as_printed()["model"]
    assert told == {"cell": "my_models.py:MyClassifier", "arguments": "hidden=7"}
    assert suite.model == {"hidden_size": 6, "layers": 1}


def test_editing_a_model_or_a_loss_trains_its_runs_alone(tmp_path: Path) -> None:
    """The key has the source of the file; a comment is none of it."""
    before = keys(lab(tmp_path))
    after = keys(lab(tmp_path, models=MODELS.replace("hidden=6", "hidden=8")))
    assert {name for name in before if before[name] != after[name]} == {"whole"}
    after = keys(lab(tmp_path, losses=LOSSES.replace("2.0", "1.0")))
    assert {name for name in before if before[name] != after[name]} == {"focal"}
    assert keys(lab(tmp_path, models=f"# ours\n{MODELS}", losses=f"# ours\n{LOSSES}")) == before


def tried(folder: Path, models: str, name: str, task: str, **options: object) -> Trial:
    """Try a whole model."""
    (folder / "my_models.py").write_text(models, "utf-8")
    return try_model(f"{folder / 'my_models.py'}:{name}", task, **options)  # type: ignore[arg-type]


TASKS = {"MyClassifier": "classification", "MyForecaster": "forecasting", "MyAdder": "addition"}


@pytest.mark.parametrize(("name", "task"), TASKS.items())
def test_a_sound_model_passes_every_look(tmp_path: Path, name: str, task: str) -> None:
    """Nothing is said against it."""
    trial = tried(tmp_path, MODELS, name, task, arguments={"hidden": 3})
    assert (trial.fault, trial.notes) == (None, [])
    assert len(trial.passed) == (7 if task == "forecasting" else 6)


LOGITS = "one tensor (3, 4): batch, classes, for (3, 5), (3,)"
FAULTS = {
    "a wrong shape": ("MyClassifier", "(hidden, classes)", "(hidden, 2)",
        f"got one tensor (3, 2), expected {LOGITS}; my_models.py:12"),
    "states of all steps": ("MyClassifier", "self.output(last)", "self.output(states)",
        f"got one tensor (3, 5, 4), expected {LOGITS}; my_models.py:12"),
    "a tuple": ("MyClassifier", "self.output(last)", "self.output(last), None",
        f"got a tuple of 2, expected {LOGITS}; my_models.py:12"),
    "no lengths": ("MyClassifier", "tokens, lengths)", "tokens)",
        "got TypeError: MyClassifier.forward() takes 2 positional arguments but 3 were given, expected "),
    "an argument that is missing": ("MyClassifier", "hidden=6", "hidden, depth",
        "got MyClassifier(symbols, classes, hidden, depth): missing a required argument: 'hidden', expected a "
        "class that can be called as MyClassifier(9, 4); my_models.py:6"),
    "a NaN": ("MyClassifier", "self.output(last)", "self.output(last).log().log()",
        "got NaN or infinity in the output, expected finite numbers; my_models.py:12"),
    "an exception": ("MyClassifier", "self.embedding(tokens)", "self.embedding(tokens + 99)",
        f"got IndexError: index out of range in self, expected {LOGITS}; my_models.py:13 in forward: states, _ ="),
    "classes in place of logits": ("MyClassifier", "self.output(last)", "(self.output(last) > 0).float()",
        "got an output cut off from the weights (detach, no_grad, argmax or a new tensor?), expected an "),
    "a batch that is mixed": ("MyClassifier", "self.output(last)", "self.output(last + last.flip(0))",
        "got an output of a sequence that hangs on the others of its batch, expected the batch as the first axis"),
    "one tensor where a state belongs": ("MyForecaster", "self.output(states), state", "self.output(states)",
        "got one tensor (3, 5, 1), expected (values, last state) with values (3, 5, 1): batch, time, 1, for "),
    "a state that is forgotten": ("MyForecaster", "self.gru(points, state)", "self.gru(points)",
        "got other values where it goes on from its own last state, expected the same as for all steps at once"),
    "digits as one": ("MyAdder", "nn.Linear(hidden, 10)", "nn.Linear(hidden, 1)",
        "got one tensor (3, 5, 1), expected one tensor (3, 5, 10): batch, digits, 10, for (3, 5, 2); my_models.py:"
        "35"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_model_is_told_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    """What was found, what the task asks for, and the student's own line."""
    at = MODELS.index(f"class {name}")
    models = MODELS[:at] + MODELS[at:].replace(old, new, 1)
    assert models != MODELS
    assert str(tried(tmp_path, models, name, TASKS[name]).fault).startswith(message)


def test_a_classifier_that_reads_padding_is_told_so(tmp_path: Path) -> None:
    """That is no fault, but results then hang on which texts are in a batch."""
    trial = tried(tmp_path, MODELS.replace("lengths - 1]", "-1]"), "MyClassifier", "classification")
    assert (trial.fault, len(trial.notes)) == (None, 1)
    assert trial.notes[0].startswith("the output hangs on the padding: use lengths")


def test_a_layer_for_forecasts_has_to_take_its_state_back(tmp_path: Path) -> None:
    """A layer that begins anew at every call is right for classifying, and wrong for a closed loop."""
    (tmp_path / "my_models.py").write_text(MODELS.replace("* self.scale, state)", "* self.scale)"), "utf-8")
    cell = f"{tmp_path / 'my_models.py'}:MyCell"
    assert try_layer(cell, 1, 4).fault is None
    assert "goes on from its own last state" in str(try_layer(cell, 1, 4, goes_on=True).fault)


LOSS_FAULTS = {
    "one number": ("** gamma) * log_p", "** gamma * log_p).mean()", "got one number, expected a loss an example, "
        "(6,), for logits (6, 4) and labels (6,): reduction='none', and no mean; my_losses.py"),
    "an exception": ("labels[:, None]", "labels", "got RuntimeError: Index tensor must have the same number of "
        "dimensions as input tensor, expected a loss an example, (6,), for logits (6, 4) and labels (6,); "
        "my_losses.py:2 in focal: log_p = "),
    "a NaN": ("log_softmax(1)", "log()", "got NaN or infinity, expected finite numbers: a loss an example"),
    "no gradient": ("log_softmax(1)", "log_softmax(1).detach()", "got a loss cut off from the logits"),
    "another name": ("def focal", "def fokal", "got a file without focal; its functions are fokal, expected a "
        "function called focal; my_losses.py"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), LOSS_FAULTS.values(), ids=LOSS_FAULTS)
def test_a_fault_of_a_loss_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A loss has a number for each example, finite, with a gradient."""
    assert old in LOSSES
    (tmp_path / "my_losses.py").write_text(LOSSES.replace(old, new), "utf-8")
    fault = try_loss(f"{tmp_path / 'my_losses.py'}:focal").fault
    assert str(fault).startswith(message), fault


def test_a_sound_loss_passes(tmp_path: Path) -> None:
    """Nothing is said against it."""
    (tmp_path / "my_losses.py").write_text(LOSSES, "utf-8")
    assert try_loss(f"{tmp_path / 'my_losses.py'}:focal").fault is None


def test_every_fault_is_told_with_the_suites_line_before_anything_trains(tmp_path: Path) -> None:
    """A model and a loss that do not run are two problems of one message."""
    suite = lab(tmp_path, models=MODELS.replace("(hidden, classes)", "(hidden, 1)"), losses="focal = 1\n")
    with pytest.raises(SuiteError) as caught:
        build(suite, tmp_path / "build")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{suite}:7: runs[1].model.module: got one tensor (3, 1), expected one tensor (3, 4)")
    assert second.startswith(f"{suite}:8: runs[2].training.loss: got focal, which is no function, expected a ")


def test_a_loss_for_all_runs_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several runs share is one trial."""
    calls: list[dict[str, object]] = []

    def noted(given: list[dict[str, object]]) -> list[Trial]:
        calls.extend(given)
        return [Trial() for _ in given]

    monkeypatch.setattr(preflight, "try_layers", noted)
    suite = lab(tmp_path, CLASSIFY.replace("{epochs: 1}", "{epochs: 1, loss: 'my_losses.py:focal'}"))
    loaded = pipeline.load(suite)
    planned = pipeline.plan(loaded, Store(tmp_path / "records"))
    preflight.try_own(loaded.document, planned.new)
    assert [call["what"] for call in calls] == ["loss", "module"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("arguments: {hidden: 7}", "hidden_size: 8", "7: runs[1].model: got settings that do not go together, "
            "expected no hidden_size with module; give a whole model what it needs as arguments"),
        ("arguments: {hidden: 7}", "cell: lstm", "7: runs[1].model: got settings that do not go together, "
            "expected no cell with module"),
        ("my_models.py:MyClassifier", "my_models.py", "7: runs[1].model.module: got 'my_models.py', expected "
            "one of your own: file.py:Name"),
        ("my_models.py:MyClassifier", "models.py:MyClassifier", "7: runs[1].model.module: got no such file: "),
        ("my_losses.py:focal", "losses.py:focal", "8: runs[2].training.loss: got no such file: "),
        ("my_losses.py:focal", "focal", "8: runs[2].training.loss: got 'focal', expected 'cross_entropy', 'mse', "
            "'bce_one_hot', 'bce_logit' or a function of your own, file.py:name"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A whole model has no other settings; files have to be there."""
    suite = lab(tmp_path, CLASSIFY.replace(old, new))
    with pytest.raises(SuiteError) as caught:
        read_suite(suite, {"zh", "en"})
    assert f"{suite}:{message}" in str(caught.value), str(caught.value)


@pytest.mark.slow
def test_try_looks_at_a_whole_model(tmp_path: Path, reportgen: Command) -> None:
    """`reportgen try --whole` says what was looked at, and what is wrong."""
    lab(tmp_path)
    done = reportgen("try", "my_models.py:MyAdder", "--whole", "addition", "--argument", "hidden=3")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok       forward gives (3, 5, 10): batch, digits, 10, all finite" in done.stdout
    done = reportgen("try", "my_models.py:MyAdder", "--whole", "forecasting")
    assert done.returncode == 2
    assert done.stderr.startswith("my_models.py:MyAdder: got RuntimeError: ")
