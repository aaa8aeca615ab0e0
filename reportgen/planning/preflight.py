"""Before anything trains: do the settings fit the data, and does the student's code run?"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reportgen.errors import Problem, ReportgenError, SuiteError
from reportgen.lab.device import has_cuda
from reportgen.lab.user_source import MayBeOwn, is_own
from reportgen.suite.declarations import MetricDeclaration
from reportgen.suite.document import Document, Path_
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.imports import ImportedRun
from reportgen.tasks.base import AnyRun, task_of
from reportgen.tasks.classification.settings import (
    DataSettings,
    FunctionSettings,
    ModelSettings,
    RunSettings,
    TrainingSettings,
)
from reportgen.tasks.forecasting.settings import OwnSeriesSettings
from reportgen.user_code.functions import faults_of_classes
from reportgen.user_code.subprocess import try_layers

_ASKED = "split.train_per_class"
_AUTO = "`device: auto` takes the CPU where there is no GPU, and leaves out a sweep over device"


def check_devices(document: Document, runs: Iterable[Run]) -> None:
    """Raise SuiteError for runs that ask for a GPU on a machine without one, or on a CPU for what only a GPU has.

    Args:
        document: the suite.
        runs: all of them.
    """
    variants = {run.variant.name: run.variant for run in runs}.values()
    problems = dict.fromkeys(fault for variant in variants if (fault := _fault_of_device(document, variant)))
    if problems:
        raise SuiteError(list(problems))


def _fault_of_device(document: Document, variant: Variant) -> Problem | None:
    settings = variant.settings
    if isinstance(settings, ImportedRun):
        return None
    if settings.device == "cuda" and not has_cuda():
        expected = "a GPU that torch can use, which this machine has not"
        return document.problem(variant.place_of("device", document), "'cuda'", expected, _AUTO)
    if settings.device == "cpu" and getattr(settings.training, "precision", None) == "tf32":
        place = variant.place_of("training.precision", document)
        return document.problem(place, "'tf32' for a run on the CPU", "float32 or bf16; tf32 needs a GPU")
    return None


@contextmanager
def with_lines(document: Document) -> Iterator[None]:
    """Turn a DataError into a SuiteError with the suite's line where that asks for more than the data have."""
    try:
        yield
    except ReportgenError as error:
        from reportgen.lab.data.corpora import DataError

        if not isinstance(error, DataError):
            raise
        problems = error.problems
        if not any(problem.where == _ASKED or not problem.file.exists() for problem in problems):
            raise
        paths: list[Path_] = [("data", *filter(None, problem.where.split("."))) for problem in problems]
        raise SuiteError(
            [document.problem(path, p.got, p.expected) for path, p in zip(paths, problems, strict=True)]
        ) from None


def check(document: Document, runs: Iterable[Run]) -> None:
    """Raise SuiteError for classes that cannot be printed, and for a loss that cannot tell them apart.

    Args:
        document: the suite.
        runs: those that are to be trained; their data are read.
    """
    settled = {
        settings: run
        for run in runs
        # what a function loads is looked at when it is tried: a plan runs nothing of the user's
        if isinstance(settings := run.variant.settings, RunSettings)
        and not isinstance(settings.data, FunctionSettings)
    }
    if not settled:
        return
    from reportgen.tasks.classification import data as classification_data

    problems: dict[Problem, None] = dict.fromkeys(
        problem
        for data in dict.fromkeys(settings.data for settings in settled)
        for problem in _of_classes(classification_data.prepare(data).facts.classes, document.file, data)
    )
    for settings, run in settled.items():
        classes = len(classification_data.prepare(settings.data).facts.classes)
        if settings.training.loss == "bce_logit" and classes != 2:
            got = f"'bce_logit', and data with {classes} classes"
            expected = "another loss, such as cross_entropy: a single logit tells two classes apart"
            place = run.variant.place_of("training.loss", document)
            problems[document.problem(place, got, expected)] = None
    if problems:
        raise SuiteError(list(problems))


def _of_classes(classes: tuple[str, ...], file: Path, data: DataSettings) -> Iterator[Problem]:
    for name, got, expected in faults_of_classes(classes):
        yield Problem(*_first(data, name, file), "", got, expected)


def _first(data: DataSettings, name: str, file: Path) -> tuple[Path, int]:
    """Return file and line of the first example of a class; those of the suite where it comes from no file."""
    from reportgen.tasks.classification import data as classification_data

    corpus = classification_data.load(data)
    example = corpus.labels.index(corpus.classes.index(name))
    return corpus.place(example) if corpus.places else (file, 1)


SYMBOLS = 7
"""Size of the vocabulary that stands in for the suite's where symbols enter one-hot."""

Call = dict[str, Any]
"""What is tried, and the keyword arguments of its trial: see `reportgen.user_code.subprocess.try_layers`."""


def try_own(document: Document, runs: Sequence[Run], metrics: Sequence[MetricDeclaration] = ()) -> None:
    """Try what the runs name of the user's own; SuiteError tells what is wrong with which.

    Args:
        document: the suite.
        runs: those that are to be trained; nothing is tried if there are none.
        metrics: the suite's own.
    """
    tried: dict[str, tuple[Path_, Call]] = {}
    for place, metric in enumerate(metrics if runs else ()):
        call = {"what": "metric", "metric": metric.function}
        tried.setdefault(json.dumps(call), (("metrics", place), call))
    for run in runs:
        settings = run.variant.settings
        for setting, call in [] if isinstance(settings, ImportedRun) else _calls(settings):
            tried.setdefault(json.dumps(call), (run.variant.place_of(setting, document), call))
    if not tried:
        return

    places, calls = zip(*tried.values(), strict=True)
    try:
        trials = try_layers(calls)
    except ReportgenError as error:
        names = ", ".join(dict.fromkeys(Path(str(call[call["what"]])).name for call in calls))
        raise SuiteError([document.problem(places[0], f"{names}: {error}", "a result within a minute")]) from None

    problems: dict[Path_, Problem] = {}  # one a place: a fault is much the same at every point of a sweep
    for path, trial in zip(places, trials, strict=True):
        if (fault := trial.fault) is not None:
            problems.setdefault(path, document.problem(path, fault.got, fault.expected, fault.where))
    if problems:
        raise SuiteError(list(problems.values()))


def _calls(settings: AnyRun) -> Iterator[tuple[str, Call]]:
    """Yield the settings that name something of the user's own, each with how it is tried."""
    model, training = settings.model, settings.training
    device = settings.device if has_cuda() else "cpu"  # a plan may be for another machine
    task = task_of(settings.data.source).name
    single = isinstance(training, TrainingSettings) and training.loss == "bce_logit"
    if isinstance(settings.data, FunctionSettings | OwnSeriesSettings):
        plain = settings.data.model_dump(mode="json")
        yield "data.load", {"what": "load", "load": settings.data.load, "settings": plain, "single": single}
    if isinstance(model, MayBeOwn) and model.module is not None:
        call = {"what": "module", "module": model.module, "task": task, "arguments": model.arguments}
        yield "model.module", {**call, "single": single, "device": device}
    elif is_own(model.cell):
        yield (
            "model.cell",
            {
                "what": "cell",
                "cell": model.cell,
                "input_size": _input_size(model),
                "hidden_size": model.hidden_size,
                "layers": model.layers,
                "arguments": model.arguments,
                "device": device,
                "goes_on": task == "forecasting",
            },
        )
    if isinstance(training, TrainingSettings) and is_own(training.loss):
        yield "training.loss", {"what": "loss", "loss": training.loss, "device": device}


def _input_size(model: MayBeOwn) -> int:
    if isinstance(model, ModelSettings):
        return model.embedding_size or SYMBOLS
    size = getattr(model, "embedding_size", None)  # of an adder, which reads two digits at once
    return 2 * size if size else 1
