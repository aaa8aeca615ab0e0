"""LaTeX formulas as SVG pictures that sit on the line."""

import base64
import re
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from reportgen.errors import TypesetError
from reportgen.i18n import fonts
from reportgen.storage.cache import Cache, cache_name
from reportgen.storage.fingerprints import source_digest, version_of

_SIZE = 20.0

_DRAWN_WITH = ("ziamath", "ziafont", "latex2mathml", "noto-cjk-sans-otc", "uharfbuzz")

_TAG = re.compile(r"\\tag(?P<bare>\*?)\s*\{(?P<text>[^{}]*)\}")
_COMMAND = re.compile(r"<m\w+[^>]*>(\\[A-Za-z]+)<")
"""A command that the converter does not know: it would be printed as it stands."""

_OUTSIDE = re.compile(
    r"(?<!\\)(?:\\\((?!\\\)).+?\\\)|\\\[(?![\d\s,;–-]*\\\]).+?\\\]|\\begin\{\w+\*?\})", re.DOTALL
)
"""LaTeX's other ways to begin a formula, which Markdown takes for escaped brackets; [1, 2] is a citation."""

_NOT_TEXT = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|\$\$.+?\$\$|\$[^$]+\$", re.DOTALL)

_NO_LABELS = {"\\label", "\\ref", "\\eqref"}


def formula_image(latex: str, display: bool, cache: Cache | None = None) -> str:
    """Return an <img> of the formula, sized in em and lowered to the baseline; its alt text is the LaTeX.

    One that is in `cache` is not drawn again, and one that is not is put there. The number that `\\tag` gives a
    displayed formula follows as a <span class="tag">.

    Raises TypesetError for LaTeX that cannot be read.
    """
    if cache is None:
        return _drawn(latex, display)
    programs = (source_digest(), *map(version_of, _DRAWN_WITH))
    name = f"{cache_name([*programs, latex, str(display)])}.formula"
    known = cache.get(name)
    if known is not None:
        return known.decode()
    image = _drawn(latex, display)
    cache.put(name, image.encode())
    return image


def labelled(latex: str, label: str) -> str:
    """Return a displayed formula with the number that follows it in Markdown: `$$x$$ (1)`."""
    return f"{latex.strip()} \\tag{{{label}}}" if label else latex.strip()


def without_tag(latex: str) -> tuple[str, str]:
    """Return a formula without its `\\tag`, and the number as it is printed: (2), or what `\\tag*` says."""
    found = _TAG.search(latex)
    if found is None:
        return latex, ""
    number = found["text"].strip()
    return _TAG.sub("", latex).strip(), number if found["bare"] else f"({number})"


def faults(markdown: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, what is wrong and what is expected of each formula in a Markdown text that cannot be typeset."""
    if "$" not in markdown and "\\" not in markdown:
        return
    from reportgen.report.bilingual import markdown_parser

    for token in markdown_parser().parse(markdown):
        line = (token.map or [0])[0] + 1
        if token.type in ("math_block", "math_block_label"):
            yield from _fault(labelled(token.content, token.info), line, display=True)
        for child in token.children or []:
            if child.type in ("math_inline", "math_inline_double"):
                before = token.content.partition(child.content)[0]
                yield from _fault(child.content, line + before.count("\n"), display=child.type != "math_inline")
        written = token.content if token.children else ""
        text = _NOT_TEXT.sub(lambda other: re.sub(r"[^\n]", " ", other[0]), written)
        for found in _OUTSIDE.finditer(text):
            got = f"{' '.join(found[0].split())}, which is no formula to Markdown"
            yield line + text[: found.start()].count("\n"), got, "$…$ within a line, or $$…$$"


def _fault(latex: str, line: int, *, display: bool) -> Iterator[tuple[int, str, str]]:
    latex = latex.strip()
    try:
        _drawn(latex, display)
    except TypesetError as error:
        yield line, str(error), "a formula that can be typeset"


@cache
def _drawn(latex: str, display: bool) -> str:
    import ziamath

    ziamath.config.svg2 = False  # outlines in place: WeasyPrint draws no <symbol> inside an <img>
    bare, tag = without_tag(latex)
    _refuse(latex, bare, display)
    try:
        drawn = ziamath.Latex(bare, size=_SIZE, inline=not display, font=_font())
        svg, (width, height), drop = drawn.svg(), drawn.getsize(), drawn.getyofst()
    except Exception as error:
        why = str(error) or f"{type(error).__name__}: a brace, or \\end, may be missing"
        raise TypesetError(f"the formula ${latex}$ cannot be read: {why}") from None
    # the drawing has a margin of one unit on each side
    box = f"width:{(width + 2) / _SIZE:.4f}em;height:{(height + 2) / _SIZE:.4f}em"
    lowered = "" if display else f";vertical-align:{(drop - 1) / _SIZE:.4f}em"
    data = base64.b64encode(svg.encode()).decode()
    image = (
        f'<img class="math" alt="{escape(latex)}" style="{box}{lowered}" src="data:image/svg+xml;base64,{data}">'
    )
    return f'{image}<span class="tag">{escape(tag)}</span>' if tag else image


def _refuse(latex: str, bare: str, display: bool) -> None:
    """Raise TypesetError for what would be printed otherwise than meant."""
    tags = len(_TAG.findall(latex))
    if tags > 1 or (tags and not display):
        got = "a \\tag inside a line" if tags == 1 else f"{tags} times \\tag in one formula"
        raise TypesetError(f"the formula ${latex}$ has {got}: one may stand in a formula between $$")
    missing = next((c for c in bare if not c.isascii() and not _has(c)), None)
    if missing:
        raise TypesetError(
            f"the font of formulas has no character {missing!r}, found in ${latex}$; write it outside the formula"
        )
    if unknown := _unknown(bare):
        why = ": formulas are numbered with \\tag{1}" if unknown in _NO_LABELS else ""
        raise TypesetError(f"the formula ${latex}$ has {unknown}, which is not known{why}")


def _unknown(latex: str) -> str:
    from latex2mathml.converter import convert

    try:
        found = _COMMAND.search(convert(latex))
    except Exception:  # it is drawn by the same converter, which is told then
        return ""
    return found[1] if found else ""


def _has(character: str) -> bool:
    import ziamath.zmath

    return bool(
        ziamath.zmath.loadedfonts["default"].glyphindex(character)
        or ord(character) in fonts.characters(fonts.CHINESE)
    )


@cache
def _font() -> str:
    """Return the name of the font of formulas, with the outlines of the Chinese font for what it lacks."""
    import ziamath.zmath
    from ziafont.fonttypes import BBox
    from ziafont.glyph import SimpleGlyph
    from ziafont.svgpath import Cubic, Lineto, Moveto, Point, Quad
    from ziamath.mathfont import MathFont

    kinds = {"moveTo": Moveto, "lineTo": Lineto, "curveTo": Cubic, "qCurveTo": Quad}

    class Chinese(SimpleGlyph):  # type: ignore[misc]  # ziafont has no types
        def advance(self, nextchr: object = None) -> float:  # noqa: ARG002 - there is no kerning
            width: float = self.width
            return width

    class Font(MathFont):  # type: ignore[misc]
        def glyph(self, character: str) -> Any:
            if self.glyphindex(character) or ord(character) not in fonts.characters(fonts.CHINESE):
                return super().glyph(character)
            outline = fonts.outline(character)
            path = [kinds[name](*(Point(*point) for point in points)) for name, points in outline.path if points]
            made = Chinese(_NOT_OF_THIS_FONT + ord(character), path, BBox(*outline.box), self)
            made.width = outline.advance
            return made

    default = ziamath.zmath.loadedfonts["default"]
    ziamath.zmath.loadedfonts["reportgen"] = Font(default.fname)
    return "reportgen"


_NOT_OF_THIS_FONT = 1 << 20
"""Above the numbers of all glyphs, so that no rule of the font is applied to a glyph of another one."""
