"""Before anything trains: do the settings fit the data, and does the student's code run?"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reportgen.errors import Problem, ReportgenError, SuiteError
from reportgen.lab.device import has_cuda
from reportgen.suite.declarations import MetricDeclaration
from reportgen.suite.document import Document, Path_
from reportgen.suite.expansion import Run, Variant
from reportgen.suite.imports import ImportedRun
from reportgen.tasks.registry import task_of
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
        from reportgen.errors import DataError

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
    """Raise SuiteError for settings that do not fit the data, such as a loss that cannot tell the classes apart.

    Args:
        document: the suite.
        runs: those that are to be trained; their data are read.
    """
    trained = {s: run.variant for run in runs if not isinstance(s := run.variant.settings, ImportedRun)}
    if not trained:
        return
    task = task_of(next(iter(trained)).data.source)
    problems: dict[Problem, None] = {}
    for settings, misfit in task.misfits(list(trained)):
        if misfit.setting:
            place = trained[settings].place_of(misfit.setting, document)
            problem = document.problem(place, misfit.got, misfit.expected)
        else:
            problem = Problem(*(misfit.place or (document.file, 1)), "", misfit.got, misfit.expected)
        problems[problem] = None
    if problems:
        raise SuiteError(list(problems))


def check_precision(document: Document, runs: Iterable[Run]) -> None:
    """Raise SuiteError for a precision that this machine cannot compute a model in.

    float32 is what every machine has. All else is tried, on a tiny model in a subprocess, since a processor that
    lacks an instruction may end it. A student's class is not run in a plan: it is tried when a build begins.

    Args:
        document: the suite.
        runs: those that are to be trained.
    """
    tried: dict[str, Path_] = {}
    for run in runs:
        settings = run.variant.settings
        trial = (
            None if isinstance(settings, ImportedRun) else task_of(settings.data.source).precision_trial(settings)
        )
        if trial:
            place = run.variant.place_of("training.precision", document)
            tried.setdefault(json.dumps(dict(trial), sort_keys=True), place)

    faults = faults_of([json.loads(call) for call in tried])
    problems: dict[Path_, Problem] = {}  # one a place
    for place, fault in zip(tried.values(), faults, strict=True):
        if fault:
            problems.setdefault(place, document.problem(place, *fault))
    if problems:
        raise SuiteError(list(problems.values()))


def faults_of(calls: list[dict[str, Any]]) -> Iterator[tuple[str, str] | None]:
    """Yield of each trial what was got and expected, or None for one that went well."""
    if not calls:
        return
    try:
        trials = try_layers(calls)
    except ReportgenError as error:  # it was ended: let each have a process of its own, to know which
        if len(calls) > 1:
            for call in calls:
                yield from faults_of([call])
        else:
            (call,) = calls
            cell = call.get("model", call)["cell"]
            yield f"{call['precision']!r}, in which this machine cannot compute cell {cell} ({error})", "float32"
        return
    yield from ((trial.fault.got, trial.fault.expected) if trial.fault else None for trial in trials)


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
        if not isinstance(settings, ImportedRun):
            for code in task_of(settings.data.source).user_code(settings):
                place_of_code = run.variant.place_of(code.setting, document)
                tried.setdefault(json.dumps(code.trial), (place_of_code, dict(code.trial)))
    if not tried:
        return

    places, calls = zip(*tried.values(), strict=True)
    try:
        trials = try_layers(calls)
    except ReportgenError as error:
        names = ", ".join(dict.fromkeys(Path(str(call[call["what"]])).name for call in calls))
        expected = "a result within a minute of processor time"
        raise SuiteError([document.problem(places[0], f"{names}: {error}", expected)]) from None

    problems: dict[Path_, Problem] = {}  # one a place: a fault is much the same at every point of a sweep
    for path, trial in zip(places, trials, strict=True):
        if (fault := trial.fault) is not None:
            problems.setdefault(path, document.problem(path, fault.got, fault.expected, fault.where))
    if problems:
        raise SuiteError(list(problems.values()))
