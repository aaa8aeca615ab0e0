"""LaTeX formulas as SVG pictures that sit on the line."""

import base64
from functools import cache
from html import escape
from typing import Any

from reportgen.errors import TypesetError
from reportgen.storage.cache import Kept, name_of
from reportgen.storage.fingerprints import source_digest, version_of

_SIZE = 20.0


def formula_image(latex: str, display: bool, kept: Kept | None = None) -> str:
    """Return an <img> of the formula, sized in em and lowered to the baseline; its alt text is the LaTeX.

    One that is in `kept` is not drawn again, and one that is not is put there.

    Raises TypesetError for LaTeX that cannot be read.
    """
    if kept is None:
        return _drawn(latex, display)
    programs = (source_digest(), *map(version_of, ("ziamath", "ziafont", "latex2mathml")))
    name = f"{name_of([*programs, latex, str(display)])}.formula"
    known = kept.get(name)
    if known is not None:
        return known.decode()
    image = _drawn(latex, display)
    kept.put(name, image.encode())
    return image


@cache
def _drawn(latex: str, display: bool) -> str:
    import ziamath

    ziamath.config.svg2 = False  # outlines in place: WeasyPrint draws no <symbol> inside an <img>
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
