"""How figures share the pages of the PDF."""

import io
import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

from reportgen.figures.curves import learning_curves
from reportgen.figures.curves import test_accuracies as draw_accuracies  # pytest would take it for a test
from reportgen.figures.matrices import confusion_matrix
from reportgen.figures.style import drawing, to_svg
from reportgen.i18n.languages import Language, load_languages
from reportgen.report.html import to_html
from reportgen.report.pdf import to_pdf
from reportgen.resources import TEMPLATES
from reportgen.tasks.classification.settings import SURNAME_LANGUAGES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
STYLE = (TEMPLATES / "styles" / "report.css").read_text("utf-8")
MODEL = {
    "zh": "双向的长短期记忆网络（由我们小组手写实现的版本，隐藏层大小为 64）",
    "en": "the bidirectional LSTM that our group has written by hand, with a hidden size of 64",
}
_PAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="750"><path d="M 0 0 H 9"/></svg>'
"""A picture that leaves no room on the page of a heading."""


def pages(
    figure: Figure, count: int, above: str, caption: str, language: Language, folder: Path
) -> list[list[str]]:
    """Typeset a figure several times below a paragraph, from the top of a page.

    Returns the numbers of the figures on each page that has any.
    """
    (folder / "figure.svg").write_text(to_svg(figure, language.code), "utf-8")
    captions = [
        language.say("caption.figure", ref=language.say("caption.figure_ref", number=i + 1), text=caption)
        for i in range(count)
    ]
    (folder / "page.svg").write_text(_PAGE, "utf-8")
    text = "\n\n".join(["# T", "## R", "![](page.svg)", above, *(f"![{words}](figure.svg)" for words in captions)])
    reader = PdfReader(io.BytesIO(to_pdf(to_html(text, language, folder, [STYLE]))))
    texts = [re.sub(r"\s", "", page.extract_text()) for page in reader.pages]
    start = re.sub(r"\s", "", caption)[:5]
    return [re.findall(rf"(\d):?{re.escape(start)}", text) for text in texts if start in text]


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_two_confusion_matrices_share_a_page(language: Language, tmp_path: Path) -> None:
    """Four matrices of 18 classes take two pages, with a paragraph and captions of two lines."""
    classes = [language.class_name("surnames", name) for name in SURNAME_LANGUAGES]
    caption = language.say("figure_caption.confusion", model=MODEL[language.code], count=3)
    above = language.say("results.confusion", figures="A, B, C, D")
    with drawing("".join(map(str, language.messages.values())), language.code):
        figure = confusion_matrix(np.eye(18), classes, language)
        found = pages(figure, 4, above, caption, language, tmp_path)
    assert found == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("models", [4, 12])
@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_both_learning_curves_share_a_page(language: Language, models: int, tmp_path: Path) -> None:
    """Two figures of as many curves as one shows take one page, with a heading and captions of two lines."""
    labels = {f"v{i}": f"GRU (hidden_size = {i})" for i in range(models)}
    rows = [
        {"variant": variant, "metric": metric, "epoch": epoch, "mean": 0.5, "low": 0.4, "high": 0.6}
        for variant, metric, epoch in product(labels, ("train_loss", "heldout_loss"), (1, 2))
    ]
    plain = language.say("figure_caption.loss_band")
    caption = language.say("figure_caption.some", caption=plain, shown=12, total=20)
    above = language.say("results.accuracy_curves", figure="A", part=language.say("part.validation"))
    with drawing("".join([*labels.values(), *map(str, language.messages.values())]), language.code):
        figure = learning_curves(pd.DataFrame(rows), labels, "validation", language, "loss")
        found = pages(figure, 2, f"### H\n\n{above}", caption, language, tmp_path)
    assert found == [["1", "2"]]


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_forty_models_have_their_accuracies_on_one_page(language: Language, tmp_path: Path) -> None:
    """The tallest figure of accuracies shares its page with what introduces it and a caption of two lines."""
    labels = {f"v{i}": f"{MODEL[language.code]} ({i})" for i in range(40)}
    runs = pd.DataFrame({"variant": list(labels), "test_accuracy": np.linspace(0.5, 0.9, 40)})
    plain = language.say("figure_caption.accuracies")
    caption = language.say("figure_caption.some", caption=plain, shown=40, total=44)
    with drawing("".join([*labels.values(), *map(str, language.messages.values())]), language.code):
        figure = draw_accuracies(runs, runs, labels, language)
        found = pages(figure, 1, language.say("results.accuracies", figure="A"), caption, language, tmp_path)
    assert found == [["1"]]


def test_a_picture_taller_than_a_page_is_made_smaller(tmp_path: Path) -> None:
    """Even such a picture shares its page with its caption and with what introduces it."""
    with drawing("", "en"):
        (tmp_path / "figure.svg").write_text(to_svg(Figure(figsize=(6, 14)), "en"), "utf-8")
    html = to_html("# T\n\n## R\n\nAbove.\n\n![Below.](figure.svg)", EN, tmp_path, [STYLE])
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(html))).pages]
    assert ["Below." in text for text in texts if "Above." in text] == [True]


@pytest.mark.parametrize(("language", "least", "most"), [("zh", 20, 20), ("en", 6, 12)])
def test_quotation_marks_are_measured_as_wide_as_they_are_shown(language: str, least: float, most: float) -> None:
    """In Chinese “ and ” are a full square each, of 10 points here; in English they are narrow."""
    with drawing("“”", language):
        figure = Figure(dpi=72)
        words = figure.text(0.5, 0.5, "“”x", fontsize=10), figure.text(0.5, 0.5, "x", fontsize=10)
        both, letter = (text.get_window_extent().width for text in words)
    assert least - 1 <= both - letter <= most + 1
