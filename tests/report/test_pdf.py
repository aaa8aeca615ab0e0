"""HTML becomes a PDF that looks the same everywhere."""

import base64
import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream
from typeset_documents import LANGUAGES, STYLE, typeset

from reportgen.report.html import to_html
from reportgen.report.pdf import to_pdf

FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">'
    '<text x="2" y="20" font-family="Source Sans Pro" font-size="12">Loss</text></svg>'
)
ZH_TEXT = r"""# 循环网络实验 RNN

- **姓名** 王小明

## 一、目的

比较 *LSTM* 与**普通**网络，“引号”——破折号。

- 第一项
  - 第二层
    - 第三层

1. 编号

### 1.1 公式

其中 $h_t$ 为状态，`h_t = 隐藏` 为代码。

$$
h_t = \tanh\left(x_t\right)
$$

```text
├─LSTM: 1-1  [1, 18]  文字
```

**表 1　结果**

| 模型 | 准确率 |
|:--|--:|
| LSTM | **82.9%** ± 1.2% |

![图 1　损失](figure.svg)
"""
EN_TEXT = rf"""# Recurrent networks

- **Author** A student

## 1. Aim

To compare *LSTM* with a **plain** network, “quoted” — dashed.
{"Unquestionably characteristically internationalisation. " * 12}

- first
  - second
    - third

1. number

### 1.1 Formula

Here $h_t$ is the state, `h_t = x` code.

$$
h_t = \tanh\left(x_t\right)
$$

```text
├─LSTM: 1-1  [1, 18]
```

**Table 1: Results**

| Model | Accuracy |
|:--|--:|
| LSTM | **82.9%** ± 1.2% |

![Figure 1: Loss](figure.svg)
"""
TEXTS = {"zh": ZH_TEXT, "en": EN_TEXT}


@dataclass(frozen=True)
class Shown:
    """A run of glyphs on a page: their numbers in their font, and where they begin and end, in points."""

    font: str
    glyphs: tuple[int, ...]
    left: float
    right: float
    height: float
    """Above the lower edge of the page."""


def shown(page: PageObject) -> Iterator[Shown]:
    """Yield every run of glyphs on the page itself, upright and in fonts whose glyphs are two bytes each."""
    resources: Any = page["/Resources"]
    fonts = {str(name): font.get_object() for name, font in resources.get("/Font", {}).items()}
    widths = {name: _widths(font) for name, font in fonts.items()}
    stack: list[tuple[float, float, float, float]] = []
    scale_x, scale_y, move_x, move_y = 1.0, 1.0, 0.0, 0.0
    font, size, x, y = "", 0.0, 0.0, 0.0
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        match operator:
            case b"q":
                stack.append((scale_x, scale_y, move_x, move_y))
            case b"Q":
                scale_x, scale_y, move_x, move_y = stack.pop()
            case b"cm":
                a, b, c, d, e, f = map(float, operands)
                if (b, c) == (0, 0):
                    move_x, move_y = move_x + e * scale_x, move_y + f * scale_y
                    scale_x, scale_y = scale_x * a, scale_y * d
            case b"Tf":
                font, size = str(operands[0]), float(operands[1])
            case b"Tm":
                x, y = float(operands[4]), float(operands[5])
            case b"TJ":
                glyphs, advance = _run(operands[0], widths[font])
                left, x = x, x + size * advance / 1000
                name = str(fonts[font]["/BaseFont"])
                yield Shown(name, glyphs, move_x + left * scale_x, move_x + x * scale_x, move_y + y * scale_y)


def _run(pieces: list[Any], widths: dict[int, float]) -> tuple[tuple[int, ...], float]:
    glyphs: list[int] = []
    advance = 0.0
    for piece in pieces:
        if isinstance(piece, int | float):
            advance -= float(piece)
        else:
            data = getattr(piece, "original_bytes", piece)
            found = [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
            glyphs += found
            advance += sum(widths[glyph] for glyph in found)
    return tuple(glyphs), advance


def _widths(font: Any) -> dict[int, float]:
    found: dict[int, float] = {}
    array = list(font["/DescendantFonts"][0].get_object()["/W"])
    for first, widths in zip(array[::2], array[1::2], strict=True):
        found |= {int(first) + i: float(width) for i, width in enumerate(widths)}
    return found


def fonts_of(resources: Any) -> Iterator[Any]:
    """Yield every font of a page, and of the pictures on it."""
    for font in resources.get("/Font", {}).values():
        yield font.get_object()
    for reference in resources.get("/XObject", {}).values():
        picture = reference.get_object()
        if picture.get("/Subtype") == "/Form":
            yield from fonts_of(picture.get("/Resources", {}))


@dataclass(frozen=True)
class Document:
    """A small document in one language, typeset."""

    language: str
    html: str
    data: bytes

    @property
    def reader(self) -> PdfReader:
        """The PDF."""
        return PdfReader(io.BytesIO(self.data))

    @property
    def text(self) -> str:
        """What can be copied out of the PDF, without white space."""
        return re.sub(r"\s", "", "".join(page.extract_text() for page in self.reader.pages))


@pytest.fixture(scope="module", params=["zh", "en"])
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A document that has everything a report has: lists, code, formulas, a table and a figure."""
    folder = tmp_path_factory.mktemp("pdf")
    (folder / "figure.svg").write_text(FIGURE, "utf-8")
    html = to_html(TEXTS[request.param], LANGUAGES[request.param], folder, [STYLE])
    return Document(request.param, html, to_pdf(html))


def test_the_document_knows_what_it_is(document: Document) -> None:
    """The PDF has its title, its language and tags for screen readers, as PDF/UA asks."""
    root: Any = document.reader.trailer["/Root"]
    assert document.reader.metadata is not None
    assert (
        document.reader.metadata.title == {"zh": "循环网络实验 RNN", "en": "Recurrent networks"}[document.language]
    )
    assert root["/Lang"] == {"zh": "zh-CN", "en": "en"}[document.language]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]["/Type"] == "/StructTreeRoot"
    assert re.search(rb"<pdfuaid:part>1</pdfuaid:part>|pdfuaid:part=\"1\"", root["/Metadata"].get_data())


def test_it_has_a_cover_the_contents_and_the_text(document: Document) -> None:
    """The cover and the table of contents have a page each, the text follows; every page is A4."""
    pages = document.reader.pages
    assert len(pages) == 3
    assert [(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in pages] == [
        (595, 842)
    ] * 3
    contents = re.sub(r"\s", "", pages[1].extract_text())
    assert {"zh": "目录", "en": "Contents"}[document.language] in contents
    assert re.search({"zh": r"一、目的\.+3", "en": r"1\.Aim\.+3"}[document.language], contents)


def test_the_outline_has_the_headings(document: Document) -> None:
    """The bookmarks are the headings, one below the other as they are in the document."""
    titles = {
        "zh": ["循环网络实验 RNN", ["一、目的", ["1.1 公式"]]],
        "en": ["Recurrent networks", ["1. Aim", ["1.1 Formula"]]],
    }

    def plain(outline: list[Any]) -> list[Any]:
        return [plain(item) if isinstance(item, list) else item.title for item in outline]

    assert plain(document.reader.outline) == titles[document.language]


def test_the_text_can_be_copied(document: Document) -> None:
    """Chinese and English text come out of the PDF as they went in; the text of a figure, too."""
    expected = {
        "zh": [
            "姓名 王小明",
            "比较 LSTM 与普通网络，“引号”——破折号。",
            "├─LSTM: 1-1  [1, 18]  文字",
            "82.9% ± 1.2%",
            "Loss",
        ],
        "en": [
            "Author A student",
            "To compare LSTM with a plain network, “quoted” — dashed.",
            "1-1  [1, 18]",
            "Loss",
        ],
    }
    assert [words for words in expected[document.language] if re.sub(r"\s", "", words) not in document.text] == []


def test_every_font_is_inside_and_is_the_projects(document: Document) -> None:
    """Every font is embedded, and is one of those that the project brings."""
    found = {}
    for page in document.reader.pages:
        for font in fonts_of(page["/Resources"]):
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            files = [
                descriptor[key].get_data()
                for key in ("/FontFile", "/FontFile2", "/FontFile3")
                if key in descriptor
            ]
            found[str(font["/BaseFont"]).split("+")[1]] = [len(data) > 0 for data in files]
    latin = {"Source-Sans-Pro", "Source-Sans-Pro-Bold", "Source-Sans-Pro-Italic", "DejaVu-Sans-Mono"}
    chinese = {"Noto-Sans-CJK-SC", "Noto-Sans-CJK-SC-Bold", "Noto-Sans-Mono-CJK-SC"}
    assert found.keys() - latin - chinese - {"DejaVu-Sans"} == set()
    assert found.keys() >= (latin | chinese if document.language == "zh" else latin)
    assert list(found.values()) == [[True]] * len(found)


def test_no_font_of_the_machine_steps_in(document: Document) -> None:
    """Whatever is printed, bullets, hyphens and page numbers included, is in the document's own fonts."""
    fonts = re.findall(r"data:font/otf;base64,([\w+/=]+)", document.html.split("</style>")[0])
    brought = {chr(code) for data in fonts for code in TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()}
    assert set(document.text) - brought == set()
    assert {"•", "◦", "▪"} <= set(document.text)
    assert "‐" not in document.text  # Source Sans has none; lines end with an ordinary hyphen


def test_no_glyph_is_missing(document: Document) -> None:
    """No character is drawn as an empty box, which is glyph 0 of a font."""
    runs = [run for page in document.reader.pages for run in shown(page)]
    assert sum(len(run.glyphs) for run in runs) > 100
    assert [run for run in runs if 0 in run.glyphs] == []


def test_every_viewer_finds_the_chinese_glyphs(document: Document) -> None:
    """In a CID-keyed font the glyphs are numbered by their place, since that is what the pages call them by."""
    keyed = 0
    for page in document.reader.pages:
        for font in fonts_of(page["/Resources"]):
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            if "/FontFile3" in descriptor:
                data = io.BytesIO(descriptor["/FontFile3"].get_data())
                top = TTFont(data)["CFF "].cff.topDictIndex[0]
                if hasattr(top, "ROS"):
                    keyed += 1
                    assert top.charset[1:] == [f"cid{place:05}" for place in range(1, len(top.charset))]
    assert keyed > 0 or document.language == "en"


def test_running_heads_are_no_part_of_the_text(document: Document) -> None:
    """The running head and the page number are artifacts: a screen reader that reads a page leaves them out."""
    page = document.reader.pages[2].get_contents()
    assert page is not None
    artifacts = re.findall(rb"/Artifact\s*<<\s*/Type /Pagination\s*>>\s*BDC", page.get_data())
    assert len(artifacts) == 2


def test_cells_that_head_a_column_say_so(document: Document) -> None:
    """Every header cell has the scope of its column, and every link is printed."""
    root: Any = document.reader.trailer["/Root"]
    heads = [item["/A"]["/Scope"] for item in elements(root["/StructTreeRoot"]) if item.get("/S") == "/TH"]
    assert heads
    assert set(heads) == {"/Column"}
    links = [link.get_object()["/F"] for page in document.reader.pages for link in page.get("/Annots", [])]
    assert links
    assert set(links) == {4}


def elements(parent: Any) -> Iterator[Any]:
    """Walk through a PDF's tree of elements."""
    for child in parent.get("/K", []):
        element = child.get_object()
        if isinstance(element, dict):
            yield element
            yield from elements(element)


def test_nothing_runs_off_the_page(document: Document) -> None:
    """All text stands within the margins."""
    assert off_the_page(document.reader) == []


def off_the_page(reader: PdfReader) -> list[Shown]:
    """Return what begins or ends beyond the margins of 22 mm, but for a hair, or below the page."""
    left, right = 22 / 25.4 * 72 - 1, (210 - 22) / 25.4 * 72 + 1
    runs = [run for page in reader.pages for run in shown(page)]
    assert runs
    return [run for run in runs if run.left < left or run.right > right or run.height < 20]


@pytest.mark.parametrize("kind", ["text", "log"])
def test_long_lines_of_code_are_broken(kind: str) -> None:
    """A line of code that is longer than the page is wide is broken, and none of it is lost."""
    line = "".join(f"<{i:03}>" for i in range(120))
    reader = typeset(f"# T\n\n## A\n\n```{kind}\n{line}\nshort\n```\n")
    assert off_the_page(reader) == []
    assert line in re.sub(r"\s", "", reader.pages[-1].extract_text())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_wide_tables_stay_on_the_page(language: str) -> None:
    """A table with long names in its cells is broken within them rather than cut off."""
    name = "lstm/hidden_size=256,learning_rate=0.001"
    head = "| " + " | ".join(["Test accuracy", "测试准确率"] * 3) + " |\n|" + "---|" * 6
    row = "| " + " | ".join([name, "1,234.5678 ± 0.1234", f"`{name}`", "82.86% ± 1.23%", name, "17,036"]) + " |"
    reader = typeset(f"# T\n\n## A\n\n**Table 1: x**\n\n{head}\n{row}\n", language)
    assert off_the_page(reader) == []
    assert re.sub(r"\s", "", reader.pages[-1].extract_text()).count("0.1234") == 1


def test_the_same_document_gives_the_same_bytes(document: Document) -> None:
    """Typesetting twice gives the same file."""
    assert hashlib.sha256(to_pdf(document.html)).hexdigest() == hashlib.sha256(document.data).hexdigest()


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order of sets nor the time of day gets into the HTML or the PDF."""
    code = (
        "import hashlib, sys\nfrom pathlib import Path\nfrom reportgen.i18n.languages import load_languages\n"
        "from reportgen.report.html import to_html\nfrom reportgen.report.pdf import to_pdf\n"
        "from reportgen.resources import TEMPLATES\n(zh,) = load_languages(['zh'], [TEMPLATES])\n"
        "html = to_html('# 标题 **a**\\n\\n## 一、*b*\\n\\n- `c` $x$', zh, Path(), [])\n"
        "print(hashlib.sha256(html.encode()).hexdigest(), hashlib.sha256(to_pdf(html)).hexdigest())\n"
    )
    environments = [
        {**os.environ, "PYTHONHASHSEED": "1", "TZ": "UTC"},
        {**os.environ, "PYTHONHASHSEED": "2", "TZ": "Asia/Shanghai", "LC_ALL": "C"},
    ]
    digests = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        ).stdout
        for env in environments
    ]
    assert len(digests[0].split()) == 2
    assert digests[0] == digests[1]
