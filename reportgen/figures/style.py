"""Labels that fit: broken into lines, and shortened in the middle where there would be too many."""

import io
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from matplotlib import font_manager, rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reportgen.i18n import fonts
from reportgen.i18n.languages import Language

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


WIDTH = 6.7
"""Inches; what the text of a page is wide."""

_MOST_COLUMNS = 4

_NUMBER = re.compile(r"(?<=>)[−-]?\d+(?:[.,]\d+)*%?(?=</t(?:ext|span)>)")

_STACK = [fonts.LATIN, fonts.CJK, fonts.SYMBOLS]
_FACES = [face for face in fonts.FACES if face.family in _STACK and face.weight == 400]

# Okabe & Ito's colours, which the colour-blind can tell apart, darkest first; the line style changes as well,
# so that a print in black and white can be read
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_RC: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9.5,
    "axes.unicode_minus": True,
    "figure.constrained_layout.use": True,
    "font.family": _STACK,
    "font.size": 9,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "text.parse_math": False,  # a dollar sign in a label is one
    "savefig.dpi": 216,  # of the images in a figure; lines and text have no resolution
    "svg.fonttype": "none",  # text stays text: a fifth of the size, and it can be searched
    "svg.hashsalt": "reportgen",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


def series_style(index: int) -> dict[str, Any]:
    """Return colour, line style and marker of the index-th series; 28 differ in at least one of the three."""
    lines = [(c, i) for i, c in product(range(len(_LINES)), range(len(_COLOURS)))]
    colour, shift = lines[index % len(lines)]
    return {
        "color": _COLOURS[colour],
        "linestyle": _LINES[(colour + shift) % len(_LINES)],
        "marker": _MARKERS[(colour + shift) % len(_MARKERS)],
        "markersize": 3.5,
    }


def legend_below(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Put a legend under the axes, in as many columns as there is room for, and make the figure taller by it.

    The names are handed over one by one: left to itself a legend leaves out those that begin with an underscore.
    """
    wide, tall = figure.get_size_inches()
    for columns in range(min(_MOST_COLUMNS, len(names)), 0, -1):
        legend = figure.legend(
            handles, [wrapped(name) for name in names], loc="outside lower center", ncols=columns, handlelength=3
        )
        box = legend.get_window_extent()
        if columns == 1 or box.width <= wide * figure.dpi:
            break
        legend.remove()
    figure.set_size_inches(wide, tall + box.height / figure.dpi)


def logarithmic(panel: Axes, language: Language) -> None:
    """Make the upright axis logarithmic, with its numbers as the report writes them: matplotlib's are formulas."""
    panel.set_yscale("log")
    axis = panel.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: language.significant(value)))
    axis.set_minor_formatter(NullFormatter())


@contextmanager
def drawing(text: str, language: str) -> Iterator[None]:
    """Draw with the report's fonts, cut to the characters of `text` and printable ASCII.

    What is measured here is as wide as in the report: “ and … are a full square in Chinese.
    """
    wanted = frozenset(text) | frozenset(map(chr, range(32, 127))) | set("−±…")
    shares = fonts.shares_of(wanted, language)
    known = list(font_manager.fontManager.ttflist)
    with tempfile.TemporaryDirectory() as folder, rc_context(_RC):
        for number, face in enumerate(_FACES):
            if font := fonts.cut(face, shares[face.family]):
                file = Path(folder, f"{number}.otf")
                file.write_bytes(font)
                font_manager.fontManager.addfont(file)
        try:
            yield
        finally:
            font_manager.fontManager.ttflist[:] = known


def to_svg(figure: Figure, language: str, localised: Callable[[str], str] = str) -> str:
    """Return the figure as one SVG file with its fonts inside; the same figure gives the same bytes.

    `localised` writes the numbers at the axes, which matplotlib knows in English alone, as the language does.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    svg = _NUMBER.sub(lambda number: localised(number[0]), stream.getvalue())
    # WeasyPrint takes the space after a comma for a part of the next name, and then any font of the machine
    svg = re.sub(r"font-family: [^;\"]*", lambda families: families[0].replace(", ", ","), svg)
    text = re.sub(r"&#?\w+;", "", "".join(re.findall(r">([^<]+)</t(?:ext|span)>", svg))) + "&<>\"'"
    rules = fonts.font_face_rules(text, language, _STACK)
    return svg.replace("<defs>", f'<defs>\n  <style type="text/css">{rules}</style>', 1)
