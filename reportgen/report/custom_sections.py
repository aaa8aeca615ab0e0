"""Own sections in the report: their headings numbered as all others are, their pictures beside the report."""

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.common.utils import escapeHtml, unescapeAll
from markdown_it.token import Token
from markupsafe import Markup

from reportgen.i18n.origins import unmarked
from reportgen.report.numbering import Numbering
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.custom_sections import pictures
from reportgen.suite.pictures import cache_name

_FOLDER = "pictures"

_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")

_PICTURE = re.compile(r"!\[(?P<alt>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]")
_BOLD = re.compile(r"\*\*((?:(?!\*\*).)+)\*\*")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")

_DESTINATION = re.compile(
    r"(?:\]\(\s*|^ {0,3}\[[^\]]+\]:\s*)(?P<address><[^<>]*>|[^\s()<>]+(?:\([^\s()]*\)[^\s()]*)*)"
)
"""Where a picture or a link leads: in parentheses, or in a definition."""


def numbered(text: str, numbering: Numbering) -> Markup:
    """Return the Markdown of an own section with its headings numbered.

    `#` and `##` become headings of the report's first and second level; deeper ones have no number. Nothing in
    it is read as a template, and the typesetter reads no HTML in it.
    """
    text = _with_own_footnotes(unmarked(text))
    lines = text.splitlines()
    for heading, inline in _headings(text):
        first, last = heading.map or [0, 0]
        lines[first:last] = [_heading(heading.tag, inline.content, numbering), *[""] * (last - first - 1)]
    _number_captions(lines, text, numbering)
    code = _lines_of_code(text)
    for line, address in pictures(text):
        # a definition, [name]: address, may stand anywhere
        for i in (i for i in (*range(line - 1, len(lines)), *range(line - 1)) if i not in code):
            lines[i], changed = _redirected(lines[i], address)
            if changed:
                break
    return Markup("\n".join(lines))  # noqa: S704 - the suite's own Markdown, as its aim is


def _number_captions(lines: list[str], text: str, numbering: Numbering) -> None:
    """Number the figures and the captions of tables, as a picture or a bold line with a paragraph to itself."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for opening, inline, _, after in zip(tokens, tokens[1:], tokens[2:], [*tokens[3:], None], strict=False):
        if opening.type != "paragraph_open" or opening.level or not opening.map or not inline.children:
            continue
        line = opening.map[0]
        if [child.type for child in inline.children] == ["image"] and (found := _PICTURE.search(lines[line])):
            (image,) = inline.children
            title = f' "{escapeHtml(str(image.attrs["title"]))}"' if "title" in image.attrs else ""
            caption, place = _caption("figure", found["alt"], numbering), _destination(str(image.attrs["src"]))
            lines[line] = f"![{caption}]({place}{title})"  # never by name: two languages may stand in one document
        elif after is not None and after.type == "table_open" and (bold := _BOLD.fullmatch(lines[line].strip())):
            lines[line] = f"**{_caption('table', bold[1], numbering)}**"


def _caption(kind: str, words: str, numbering: Numbering) -> Markup:
    name = numbering.new_name()
    text = Markup(words)  # noqa: S704 - Markdown already
    return numbering.caption(kind, name, text) if words.strip() else numbering.ref(kind, name)


def _with_own_footnotes(text: str) -> str:
    """Return the text with names of footnotes that no other text has; of the same text they are the same."""
    if "[^" not in text:
        return text
    prefix = f"{hashlib.sha256(text.encode()).hexdigest()[:6]}-"
    code = _lines_of_code(text)
    lines = text.splitlines()
    for i in (i for i in range(len(lines)) if i not in code):
        masked = _CODE.sub(lambda span: " " * len(span[0]), lines[i])
        for found in reversed(list(_FOOTNOTE.finditer(masked))):
            lines[i] = f"{lines[i][: found.start(1)]}{prefix}{lines[i][found.start(1) :]}"
    return "\n".join(lines)


def copy_pictures(texts: Sequence[str], beside: Path, folder: Path) -> list[str]:
    """Copy the pictures of own sections from the suite's folder to the report's; return their paths there."""
    written = []
    for name in dict.fromkeys(cache_name(address) for text in texts for _, address in pictures(text)):
        written.append(f"{_FOLDER}/{name}")
        UntrustedFolder(folder).write(written[-1], (beside / name).read_bytes())
    return written


def _destination(address: str) -> str:
    """Return where the copy of a picture lies beside the report, as Markdown writes it."""
    place = f"{_FOLDER}/{cache_name(address)}".replace("%", "%25")
    return "<" + re.sub(r"([<>\\])", r"\\\1", place) + ">" if re.search(r"[\s()<>%\\]", place) else place


def _redirected(line: str, address: str) -> tuple[str, bool]:
    """Have a line that means `address` mean the copy beside the report, the first time; tell if it does."""
    without_code = _CODE.sub(lambda code: " " * len(code[0]), line)
    for found in _DESTINATION.finditer(without_code):
        if normalizeLink(unescapeAll(found["address"].strip("<>"))) == address:
            place = _destination(address)
            return f"{line[: found.start('address')]}{place}{line[found.end('address') :]}", True
    return line, False


def _lines_of_code(text: str) -> set[int]:
    tokens = MarkdownIt("commonmark").parse(text)
    blocks = (token.map or [0, 0] for token in tokens if token.type in ("fence", "code_block"))
    return {line for first, last in blocks for line in range(first, last)}


def _headings(text: str) -> list[tuple[Token, Token]]:
    """Return the headings that stand in no list and no quotation, each with its words."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [(a, b) for a, b in pairwise(tokens) if a.type == "heading_open" and a.level == 0]


def _heading(tag: str, words: str, numbering: Numbering) -> str:
    title = Markup(words)  # noqa: S704 - Markdown already
    if tag == "h1":
        return numbering.section(title)
    return numbering.subsection(title) if tag == "h2" else f"#### {title}"
