"""The stage *load*: a suite file becomes a checked suite, with its own files and its documents."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import options
from reportgen.i18n import fonts, languages
from reportgen.planning import plan
from reportgen.report import typesetting
from reportgen.resources import template_folders
from reportgen.suite import custom_sections
from reportgen.suite.claims import Claim, claims_of
from reportgen.suite.document import Document
from reportgen.suite.expansion import expand
from reportgen.suite.profiles import shortened
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite, parts_of
from reportgen.tasks.base import task_of
from reportgen.tasks.registry import contexts

if TYPE_CHECKING:
    from reportgen.i18n.languages import Language


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
    suite = read_suite(file, languages.available(folders), profile, fonts.lacking, sections, looks)
    codes = tuple(dict.fromkeys(code for own in suite.languages for code in parts_of(own)))
    words = {code: custom_sections.words(file.parent, suite.sections, code) for code in codes}
    beside = tuple(custom_sections.files(file.parent, suite.sections, codes))
    # before it is shortened: a claim may be about a point of a sweep that a quick build leaves out
    claims = claims_of(suite, expand(suite, Document(Path()), "cuda").variants).sound
    suite = shortened(suite) if quick else suite
    plan.check_logs(suite)
    suite = suite.model_copy(update={"formats": formats}) if formats else suite
    typesetting.require(suite.formats)
    notes = (*plan.left_out(suite), *options.unprinted(suite))
    loaded = Loaded(file, suite, folders, codes, words, beside, profile, claims, notes)
    if any(languages.available(folders[:-1])):  # those that ship are tested
        _ = loaded.languages
    return replace(loaded, notes=(*notes, *look_through(loaded))) if check_templates else loaded


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


def documents(loaded: Loaded, texts: dict[str, str]) -> "list[tuple[str, str, Language, dict[int, str]]]":
    """Hold the languages against each other, and return what is typeset, in the order of the suite.

    Returns for each report its language as the suite writes it, the Markdown, the language of what a typesetter
    adds, and the lines in another language.
    """
    from reportgen.report import language_parity
    from reportgen.report.bilingual import bilingual

    language_parity.check(texts, loaded.suite, loaded.languages, loaded.words)
    tongues = {language.code: language for language in loaded.languages}
    found: list[tuple[str, str, Language, dict[int, str]]] = []
    for name in loaded.suite.languages:
        first, *rest = parts_of(name)
        if rest:
            both = bilingual(texts[first], texts[rest[0]], (tongues[first], tongues[rest[0]]))
            found.append((name, both.text, both.language, both.second))
        else:
            found.append((name, texts[first], tongues[first], {}))
    return found


def copy_pictures(loaded: Loaded, folder: Path) -> list[str]:
    """Put the pictures of own sections beside the report; return their paths from there."""
    from reportgen.report import custom_sections

    own = [text for by_name in loaded.words.values() for text in by_name.values()]
    return custom_sections.copy_pictures(own, loaded.file.parent, folder)
