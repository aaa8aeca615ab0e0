"""Sections of the student's own: Markdown files beside the suite."""

import base64
import io
from pathlib import Path

import pytest
from contexts import context
from own_words import problems
from PIL import Image, ImageFile

from reportgen import pipeline
from reportgen.i18n.languages import load_languages
from reportgen.report.custom_sections import copy_pictures, numbered
from reportgen.report.html import to_html
from reportgen.report.markdown import write
from reportgen.report.numbering import Numbering
from reportgen.report.pdf import load_weasyprint
from reportgen.resources import TEMPLATES
from reportgen.suite.pictures import fault

(EN,) = load_languages(["en"], [TEMPLATES])

WORDS = """# What I *did*

I wrote {{ title }} and <b>no</b> HTML.

## First

```
# no heading
```

Second
------

### Detail

> # quoted

![A sketch](img/sketch.svg)
"""


def test_headings_of_an_own_section_are_numbered() -> None:
    """Its headings have numbers as all others do; what is in code or in a quotation is no heading."""
    report = write(context(sections=("aim", "mine.md", "summary"), words={"mine.md": WORDS}), EN, [TEMPLATES])
    headings = [line for line in report.splitlines() if line.startswith("#")]
    assert headings == [
        "# Two networks", "## 1. Aim", "## 2. What I *did*", "### 2.1 First", "# no heading",
        "### 2.2 Second", "#### Detail", "## 3. Summary",
    ]  # fmt: skip


def test_an_own_section_is_markdown_and_nothing_else(tmp_path: Path) -> None:
    """It is read neither as a template nor as HTML."""
    report = write(context(sections=("mine.md",), words={"mine.md": WORDS.partition("![")[0]}), EN, [TEMPLATES])
    assert "I wrote {{ title }} and" in report
    html = to_html(report, EN, tmp_path, [])
    assert "&lt;b&gt;no" in html
    assert "What I <em>did</em></h2>" in html


def test_pictures_of_an_own_section_stand_beside_the_report(tmp_path: Path) -> None:
    """A picture beside the suite is copied to the report, and the Markdown names it there."""
    (tmp_path / "img").mkdir()
    (tmp_path / "img/sketch.svg").write_text("<svg/>")
    folder = tmp_path / "build"
    assert copy_pictures([WORDS], tmp_path, folder) == ["pictures/img/sketch.svg"]
    assert (folder / "pictures/img/sketch.svg").read_text() == "<svg/>"
    assert "![Figure 1: A sketch](pictures/img/sketch.svg)" in numbered(WORDS, Numbering(EN))


def test_a_file_of_one_language_comes_before_the_one_of_all(tmp_path: Path) -> None:
    """`mine.zh.md` is for Chinese, `mine.md` for whatever has no file of its own."""
    (tmp_path / "mine.md").write_text("# Mine\n", "utf-8")
    (tmp_path / "mine.zh.md").write_text("\ufeff# 我的\n", "utf-8")
    assert problems(tmp_path, "[aim, mine.md]") == []
    loaded = pipeline.load(tmp_path / "suite.yaml")
    assert loaded.words == {"zh": {"mine.md": "# 我的\n"}, "en": {"mine.md": "# Mine\n"}}
    assert [file.name for file in loaded.beside] == ["mine.zh.md", "mine.md"]


HEADING = "expected the section's heading first: # My words"
INSIDE = "expected a file in the suite's folder, or below it"
PICTURE = "no such file, expected an SVG, PNG, JPEG, GIF or WebP file beside the suite"
SIGN = "\U00012000"


@pytest.mark.parametrize(
    ("sections", "file", "text", "expected"),
    [
        (
            "[aim,\n  mine.md]",
            "other.md",
            "",
            "suite.yaml:16: sections[1]: got no such file: mine.md, "
            "expected mine.md beside the suite, or mine.zh.md and mine.en.md",
        ),
        (
            "[mine.md]",
            "mine.zh.md",
            "# 我",
            "suite.yaml:15: sections[0]: got no such file: mine.md, "
            "expected mine.md beside the suite, or mine.en.md",
        ),
        ("[../mine.md]", "a.md", "", f"suite.yaml:15: sections[0]: got '../mine.md', {INSIDE}"),
        ("[/etc/mine.md]", "a.md", "", f"suite.yaml:15: sections[0]: got '/etc/mine.md', {INSIDE}"),
        ("[mine.md]", "mine.md", "\n\nHello", f"mine.md:3: got 'Hello', {HEADING}"),
        ("[mine.md]", "mine.md", "", f"mine.md:1: got an empty file, {HEADING}"),
        (
            "[mine.md]",
            "mine.md",
            f"# A\n\n{SIGN}",
            f"mine.md:3: got the character '{SIGN}' (U+12000), found in “{SIGN}”, "
            "expected what the report's fonts can print; write it another way",
        ),
        ("[mine.md]", "mine.md", "# A\n\ntext\n\n![x](y.svg)", f"mine.md:5: got the picture 'y.svg': {PICTURE}"),
        (
            "[mine.md]",
            "mine.md",
            "# A\n\n![x](http://a/y.svg)",
            f"mine.md:3: got the picture 'http://a/y.svg': {PICTURE}",
        ),
        (
            "[mine.md]",
            "mine.md",
            b"# \xd6",
            "mine.md:1: got text that is not UTF-8, expected a file in UTF-8; save it as UTF-8 in your editor",
        ),
    ],
)
def test_a_fault_of_an_own_section_is_told_with_its_line(
    tmp_path: Path, sections: str, file: str, text: str | bytes, expected: str
) -> None:
    """What is missing is told at its line in the suite, what is wrong at its line in the file, before training."""
    (tmp_path / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert problems(tmp_path, sections) == [expected]


def test_a_section_that_is_neither_template_nor_file_says_how_to_have_one(tmp_path: Path) -> None:
    """The message on an unknown section names the templates, and the way to an own section."""
    assert problems(tmp_path, "[mine]")[0].endswith("or a file of your own: my_words.md")


def drawn(kind: str) -> bytes:
    """Return a picture of noise, which no format makes small."""
    stream = io.BytesIO()
    Image.effect_noise((60, 40), 50).convert("RGB").save(stream, kind)
    return stream.getvalue()


NAMES = ["照片.png", "my pic.jpg", "100%.gif", "a%20b.webp", "b(1).png", "dir/图 (2).svg"]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">{}</svg>'


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Chinese, spaces, parentheses and percent signs: the picture is found, copied, named and shown."""
    kind = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}.get(name.rpartition(".")[2])
    address = name.replace("%", "%25")
    (tmp_path / "dir").mkdir()
    (tmp_path / name).write_bytes(drawn(kind) if kind else SVG.format("").encode())
    code = f"```\n![C]({address})\n```\n\n`![D]({address})`"
    text = f"# Mine\n\n![A](<{address}>)\n\n{code} ![B][b]\n\n[b]: <{address}>\n"
    (tmp_path / "mine.md").write_text(text, "utf-8")
    assert problems(tmp_path, "[mine.md]") == []
    assert copy_pictures([text], tmp_path, tmp_path / "build") == [f"pictures/{name}"]
    html = to_html(f"# T\n\n{numbered(text, Numbering(EN))}", EN, tmp_path / "build", [])
    content = base64.b64encode((tmp_path / name).read_bytes()).decode()
    assert html.count(f"base64,{content}") == 2


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("cut.png", drawn("PNG")[:3000], "(image file is truncated), expected a whole PNG file"),
        ("cut.gif", drawn("GIF")[:1500], "expected a whole GIF file"),
        ("cut.webp", drawn("WEBP")[:800], "expected a whole WEBP file"),
        ("cut.jpg", drawn("JPEG")[:1500], "expected a whole JPEG file"),
        ("none.png", b"", "an empty file, expected a whole PNG file"),
        ("text.png", b"no picture", "a file that is no picture, expected a whole PNG file"),
        ("p.jpg", drawn("PNG"), "a PNG file under the name of a JPEG, expected a name that ends as its kind does"),
        ("p.bmp", drawn("BMP"), "no such file, expected an SVG, PNG, JPEG, GIF or WebP file beside the suite"),
        ("a.svg", b"<svg", "XML that is broken at line 1 (unclosed token), expected a whole SVG file"),
        ("a.svg", b"<svg/>", "XML whose root is svg, expected <svg xmlns='http://www.w3.org/2000/svg'>"),
        ("a.svg", SVG.format("\n<image href='a.png'/>").encode(), "line 2 of it: 'a.png' is used, expected"),
        ("a.svg", SVG.format("<style>@import url(x.css);</style>").encode(), "line 1 of it: 'x.css' is used"),
        ("a.svg", SVG.format("<rect fill='url(http://a/b)'/>").encode(), "line 1 of it: 'http://a/b' is used"),
        ("a.svg", SVG.format("<foreignObject/>").encode(), "line 1 of it: HTML in the SVG"),
        ("a.svg", b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG.format("&a;").encode(), "line 1 of it: the entity a"),
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_printed_is_told_with_its_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    """File and line of the Markdown, and what is wrong with the picture, before anything is trained."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "mine.md").write_text(f"# Mine\n\nText\n![A]({name})\n", "utf-8")
    (told,) = problems(tmp_path, "[mine.md]")
    assert told.startswith(f"mine.md:4: got the picture '{name}': ")
    assert expected in told


def test_a_picture_that_is_cut_short_is_told_after_pages_were_typeset_too(tmp_path: Path) -> None:
    """WeasyPrint lets Pillow take broken pictures in the whole process, a preview too; the check does not."""
    load_weasyprint()
    assert ImageFile.LOAD_TRUNCATED_IMAGES
    (tmp_path / "cut.png").write_bytes(drawn("PNG")[:3000])
    assert fault(tmp_path, "cut.png")[1] == "a whole PNG file"
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_picture_of_too_many_pixels_is_told(tmp_path: Path) -> None:
    """A small file may hold more pixels than a page, or memory, has room for."""
    Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    (tmp_path / "mine.md").write_text("# Mine\n\n![A](huge.png)\n", "utf-8")
    assert problems(tmp_path, "[mine.md]") == [
        "mine.md:3: got the picture 'huge.png': 9,000 × 9,000 pixels, expected at most 50,000,000 pixels"
    ]


def test_a_picture_outside_the_folder_is_not_taken(tmp_path: Path) -> None:
    """Neither by its path nor through a link."""
    lab = tmp_path / "lab"
    lab.mkdir()
    (tmp_path / "secret.png").write_bytes(drawn("PNG"))
    (lab / "link.png").symlink_to(tmp_path / "secret.png")
    (lab / "mine.md").write_text(f"# A\n\n![a](../secret.png)\n![b]({tmp_path}/secret.png)\n![c](link.png)\n")
    assert [line.partition(": ")[0] for line in problems(lab, "[mine.md]")] == [
        "mine.md:3",
        "mine.md:4",
        "mine.md:5",
    ]


def test_an_address_with_a_space_is_told(tmp_path: Path) -> None:
    """To Markdown it is no picture, and would be printed as it stands; code is left alone."""
    (tmp_path / "my pic.png").write_bytes(drawn("PNG"))
    (tmp_path / "mine.md").write_text("# A\n\n`![a](my pic.png)`\n![a](my pic.png)\n", "utf-8")
    assert problems(tmp_path, "[mine.md]") == [
        "mine.md:4: got the picture 'my pic.png', expected an address without spaces; "
        "write it in angle brackets: <my pic.png>"
    ]
