"""Own sections in the report: their headings numbered as all others are, their pictures beside the report."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from shutil import copyfile

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reportgen.i18n.origins import unmarked
from reportgen.report.numbering import Numbering
from reportgen.suite.custom_sections import pictures

_FOLDER = "pictures"


def numbered(text: str, numbering: Numbering) -> Markup:
    """Return the Markdown of an own section with its headings numbered.

    `#` and `##` become headings of the report's first and second level; deeper ones have no number. Nothing in
    it is read as a template, and the typesetter reads no HTML in it.
    """
    text = unmarked(text)
    lines = text.splitlines()
    for heading, inline in _headings(text):
        first, last = heading.map or [0, 0]
        lines[first:last] = [_heading(heading.tag, inline.content, numbering), *[""] * (last - first - 1)]
    for line, source in pictures(text):
        for i in range(line - 1, len(lines)):
            if f"]({source}" in lines[i]:
                lines[i] = lines[i].replace(f"]({source}", f"]({_FOLDER}/{source}")
                break
    return Markup("\n".join(lines))  # noqa: S704 - the suite's own Markdown, as its aim is


def copy_pictures(texts: Sequence[str], beside: Path, folder: Path) -> list[str]:
    """Copy the pictures of own sections from the suite's folder to the report's; return their paths there."""
    written = []
    for source in dict.fromkeys(source for text in texts for _, source in pictures(text)):
        place = folder / _FOLDER / source
        place.parent.mkdir(parents=True, exist_ok=True)
        copyfile(beside / source, place)
        written.append(f"{_FOLDER}/{source}")
    return written


def _headings(text: str) -> list[tuple[Token, Token]]:
    """Return the headings that stand in no list and no quotation, each with its words."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [(a, b) for a, b in pairwise(tokens) if a.type == "heading_open" and a.level == 0]


def _heading(tag: str, words: str, numbering: Numbering) -> str:
    title = Markup(words)  # noqa: S704 - Markdown already
    if tag == "h1":
        return numbering.section(title)
    return numbering.subsection(title) if tag == "h2" else f"#### {title}"
