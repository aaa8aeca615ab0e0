"""The looks that ship: their covers, their columns, and that nothing sticks out of a page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY
from contexts import context

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.i18n.languages import Language, load_languages
from reportgen.report.html import to_html
from reportgen.report.markdown import write
from reportgen.report.pdf import load_weasyprint
from reportgen.report.styles import style_sheets
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
FIELDS = {
    "author": "王小明", "student_number": "0000", "student_class": "", "course": "深度学习", "major": "",
    "department": "计算机学院", "school": "某某大学", "supervisor": "", "date": "2026年11月21日",
}  # fmt: skip
MM = 96 / 25.4
"""CSS pixels in a millimetre."""

LONG = "Words that fill a line of a page and make it break, as those of a report do. " * 12
WIDE = f"""# Title

Some author

## 1. Section

{LONG}

Table 1 has many columns.

**Table 1: Many columns**

| {" | ".join(f"Column {i}" for i in range(9))} |
|{":---|" * 9}
| {" | ".join("1,234.5678" for _ in range(9))} |

{LONG}

Table 2 has two.

**Table 2: Few columns**

| Setting | Value |
|:---|:---|
| Epochs | 10 |

```text
{"a line of a printout that is far too long for a column of a page, and of most pages, too " * 2}
```

```log
Train Epoch: 25 Loss: 0.123456 Acc: 0.654321
Validation set: Average loss: 0.1234, Accuracy: 0.6543
```

$$
{" + ".join(f"x_{{{i}}} y_{{{i}}}" for i in range(14))}
$$

$$ a + b $$

![Figure 1: Wide](wide.svg)

![Figure 2: Narrow](narrow.svg)

{LONG}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The pages of a document with much that is wide, laid out in each look."""
    folder = tmp_path_factory.mktemp("looks")
    for name, points in (("wide", 480), ("narrow", 200)):
        drawing = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{points}pt" height="90pt"><path d="M0 0h9"/></svg>'
        )
        (folder / f"{name}.svg").write_text(drawing)
    return {
        look: load_weasyprint()
        .HTML(string=to_html(WIDE, EN, folder, style_sheets([TEMPLATES], look)))
        .render()
        .pages
        for look in ("plain", "university", "paper")
    }


def boxes(page: Any, tag: str) -> Iterator[Any]:
    """Yield the boxes of the tables, figures or printouts on a page, without the lines inside them."""
    kinds = ("BlockBox", "TableBox")
    yield from (b for b in page._page_box.descendants() if b.element_tag == tag and type(b).__name__ in kinds)


def texts(page: Any) -> Iterator[tuple[float, float, str]]:
    """Yield where each piece of text on a page begins and ends, in mm from the left, and the text."""
    for box in page._page_box.descendants():
        if hasattr(box, "text") and box.text.strip():
            yield box.position_x / MM, (box.position_x + box.width) / MM, box.text


@pytest.mark.parametrize("look", ["plain", "university", "paper"])
def test_nothing_sticks_out_of_a_page(look: str, pages: dict[str, list[Any]]) -> None:
    """Every word of a wide table, a long printout and a log is inside the margins, in each look."""
    for page in pages[look]:
        left = min(16.9, page._page_box.margin_left / MM)
        outside = [text for start, end, text in texts(page) if start < left - 0.1 or end > 210 - 16.9]
        assert outside == []


def test_a_paper_has_two_columns(pages: dict[str, list[Any]]) -> None:
    """The text stands in two columns; in the other looks in one."""

    def starts(look: str) -> set[int]:
        return {round(start) for page in pages[look] for start, _, text in texts(page) if "a page and" in text}

    assert len(starts("paper")) == 2
    assert len(starts("plain")) == len(starts("university")) == 1


def test_what_is_wide_goes_across_both_columns(pages: dict[str, list[Any]]) -> None:
    """A wide table, printout, formula and figure, and the sentence before each, are as wide as the page's text."""
    found = {
        (tag, round(box.width / MM))
        for page in pages["paper"]
        for tag in ("table", "figure")
        for box in boxes(page, tag)
    }
    assert found == {("table", 176), ("table", 85), ("figure", 176), ("figure", 85)}
    intro = [(start, end) for page in pages["paper"] for start, end, text in texts(page) if "has many" in text]
    assert [round(start) for start, _ in intro] == [17]
    code = {round(box.margin_width() / MM) for page in pages["paper"] for box in boxes(page, "pre")}
    assert code == {176, 85}


def test_wide_things_are_as_before_in_one_column(pages: dict[str, list[Any]]) -> None:
    """In the plain look tables and figures have the width of the text."""
    found = {
        round(box.width / MM) for page in pages["plain"] for tag in ("table", "figure") for box in boxes(page, tag)
    }
    assert found == {166}


def cover(look: str, language: Language, **fields: str) -> list[str]:
    """Return the lines of the cover of a look."""
    cover = [(language.say(f"cover.{name}"), value) for name, value in fields.items() if value]
    report = write(
        context(look=look, cover=cover, cover_fields={**dict.fromkeys(FIELDS, ""), **fields}),
        language,
        [TEMPLATES],
    )
    return [line for line in report[: report.index("\n## ")].splitlines() if line]


def test_a_university_cover_is_a_form() -> None:
    """Every line of the form is there, and empty where the suite gives nothing; the mark is the teacher's."""
    assert cover("university", ZH, **FIELDS) == [
        "某某大学", "**实验报告**", "# Two networks", "- **课程** 深度学习", "- **学院** 计算机学院", "- **专业**",
        "- **班级**", "- **姓名** 王小明", "- **学号** 0000", "- **指导教师**", "- **日期** 2026年11月21日",
        "- **成绩**",
    ]  # fmt: skip


def test_the_head_of_a_paper_is_what_the_suite_gives() -> None:
    """Author and places stand in lines without labels; what is not given leaves no gap."""
    assert cover("paper", ZH, **FIELDS) == [
        "# Two networks", "**王小明** (0000)", "计算机学院、某某大学", "课程：深度学习", "2026年11月21日",
    ]  # fmt: skip
    assert cover("paper", EN) == ["# Two networks"]


def test_a_plain_cover_has_the_lines_that_are_given() -> None:
    """The plain cover lists label and value of what the suite gives, and nothing else."""
    assert cover("plain", EN, author="A. Student") == ["# Two networks", "- **Author** A. Student"]


def test_the_value_of_a_line_has_its_own_place(tmp_path: Path) -> None:
    """A form's value can be underlined, an empty one too: it is an element of its own."""
    html = to_html("# T\n\n- **姓名** 王\n- **成绩**\n", ZH, tmp_path, [])
    assert '<li><strong>姓名</strong> <span class="value">王</span></li>' in html
    assert '<li><strong>成绩</strong> <span class="value"></span></li>' in html


def test_a_suite_chooses_its_look(tmp_path: Path) -> None:
    """The look of the suite decides the style sheets; one beside the suite is a look as well."""
    suite = tmp_path / "suite.yaml"
    suite.write_text(f"{TINY.read_text('utf-8')}\nlook: mine\n", "utf-8")
    with pytest.raises(SuiteError) as caught:
        pipeline.load(suite)
    line = suite.read_text("utf-8").count("\n")
    assert str(caught.value) == (
        f"{suite}:{line}: look: got 'mine', expected a look with a style sheet: paper, plain, university"
    )
    own = tmp_path / "templates"
    (own / "styles").mkdir(parents=True)
    (own / "styles/mine.css").write_text("p { color: red }")
    loaded = pipeline.load(suite)
    assert style_sheets(loaded.template_folders, loaded.suite.look)[1] == "p { color: red }"
    assert "columns: 2" in style_sheets(loaded.template_folders, "paper")[1]
