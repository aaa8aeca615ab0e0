"""A sheet to draw diagrams on: boxes, circles, lines with arrowheads, and symbols with subscripts."""

import re
from collections.abc import Callable, Sequence

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


_LOW, _GATES, _HIGH = 18.0, 28.0, 50.0
"""Height of the line of the hidden state, of the gates, and of the line of the cell state."""


def rnn() -> Figure:
    """Draw the plain cell: one layer with tanh."""
    sheet = Sheet(78, 36)
    sheet.cell(13, 8, 65, 33)
    sheet.line((2, 20), (36.5, 20))
    sheet.symbol(2, 23.2, "h_t−1", align="left")
    sheet.line((24, 2), (24, 19.2))
    sheet.dot(24, 20)
    sheet.symbol(26, 4.2, "x_t", align="left")
    sheet.layer(41, 20, "tanh")
    sheet.line((45.5, 20), (76, 20))
    sheet.symbol(76, 23.2, "h_t", align="right")
    return sheet.figure


def lstm() -> Figure:
    """Draw an LSTM: cell state above, hidden state below, three gates and the candidate between them."""
    return _lstm().figure


def peephole_lstm() -> Figure:
    """Draw an LSTM with peepholes: dashed lines from the cell state to the gates."""
    sheet = _lstm()
    sheet.dot(20, _HIGH)
    sheet.line((20, _HIGH), (20, _GATES), (24.5, _GATES), dashed=True)
    sheet.dot(20, 36)
    sheet.line((20, 36), (36, 36), (36, _GATES), (39.5, _GATES), dashed=True, over=True)
    sheet.dot(66, _HIGH)
    sheet.line((66, _HIGH), (66, _GATES), (69.5, _GATES), dashed=True)
    return sheet.figure


def _lstm() -> Sheet:
    sheet = Sheet(108, 64)
    sheet.cell(13, 8, 95, 59)
    forget, put, new, out, end = 29, 44, 59, 74, 87
    # the cell state
    sheet.line((2, _HIGH), (forget - 2.4, _HIGH))
    sheet.symbol(2, _HIGH + 3.2, "c_t−1", align="left")
    sheet.sign(forget, _HIGH, "×")
    sheet.line((forget + 2.4, _HIGH), (new - 2.4, _HIGH))
    sheet.sign(new, _HIGH, "+")
    sheet.line((new + 2.4, _HIGH), (106, _HIGH))
    sheet.symbol(106, _HIGH + 3.2, "c_t", align="right")
    # what the gates read
    sheet.line((2, _LOW), (out, _LOW), (out, _GATES - 2.8))
    sheet.symbol(2, _LOW + 3.2, "h_t−1", align="left")
    sheet.line((18, 2), (18, _LOW - 0.8))
    sheet.dot(18, _LOW)
    sheet.symbol(20, 4.2, "x_t", align="left")
    for x in (forget, put, new):
        sheet.dot(x, _LOW)
        sheet.line((x, _LOW), (x, _GATES - 2.8))
    for x, name in ((forget, "σ"), (put, "σ"), (new, "tanh"), (out, "σ")):
        sheet.layer(x, _GATES, name)
    # what the gates do
    sheet.line((forget, _GATES + 2.8), (forget, _HIGH - 2.4))
    sheet.symbol(forget + 1.4, 41, "f_t", align="left")
    sheet.line((put, _GATES + 2.8), (put, 40), (new - 2.4, 40))
    sheet.symbol(put + 1.4, 34.2, "i_t", align="left")
    sheet.line((new, _GATES + 2.8), (new, 37.6))
    sheet.symbol(new + 1.4, 34.2, "g_t", align="left")
    sheet.sign(new, 40, "×")
    sheet.line((new, 42.4), (new, _HIGH - 2.4))
    # the output
    sheet.dot(end, _HIGH)
    sheet.line((end, _HIGH), (end, 45.5))
    sheet.function(end, 43, "tanh")
    sheet.line((end, 40.5), (end, 36.9))
    sheet.line((out, _GATES + 2.8), (out, 34.5), (end - 2.4, 34.5))
    sheet.symbol(out + 1.4, 37.2, "o_t", align="left")
    sheet.sign(end, 34.5, "×")
    sheet.line((end, 32.1), (end, _LOW), (106, _LOW))
    sheet.symbol(106, _LOW + 3.2, "h_t", align="right")
    return sheet


def gru() -> Figure:
    """Draw a GRU as torch computes it: the reset gate acts after the linear map of the hidden state."""
    sheet = Sheet(116, 68)
    sheet.cell(13, 8, 103, 63)
    reset, update, new = 42, 68, 92
    kept, mixed, seen = 54.0, 46.0, 39.0
    # the hidden state, as it is kept and as it is mixed
    sheet.line((2, kept), (update - 2.4, kept))
    sheet.symbol(2, kept + 3.2, "h_t−1", align="left")
    sheet.sign(update, kept, "×")
    sheet.line((update + 2.4, kept), (new - 2.4, kept))
    sheet.sign(new, kept, "+")
    sheet.line((new + 2.4, kept), (114, kept))
    sheet.symbol(114, kept + 3.2, "h_t", align="right")
    # what the gates read
    sheet.dot(18, kept)
    sheet.line((18, kept), (18, _LOW + 0.8))
    sheet.line((18, 2), (18, _LOW - 0.8))
    sheet.line((18, _LOW), (update, _LOW), (update, _GATES - 2.8))
    sheet.dot(18, _LOW)
    sheet.symbol(20, 4.2, "x_t", align="left")
    sheet.dot(reset, _LOW)
    sheet.line((reset, _LOW), (reset, _GATES - 2.8))
    sheet.layer(reset, _GATES, "σ")
    sheet.layer(update, _GATES, "σ")
    # the candidate
    sheet.dot(24, kept)
    sheet.line((24, kept), (24, seen), (27.5, seen))
    sheet.layer(32, seen, "W_hn")
    sheet.line((36.5, seen), (reset - 2.4, seen))
    sheet.line((reset, _GATES + 2.8), (reset, seen - 2.4))
    sheet.symbol(reset + 1.4, 33.6, "r_t", align="left")
    sheet.sign(reset, seen, "×")
    sheet.dot(18, 12)
    sheet.line((18, 12), (new, 12), (new, _GATES - 2.8))
    sheet.layer(new, _GATES, "tanh")
    # the update
    sheet.line((update, _GATES + 2.8), (update, kept - 2.4))
    sheet.symbol(update + 1.4, 34.6, "z_t", align="left")
    sheet.line((reset + 2.4, seen), (78, seen), (78, _GATES), (new - 4.5, _GATES), over=True)
    sheet.dot(update, mixed)
    sheet.line((update, mixed), (79 - 2.4, mixed))
    sheet.sign(79, mixed, "1−")
    sheet.line((79 + 2.4, mixed), (new - 2.4, mixed))
    sheet.sign(new, mixed, "×")
    sheet.line((new, _GATES + 2.8), (new, mixed - 2.4))
    sheet.symbol(new + 1.4, 37, "n_t", align="left")
    sheet.line((new, mixed + 2.4), (new, kept - 2.4))
    return sheet.figure


def many_to_one() -> Figure:
    """Draw a network that reads a sequence and answers once, from its last state."""
    sheet = _sequence()
    _answer(sheet, _STEPS["T"], "y")
    return sheet.figure


def many_to_many() -> Figure:
    """Draw a network that answers at every step."""
    sheet = _sequence()
    for name, x in _STEPS.items():
        _answer(sheet, x, f"y_{name}")
    return sheet.figure


def _sequence() -> Sheet:
    sheet = Sheet(108, 44)
    for name, x in _STEPS.items():
        _step(sheet, x, name)
        _given(sheet, x, name)
    first, second, third, last = _STEPS.values()
    _next(sheet, first, second)
    _next(sheet, second, third)
    _skip(sheet, third, last)
    return sheet


def closed_loop() -> Figure:
    """Draw a network that is given x up to step k and goes on alone: each answer is the next input."""
    sheet = Sheet(122, 44)
    first, last, after, beyond = 12.0, 46.0, 76.0, 106.0
    for name, x in (("1", first), ("k", last), ("k+1", after), ("k+2", beyond)):
        _step(sheet, x, name)
    _given(sheet, first, "1")
    _given(sheet, last, "k")
    _skip(sheet, first, last)
    _next(sheet, last, after)
    _next(sheet, after, beyond)
    sheet.line((beyond + 5.5, _ROW), (beyond + 11, _ROW))
    sheet.symbol(beyond + 13.5, _ROW, "…")
    for x, target, name in ((last, after, "y_k+1"), (after, beyond, "y_k+2")):
        _answer(sheet, x, name)
        middle = (x + target) / 2
        sheet.dot(x, 30)
        sheet.line((x, 30), (middle, 30), (middle, 7), (target, 7), (target, _ROW - 4), over=True)
    _answer(sheet, beyond, "y_k+3")
    return sheet.figure


_STEPS = {"1": 12.0, "2": 36.0, "3": 60.0, "T": 96.0}
_ROW = 22.0


def _step(sheet: Sheet, x: float, name: str) -> None:
    sheet.state(x, _ROW, f"h_{name}")


def _given(sheet: Sheet, x: float, name: str) -> None:
    sheet.line((x, 7), (x, _ROW - 4))
    sheet.symbol(x, 4, f"x_{name}")


def _answer(sheet: Sheet, x: float, name: str) -> None:
    sheet.line((x, _ROW + 4), (x, 37))
    sheet.symbol(x, 40, name)


def _next(sheet: Sheet, x: float, following: float) -> None:
    sheet.line((x + 5.5, _ROW), (following - 5.5, _ROW))


def _skip(sheet: Sheet, x: float, later: float) -> None:
    """Draw an arrow between two states with an ellipsis in its middle."""
    middle = (x + later) / 2
    sheet.line((x + 5.5, _ROW), (middle - 3, _ROW))
    sheet.symbol(middle, _ROW, "…")
    sheet.line((middle + 3, _ROW), (later - 5.5, _ROW))


DIAGRAMS: dict[str, Callable[[], Figure]] = {
    "rnn": rnn,
    "lstm": lstm,
    "peephole_lstm": peephole_lstm,
    "gru": gru,
    "many_to_one": many_to_one,
    "many_to_many": many_to_many,
    "closed_loop": closed_loop,
}


def diagram(name: str) -> Figure:
    """Draw one of DIAGRAMS."""
    return DIAGRAMS[name]()
