"""LaTeX formulas as SVG pictures that sit on the line."""

import base64
from functools import cache
from html import escape
from typing import Any

import ziamath

from reportgen.errors import TypesetError

_SIZE = 20.0
ziamath.config.svg2 = False  # outlines in place: WeasyPrint draws no <symbol> inside an <img>


@cache
def formula_image(latex: str, display: bool) -> str:
    """Return an <img> of the formula, sized in em and lowered to the baseline; its alt text is the LaTeX.

    Raises TypesetError for LaTeX that cannot be read.
    """
    try:
        drawn = ziamath.Latex(latex, size=_SIZE, inline=not display)
        svg, (width, height), drop = drawn.svg(), drawn.getsize(), drawn.getyofst()
    except Exception as error:
        raise TypesetError(f"the formula ${latex}$ cannot be read: {error}") from None
    _require(latex, drawn.font)
    # the drawing has a margin of one unit on each side
    box = f"width:{(width + 2) / _SIZE:.4f}em;height:{(height + 2) / _SIZE:.4f}em"
    lowered = "" if display else f";vertical-align:{(drop - 1) / _SIZE:.4f}em"
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="math" alt="{escape(latex)}" style="{box}{lowered}" src="data:image/svg+xml;base64,{data}">'
    )


def _require(latex: str, font: Any) -> None:
    missing = next((c for c in latex if not c.isascii() and not font.glyphindex(c)), None)
    if missing:
        raise TypesetError(
            f"the font of formulas has no character {missing!r}, found in ${latex}$; write it outside the formula"
        )
