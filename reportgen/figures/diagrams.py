"""Diagrams of recurrent cells, and of what a recurrent network reads and writes.

Boxes are linear layers with their activation, circles and ellipses act on each element; where lines meet at a dot,
one is divided, or two vectors are put into one. The letters are those of the equations.
"""

from collections.abc import Callable

from matplotlib.figure import Figure

from reportgen.figures.sheet import Sheet

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
