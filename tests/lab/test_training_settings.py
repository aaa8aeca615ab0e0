"""Early stopping, schedules, clipping and logged norms in a suite of every task: settings, records and reports."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from complaints import complaint
from rich.console import Console

from reportgen import pipeline
from reportgen.analysis.results import Runs
from reportgen.analysis.tables import norms
from reportgen.cli.progress import Display
from reportgen.executors.base import Begun, EpochDone, RunDone, RunStarted
from reportgen.i18n.languages import load_languages
from reportgen.i18n.origins import unmarked
from reportgen.importers.text import read as read_log
from reportgen.lab.record import EPOCH_COLUMNS, Record, from_files, to_files
from reportgen.lab.training.loop import Row
from reportgen.lab.training.settings import EarlyStoppingSettings
from reportgen.suite.expansion import runs_of
from reportgen.suite.imports import ImportedRun, ImportSettings
from reportgen.suite.reading import read_suite
from reportgen.tasks.classification.data import prepare
from reportgen.tasks.classification.run import build, train
from reportgen.tasks.classification.settings import RunSettings
from reportgen.tasks.registry import run_settings, task_named
from reportgen.tasks.runs import carry_out, key_parts

EXTRAS: dict[str, Any] = {
    "early_stopping": {"patience": 1},
    "schedule": {"kind": "exponential", "factor": 0.9},
    "gradient_clip_value": 0.05,
    "log_gradient_norm": True,
    "learning_rate": 0.3,
}
TASKS: dict[str, dict[str, Any]] = {
    "classification": {
        "data": {"source": "surnames", "languages": ["Greek", "Russian"], "limit": 100},
        "model": {"cell": "gru", "hidden_size": 4},
        "training": {"epochs": 30, "batch_size": 32, **EXTRAS},
    },
    "forecasting": {
        "data": {"source": "sine", "sequences": 6, "length": 20, "time_scale": 3, "validation": 1},
        "model": {"cell": "rnn", "hidden_size": 4},
        "training": {"steps": 60, "log_every": 2, **EXTRAS},
    },
    "addition": {
        "data": {"source": "addition", "digits": 3, "test_numbers": 10, "validation_numbers": 10},
        "model": {"cell": "gru", "hidden_size": 4, "layers": 1, "embedding_size": 4},
        "training": {"steps": 200, "batch_size": 5, "log_every": 2, **EXTRAS},
    },
}


def carried_out(plain: dict[str, Any], seed: int = 0) -> Record:
    """Carry out a run with its proper key."""
    settings = run_settings(plain)
    return carry_out(settings, seed, key_parts(settings, seed))


def changed(task: str, part: str, **settings: Any) -> dict[str, Any]:
    """Return the plain settings of a task with others in one part."""
    plain = TASKS[task]
    return {**plain, part: {**plain[part], **settings}}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_them_all(task: str) -> None:
    """A run ends early, its record says where, and each row of its log has rate and norm, on the disk, too."""
    record = carried_out(TASKS[task])
    assert record.status == "finished", record.error
    rows = record.epochs or record.steps
    unit = "epoch" if task == "classification" else "step"
    stop = record.measures["early_stop"]
    assert (stop["unit"], stop["waited"]) == (unit, 1)
    assert stop["stopped"] == rows[-1][unit] < 200
    losses = [row["heldout_loss" if unit == "epoch" else "validation_loss"] for row in rows]
    assert losses[-1] >= min(losses) == losses[-2]
    assert stop["best"] == rows[-2][unit]
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.3 * 0.9 ** (row[unit] - 1) for row in rows])
    assert all(row["gradient_norm"] > 0 for row in rows)
    again = from_files(to_files(record))
    assert (again.epochs, again.steps, again.measures) == (record.epochs, record.steps, record.measures)
    assert (
        f"Stopped early: no lower loss since {unit} {stop['best']}"
        in task_named(record.task).context().log(record).splitlines()
    )
    assert f"LR: {rows[0]['learning_rate']:.4g} Gradient norm: " in task_named(record.task).context().log(record)


def test_a_log_without_them_is_as_it_was() -> None:
    """Without the settings neither records nor logs have a trace of them."""
    plain = changed("classification", "training", **{name: None for name in EXTRAS if "_" not in name})
    plain["training"] = {"epochs": 2, "batch_size": 32}
    record = carried_out(plain)
    assert tuple(record.epochs[0]) == EPOCH_COLUMNS
    assert to_files(record)["epochs.csv"].splitlines()[0].decode() == ",".join(EPOCH_COLUMNS)
    assert "early_stop" not in record.measures
    assert not any(word in task_named(record.task).context().log(record) for word in ("LR", "norm", "Stopped"))


def test_our_own_log_is_still_imported(tmp_path: Path) -> None:
    """A log with rates, norms and an early stop is read like any other of ours."""
    record = carried_out(TASKS["classification"])
    text = task_named(record.task).context().log(record)
    log = read_log(tmp_path / "run.log", text.encode(), ImportSettings.model_validate({"path": "run.log"}))
    assert log.kept_epoch == record.kept_epoch
    assert [row["train_loss"] for row in log.epochs] == pytest.approx(
        [e["train_loss"] for e in record.epochs], abs=1e-6
    )


def test_the_test_part_decides_nothing_in_classification() -> None:
    """Another test part leaves every epoch, the one that was kept, and the stop as they are."""
    settings = run_settings(TASKS["classification"])
    assert isinstance(settings, RunSettings)
    data = prepare(settings.data)
    spoilt = replace(data, labels=data.labels.copy(), inputs=data.inputs.copy())
    spoilt.labels[data.parts["test"]] = 1 - data.labels[data.parts["test"]]
    spoilt.inputs[data.parts["test"]] = 0
    outcomes = []
    for own in (data, spoilt):
        torch.manual_seed(0)
        epochs: list[Row] = []
        random = torch.Generator().manual_seed(0)
        model = build(settings.model, own)
        done = train(model, own, settings.training, random=random, device=torch.device("cpu"), epochs=epochs)
        outcomes.append(([{**row, "seconds": 0.0} for row in epochs], done.kept, done.measures))
        assert np.array_equal(done.test.target, data.labels[data.parts["test"]]) == (own is data)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][2]["early_stop"]


def test_the_test_numbers_decide_nothing_in_addition() -> None:
    """With other test numbers the run stops at the same step, and has the same training and validation losses."""
    one, other = (carried_out(changed("addition", "data", test_seed=seed)) for seed in (1, 2))
    columns = ("step", "train_loss", "validation_loss", "gradient_norm", "learning_rate")
    assert [[row[c] for c in columns] for row in one.steps] == [[row[c] for c in columns] for row in other.steps]
    assert one.measures["early_stop"] == other.measures["early_stop"]
    assert [row["test_loss"] for row in one.steps] != [row["test_loss"] for row in other.steps]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_equal_settings_give_equal_numbers_with_and_without_a_patience_that_is_never_used(precision: str) -> None:
    """Early stopping that never stops changes no bit of a log."""
    training = {"epochs": 3, "batch_size": 32, "precision": precision}
    plain = {**TASKS["classification"], "training": training}
    patient = {**plain, "training": {**training, "early_stopping": {"patience": 50}}}
    one, other = carried_out(plain), carried_out(patient)
    assert [{**row, "seconds": 0} for row in one.epochs] == [{**row, "seconds": 0} for row in other.epochs]
    assert np.array_equal(one.predictions["loss"], other.predictions["loss"])


RULE = "settings that do not go together"
NEEDS = "which decides on the validation part and never on the test part"


@pytest.mark.parametrize(
    ("data", "training", "line", "place", "expected"),
    [
        (
            "{source: surnames, split: {validation: 0}}", "keep: last, early_stopping: {}", 4,
            "training.early_stopping", f"data.split.validation above 0 with early_stopping, {NEEDS}",
        ),
        (
            "{source: surnames, split: {validation: 0}}", "keep: last, schedule: {kind: plateau}", 4,
            "training.schedule", f"data.split.validation above 0 with schedule plateau, {NEEDS}",
        ),
        (
            "{source: sine}", "early_stopping: {patience: 2}", 4,
            "training.early_stopping", f"data.validation above 0 with early_stopping, {NEEDS}",
        ),
        (
            "{source: addition}", "early_stopping: {}", 4,
            "training.early_stopping", f"data.validation_numbers above 0 with early_stopping, {NEEDS}",
        ),
    ],
)  # fmt: skip
def test_what_needs_a_validation_part_is_refused_without_one(
    data: str, training: str, line: int, place: str, expected: str, tmp_path: Path
) -> None:
    """The message names the line of the setting, and the setting that makes a validation part."""
    suite = f"title: t\ndata: {data}\nmodel: {{cell: rnn}}\ntraining: {{{training}}}\nruns: [{{name: a}}]\n"
    got = "settings that do not go together"
    assert complaint(tmp_path, suite) == f"suite.yaml:{line}: {place}: got {got}, expected {expected}"


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ("{schedule: {kind: stairs}}", "training.schedule.kind: got 'stairs', expected 'step', 'exponential', "),
        ("{schedule: {}}", "training.schedule.kind: got nothing, expected a value"),
        (
            "{schedule: {kind: cosine, every: 2}}",
            f"training.schedule: got {RULE}, expected no every with kind: cosine",
        ),
        ("{schedule: {kind: step, evry: 2}}", "training.schedule.evry: got the unknown key 'evry', expected one"),
        ("{schedule: cosine}", "training.schedule: got 'cosine', expected a mapping"),
        ("{early_stopping: {patience: 0}}", "training.early_stopping.patience: got 0, expected a number above 0"),
        ("{early_stopping: true}", "training.early_stopping: got true, expected a mapping"),
        (
            "{gradient_clip: 1, gradient_clip_value: 1}",
            f"training: got {RULE}, expected gradient_clip or gradient_clip_value",
        ),
    ],
)
def test_faults_in_the_settings_are_named(training: str, expected: str, tmp_path: Path) -> None:
    """One message with line, setting, what was found and what was expected."""
    suite = (
        f"title: t\ndata: {{source: surnames}}\nmodel: {{cell: rnn}}\nruns: [{{name: a}}]\ntraining: {training}\n"
    )
    found = complaint(tmp_path, suite)
    assert found.startswith(f"suite.yaml:5: {expected}")
    assert found.count("suite.yaml") == 1


def test_lbfgs_is_not_clipped(tmp_path: Path) -> None:
    """Its curvature would be that of other gradients."""
    suite = (
        "title: t\ndata: {source: sine}\nmodel: {cell: rnn}\nruns: [{name: a}]\n"
        "training: {optimizer: lbfgs, gradient_clip: 1.0}\n"
    )
    assert "no gradient_clip with optimizer lbfgs" in complaint(tmp_path, suite)


SWEPT = """\
title: t
data: {source: surnames, languages: [Greek, Russian], limit: 100}
model: {cell: gru, hidden_size: 4}
training: {epochs: 3, schedule: {kind: step, every: 2}}
runs:
  - {name: a}
  - {name: b, training: {schedule: null}}
sweeps:
  - {base: a, grid: {training.schedule: [null, {kind: cosine}, {kind: step, every: 5, factor: 0.5}]}}
  - {base: a, grid: {training.schedule.factor: [0.2, 0.4]}}
  - {base: b, grid: {training.early_stopping.patience: [1, 2]}}
seeds: [0]
"""


def test_schedules_and_their_members_are_swept(tmp_path: Path) -> None:
    """Whole schedules, single members of one, and a group that the run itself has not."""
    (tmp_path / "suite.yaml").write_text(SWEPT, "utf-8")
    suite = read_suite(tmp_path / "suite.yaml", {"zh", "en"}).suite
    runs = {run.variant.name: run.variant.settings.training for run in runs_of(suite, "cpu")}
    kinds = {
        name: own.schedule and (own.schedule.kind, own.schedule.every, own.schedule.factor)
        for name, own in runs.items()
    }
    assert kinds == {
        "a": ("step", 2, 0.1),
        "b": None,
        "a/schedule=None": None,
        "a/schedule=cosine": ("cosine", None, None),
        "a/schedule=step+every=5+factor=0.5": ("step", 5, 0.5),
        "a/factor=0.2": ("step", 2, 0.2),
        "a/factor=0.4": ("step", 2, 0.4),
        "b/patience=1": None,
        "b/patience=2": None,
    }  # fmt: skip
    assert runs["b/patience=2"].early_stopping == EarlyStoppingSettings(patience=2)
    assert runs["b"].early_stopping is None


def test_progress_counts_a_run_that_stopped_early_as_done() -> None:
    """The bar of all runs ends at its total, and no line of a run is left."""
    display = Display(Console(force_terminal=True, file=StringIO()))
    with display:
        for event in (
            Begun(2, 40),
            RunStarted("a", 20), EpochDone("a", 5, 20, 1.0, None), RunDone("a", "finished", 1.0),
            RunStarted("b", 20), EpochDone("b", 20, 20, 1.0, None), RunDone("b", "finished", 1.0),
        ):  # fmt: skip
            display.hear(event)
    assert display._live is not None
    (bar,) = display._live._progress.tasks
    assert (bar.completed, bar.total) == (40, 40)


@pytest.mark.usefixtures("fonts_of_reports")
@pytest.mark.parametrize("task", TASKS)
def test_reports_tell_of_stops_schedules_and_norms(task: str, tmp_path: Path) -> None:
    """Both languages have the table of the runs that ended early, the settings and the figure."""
    plain = TASKS[task]
    suite = {
        **plain, "title": "t", "seeds": [0, 1],
        "runs": [{"name": "a"}, {"name": "b", "training": {"schedule": None, "early_stopping": None}}],
    }  # fmt: skip
    cut = {name: 3 if name == "epochs" else 6 for name in ("epochs", "steps") if name in plain["training"]}
    suite["runs"][1]["training"] |= cut
    (tmp_path / "suite.yaml").write_text(json.dumps(suite), "utf-8")
    loaded = pipeline.load(tmp_path / "suite.yaml")
    pairs = [
        (run, carry_out(run.variant.settings, run.seed, key_parts(run.variant.settings, run.seed)))
        for run in runs_of(loaded.suite, "cpu")
        if not isinstance(run.variant.settings, ImportedRun)
    ]
    results = task_named(task).results().collect(pairs)
    findings = pipeline.analyse(results, loaded.claims)
    languages = load_languages(["zh", "en"], loaded.template_folders)
    figures = pipeline.draw(results, findings, list(languages), tmp_path)
    marked = pipeline.write(loaded, results, findings, figures)
    texts = {code: unmarked(text) for code, text in marked.items()}
    for code, (stopped, schedule, kind) in {
        "en": ("Runs that early stopping ended", "Learning rate schedule", "exponential decay"),
        "zh": ("因早停而提前结束的训练", "学习率调度", "指数衰减"),
    }.items():
        table = texts[code].partition(stopped)[2].split("\n\n")[1].splitlines()[2:]
        stops = [(run.name, record.measures["early_stop"]) for run, record in pairs[:2]]
        assert table == [f"| {name} | {stop['stopped']} | {stop['best']} |" for name, stop in stops]
        assert schedule in texts[code]
        assert kind in texts[code]
        assert (tmp_path / figures[code]["gradient_norm"]).is_file()
        assert f"]({figures[code]['gradient_norm']})" in texts[code]
    written = task_named(task).numbers().write(tmp_path, results, findings, loaded.suite.checks)
    assert "tables/gradient_norms.csv" in written
    runs = json.loads((tmp_path / "results.json").read_text("utf-8"))["runs"]
    log = runs["a/seed=0"]["epoch_log" if task == "classification" else "step_log"]
    assert {"learning_rate", "gradient_norm"} <= set(log[0])


def test_norms_are_averaged_over_the_seeds() -> None:
    """The figure's points are geometric means, with a band of one standard deviation of the logarithms."""
    records = {
        f"a/seed={seed}": replace(carried_out(changed("forecasting", "training", steps=2), seed), steps=[
            {"step": 2.0, "gradient_norm": norm}])
        for seed, norm in enumerate((1.0, 100.0))
    }  # fmt: skip
    (row,) = norms(Runs((), records, pd.DataFrame())).to_dict("records")
    assert (row["variant"], row["number"], row["n"]) == ("a", 2.0, 2)
    assert [row[name] for name in ("mean", "low", "high")] == pytest.approx(
        [10, 10 ** (1 - 2**0.5), 10 ** (1 + 2**0.5)]
    )
