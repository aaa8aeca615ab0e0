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
from reportgen.suite.document import Document, Path_, read_document
from reportgen.suite.expansion import Run
from reportgen.suite.imports import ImportedRun
from reportgen.suite.profiles import with_profile
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


@contextmanager
def told_of(file: Path, profile: str | None) -> Iterator[None]:
    """Turn a DataError into a SuiteError with the suite's line where that asks for more than the data have."""
    try:
        yield
    except ReportgenError as error:
        from reportgen.errors import DataError

        if not isinstance(error, DataError):
            raise
        problems = error.problems
        if not any(problem.where == _ASKED or not problem.file.exists() for problem in problems):
            raise
        document = _document(file, profile)
        paths: list[Path_] = [("data", *filter(None, problem.where.split("."))) for problem in problems]
        told = [document.problem(path, p.got, p.expected) for path, p in zip(paths, problems, strict=True)]
        raise SuiteError(told) from None


def _document(file: Path, profile: str | None) -> Document:
    document = read_document(file)
    return with_profile(document, profile) if profile else document


def check(file: Path, profile: str | None, runs: Iterable[Run]) -> None:
    """Raise SuiteError for classes that cannot be printed, and for a loss that cannot tell them apart.

    Args:
        file: the suite.
        profile: the one that is laid over it.
        runs: those that are to be trained; their data are read.
    """
    runs = list(runs)
    if not runs:
        return
    from reportgen.tasks.classification import data as classification_data

    settled = {
        settings: run
        for run in runs
        # what a function loads is looked at when it is tried: a plan runs nothing of the user's
        if isinstance(settings := run.variant.settings, RunSettings)
        and not isinstance(settings.data, FunctionSettings)
    }
    problems: dict[Problem, None] = dict.fromkeys(
        problem
        for data in dict.fromkeys(settings.data for settings in settled)
        for problem in _of_classes(classification_data.prepare(data).facts.classes, file, data)
    )
    for settings, run in settled.items():
        classes = len(classification_data.prepare(settings.data).facts.classes)
        if settings.training.loss == "bce_logit" and classes != 2:
            document = _document(file, profile)
            got = f"'bce_logit', and data with {classes} classes"
            expected = "another loss, such as cross_entropy: a single logit tells two classes apart"
            problems[document.problem(_place(document, run), got, expected)] = None
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


def _place(document: Document, run: Run) -> Path_:
    """Return where the suite says which loss the run has: in a sweep, in the run itself, or for all runs."""
    base = (run.variant.baseline or "") if run.variant.changed else run.variant.name
    if "training.loss" in dict(run.variant.changed):
        sweeps = enumerate(document.value["sweeps"])
        grids = (i for i, sweep in sweeps if sweep["base"] == base and "training.loss" in sweep["grid"])
        return ("sweeps", next(grids), "grid", "training.loss")
    own = [("runs", i, "training", "loss") for i, one in enumerate(document.value["runs"]) if one["name"] == base]
    return next((path for path in own if path in document), ("training", "loss"))


SYMBOLS = 7
"""Size of the vocabulary that stands in for the suite's where symbols enter one-hot."""

Call = dict[str, Any]
"""What is tried, and the keyword arguments of its trial: see `reportgen.user_code.subprocess.try_layers`."""


def try_own(
    file: Path, profile: str | None, runs: Iterable[Run], metrics: Sequence[MetricDeclaration] = ()
) -> None:
    """Try what the runs name of the user's own; SuiteError tells what is wrong with which.

    Args:
        file: the suite.
        profile: the one that is laid over it.
        runs: those that are to be trained; nothing is tried if there are none.
        metrics: the suite's own.
    """
    runs = list(runs)
    tried: dict[str, tuple[str, str, str, Call]] = {}
    for metric in metrics if runs else ():
        call = {"what": "metric", "metric": metric.function}
        tried[json.dumps(call)] = ("", "metrics", metric.function, call)
    for run in runs:
        settings = run.variant.settings
        base = (run.variant.baseline or "") if run.variant.changed else run.variant.name
        for setting, call in [] if isinstance(settings, ImportedRun) else _calls(settings):
            tried.setdefault(json.dumps(call), (base, setting, str(call[call["what"]]), call))
    if not tried:
        return
    document = read_document(file)
    document = with_profile(document, profile) if profile else document
    places = [_place_of_code(document, base, setting, name) for base, setting, name, _ in tried.values()]
    try:
        trials = try_layers([call for _, _, _, call in tried.values()])
    except ReportgenError as error:
        names = ", ".join(dict.fromkeys(str(Path(name).name) for _, _, name, _ in tried.values()))
        raise SuiteError([document.problem(places[0], f"{names}: {error}", "an end within a minute")]) from None
    problems: dict[Path_, Problem] = {}  # one a place: a fault is much the same at every point of a sweep
    for place, trial in zip(places, trials, strict=True):
        if trial.fault is not None:
            fault = trial.fault
            problems.setdefault(place, document.problem(place, fault.got, fault.expected, fault.where))
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


def _place_of_code(document: Document, base: str, setting: str, name: str) -> Path_:
    """Return where the suite names it: in the run itself, for all runs, or in a sweep."""
    folder = document.file.parent.absolute()
    if setting == "metrics":
        given = [m.get("function") if isinstance(m, dict) else m for m in document.value["metrics"]]
        return ("metrics", [str(folder / str(function)) for function in given].index(name))
    part, key = setting.split(".")
    runs = document.value["runs"]
    own: list[tuple[Path_, object]] = [
        (("runs", i, part, key), run.get(part, {}).get(key)) for i, run in enumerate(runs) if run["name"] == base
    ]
    own.append(((part, key), document.value.get(part, {}).get(key)))
    for i, sweep in enumerate(document.value.get("sweeps", [])):
        values = sweep["grid"].get(setting, [])
        own += [(("sweeps", i, "grid", setting, place), value) for place, value in enumerate(values)]
    named = (path for path, value in own if is_own(value) and str(folder / str(value)) == name)
    return next(named, (part, key))
