"""The stage *load*: a suite file becomes a checked suite, with its own files and its documents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import options
from reportgen.errors import SuiteError
from reportgen.executors import forkserver
from reportgen.executors.parallel import ParallelMap
from reportgen.i18n import fonts, languages
from reportgen.i18n.origins import NUMBERS, as_json, entries, unmarked
from reportgen.lab import device as devices
from reportgen.report import typesetting
from reportgen.resources import template_folders
from reportgen.storage.cache import Cache
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite import custom_sections
from reportgen.suite.claims import Claim
from reportgen.suite.document import Document
from reportgen.suite.expansion import Expansion, Run, expand
from reportgen.suite.imports import ImportedRun
from reportgen.suite.profiles import shortened
from reportgen.suite.reading import formula_problems, read_suite
from reportgen.suite.schema import Suite, parts_of
from reportgen.tasks.registry import contexts, task_of

if TYPE_CHECKING:
    from reportgen.i18n.languages import Language

    Typesettable = tuple[str, str, Language, dict[int, str]]


@dataclass(frozen=True)
class Loaded:
    """A checked suite and what surrounds it."""

    file: Path
    suite: Suite
    template_folders: tuple[Path, ...]
    """Where templates and catalogues are looked for: beside the suite first."""
    codes: tuple[str, ...]
    """Every language that something is written in, be it by itself or beside another."""
    words: dict[str, dict[str, str]]
    """The suite's own sections by language and name, in Markdown."""
    beside: tuple[Path, ...]
    """The files that they come from."""
    profile: str | None
    """The one that was laid over the suite."""
    quick: bool
    """Whether every run is cut to seconds."""
    document: Document
    """Where each setting of the suite is written."""
    runs: tuple[Run, ...]
    """What the suite comes to on this machine."""
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()
    """What is not wrong, but not what it seems: a line each."""

    @cached_property
    def languages(self) -> "tuple[Language, ...]":
        """The languages with their catalogues, which are read when they are first asked for: a plan says nothing.

        Raises TemplateError for what is wrong with them.
        """
        return tuple(languages.load_languages(self.codes, self.template_folders))


def load(
    file: Path,
    *,
    quick: bool = False,
    profile: str | None = None,
    formats: tuple[str, ...] = (),
    check_templates: bool = True,
) -> Loaded:
    """Read and check the suite and what is beside it, lay its profile over it, and shorten it for a quick build.

    Other formats, if given, take the place of the suite's.

    Raises SuiteError with every problem of the suite, TemplateError with those of its own catalogues, templates
    and style sheets: whatever can be found before anything is trained.
    """
    folders = template_folders(file)
    sections = {
        path.name.removesuffix(".md.j2") for folder in folders for path in folder.glob("sections/**/*.md.j2")
    }
    looks = {path.stem for folder in folders for path in folder.glob("styles/*.css")} - {"report", "own"}
    device = devices.resolve("auto")
    checked = read_suite(file, languages.available(folders), profile, fonts.lacking, sections, looks, device)
    suite, expansion = checked.suite, checked.expansion
    codes = tuple(dict.fromkeys(code for own in suite.languages for code in parts_of(own)))
    words = {code: custom_sections.words(file.parent, suite.sections, code) for code in codes}
    beside = tuple(custom_sections.files(file.parent, suite.sections, codes))
    if quick:  # the claims are those of the whole suite: one may be about a point that a quick build leaves out
        suite = shortened(suite)
        expansion = expand(suite, checked.document, device)
    runs = expansion.runs(suite)
    _check_logs(runs)
    suite = suite.model_copy(update={"formats": formats}) if formats else suite
    typesetting.require(suite.formats)
    notes = (*_left_out(expansion), *options.unprinted(suite), *_unused_style_sheets(file.parent))
    loaded = Loaded(
        file, suite, folders, codes, words, beside, profile, quick, checked.document, runs, checked.claims, notes
    )
    if any(languages.available(folders[:-1])):  # those that ship are tested
        _ = loaded.languages
    return replace(loaded, notes=(*notes, *look_through(loaded))) if check_templates else loaded


def _check_logs(runs: Sequence[Run]) -> None:
    """Read every log that the runs are imported from; InputError with what is wrong with any of them."""
    logs = [(s, run.seed) for run in runs if isinstance(s := run.variant.settings, ImportedRun)]
    if logs:
        from reportgen.importers import records

        records.check(logs)


def _left_out(expansion: Expansion) -> Iterator[str]:
    """Yield a note on the points of sweeps that are the run itself, and one on those that lack a GPU."""
    if expansion.left_out:
        yield f"sweeps: skipped points that equal their base run: {', '.join(expansion.left_out)}"
    if expansion.lacking:
        lacking = ", ".join(expansion.lacking)
        yield f"sweeps: skipped those over device, since torch can use no GPU here: {lacking}"


def _unused_style_sheets(folder: Path) -> list[str]:
    """Return a note on each style sheet that lies where none is looked for."""
    lost = sorted({*folder.glob("*.css"), *folder.glob("styles/*.css"), *folder.glob("templates/*.css")})
    place = folder / "templates" / "styles"
    return [f"{file}: not used; style sheets are looked for in {place}, own.css last" for file in lost]


def check_formulas(loaded: Loaded) -> None:
    """Draw the formulas of the suite's own words; SuiteError tells those that cannot be typeset, with their lines.

    It takes half a second, which a plan, or a build with nothing to do, does without.
    """
    from reportgen.report import formulas

    if problems := list(formula_problems(loaded.document, loaded.suite, formulas.faults)):
        raise SuiteError(problems)


def look_through(loaded: Loaded) -> list[str]:
    """Look through the templates and style sheets beside the suite, if there are any: it takes half a second.

    Returns what style sheets leave out; raises TemplateError with the faults of templates, and InputError for a
    style sheet or a Word file that cannot be read.
    """
    folders = loaded.template_folders
    if "docx" in loaded.suite.formats:
        from reportgen.report import word

        word.template_in(folders)
    if any(folders[0].rglob("*.j2")):
        from reportgen.report import markdown

        for language in loaded.languages:
            markdown.check(language, folders, contexts(), task_of(loaded.suite.data.source).name)
    if not any(folders[0].rglob("*.css")):
        return []
    from reportgen.report import styles

    return styles.faults(folders, loaded.suite.look)


def drawn_in(loaded: Loaded) -> "list[Language]":
    """Return the languages that figures are drawn in: not one that only stands beside another."""
    first = {name.partition("+")[0] for name in loaded.suite.languages}
    return [language for language in loaded.languages if language.code in first]


def typeset_in(loaded: Loaded) -> int:
    """Return how many documents are typeset: of a suite that wants Markdown alone none."""
    return 0 if loaded.suite.formats == ("md",) else len(loaded.suite.languages)


def get_ready(loaded: Loaded) -> None:
    """Begin to import what typesets the suite's documents, in a process of its own; nobody waits for it here."""
    if typeset_in(loaded):
        forkserver.start(forkserver.REPORTS)


def typeset(
    loaded: Loaded,
    documents: "Sequence[Typesettable]",
    folder: Path,
    manifest: Mapping[str, Any],
    cache: Cache | None,
    parallel: ParallelMap[Any],
) -> dict[str, bytes]:
    """Turn what `documents` returns into the formats that the suite asks for: the files by name."""
    # not the suite: the class of a task's suite is made on the way, and cannot be sent to another process
    work = partial(
        typesetting.typeset,
        folder=folder,
        formats=loaded.suite.formats,
        template_folders=loaded.template_folders,
        look=loaded.suite.look,
        manifest=manifest,
        quick=loaded.quick,
        cache=cache,
    )
    made = parallel(work, documents)
    return {name: content for files in made for name, content in files.items()}


def documents(loaded: Loaded, texts: dict[str, str]) -> "list[Typesettable]":
    """Hold the languages against each other, and return what is typeset, in the order of the suite.

    Returns for each report its language as the suite writes it, the Markdown, the language of what a typesetter
    adds, and the lines in another language.
    """
    from reportgen.report import language_parity
    from reportgen.report.bilingual import bilingual

    language_parity.check(
        {code: unmarked(text) for code, text in texts.items()}, loaded.suite, loaded.languages, loaded.words
    )
    tongues = {language.code: language for language in loaded.languages}
    found: list[Typesettable] = []
    for name in loaded.suite.languages:
        first, *rest = parts_of(name)
        if rest:
            both = bilingual(texts[first], texts[rest[0]], (tongues[first], tongues[rest[0]]))
            found.append((name, both.text, both.language, both.second))
        else:
            found.append((name, texts[first], tongues[first], {}))
    return found


def leave_numbers(folder: Path, texts: "list[Typesettable]") -> str:
    """Write where each printed number comes from into numbers.json; return its name."""
    content = as_json({f"report.{name}.md": entries(text) for name, text, *_ in texts})
    UntrustedFolder(folder).write(NUMBERS, content.encode())
    return NUMBERS


def copy_pictures(loaded: Loaded, folder: Path) -> list[str]:
    """Put the pictures of own sections beside the report; return their paths from there."""
    from reportgen.report import custom_sections

    own = [text for by_name in loaded.words.values() for text in by_name.values()]
    return custom_sections.copy_pictures(own, loaded.file.parent, folder)
