"""The stage *typeset*: Markdown into the formats that a suite asks for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from reportgen.errors import ReportgenError
from reportgen.i18n.languages import Language
from reportgen.i18n.origins import unmarked
from reportgen.storage.cache import Cache
from reportgen.suite.schema import Format


def require(formats: Sequence[str]) -> None:
    """Raise ReportgenError for a format that there is not, or that needs what is not installed."""
    if unknown := [name for name in formats if name not in get_args(Format)]:
        raise ReportgenError(f"--format: got {unknown[0]!r}, expected one of {', '.join(get_args(Format))}")
    if "docx" in formats:
        from reportgen.report import word

        word.require()


def typeset(
    name: str,
    text: str,
    language: Language,
    second: Mapping[int, str],
    folder: Path,
    formats: Sequence[str],
    template_folders: Sequence[Path],
    manifest: Mapping[str, Any],
    *,
    look: str,
    quick: bool,
    cache: Cache | None = None,
) -> dict[str, bytes]:
    """Turn the Markdown of one report into the formats that the suite asks for: the files by name.

    The text has the marks of its numbers; HTML says the same with attributes, and nothing else has them.
    `second` has the lines in another language, of a report in two, `cache` what was drawn before.

    A Word file takes its styles from `styles/word.docx` in the first of the template folders that has one.
    """
    marked, text = text, unmarked(text)
    made = {"md": text.encode()}
    if "html" in formats or "pdf" in formats:  # WeasyPrint and the fonts cost a second
        from reportgen.report.html import to_html, without_origins
        from reportgen.report.styles import style_sheets
        from reportgen.storage.sealing import in_html

        styles = style_sheets(template_folders, look)
        html = to_html(marked, language, folder, styles, quick=quick, second=second, cache=cache)
        made["html"] = in_html(html, manifest, text)
    if "pdf" in formats:
        from reportgen.report.pdf import Source, to_pdf

        made["pdf"] = to_pdf(without_origins(html), Source(f"report.{name}.md", text, manifest))
    if "docx" in formats:
        from reportgen.report.word import template_in, to_word

        made["docx"] = to_word(text, language, folder, template_in(template_folders), quick=quick)
    return {f"report.{name}.{kind}": made[kind] for kind in formats}
