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
from urllib.parse import unquote

from reportgen.errors import MissingPrerequisiteError, reading
from reportgen.i18n.languages import Language
from reportgen.report.formulas import without_tag
from reportgen.report.html import width
from reportgen.report.pdf import to_pdf
from reportgen.resources import TEMPLATES

_PACKAGES = {"pypandoc": "pypandoc-binary", "pypdfium2": "pypdfium2", "docx": "python-docx"}
_READER = "commonmark+pipe_tables+strikeout+tex_math_dollars+implicit_figures+footnotes"
_DOTS_PER_INCH = 220
_PICTURE = re.compile(r"(?i)\]\((?:<(?P<quoted>[^<>]+\.(?:svg|webp))>|(?P<bare>[^()\s]+\.(?:svg|webp)))")
"""A picture that Word cannot show as it is."""

_EDGES = re.compile(
    r"(?ms)^(`{3,}).*?^\1`*$|(?<!`)(`+)(?!`)[^\n]*?(?<!`)\2(?!`)"
    r"|(?<=[\u2010-\u2027\u3000-\u303f\uff00-\uffef)\]])(?P<after>\*{1,3})(?=[\u3400-\u9fff])"
    r"|(?<=[\u3400-\u9fff])(?P<before>\*{1,3})(?=[\u2010-\u2027\u3000-\u303f\uff00-\uffef(\[])"
)
"""Code, or a mark of emphasis between punctuation and a Chinese character, which pandoc takes for asterisks."""

_TAGGED = re.compile(r"\$\$(?P<latex>(?:(?!\$\$).)*\\tag(?:(?!\$\$).)*)\$\$", re.DOTALL)
_POINTS = {"": 0.75, "px": 0.75, "pt": 1, "mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72, "pc": 12, "em": 12, "ex": 6}
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
        text = _PICTURE.sub(
            lambda found: f"]({_drawn(folder / unquote(found['quoted'] or found['bare']), pictures)}", markdown
        )
        text = _EDGES.sub(_apart, text)
        text = _TAGGED.sub(lambda found: f"$${_with_number(found['latex'])}$$", text)
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
    elements = document.element.body.iterchildren(qn("w:tbl"))  # a table has no public name for its own
    for table, element in zip(document.tables, elements, strict=True):
        cells = [list(row.cells) for row in table.rows]
        needs = [
            max(min(width(cell.text) + 2, _WIDEST_CELL) for cell in column) for column in zip(*cells, strict=True)
        ]
        shares = [int(whole * need / sum(needs)) for need in needs]
        table.autofit = False
        for column, share in zip(element.find(qn("w:tblGrid")), shares, strict=True):
            column.w = share
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
    (paragraph,) = page.footer.part.element.iter(qn("w:p"))
    paragraph.append(parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"/>'))
    document.styles["Verbatim Char"].font.size = Pt(7.5)
    for style in document.styles:
        if style.name.endswith("Caption"):
            style.font.italic = False
            style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        elif style.name.endswith("Figure"):
            style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
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


def _apart(found: re.Match[str]) -> str:
    """Part a mark of emphasis from a Chinese character by an entity, which counts as punctuation."""
    if found["after"]:
        return f"{found['after']}&#8203;"
    return f"&#8203;{found['before']}" if found["before"] else found[0]


def _with_number(latex: str) -> str:
    """Return a formula with its number at its end, since pandoc knows no \\tag."""
    formula, number = without_tag(latex)
    return f"{formula} \\qquad \\text{{{number}}}"


def _drawn(picture: Path, to: Path) -> str:
    """Draw a picture as PNG; return its name in `to`.

    Word knows nothing of the fonts inside an SVG figure, and older ones nothing of WebP.
    """
    file = to / f"{len(list(to.iterdir()))}.png"
    if picture.suffix.lower() == ".webp":
        from PIL import Image

        with Image.open(picture) as image:
            image.save(file)
        return file.name
    import pypdfium2

    found: Any = pypdfium2.PdfDocument(to_pdf(_page(picture.read_text("utf-8"))))
    found[0].render(scale=_DOTS_PER_INCH / 72).to_pil().save(file, dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return file.name


def _page(svg: str) -> str:
    """Return an HTML page that is as large as the figure."""
    width, height = _size(svg)
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<html lang="en"><title>figure</title><style>@page{{size:{width:g}pt {height:g}pt;margin:0}}'
        f"img{{display:block;width:{width:g}pt;height:{height:g}pt}}body{{margin:0}}</style>"
        f'<img alt="figure" src="data:image/svg+xml;base64,{data}">'
    )


def _size(svg: str) -> tuple[float, float]:
    """Return width and height of an SVG in points: its own, its view box's, or what CSS gives without both."""
    root = (re.search(r"<svg\b[^>]*>", svg) or [""])[0]
    sides = [re.search(rf"""\s{side}=["']\s*([\d.]+)([a-z]*)\s*["']""", root) for side in ("width", "height")]
    if all(side and side[2] in _POINTS for side in sides):
        width, height = (float(side[1]) * _POINTS[side[2]] for side in sides if side)
        return width, height
    box = re.search(r"""viewBox=["'][-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.]+)[\s,]+([\d.]+)["']""", root)
    return (float(box[1]) * 0.75, float(box[2]) * 0.75) if box else (225.0, 112.5)


@contextmanager
def _constant_time() -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or _CONSTANT_TIME
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
