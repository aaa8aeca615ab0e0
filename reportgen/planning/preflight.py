"""Before anything trains: do the settings fit the data, and does the student's code run?"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reportgen.errors import Problem, ReportgenError, SuiteError
from reportgen.lab.user_source import is_own
from reportgen.suite.declarations import MetricDeclaration
from reportgen.suite.document import Document, Path_, read_document
from reportgen.suite.expansion import Run
from reportgen.suite.imports import ImportedRun
from reportgen.suite.profiles import with_profile
from reportgen.tasks.registry import task_of
from reportgen.user_code.subprocess import try_layers

_ASKED = "split.train_per_class"


@contextmanager
def told_of(file: Path, profile: str | None) -> Iterator[None]:
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
        document = _document(file, profile)
        paths: list[Path_] = [("data", *filter(None, problem.where.split("."))) for problem in problems]
        told = [document.problem(path, p.got, p.expected) for path, p in zip(paths, problems, strict=True)]
        raise SuiteError(told) from None


def _document(file: Path, profile: str | None) -> Document:
    document = read_document(file)
    return with_profile(document, profile) if profile else document


def check(file: Path, profile: str | None, runs: Iterable[Run]) -> None:
    """Raise SuiteError for settings that do not fit the data, such as a loss that cannot tell the classes apart.

    Args:
        file: the suite.
        profile: the one that is laid over it.
        runs: those that are to be trained; their data are read.
    """
    trained = {s: run for run in runs if not isinstance(s := run.variant.settings, ImportedRun)}
    if not trained:
        return
    task = task_of(next(iter(trained)).data.source)
    problems: dict[Problem, None] = {}
    for settings, misfit in task.misfits(list(trained)):
        if misfit.setting:
            document = _document(file, profile)
            place = _place(document, trained[settings], misfit.setting)
            problem = document.problem(place, misfit.got, misfit.expected)
        else:
            problem = Problem(*(misfit.place or (file, 1)), "", misfit.got, misfit.expected)
        problems[problem] = None
    if problems:
        raise SuiteError(list(problems))


def _place(document: Document, run: Run, setting: str) -> Path_:
    """Return where the suite gives a setting of the run: in a sweep, in the run itself, or for all runs."""
    base = (run.variant.baseline or "") if run.variant.changed else run.variant.name
    if setting in dict(run.variant.changed):
        sweeps = enumerate(document.value["sweeps"])
        grids = (i for i, sweep in sweeps if sweep["base"] == base and setting in sweep["grid"])
        return ("sweeps", next(grids), "grid", setting)
    path: Path_ = tuple(setting.split("."))
    own: list[Path_] = [("runs", i, *path) for i, one in enumerate(document.value["runs"]) if one["name"] == base]
    return next((place for place in own if place in document), path)


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
        if not isinstance(settings, ImportedRun):
            for code in task_of(settings.data.source).user_code(settings):
                tried.setdefault(json.dumps(code.trial), (base, code.setting, code.name, dict(code.trial)))
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
