"""The CPU against a GPU: what a suite asks for, what a machine without a GPU leaves out, and what the report says.

No GPU is needed but by the last test: the records of the others are made up, and say that they are of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from additions import EN, ZH, record
from conftest import build
from numpy.testing import assert_allclose

from reportgen import pipeline
from reportgen.analysis.devices import pairs, scales
from reportgen.errors import SuiteError
from reportgen.i18n.languages import Language
from reportgen.lab.device import has_cuda
from reportgen.planning import plan
from reportgen.report.markdown import write as fill_in
from reportgen.resources import TEMPLATES
from reportgen.storage.records import Store
from reportgen.suite.declarations import Checks
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite, suite_of
from reportgen.tasks.addition.context import build_context, write
from reportgen.tasks.addition.findings import analyse
from reportgen.tasks.addition.results import Additions, collect
from reportgen.tasks.registry import TASKS, task_named

pytestmark = pytest.mark.usefixtures("fonts_of_reports")

RUNS = ({"name": "rnn", "label": "RNN"},)
SIZES = [{"base": "rnn", "grid": {"device": ["cpu", "cuda"], "training.batch_size": [20, 200, 2000]}}]
Times = Mapping[tuple[str, int], Sequence[float]]
"""Device and batch size to the seconds of a step with each seed."""

FROM_200: Times = {
    ("cpu", 20): (0.01, 0.02), ("cuda", 20): (0.02, 0.01),
    ("cpu", 200): (0.1, 0.1), ("cuda", 200): (0.05, 0.02),
    ("cpu", 2000): (1.0, 1.0), ("cuda", 2000): (0.1, 0.1),
}  # fmt: skip


def suite(
    sweeps: Sequence[Mapping[str, Any]] = SIZES, runs: Sequence[Mapping[str, Any]] = RUNS, **more: Any
) -> Suite:
    """Return an addition suite with two seeds."""
    declared = {"title": "Sums", "data": {"source": "addition", "digits": 5}, "model": {"cell": "rnn"}, **more}
    return suite_of(TASKS[2]).model_validate({**declared, "seeds": [0, 1], "runs": runs, "sweeps": sweeps})


def results(times: Times, declared: Suite | None = None, device: str = "cuda") -> Additions:
    """Return the results of a machine with these times; the first logged interval takes ten times as long."""
    found = []
    for run in runs_of(declared or suite(), device):
        settings = run.variant.settings
        size = settings.model_dump()["training"]["batch_size"]
        each = times.get((settings.device, size), (1.0, 1.0))[run.seed]
        made = record(run, 100, {}, run.name)
        log = [{**row, "seconds": each * (row["step"] + 9 * 50)} for row in made.steps]
        found.append((run, replace(made, steps=log)))
    return collect(found)


def report(found: Additions, declared: Suite | None = None, language: Language = EN) -> str:
    """Return the Markdown of the report."""
    findings = analyse(found)
    figures = {f"study-{number}": "study.svg" for number in range(1, len(findings.studied) + 1)}
    figures |= {f"steps-{number}": "steps.svg" for number in range(1, 4)}
    context = build_context(declared or suite(), found, findings, figures, language, quick=False)
    return fill_in(context, language, [TEMPLATES])


def test_a_run_may_have_a_device_of_its_own() -> None:
    """It overrides the suite's, `auto` is what the machine has, and each run's key has its own device."""
    declared = suite(
        [], [*RUNS, {"name": "on_cpu", "device": "cpu"}, {"name": "any", "device": "auto"}], device="cuda"
    )
    of = {run.variant.name: run.variant.settings for run in runs_of(declared, "cpu")}
    assert {name: settings.device for name, settings in of.items()} == {
        "rnn": "cuda",
        "on_cpu": "cpu",
        "any": "cpu",
    }
    assert {run.variant.settings.device for run in runs_of(suite([]), "cuda")} == {"cuda"}
    parts = {run.variant.name: plan.parts_of_key(run) for run in runs_of(declared, "cpu")}
    gpu, cpu = parts["rnn"], parts["on_cpu"]
    assert {name for name in gpu if gpu[name] != cpu[name]} == {"device", "threads"}


def test_a_sweep_over_devices_needs_a_gpu() -> None:
    """With a GPU the run is trained on both devices at every size; without one the whole sweep is left out."""
    names = [run.variant.name for run in runs_of(suite(), "cuda") if run.seed == 0]
    assert names == [
        "rnn",
        *(f"rnn/device=cpu, batch_size={size}" for size in (20, 200, 2000)),
        *(f"rnn/device=cuda, batch_size={size}" for size in (20, 2000)),
    ]
    assert [run.variant.name for run in runs_of(suite(), "cpu")] == ["rnn", "rnn"]


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
def test_what_is_left_out_without_a_gpu_is_told(tmp_path: Path) -> None:
    """Loading the suite is no error, and says whose comparison is not made."""
    file = tmp_path / "s.yaml"
    file.write_text(
        "title: t\ndata: {source: addition}\nmodel: {cell: rnn}\nruns: [{name: a}]\n"
        "sweeps: [{base: a, grid: {device: [cpu, cuda]}}]\n"
    )
    loaded = pipeline.load(file)
    assert loaded.notes == ("sweeps: skipped those over device, since torch can use no GPU here: a",)
    assert [step.run.name for step in pipeline.plan(loaded, Store(tmp_path)).steps] == [
        f"a/seed={i}" for i in range(3)
    ]


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ("device: cuda\nruns: [{name: a}, {name: b}]\n", ["4: device"]),
        ("runs:\n  - name: a\n  - {name: b, device: cuda}\n", ["6: runs[1].device"]),
        ("runs:\n  - {name: a, device: cuda}\n  - {name: b, device: cuda}\n",
         ["5: runs[0].device", "6: runs[1].device"]),
    ],
)  # fmt: skip
def test_a_run_that_asks_for_a_gpu_plainly_is_an_error_without_one(
    more: str, lines: list[str], tmp_path: Path
) -> None:
    """It is not left out in silence: the message names the setting and its line."""
    file = tmp_path / "suite.yaml"
    file.write_text(f"title: t\ndata: {{source: addition}}\nmodel: {{cell: rnn}}\n{more}", "utf-8")
    with pytest.raises(SuiteError) as found:
        pipeline.plan(pipeline.load(file), Store(tmp_path / "records"))
    told = [str(problem).partition(": got 'cuda', expected a GPU")[0] for problem in found.value.problems]
    assert told == [f"{file}:{line}" for line in lines]


def test_a_device_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    """A wrong device in a sweep is told at its line, on a machine without a GPU as well."""
    from reportgen.suite.reading import read_suite

    file = tmp_path / "s.yaml"
    file.write_text(
        "title: t\ndata: {source: addition}\nmodel: {cell: rnn}\nruns: [{name: a}]\n"
        "sweeps:\n  - base: a\n    grid: {device: [cuda, tpu]}\n"
    )
    with pytest.raises(SuiteError) as found:
        read_suite(file, {"zh": [], "en": []})
    assert (
        str(found.value)
        == f"{file}:7: sweeps[0].grid.device: got 'tpu', expected 'cpu' or 'cuda'; did you mean 'cpu'?"
    )


def test_the_time_of_a_step_is_the_median_of_the_log() -> None:
    """What the first interval takes longer, as a GPU does, has no weight."""
    (run, *_) = runs_of(suite(), "cpu")
    slow = replace(
        record(run, 100, {}, "k"), steps=[{"step": s, "seconds": s / 100 + 60} for s in (50, 100, 150, 160)]
    )
    assert_allclose(task_named("addition").results().seconds_per_step(slow), 0.01)
    by_epoch = replace(slow, epochs=[{"seconds": s} for s in (9, 2, 3)])
    assert_allclose(task_named("classification").results().seconds_per_step(by_epoch), 3)
    by_evaluation = replace(slow, arrays={"evaluation_seconds": np.array([5.0, 5.5, 6.0])})
    assert_allclose(task_named("forecasting").results().seconds_per_step(by_evaluation), 0.5)


def test_the_same_training_on_both_devices_is_a_pair() -> None:
    """Times are geometric means over the seeds; the GPU leads where it is faster with each of them."""
    found = pairs(results(FROM_200))
    assert [pair.cuda for pair in found] == [
        "rnn", "rnn/device=cuda, batch_size=20", "rnn/device=cuda, batch_size=2000"
    ]  # fmt: skip
    assert_allclose([pair.ratio for pair in found], [0.1 / 0.001**0.5, 1, 10])
    assert [pair.gpu_leads for pair in found] == [True, False, True]
    assert_allclose([pair.cpu_seconds for pair in found], [0.1, 0.0002**0.5, 1])


@pytest.mark.parametrize(
    ("cuda", "order", "faster"),
    [
        ((0.1, 1, 10), "none", []),
        ((0.001, 0.01, 0.1), "all", [20, 200, 2000]),
        ((1, 0.01, 0.1), "from", [200, 2000]),
        ((0.001, 1, 0.1), "mixed", [20, 2000]),
    ],
)
def test_the_size_from_which_the_gpu_is_faster_is_measured(
    cuda: tuple[float, ...], order: str, faster: list[int]
) -> None:
    """It is a size below which the GPU is faster at none that was measured."""
    times: dict[tuple[str, int], Sequence[float]] = {}
    for size, on_cpu, on_gpu in zip((20, 200, 2000), (0.01, 0.1, 1), cuda, strict=True):
        times |= {("cpu", size): (on_cpu,) * 2, ("cuda", size): (on_gpu,) * 2}
    found = results(times)
    (scale,) = scales(pairs(found), found)
    assert (scale.setting, scale.variant, scale.order, scale.faster) == (
        "training.batch_size",
        "rnn",
        order,
        faster,
    )


def test_the_report_compares_the_devices() -> None:
    """A row a pair, called by what else was changed, and the size from which on the GPU is faster."""
    text = report(results(FROM_200))
    assert "| RNN (batch_size = 200) | 0.1 | 0.0316 | 3.2 | 2 / 2 | inconclusive |" in text
    assert "| RNN (batch_size = 2000) | 1 | 0.1 | 10 | 2 / 2 | inconclusive |" in text
    assert "- RNN: the GPU is faster from Batch size = 200 on (200 and 2000), but not at 20." in text
    assert "was not made" not in text
    assert "- RNN：批大小从 200 起（200 和 2000）GPU 更快，为 20 时则没有更快。" in report(
        results(FROM_200), language=ZH
    )


def test_devices_are_no_study_of_accuracy() -> None:
    """What is trained twice to compare times stands in no table of what was learnt."""
    (studied,) = analyse(results(FROM_200)).studied
    assert list(studied.study.values) == ["rnn"]


def test_the_numbers_of_the_devices_are_left_for_other_programs(tmp_path: Path) -> None:
    """results.json has the times with the runs that they come from."""
    import json

    found = results(FROM_200)
    write(tmp_path, found, analyse(found), Checks())
    numbers = {row["name"]: row for row in json.loads((tmp_path / "results.json").read_text())["numbers"]}
    row = numbers["devices.rnn/device=cpu, batch_size=2000.rnn/device=cuda, batch_size=2000.ratio"]
    assert_allclose(row["value"], 10)
    assert len(row["runs"]) == 4


def test_a_report_without_a_gpu_says_that_devices_were_not_compared() -> None:
    """In both languages, with no table and no claim."""
    found = results({}, device="cpu")
    text = report(found)
    assert "a comparison of the CPU with a GPU (RNN). This machine had no GPU" in text
    assert "the GPU is faster" not in text
    assert "因此没有进行这项比较" in report(found, language=ZH)
    assert "CPU and GPU" not in report(results({}, suite([]), "cpu"), suite([]))


@pytest.mark.skipif(not has_cuda(), reason="this machine has no GPU")
def test_both_devices_learn_in_one_build(tmp_path: Path) -> None:
    """On a machine with a GPU, a sweep over devices trains on both and compares their times."""
    file = tmp_path / "s.yaml"
    file.write_text(
        "title: t\ndata: {source: addition, digits: 3, test_numbers: 5}\nmodel: {cell: rnn, hidden_size: 4}\n"
        "training: {steps: 4, batch_size: 4, log_every: 2}\nruns: [{name: a}]\nseeds: [0]\nformats: [md]\n"
        "sweeps: [{base: a, grid: {device: [cpu, cuda]}}]\n"
    )
    outcome = build(file, tmp_path / "build")
    assert (outcome.trained, outcome.unfinished) == (2, [])
    assert "CPU / GPU" in (outcome.folder / "report.en.md").read_text("utf-8")
