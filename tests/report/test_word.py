"""A report as a Word file, by pandoc."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import docx
import pytest
from conftest import TINY, Command
from docx.enum.text import WD_ALIGN_PARAGRAPH
from PIL import Image

from reportgen.errors import MissingPrerequisiteError
from reportgen.i18n.languages import load_languages
from reportgen.pipeline import Outcome
from reportgen.report import word
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
REPORT = """# 循环网络

- **姓名** 小王

## 一、目的

权重 $W_{hh}$ 与 **粗体**。

**表 1：结果**

| 模型 | 准确率 |
|:---|---:|
| RNN | 82.9% ± 1.2% |

![图 1：准确率](figures/one.zh.svg)

```text
├─LSTM: 1-1
```
"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="144pt" height="72pt" viewBox="0 0 144 72">'
    '<rect width="144" height="72" fill="#0000ff"/></svg>'
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small report, as Word."""
    folder = tmp_path_factory.mktemp("word")
    (folder / "figures").mkdir()
    (folder / "figures" / "one.zh.svg").write_text(SVG, "utf-8")
    return word.to_word(REPORT, ZH, folder, quick=True)


def test_it_has_what_the_markdown_has(written: bytes) -> None:
    """Title, headings, table and code are there, each in Word's own style; a quick build says that it is one."""
    document = docx.Document(io.BytesIO(written))
    found = [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs if paragraph.style]
    assert ("Title", "循环网络") in found
    assert ("Heading 1", "一、目的") in found
    assert ("Table Caption", "表 1：结果") in found
    assert ("Source Code", "├─LSTM: 1-1") in found
    assert "快速试跑" in [text for _, text in found]
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["模型", "准确率"],
        ["RNN", "82.9% ± 1.2%"],
    ]


def test_formulas_are_words_own(written: bytes) -> None:
    """A formula can be edited: it is Word's mathematics, not a picture."""
    body = zipfile.ZipFile(io.BytesIO(written)).read("word/document.xml").decode()
    assert "<m:sSub>" in body
    assert "TOC \\o" in body


def test_figures_are_drawn_with_their_own_fonts(written: bytes) -> None:
    """An SVG becomes a PNG of 220 dots per inch, so that Word needs none of the fonts inside it."""
    from PIL import Image

    archive = zipfile.ZipFile(io.BytesIO(written))
    pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
    assert [Path(name).suffix for name in pictures] == [".png"]
    with Image.open(io.BytesIO(archive.read(pictures[0]))) as image:
        assert image.size == (440, 220)
        assert image.convert("RGB").getpixel((220, 110)) == (0, 0, 255)


def test_a_column_is_as_wide_as_its_words(written: bytes) -> None:
    """The columns share the page by what is in them, and fill it."""
    document = docx.Document(io.BytesIO(written))
    page = document.sections[0]
    widths = [cell.width for cell in document.tables[0].rows[0].cells]
    assert widths[1] == pytest.approx(widths[0] * 14 / 6, rel=0.01)
    assert sum(widths) == pytest.approx(page.page_width - page.left_margin - page.right_margin, rel=0.01)


def test_a_form_for_a_cover_keeps_its_title(tmp_path: Path) -> None:
    """Words above the title follow it, and the contents come after the cover."""
    text = "大学\n\n**实验报告**\n\n# 题目\n\n- **姓名** 小王\n\n## 一、目的\n\n字。\n"
    document = docx.Document(io.BytesIO(word.to_word(text, ZH, tmp_path)))
    found = [paragraph.text for paragraph in document.paragraphs if paragraph.text.strip()]
    assert found == ["题目", "大学", "实验报告", "姓名 小王", "目录", "一、目的", "一、目的", "字。"]
    assert document.core_properties.title == "题目"


def test_the_same_report_gives_the_same_bytes(written: bytes, tmp_path: Path) -> None:
    """Nothing of the moment is in the file."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.zh.svg").write_text(SVG, "utf-8")
    assert word.to_word(REPORT, ZH, tmp_path, quick=True) == written


def test_a_school_may_bring_its_own_word_file(tmp_path: Path) -> None:
    """Margins and styles come from templates/styles/word.docx beside the suite, if there is one."""
    own = docx.Document()
    own.sections[0].left_margin = docx.shared.Cm(5)
    own.save(str(tmp_path / "word.docx"))
    made = docx.Document(io.BytesIO(word.to_word("# T\n\n## A\n\nb\n", EN, tmp_path, tmp_path / "word.docx")))
    assert round(made.sections[0].left_margin.cm, 1) == 5.0


def test_without_pandoc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the packages and the extra that brings them."""
    monkeypatch.setattr(word, "find_spec", lambda module: None if module == "pypandoc" else object())
    with pytest.raises(MissingPrerequisiteError, match=r"needs pypandoc-binary: pip install 'reportgen\[docx\]'"):
        word.require()


@pytest.mark.slow
def test_the_command_line_chooses_the_formats(reportgen: Command, tiny_build: Outcome, tmp_path: Path) -> None:
    """--format writes others than the suite's and leaves those that are there; an unknown one is named at once."""
    build = Path(shutil.copytree(tiny_build.folder.parent, tmp_path / "build"))
    done = reportgen("build", TINY, "--build-dir", build, "--format", "docx", "--format", "md", "--quick")
    assert done.returncode == 0, done.stderr
    folder = build / "tiny.quick"
    assert {file.name for file in folder.glob("report.*")} == {
        f"report.{code}.{kind}" for code in ("zh", "en") for kind in ("docx", "md")
    }
    before = {file: file.read_bytes() for file in folder.glob("report.*.docx")}
    assert reportgen("build", TINY, "--build-dir", build, "--format", "md", "--quick").returncode == 0
    assert {file: file.read_bytes() for file in folder.glob("report.*.docx")} == before
    wrong = reportgen("build", TINY, "--build-dir", tmp_path, "--format", "doc")
    assert wrong.returncode == 2
    assert wrong.stderr == "--format: got 'doc', expected one of md, html, pdf, docx\n"


OWN = """# 循环网络

## 一、我的说明

**加粗：**中文，`**加粗：**中文`，没有遗忘门[^1]。

$$c_t = f_t \\tag{2}$$

![图 1　甲](<pictures/my pic.svg>) ![乙](pictures/乙.webp)

**表 1　丙**

| a |
|---|
| 1 |

[^1]: Gers 等人。

### 1.1 A & B

```text
**加粗：**中文
```
"""


def test_words_of_a_students_own_are_words(tmp_path: Path) -> None:
    """Emphasis beside Chinese, footnotes, numbers of formulas, and pictures that Word cannot show."""
    (tmp_path / "pictures").mkdir()
    no_size = SVG.replace('width="144pt" height="72pt"', "", 1)
    (tmp_path / "pictures" / "my pic.svg").write_text(no_size, "utf-8")
    Image.new("RGB", (20, 10)).save(tmp_path / "pictures" / "乙.webp")
    content = word.to_word(OWN, ZH, tmp_path)
    document = docx.Document(io.BytesIO(content))
    texts = [paragraph.text.replace("\u200b", "") for paragraph in document.paragraphs]
    assert "加粗：中文，**加粗：**中文，没有遗忘门。" in texts
    assert "**加粗：**中文" in texts
    bold = [run.text for paragraph in document.paragraphs for run in paragraph.runs if run.bold]
    assert "加粗：" in bold
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "Gers" in archive.read("word/footnotes.xml").decode()
        assert "(2)" in archive.read("word/document.xml").decode()
        assert sum(name.endswith(".png") for name in archive.namelist()) == 2


def test_the_contents_are_filled_and_captions_are_centred(tmp_path: Path) -> None:
    """The headings stand there before Word updates the field; captions of tables and figures are in the middle."""
    document = docx.Document(io.BytesIO(word.to_word(re.sub(r"!\[.*|\[\^1\]", "", OWN), ZH, tmp_path)))
    texts = [paragraph.text for paragraph in document.paragraphs]
    start = texts.index("目录")
    assert [text for text in texts[start + 1 : start + 5] if text] == ["一、我的说明", "1.1 A & B"]
    for style in ("Table Caption", "Image Caption"):
        assert document.styles[style].paragraph_format.alignment == WD_ALIGN_PARAGRAPH.CENTER


@pytest.mark.parametrize(
    ("root", "size"),
    [
        ('<svg width="144pt" height="72pt">', (144, 72)), ('<svg width="100" height="50px">', (75, 37.5)),
        ("<svg width='25.4mm' height='2.54cm'>", (72, 72)), ('<svg width="100%" viewBox="0 0 40 20">', (30, 15)),
        ('<svg viewBox="-1,-1,40,20">', (30, 15)), ("<svg>", (225, 112.5)),
    ],
)  # fmt: skip
def test_a_picture_has_a_size_whatever_it_says(root: str, size: tuple[float, float]) -> None:
    """In points: its own, that of its view box, or 300 by 150 pixels as CSS has it."""
    assert word._size(root) == pytest.approx(size)
