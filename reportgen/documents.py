"""The documents of a build: a report a language, or one report in two."""

from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.loading import Loaded
from reportgen.suite.schema import parts_of

if TYPE_CHECKING:
    from reportgen.languages import Language


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
    from reportgen.report import gate
    from reportgen.report.bilingual import bilingual

    gate.check(texts, loaded.suite, loaded.languages, loaded.words)
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
    from reportgen.report import words

    own = [text for by_name in loaded.words.values() for text in by_name.values()]
    return words.copy_pictures(own, loaded.file.parent, folder)
