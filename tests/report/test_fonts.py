"""Fonts are the project's own, cut down to the characters in use."""

import base64
import io
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.errors import MissingPrerequisiteError, TypesetError
from reportgen.i18n import fonts
from reportgen.i18n.fonts import CJK, CJK_MONO, FACES, LATIN, MONO, SYMBOLS, Face
from reportgen.storage.cache import Cache

REGULAR, BOLD = (face for face in FACES if face.family == CJK)
SAMPLE = frozenset("永国一的龍0a，。")


def opened(data: bytes) -> Any:
    """Return the tables of a font file."""
    return TTFont(io.BytesIO(data))


def covered(data: bytes) -> set[str]:
    """Return the characters that a font file has a glyph for."""
    return {chr(code) for code in opened(data).getBestCmap()}


def outline(font: Any, character: str) -> tuple[float, tuple[float, float, float, float]]:
    """Return the area of a character's ink, and the box around it."""
    glyphs = font.getGlyphSet()
    name = font.getBestCmap()[ord(character)]
    area, bounds = AreaPen(glyphs), BoundsPen(glyphs)
    glyphs[name].draw(area)
    glyphs[name].draw(bounds)
    return abs(area.value), bounds.bounds


def carried(rules: str) -> dict[tuple[str, str, str], set[str]]:
    """Return, for each @font-face rule, its family, weight and style, and the characters of its font."""
    found = re.findall(
        r'@font-face\{font-family:"(.*?)";font-weight:(\d+);font-style:(\w+);'
        r"src:url\(data:font/otf;base64,([\w+/=]+)\)\}",
        rules,
    )
    return {(family, weight, style): covered(base64.b64decode(data)) for family, weight, style, data in found}


@pytest.mark.parametrize(
    "text", ["plain ASCII: {}[]~", "汉字，“引号”……——·", "é ß ą − ± × σ ∑ → ├─ ✓ •", "a\nb\tc\r\n\u200b", ""]
)
def test_ordinary_text_is_covered(text: str) -> None:
    """Latin, Chinese, Greek, symbols and the lines of a printout all have a font."""
    fonts.require(text)


@pytest.mark.parametrize(
    ("character", "code"),
    [("🦜", "U+1F99C"), ("\ue000", "U+E000"), ("𒀀", "U+12000"), ("\x07", "U+0007"), ("⍋", "U+234B")],
)
def test_a_character_without_a_font_is_named(character: str, code: str) -> None:
    """A character that the fonts of text lack is named with its number and the words around it."""
    text = f"far away and long ago there was a tree and\nthe {character} in the tree, and much more after that"
    with pytest.raises(TypesetError) as caught:
        fonts.require(text)
    assert str(caught.value) == (
        f"no font has the character {character!r} ({code}), found in "
        f"“was a tree and the {character} in the tree, and m”; write it another way"
    )


def test_the_first_of_several_is_named() -> None:
    """Of several characters without a font the first is told."""
    with pytest.raises(TypesetError, match=r"U\+1F99C.*found in “🦜 𒀀”"):
        fonts.require("🦜 𒀀")


@pytest.mark.parametrize("family", [CJK, CJK_MONO])
def test_the_chinese_is_simplified(family: str) -> None:
    """The packaged file has the forms of five regions; the face that is used is that of the mainland, SC."""
    tables = opened(fonts.cut(fonts.face_of(family), SAMPLE))
    assert {family} == {str(tables["name"].getDebugName(number)) for number in (1, 4)}
    assert family.endswith("SC")


def test_the_simplified_forms_differ_from_others() -> None:
    """直 and 骨 are drawn the mainland way: not as in the first face of the collection, the Japanese."""
    japanese = TTFont(REGULAR.path, fontNumber=0)
    assert japanese["name"].getDebugName(4) == "Noto Sans CJK JP"
    simplified = opened(fonts.cut(REGULAR, frozenset("直骨")))
    for character in "直骨":
        assert outline(simplified, character) != outline(japanese, character)


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.family} {face.weight} {face.italic}")
def test_a_cut_face_has_exactly_the_wanted_characters(face: Face) -> None:
    """A cut face has each wanted character that the whole face has, no other one, and no missing outline."""
    wanted = frozenset("aBé1 ,汉字├─−")
    data = fonts.cut(face, wanted)
    assert covered(data) == {character for character in wanted if ord(character) in fonts.characters(face)}
    tables = opened(data)
    assert all(outline(tables, character)[0] > 0 for character in covered(data) - {" "})
    assert len(data) < 40_000


@settings(max_examples=25, deadline=None)
@given(st.frozensets(st.characters(codec="utf-8").filter(lambda c: not unicodedata.mirrored(c)), max_size=12))
def test_any_cut_has_exactly_the_wanted_characters(wanted: frozenset[str]) -> None:
    """A cut face has those characters that are wanted and in the whole face; a bracket brings its other half."""
    for face in (fonts.face_of(LATIN), REGULAR, fonts.face_of(MONO)):
        data = fonts.cut(face, wanted)
        have = {character for character in wanted if ord(character) in fonts.characters(face)}
        assert (covered(data) if data else set()) == have


def test_nothing_is_cut_from_a_face_without_the_characters() -> None:
    """A face that has none of the characters gives no file."""
    assert fonts.cut(fonts.face_of(LATIN), frozenset("汉字")) == b""
    assert fonts.cut(REGULAR, frozenset()) == b""


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.family} {face.weight} {face.italic}")
def test_the_same_cut_gives_the_same_bytes(face: Face) -> None:
    """Cutting twice gives the same file, in whatever order the characters come."""
    cut_anew = fonts.cut.__wrapped__
    assert cut_anew(face, frozenset("ab中文c")) == cut_anew(face, frozenset("c文中ba"))


def test_the_emboldened_face_takes_the_same_room() -> None:
    """Bold Chinese is as wide and as high as regular Chinese, so that lines do not move."""
    regular, bold = opened(fonts.cut(REGULAR, SAMPLE)), opened(fonts.cut(BOLD, SAMPLE))
    assert bold.getGlyphOrder() == regular.getGlyphOrder()
    assert {name: width for name, (width, _) in bold["hmtx"].metrics.items()} == {
        name: width for name, (width, _) in regular["hmtx"].metrics.items()
    }
    for field in ("ascent", "descent", "lineGap"):
        assert getattr(bold["hhea"], field) == getattr(regular["hhea"], field)


@pytest.mark.parametrize("character", sorted(SAMPLE))
def test_the_emboldened_outlines_are_thicker(character: str) -> None:
    """Every stroke grows: more ink, and a box that is wider on both sides, and higher."""
    regular, bold = opened(fonts.cut(REGULAR, SAMPLE)), opened(fonts.cut(BOLD, SAMPLE))
    thin, (left, low, right, high) = outline(regular, character)
    thick, (new_left, new_low, new_right, new_high) = outline(bold, character)
    assert 1.05 * thin < thick < 2 * thin
    assert new_left < left < right < new_right
    assert 25 < new_right - new_left - (right - left) < 60
    assert 25 < new_high - new_low - (high - low) < 60


def test_the_emboldened_face_says_that_it_is_bold() -> None:
    """The weight class is 700, and the flags say bold instead of regular."""
    regular, bold = opened(fonts.cut(REGULAR, SAMPLE)), opened(fonts.cut(BOLD, SAMPLE))
    assert (regular["OS/2"].usWeightClass, bold["OS/2"].usWeightClass) == (400, 700)
    assert (bold["OS/2"].fsSelection & 0x20, bold["OS/2"].fsSelection & 0x40, bold["head"].macStyle & 1) == (
        0x20,
        0,
        1,
    )


def test_rules_carry_the_fonts_inside() -> None:
    """The style rules name each face once, and hold its font; only faces that the text needs are there."""
    found = carried(fonts.font_face_rules("aé", "en"))
    assert found == {
        (LATIN, "400", "normal"): {"a", "é"},
        (LATIN, "700", "normal"): {"a", "é"},
        (LATIN, "400", "italic"): {"a", "é"},
        (CJK, "400", "normal"): {"a", "é"},
        (CJK, "700", "normal"): {"a", "é"},
        (MONO, "400", "normal"): {"a", "é"},
        (MONO, "700", "normal"): {"a", "é"},
        (CJK_MONO, "400", "normal"): {"a", "é"},
        (SYMBOLS, "400", "normal"): {"a", "é"},
    }
    assert {family for family, _, _ in carried(fonts.font_face_rules("字", "zh"))} == {CJK, CJK_MONO}


def test_new_characters_are_cut_alone() -> None:
    """What is shown again and again keeps its rules, with new ones for new characters; too many become one."""
    growing = fonts.Growing()
    first = growing.rules("数据a", "zh")
    assert first == fonts.font_face_rules("数据a", "zh")
    assert growing.rules("据数", "zh") == first
    added = growing.rules("数据写", "zh").removeprefix(first)
    assert set(re.findall("unicode-range:([^}]*)}", added)) == {"U+5199"}
    held = (opened(base64.b64decode(font)) for font in re.findall("base64,([^)]*)[);]", added))
    assert all(set(font.getBestCmap()) == {ord("写")} for font in held)
    for place in range(fonts.Growing.MOST_PARTS):
        rules = growing.rules(chr(ord("一") + place), "zh")
    assert set(re.findall("unicode-range:([^}]*)}", rules)) == {f"U+{ord('一') + place:X}"}


def test_only_the_families_asked_for_are_carried() -> None:
    """A figure that has no code carries no font for it."""
    assert {family for family, _, _ in carried(fonts.font_face_rules("a", "en", (LATIN, CJK)))} == {LATIN, CJK}


@pytest.mark.parametrize(("language", "latin"), [("zh", set("a")), ("en", set("a“”‘’—…·"))])
def test_shared_punctuation_is_chinese_in_chinese(language: str, latin: set[str]) -> None:
    """Quotation marks and dashes are a square wide in Chinese text, and so come from the Chinese font."""
    found = carried(fonts.font_face_rules("a“”‘’—…·", language))
    assert found[LATIN, "400", "normal"] == latin
    assert found[CJK, "400", "normal"] == set("a“”‘’—…·")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_hyphens_and_bullets_are_narrow(language: str) -> None:
    """The hyphen at a line's end and the bullets of lists are not the Chinese font's, which are a square wide."""
    found = carried(fonts.font_face_rules("字‐•◦▪", language, fonts.TEXT_STACK))
    assert found[CJK, "400", "normal"] == found[CJK, "700", "normal"] == {"字"}
    assert found[LATIN, "400", "normal"] == {"•"}
    assert found[SYMBOLS, "400", "normal"] == {"‐", "•", "◦", "▪"}


def test_the_regular_face_of_each_family_is_found() -> None:
    """Asked for a family, one gets its upright face of normal weight."""
    for family in (LATIN, CJK, MONO, CJK_MONO, SYMBOLS):
        face = fonts.face_of(family)
        assert (face.family, face.weight, face.italic, face.emboldened) == (family, 400, False, False)


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.family} {face.weight} {face.italic}")
def test_every_face_is_what_it_is_called(face: Face) -> None:
    """The file of each face is there, and is of the family that the style sheets call it by."""
    family = str(opened(fonts.cut(face, frozenset("a")))["name"].getDebugName(1))
    assert family.removesuffix(" Semibold") == face.family


def test_a_missing_package_is_named() -> None:
    """A font whose package is not installed is told with the command that installs it."""
    with pytest.raises(MissingPrerequisiteError) as caught:
        _ = Face("Nice Sans", "no_such_font_package", "nice.otf").path
    assert str(caught.value) == "the font Nice Sans is missing: pip install no-such-font-package"


def test_a_chinese_font_is_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font that is kept is the same font, for the same characters alone; a damaged one is cut anew."""
    cache = Cache(tmp_path)
    first = fonts.font_face_rules("汉字 abc", "zh", cache=cache)
    assert first == fonts.font_face_rules("汉字 abc", "zh")
    real = fonts.cut
    anew: list[str] = []

    def noted(face: fonts.Face, text: frozenset[str]) -> bytes:
        anew.extend([face.family] * (face.package == REGULAR.package))
        return real(face, text)

    monkeypatch.setattr(fonts, "cut", noted)
    assert (fonts.font_face_rules("汉字 abc", "zh", cache=cache), anew) == (first, [])
    assert "\u6c49" in carried(fonts.font_face_rules("汉", "zh", cache=cache))[CJK, "400", "normal"]
    assert anew == [CJK, CJK, CJK_MONO]
    anew.clear()
    for file in cache.files():
        file.write_bytes(file.read_bytes()[:-1])
    assert (fonts.font_face_rules("汉字 abc", "zh", cache=cache), anew) == (first, [CJK, CJK, CJK_MONO])


def test_a_document_with_its_fonts_held_apart_is_short() -> None:
    """Each font of the rules has an address of its own, which leads to its bytes; nothing else is changed."""
    html = f"<style>{fonts.font_face_rules('a字', 'zh')}</style><p>src:url(data:font/otf;base64,AAAA)</p>"
    short, held = fonts.held_apart(html)
    given = re.findall(r"src:url\(data:font/otf;base64,([\w+/=]+)\)\}", html)
    assert [base64.b64encode(font).decode() for font in held.values()] == given
    assert len(short) < 2000
    for address, font in held.items():
        short = short.replace(address, f"data:font/otf;base64,{base64.b64encode(font).decode()}")
    assert short == html
