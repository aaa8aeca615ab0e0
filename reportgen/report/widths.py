"""What is too wide for half of a page: marked, so that a look with two columns can set it across both."""

import base64
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from unicodedata import east_asian_width

from markdown_it.token import Token

_COLUMN_POINTS = 245.0
"""Width of half of a page."""

_COLUMN_CHARACTERS = 50
"""Characters of code or of a table's rows that fit into half of a page."""

_PAGE_CHARACTERS = 92
"""Characters of a table's rows that fit on a page."""

_SMALL_CHARACTERS = 118
"""The same in small type."""

_WRAPS_AT = 26
"""Characters of a cell after which it is broken into lines."""

_COLUMN_EMS = 22.0
"""Width of a formula that fits into half of a page."""


def width(text: str) -> int:
    """Return how many columns the text takes: a Chinese character takes two."""
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)


def mark_wide(tokens: Sequence[Token]) -> None:
    """Give the class `wide` to tables and figures that need more than half of a page.

    Tables that need more than all of it are `wider`, or `widest`. Pictures have to be inside the document already.
    """
    for i, token in enumerate(tokens):
        if token.type == "table_open":
            columns = _table_width(tokens[i:])
            for name, most in (
                ("wide", _COLUMN_CHARACTERS),
                ("wider", _PAGE_CHARACTERS),
                ("widest", _SMALL_CHARACTERS),
            ):
                if columns > most:
                    token.attrJoin("class", name)
    for opening, inline in pairwise(tokens):
        if opening.tag == "figure" and opening.nesting == 1:
            source = str((inline.children or [inline])[0].attrs.get("src", ""))
            if _picture_points(source) > _COLUMN_POINTS:
                opening.attrJoin("class", "wide")


def is_wide_code(text: str) -> bool:
    """Tell whether a line of the code is too long for half of a page."""
    return max(map(width, text.splitlines()), default=0) > _COLUMN_CHARACTERS


def is_wide_formula(image: str) -> bool:
    """Tell whether the picture of a formula, as HTML, is too wide for half of a page."""
    found = re.search(r'style="width:([\d.]+)em', image)
    return found is not None and float(found[1]) > _COLUMN_EMS


def _table_width(tokens: Sequence[Token]) -> int:
    """Return the sum of the widths of a table's columns, each at most what it is broken to."""
    columns: dict[int, int] = {}
    for column, text in _cells(tokens):
        columns[column] = max(columns.get(column, 0), min(width(text) + 2, _WRAPS_AT))
    return sum(columns.values())


def _cells(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Yield column and text of the cells of the table that `tokens` begin with."""
    column = 0
    for token, following in pairwise(tokens):
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            column = 0
        elif token.type in ("th_open", "td_open"):
            yield column, "".join(child.content for child in following.children or [])
            column += 1


def _picture_points(source: str) -> float:
    """Return the width of an SVG in a data: URL; endless for a picture that does not say."""
    if not source.startswith("data:image/svg+xml;base64,"):
        return float("inf")
    head = base64.b64decode(source.partition(",")[2][:4000]).decode("utf-8", "replace")
    found = re.search(r'<svg[^>]*?\bwidth="([\d.]+)(?:pt)?"', head)
    return float(found[1]) if found else float("inf")
