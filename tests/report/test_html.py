"""Markdown becomes one HTML file that opens by itself."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from reportgen.errors import TypesetError
from reportgen.i18n.languages import Language, load_languages
from reportgen.report.html import to_html
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
STYLE = (TEMPLATES / "styles" / "report.css").read_text("utf-8")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="9">Ж</text></svg>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Elements(HTMLParser):
    """Every element with its attributes, and the text of those that were asked for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each element of that name."""
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a report, with an SVG and a PNG picture in it, and one outside."""
    report = tmp_path / "report"
    (report / "figures").mkdir(parents=True)
    (report / "figures" / "curves.svg").write_text(SVG, "utf-8")
    (report / "dot.PNG").write_bytes(PNG)
    (tmp_path / "outside.svg").write_text(SVG, "utf-8")
    return report


def body(markdown: str, language: Language = EN, folder: Path = Path()) -> str:
    """Return what the document prints, without its table of contents; data is cut to its first letters."""
    html = to_html(markdown, language, folder, [STYLE])
    inner = html.split("<main>\n")[1].split("</main>")[0]
    inner = re.sub(r'(?s)<header class="cover">\n(.*?)</header>\n<nav.*?</nav>\n', r"\1", inner)
    return re.sub(r"(base64,[\w+/]{4})[\w+/=]+", r"\1…", inner)


def carried(html: str) -> set[str]:
    """Return every character that a font inside the document has."""
    fonts = re.findall(r"data:font/otf;base64,([\w+/=]+)", html.split("</style>")[0])
    tables = (TTFont(io.BytesIO(base64.b64decode(data))) for data in fonts)
    return {chr(code) for table in tables for code in table.getBestCmap()}


def test_headings_have_ids_and_the_contents_lead_to_them() -> None:
    """The table of contents lists the headings of two levels, in order, each linked to its own heading."""
    html = to_html(
        "# Title\n\n## 1. Aim\n\n### 1.1 *What* `f(x)` $y$\n\n#### d\n\n## 2. C\\# & Data\n", EN, Path(), []
    )
    links = re.findall(r'<li class="(level\d)"><a href="#(\w+)">(.*?)</a></li>', html)
    assert links == [
        ("level2", "s1", "1. Aim"),
        ("level3", "s2", "1.1 What f(x) y"),
        ("level2", "s4", "2. C# &amp; Data"),
    ]
    ids = {tag: [a["id"] for a in Elements(html).named(tag)] for tag in ("h1", "h2", "h3", "h4")}
    assert ids == {"h1": ["s0"], "h2": ["s1", "s4"], "h3": ["s2"], "h4": ["s3"]}


def test_the_contents_have_a_heading_of_the_language() -> None:
    """The table of contents is called what the language calls it."""
    for language, title in ((ZH, "目录"), (EN, "Contents")):
        assert f'<p class="contents-title">{title}</p>' in to_html("# T\n\n## A", language, Path(), [])


def test_each_section_is_one() -> None:
    """What comes before the first section is the cover; every section has an element of its own."""
    html = to_html("# T\n\n- me\n\n## A\n\na\n\n### B\n\n## C\n\nc", EN, Path(), [])
    assert re.findall(r"(?s)<header class=\"cover\">\n(.*?)</header>", html) == [
        '<h1 id="s0">T</h1>\n<ul>\n<li>me</li>\n</ul>\n'
    ]
    assert re.findall(r"(?s)<section>\n(.*?)</section>", html) == [
        '<h2 id="s1">A</h2>\n<p>a</p>\n<h3 id="s2">B</h3>\n',
        '<h2 id="s3">C</h2>\n<p>c</p>\n',
    ]


@pytest.mark.parametrize(("language", "code"), [(ZH, "zh-CN"), (EN, "en")], ids=["zh", "en"])
def test_the_document_says_its_language_and_title(language: Language, code: str) -> None:
    """The language and the title are where browsers and screen readers look for them."""
    html = to_html("# A < B & C", language, Path(), [])
    assert html.startswith(f'<!DOCTYPE html>\n<html lang="{code}">\n<head>\n<meta charset="utf-8">\n')
    assert "<title>A &lt; B &amp; C</title>" in html


TABLE = "| a |\n|:--|\n| b |\n"


def test_a_bold_paragraph_above_a_table_is_its_caption() -> None:
    """A paragraph that is all bold and stands right above a table becomes the caption inside it."""
    assert body(f"**Table 1: the `x` results**\n\n{TABLE}").startswith(
        '<div class="table" tabindex="0"><table>\n'
        "<caption><strong>Table 1: the <code>x</code> results</strong></caption>\n<thead>"
    )


@pytest.mark.parametrize(
    "paragraph", ["**Note** that this is a sentence", "**a** and **b**", "plain", "*slanted*", "**a** `b`"]
)
def test_any_other_paragraph_above_a_table_stays_one(paragraph: str) -> None:
    """A paragraph that only begins in bold, or holds no bold at all, is no caption."""
    html = body(f"{paragraph}\n\n{TABLE}")
    assert html.startswith("<p>")
    assert "caption" not in html


def test_a_bold_paragraph_that_is_not_right_above_stays_one() -> None:
    """A bold paragraph with another paragraph between it and the table is no caption."""
    assert "caption" not in body(f"**bold**\n\nbetween\n\n{TABLE}\n**after**")


def test_each_table_gets_its_own_caption() -> None:
    """Of two tables in a row each has the caption that stood above it."""
    html = body(f"**one**\n\n{TABLE}\n**two**\n\n{TABLE}")
    assert re.findall(r"<table>\n<caption><strong>(\w+)</strong></caption>", html) == ["one", "two"]


def test_a_picture_alone_in_a_paragraph_is_a_figure(folder: Path) -> None:
    """A picture that has a paragraph to itself becomes a figure; its text is both caption and description."""
    data = base64.b64encode(SVG.encode()).decode()[:4]
    assert body("![Figure 1: *loss* \\[%\\] of a\\|b & c](figures/curves.svg)", folder=folder) == (
        f'<figure><img src="data:image/svg+xml;base64,{data}…" alt="Figure 1: loss [%] of a|b &amp; c" />'
        "<figcaption>Figure 1: <em>loss</em> [%] of a|b &amp; c</figcaption></figure>\n"
    )


def test_a_picture_within_text_or_a_table_is_no_figure(folder: Path) -> None:
    """A picture among words, or in a cell, stays where it is."""
    html = body("a ![b](dot.PNG) c\n\n| h |\n|---|\n| ![d](dot.PNG) |\n", folder=folder)
    assert '<p>a <img src="data:image/png;base64,iVBO…" alt="b" /> c</p>' in html
    assert '<td><img src="data:image/png;base64,iVBO…" alt="d" /></td>' in html
    assert "figure" not in html


@pytest.mark.parametrize("name", ["图.svg", "my curves.svg", "a%41.svg", "a_b-(1).svg"])
def test_a_picture_may_have_any_name(folder: Path, name: str) -> None:
    """A file name with Chinese characters, spaces or brackets is found."""
    (folder / name).write_text(SVG, "utf-8")
    assert body(f"![x](<{name.replace('%', '%25')}>)", folder=folder).startswith(
        '<figure><img src="data:image/svg'
    )


@pytest.mark.parametrize(
    "source",
    [
        "../outside.svg",
        "figures/../../outside.svg",
        "%2e%2e/outside.svg",
        "missing.svg",
        "figures",
        "report.md",
        "http://127.0.0.1:9/a.png",
        "https://example.org/a.svg",
        "//example.org/a.svg",
        "/etc/passwd",
        "/etc/logo.svg",
        "data:image/png;base64,iVBORw0KGgo=",
        "a%00.svg",
        "a" * 300 + ".svg",
        "",
    ],
)
def test_a_picture_from_elsewhere_is_refused(folder: Path, source: str) -> None:
    """Only a picture that lies below the report is read; anything else is named."""
    (folder / "report.md").write_text("no picture", "utf-8")
    with pytest.raises(TypesetError) as caught:
        to_html(f"# T\n\n![x]({source})", EN, folder, [])
    assert f"expected an SVG, PNG, JPEG, GIF or WebP file below {folder}" in str(caught.value)
    assert source in str(caught.value)


def test_an_absolute_path_to_a_picture_outside_is_refused(folder: Path) -> None:
    """A path from the root of the file system leads to no picture, even to one that is there."""
    with pytest.raises(TypesetError, match="got the picture"):
        to_html(f"![x]({folder.parent / 'outside.svg'})", EN, folder, [])


def test_a_link_that_leaves_the_folder_is_refused(folder: Path) -> None:
    """A symbolic link to a picture outside is refused; one to a picture inside is followed."""
    (folder / "out.svg").symlink_to(folder.parent / "outside.svg")
    (folder / "up").symlink_to(folder.parent)
    (folder / "in.svg").symlink_to(folder / "figures" / "curves.svg")
    for source in ("out.svg", "up/outside.svg"):
        with pytest.raises(TypesetError, match="got the picture"):
            to_html(f"![x]({source})", EN, folder, [])
    assert "<figure>" in body("![x](in.svg)", folder=folder)


@pytest.mark.parametrize(
    "raw",
    [
        "<script>alert(1)</script>",
        "text with <img src=x onerror=alert(1)> inside",
        "<!-- a comment -->",
        "<style>p {}</style>",
        "</main></body>",
    ],
)
def test_raw_html_is_shown_as_text(raw: str) -> None:
    """HTML in the Markdown of a suite is shown as it was written, and is no HTML."""
    html = body(raw).replace("<wbr>", "")
    assert html == f"<p>{raw.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</p>\n"


def test_a_script_is_no_address() -> None:
    """A link to a script, or to a file of the machine, stays text."""
    for text in ("[a](javascript:alert(1))", "[a](file:///etc/passwd)", "![a](file:///etc/logo.svg)"):
        assert body(text).replace("<wbr>", "") == f"<p>{text}</p>\n"


def test_the_document_is_one_file(folder: Path) -> None:
    """No element refers to anything but data inside the document, or to a place in it."""
    markdown = "# 标题\n\n## A\n\n![f](figures/curves.svg)\n\n![p](dot.PNG) and $x^2$\n\n$$\ny = 中\n$$\n".replace(
        "中", "z"
    )
    html = to_html(markdown, ZH, folder, [STYLE])
    addresses = [
        value or ""
        for _, attributes in Elements(html).found
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "poster", "action", "xlink:href", "background")
    ]
    assert len(addresses) == 5
    assert [address[:10] for address in addresses if not address.startswith(("data:", "#"))] == []
    style = html.split("<style>")[1].split("</style>")[0]
    assert [url[:10] for url in re.findall(r"url\(\s*['\"]?([^)]*)", style) if not url.startswith("data:")] == []
    assert "@import" not in style
    assert {tag for tag, _ in Elements(html).found} & {"link", "iframe", "object", "base"} == set()
    assert Elements(html).named("script") == [{}]  # the document's own, which shows figures large


def test_the_same_markdown_gives_the_same_document(folder: Path) -> None:
    """A document depends on nothing but what it is made from."""
    arguments = ("# 标题\n\n$x$ ![f](figures/curves.svg)", ZH, folder, [STYLE])
    assert to_html(*arguments) == to_html(*arguments)


def test_math_is_a_picture_that_says_its_latex() -> None:
    """A formula is an SVG picture on the line, or in a block of its own, with the LaTeX as its description."""
    html = body(r"Of $a < \frac{1}{2}$ here." + "\n\n$$\nh_t = \\tanh\\left(x\\right)\n$$\n")
    images = Elements(html).named("img")
    assert [image["alt"] for image in images] == [r"a < \frac{1}{2}", r"h_t = \tanh\left(x\right)"]
    assert [str(image["src"])[:26] for image in images] == ["data:image/svg+xml;base64,"] * 2
    assert "vertical-align:-" in str(images[0]["style"])
    assert html.startswith('<p>Of <img class="math"')
    assert '<div class="equation"><img class="math"' in html


@pytest.mark.parametrize(
    "text",
    ["$5 and $6", "a $5 note", "from $5 to $10, or $7", "\\$x\\$", "US$5 and A$6", "$ x $"],
)
def test_money_is_no_math(text: str) -> None:
    """A dollar sign before a number and a space is a dollar."""
    assert body(text) == f"<p>{text.replace(chr(92), '')}</p>\n"


def test_a_formula_that_cannot_be_read_is_named() -> None:
    """Bad LaTeX is told with the formula."""
    with pytest.raises(TypesetError) as caught:
        to_html(r"$\frac{1$", EN, Path(), [])
    assert str(caught.value).startswith(r"the formula $\frac{1$ cannot be read")


def test_a_character_that_formulas_lack_is_named() -> None:
    """What neither the font of formulas nor the Chinese one has is refused, with the formula."""
    with pytest.raises(TypesetError) as caught:
        to_html("$\\text{准\U00012000} = \\alpha ± β$", ZH, Path(), [])
    assert str(caught.value) == (
        "the font of formulas has no character '\U00012000', found in $\\text{准\U00012000} = \\alpha ± β$; "
        "write it outside the formula"
    )


@pytest.mark.parametrize(
    ("markdown", "chinese", "english"),
    [
        ("中文\n中文", "中文中文", "中文\n中文"),
        ("句子。\n下一句", "句子。下一句", "句子。\n下一句"),
        ("two\nlines", "two\nlines", "two\nlines"),
        ("模型\nLSTM", "模型\nLSTM", "模型\nLSTM"),
        ("LSTM\n模型", "LSTM\n模型", "LSTM\n模型"),
        ("**粗体**\n下一行", "<strong>粗体</strong>下一行", "<strong>粗体</strong>\n下一行"),
        ("上一行\n*斜体*", "上一行<em>斜体</em>", "上一行\n<em>斜体</em>"),
        ("用 `x`\n运行", "用 <code>x</code>\n运行", "用 <code>x</code>\n运行"),
    ],
)
def test_lines_join_the_way_of_the_language(markdown: str, chinese: str, english: str) -> None:
    """Lines of a Chinese paragraph join without a space, except beside Latin letters; others join with one."""
    assert body(markdown, ZH) == f"<p>{chinese}</p>\n"
    assert body(markdown, EN) == f"<p>{english}</p>\n"


def test_a_long_name_may_be_broken_between_its_parts() -> None:
    """A name too long for a table may be broken where a part of it begins; a number, or a short name, may not."""
    assert body("lstm/hidden_size=256,learning_rate=0.001") == (
        "<p>lstm/<wbr>hidden_<wbr>size=256,<wbr>learning_<wbr>rate=0.001</p>\n"
    )
    for text in (
        "lstm/hidden_size=64",
        "数据集包含 17,036 个姓氏，其中 11,925 个用于训练",
        "1,000,000,000,000,000,000",
    ):
        assert body(text) == f"<p>{text}</p>\n"


def test_a_word_with_a_letter_before_a_hyphen_is_kept_whole() -> None:
    """L-BFGS does not end a line after its L, in Chinese text either; other words may be broken."""
    assert '用<span class="whole">L-BFGS</span>的' in body("用L-BFGS的")
    assert "whole" not in body("one-hot, closed-loop, i2h-BFGS, AB-CD")
    assert '(<span class="whole">L-BFGS</span>)/<wbr>seed=0' in body("a-very-long-name(L-BFGS)/seed=0")


def test_code_is_shown_to_the_letter() -> None:
    """A code block keeps every space and mark; a log is marked as one."""
    assert body("```text\n a  <b>|$x$\n\n\\*\n```") == (
        '<pre class="printout" tabindex="0"><code> a  &lt;b&gt;|$x$\n\n\\*\n</code></pre>\n'
    )
    assert body("```log\nepoch\n```") == '<pre class="log" tabindex="0"><code>epoch\n</code></pre>\n'


@pytest.mark.parametrize(("language", "mark"), [(ZH, "快速试跑"), (EN, "QUICK")], ids=["zh", "en"])
def test_a_quick_build_is_marked(language: Language, mark: str) -> None:
    """A quick build has its mark on the cover, in a font that the document carries; another build has none."""
    quick = to_html("# t", language, Path(), [STYLE], quick=True)
    assert Elements(quick).named("header") == [{"class": "cover", "data-quick": mark}]
    assert set(mark) <= carried(quick)
    assert Elements(to_html("# t", language, Path(), [STYLE])).named("header") == [{"class": "cover"}]


def test_the_fonts_have_every_character_that_is_printed(folder: Path) -> None:
    """The document's fonts hold its text, that of its figures, and what style sheets and the typesetter add."""
    markdown = "# 标题 é\n\n- a\n\n`ж` &copy; &#x2713;\n\n![Ω](figures/curves.svg)\n"
    html = to_html(markdown, ZH, folder, ['p::after { content: "※" }'])
    assert set("标题éaж©✓ΩЖ※目录0123456789•‐") <= carried(html)
    assert set("中本国漢") & carried(html) == set()


@pytest.mark.parametrize("written", ["🦜", "&#x1F99C;"])
def test_a_character_that_no_font_has_is_named(written: str) -> None:
    """A character without a glyph is refused, however it was written, with the words around it."""
    with pytest.raises(TypesetError) as caught:
        to_html(f"# T\n\nA parrot {written} sings", EN, Path(), [])
    assert "no font has the character '🦜' (U+1F99C), found in “" in str(caught.value)
    assert "A parrot 🦜 sings" in str(caught.value)


def test_styles_apply_in_their_order() -> None:
    """The style sheets follow the fonts, in the order given."""
    html = to_html("# t", EN, Path(), ["p { color: red }", "p { color: blue }"])
    assert re.sub(r"@font-face\{.*?\)\}\n", "", html.split("<style>\n")[1].split("\n</style>")[0]) == (
        "p { color: red }\np { color: blue }"
    )


def test_a_short_cell_stays_on_one_line() -> None:
    """Cells of up to ten columns, five Chinese characters, are never broken; longer ones may be."""
    found = body("| 真实类别 | b |\n|---|---|\n| 一二三四五 | 一二三四五六 |\n| 12.34% | eleven char |\n")
    assert re.findall(r'<t[hd][^>]* class="short">(.*?)<', found) == ["真实类别", "b", "一二三四五", "12.34%"]
