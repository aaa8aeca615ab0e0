"""What a suite's reports are put together from: templates, looks, languages, own sections."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.reporting import contexts
from reportgen.suite.schema import Suite, parts_of

if TYPE_CHECKING:  # Babel and Jinja cost time, which a build with nothing to do need not spend
    from reportgen.languages import Language


def sections_in(folders: Sequence[Path]) -> set[str]:
    """Return the sections that there are templates for."""
    found = (path for folder in folders for path in folder.glob("sections/**/*.md.j2"))
    return {path.name.removesuffix(".md.j2") for path in found}


def looks_in(folders: Sequence[Path]) -> set[str]:
    """Return the looks: the style sheets but for the one that all share, and the suite's own.css."""
    return {path.stem for folder in folders for path in folder.glob("styles/*.css")} - {"report", "own"}


def look_through(folders: Sequence[Path], languages: "Sequence[Language]", task: str, look: str) -> list[str]:
    """Look through the templates and style sheets beside the suite, if there are any: it takes half a second.

    Returns what style sheets leave out; raises TemplateError with the faults of templates.
    """
    if any(folders[0].rglob("*.j2")):
        from reportgen.report import markdown

        for language in languages:
            markdown.check(language, folders, contexts(), task)
    if not any(folders[0].rglob("*.css")):
        return []
    from reportgen.report import styles

    return styles.faults(folders, look)


def drawn_in(suite: Suite, languages: "Sequence[Language]") -> "list[Language]":
    """Return the languages that figures are drawn in: not one that only stands beside another."""
    first = {parts_of(name)[0] for name in suite.languages}
    return [language for language in languages if language.code in first]


def texts(
    write: "Callable[[dict[str, str], Language], str]",
    figures: Mapping[str, dict[str, str]],
    languages: "Sequence[Language]",
) -> dict[str, str]:
    """Return what `write` makes of the figures of each language; one without its own has those of the first."""
    any_language = next(iter(figures.values()))
    return {own.code: write(figures.get(own.code, any_language), own) for own in languages}


def documents(
    texts: Mapping[str, str],
    suite: Suite,
    languages: "Sequence[Language]",
    words: Mapping[str, Mapping[str, str]],
) -> "list[tuple[str, str, Language, dict[int, str]]]":
    """Hold the languages against each other, and return what is typeset, in the order of the suite.

    Args:
        texts: the report in Markdown by language.
        suite: which says what is printed in which language, or in two.
        languages: all that something is printed in.
        words: own sections by language and name.

    Returns for each report its language as the suite writes it, the Markdown, the language of what a typesetter
    adds, and the lines in another language. Raises TemplateError for a number, figure, table or section that one
    language lacks.
    """
    from reportgen.report import gate
    from reportgen.report.bilingual import bilingual

    gate.check(texts, suite, languages, words)
    tongues = {language.code: language for language in languages}
    found: list[tuple[str, str, Language, dict[int, str]]] = []
    for name in suite.languages:
        first, *rest = parts_of(name)
        if rest:
            both = bilingual(texts[first], texts[rest[0]], (tongues[first], tongues[rest[0]]))
            found.append((name, both.text, both.language, both.second))
        else:
            found.append((name, texts[first], tongues[first], {}))
    return found


def copy_pictures(words: Mapping[str, Mapping[str, str]], beside: Path, folder: Path) -> list[str]:
    """Copy the pictures of own sections from `beside` into the report's folder; return their paths there."""
    from reportgen.report.words import copy_pictures as copied

    return copied([text for by_name in words.values() for text in by_name.values()], beside, folder)
