"""A sheet to draw diagrams on: boxes, circles, lines with arrowheads, and symbols with subscripts."""

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

UNIT = 0.047
"""Inches of a unit; everything on a sheet is placed and sized in these."""

INK, PAPER, CELL, LAYER = "black", "white", "#f3f3f3", "#dfe8f1"

Point = tuple[float, float]

_THICK = 1.2
_HEAD = 1.9, 0.85
"""Length and half the width of an arrowhead."""
_CORNER = 1.6
_SIZE, _SMALL = 10.5, 7.5
"""Points of a symbol and of its subscript."""
_DROP = 0.75
"""What a subscript hangs below the line."""
_MIDDLE = 1.05
"""What the baseline is below the middle of a symbol."""


class Sheet:
    """A figure of `width` by `height` units, empty, the origin at its lower left."""

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width * UNIT, height * UNIT))
        self.figure.set_layout_engine("none")
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(0, height))
        self._axes.set_axis_off()
        self._ground = PAPER

    def cell(self, left: float, bottom: float, right: float, top: float) -> None:
        """Draw the outline of a recurrent cell, below everything else."""
        self._ground = CELL
        style = "round,pad=0,rounding_size=3"
        self._axes.add_patch(
            FancyBboxPatch(
                (left, bottom), right - left, top - bottom, style, fc=CELL, ec="#777777", lw=1, zorder=1
            )
        )

    def line(self, *points: Point, arrow: bool = True, dashed: bool = False, over: bool = False) -> None:
        """Draw a line through the points, its corners rounded; `over` leaves a gap in what it crosses."""
        way = [np.array(point, float) for point in points]
        if arrow:
            ahead = way[-1] - way[-2]
            ahead /= np.linalg.norm(ahead)
            tip, back = way[-1], way[-1] - _HEAD[0] * ahead
            aside = _HEAD[1] * np.array([-ahead[1], ahead[0]])
            self._axes.add_patch(Polygon([tip, back + aside, back - aside], fc=INK, ec="none", zorder=4))
            way[-1] = back + 0.2 * ahead
        path = _rounded(way)
        if over:
            self._axes.add_patch(PathPatch(path, fc="none", ec=self._ground, lw=5, capstyle="butt", zorder=3))
        style = (0, (3, 2)) if dashed else "-"
        self._axes.add_patch(
            PathPatch(path, fc="none", ec=INK, lw=_THICK, ls=style, capstyle="butt", zorder=3.5 if over else 2.5)
        )

    def dot(self, x: float, y: float) -> None:
        """Mark where a line divides, so that it cannot be taken for a crossing."""
        self._axes.add_patch(Circle((x, y), 0.8, fc=INK, ec="none", zorder=4))

    def layer(self, x: float, y: float, name: str) -> None:
        """Draw a box of 9 by 5.6 units around a point: a linear layer, with its activation."""
        self._axes.add_patch(
            FancyBboxPatch(
                (x - 4.5, y - 2.8), 9, 5.6, "round,pad=0,rounding_size=0.6", fc=LAYER, ec=INK, lw=1, zorder=4
            )
        )
        self.symbol(x, y, name)

    def sign(self, x: float, y: float, name: str) -> None:
        """Draw a circle of radius 2.4 with ×, + or another sign: an operation on each element."""
        self._axes.add_patch(Circle((x, y), 2.4, fc=PAPER, ec=INK, lw=1, zorder=4))
        if name in "×+":
            center = np.array([x, y])
            turned = np.deg2rad(45 if name == "×" else 0)
            for angle in (turned, turned + np.pi / 2):
                arm = 1.15 * np.array([np.cos(angle), np.sin(angle)])
                path = Path([center - arm, center + arm])
                self._axes.add_patch(PathPatch(path, ec=INK, lw=_THICK, zorder=5))
        else:
            self.symbol(x, y, name, size=8.5)

    def function(self, x: float, y: float, name: str) -> None:
        """Draw an ellipse of 9 by 5 units around a function of each element."""
        self._axes.add_patch(Ellipse((x, y), 9, 5, fc=PAPER, ec=INK, lw=1, zorder=4))
        self.symbol(x, y, name)

    def state(self, x: float, y: float, name: str) -> None:
        """Draw a round box of 11 by 8 units around a state."""
        self._axes.add_patch(
            FancyBboxPatch(
                (x - 5.5, y - 4), 11, 8, "round,pad=0,rounding_size=2", fc=LAYER, ec=INK, lw=1, zorder=4
            )
        )
        self.symbol(x, y, name)

    def symbol(self, x: float, y: float, name: str, *, align: str = "center", size: float = _SIZE) -> None:
        """Write a symbol at the middle of its height: `h_t−1` is an h with the subscript t−1, σ is upright.

        `align` says whether x is its left, its center or its right.
        """
        base, _, below = name.partition("_")
        pieces = [(base, size, 0.0), *((part, size * _SMALL / _SIZE, _DROP) for part in _parts(below))]
        place, texts = 0.0, []
        for text, points, drop in pieces:
            italic = text.isascii() and text.isalpha() and text != "tanh"
            drawn = self._axes.text(
                place, y - _MIDDLE * size / _SIZE - drop, text, fontsize=points, zorder=6,
                fontstyle="italic" if italic else "normal", ha="left", va="baseline",
            )  # fmt: skip
            texts.append((drawn, place))
            place += drawn.get_window_extent().width / self.figure.dpi / UNIT + 0.15
        shift = {"left": 0.0, "center": -place / 2, "right": -place}[align]
        for drawn, start in texts:
            drawn.set_x(x + shift + start)


def _parts(below: str) -> list[str]:
    """Divide a subscript into letters, which are italic, and the rest, which is not."""
    return re.findall(r"[A-Za-z]+|[^A-Za-z]+", below)


def _rounded(way: Sequence[np.ndarray]) -> Path:
    points, codes = [way[0]], [Path.MOVETO]
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        into, out = before - corner, after - corner
        lengths = np.linalg.norm(into), np.linalg.norm(out)
        radius = min(_CORNER, *(length / 2 for length in lengths))
        points += [corner + into * radius / lengths[0], corner, corner + out * radius / lengths[1]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*points, way[-1]], [*codes, Path.LINETO])
