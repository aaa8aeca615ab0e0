"""The stage *load*: a suite file read and checked, or every problem of it at once."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reportgen.errors import Problem, SuiteError
from reportgen.suite.document import Document, Path_, read_document, shown, shown_key
from reportgen.suite.expansion import expand
from reportgen.suite.messages import nearest, problems_of, repetitions
from reportgen.suite.schema import LANGUAGES, Suite, suite_of
from reportgen.suite.settings import PATHS
from reportgen.suite.tasks import Task, task_of


def read_suite(file: Path, languages: Collection[str]) -> Suite:
    """Read and check the suite in `file`; `languages` are those that a catalogue exists for.

    Raises SuiteError with every problem found, each with its line.
    """
    document = read_document(file)
    if not isinstance(document.value, dict):
        problem = document.problem((), shown(document.value), "a mapping: title, data, runs, …")
        raise SuiteError([*document.problems, problem])
    problems = [*document.problems, *_cross_problems(document.value, document, sorted(languages))]
    task = _task(document.value)
    try:
        suite = suite_of(task).model_validate(document.value)
    except ValidationError as error:
        raise SuiteError([*problems, *problems_of(error, document, task)]) from None
    problems += _missing_files(suite, document)
    problems += expand(suite, document)[1]
    if problems:
        raise SuiteError(problems)
    return suite.model_copy(update={"data": suite.data.model_copy(update=_paths(suite, file))})


def _task(raw: dict[str, Any]) -> Task:
    data = raw.get("data")
    return task_of(data.get("source") if isinstance(data, dict) else None)


def _paths(suite: Suite, file: Path) -> dict[str, str]:
    """Return the files and folders that the data come from; a relative path is beside the suite."""
    named = {key: getattr(suite.data, key, None) for key in PATHS}
    return {key: str(file.parent.absolute() / value) for key, value in named.items() if value is not None}


def _missing_files(suite: Suite, document: Document) -> Iterator[Problem]:
    for key, path in _paths(suite, document.file).items():
        found = Path(path).is_dir() if key == "folder" else Path(path).is_file()
        if not found:
            kind = "folder" if key == "folder" else "file"
            yield document.problem(("data", key), f"no such {kind}: {path}", f"a {kind} that is there")


def _cross_problems(raw: dict[str, Any], document: Document, languages: list[str]) -> Iterator[Problem]:
    """Find what single fields cannot show, on the raw values, so that it is told along with their own faults."""
    runs = [run if isinstance(run, dict) else {} for run in _list(raw.get("runs"))]
    for i, name in repetitions([run.get("name") for run in runs]):
        yield document.problem(
            ("runs", i, "name"), f"the run name {shown(name)} a second time", "a name of its own"
        )
    for key in ("seeds", "languages", "formats"):
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


def _some_keys(text: dict[str, Any]) -> str:
    more = ", …" if len(text) > 5 else ""
    return ", ".join(shown_key(key) for key in list(text)[:5]) + more


def _texts(raw: dict[str, Any], runs: list[dict[str, Any]]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    cover = raw.get("cover")
    places: list[tuple[Path_, Any]] = [((key,), raw.get(key)) for key in ("title", "aim", "summary")]
    places += [(("cover", key), value) for key, value in (cover if isinstance(cover, dict) else {}).items()]
    places += [(("runs", i, "label"), run.get("label")) for i, run in enumerate(runs)]
    return ((path, text) for path, text in places if isinstance(text, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
