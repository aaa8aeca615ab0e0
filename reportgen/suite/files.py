"""The files that a suite names: where they lie, and what is wrong with them. Nothing of them is run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.errors import Problem
from reportgen.resources import is_below
from reportgen.suite.base import PATHS
from reportgen.suite.beside import fault_of_source, outside
from reportgen.suite.classifier import FILES_OF_SETTINGS, file_of_setting
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.own import is_own
from reportgen.suite.schema import Suite


def with_files_beside(suite: Suite, folder: Path) -> Suite:
    """Return the suite with the files that its settings name, vectors, code and logs, looked for in `folder`."""

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
    shared = {"model": placed(suite.model), "training": placed(suite.training)}
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
        if is_own(value):
            yield from own_problems(value, place, "function" if name == "loss" else "class", document)
        elif (file := file_of_setting(name, value)) is not None and file.endswith(".txt"):
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
