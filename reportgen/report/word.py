"""Markdown to Word, by pandoc: headings, tables, figures, and formulas that Word can edit."""

import base64
import io
import os
import re
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reportgen.errors import MissingPrerequisiteError, reading
from reportgen.i18n.languages import Language
from reportgen.report.html import width
from reportgen.report.pdf import to_pdf
from reportgen.resources import TEMPLATES

_PACKAGES = {"pypandoc": "pypandoc-binary", "pypdfium2": "pypdfium2", "docx": "python-docx"}
_READER = "commonmark+pipe_tables+strikeout+tex_math_dollars+implicit_figures"
_DOTS_PER_INCH = 220
_PICTURE = re.compile(r"\]\(([^()\s]+\.svg)\)")
_TITLE = re.compile(r"\A(?P<above>(?:(?!#).*\n)+)(?P<title># .*\n)")
"""A title with other words of the cover above it: Word begins a document with its title."""

_WIDEST_CELL, _SMALL_ABOVE = 30, 70
"""Columns of text that a cell counts as at most, and those of a row above which a table is set in small type."""

_CONSTANT_TIME = "315532800"
"""1980-01-01, the first date that a ZIP archive can hold."""


def require() -> None:
    """Raise MissingPrerequisiteError, which says what to install, unless Word files can be written here."""
    if lacking := [package for module, package in _PACKAGES.items() if find_spec(module) is None]:
        raise MissingPrerequisiteError(
            f"formats: got docx, which needs {' and '.join(lacking)}: pip install 'reportgen[docx]'"
        )


def template_in(folders: Iterable[Path]) -> Path | None:
    """Return the Word file in the first of the template folders that has one, whose styles a report takes.

    Raises InputError for one that is none.
    """
    import docx

    file = next((file for folder in folders if (file := folder / "styles" / "word.docx").is_file()), None)
    if file is not None:
        with reading(file, "a Word file, .docx"):
            document = docx.Document(str(file))
            _ = document.sections[0].page_width, [style.name for style in document.styles]
    return file


def to_word(
    markdown: str, language: Language, folder: Path, template: Path | None = None, *, quick: bool = False
) -> bytes:
    """Return the document as a Word file.

    Args:
        markdown: the report; its first heading is the title, what comes before the next one the cover.
        language: of the document.
        folder: where the report lies, with its figures.
        template: a Word file whose styles, margins, header and footer the report takes, such as a school's own.
        quick: print “quick” below the title.

    Raises MissingPrerequisiteError without pandoc.
    """
    require()
    import pypandoc

    with TemporaryDirectory() as temporary, _constant_time():
        pictures = Path(temporary)
        markdown = _TITLE.sub(r"\g<title>\n\g<above>", markdown)
        text = _PICTURE.sub(lambda found: f"]({_drawn(folder / found[1], pictures)})", markdown)
        if quick:
            text = re.sub(r"\A(# .*\n)", lambda title: f"{title[0]}\n**{language.say('quick.mark')}**\n", text)
        file = pictures / "report.docx"
        pypandoc.convert_text(
            text,
            "docx",
            format=_READER,
            outputfile=str(file),
            extra_args=[
                "--standalone",
                "--shift-heading-level-by=-1",
                f"--metadata=contents-title:{language.say('contents.title')}",
                f"--metadata=lang:{'zh-CN' if language.code == 'zh' else language.code}",
                f"--resource-path={pictures}{os.pathsep}{folder}",
                f"--reference-doc={template or _template(pictures / 'template.docx')}",
                "--quiet",
                f"--lua-filter={TEMPLATES / 'styles' / 'word.lua'}",
            ],
        )
        _fit_tables(file)
        return _undated(file)


def _fit_tables(file: Path) -> None:
    """Share the width of the page among a table's columns by what is in them; pandoc makes them all equal."""
    import docx
    from docx.oxml.ns import qn
    from docx.shared import Pt

    document = docx.Document(str(file))
    page = document.sections[0]
    whole = page.page_width - page.left_margin - page.right_margin
    for table in document.tables:
        cells = [list(row.cells) for row in table.rows]
        needs = [
            max(min(width(cell.text) + 2, _WIDEST_CELL) for cell in column) for column in zip(*cells, strict=True)
        ]
        shares = [int(whole * need / sum(needs)) for need in needs]
        table.autofit = False
        for grid, share in zip(table._tbl.tblGrid.iterchildren(qn("w:gridCol")), shares, strict=True):
            grid.w = share
        for row in cells:
            for cell, share in zip(row, shares, strict=True):
                cell.width = share
                if sum(needs) > _SMALL_ABOVE:
                    for run in (run for paragraph in cell.paragraphs for run in paragraph.runs):
                        run.font.size = Pt(8)
    document.save(str(file))


def _template(file: Path) -> Path:
    """Write a Word file with the styles of a report: A4, page numbers, small code, tables between lines."""
    import docx
    import pypandoc
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls, qn
    from docx.shared import Cm, Pt

    asked = [pypandoc.get_pandoc_path(), "--print-default-data-file=reference.docx"]
    file.write_bytes(subprocess.run(asked, capture_output=True, check=True).stdout)  # noqa: S603 - our own pandoc
    document = docx.Document(str(file))
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2.5)
    number = page.footer.paragraphs[0]
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    number._p.append(parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"/>'))
    document.styles["Verbatim Char"].font.size = Pt(7.5)
    for style in document.styles:
        if style.name.endswith("Caption"):
            style.font.italic = False
    lines = "".join(f'<w:{side} w:val="single" w:sz="8" w:space="0"/>' for side in ("top", "bottom"))
    borders = parse_xml(f"<w:tblBorders {nsdecls('w')}>{lines}</w:tblBorders>")
    document.styles["Table"].element.find(qn("w:tblPr")).append(borders)
    document.save(str(file))
    return file


def _undated(file: Path) -> bytes:
    """Return a ZIP archive whose entries bear no date: equal reports have equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _drawn(svg: Path, to: Path) -> str:
    """Draw an SVG figure as PNG, since Word knows nothing of the fonts inside it; return its name in `to`."""
    import pypdfium2

    found: Any = pypdfium2.PdfDocument(to_pdf(_page(svg.read_text("utf-8"))))
    file = to / f"{svg.stem}.png"
    found[0].render(scale=_DOTS_PER_INCH / 72).to_pil().save(file, dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return file.name


def _page(svg: str) -> str:
    """Return an HTML page that is as large as the figure."""
    width, height = (re.search(rf'<svg[^>]*?\s{side}="([\d.]+)(?:pt|px)?"', svg) for side in ("width", "height"))
    if width is None or height is None:
        raise ValueError("a figure without a size")
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<html lang="en"><title>figure</title><style>@page{{size:{width[1]}pt {height[1]}pt;margin:0}}'
        f"img{{display:block;width:{width[1]}pt;height:{height[1]}pt}}body{{margin:0}}</style>"
        f'<img alt="figure" src="data:image/svg+xml;base64,{data}">'
    )


@contextmanager
def _constant_time() -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or _CONSTANT_TIME
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
