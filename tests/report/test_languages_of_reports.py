"""Reports in several languages: one document in two, a third language, and the gate between them."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from conftest import build
from pypdf import PdfReader
from ruamel.yaml import YAML
from tiny_suites import TINY_IN

from reportgen import pipeline
from reportgen.errors import SuiteError, TemplateError
from reportgen.i18n.languages import Language, load_languages
from reportgen.report import language_parity
from reportgen.report.bilingual import bilingual, blocks
from reportgen.resources import TEMPLATES
from reportgen.suite.schema import Suite, parts_of

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


def german() -> str:
    """Return a catalogue of a third language: the English one, with ß before each sentence."""
    tree = YAML(typ="safe").load((TEMPLATES / "text.en.yaml").read_text("utf-8"))
    fixed = (".list", ".heading", ".caption", ".addition.studies.colon", ".setting.", ".value.")

    def marked(node: object, key: str = "") -> object:
        if isinstance(node, dict):
            return {name: marked(child, f"{key}.{name}") for name, child in node.items()}
        return node if key.startswith(fixed) or not isinstance(node, str) else f"ß{node}"

    return json.dumps(marked(tree), ensure_ascii=False)


@pytest.fixture(scope="module")
def reports(tiny_build: pipeline.Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny suite in Chinese and English in one document, and in German, from the records of the tiny suite."""
    folder = tmp_path_factory.mktemp("tongues")
    (folder / "templates").mkdir()
    (folder / "templates/text.de.yaml").write_text(german(), "utf-8")
    (folder / "tongues.yaml").write_text(TINY_IN + "languages: [zh+en, de]\n", "utf-8")
    outcome = build(folder / "tongues.yaml", tiny_build.folder.parent)
    assert outcome.trained == 0
    assert [file.name for file in outcome.reports] == [
        f"report.{name}.{kind}" for name in ("zh+en", "de") for kind in ("md", "html", "pdf")
    ]
    return outcome.folder


def numbers(text: str) -> list[str]:
    """Return the percentages and the numbers with decimals in a text."""
    return re.findall(r"\d+\.\d+%?", text)


@pytest.mark.slow
def test_one_document_has_both_languages(reports: Path) -> None:
    """Headings and captions are in two languages, texts one after the other, figures and tables once."""
    text = (reports / "report.zh+en.md").read_text("utf-8")
    assert "\n## 二、实验环境 Environment\n" in text
    assert "\n### 7.1 模型性能比较 Comparison of the models\n" in text
    assert "\n## 附录 A　全部训练 All runs\n" in text
    assert "**表 1　硬件与软件环境\\\nTable 1: Hardware and software**\n\n| 项目 Item | 取值 Value |" in text
    assert "| CUDA | 无 / none |" in text
    assert "| 隐藏层维度 / Hidden size `model.hidden_size` | 12 |" in text
    assert re.search(r"\n表 1 列出了.*\n\nTable 1 lists .*\n\n\*\*", text)
    kinds = [block.kind for block in blocks(text)]
    alone = [block.kind for block in blocks((reports / "report.de.md").read_text("utf-8"))]
    for kind in ("heading", "table", "figure", "code", "equation"):
        assert kinds.count(kind) == alone.count(kind), kind
    assert len(re.findall(r"!\[图 \d+[^]]*\\\nFigure \d+: ", text)) == alone.count("figure")
    assert {path.name.split(".")[-2] for path in (reports / "figures").iterdir()} == {"zh", "de"}


def _english(reports: Path) -> str:
    """Return the report of the tiny suite in English, from the folder beside."""
    return (reports.parent / "tiny" / "report.en.md").read_text("utf-8")


def test_a_document_in_two_languages_marks_the_second(reports: Path) -> None:
    """In the HTML each text of the second language says which it is, and the captions have both."""
    html = (reports / "report.zh+en.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in html
    assert re.search(r'<p lang="en">Table 1 lists the hardware', html)
    assert re.search(r"<caption><strong>表 1[^<]*<br />\s*Table 1: Hardware and software</strong>", html)
    assert re.search(r"<figcaption>图 1[^<]*<br />\s*Figure 1: ", html)
    assert not re.search(r'<p lang="en">[^<]*[\u4e00-\u9fff]{3}', html)
    assert "目录 Contents" in html


def test_items_of_lists_stand_together() -> None:
    """The text of an item is followed by that of the other language, inside the same item."""
    merged = bilingual("## 一、甲\n\n- 一\n- 二\n", "## 1. A\n\n- one\n- two\n", (ZH, EN))
    assert merged.text == "## 一、甲 A\n\n- 一\n\n  one\n\n- 二\n\n  two\n"
    assert merged.second == {4: "en", 8: "en"}


def test_what_does_not_run_side_by_side_comes_one_after_the_other() -> None:
    """A suite's own words may have more paragraphs in one language: they are kept together."""
    merged = bilingual("## 一、甲\n\n一\n\n## 二、乙\n", "## 1. A\n\none\n\n- two\n\n## 2. B\n", (ZH, EN))
    assert merged.text == "## 一、甲 A\n\n一\n\none\n\n- two\n\n## 二、乙 B\n"


def test_a_third_language_is_one_file(reports: Path) -> None:
    """A catalogue beside the suite is all: numbers, percentages and dates are the language's own."""
    text = (reports / "report.de.md").read_text("utf-8")
    english = (reports / "report.zh+en.md").read_text("utf-8")
    assert "**ßDate** 21\\. November 2026" in text
    assert "| 1,911 |" in english
    assert "| 1.911 |" in text
    shares = re.findall(r"\d+,\d+\u00a0%", text)
    assert len(shares) > 30
    # the level of the tests and the intervals are words of the catalogue
    assert set(re.findall(r"\d+%", text)) <= {"5%", "90%", "95%", "100%"}
    percentages = {share.replace("\u00a0", "").replace(",", ".") for share in shares}
    assert percentages == set(re.findall(r"\d+\.\d+%", english))


def test_the_figures_of_a_third_language_are_in_it(reports: Path) -> None:
    """The axes of its figures have its words and its numbers."""
    svg = (reports / "figures/accuracies.de.svg").read_text("utf-8")
    ticks = re.findall(r">([\d.,]+\u00a0?%)<", unescape(svg))
    assert ticks
    assert all(tick.endswith("\u00a0%") and "." not in tick for tick in ticks)
    assert "ß" in "".join(re.findall(r">([^<]*)</t", svg))
    loss = (reports / "figures/loss.de.svg").read_text("utf-8")
    assert re.search(r">\d+,\d+<", loss)
    assert not re.search(r">\d+\.\d+<", loss)


def test_the_pdf_of_a_third_language_has_its_letters(reports: Path) -> None:
    """Author and text are in the PDF, in the fonts that come with the installation, as are both languages."""
    reader = PdfReader(reports / "report.de.pdf")
    text = "".join(page.extract_text() for page in reader.pages)
    assert "Ä. Müller" in text
    assert "ßEnvironment" in text
    assert str(reader.root_object["/Lang"]) == "de"
    both = "".join(page.extract_text() for page in PdfReader(reports / "report.zh+en.pdf").pages)
    assert "实验环境" in both
    assert "Environment" in both


def test_numbers_are_written_the_way_of_the_language(tmp_path: Path) -> None:
    """The signs come from CLDR: a comma before decimals, a space before the sign of percent."""
    shutil.copy(TEMPLATES / "text.en.yaml", tmp_path / "text.de.yaml")
    (own,) = load_languages(["de"], [tmp_path])
    assert [own.number(1234.5, 1), own.percent(-0.0123, 2), own.integer(1234567), own.significant(0.002)] == [
        "1.234,5", "−1,23\u00a0%", "1.234.567", "0,002",
    ]  # fmt: skip
    assert [own.localised("12.5%"), own.localised("1,000"), EN.localised("12.5%")] == [
        "12,5\u00a0%",
        "1.000",
        "12.5%",
    ]


def suite(**changes: object) -> Suite:
    """Return a suite whose label has a number in one language alone."""
    labels = {"zh": "二层 LSTM", "en": "LSTM, 2 layers"}
    return Suite.model_validate(
        {
            "title": {"zh": "一", "en": "Part 1"},
            "data": {"source": "surnames"},
            "runs": [{"name": "a", "label": labels, "model": {"cell": "lstm"}}],
            **changes,
        }
    )


def compared(zh: str, en: str, **changes: object) -> str:
    """Return what the gate says of two reports; nothing if it lets them pass."""
    try:
        language_parity.check({"zh": f"# T\n\n{zh}", "en": f"# T\n\n{en}"}, suite(**changes), [ZH, EN], {})
    except TemplateError as error:
        return str(error).partition(";")[0]
    return ""


@pytest.mark.parametrize(
    ("zh", "en", "expected"),
    [
        ("## 一、甲\n\n共 5 次，82.9%。", "## 1. A\n\n82.9% in 5 runs.", ""),
        (
            "## 一、甲\n\n共 5 次。",
            "## 1. A\n\nFive runs.",
            "the report in en lacks the number 5 in the section “1. A”, which the report in zh has there",
        ),
        ("## 一、甲\n\n共 1 次。", "## 1. A\n\nTrained once.", ""),
        (
            "## 一、甲\n\n## 二、乙\n",
            "## 1. A\n",
            "the report in en lacks the section “二、乙”, which that in zh has",
        ),
        (
            "## 一、甲\n\n![图 1](figures/loss.zh.svg)",
            "## 1. A\n\nFigure 1",
            "the report in en lacks the figure “figures/loss.svg” in the section “1. A”, which the report in zh "
            "has there",
        ),
        ("## 一、甲\n\n![图 1](figures/loss.zh.svg)", "## 1. A\n\n![Figure 1](figures/loss.en.svg)", ""),
        (
            "## 一、甲\n\nx",
            "## 1. A\n\n| a | b |\n|:--|:--|\n| x | y |",
            "the report in zh lacks the table “1 × 2” in the section “一、甲”, which the report in en has there",
        ),
        (
            "## 一、甲\n\n| a |\n|:--|\n| 0.25 |",
            "## 1. A\n\n| a |\n|:--|\n| 0.52 |",
            "the report in en lacks the number 0.25 in the section “1. A”, which the report in zh has there",
        ),
        ("## 一、甲\n\n二层 LSTM 为 3。", "## 1. A\n\nLSTM, 2 layers has 3.", ""),
        ("## 一、甲\n\n`x2` $x_7$", "## 1. A\n\n`x3`", ""),
    ],
)  # fmt: skip
def test_the_gate_names_section_and_number(zh: str, en: str, expected: str) -> None:
    """Whatever one report has and another lacks is named; own words may differ, and a one may be a word."""
    assert compared(zh, en) == expected


def test_the_gate_reads_numbers_as_each_language_writes_them(tmp_path: Path) -> None:
    """17.036 is a German 17,036, and 0,5 is 0.5."""
    shutil.copy(TEMPLATES / "text.en.yaml", tmp_path / "text.de.yaml")
    (own,) = load_languages(["de"], [tmp_path])
    texts = {"en": "## A\n\n17,036 and 0.5 and 2.13.0 and 1e-05", "de": "## A\n\n0,5, 17.036, 1e-05 und 2.13.0"}
    language_parity.check(texts, suite(), [EN, own], {})
    with pytest.raises(TemplateError, match=r"the report in de lacks the number 0\.5"):
        language_parity.check(texts | {"de": texts["de"].replace("0,5", "0,7")}, suite(), [EN, own], {})


def test_a_sentence_that_drops_a_number_in_one_language_ends_the_build(
    tiny_build: pipeline.Outcome, tmp_path: Path
) -> None:
    """The build says in which section of which report which number is missing, and leaves no report."""
    (tmp_path / "templates").mkdir()
    own = "summary: {leader: '{leader} is best, with a loss of {loss}.'}"
    (tmp_path / "templates/text.en.yaml").write_text(own, "utf-8")
    (tmp_path / "gate.yaml").write_text(TINY_IN + "formats: [md]\n", "utf-8")
    with pytest.raises(TemplateError) as caught:
        build(tmp_path / "gate.yaml", tiny_build.folder.parent)
    assert re.match(r"the report in en lacks the number [\d.]+ in the section “9. Summary”", str(caught.value))
    assert not list((tiny_build.folder.parent / "gate").glob("report.*"))


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (
            "[zh+fr]",
            "languages[0]: got 'fr', expected a language with a catalogue: en, zh; "
            "reportgen template copy text.fr.yaml begins one",
        ),
        ("[zh+zh]", "languages[0]: got 'zh+zh', expected two languages that differ, such as zh+en"),
    ],
)
def test_a_pair_of_languages_has_to_be_two_that_there_are(tmp_path: Path, languages: str, expected: str) -> None:
    """Both need a catalogue, and they have to differ."""
    (tmp_path / "suite.yaml").write_text(f"{TINY_IN}languages: {languages}\n", "utf-8")
    with pytest.raises(SuiteError) as caught:
        pipeline.load(tmp_path / "suite.yaml")
    assert str(caught.value).endswith(expected)
    assert parts_of("zh+en") == ["zh", "en"]


def test_every_literal_number_of_the_catalogues_is_in_both() -> None:
    """A sentence that ships has the same digits in each language, but for a one, which may be a word."""

    def literal(language: Language, key: str) -> list[str]:
        message = language.messages[key]
        text = message if isinstance(message, str) else message["other"]
        return sorted(
            n for n in re.findall(r"\d+(?:\.\d+)?", re.sub(r"\$[^$]*\$|`[^`]*`|\{\w+\}", "", text)) if n != "1"
        )

    skipped = re.compile(r"heading\.|reference\.|class\.")
    differing = [key for key in ZH.messages if not skipped.match(key) and literal(ZH, key) != literal(EN, key)]
    assert differing == []
