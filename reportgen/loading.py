"""The stage *load*: a suite file becomes a checked suite, with what lies beside it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import fonts, languages, planning, verdicts
from reportgen.report import typesetting
from reportgen.reporting import contexts
from reportgen.resources import template_folders
from reportgen.shortening import shortened
from reportgen.suite import words as own_sections
from reportgen.suite.claims import Claim, claims_of
from reportgen.suite.document import Document
from reportgen.suite.expansion import expand
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite, parts_of
from reportgen.suite.tasks import task_of

if TYPE_CHECKING:
    from reportgen.languages import Language


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
    words = {code: own_sections.words(file.parent, suite.sections, code) for code in codes}
    beside = tuple(own_sections.files(file.parent, suite.sections, codes))
    # before it is shortened: a claim may be about a point of a sweep that a quick build leaves out
    claims = claims_of(suite, expand(suite, Document(Path()), "cuda").variants).sound
    suite = shortened(suite) if quick else suite
    planning.check_logs(suite)
    suite = suite.model_copy(update={"formats": formats}) if formats else suite
    typesetting.require(suite.formats)
    notes = (*planning.left_out(suite), *verdicts.unprinted(suite))
    loaded = Loaded(file, suite, folders, codes, words, beside, profile, claims, notes)
    if any(languages.available(folders[:-1])):  # those that ship are tested
        _ = loaded.languages
    return replace(loaded, notes=(*notes, *look_through(loaded))) if check_templates else loaded


def look_through(loaded: Loaded) -> list[str]:
    """Look through the templates and style sheets beside the suite, if there are any: it takes half a second.

    Returns what style sheets leave out; raises TemplateError with the faults of templates.
    """
    folders = loaded.template_folders
    if any(folders[0].rglob("*.j2")):
        from reportgen.report import markdown

        for language in loaded.languages:
            markdown.check(language, folders, contexts(), task_of(loaded.suite.data.source).name)
    if not any(folders[0].rglob("*.css")):
        return []
    from reportgen.report import styles

    return styles.faults(folders, loaded.suite.look)
