"""A document typeset for tests."""

import io
from pathlib import Path

from pypdf import PdfReader

from reportgen.i18n.languages import load_languages
from reportgen.report.html import to_html
from reportgen.report.pdf import to_pdf
from reportgen.report.styles import style_sheets
from reportgen.resources import TEMPLATES

LANGUAGES = {language.code: language for language in load_languages(["zh", "en"], [TEMPLATES])}


STYLE = "\n".join(style_sheets([TEMPLATES]))


def typeset(markdown: str, language: str = "en", folder: Path = Path()) -> PdfReader:
    """Return the document as a PDF that can be asked about."""
    return PdfReader(io.BytesIO(to_pdf(to_html(markdown, LANGUAGES[language], folder, [STYLE]))))
