"""Numbers of headings, figures, tables and references."""

import pytest
from markupsafe import Markup

from reportgen.i18n.languages import Language, load_languages
from reportgen.report.numbering import Numbering
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


@pytest.fixture
def zh() -> Numbering:
    """A report in Chinese that has numbered nothing yet."""
    return Numbering(ZH)


@pytest.fixture
def en() -> Numbering:
    """A report in English that has numbered nothing yet."""
    return Numbering(EN)


def test_chinese_sections_are_counted_in_chinese(zh: Numbering) -> None:
    """Sections are counted 一、二、三."""
    assert [
        zh.section("实验目的"),
        zh.section("数据集"),
        zh.section("模型"),
    ] == ["## 一、实验目的", "## 二、数据集", "## 三、模型"]


def test_english_sections_are_counted_in_digits(en: Numbering) -> None:
    """Sections are counted 1, 2, 3."""
    assert [en.section("Aim"), en.section("Data")] == ["## 1. Aim", "## 2. Data"]


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_beyond_the_ordinals_there_are_digits(language: Language) -> None:
    """After the last word for a number the count goes on in digits."""
    numbering = Numbering(language)
    headings = [str(numbering.section("x")) for _ in range(17)]
    fifteenth = {"zh": "## 十五、x", "en": "## 15. x"}[language.code]
    others = {"zh": ["## 16、x", "## 17、x"], "en": ["## 16. x", "## 17. x"]}[language.code]
    assert [fifteenth, *others] == headings[14:]


def test_subsections_begin_anew_in_each_section(zh: Numbering) -> None:
    """Subsections are counted within their section."""
    zh.section("a")
    first = [zh.subsection("b"), zh.subsection("c")]
    zh.section("d")
    assert [*first, zh.subsection("e")] == ["### 1.1 b", "### 1.2 c", "### 2.1 e"]


def test_appendices_have_letters(zh: Numbering, en: Numbering) -> None:
    """Appendices are lettered, apart from the sections."""
    en.section("Aim")
    assert [en.appendix("Runs"), en.appendix("Logs")] == ["## Appendix A. Runs", "## Appendix B. Logs"]
    assert zh.appendix("训练日志") == "## 附录 A　训练日志"


def test_beyond_z_appendices_go_on(en: Numbering) -> None:
    """The 27th appendix is AA, as the columns of a spreadsheet are."""
    headings = [str(en.appendix("x")) for _ in range(28)]
    assert headings[25:] == ["## Appendix Z. x", "## Appendix AA. x", "## Appendix AB. x"]


def test_numbers_follow_the_first_mention(en: Numbering) -> None:
    """What is mentioned first is number 1, wherever it stands; a second mention changes nothing."""
    mentions = [en.ref("figure", name) for name in ("curves", "accuracies", "curves", "confusion", "accuracies")]
    assert mentions == ["Figure 1", "Figure 2", "Figure 1", "Figure 3", "Figure 2"]


def test_figures_and_tables_are_counted_apart(zh: Numbering) -> None:
    """A table and a figure of the same name have their own numbers."""
    assert [
        zh.ref("figure", "a"),
        zh.ref("table", "b"),
        zh.ref("table", "a"),
        zh.ref("figure", "b"),
    ] == ["图 1", "表 1", "表 2", "图 2"]


def test_a_caption_has_the_number_of_its_mention(zh: Numbering, en: Numbering) -> None:
    """The caption of a figure that the text mentioned second says 2; one never mentioned takes the next number."""
    for numbering in (zh, en):
        numbering.ref("figure", "a")
        numbering.ref("figure", "b")
    assert [
        zh.caption("figure", "b", "损失"),
        zh.caption("figure", "c", "混淆矩阵"),
    ] == ["图 2　损失", "图 3　混淆矩阵"]
    assert [
        en.caption("figure", "b", "Loss"),
        en.caption("table", "b", "Runs"),
    ] == ["Figure 2: Loss", "Table 1: Runs"]


def test_plain_text_in_a_heading_or_caption_is_escaped_once(en: Numbering) -> None:
    """A plain string is escaped; a sentence that is Markdown already is not escaped again."""
    assert [
        en.caption("figure", "a", "a|b"),
        en.caption("figure", "a", Markup(r"a\|b")),
        en.section("*x*"),
        en.section(Markup("*x*")),
    ] == [r"Figure 1: a\|b", r"Figure 1: a\|b", r"## 1. \*x\*", "## 2. *x*"]


def test_citations_are_numbered_by_first_use(zh: Numbering) -> None:
    """References are numbered in the order in which they are cited, several at once too, and listed in it."""
    assert [
        zh.cite("elman"),
        zh.cite("hochreiter", "gers"),
        zh.cite("gers", "elman", "cho"),
    ] == [r"\[1\]", r"\[2, 3\]", r"\[3, 1, 4\]"]
    assert zh.cited == ["elman", "hochreiter", "gers", "cho"]
