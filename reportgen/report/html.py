"""What is too wide for half of a page: marked, so that a look with two columns can set it across both."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape, unescape
from itertools import pairwise
from pathlib import Path
from unicodedata import east_asian_width
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reportgen.errors import TypesetError
from reportgen.i18n import fonts
from reportgen.i18n.languages import Language
from reportgen.i18n.origins import ORIGIN, as_attribute, marks_in, split, unmarked
from reportgen.report.bilingual import markdown_parser
from reportgen.report.formulas import formula_image, labelled
from reportgen.storage.cache import Cache

_COLUMN_POINTS = 245.0
"""Width of half of a page."""

_COLUMN_CHARACTERS = 50
"""Characters of code or of a table's rows that fit into half of a page."""

_PAGE_CHARACTERS = 92
"""Characters of a table's rows that fit on a page."""

_SMALL_CHARACTERS = 118
"""The same in small type."""

_WRAPS_AT = 26
"""Characters of a cell after which it is broken into lines."""

_COLUMN_EMS = 22.0
"""Width of a formula that fits into half of a page."""


def width(text: str) -> int:
    """Return how many columns the text takes: a Chinese character takes two."""
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)


def mark_wide(tokens: Sequence[Token]) -> None:
    """Give the class `wide` to tables and figures that need more than half of a page.

    Tables that need more than all of it are `wider`, or `widest`. Pictures have to be inside the document already.
    """
    for i, token in enumerate(tokens):
        if token.type == "table_open":
            columns = _table_width(tokens[i:])
            for name, most in (
                ("wide", _COLUMN_CHARACTERS),
                ("wider", _PAGE_CHARACTERS),
                ("widest", _SMALL_CHARACTERS),
            ):
                if columns > most:
                    token.attrJoin("class", name)
    for opening, inline in pairwise(tokens):
        if opening.tag == "figure" and opening.nesting == 1:
            source = str((inline.children or [inline])[0].attrs.get("src", ""))
            if _picture_points(source) > _COLUMN_POINTS:
                opening.attrJoin("class", "wide")


def is_wide_code(text: str) -> bool:
    """Tell whether a line of the code is too long for half of a page."""
    return max(map(width, text.splitlines()), default=0) > _COLUMN_CHARACTERS


def is_wide_formula(image: str) -> bool:
    """Tell whether the picture of a formula, as HTML, is too wide for half of a page."""
    found = re.search(r'style="width:([\d.]+)em', image)
    return found is not None and float(found[1]) > _COLUMN_EMS


def _table_width(tokens: Sequence[Token]) -> int:
    """Return the sum of the widths of a table's columns, each at most what it is broken to."""
    columns: dict[int, int] = {}
    for column, text in _cells(tokens):
        columns[column] = max(columns.get(column, 0), min(width(text) + 2, _WRAPS_AT))
    return sum(columns.values())


def _cells(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Yield column and text of the cells of the table that `tokens` begin with."""
    column = 0
    for token, following in pairwise(tokens):
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            column = 0
        elif token.type in ("th_open", "td_open"):
            yield column, "".join(child.content for child in following.children or [])
            column += 1


def _picture_points(source: str) -> float:
    """Return the width of an SVG in a data: URL; endless for a picture that does not say."""
    if not source.startswith("data:image/svg+xml;base64,"):
        return float("inf")
    head = base64.b64decode(source.partition(",")[2][:4000]).decode("utf-8", "replace")
    found = re.search(r'<svg[^>]*?\bwidth="([\d.]+)(?:pt)?"', head)
    return float(found[1]) if found else float("inf")


_PICTURES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".gif": "image/gif", ".webp": "image/webp",
}  # fmt: skip

_WORDS = {"hardbreak", "text", "text_special", "code_inline", "math_inline"}
"""The parts of a heading that its entry in the table of contents shows."""

# a click on a figure, or Enter, shows it as large as the window; Escape or another click puts it back
_ZOOM = """
for (const image of document.querySelectorAll("figure img")) {
  image.tabIndex = 0;
  const zoom = () => {
    const view = document.createElement("dialog");
    view.append(image.cloneNode());
    view.onclick = () => view.close();
    view.onclose = () => { view.remove(); image.focus(); };
    document.body.append(view);
    view.showModal();
  };
  image.onclick = zoom;
  image.onkeydown = (event) => { if (event.key === "Enter") zoom(); };
}
"""

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    f"script-src 'sha256-{base64.b64encode(hashlib.sha256(_ZOOM.encode()).digest()).decode()}'"
)
"""A browser fetches nothing for the page either, and runs no script in it but the one above."""

_SHORT_CELL, _SHORT_NAME = 10, 14
"""Columns, of which a Chinese character takes two; the second is for the name that a row begins with."""

_LINES_TOGETHER = 30
"""Lines of code, about half a page of them, that are not divided between two pages."""

_LINE_OF_COVER = re.compile(r"(?s)<li>(<strong>.*?</strong>) *(.*?)</li>")

_MARKS = "0123456789•◦▪‐"
"""What a typesetter adds by itself: numbers, the bullets of lists, the hyphen where a line ends."""


def to_html(
    markdown: str,
    language: Language,
    folder: Path,
    styles: Sequence[str],
    *,
    quick: bool = False,
    second: Mapping[int, str] | None = None,
    cache: Cache | None = None,
    growing: fonts.Growing | None = None,
) -> str:
    """Return the document as HTML.

    Args:
        markdown: the report; its first heading is the title, what comes before the next one the cover.
        language: of the document.
        folder: where the report lies; pictures are read from below it and nowhere else.
        styles: style sheets, in the order in which they apply.
        quick: print “quick” across the cover.
        second: line of the Markdown, from 0, to the language of a block that begins there and is in another one.
        kept: formulas that were drawn before, and fonts that were cut.
        growing: the fonts of a document that is shown again and again.

    Raises TypesetError for a picture outside `folder` and for a character that no font has.
    """
    parser = _parser(language, cache)
    tokens = _place_footnotes(parser.parse(markdown))
    _origins_as_attributes(tokens)
    for token in tokens:
        if token.map and token.nesting == 1 and token.map[0] in (second or {}):
            token.attrSet("lang", (second or {})[token.map[0]])
    headings = _number_headings(tokens)
    _inline_pictures(tokens, folder)
    _caption_tables(tokens)
    mark_wide(tokens)
    _mark_cells(tokens)
    words = language.say("quick.mark") if quick else ""
    body = _sections(parser, tokens, _contents(headings, language), words)
    fonts.require(unescape(re.sub(r"<[^>]*>", "", body)))
    title = next((text for level, _, text in headings if level == 1), "")
    written = _characters(without_origins(body), styles) + words
    rules = (
        growing.rules(written, language.code)
        if growing
        else fonts.font_face_rules(written, language.code, cache=cache)
    )
    css = "\n".join([rules, *styles])
    css = css.replace("</", r"<\/")  # the same in CSS, and no end of <style>
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if language.code == "zh" else language.code}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}\n</style>\n</head>\n<body>\n<main>\n{body}</main>\n"
        f"<script>{_ZOOM}</script>\n</body>\n</html>\n"
    )


def _parser(language: Language, cache: Cache | None = None) -> MarkdownIt:
    parser = markdown_parser()

    def formula(*, display: bool) -> Callable[..., str]:
        def render(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
            image = formula_image(labelled(tokens[index].content, tokens[index].info), display, cache)
            wide = " wide" * is_wide_formula(image)
            return f'<div class="equation{wide}">{image}</div>\n' if display else image

        return render

    def code(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
        kind = "log" if tokens[index].info.strip() == "log" else "printout"
        kind += " wide" * (kind == "printout" and is_wide_code(tokens[index].content))
        kind += " long" * (tokens[index].content.count("\n") > _LINES_TOGETHER)
        origin = tokens[index].attrGet(ORIGIN)
        known = f' {ORIGIN}="{escape(str(origin))}"' if origin else ""
        return f'<pre class="{kind}" tabindex="0"{known}><code>{escape(tokens[index].content)}</code></pre>\n'

    def line_break(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
        before = "".join(token.content for token in tokens[:index])[-1:]
        after = "".join(token.content for token in tokens[index + 1 :])[:1]
        return language.between_lines(before, after)

    def text(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
        return _breakable(escape(tokens[index].content))

    for name, rule in _FOOTNOTES.items():
        parser.add_render_rule(name, rule)
    parser.add_render_rule("text", text)
    parser.add_render_rule("fence", code)
    parser.add_render_rule("softbreak", line_break)
    for name in ("math_inline", "math_block", "math_block_label", "math_inline_double"):
        parser.add_render_rule(name, formula(display=name != "math_inline"))
    return parser


def _number_of(token: Token) -> int:
    return int(token.meta["id"]) + 1


def _footnote_ref(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    number = _number_of(tokens[index])
    return f'<sup class="footnote-ref"><a href="#fn{number}">[{number}]</a></sup>'


def _footnotes_open(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    return f'<ol class="footnotes" start="{_number_of(tokens[index + 1])}">\n'


_FOOTNOTES: dict[str, Callable[..., str]] = {
    "footnote_ref": _footnote_ref,
    "footnote_block_open": _footnotes_open,
    "footnote_block_close": lambda *_: "</ol>\n",
    "footnote_anchor": lambda *_: "",
}
"""How footnotes are printed: a number in the text, and the texts of a section at its end."""


def _place_footnotes(tokens: list[Token]) -> list[Token]:
    """Move the texts of footnotes, which the parser leaves at the end, to the end of the section that has them."""
    start = next((i for i, token in enumerate(tokens) if token.type == "footnote_block_open"), None)
    if start is None:
        return tokens
    opening, *notes, closing = tokens[start:]
    begins = [i for i, token in enumerate(notes) if token.type == "footnote_open"]
    texts = {_number_of(notes[a]): notes[a:b] for a, b in pairwise([*begins, len(notes)])}
    found: list[Token] = []
    starts = [i for i, token in enumerate(tokens[:start]) if token.type == "heading_open" and token.tag == "h2"]
    for first, last in pairwise([0, *starts, start]):
        children = (child for token in tokens[first:last] for child in token.children or [])
        named = dict.fromkeys(_number_of(child) for child in children if child.type == "footnote_ref")
        own = [token for number in named for token in texts.pop(number, [])]
        found += [*tokens[first:last], *([opening, *own, closing] if own else [])]
    return found


def _origins_as_attributes(tokens: list[Token]) -> None:
    """Take the marks of numbers out of the texts, and put each number into an element that says the same."""
    for token in tokens:
        if token.children:
            token.children = [part for child in token.children for part in _parted(child)]
            _origins_as_attributes(token.children)
        if (plain := unmarked(token.content)) != token.content:
            if token.type == "fence":
                paths = (path for _, known in marks_in(token.content) for path in known)
                token.attrSet(ORIGIN, as_attribute(paths))
            token.content = plain


def _parted(token: Token) -> list[Token]:
    """Return the words and the numbers of a text as tokens of their own, if it has numbers with marks."""
    if token.type != "text" or unmarked(token.content) == token.content:
        return [token]
    parts = []
    for words, number, paths in split(token.content):
        parts.append(Token("text", "", 0, content=words))
        if paths:
            opening = Token("origin_open", "span", 1, attrs={ORIGIN: as_attribute(paths)})
            parts += [opening, Token("text", "", 0, content=number), Token("origin_close", "span", -1)]
    return [part for part in parts if part.type != "text" or part.content]


def without_origins(html: str) -> str:
    """Return HTML without what says where numbers come from: a PDF is made from that."""
    return re.sub(rf' {ORIGIN}="[^"]*"', "", re.sub(rf'<span {ORIGIN}="[^"]*">([^<]*)</span>', r"\1", html))


def _breakable(html: str) -> str:
    """Let long names, such as those of a sweep, be broken between their parts: in a table they must be.

    A word such as L-BFGS is not broken after its first letter.
    """
    html = re.sub(r"[!-~]{20,}", lambda name: re.sub(r"(?<=[/=,_])(?=[A-Za-z])", "<wbr>", name[0]), html)
    return re.sub(r"(?<![A-Za-z])[A-Z]-[A-Z]+(?![A-Za-z])", r'<span class="whole">\g<0></span>', html)


def _number_headings(tokens: list[Token]) -> list[tuple[int, str, str]]:
    """Give each heading an id; return level, id and plain text of each."""
    found: list[tuple[int, str, str]] = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            name = f"s{len(found)}"
            token.attrSet("id", name)
            words = (
                " " if child.type == "hardbreak" else child.content
                for child in inline.children or []
                if child.type in _WORDS
            )
            text = "".join(words)
            found.append((int(token.tag[1]), name, text))
    return found


def _inline_pictures(tokens: list[Token], folder: Path) -> None:
    """Put each picture inside the document; one that has a paragraph to itself becomes a figure."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        for child in token.children or []:
            if child.type == "image":
                child.attrSet("src", _data_url(str(child.attrs["src"]), folder))
        if before.type == "paragraph_open" and [child.type for child in token.children or []] == ["image"]:
            image = (token.children or [])[0]
            before.tag = after.tag = "figure"
            opening, closing = Token("caption_open", "figcaption", 1), Token("caption_close", "figcaption", -1)
            token.children = [image, opening, *(image.children or []), closing]
            # the tag of a hidden paragraph is left out; this one is not a paragraph any more
            before.hidden = after.hidden = False


def _data_url(source: str, folder: Path) -> str:
    try:
        path = (folder / unquote(source)).resolve()
        path.relative_to(folder.resolve())
        kind, data = _PICTURES[path.suffix.lower()], path.read_bytes()
    except (KeyError, OSError, ValueError):  # of another kind; not there; outside the folder, or no path at all
        raise TypesetError(
            f"got the picture {source!r}, expected an SVG, PNG, JPEG, GIF or WebP file below {folder}"
        ) from None
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _caption_tables(tokens: list[Token]) -> None:
    """Turn a bold paragraph right above a table into the table's caption."""
    i = 0
    while i + 3 < len(tokens):
        opening, inline, _, table = tokens[i : i + 4]
        if opening.type == "paragraph_open" and table.type == "table_open" and _is_bold(inline):
            opening.type, opening.tag = "caption_open", "caption"
            tokens[i + 2].type, tokens[i + 2].tag = "caption_close", "caption"
            tokens[i : i + 4] = [table, *tokens[i : i + 3]]
            i += 3
        i += 1


def _mark_cells(tokens: list[Token]) -> None:
    """Say which cells head a column, and keep each short cell on one line: a long neighbour would squeeze it."""
    for before, opening, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open":
            opening.attrSet("scope", "col")
        pictured = any(child.type == "image" for child in inline.children or [])
        if opening.type in ("td_open", "th_open") and inline.type == "inline" and not pictured:
            limit = _SHORT_NAME if before.type == "tr_open" and opening.tag == "td" else _SHORT_CELL
            if width(inline.content) <= limit:
                opening.attrJoin("class", "short")


def _is_bold(inline: Token) -> bool:
    """Tell whether a paragraph is bold from its beginning to its end."""
    kinds = [child.type for child in inline.children or [] if child.type != "text" or child.content]
    return kinds[:1] == ["strong_open"] and kinds.index("strong_close") == len(kinds) - 1


def _sections(parser: MarkdownIt, tokens: list[Token], contents: str, quick: str) -> str:
    """Render the cover, marked as `quick` says, the contents, and a <section> for each first-level heading."""
    starts = [i for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    bounds = [*starts, len(tokens)]
    mark = f' data-quick="{escape(quick)}"' if quick else ""
    cover = _LINE_OF_COVER.sub(r'<li>\1 <span class="value">\2</span></li>', _render(parser, tokens[: bounds[0]]))
    html = [f'<header class="cover"{mark}>\n{cover}</header>\n{contents}']
    for start, end in pairwise(bounds):
        html.append(f"<section>\n{_render(parser, tokens[start:end])}</section>\n")
    return "".join(html)


def _render(parser: MarkdownIt, tokens: list[Token]) -> str:
    html: str = parser.renderer.render(tokens, parser.options, {})
    html = re.sub(r'<table(?: class="([\w ]+)")?>', _boxed, html)
    return html.replace("</table>", "</table></div>")


def _boxed(table: re.Match[str]) -> str:
    return f'<div class="{" ".join(filter(None, ["table", table[1]]))}" tabindex="0"><table>'


def _contents(headings: list[tuple[int, str, str]], language: Language) -> str:
    items = [
        f'<li class="level{level}"><a href="#{name}">{escape(text)}</a></li>'
        for level, name, text in headings
        if level in (2, 3)
    ]
    title = escape(language.say("contents.title"))
    listed = "\n".join(items)
    return f'<nav class="contents">\n<p class="contents-title">{title}</p>\n<ul>\n{listed}\n</ul>\n</nav>\n'


def _characters(body: str, styles: Sequence[str]) -> str:
    """Return all text that is printed: the document's, its figures', and what style sheets add."""
    figures = [
        base64.b64decode(data).decode("utf-8", "replace")
        for data in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", body)
    ]
    svg = "".join(re.findall(r">([^<]*)<", "".join(re.sub(r"(?s)<style.*?</style>", "", svg) for svg in figures)))
    visible = re.sub(r"base64,[\w+/=]+", "", body)
    added = "".join(re.findall(r'content:[^;}]*?"([^"]*)"', "".join(styles)))
    return unescape(visible + svg) + added + _MARKS
