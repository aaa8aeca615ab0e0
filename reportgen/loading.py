"""The stage *load*: a suite file becomes a checked suite, with what lies beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import fonts, languages, planning, verdicts
from reportgen.report import typesetting
from reportgen.resources import template_folders
from reportgen.suite.claims import Claim, claims_of
from reportgen.suite.document import Document
from reportgen.suite.expansion import expand
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite

if TYPE_CHECKING:
    from reportgen.languages import Language


@dataclass(frozen=True)
class Loaded:
    """A checked suite and what surrounds it."""

    file: Path
    suite: Suite
    template_folders: tuple[Path, ...]
    """Where templates and catalogues are looked for: beside the suite first."""
    languages: "tuple[Language, ...]"
    notes: tuple[str, ...] = ()
    """What is not wrong, but not what it seems: a line each."""
    profile: str | None = None
    """The one that was laid over the suite."""
    claims: tuple[Claim, ...] = ()


def load(file: Path, *, quick: bool = False, profile: str | None = None, formats: tuple[str, ...] = ()) -> Loaded:
    """Read and check the suite and what is beside it, lay its profile over it, and shorten it for a quick build.

    Other formats, if given, take the place of the suite's.

    Raises SuiteError with every problem of the suite, TemplateError with those of its own catalogues, templates
    and style sheets: whatever can be found before anything is trained.
    """
    folders = template_folders(file)
    sections = {
        path.name.removesuffix(".md.j2") for folder in folders for path in folder.glob("sections/**/*.md.j2")
    }
    suite = read_suite(file, languages.available(folders), profile, fonts.lacking, sections)
    tongues = tuple(languages.load_languages(suite.languages, folders))
    # before it is shortened: a claim may be about a point of a sweep that a quick build leaves out
    claims = claims_of(suite, expand(suite, Document(Path()), "cuda").variants).sound
    suite = planning.shortened(suite) if quick else suite
    suite = suite.model_copy(update={"formats": formats}) if formats else suite
    typesetting.require(suite.formats)
    notes = (*planning.left_out(suite), *verdicts.unprinted(suite), *_check_own(tongues, folders))
    return Loaded(file, suite, folders, tongues, notes, profile, claims)


def _check_own(tongues: "Sequence[Language]", folders: Sequence[Path]) -> list[str]:
    """Look through the templates and style sheets beside the suite, if there are any: it takes half a second."""
    if any(folders[0].rglob("*.j2")):
        from reportgen.report import markdown

        for language in tongues:
            markdown.check(language, folders)
    if not any(folders[0].rglob("*.css")):
        return []
    from reportgen.report import styles

    return styles.faults(folders)
