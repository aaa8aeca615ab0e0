"""Diagrams: what they say is notation, and nothing overlaps, sticks out or runs through a box."""

import re
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, FancyBboxPatch, Patch, PathPatch, Polygon
from matplotlib.transforms import Bbox

from reportgen.figures.diagrams import DIAGRAMS, LAYER, UNIT
from reportgen.figures.style import WIDTH, drawing, to_svg

NAMES = list(DIAGRAMS)
NOTATION = re.compile(r"[hcxyfigorznWkT]|t|hn|\d|[−+]\d|1−|…|σ|tanh")


@pytest.fixture(autouse=True)
def _drawing() -> Iterator[None]:
    """Draw with the report's fonts."""
    with drawing("σ−…", "en"):
        yield


def drawn(name: str) -> tuple[Figure, Axes]:
    """Return a diagram and its only axes."""
    figure = DIAGRAMS[name]()
    (axes,) = figure.axes
    return figure, axes


def boxes_of(axes: Axes) -> list[Bbox]:
    """Return the boxes, circles and ellipses that mean something, in units."""
    shapes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch | Circle | Ellipse)]
    found = [(patch, Bbox(_extent(patch))) for patch in shapes]
    return [box for patch, box in found if box.width > 2 and patch.get_zorder() >= 4]


def _extent(patch: Patch) -> np.ndarray:
    box = patch.get_path().transformed(patch.get_patch_transform()).get_extents()
    return np.array([[box.x0, box.y0], [box.x1, box.y1]])


def words_of(axes: Axes) -> list[Bbox]:
    """Return where each piece of text stands, in units."""
    inverse = axes.transData.inverted()
    return [Bbox(inverse.transform(text.get_window_extent())) for text in axes.texts]


@pytest.mark.parametrize("name", NAMES)
def test_a_diagram_says_nothing_but_notation(name: str) -> None:
    """Letters of the equations, signs, two functions: words stand in captions, which come from the catalogue."""
    _, axes = drawn(name)
    texts = [text.get_text() for text in axes.texts]
    assert texts
    assert [text for text in texts if not NOTATION.fullmatch(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_diagram_fits_its_sheet_and_the_page(name: str) -> None:
    """Nothing sticks out of the figure, and the figure is no wider than the text of a page."""
    figure, axes = drawn(name)
    wide, tall = figure.get_size_inches()
    assert wide <= WIDTH
    assert [*axes.get_xlim(), *axes.get_ylim()] == pytest.approx([0, wide / UNIT, 0, tall / UNIT])
    for box in [*boxes_of(axes), *words_of(axes)]:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= wide / UNIT
        assert box.y1 <= tall / UNIT


@pytest.mark.parametrize("name", NAMES)
def test_neither_boxes_nor_symbols_overlap(name: str) -> None:
    """No box touches another one, and no two pieces of text stand on each other."""
    _, axes = drawn(name)
    for kind in (boxes_of(axes), words_of(axes)):
        for one, other in combinations(kind, 2):
            common = Bbox.intersection(one, other)
            assert common is None or min(common.width, common.height) < 0.35


def lines_of(axes: Axes) -> list[np.ndarray]:
    """Return the points of each line, its rounded corners made of many."""
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch) and patch.get_zorder() < 4]
    return [
        np.concatenate([_dense(np.asarray(path)) for path in line.get_path().to_polygons(closed_only=False)])
        for line in lines
    ]


def _dense(points: np.ndarray) -> np.ndarray:
    return np.concatenate([np.linspace(a, b, 60) for a, b in pairwise(points)])


@pytest.mark.parametrize("name", NAMES)
def test_no_line_runs_through_a_box_or_a_symbol(name: str) -> None:
    """Lines begin and end at the edge of a box; they cross neither boxes nor what is written beside them."""
    _, axes = drawn(name)
    free = [box for box in words_of(axes) if not any(_inside(box, other) for other in boxes_of(axes))]
    for points in lines_of(axes):
        for box in [*boxes_of(axes), *free]:
            inner = box.padded(-0.3)
            assert not any(inner.contains(x, y) for x, y in points)


def _inside(box: Bbox, other: Bbox) -> bool:
    return other.contains((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)


@pytest.mark.parametrize("name", NAMES)
def test_every_arrow_points_at_something(name: str) -> None:
    """The tip of an arrow is at the edge of a box, at a dot, at a symbol, or where the line leaves the cell."""
    figure, axes = drawn(name)
    wide = figure.get_size_inches()[0] / UNIT
    dots = [Bbox(_extent(patch)) for patch in axes.patches if isinstance(patch, Circle) and patch.get_radius() < 1]
    heads = [patch for patch in axes.patches if isinstance(patch, Polygon)]
    assert heads
    for head in heads:
        x, y = head.get_xy()[0]
        near = [box.padded(0.05) for box in [*boxes_of(axes), *dots]] + [box.padded(3.2) for box in words_of(axes)]
        assert x > wide - 3 or any(box.contains(x, y) for box in near)


@pytest.mark.parametrize(
    ("name", "layers", "circles"), [("rnn", 1, 0), ("lstm", 4, 3), ("peephole_lstm", 4, 3), ("gru", 4, 5)]
)
def test_a_cell_has_its_layers_and_operations(name: str, layers: int, circles: int) -> None:
    """An LSTM has four layers, two products and a sum, and one more product; a GRU has 1 − z as well."""
    _, axes = drawn(name)
    boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch) and patch.get_zorder() >= 4]
    assert len(boxes) == layers
    assert len([p for p in axes.patches if isinstance(p, Circle) and p.get_radius() > 2]) == circles + (
        name in _OUT
    )
    assert LAYER.startswith("#")


_OUT = ("lstm", "peephole_lstm")


def test_peepholes_are_dashed() -> None:
    """Three dashed lines tell the peephole LSTM from the plain one, without colour."""
    dashed = {}
    for name in ("lstm", "peephole_lstm"):
        _, axes = drawn(name)
        dashed[name] = sum(isinstance(p, PathPatch) and p.get_linestyle() != "-" and p.get_linestyle() != "solid"
                           for p in axes.patches)  # fmt: skip
    assert dashed == {"lstm": 0, "peephole_lstm": 3}


@pytest.mark.parametrize("name", NAMES)
def test_a_diagram_is_a_vector_graphic_with_its_text(name: str) -> None:
    """There is no image in the file, symbols are text, and the letters are italic in the report's own font."""
    svg = to_svg(DIAGRAMS[name](), "en")
    assert "<image" not in svg
    assert re.search(r"italic;[^\"]*'Source Sans Pro'", svg)
    assert svg == to_svg(DIAGRAMS[name](), "en")
