"""The fonts of the report and its figures: installed as packages, cut down to the characters in use.

Nothing here looks at the system's fonts, so a report looks the same on every machine. Latin text is set in
Source Sans, Chinese in Noto Sans CJK SC (whose own Latin letters are Source Sans, too), code in DejaVu Sans
Mono; DejaVu Sans has the symbols that the others lack.
"""

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uharfbuzz as hb

from reportgen.errors import MissingPrerequisiteError, TypesetError
from reportgen.storage.cache import Cache, cache_name
from reportgen.storage.fingerprints import source_digest, version_of

LATIN, CJK, MONO, CJK_MONO, SYMBOLS = (
    "Source Sans Pro", "Noto Sans CJK SC", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", "DejaVu Sans",
)  # fmt: skip
TEXT_STACK = (LATIN, CJK, SYMBOLS)
MONO_STACK = (MONO, CJK_MONO, SYMBOLS)

_BOLD_STRENGTH = 0.028
"""Emboldening of the Chinese regular face, in ems: its packaged form has no bold one."""

_RULES = re.compile(
    r"@font-face\{font-family:\"[^\"]+\";font-weight:\d+;font-style:\w+;src:url\(data:font/otf;[^)]*\)\}\n?"
)
"""What `font_face_rules` writes."""

_CHINESE_PUNCTUATION = set("“”‘’—…·")
"""Characters that Latin and Chinese share, but that are a whole square wide in Chinese."""

_UNSEEN = {0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070)}
"""What turns the direction of text or ends its line: the fonts have it, and a reader would not see why."""

_NARROW = set("‐•◦▪")
"""The hyphen where a line ends and the bullets of lists: a whole square wide in the Chinese fonts."""


@dataclass(frozen=True)
class Face:
    """One face of a family, and the file that holds it."""

    family: str
    package: str
    file: str
    weight: int = 400
    italic: bool = False
    emboldened: bool = False

    @property
    def path(self) -> Path:
        """The font file; MissingPrerequisiteError names the package that should have brought it."""
        spec = find_spec(self.package)
        folders = (spec.submodule_search_locations or []) if spec else []
        for folder in folders:
            path = Path(folder) / self.file
            if path.is_file():
                return path
        name = self.package.replace("_", "-")
        raise MissingPrerequisiteError(f"the font {self.family} is missing: pip install {name}")


_NOTO = ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc")
_SOURCE, _DEJAVU = "font_source_sans_pro", "matplotlib"
FACES = (
    Face(LATIN, _SOURCE, "files/SourceSansPro-Regular.otf"),
    Face(LATIN, _SOURCE, "files/SourceSansPro-Semibold.otf", weight=700),
    Face(LATIN, _SOURCE, "files/SourceSansPro-It.otf", italic=True),
    Face(CJK, *_NOTO),
    Face(CJK, *_NOTO, weight=700, emboldened=True),
    Face(MONO, _DEJAVU, "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
    Face(MONO, _DEJAVU, "mpl-data/fonts/ttf/DejaVuSansMono-Bold.ttf", weight=700),
    Face(CJK_MONO, *_NOTO),
    Face(SYMBOLS, _DEJAVU, "mpl-data/fonts/ttf/DejaVuSans.ttf"),
)


CHINESE = next(face for face in FACES if face.family == CJK)


@dataclass(frozen=True)
class Outline:
    """The outline of a character, in thousandths of an em."""

    path: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    """What a pen of fontTools is told: moveTo, lineTo, curveTo, qCurveTo or closePath, with points."""
    box: tuple[float, float, float, float]
    """Least and largest x, least and largest y."""
    advance: float


@cache
def outline(character: str) -> Outline:
    """Return the outline of a character of the Chinese font, which must have it."""
    from fontTools.pens.recordingPen import RecordingPen

    font, pen = hb.Font(_open(CHINESE)), RecordingPen()
    font.scale = (1000, 1000)
    glyph = font.get_nominal_glyph(ord(character))
    font.draw_glyph_with_pen(glyph, pen)
    points = [point for _, given in pen.value for point in given]
    xs, ys = ([point[i] for point in points] or [0] for i in (0, 1))
    box = (min(xs), max(xs), min(ys), max(ys))
    return Outline(tuple(pen.value), box, font.get_glyph_h_advance(glyph))


@cache
def _open(face: Face) -> hb.Face:
    """Open the face; in a collection it is the one whose full name is the family."""
    blob = hb.Blob.from_file_path(str(face.path))
    count = int.from_bytes(blob.data[8:12], "big") if blob.data[:4] == b"ttcf" else 1
    faces = (hb.Face(blob, i) for i in range(count))
    if count == 1:
        return next(faces)
    for candidate in faces:
        if candidate.get_name(hb.OTNameIdPredefined.FULL_NAME) == face.family:
            return candidate
    raise MissingPrerequisiteError(f"{face.path} has no face {face.family!r}: pip install -U {face.package}")


@cache
def characters(face: Face) -> frozenset[int]:
    """Return the code points that the face has a glyph for."""
    return frozenset(_open(face).unicodes)


@cache
def _covered() -> frozenset[int]:
    # the fonts of code have all that those of text have, but not the other way round
    faces = [characters(face) for face in FACES if face.family in TEXT_STACK]
    return frozenset().union(*faces) - _UNSEEN | set(map(ord, "\n\t\r\u200b"))


def lacking(text: str) -> str:
    """Name the first character in `text` that no font has, with the words around it; nothing if there is none."""
    if text.isascii() and text.isprintable():
        return ""
    for position, character in enumerate(text):
        if ord(character) not in _covered():
            around = " ".join(text[max(0, position - 20) : position + 20].split())
            return f"the character {character!r} (U+{ord(character):04X}), found in “{around}”"
    return ""


def printable(text: str) -> str:
    """Return the text with � in place of what cannot be printed: for what the user has not written himself."""
    return "".join("\ufffd" if lacking(character) else character for character in text) if lacking(text) else text


def require(text: str) -> None:
    """Raise TypesetError for a character that no font has; it is named, with the words around it."""
    if character := lacking(text):
        raise TypesetError(f"no font has {character}; write it another way")


@cache
def cut(face: Face, text: frozenset[str]) -> bytes:
    """Return the face as a font file that holds the characters of `text` alone, or nothing if it has none."""
    wanted = {ord(character) for character in text} & characters(face)
    if not wanted:
        return b""
    source = _open(face)
    subset = hb.SubsetInput()
    subset.unicode_set.update(wanted)
    found = bytes(hb.subset(source, subset).blob.data)
    return _mended(found, emboldened=face.emboldened) if face.package == _NOTO[0] else found


def _mended(font: bytes, *, emboldened: bool) -> bytes:
    """Return the (CID-keyed) font with its glyphs numbered by place, and with thick outlines if asked for."""
    from fontTools.ttLib import TTFont

    # the limits of all outlines stay those of the whole font: to measure each takes most of the time
    tables = TTFont(io.BytesIO(font), recalcTimestamp=False, recalcBBoxes=False)
    _number_by_place(tables)  # before other tables are read, which go by the names of glyphs
    if emboldened:
        _embolden(tables, font)
    out = io.BytesIO()
    tables.save(out)
    return out.getvalue()


def _embolden(tables: Any, font: bytes) -> None:
    """Thicken every outline of the (CFF) font by HarfBuzz, and mark it as bold."""
    from fontTools.pens.t2CharStringPen import T2CharStringPen

    thick = hb.Font(hb.Face(font))
    thick.synthetic_bold = (_BOLD_STRENGTH, _BOLD_STRENGTH, True)  # in place: the advance widths stay
    outlines = tables["CFF "].cff.topDictIndex[0].CharStrings
    for glyph, name in enumerate(tables.getGlyphOrder()):
        old = outlines[name]
        pen = T2CharStringPen(tables["hmtx"].metrics[name][0], None)
        thick.draw_glyph_with_pen(glyph, pen)
        new = pen.getCharString(private=old.private, globalSubrs=old.globalSubrs)
        old.program, old.bytecode = new.program, None
    tables["OS/2"].usWeightClass = 700
    tables["OS/2"].fsSelection = (tables["OS/2"].fsSelection & ~0x40) | 0x20
    tables["head"].macStyle |= 1


def _number_by_place(tables: Any) -> None:
    """Make each glyph's CID equal to its place in the CID-keyed font.

    A PDF names the glyphs of such a font by CID (ISO 32000-2, 9.7.4.2), WeasyPrint writes their places: without
    this Acrobat and MuPDF show other characters, or none, while Poppler and PDFium forgive it.
    """
    top = tables["CFF "].cff.topDictIndex[0]
    places = top.CharStrings.charStrings
    new = {old: f"cid{place:05}" for place, old in enumerate(top.charset) if place}
    top.charset[:] = [new.get(name, name) for name in top.charset]
    top.CharStrings.charStrings = {new.get(name, name): place for name, place in places.items()}
    tables.setGlyphOrder(list(top.charset))


def shares_of(wanted: frozenset[str], language: str) -> dict[str, frozenset[str]]:
    """Return, by family, the characters that it may write: Chinese punctuation is left to the Chinese fonts."""
    latin = wanted - _CHINESE_PUNCTUATION if language == "zh" else wanted
    chinese = wanted - _NARROW
    return {LATIN: latin, SYMBOLS: latin, MONO: wanted, CJK: chinese, CJK_MONO: chinese}


def _carried(face: Face, text: frozenset[str], cache: Cache | None) -> str:
    """Return what `cut` does, in base64; where mending takes long it is taken from `cache`, or kept there."""
    if cache is None or face.package != _NOTO[0]:
        return base64.b64encode(cut(face, text)).decode()
    wanted = sorted({ord(character) for character in text} & characters(face))
    programs = (source_digest(), *map(version_of, ("uharfbuzz", "fonttools", face.package.replace("_", "-"))))
    name = f"{cache_name([*programs, repr(face), repr(wanted)])}.font"
    known = cache.get(name)
    if known is not None:
        return known.decode()
    font = base64.b64encode(cut(face, text))
    cache.put(name, font)
    return font.decode()


def font_face_rules(
    text: Iterable[str],
    language: str,
    families: Iterable[str] = (*TEXT_STACK, *MONO_STACK),
    cache: Cache | None = None,
    *,
    alone: bool = False,
) -> str:
    """Return CSS @font-face rules that carry the fonts for `text` inside themselves.

    A font that is in `cache` is not cut again, and one that is not is put there. With `alone` the rules say that
    they are for these characters and no others.
    """
    text = frozenset(text)
    limits = f";unicode-range:{','.join(f'U+{ord(own):X}' for own in sorted(text))}" if alone else ""
    shares = shares_of(text, language)
    families = set(families)
    rules = []
    for face in (face for face in FACES if face.family in families):
        if font := _carried(face, shares[face.family], cache):
            style = "italic" if face.italic else "normal"
            source = f"data:font/otf;base64,{font}"
            rules.append(
                f'@font-face{{font-family:"{face.family}";font-weight:{face.weight};font-style:{style};src:url({source}){limits}}}'
            )
    return "\n".join(rules)


class Growing:
    """The rules of a document that is shown again and again: what comes new is cut alone, and put on top."""

    MOST_PARTS = 20

    def __init__(self) -> None:
        self._parts: list[frozenset[str]] = []

    def rules(self, text: Iterable[str], language: str) -> str:
        """Return `font_face_rules` for `text`, and for all that was asked for before."""
        known = frozenset().union(*self._parts)
        if new := frozenset(text) - known:
            self._parts = [*self._parts, new] if len(self._parts) < self.MOST_PARTS else [known | new]
        return "\n".join(
            font_face_rules(part, language, alone=place > 0) for place, part in enumerate(self._parts)
        )


def has_rules(html: str) -> bool:
    """Tell whether a document has the rules of `font_face_rules` itself, and not only in its figures."""
    return _RULES.search(html) is not None


def held_apart(html: str) -> tuple[str, dict[str, bytes]]:
    """Return the document with a short address in place of each font in its rules, and the fonts by address.

    WeasyPrint looks at every character of a style sheet several times: of a million it is a quarter of a second.
    """
    fonts: dict[str, bytes] = {}

    def short(rule: re.Match[str]) -> str:
        head, _, data = rule[0].partition("data:font/otf;base64,")
        content, _, tail = data.partition(")")
        address = f"data:font/{len(fonts)},"
        fonts[address] = base64.b64decode(content)
        return f"{head}{address}){tail}"

    return _RULES.sub(short, html), fonts


def without_rules(svg: str) -> str:
    """Return a figure without the rules of `font_face_rules` in it."""
    return _RULES.sub("", svg)


def face_of(family: str) -> Face:
    """Return the regular face of the family."""
    return next(face for face in FACES if face.family == family and face.weight == 400 and not face.italic)
