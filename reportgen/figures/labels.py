"""Labels that fit: broken into lines, and shortened in the middle where there would be too many."""

import re
from unicodedata import east_asian_width

COLUMNS = 24
"""Width of a line; a full-width character takes two columns, any other one."""

LINES = 5

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
"""The characters of an exponent."""

_BREAKS = re.compile(r"(?<=[\s,/;，、；])(?=[^\s,/;，、；])|(?=（)")


def wrapped(label: str, columns: int = COLUMNS, lines: int = LINES) -> str:
    """Break a label into lines, after spaces, commas and slashes if it can be.

    A label that needs more than `lines` lines loses its middle. Three quarters of what stays are its end,
    where the labels of a sweep differ.
    """
    text = " ".join(label.split())
    found = _broken(text, columns)
    keep = min(len(text) - 1, columns * lines)
    while len(found) > lines:
        start = keep // 4
        found = _broken(f"{text[:start]}…{text[start - keep :]}", columns)
        keep -= 1
    return "\n".join(found)


def width(text: str) -> int:
    """Return how many columns the text takes."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _broken(text: str, columns: int) -> list[str]:
    lines = [""]
    for piece in _BREAKS.split(text):
        if width(lines[-1] + piece.rstrip()) > columns and lines[-1]:
            lines.append("")
        for character in piece:
            if width(lines[-1] + character) > columns and not character.isspace():
                lines.append("")
            lines[-1] += character
    return [line.strip() for line in lines]
