"""The contract of a task: what one brings, and what the rest of the program asks of it.

A task is a folder beside this file, with a class in `task.py` that implements `Task`. Its methods import the
other modules of the folder when they are called, so that a plan imports neither torch nor pandas; the functions of
these check with `narrow` that they were given what their own task makes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, get_args

from reportgen.lab.device import has_cuda
from reportgen.lab.settings import LoadedData, RunOfAnyTask, Settings
from reportgen.lab.user_source import is_user_code

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from reportgen.analysis.checks import Check
    from reportgen.analysis.claims import JudgedClaim
    from reportgen.analysis.comparisons import Reach
    from reportgen.analysis.results import Runs
    from reportgen.figures.deferred import DeferredFigures
    from reportgen.i18n.languages import Language
    from reportgen.lab.record import Outcome, Record
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract
    from reportgen.report.context import Common
    from reportgen.suite.claims import Claim
    from reportgen.suite.declarations import Checks, Code
    from reportgen.suite.expansion import Run
    from reportgen.suite.schema import Suite
    from reportgen.user_code.layers import Trial

Kind = TypeVar("Kind")

MetricKind = Literal["share", "seconds", "count", "number"]


@dataclass(frozen=True)
class Metric:
    """A number that every finished run of a task has, and that claims may name."""

    column: str
    """Its column in the table of runs."""
    kind: MetricKind
    """How it is written: shares of 1 are printed in percent, and their differences in percentage points."""
    by_example: bool = False
    """Whether each test example has one, so that the chance in the test sample can be estimated."""
    by_chance: bool = True
    """Whether another seed could give another number."""
    comparable: bool = True
    """Whether it can be compared between machines."""
    logged: bool = False
    """Whether it is known only to a row of the log, of which there is one every `training.log_every` steps."""


@dataclass(frozen=True)
class UserCode:
    """A student's class or function that a run names, and how it is validated before anything trains."""

    setting: str
    """Dotted name, such as model.cell."""
    name: str
    """File and class or function, as the settings have it."""
    trial: Mapping[str, Any]
    """The keyword arguments of its trial: see `reportgen.user_code.subprocess.try_layers`."""


@dataclass(frozen=True)
class Misfit:
    """Why settings do not fit the data: found before anything trains."""

    got: str
    expected: str
    setting: str = ""
    """Dotted name of the setting that is wrong; empty where the data are."""
    place: tuple[Path, int] | None = None
    """File and line of the data that are wrong; the suite's where they come from no file."""


@dataclass(frozen=True)
class UserData:
    """What a student's function has loaded."""

    digest: str
    """Of the data: equal where they are."""
    misfits: Sequence[Misfit] = ()
    classes: int = 0
    """How many classes there are; 0 for data without classes."""


class Findings(Protocol):
    """What the findings of every task have."""

    @property
    def comparison(self) -> "pd.DataFrame":
        """A row a variant."""

    @property
    def claims(self) -> "list[JudgedClaim]":
        """The claims of the suite, each with its verdict."""

    @property
    def reach(self) -> "Reach | None":
        """How much is compared, and what the seeds can show; None where nothing is compared."""


class Task(Protocol):
    """What a task brings. Settings, results and findings are those of its own folder."""

    name: str
    data: tuple[type[Settings], ...]
    """The classes of its data settings; the `source` of a suite chooses one, and so the task."""
    model: type[Settings]
    training: type[Settings]
    run: type[RunOfAnyTask]
    metrics: Mapping[str, Metric]
    """By the name that a claim calls them."""
    quick: Mapping[str, Mapping[str, int]]
    """The largest values of a quick build, by part (data, training) and setting."""
    has_epochs: bool
    """Whether training is counted in epochs, so that epoch logs can be imported, and not in steps."""
    has_predictions: bool
    """Whether its records have a prediction of a class for each test example, which metrics may measure."""

    def __hash__(self) -> int:
        """Tasks are keys of caches."""
        return hash(type(self))

    # before anything trains; no torch
    def key_parts(self, settings: RunOfAnyTask) -> dict[str, Any]:
        """Return what a run's key holds besides the settings of model and training, such as the data's digest."""

    def user_code(self, settings: RunOfAnyTask) -> Iterator[UserCode]:
        """Yield the student's classes and functions that the settings name."""

    def precision_trial(self, settings: RunOfAnyTask) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return the keyword arguments of `try_precision`, and `what` and `task`; None where every machine can."""
        return None

    def try_precision(self, precision: str, model: Mapping[str, Any], device: str) -> "Trial":  # noqa: ARG002
        """Try a tiny model as `precision_trial` asks; a fault says what would do. Imports torch."""
        raise LookupError(f"{self.name} has no precision to try: {precision}")

    def misfits(self, settings: Sequence[RunOfAnyTask]) -> Iterator[tuple[RunOfAnyTask, Misfit]]:  # noqa: ARG002
        """Yield what in these settings does not fit the data, which are read for it; by itself, nothing."""
        yield from ()

    def load_user_data(self, settings: Mapping[str, Any]) -> UserData:
        """Call the function that these data settings name; InputError for what it may not return."""
        raise LookupError(f"no function loads the data of {settings['source']}")

    def share_data(self, settings: RunOfAnyTask, folder: Path) -> None:  # noqa: ARG002
        """Leave the data of a run in `folder` for the workers, where that is faster than preparing them again."""
        return

    # training; torch
    def model_contract(self, outputs: int) -> "ModelContract":
        """Return what a student's whole model is given and has to return, on a tiny batch.

        Args:
            outputs: how many values it returns for an example, where that is for the suite to say.
        """

    def carry_out(
        self,
        settings: RunOfAnyTask,
        seed: int,
        device: "torch.device",
        hooks: "Hooks",
        outcome: "Outcome",
        checkpoint: "Checkpoint",
    ) -> None:
        """Train and test one model, and fill in `outcome` on the way."""

    # records to a report; no torch
    def results(self) -> "ResultsModule":
        """Return the module that gathers records in DataFrames."""

    def findings(self) -> "FindingsModule":
        """Return the module that works out what the results show."""

    def checks(self) -> "ChecksModule":
        """Return the module with what a reader should know before believing the numbers."""

    def figures(self) -> "FiguresModule":
        """Return the module with the figures."""

    def context(self) -> "ContextModule":
        """Return the module with what the templates may use."""

    def numbers(self) -> "NumbersModule":
        """Return the module that writes the numbers for other programs."""


class ResultsModule(Protocol):
    """`results.py` of a task."""

    def collect(self, pairs: "Sequence[tuple[Run, Record]]") -> "Runs":
        """Gather records in DataFrames."""

    def seconds_per_step(self, record: "Record") -> float:
        """Return the median time of an epoch, an evaluation or a step of a finished run, in seconds."""


class FindingsModule(Protocol):
    """`findings.py` of a task."""

    def analyse(self, results: "Runs", claims: "Sequence[Claim]", late: Collection[str]) -> Findings:
        """Work out what the results show, and judge the claims; `late` are the texts of those stated late."""


class ChecksModule(Protocol):
    """`checks.py` of a task."""

    CHECKS: "Mapping[Code, Check]"
    """In the order of their codes."""


class FiguresModule(Protocol):
    """`figures.py` of a task."""

    def deferred_figures(
        self, results: "Runs", findings: Findings, language: "Language", sections: Collection[str]
    ) -> "DeferredFigures":
        """Return the figures by name, not drawn yet."""


class ContextModule(Protocol):
    """`context.py` of a task."""

    CONTEXT: "type[Common]"
    """The class of what `build_context` returns."""

    def build_context(
        self,
        suite: "Suite",
        results: "Runs",
        findings: Findings,
        figures: Mapping[str, str],
        language: "Language",
        *,
        quick: bool,
    ) -> "Common":
        """Return what the templates may use, in one language."""

    def log(self, record: "Record") -> str:
        """Write what a run logged, as the report prints it."""


class NumbersModule(Protocol):
    """`numbers.py` of a task, or its `context.py`."""

    def write(self, folder: Path, results: "Runs", findings: Findings, silence: "Checks") -> list[str]:
        """Write tables/*.csv and results.json into the report's folder; return their paths from there."""


def sources(task: Task) -> dict[str, type[Settings]]:
    """Return the data sources of a task by the name that a suite gives them."""
    return {name: kind for kind in task.data for name in get_args(kind.model_fields["source"].annotation)}


def narrow(value: object, kind: type[Kind]) -> Kind:
    """Return `value`, which is of this kind; TypeError for what another task has made."""
    if not isinstance(value, kind):
        raise TypeError(f"got a {type(value).__name__}, expected a {kind.__name__}")
    return value


def device_of(settings: RunOfAnyTask) -> str:
    """Return the device that user code is validated on: the run's, if this machine has it."""
    return settings.device if has_cuda() else "cpu"  # a plan may be for another machine


def loaded_data(data: LoadedData, *, single: bool = False) -> UserCode:
    """Return the function that loads the data; `single`: for a loss that takes a single logit."""
    trial = {"what": "load", "load": data.load, "settings": data.model_dump(mode="json"), "single": single}
    return UserCode("data.load", data.load, trial)


def model_of(
    settings: RunOfAnyTask,
    task: str,
    *,
    input_size: int,
    single: bool = False,
    goes_on: bool = False,
    precision: str = "float32",
) -> Iterator[UserCode]:
    """Yield the student's recurrent layer or whole model, if the settings name one.

    Args:
        settings: of a run of the task.
        task: its name.
        input_size: of the recurrent layer.
        single: whether a whole model is to have a single output.
        goes_on: whether the layer has to go on from a state that it is given.
        precision: of the arithmetic; float32 and float64 every processor has.
    """
    model, device = settings.model, device_of(settings)
    if model.module is not None:
        trial = {"what": "module", "module": model.module, "task": task, "arguments": model.arguments}
        own = {"single": single, "device": device, "precision": precision}
        yield UserCode("model.module", model.module, {**trial, **own})
    elif is_user_code(model.cell):
        trial = {"what": "cell", "cell": model.cell, "input_size": input_size, "hidden_size": model.hidden_size}
        trial |= {"layers": model.layers, "arguments": model.arguments, "device": device, "goes_on": goes_on}
        yield UserCode("model.cell", model.cell, {**trial, "precision": precision})
