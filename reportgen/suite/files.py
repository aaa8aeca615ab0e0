"""The files that a suite names: where they may lie, and what is wrong with them. None is run."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.errors import Problem
from reportgen.lab.settings import PATHS
from reportgen.lab.user_source import FILES_OF_SETTINGS, file_of_setting, is_user_code
from reportgen.resources import is_below
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.messages import repetitions
from reportgen.suite.schema import Suite
from reportgen.tasks.registry import task_of

_VARIABLE = "REPORTGEN_DATA"
_LARGEST_MODULE = 1_000_000


def data_folders(folder: Path) -> list[Path]:
    """Return the folders that a suite in `folder` may read data from: its own, and those in $REPORTGEN_DATA."""
    return [folder, *(Path(name) for name in os.environ.get(_VARIABLE, "").split(os.pathsep) if name)]


def outside(file: Path, folder: Path) -> str:
    """Return what is expected of a data file that lies elsewhere, or has a link in it that leads elsewhere.

    Nothing for one that may be read.
    """
    allowed = data_folders(folder)
    for path in (file, *_links(file)):
        if not any(is_below(path, own) for own in allowed):
            named = f"{path.name} is a link that leads to {path.resolve()}" if path.is_symlink() else ""
            expected = f"data below {folder}, or below a folder that {_VARIABLE} names in the environment"
            return f"{expected}; {named}" if named else expected
    return ""


def _links(folder: Path) -> Iterator[Path]:
    """Yield the symbolic links in a folder, whatever they lead to; it may hold tens of thousands of files."""
    folders = [folder] if folder.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir():
                    folders.append(Path(entry.path))


def fault_of_source(file: Path, name: str, kind: str) -> Problem | None:
    """Say what keeps a file from having `name`, a class or a function as `kind` says; nothing of it is run."""
    try:
        if file.stat().st_size > _LARGEST_MODULE:
            return Problem(file, 1, "", "a file of more than a million bytes", "a module")
        names = set(_names(ast.parse(file.read_bytes(), str(file)).body))
    except SyntaxError as error:
        return Problem(file, error.lineno or 1, "", f"a syntax error ({error.msg})", "Python")
    except Exception as error:  # null bytes; nested without end
        return Problem(file, 1, "", str(error) or "too deep a nest", "Python")
    if name in names or "*" in names:
        return None
    return Problem(file, 1, "", f"no {kind} {name}", f"one of {', '.join(sorted(names)) or 'no name at all'}")


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Yield what a module binds: classes, what is assigned, what is imported; `*` where that cannot be told."""
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname or alias.name) for alias in node.names)
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield "*"


def with_files_beside(suite: Suite, folder: Path) -> Suite:
    """Return the suite with the files that it names, data, vectors, code and logs, looked for in `folder`."""

    def placed(part: dict[str, Any]) -> dict[str, Any]:
        return {name: _placed(name, value, folder) for name, value in part.items()}

    def swept(grid: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        return {
            setting: tuple(_placed(setting.rpartition(".")[2], value, folder) for value in values)
            for setting, values in grid.items()
        }

    runs = tuple(
        run.model_copy(
            update={
                "model": placed(run.model),
                "training": placed(run.training),
                "imported": run.imported and run.imported.placed(folder),
            }
        )
        for run in suite.runs
    )
    sweeps = tuple(sweep.model_copy(update={"grid": swept(sweep.grid)}) for sweep in suite.sweeps)
    shared = {
        "data": suite.data.model_copy(update=paths_of_data(suite, folder)),
        "model": placed(suite.model),
        "training": placed(suite.training),
    }
    metrics = tuple(m.model_copy(update={"function": str(folder / m.function)}) for m in suite.metrics)
    return suite.model_copy(update={**shared, "runs": runs, "sweeps": sweeps, "metrics": metrics})


def _placed(setting: str, value: Any, folder: Path) -> Any:
    return value if file_of_setting(setting, value) is None else str(folder / value)


def files_of_settings(suite: Suite) -> Iterator[tuple[Path_, str, Any]]:
    """Yield place, name and value of every setting of a model or a training that may name a file."""
    parts: list[tuple[Path_, dict[str, Any]]] = [(("model",), suite.model), (("training",), suite.training)]
    for i, run in enumerate(suite.runs):
        parts += [(("runs", i, "model"), run.model), (("runs", i, "training"), run.training)]
    for path, part in parts:
        yield from (((*path, name), name, part[name]) for name in FILES_OF_SETTINGS if name in part)
    for i, sweep in enumerate(suite.sweeps):
        for setting, values in sweep.grid.items():
            if (name := setting.rpartition(".")[2]) in FILES_OF_SETTINGS:
                for place, value in enumerate(values):
                    yield ("sweeps", i, "grid", setting, place), name, value


def paths_of_data(suite: Suite, folder: Path) -> dict[str, Any]:
    """Return the files and folders that the data come from; a relative path is in `folder`, the suite's."""
    named = {key: getattr(suite.data, key, None) for key in (*PATHS, "load")}
    found: dict[str, Any] = {key: str(folder / value) for key, value in named.items() if value is not None}
    if files := getattr(suite.data, "files", ()):
        found["files"] = tuple(str(folder / name) for name in files)
    return found


def file_problems(suite: Suite, document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the files of the data, and with those that models and trainings name."""
    folder = document.file.parent.absolute()
    for key, named in paths_of_data(suite, folder).items():
        if key == "load":
            yield from own_problems(getattr(suite.data, key), ("data", key), "function", document)
            continue
        for path in [named] if isinstance(named, str) else named:
            yield from data_problems(path, ("data", key), "folder" if key == "folder" else "file", document)
    for place, name, value in files_of_settings(suite):
        if is_user_code(value):
            yield from own_problems(value, place, "function" if name == "loss" else "class", document)
        elif (file := file_of_setting(name, value)) is not None:
            yield from data_problems(file, place, "file", document)


def own_problems(named: str, path: Path_, kind: str, document: Document) -> Iterator[Problem]:
    """Yield what keeps `file.py:Name` from being a class or a function, as `kind` says; nothing of it is run."""
    folder = document.file.parent.absolute()
    file, _, name = named.rpartition(":")
    place = folder / file
    if not is_below(place, folder):
        yield document.problem(path, shown(file), f"a file below {folder}: nothing else is ever run")
    elif not place.is_file():
        yield document.problem(path, f"no such file: {place}", "a file that is there")
    elif fault := fault_of_source(place, name, kind):
        yield fault


def data_problems(named: str, path: Path_, kind: str, document: Document, expected: str = "") -> Iterator[Problem]:
    """Yield what is wrong with a file or a folder, as `kind` says, that data or a log are read from."""
    folder = document.file.parent.absolute()
    place = folder / named
    if elsewhere := outside(place, folder):
        yield document.problem(path, shown(named), elsewhere)
    elif not (place.is_dir() if kind == "folder" else place.is_file()):
        yield document.problem(path, f"no such {kind}: {place}", expected or f"a {kind} that is there")


def log_problems(suite: Suite, document: Document, *, files: bool) -> Iterator[Problem]:
    """Yield what is wrong with each `import`; `files`: a log that is not there, too."""
    for i, run in enumerate(suite.runs):
        if run.imported is None:
            continue
        path = ("runs", i, "import")
        if not task_of(suite.data.source).has_epochs:
            got = f"a log of epochs with source {suite.data.source}"
            yield document.problem(path, got, "import in a suite that classifies")
        logs, seeds = len(run.imported.path), len(suite.seeds)
        if logs > seeds:
            expected = "a log a seed, or fewer; seeds: [0, 1, …] says how many there are"
            yield document.problem((*path, "path"), f"{logs} logs for {seeds} seeds", expected)
        for _, name in run.imported.logs(suite.seeds) if files else ():
            yield from data_problems(name, (*path, "path"), "file", document, "a log that is there")


def metric_problems(suite: Suite, document: Document, *, files: bool) -> Iterator[Problem]:
    """Yield what is wrong with each of `metrics`; `files`: a file that is not there, too."""
    if suite.metrics and not task_of(suite.data.source).has_predictions:
        got = f"metrics of classes with source {suite.data.source}"
        yield document.problem(("metrics",), got, "metrics in a suite that classifies")
    for i, name in repetitions([metric.name for metric in suite.metrics]):
        yield document.problem(("metrics", i), f"the metric {shown(name)} a second time", "a name of its own")
    for i, metric in enumerate(suite.metrics if files else ()):
        yield from own_problems(metric.function, ("metrics", i), "function", document)
