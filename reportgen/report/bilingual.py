"""The Markdown of a report as a list of blocks, each with its source and with what it says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, pairwise, zip_longest
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from reportgen.i18n.languages import Language
from reportgen.report.emphasis import cjk_friendly_plugin

_KINDS = {
    "heading_open": "heading",
    "table_open": "table",
    "fence": "code",
    "math_block": "equation",
    "math_block_label": "equation",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
}


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, caption, table, figure, code, equation or list of a document."""

    kind: str
    source: str
    mark: Any
    """What two blocks of one kind have in common that say the same in two languages: the name of a figure, the
    shape of a table, the level of a heading, the items of a list."""
    texts: tuple[str, ...]
    """What is printed, piece by piece, without code and formulas."""


def markdown_parser() -> MarkdownIt:
    """Return a parser of the report's Markdown: CommonMark with tables, footnotes and formulas, and without HTML.

    Emphasis goes by the CJK-friendly rule.
    """
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table", "strikethrough"])
    # as elsewhere, $ needs text right inside it and no digit after it: "$5 and $6" is money
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    footnote_plugin(parser, inline=False)
    cjk_friendly_plugin(parser)
    return parser


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of the document, in order; a bold paragraph right above a table is its caption."""
    lines = markdown.split("\n")
    parser = markdown_parser().disable("footnote_tail")  # the text of a footnote stays where it is
    found = [_block(tokens, lines) for tokens in _top_level(parser.parse(markdown))]
    for i, (block, following) in enumerate(pairwise(found)):
        if block.kind == "paragraph" and following.kind == "table" and re.fullmatch(r"\*\*.*\*\*", block.source):
            found[i] = Block("caption", block.source, None, block.texts)
    return found


def _top_level(tokens: list[Token]) -> Iterator[list[Token]]:
    piece: list[Token] = []
    for token in tokens:
        piece.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield piece
            piece = []


def _block(tokens: list[Token], lines: list[str]) -> Block:
    opening = tokens[0]
    first, last = opening.map or [0, 0]
    source = "\n".join(lines[first:last]).rstrip()
    kind = _KINDS.get(opening.type, "paragraph")
    children = [child for token in tokens for child in token.children or []]
    pictures = [child for child in children if child.type == "image"]
    if kind == "paragraph" and len(children) == 1 and pictures:
        kind = "figure"
    texts = tuple(text for token in tokens for text in _texts(token))
    return Block(kind, source, _mark(kind, tokens, pictures), texts)


def _mark(kind: str, tokens: list[Token], pictures: list[Token]) -> Any:
    match kind:
        case "heading":
            return tokens[0].tag
        case "figure":
            return re.sub(r"\.[a-z]{2,3}(?=\.svg$)", "", str(pictures[0].attrs["src"]))
        case "table":
            rows = sum(token.type == "tr_open" for token in tokens)
            cells = sum(token.type in ("th_open", "td_open") for token in tokens)
            return rows, cells // rows
        case "list":
            return tokens[0].type, sum(token.type == "list_item_open" and token.level == 1 for token in tokens)
        case "code" | "equation":
            return tokens[0].content
    return None


def _texts(token: Token) -> Iterator[str]:
    for child in token.children or []:
        if child.type in ("text", "text_special"):
            yield child.content
        elif child.type == "image":
            yield from _texts(child)


_CELLS = re.compile(r"(?<!\\)\|")
_LABELLED = re.compile(r"(?s)([-*] )\*\*(.*?)\*\* ?(.*)")
_CODE_AT_END = re.compile(r" `[^`]*`$")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)]) +")


@dataclass(frozen=True)
class Bilingual:
    """A document in two languages."""

    text: str
    second: dict[int, str]
    """Line of the text, from 0, to the language of the block that begins there: of those in the second one."""
    language: Language
    """What a typesetter says by itself, in both."""


@dataclass(frozen=True)
class _Piece:
    source: str
    language: str = ""


def bilingual(first: str, second: str, languages: tuple[Language, Language]) -> Bilingual:
    """Return the reports of two languages as one.

    What stands in both is there once. Where the two do not run side by side, as a suite's own words need not,
    all of the first comes before all of the second.
    """
    merge = _Merge(languages)
    pieces = merge.all(_runs(blocks(first)), _runs(blocks(second)))
    lines: list[str] = []
    marked: dict[int, str] = {}
    for piece in pieces:
        for offset, line in enumerate(piece.source.split("\n")):
            if offset == 0 and piece.language:
                marked[len(lines)] = piece.language
            lines.append(line)
        lines.append("")
    for i, line in enumerate(lines):  # the second text of an item of a list
        if line.startswith(_SECOND):
            marked[i] = languages[1].code
            lines[i] = line.removeprefix(_SECOND)
        elif _SECOND in line:
            marked[i] = languages[1].code
            lines[i] = line.replace(_SECOND, "")
    return Bilingual("\n".join(lines).strip() + "\n", marked, _both(languages))


_SECOND = "\ue000"
"""Stands for a moment where the second language's part of an item begins."""


def _both(languages: tuple[Language, Language]) -> Language:
    first, second = languages
    said = {key: f"{first.say(key)} {second.say(key)}" for key in ("contents.title", "quick.mark")}
    return Language(first.code, {**first.messages, **said})


def _runs(found: list[Block]) -> list[list[Block]]:
    """Return the blocks, each by itself, but for paragraphs and lists, which run on."""
    runs: list[list[Block]] = []
    for running, group in groupby(found, key=lambda block: block.kind in ("paragraph", "list")):
        own = list(group)
        runs += [own] if running else [[block] for block in own]
    return runs


def _signature(run: list[Block]) -> str:
    return "prose" if run[0].kind in ("paragraph", "list") else repr((run[0].kind, run[0].mark))


class _Merge:
    def __init__(self, languages: tuple[Language, Language]) -> None:
        self._first, self._second = languages
        self._in_cover = True

    def all(self, first: list[list[Block]], second: list[list[Block]]) -> Iterator[_Piece]:
        matcher = SequenceMatcher(None, [*map(_signature, first)], [*map(_signature, second)], autojunk=False)
        for same, a, b, c, d in matcher.get_opcodes():
            if same == "equal":
                for one, other in zip(first[a:b], second[c:d], strict=True):
                    yield from self._run(one, other)
            else:
                yield from (_Piece(block.source) for run in first[a:b] for block in run)
                yield from (_Piece(block.source, self._second.code) for run in second[c:d] for block in run)

    def _run(self, one: list[Block], other: list[Block]) -> Iterator[_Piece]:
        alike = [(block.kind, block.mark) for block in one] == [(block.kind, block.mark) for block in other]
        if alike:
            for a, b in zip(one, other, strict=True):
                yield from self._pair(a, b)
        else:
            yield from (_Piece(block.source) for block in one)
            yield from (_Piece(block.source, self._second.code) for block in other)

    def _pair(self, a: Block, b: Block) -> Iterator[_Piece]:
        if a.source == b.source or a.kind in ("code", "equation"):
            yield _Piece(a.source)
            return
        match a.kind:
            case "heading":
                self._in_cover = self._in_cover and a.mark == "h1"
                yield _Piece(self._heading(a, b))
            case "caption":
                yield _Piece(f"{a.source[:-2]}\\\n{b.source[2:]}")
            case "figure":
                yield _Piece(_figure(a.source, b.source))
            case "table":
                yield _Piece(_table(a.source, b.source))
            case "list":
                yield _Piece(_list(a.source, b.source, labelled=self._in_cover))
            case _:
                yield _Piece(a.source)
                yield _Piece(b.source, self._second.code)

    def _heading(self, a: Block, b: Block) -> str:
        words = b.source.partition(" ")[2]
        if a.mark == "h1":  # of a heading, only one that is underlined may have two lines
            return f"{a.source.partition(' ')[2]}\\\n{words}\n==="
        title = _title(words, a.mark, self._second)
        return a.source if a.source.endswith(title) else f"{a.source} {title}"


def _title(words: str, level: Any, language: Language) -> str:
    """Return a heading without its number."""
    forms = {"h2": ("heading.appendix", "heading.section"), "h3": ("heading.subsection",)}
    for form in forms.get(level, ()):
        pattern = re.escape(language.say(form, number="NUMBER", title="TITLE"))
        number = r"\d+(?:\.\d+)*" if level == "h3" else r"\w+"
        if found := re.fullmatch(pattern.replace("NUMBER", number).replace("TITLE", "(.*)"), words):
            return found[1]
    return words


def _figure(a: str, b: str) -> str:
    """Return the picture of the first with both captions."""
    caption, path = a[2:].rsplit("](", 1)
    return f"![{caption}\\\n{b[2:].rsplit('](', 1)[0]}]({path}"


def _table(a: str, b: str) -> str:
    rows = [
        _row(one, other, joint=" " if i == 0 else " / ")
        for i, (one, other) in enumerate(zip(a.split("\n"), b.split("\n"), strict=True))
    ]
    return "\n".join(rows)


def _row(a: str, b: str, joint: str) -> str:
    return "|".join(_cell(*both, joint) for both in zip(_CELLS.split(a), _CELLS.split(b), strict=True))


def _cell(a: str, b: str, joint: str) -> str:
    """Return what a cell says in both languages; a number is there once, and a name in code at its end, too."""
    one, other = a.strip(), b.strip()
    if one == other or not re.search(r"[^\W\d]", other):
        return a
    if (code := _CODE_AT_END.search(one)) and other.endswith(code[0]):
        one = one.removesuffix(code[0])
    return f" {one}{joint}{other} "


def _list(a: str, b: str, *, labelled: bool) -> str:
    items = []
    for one, other in zip_longest(_items(a), _items(b), fillvalue=""):
        left, right = _LABELLED.fullmatch(one), _LABELLED.fullmatch(other)
        if one == other:
            items.append(one)
        elif labelled and left and right:
            value = left[3] if left[3] == right[3] else f"{left[3]} / {right[3]}"
            items.append(f"{left[1]}**{left[2]} {right[2]}** {value}".rstrip())
        else:
            items.append(f"{one}\n\n{_below(other)}\n")
    return "\n".join(items).rstrip()


def _items(source: str) -> list[str]:
    items: list[str] = []
    for line in source.split("\n"):
        if _ITEM.match(line):
            items.append(line)
        elif items:
            items[-1] += f"\n{line}"
    return [item.rstrip() for item in items]


def _below(item: str) -> str:
    """Return an item of a list as a paragraph of the item above it."""
    mark = _ITEM.match(item)
    indent = " " * (mark.end() if mark else 2)
    return f"{indent}{_SECOND}{item[len(indent) :]}"
