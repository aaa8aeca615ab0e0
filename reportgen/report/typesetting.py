"""The stage *typeset*: Markdown into the formats that a suite asks for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reportgen.languages import Language


def typeset(
    text: str,
    language: Language,
    folder: Path,
    formats: Sequence[str],
    template_folders: Sequence[Path],
    manifest: Mapping[str, Any],
    *,
    quick: bool,
) -> dict[str, bytes]:
    """Turn the Markdown of one language into the formats that the suite asks for: the files by name."""
    made = {"md": text.encode()}
    if "html" in formats or "pdf" in formats:  # WeasyPrint and the fonts cost a second
        from reportgen.report.html import to_html
        from reportgen.report.sealing import in_html
        from reportgen.report.styles import style_sheets

        html = to_html(text, language, folder, style_sheets(template_folders), quick=quick)
        made["html"] = in_html(html, manifest, text)
    if "pdf" in formats:
        from reportgen.report.pdf import Source, to_pdf

        made["pdf"] = to_pdf(html, Source(f"report.{language.code}.md", text, manifest))
    return {f"report.{language.code}.{kind}": made[kind] for kind in formats}
