"""The Markdown of a report as a list of blocks, each with its source and with what it says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

_KINDS = {
    "heading_open": "heading",
    "table_open": "table",
    "fence": "code",
    "math_block": "equation",
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
    """Return a parser of the report's Markdown: CommonMark with tables and formulas, and without HTML."""
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table", "strikethrough"])
    # as elsewhere, $ needs text right inside it and no digit after it: "$5 and $6" is money
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    return parser


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of the document, in order; a bold paragraph right above a table is its caption."""
    lines = markdown.split("\n")
    found = [_block(tokens, lines) for tokens in _top_level(markdown_parser().parse(markdown))]
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
