"""Tasks: data.source decides which settings there are, in a suite, in its schema, in a key, in a quick build."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.executors.base import Event, RunDone, carry_out_all
from reportgen.executors.pool import Pool
from reportgen.lab.key import key_of
from reportgen.planning import plan
from reportgen.resources import shipped_suites
from reportgen.storage.records import Store
from reportgen.suite.expansion import runs_of
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import json_schema
from reportgen.tasks.addition.settings import AdditionRun
from reportgen.tasks.base import sources
from reportgen.tasks.classification.settings import RunSettings
from reportgen.tasks.forecasting.settings import ForecastingRun, ForecastTrainingSettings
from reportgen.tasks.registry import TASKS, data_sources, run_settings, task_of
from reportgen.tasks.runs import key_parts

FORECAST = "title: T\ndata: {source: sine}\nmodel: {cell: rnn}\nruns:\n  - name: a\n"
ADD = FORECAST.replace("sine", "addition")
SERIES = "series, file: s.csv, column: x"
RULE = "settings that do not go together"
LEFT = "test + validation below sequences, so that some are left to train on"
CHOOSE = "keep: last, or a validation part above 0 that can choose the best step"
TRAINING = (
    "early_stopping, gradient_clip, gradient_clip_value, keep, learning_rate, log_every, log_gradient_norm, "
    "max_iter, optimizer, precision, schedule, steps"
)
ADDER_TRAINING = (
    "batch_size, early_stopping, gradient_clip, gradient_clip_value, learning_rate, log_every, log_gradient_norm, "
    "optimizer, schedule, steps"
)


def complaint(folder: Path, suite: str) -> str:
    """Write the suite, read it, and return what SuiteError says, without the folder."""
    file = folder / "suite.yaml"
    file.write_text(suite, "utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(file, {"zh", "en"})
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_source_leads_to_its_task(task: Any) -> None:
    """Each data source belongs to one task; what is no source is read as classification."""
    for source in sources(task):
        assert task_of(source) is task
    assert task_of("sines") is task_of(None) is task_of(["sine"]) is TASKS[0]


@pytest.mark.parametrize(
    ("suite", "expected"),
    [
        (
            FORECAST + "training: {epochs: 3}\n",
            "6: training.epochs: got the setting 'epochs' of classification, expected a setting of forecasting, "
            f"one of {TRAINING}",
        ),
        (
            FORECAST.replace("rnn}", "rnn, packed: true}"),
            "3: model.packed: got the setting 'packed' of classification, expected a setting of forecasting, one "
            "of arguments, cell, hidden_size, layers, module",
        ),
        (
            ADD + "    training: {max_iter: 3}\n",
            "6: runs[0].training.max_iter: got the setting 'max_iter' of forecasting, expected a setting of "
            f"addition, one of {ADDER_TRAINING}",
        ),
        (
            ADD + "profiles: {full: {training: {epochs: 3}}}\n",
            "6: profiles.full.training.epochs: got the setting 'epochs' of classification, expected a setting of "
            f"addition, one of {ADDER_TRAINING}",
        ),
        (
            FORECAST.replace("sine", "surnames") + "training: {steps: 3}\n",
            "6: training.steps: got the setting 'steps' of forecasting, expected a setting of classification, one "
            "of batch_size, early_stopping, epochs, gradient_clip, gradient_clip_value, keep, learning_rate, "
            "log_gradient_norm, loss, momentum, optimizer, precision, schedule, weight_decay",
        ),
        (
            FORECAST + "training: {stepps: 3}\n",
            f"6: training.stepps: got the unknown key 'stepps', expected one of {TRAINING}; did you mean 'steps'?",
        ),
        (
            FORECAST + "training: {optimizer: sgd}\n",
            "6: training.optimizer: got 'sgd', expected 'adam' or 'lbfgs'",
        ),
        (
            FORECAST + "training: {max_iter: 3}\n",
            f"6: training: got {RULE}, expected no max_iter with optimizer adam",
        ),
        (FORECAST + "training: {keep: best}\n", f"5: runs[0]: got {RULE}, expected {CHOOSE}"),
        (FORECAST.replace("sine}", "sine, sequences: 2}"), f"2: data: got {RULE}, expected {LEFT}"),
        (
            FORECAST.replace("sine}", "sine, length: 3}"),
            "2: data.length: got 3, expected a number of at least 4",
        ),
        (FORECAST.replace("sine", SERIES), "2: data.file: got no such file: s.csv, expected a file that is there"),
        (
            FORECAST.replace("rnn}", "handwritten_rnn_i2h_i2o}"),
            "3: model.cell: got 'handwritten_rnn_i2h_i2o', expected 'rnn', 'lstm', 'gru', 'handwritten_rnn', "
            "'handwritten_lstm', 'handwritten_gru', 'handwritten_peephole_lstm' or a class of your own, "
            "file.py:Class; did you mean 'handwritten_rnn'?",
        ),
        (
            ADD.replace("addition}", "addition, test_lengths: [5, 5]}"),
            "2: data.test_lengths: got a list, expected each length once",
        ),
        (
            ADD.replace("addition}", "addition, split: {test: 0.2}}"),
            "2: data.split: got the unknown key 'split', expected one of digits, source, test_lengths, "
            "test_numbers, test_seed, validation_numbers",
        ),
        (
            ADD + "sweeps: [{base: a, grid: {training.epochs: [1]}}]\n",
            "6: sweeps[0].grid.training.epochs: got the unknown setting 'training.epochs', expected one of "
            "data.digits, data.test_numbers, data.validation_numbers, data.test_lengths, data.test_seed, "
            "model.cell, model.hidden_size, model.layers, model.embedding_size, training.schedule, "
            "training.gradient_clip, "
            "training.gradient_clip_value, training.early_stopping, training.log_gradient_norm, training.steps, "
            "training.batch_size, training.optimizer, training.learning_rate, training.log_every, "
            "training.schedule.kind, training.schedule.every, training.schedule.factor, "
            "training.schedule.patience, training.schedule.min_delta, training.schedule.lowest, "
            "training.schedule.warmup, training.early_stopping.patience, training.early_stopping.min_delta, "
            "device; "
            "did you mean 'training.steps'?",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_reported_at_its_line(tmp_path: Path, suite: str, expected: str) -> None:
    """What a task has not is refused at its line, with the task that has it and the settings that there are."""
    assert complaint(tmp_path, suite) == f"suite.yaml:{expected}"


@pytest.mark.parametrize(
    ("model", "training", "expected"),
    [
        ({"layers": 2}, {}, "whose two linear layers are the whole model"),
        ({"head_size": 8}, {}, "whose two linear layers are the whole model"),
        ({}, {"loss": "bce_one_hot"}, "a model that ends with LogSoftmax"),
        ({"cell": "lstm", "log_softmax": True}, {"loss": "bce_logit"}, "a model that ends with LogSoftmax"),
    ],
)
def test_the_letters_networks_are_what_they_are(
    model: dict[str, Any], training: dict[str, Any], expected: str
) -> None:
    """Two linear layers have no other parts, and log-probabilities go with the losses that take them."""
    cell = {"cell": "handwritten_rnn_i2h_i2o"}
    with pytest.raises(ValidationError, match=expected):
        RunSettings.model_validate({"data": {"source": "surnames"}, "model": cell | model, "training": training})


def test_the_optimizer_brings_its_defaults() -> None:
    """L-BFGS begins with 10 steps of 20 iterations at 0.8 in float64, and what a suite says counts."""
    lbfgs = ForecastTrainingSettings(optimizer="lbfgs")
    assert (lbfgs.steps, lbfgs.learning_rate, lbfgs.max_iter, lbfgs.precision) == (10, 0.8, 20, "float64")
    adam = ForecastTrainingSettings()
    assert (adam.steps, adam.learning_rate, adam.max_iter, adam.precision) == (300, 0.01, None, "float32")
    given = ForecastTrainingSettings(optimizer="lbfgs", steps=3, max_iter=None, precision="float32")
    assert (given.steps, given.max_iter, given.precision) == (3, 20, "float32")
    for settings in (lbfgs, adam, given):
        assert ForecastTrainingSettings.model_validate(settings.model_dump()) == settings


def forecasting(**changes: Any) -> dict[str, Any]:
    """Return plain settings of a forecasting run."""
    data = {"source": "sine", "sequences": 6, "length": 20, "validation": 1}
    return {"data": data, "model": {"cell": "rnn"}, "training": {"optimizer": "lbfgs"}, **changes}


def adding() -> dict[str, Any]:
    """Return plain settings of an addition run."""
    return {"data": {"source": "addition"}, "model": {"cell": "rnn"}, "training": {}}


# another value than the default's for every setting; a new setting fails the test until it has one here
OTHER: dict[str, dict[str, dict[str, Any]]] = {
    "forecasting": {
        "data": {"sequences": 7, "length": 22, "time_scale": 3.0, "test": 1, "validation": 2, "seed": 1},
        "model": {"cell": "gru", "hidden_size": 8, "layers": 2},
        "training": {
            "steps": 7, "learning_rate": 0.5, "max_iter": 7, "precision": "float32", "log_every": 7,
            "keep": "best", "log_gradient_norm": True,
            "early_stopping": {"patience": 3}, "schedule": {"kind": "cosine"},
        },
    },
    "addition": {
        "data": {"digits": 7, "test_numbers": 7, "test_lengths": [7], "test_seed": 7, "validation_numbers": 8},
        "model": {"cell": "gru", "hidden_size": 8, "layers": 3, "embedding_size": 8},
        "training": {
            "steps": 7, "batch_size": 7, "optimizer": "sgd", "learning_rate": 0.5, "gradient_clip": 1.0,
            "log_every": 7, "gradient_clip_value": 1.0, "log_gradient_norm": True,
            "early_stopping": {"patience": 3}, "schedule": {"kind": "cosine"},
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        (forecasting(), ForecastingRun),
        ({**adding(), "data": {"source": "addition", "validation_numbers": 5}}, AdditionRun),
    ],
)
def test_every_setting_and_the_seed_are_part_of_the_key(base: dict[str, Any], kind: Any) -> None:
    """Each setting that is changed alone gives a key of its own, and so does the seed."""
    task = task_of(base["data"]["source"])
    keys = [key_of(key_parts(run_settings(base), seed)) for seed in (0, 1)]
    for part, fields in (
        ("data", data_sources()[base["data"]["source"]].model_fields),
        ("model", task.model.model_fields),
        ("training", task.training.model_fields),
    ):
        for name in (
            fields.keys()
            - {"source", "module", "arguments"}
            - ({"optimizer", "gradient_clip", "gradient_clip_value"} if task.name == "forecasting" else set())
        ):
            raw = json.loads(json.dumps(base))
            raw[part][name] = OTHER[task.name][part][name]
            keys.append(key_of(key_parts(run_settings(raw), 0)))
    adam = {**base, "training": {"optimizer": "adamw" if task.name == "addition" else "adam"}}
    keys.append(key_of(key_parts(run_settings(adam), 0)))
    for clip in ("gradient_clip", "gradient_clip_value"):
        clipped = {**adam, "training": {**adam["training"], clip: 2.0}}
        keys.append(key_of(key_parts(run_settings(clipped), 0)))
    assert len(set(keys)) == len(keys)
    assert isinstance(run_settings(base), kind)


def test_the_key_of_a_series_is_that_of_its_numbers(tmp_path: Path) -> None:
    """Where the table lies changes nothing; a number in it does."""
    keys = []
    for folder, last in (("one", 5), ("two", 5), ("three", 6)):
        file = tmp_path / folder / "s.csv"
        file.parent.mkdir()
        file.write_text("x\n" + "".join(f"{i % 7}\n" for i in range(100)) + f"{last}\n", "utf-8")
        data = {"source": "series", "file": str(file), "column": "x", "window": 10}
        keys.append(key_of(key_parts(run_settings(forecasting(data=data)), 0)))
    assert keys[0] == keys[1] != keys[2]


def schema_faults(suite: dict[str, Any]) -> list[str]:
    """Return the places that the JSON Schema finds a fault at."""
    found = Draft202012Validator(json_schema()).iter_errors(suite)
    return sorted(f"{fault.json_path}: {fault.validator}" for fault in found)


@pytest.mark.parametrize(
    ("source", "training", "expected"),
    [
        ("surnames", {"epochs": 3}, []),
        ("surnames", {"steps": 3}, ["$.training: additionalProperties"]),
        ("sine", {"steps": 3}, []),
        ("sine", {"epochs": 3}, ["$.training: additionalProperties"]),
        ("sine", {"optimizer": "sgd"}, ["$.training.optimizer: enum"]),
        ("addition", {"optimizer": "sgd", "batch_size": 3}, []),
        ("addition", {"max_iter": 3}, ["$.training: additionalProperties"]),
    ],
)
def test_editors_are_told_the_settings_of_the_task(
    source: str, training: dict[str, Any], expected: list[str]
) -> None:
    """The JSON Schema takes the settings of the task that data.source names, for the suite and for its runs."""
    suite = {"title": "T", "data": {"source": source}, "model": {"cell": "rnn"}, "runs": [{"name": "a"}]}
    assert schema_faults({**suite, "training": training}) == expected
    of_run = {**suite, "runs": [{"name": "a", "training": training}]}
    assert schema_faults(of_run) == [fault.replace("$.", "$.runs[0].") for fault in expected]


QUICK_SUITE = """
title: T
data: {source: %s}
model: {cell: rnn}
training: {steps: 1000, log_every: 500}
runs:
  - {name: a}
  - {name: b, training: {steps: 3}}
sweeps: [{base: a, grid: {training.steps: [2, 900, 1000]}}]
seeds: [3, 4, 5]
"""


@pytest.mark.parametrize(("source", "most"), [("sine", 5), ("addition", 60)])
def test_a_quick_build_is_short_in_every_task(tmp_path: Path, source: str, most: int) -> None:
    """Steps are capped wherever they stand, the data are small, and what becomes the same is there once."""
    file = tmp_path / "suite.yaml"
    file.write_text(QUICK_SUITE % source, "utf-8")
    suite = pipeline.load(file, quick=True).suite
    runs = runs_of(suite, "cpu")
    steps = {run.variant.name: run.variant.settings.model_dump()["training"]["steps"] for run in runs}
    assert list(steps.values()) == [most, 3, 2]
    assert {run.seed for run in runs} == {3, 4}
    data = suite.data.model_dump()
    assert (data["length"], data["sequences"]) == (200, 12) if source == "sine" else data["test_numbers"] == 20


@pytest.mark.parametrize("name", ["sine_forecast", "addition", "surnames_handwritten"])
def test_the_suites_that_ship_plan_in_every_size(name: str, tmp_path: Path) -> None:
    """Each can be planned as it is, quick, and in each of its profiles, and no run is there twice."""
    file, store = shipped_suites()[name], Store(tmp_path)
    loaded = pipeline.load(file)
    assert plan.plan(pipeline.load(file, quick=True).runs, store).steps
    for each in (loaded, *(pipeline.load(file, profile=profile) for profile in loaded.suite.profiles)):
        planned = plan.plan(each.runs, store)
        assert {step.action for step in planned.steps} == {plan.Action.TRAIN}
        assert len({step.key for step in planned.steps}) == len(planned.steps)


@pytest.mark.parametrize("source", ["sine, sequences: 5, length: 20", "addition, digits: 2, test_numbers: 5"])
def test_runs_of_every_task_go_through_the_pool(tmp_path: Path, source: str) -> None:
    """Carried out by a worker, a run leaves a record that the next plan takes up, and tells of its steps."""
    file = tmp_path / "suite.yaml"
    file.write_text(QUICK_SUITE.replace("1000", "4").replace("500", "2").replace("900", "3") % source, "utf-8")
    store, heard = Store(tmp_path / "records"), list[Event]()
    suite = pipeline.load(file).suite.model_copy(update={"seeds": (0,), "sweeps": ()})
    planned = plan.plan(runs_of(suite, "cpu"), store)
    carry_out_all(plan.tasks(planned), store.folder, Pool(1), heard.append)
    done = {event.name: event.status for event in heard if isinstance(event, RunDone)}
    assert done == {"a/seed=0": "finished", "b/seed=0": "finished"}
    told = [str(event) for event in heard if "EpochDone" in type(event).__name__ and event.name == "a/seed=0"]  # type: ignore[union-attr]
    assert len(told) == 2
    assert all("unit='step'" in each and "epochs=4" in each for each in told)
    again = plan.plan(runs_of(suite, "cpu"), store)
    assert {step.action for step in again.steps} == {plan.Action.REUSE}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "formats", "said"),
    [
        ("sine", "[md, html, pdf]", "5 sequences of 20 points"),
        ("series, file: s.csv, column: x, window: 20, test: 1", "[md]", "200 numbers from s.csv"),
        ("addition, digits: 4", "[md, html, pdf]", "pairs of numbers of 4 digits"),
    ],
    ids=["sine", "series", "addition"],
)
def test_every_task_is_built_to_its_report(tmp_path: Path, source: str, formats: str, said: str) -> None:
    """From a suite to its reports, in every format, without torch in this process; then nothing is left to do."""
    (tmp_path / "s.csv").write_text("x\n" + "".join(f"{i * i % 17}\n" for i in range(200)), "utf-8")
    source = source.replace("sine", "sine, sequences: 5, length: 20")
    short = QUICK_SUITE.replace("1000", "4").replace("500", "2").replace("900", "3")
    file = tmp_path / "suite.yaml"
    file.write_text(f"{short % source}formats: {formats}\nlanguages: [en]\n", "utf-8")
    options = pipeline.Options(build=tmp_path / "build", jobs=2)
    built = pipeline.build(file, options, lambda _: None, lambda _: None)
    assert [path.exists() for path in built.reports] == [True] * len(formats.split(","))
    text = built.reports[0].read_text("utf-8")
    assert said in text
    assert [line for line in text.splitlines() if line.startswith("## 6")] == ["## 6. Results"]
    assert pipeline.build(file, options, lambda _: None, lambda _: None).up_to_date


RUN_DATA = ADD.replace("name: a\n", "name: a\n    data: {digits: 7}\n  - {name: b}\n")


def test_a_run_may_have_data_settings_of_its_own(tmp_path: Path) -> None:
    """They are laid over the suite's, in a quick build no longer than that allows, and in a profile."""
    file = tmp_path / "suite.yaml"
    file.write_text(
        RUN_DATA.replace("digits: 7", "digits: 7, test_numbers: 50")
        + "profiles: {full: {runs: {a: {data: {digits: 9}}}}}\n",
        "utf-8",
    )

    def data(**options: Any) -> list[tuple[int, int]]:
        runs = runs_of(pipeline.load(file, **options).suite, "cpu")
        plain = [run.variant.settings.model_dump()["data"] for run in runs if run.seed == 0]
        return [(own["digits"], own["test_numbers"]) for own in plain]

    assert data() == [(7, 50), (10, 200)]
    assert data(quick=True) == [(7, 20), (10, 20)]
    assert data(profile="full") == [(9, 50), (10, 200)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "digitz: 7",
            "6: runs[0].data.digitz: got the unknown setting 'digitz', expected one of digits, test_numbers, "
            "validation_numbers, test_lengths, test_seed; did you mean 'digits'?",
        ),
        (
            "source: sine",
            "6: runs[0].data.source: got the unknown setting 'source', expected one of digits, test_numbers, "
            "validation_numbers, test_lengths, test_seed",
        ),
        ("digits: 0", "6: runs[0].data.digits: got 0, expected a number above 0"),
    ],
)
def test_wrong_data_settings_of_a_run_are_reported_at_their_line(
    tmp_path: Path, given: str, expected: str
) -> None:
    """A run changes settings of the suite's data, and not where they come from."""
    assert complaint(tmp_path, RUN_DATA.replace("digits: 7", given)) == f"suite.yaml:{expected}"
