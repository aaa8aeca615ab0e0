"""The stage *load*: a suite file read and checked, or every problem of it at once."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from reportgen.errors import Problem, SuiteError
from reportgen.lab.settings import PATHS
from reportgen.suite import custom_sections
from reportgen.suite.claims import Claim, claims_of
from reportgen.suite.document import Document, Path_, read_document, shown, shown_key
from reportgen.suite.expansion import Expansion, Run, expand
from reportgen.suite.files import file_problems, log_problems, metric_problems, with_files_beside
from reportgen.suite.messages import nearest, problems_of, repetitions
from reportgen.suite.profiles import profile_names, with_profile
from reportgen.suite.schema import LANGUAGES, Suite, parts_of, suite_of
from reportgen.tasks.base import Task
from reportgen.tasks.registry import task_of

_MARKDOWN = {"aim", "summary", "why"}
"""Texts of a suite that are Markdown."""

_FORMULA = re.compile(r"\$[^$]*\$")


@dataclass(frozen=True)
class CheckedSuite:
    """A suite that has no fault, and what was worked out to tell that."""

    suite: Suite
    document: Document
    """Where each setting is written."""
    expansion: Expansion
    """Its variants on this machine."""
    claims: tuple[Claim, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every variant with every seed."""
        return self.expansion.runs(self.suite)


def read_suite(
    file: Path,
    languages: Collection[str],
    profile: str | None = None,
    unprintable: Callable[[str], str] = lambda _: "",
    sections: Collection[str] | None = None,
    looks: Collection[str] | None = None,
    device: str = "cpu",
) -> CheckedSuite:
    """Read and check the suite in `file`, and lay a profile over it.

    Args:
        file: the suite.
        languages: those that a catalogue exists for.
        profile: one of the suite's; all of them are checked, whichever is asked for.
        unprintable: names what in a text cannot be printed; nothing for a text that can.
        sections: those that a template exists for; not looked at without it.
        looks: those that a style sheet exists for; not looked at without it.
        device: what `auto` is on this machine: cuda or cpu.

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
    document.problems.extend(_pictures_in_prose(document))
    if sections is not None:
        document.problems.extend(_unknown_sections(document, sorted(sections), languages, unprintable))
    look = document.value.get("look")
    if looks is not None and isinstance(look, str) and look not in looks:
        expected = f"a look with a style sheet: {', '.join(sorted(looks))}"
        document.problems.append(document.problem(("look",), shown(look), expected, nearest(look, sorted(looks))))
    wanted = _checked(document, languages, device, files=profile is None)
    for name in names:
        laid = _checked(with_profile(document, name), languages, device, files=name == profile)
        wanted = laid if name == profile else wanted
    return wanted


def _checked(document: Document, languages: Collection[str], device: str, *, files: bool) -> CheckedSuite:
    """Check a suite; `files`: those that it names, too."""
    problems = [*document.problems, *_cross_problems(document.value, document, sorted(languages))]
    task = _task(document.value)
    try:
        suite = suite_of(task).model_validate(document.value)
    except ValidationError as error:
        raise SuiteError([*problems, *problems_of(error, document, task)]) from None
    problems += file_problems(suite, document) if files else []
    problems += [*metric_problems(suite, document, files=files), *log_problems(suite, document, files=files)]
    suite = with_files_beside(suite, document.file.parent.absolute())
    expansion = expand(suite, document, device)
    claims = claims_of(suite, expansion.names, document)
    problems += [*expansion.problems, *claims.problems]
    if problems:
        raise SuiteError(problems)
    return CheckedSuite(suite, document, expansion, claims.sound)


def _task(raw: dict[str, Any]) -> Task:
    data = raw.get("data")
    return task_of(data.get("source") if isinstance(data, dict) else None)


def _unknown_sections(
    document: Document, sections: list[str], languages: Collection[str], unprintable: Callable[[str], str]
) -> Iterator[Problem]:
    printed = [code for code in _printed(document.value) if code in languages]
    for i, section in enumerate(_list(document.value.get("sections"))):
        if isinstance(section, str) and custom_sections.is_user_code(section):
            yield from custom_sections.problems(document, i, section, printed, unprintable)
        elif isinstance(section, str) and section not in sections:
            expected = f"a section with a template: {', '.join(sections)}; or a file of your own: my_words.md"
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
    for i, entry in enumerate(_list(raw.get("languages", list(LANGUAGES)))):
        parts = parts_of(entry) if isinstance(entry, str) else []
        for language in parts:
            if language not in languages:
                expected = f"a language with a catalogue: {', '.join(languages)}"
                begin = f"reportgen template copy text.{language}.yaml begins one" if language.isalpha() else ""
                hint = nearest(language, languages) or begin
                yield document.problem(("languages", i), shown(language), expected, hint)
        if len(parts) > 2 or len(set(parts)) < len(parts):
            yield document.problem(("languages", i), shown(entry), "two languages that differ, such as zh+en")
    printed = _printed(raw)
    for path, text in _texts(raw, runs):
        missing = [language for language in languages if language in printed and language not in text]
        if text and missing:
            expected = f"a text in {' and '.join(missing)} too, or one plain text"
            yield document.problem(path, f"a text in {_some_keys(text)} alone", expected)


def _printed(raw: dict[str, Any]) -> list[str]:
    """Return the languages that something is written in."""
    entries = [entry for entry in _list(raw.get("languages", list(LANGUAGES))) if isinstance(entry, str)]
    return list(dict.fromkeys(code for entry in entries for code in parts_of(entry)))


def _unprintable(document: Document, lacking: Callable[[str], str]) -> Iterator[Problem]:
    for path, text in _strings(document.value, ()):
        if path[0] == "data" and path[-1] in PATHS:  # the report names a file, and not where it lies
            text = PurePath(text).name
        elif path[0] in ("aim", "summary"):  # their formulas are drawn, and not set in the report's fonts
            text = _FORMULA.sub("", text)
        if found := lacking(text):
            yield document.problem(path, found, "what the report's fonts can print", "write it another way")


def formula_problems(
    document: Document, suite: Suite, faults: Callable[[str], Iterator[tuple[int, str, str]]]
) -> Iterator[Problem]:
    """Yield what cannot be typeset of the formulas in the suite's Markdown, and in that of its own sections.

    Args:
        document: the suite, with its profile.
        suite: the same, checked.
        faults: of a Markdown text, gives line, what is wrong and what is expected.
    """
    for path, text in _strings(document.value, ()):
        if set(path) & _MARKDOWN:
            for line, got, expected in faults(text):
                where = f"line {line} of the text: " if "\n" in text.strip() else ""
                yield document.problem(path, f"{where}{got}", expected)
    codes = _printed(document.value)
    for file in custom_sections.texts(document.file.parent, suite.sections, codes):
        for line, got, expected in faults(custom_sections.text_of(file)):
            yield Problem(file, line, "", got, expected)


def _pictures_in_prose(document: Document) -> Iterator[Problem]:
    for path, text in _strings(document.value, ()):
        for _, address in custom_sections.pictures(text) if set(path) & _MARKDOWN and "![" in text else ():
            expected = "pictures in a file of your own: sections: [aim, my_words.md, …]"
            yield document.problem(path, f"the picture {shown(address)}", expected)


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
    checks = raw.get("checks")
    silence = checks.get("silence") if isinstance(checks, dict) else None
    silenced = silence.items() if isinstance(silence, dict) else ()
    places += [(("checks", "silence", code), reason) for code, reason in silenced]
    metrics = [metric if isinstance(metric, dict) else {} for metric in _list(raw.get("metrics"))]
    places += [(("metrics", i, "label"), metric.get("label")) for i, metric in enumerate(metrics)]
    claims = [claim if isinstance(claim, dict) else {} for claim in _list(raw.get("claims"))]
    places += [(("claims", i, "because"), claim.get("because")) for i, claim in enumerate(claims)]
    return ((path, text) for path, text in places if isinstance(text, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
