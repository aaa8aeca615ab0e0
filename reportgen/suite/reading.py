"""The stage *load*: a suite file read and checked, or every problem of it at once."""

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from reportgen.errors import Problem, SuiteError
from reportgen.suite.base import PATHS
from reportgen.suite.classifier import FILES_OF_SETTINGS, file_of_setting
from reportgen.suite.document import Document, Path_, read_document, shown, shown_key
from reportgen.suite.expansion import expand
from reportgen.suite.logs import log_problems, metric_problems
from reportgen.suite.messages import nearest, problems_of, repetitions
from reportgen.suite.own import file_of_own
from reportgen.suite.profiles import profile_names, with_profile
from reportgen.suite.schema import LANGUAGES, Suite, suite_of
from reportgen.suite.tasks import Task, task_of

_FORMULA = re.compile(r"\$[^$]*\$")


def read_suite(
    file: Path,
    languages: Collection[str],
    profile: str | None = None,
    unprintable: Callable[[str], str] = lambda _: "",
    sections: Collection[str] | None = None,
) -> Suite:
    """Read and check the suite in `file`, and lay a profile over it.

    Args:
        file: the suite.
        languages: those that a catalogue exists for.
        profile: one of the suite's; all of them are checked, whichever is asked for.
        unprintable: names what in a text cannot be printed; nothing for a text that can.
        sections: those that a template exists for; not looked at without it.

    Raises SuiteError with every problem found, each with its line.
    """
    document = read_document(file)
    if not isinstance(document.value, dict):
        problem = document.problem((), shown(document.value), "a mapping: title, data, runs, …")
        raise SuiteError([*document.problems, problem])
    names = profile_names(document.value)
    if profile is not None and profile not in names:
        expected = f"a profile of this suite: {', '.join(names)}" if names else "no profile; this suite has none"
        raise SuiteError([document.problem(("profiles",), shown(profile), expected, nearest(profile, names))])
    document.problems.extend(_unprintable(document, unprintable))
    if sections is not None:
        document.problems.extend(_unknown_sections(document, sorted(sections)))
    suite = _checked(document, languages, files=profile is None)
    for name in names:
        laid = _checked(with_profile(document, name), languages, files=name == profile)
        suite = laid if name == profile else suite
    data = suite.data.model_copy(update=_paths(suite, file))
    return with_files_beside(suite.model_copy(update={"data": data}), file.parent.absolute())


def _checked(document: Document, languages: Collection[str], *, files: bool) -> Suite:
    """Check a suite; `files`: those that it names, too."""
    problems = [*document.problems, *_cross_problems(document.value, document, sorted(languages))]
    task = _task(document.value)
    try:
        suite = suite_of(task).model_validate(document.value)
    except ValidationError as error:
        raise SuiteError([*problems, *problems_of(error, document, task)]) from None
    problems += [*_missing_files(suite, document), *_missing_files_of_settings(suite, document)] if files else []
    problems += metric_problems(suite, document, files=files)
    problems += log_problems(suite, document, files=files)
    problems += expand(suite, document).problems
    if problems:
        raise SuiteError(problems)
    return suite


def with_files_beside(suite: Suite, folder: Path) -> Suite:
    """Return the suite with the files that its settings name, vectors and code, looked for in `folder`."""

    def placed(model: dict[str, Any]) -> dict[str, Any]:
        return {name: _placed(name, value, folder) for name, value in model.items()}

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


def _missing_files_of_settings(suite: Suite, document: Document) -> Iterator[Problem]:
    for path, name, value in files_of_settings(suite):
        file = file_of_setting(name, value)
        place = document.file.parent.absolute() / (file or "")
        if file is not None and file.endswith((".txt", ".py")) and not place.is_file():
            yield document.problem(path, f"no such file: {place}", "a file that is there")


def _task(raw: dict[str, Any]) -> Task:
    data = raw.get("data")
    return task_of(data.get("source") if isinstance(data, dict) else None)


def _paths(suite: Suite, file: Path) -> dict[str, Any]:
    """Return the files and folders that the data come from; a relative path is beside the suite."""
    folder = file.parent.absolute()
    named = {key: getattr(suite.data, key, None) for key in (*PATHS, "load")}
    found: dict[str, Any] = {key: str(folder / value) for key, value in named.items() if value is not None}
    if files := getattr(suite.data, "files", ()):
        found["files"] = tuple(str(folder / name) for name in files)
    return found


def _missing_files(suite: Suite, document: Document) -> Iterator[Problem]:
    for key, named in _paths(suite, document.file).items():
        for path in [named] if isinstance(named, str) else named:
            path = file_of_own(path) or path if key == "load" else path
            found = Path(path).is_dir() if key == "folder" else Path(path).is_file()
            if not found:
                kind = "folder" if key == "folder" else "file"
                yield document.problem(("data", key), f"no such {kind}: {path}", f"a {kind} that is there")


def _unknown_sections(document: Document, sections: list[str]) -> Iterator[Problem]:
    for i, section in enumerate(_list(document.value.get("sections"))):
        if isinstance(section, str) and section not in sections:
            expected = f"a section with a template: {', '.join(sections)}"
            yield document.problem(("sections", i), shown(section), expected, nearest(section, sections))


def _cross_problems(raw: dict[str, Any], document: Document, languages: list[str]) -> Iterator[Problem]:
    """Find what single fields cannot show, on the raw values, so that it is told along with their own faults."""
    runs = [run if isinstance(run, dict) else {} for run in _list(raw.get("runs"))]
    for i, name in repetitions([run.get("name") for run in runs]):
        yield document.problem(
            ("runs", i, "name"), f"the run name {shown(name)} a second time", "a name of its own"
        )
    names = [run["name"] for run in runs if isinstance(run.get("name"), str)]
    for i, run in enumerate(runs):
        others = [name for name in names if name != run.get("name")]
        if isinstance(run.get("baseline"), str) and run["baseline"] not in others:
            expected = f"the name of another run: {', '.join(others)}"
            hint = nearest(run["baseline"], others)
            yield document.problem(("runs", i, "baseline"), shown(run["baseline"]), expected, hint)
    for key in ("seeds", "languages", "formats", "sections"):
        for i, value in repetitions(_list(raw.get(key))):
            yield document.problem((key, i), f"{shown(value)} a second time", "each value once")
    printed = _list(raw.get("languages", list(LANGUAGES)))
    for i, language in enumerate(printed):
        if isinstance(language, str) and language not in languages:
            expected = f"a language with a catalogue: {', '.join(languages)}"
            yield document.problem(("languages", i), shown(language), expected, nearest(language, languages))
    for path, text in _texts(raw, runs):
        missing = [language for language in languages if language in printed and language not in text]
        if text and missing:
            expected = f"a text in {' and '.join(missing)} too, or one plain text"
            yield document.problem(path, f"a text in {_some_keys(text)} alone", expected)


def _unprintable(document: Document, lacking: Callable[[str], str]) -> Iterator[Problem]:
    for path, text in _strings(document.value, ()):
        if path[0] == "data" and path[-1] in PATHS:  # the report names a file, and not where it lies
            text = PurePath(text).name
        elif path[0] in ("aim", "summary"):  # their formulas are drawn, and not set in the report's fonts
            text = _FORMULA.sub("", text)
        if found := lacking(text):
            yield document.problem(path, found, "what the report's fonts can print", "write it another way")


def _strings(value: object, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Yield path and value of every text in the file."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, child in value.items():
                yield from _strings(child, (*path, key))
        case list():
            for i, child in enumerate(value):
                yield from _strings(child, (*path, i))


def _some_keys(text: dict[str, Any]) -> str:
    more = ", …" if len(text) > 5 else ""
    return ", ".join(shown_key(key) for key in list(text)[:5]) + more


def _texts(raw: dict[str, Any], runs: list[dict[str, Any]]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    cover = raw.get("cover")
    places: list[tuple[Path_, Any]] = [((key,), raw.get(key)) for key in ("title", "aim", "summary")]
    places += [(("cover", key), value) for key, value in (cover if isinstance(cover, dict) else {}).items()]
    places += [(("runs", i, key), run.get(key)) for i, run in enumerate(runs) for key in ("label", "why")]
    places += [
        (("runs", i, "reference", "source"), reference.get("source"))
        for i, run in enumerate(runs)
        if isinstance(reference := run.get("reference"), dict)
    ]
    sweeps = [sweep if isinstance(sweep, dict) else {} for sweep in _list(raw.get("sweeps"))]
    places += [(("sweeps", i, "why"), sweep.get("why")) for i, sweep in enumerate(sweeps)]
    return ((path, text) for path, text in places if isinstance(text, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
