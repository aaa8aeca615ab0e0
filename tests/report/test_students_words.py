"""Words of the student's own: formulas, footnotes, emphasis, captions and the cover, in Chinese."""

import base64
import re
import shutil
from pathlib import Path

import pytest
from conftest import TINY, build
from own_words import problems
from tiny_suites import TINY_IN

from reportgen import pipeline
from reportgen.errors import SuiteError, TypesetError
from reportgen.i18n import fonts
from reportgen.i18n.languages import load_languages
from reportgen.planning import load
from reportgen.report.bilingual import bilingual, blocks, markdown_parser
from reportgen.report.custom_sections import numbered
from reportgen.report.formulas import faults, formula_image
from reportgen.report.html import to_html
from reportgen.report.numbering import Numbering
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


def size(image: str) -> tuple[float, float]:
    """Return width and height of a formula, in em."""
    found = re.search(r"width:([\d.]+)em;height:([\d.]+)em", image)
    assert found
    return float(found[1]), float(found[2])


def test_chinese_in_a_formula_is_drawn_from_the_chinese_font() -> None:
    """Each character has its outline and its width of one em; what the font of formulas has is its own."""
    one, three = (size(formula_image(rf"\text{{{text}}}", True))[0] for text in ("准", "准确率"))
    assert three - one == pytest.approx(2, abs=0.02)
    svg = base64.b64decode(formula_image(r"\text{准}", True).partition("base64,")[2].partition('"')[0]).decode()
    (path,) = re.findall(r'<path[^>]* d="([^"]*)"', svg)
    curves = sum(name in ("curveTo", "qCurveTo") for name, _ in fonts.outline("准").path)
    assert len(re.findall("[CQ]", path)) == curves > 0
    assert size(formula_image(r"h_{\text{最大}}", True))[0] < size(formula_image(r"h\text{最大}", True))[0]


@pytest.mark.parametrize(
    ("latex", "number"),
    [
        (r"c_t = f_t \tag{2}", "(2)"),
        (r"c_t = f_t \tag*{式甲}", "式甲"),
        (r"\begin{aligned}a &= b \tag{2.1}\\ c &= d\end{aligned}", "(2.1)"),
    ],
)
def test_a_formula_has_its_number_beside_it(latex: str, number: str) -> None:
    """A tag leaves the formula as large as without it; the number is text, at the end of the line."""
    image = formula_image(latex, True)
    bare = formula_image(re.sub(r"\\tag\*?\{.*?\}", "", latex), True)
    assert size(image) == size(bare)
    assert image.endswith(f'<span class="tag">{number}</span>')


def test_a_number_behind_a_formula_is_its_number(tmp_path: Path) -> None:
    """`$$x$$ (4)` is printed as a formula with the number 4."""
    html = to_html("# T\n\n$$x = y$$ (4)\n", ZH, tmp_path, [])
    assert re.search(r'<div class="equation"><img[^>]*><span class="tag">\(4\)</span></div>', html)


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        (r"$x \tag{1}$", 1, r"a \tag inside a line"),
        (r"$$a \tag{1}\\ b \tag{2}$$", 1, r"2 times \tag in one formula"),
        ("a\n\n$$\n\\label{eq:a} x\n$$\n", 3, r"\label, which is not known: formulas are numbered with \tag{1}"),
        (r"$\require{x}$", 1, r"\require, which is not known"),
        (r"$\frac{a}$", 1, "cannot be read: AssertionError"),
        (r"$\begin{cases}a\\b$", 1, "cannot be read: MissingEndError"),
        ("$x$ and\n$\\foo$", 2, r"\foo, which is not known"),
        ("$\\text{\U00012000}$", 1, "the font of formulas has no character"),
        ("text\nin \\(a+b\\) line", 2, r"\(a+b\), which is no formula to Markdown"),
        (r"\[c+d\]", 1, r"\[c+d\], which is no formula to Markdown"),
        (r"\begin{align}x\end{align}", 1, r"\begin{align}, which is no formula to Markdown"),
    ],
)
def test_a_formula_that_cannot_be_typeset_is_told_with_its_line(text: str, line: int, got: str) -> None:
    """What would be printed otherwise than meant is a fault."""
    ((found_line, found, _),) = faults(text)
    assert (found_line, got in found) == (line, True), found


@pytest.mark.parametrize(
    "text",
    [
        r"`\(a\)` and $5 or $6, \[1, 2\], \[3–5\]", "```\n\\begin{align}\n$\\foo$\n```\n", r"$\text{准确率，}x$",
        r"$$\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}$$", r"$\boldsymbol{W} \in \mathbb{R}^{m\times n}$",
        r"$\hat{y}_i, \underbrace{x}_{a}, \operatorname{softmax}$",
    ],
)  # fmt: skip
def test_what_is_right_or_no_formula_is_no_fault(text: str) -> None:
    """Code, sums of money and citations are left alone."""
    assert list(faults(text)) == []


def test_check_tells_formulas_of_the_suite_and_of_own_sections(tmp_path: Path) -> None:
    """File and line, for all of them at once, before anything is trained."""
    (tmp_path / "mine.md").write_text("# 我\n\n$\\foo$\n", "utf-8")
    suite = tmp_path / "suite.yaml"
    suite.write_text(f"{TINY_IN}languages: [zh]\naim: $\\bar$\nsections: [aim, mine.md]\n", "utf-8")
    with pytest.raises(SuiteError) as told:
        load.check_formulas(load.load(suite))
    lines = str(told.value).replace(f"{tmp_path}/", "").splitlines()
    assert lines[0].startswith("mine.md:3: got the formula $\\foo$ has \\foo, which is not known")
    assert len(lines) == 1 or "aim: got the formula" in lines[1]


def test_a_picture_in_the_aim_is_told(tmp_path: Path) -> None:
    """Pictures come along with files of one's own alone."""
    (tmp_path / "suite.yaml").write_text(f"{TINY_IN}languages: [zh]\naim: '![a](a.png)'\n", "utf-8")
    with pytest.raises(SuiteError, match=r"aim: got the picture 'a.png', expected pictures in a file of your own"):
        pipeline.load(tmp_path / "suite.yaml")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**加粗：**中文", "<strong>加粗：</strong>中文"),
        ("这是**重点。**后面", "这是<strong>重点。</strong>后面"),
        ("*“强调”*的", "<em>“强调”</em>的"),
        ("~~删除。~~后", "<s>删除。</s>后"),
        ("中文**(注)**中文", "中文<strong>(注)</strong>中文"),
        ("a **b** *c*", "a <strong>b</strong> <em>c</em>"),
        ("foo**(bar)**baz", "foo**(bar)**baz"),
        ("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
        ("**a.**b", "**a.**b"),
    ],
)
def test_emphasis_ends_at_chinese_punctuation(text: str, html: str) -> None:
    """Beside Chinese the CJK-friendly rule holds, elsewhere CommonMark's."""
    assert markdown_parser().renderInline(text) == html


FOOTNOTES = "# 我\n\n没有遗忘门[^1]，`[^1]`。\n\n[^1]: Gers 等人。\n\n```\n[^1]\n```\n\n再[^a]。\n\n[^a]: 提出。\n"


def test_footnotes_stand_at_the_end_of_their_section(tmp_path: Path) -> None:
    """They are numbered through the document, and each leads to its text."""
    others = FOOTNOTES.replace("Gers", "Cho")
    numbering = Numbering(ZH)
    text = f"# T\n\n{numbered(FOOTNOTES, numbering)}\n\n{numbered(others, numbering)}\n"
    html = to_html(text, ZH, tmp_path, [])
    first, second = re.findall(r"(?s)<section>.*?</section>", html)
    assert re.findall(r'href="#(fn\d)">(\[\d\])', first + second) == [(f"fn{n}", f"[{n}]") for n in (1, 2, 3, 4)]
    assert re.search(
        r'(?s)<ol class="footnotes" start="1">.*id="fn1".*Gers.*id="fn2".*提出。.*</ol>\s*</section>', first
    )
    assert re.search(r'(?s)<ol class="footnotes" start="3">.*id="fn3".*Cho', second)
    assert html.count("[^1]") == 4  # code says what it said


def test_a_footnote_of_both_languages_is_there_once() -> None:
    """One file for two languages gives one text; two files keep their own."""
    texts = [f"# T\n\n{numbered(FOOTNOTES, Numbering(language))}\n" for language in (ZH, EN)]
    both = bilingual(texts[0], texts[1], (ZH, EN)).text
    assert both.count("Gers 等人。") == 1
    other = f"# T\n\n{numbered(FOOTNOTES.replace('Gers 等人。', 'By Gers.'), Numbering(EN))}\n"
    both = bilingual(texts[0], other, (ZH, EN)).text
    assert (both.count("Gers 等人。"), both.count("By Gers.")) == (1, 1)
    marks = re.findall(r"门\[(\^[^\]]+)\]", both)
    assert len(set(marks)) == 2
    assert all(f"[{mark}]: " in both for mark in marks)


def test_the_text_of_a_footnote_is_a_block() -> None:
    """A text without spaces is no definition of a link, which would vanish."""
    assert [block.source for block in blocks("a[^1]\n\n[^1]: 提出。\n\nb")] == ["a[^1]", "[^1]: 提出。", "b"]


def test_a_footnote_without_a_text_or_without_a_mark_is_told(tmp_path: Path) -> None:
    """Neither is printed as it stands, or left out, without a word."""
    (tmp_path / "mine.md").write_text("# A\n\na[^1] b `[^3]`\n\n[^2]: c\n", "utf-8")
    lines = problems(tmp_path, "[mine.md]")
    assert [line.partition(", expected")[0] for line in lines] == [
        "mine.md:3: got the footnote mark [^1] without a text",
        "mine.md:5: got the text of a footnote, [^2]:, that no mark leads to",
    ]


def test_own_pictures_and_tables_are_numbered_with_the_reports() -> None:
    """Those with a paragraph, and tables with a caption, to themselves; a picture within a line is none."""
    words = (
        "# 我\n\n![我的图](a.png)\n\n文字 ![小](b.png) 文字\n\n**我的表**\n\n| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n\n"
        "![][c]\n\n**粗体**\n\n文字\n\n[c]: c.png\n"
    )
    numbering = Numbering(ZH)
    assert numbering.ref("figure", "earlier") == "图 1"
    text = numbered(words, numbering)
    assert "![图 2　我的图](pictures/a.png)" in text
    assert "文字 ![小](pictures/b.png) 文字" in text
    assert "**表 1　我的表**" in text
    assert "![图 3](pictures/c.png)" in text
    assert "\n**粗体**\n" in text
    assert numbering.ref("figure", "later") == "图 4"


@pytest.mark.slow
def test_numbers_on_the_cover_are_no_dates(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """Only the date is written the way of the language, and only in its strict form."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    cover = "student_number: '2021011234'\n  student_class: '20211030'\n  course: '2026-11-20'"
    suite = TINY.read_text("utf-8").replace('student_number: "0000"', cover)
    (tmp_path / "tiny.yaml").write_text(suite, "utf-8")
    done = build(tmp_path / "tiny.yaml", tmp_path / "build", formats=("md",))
    text = (done.folder / "report.zh.md").read_text("utf-8").partition("\n## ")[0]
    assert re.findall(r"\*\*(学号|班级|课程|日期)\*\* (.*)", text) == [
        ("学号", "2021011234"), ("班级", "20211030"), ("课程", "2026-11-20"), ("日期", "2026年11月21日"),
    ]  # fmt: skip


def test_a_listing_has_spaces_between_chinese_and_latin() -> None:
    """In a template of one's own, too, where no sentence of the catalogue is around it."""
    assert ZH.listing(["MyLSTM", "torch.nn.LSTM"]) == "MyLSTM 和 torch.nn.LSTM"
    assert ZH.listing(["甲", "乙", "RNN"]) == "甲、乙和 RNN"
    assert EN.listing(["a", "b"]) == "a and b"


@pytest.mark.parametrize(("lines", "kind"), [(10, "printout"), (60, "printout long")])
def test_a_long_listing_may_go_on_over_the_page(tmp_path: Path, lines: int, kind: str) -> None:
    """One of more than half a page is divided, so that no page stays three quarters empty."""
    html = to_html("# T\n\n```text\n" + "x = 1\n" * lines + "```\n", ZH, tmp_path, [])
    assert f'<pre class="{kind}"' in html


def test_a_style_sheet_where_none_is_looked_for_is_told(tmp_path: Path) -> None:
    """One beside the suite has no effect, which the note says."""
    (tmp_path / "own.css").write_text("p { color: red }\n")
    (tmp_path / "suite.yaml").write_text(f"{TINY_IN}languages: [zh]\n", "utf-8")
    notes = pipeline.load(tmp_path / "suite.yaml").notes
    assert (
        f"{tmp_path / 'own.css'}: not used; style sheets are looked for in {tmp_path / 'templates' / 'styles'}"
        in notes[-1]
    )


def test_a_picture_that_is_lost_is_told_by_its_name(tmp_path: Path) -> None:
    """What the check did not find, the typesetter tells with the words of the picture."""
    from reportgen.report.pdf import to_pdf

    (tmp_path / "a.svg").write_text("<svg", "utf-8")
    with pytest.raises(TypesetError, match=r"我的图"):
        to_pdf(to_html("# T\n\n![我的图](a.svg)\n", ZH, tmp_path, []))
