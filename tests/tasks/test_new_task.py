"""A new task is a folder, its templates, and one line in the registry: nothing else knows of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reportgen
from reportgen.resources import EXPERIMENTS, TEMPLATES

PACKAGE = Path(reportgen.__file__).parent

SETTINGS = '''
"""Settings of a run that learns the parity of bits."""
from typing import Literal

from pydantic import Field

from reportgen.lab.settings import Count, DataOfAnyTask, Positive, RunOfAnyTask
from reportgen.lab.training.settings import AnyTrainingSettings
from reportgen.lab.user_source import RecurrentCellName, UserModelSettings


class ParityData(DataOfAnyTask):
    """Random bits."""

    source: Literal["parity"] = Field(description="Where the examples come from.")
    digits: Count = Field(6, description="Bits of a sequence.")


class ParityModel(UserModelSettings):
    """A recurrent network and one logit."""

    cell: RecurrentCellName = Field(description="The recurrent layer.")
    hidden_size: Count = Field(8, description="Size of the hidden state.")
    layers: Count = Field(1, description="Recurrent layers.")


class ParityTraining(AnyTrainingSettings):
    """How it is trained."""

    steps: Count = Field(40, description="Batches to train on.")
    batch_size: Count = Field(32, description="Sequences a step.")
    learning_rate: Positive = Field(0.05, description="The optimizer's learning rate.")
    log_every: Count = Field(20, description="Steps between two rows of the log.")

    @property
    def rounds(self) -> int:
        """The most steps that a run has."""
        return self.steps


class ParityRun(RunOfAnyTask):
    """One run."""

    data: ParityData
    model: ParityModel
    training: ParityTraining = ParityTraining()
'''

RUN = '''
"""What a run does."""
import torch
from torch import nn
from torch.nn import functional as F

from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.printout import describe
from reportgen.lab.training import loop
from reportgen.lab.training.loop import Evaluation, Logged
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.tasks.parity.settings import ParityRun


class Network(nn.Module):
    """Bits (batch, time) in, a logit (batch,) out."""

    def __init__(self, cell, hidden_size, layers):
        super().__init__()
        self.recurrent = recurrent(cell, 1, hidden_size, layers)
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, bits):
        """Read the bits; the last state decides."""
        return self.output(self.recurrent(bits[..., None], None)[0][:, -1])[:, 0]


class Objective(loop.Objective):
    """New bits every step."""

    def __init__(self, model, settings, random):
        self.model, self.settings, self.random = model, settings, random

    def batches(self):
        """Return a batch of bits."""
        shape = (self.settings.training.batch_size, self.settings.data.digits)
        return [torch.randint(2, shape, generator=self.random).float()]

    def loss(self, bits):
        """Return the cross-entropy."""
        return F.binary_cross_entropy_with_logits(self.model(bits), bits.sum(1) % 2)

    def evaluate(self, moment):
        """Measure it on fixed bits."""
        fixed = torch.Generator().manual_seed(9)
        bits = torch.randint(2, (200, self.settings.data.digits), generator=fixed).float()
        logits, wanted = self.model(bits), bits.sum(1) % 2
        loss = float(F.binary_cross_entropy_with_logits(logits, wanted))
        right = float(((logits > 0) == (wanted > 0)).float().mean())
        row = {"step": moment.rounds, "seconds": moment.seconds, "test_loss": loss, "exact_accuracy": right}
        return Evaluation(row, (loss,), None, Logged(moment.rounds, loss, right))

    def state(self):
        """Return the generator's state."""
        return {"random": self.random.get_state()}

    def load_state(self, state):
        """Take it over."""
        self.random.set_state(state["random"])


def carry_out(settings: ParityRun, seed, device, hooks, outcome, checkpoint):
    """Train and test one network."""
    outcome.data = {"source": "parity", "digest": "bits", "digits": settings.data.digits}
    model = Network(settings.model.cell, settings.model.hidden_size, settings.model.layers).to(device)
    outcome.model = describe(model, [torch.zeros(1, settings.data.digits, device=device)])
    how = settings.training
    objective = Objective(model, settings, torch.Generator().manual_seed(seed))
    optimizer = optimizer_of(model.parameters(), "adam", how.learning_rate)
    rows, every = outcome.steps, how.log_every
    loop.train(model, objective, optimizer, how, rows=rows, log_every=every, hooks=hooks, checkpoint=checkpoint)
    outcome.measures = {"seconds": rows[-1]["seconds"], "exact_accuracy": rows[-1]["exact_accuracy"]}
'''

REPORT = '''
"""From records to the report."""
from dataclasses import dataclass, field

import pandas as pd

from reportgen.analysis.checks import unequal_sizes, unfinished
from reportgen.analysis.claims import decided, judge
from reportgen.analysis.comparisons import corrected
from reportgen.analysis.results import Runs, columns_of, variants_of
from reportgen.analysis.tables import summary
from reportgen.figures.deferred import DeferredFigures
from reportgen.report.checks import checks_as_json
from reportgen.report.context import Common, common
from reportgen.report.facts import step_log
from reportgen.report.numbers import as_json_of, of_comparison, put


@dataclass(frozen=True)
class Findings:
    """What the results show."""

    comparison: pd.DataFrame
    claims: list = field(default_factory=list)
    reach: object = None


@dataclass(frozen=True, kw_only=True)
class ParityContext(Common):
    """What the templates may use."""

    findings: Findings


def collect(pairs):
    """Gather the records."""
    rows = [
        {**columns_of(run, record), **record.measures, "training_seconds": record.measures["seconds"],
         "seconds": record.seconds}
        for run, record in pairs
    ]
    return Runs(variants_of(pairs), {run.name: record for run, record in pairs}, pd.DataFrame(rows))


def analyse(results, claims, late):
    """Compare the variants."""
    judged = judge(claims, results, late)
    family = corrected([], [item.evidence for item in judged], [item.late for item in judged])
    table = summary(results.runs, {"exact_accuracy": "max"}, ("training_seconds",))
    return Findings(table, decided(judged, family.claims), family.reach)


CHECKS = {"RG201": unfinished, "RG304": unequal_sizes}


def deferred_figures(results, findings, language, sections):
    """Return no figures."""
    return DeferredFigures({}, [], language)


CONTEXT = ParityContext


def build_context(suite, results, findings, figures, language, *, quick):
    """Return what the templates may use."""
    shared = common(suite, results, findings, figures, language, quick=quick)
    return ParityContext(**shared, findings=findings)


def seconds_per_step(record):
    """Return the seconds of a step."""
    return record.measures["seconds"] / record.steps[-1]["step"]


def log(record):
    """Write a line a logged step."""
    return step_log(record, {"test_loss": "Loss: {:.4f}", "exact_accuracy": "Right: {:.3f}"})


def write(folder, results, findings, silence):
    """Write the numbers."""
    numbers = of_comparison(results, findings.comparison)
    content = as_json_of(results, "step_log", numbers, findings.claims)
    tables = [("comparison", findings.comparison), ("runs", results.runs)]
    return put(folder, tables, {**content, "checks": checks_as_json(results, findings, silence)})
'''

TASK = '''
"""The parity of bits, as the rest of the program sees it."""
from reportgen.tasks.base import Metric, Task
from reportgen.tasks.parity.settings import ParityData, ParityModel, ParityRun, ParityTraining


class Parity(Task):
    """Bits in, their parity out."""

    name = "parity"
    data = (ParityData,)
    model, training, run = ParityModel, ParityTraining, ParityRun
    has_epochs = has_predictions = False
    metrics = {"exact_accuracy": Metric("exact_accuracy", "share")}
    quick = {"data": {}, "training": {"steps": 10}}

    def key_parts(self, settings):
        return {"data": f"bits {settings.data.digits}"}

    def user_code(self, settings):
        return iter(())

    def carry_out(self, settings, seed, device, hooks, outcome, checkpoint):
        from reportgen.tasks.parity import run
        run.carry_out(settings, seed, device, hooks, outcome, checkpoint)

    def results(self):
        from reportgen.tasks.parity import report
        return report

    findings = checks = figures = context = numbers = results
'''

RESULTS = """\
{{ numbering.section(t("section.results")) }}

| {{ t("column.model") }} | {{ t("column.exact_accuracy") }} |
|:---|---:|
{% for row in comparison %}
| {{ row.label }} | {{ row.exact_accuracy | percent(1) }} |
{% endfor %}
"""

SUITE = """\
title: {zh: 奇偶校验, en: Parity of bits}
aim: {zh: 网络能否数出奇偶, en: Can a network tell odd from even?}
data: {source: parity, digits: 3}
training: {steps: 150}
runs:
  - {name: rnn, label: RNN, model: {cell: rnn}}
  - {name: lstm, label: LSTM, model: {cell: lstm}}
claims: [rnn.exact_accuracy > 0.4]
seeds: [0, 1, 2]
sections: [aim, environment, models, results, claims, checks, appendix_log]
formats: [md, html]
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder beside a copy of the program that has one task more."""
    folder = tmp_path_factory.mktemp("program")
    for source in (PACKAGE, TEMPLATES, EXPERIMENTS):
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))

    task = folder / "reportgen" / "tasks" / "parity"
    task.mkdir()
    files = {"__init__": '"""Parity."""', "settings": SETTINGS, "run": RUN, "report": REPORT, "task": TASK}
    for name, text in files.items():
        (task / f"{name}.py").write_text(text, "utf-8")
    section = folder / "templates" / "sections" / "parity" / "results.md.j2"
    section.parent.mkdir()
    section.write_text(RESULTS, "utf-8")

    registry = task.parent / "registry.py"
    line = "\nfrom reportgen.tasks.parity.task import Parity; TASKS.append(Parity())\n"
    registry.write_text(registry.read_text("utf-8") + line, "utf-8")
    lab = folder / "lab"
    lab.mkdir()
    (lab / "suite.yaml").write_text(SUITE, "utf-8")
    return lab


def run(lab: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's command."""
    environment = {**os.environ, "PYTHONPATH": str(lab.parent)}
    command = [sys.executable, "-m", "reportgen", *arguments]
    return subprocess.run(command, cwd=lab, env=environment, capture_output=True, text=True, check=False)


def test_a_new_task_has_its_report_in_both_languages(copy: Path) -> None:
    """The ordinary pipeline trains it, judges its claim, and writes its sections beside the shared ones."""
    done = run(copy, "build", "suite.yaml")
    assert done.returncode == 0, done.stderr
    folder = copy / "build" / "suite"
    results = json.loads((folder / "results.json").read_text("utf-8"))
    assert (results["task"], len(results["runs"])) == ("parity", 6)
    values = {number["name"]: number["value"] for number in results["numbers"]}
    for code, claim in {"en": "Can a network tell odd from even?", "zh": "网络能否数出奇偶"}.items():
        text = (folder / f"report.{code}.md").read_text("utf-8")
        assert claim in text
        assert f"| LSTM | {100 * values['comparison.lstm.exact_accuracy']:.1f}% |" in text
        assert (folder / f"report.{code}.html").is_file()


def test_the_other_tasks_keep_their_keys_beside_a_new_one(copy: Path) -> None:
    """A suite of another task has the same runs with the same keys in the copy as in the original."""
    (copy / "other.yaml").write_text("title: t\ndata: {source: addition}\nruns: [{name: a, model: {cell: gru}}]\n")
    code = (
        "import reportgen; from pathlib import Path; from reportgen.planning.load import load\n"
        "from reportgen.tasks.runs import key_parts\n"
        "run = load(Path('other.yaml')).runs[0]; print(key_parts(run.variant.settings, 0))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for path in (copy.parent, PACKAGE.parent)
    }
    assert len(found) == 1


def test_what_a_new_task_has_not_is_told_as_of_any_other(copy: Path) -> None:
    """A setting of another task is refused at its line, and a misspelt one with the nearest name."""
    (copy / "wrong.yaml").write_text(SUITE.replace("steps: 150", "step: 150, epochs: 3"), "utf-8")
    done = run(copy, "check", "wrong.yaml")
    assert done.returncode == 2
    assert "wrong.yaml:4: training.step: got the unknown key 'step'" in done.stderr
    assert "did you mean 'steps'?" in done.stderr
    assert "the setting 'epochs' of classification, expected a setting of parity" in done.stderr
