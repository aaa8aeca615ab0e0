"""One report to PDF, by reportgen and by others: python benchmarks/typesetting.py [BUILD] [--language zh].

BUILD is the folder of a report that is built, build/suite_rnn_vs_lstm unless given. All typeset its Markdown, with
the same figures. What is prepared, and not timed: for the naive way, figures as matplotlib draws them by itself,
with text as outlines; for XeLaTeX, which reads no SVG, figures as pictures; for Typst, its source, by pandoc.

The peers: WeasyPrint with the whole fonts; Chromium's print of the report's HTML; pandoc with XeLaTeX (Debian:
texlive-xetex, texlive-lang-chinese, lmodern); Typst (pip install typst), from pandoc's source. Those that are not
installed are left out.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from costs import HEAD, cost
from measuring import ROOT, machine, row, table

from reportgen import pipeline
from reportgen.figures import style
from reportgen.i18n import fonts
from reportgen.i18n.languages import load_languages
from reportgen.report import word
from reportgen.report.html import to_html
from reportgen.report.styles import style_sheets
from reportgen.resources import TEMPLATES
from reportgen.storage.records import Store

SUITE = ROOT / "experiments" / "suite_rnn_vs_lstm.yaml"
TIMES = 3

_OURS = """
import sys
from pathlib import Path
from reportgen.i18n.languages import load_languages
from reportgen.report.html import to_html
from reportgen.report.pdf import to_pdf
from reportgen.report.styles import style_sheets
from reportgen.resources import TEMPLATES
from reportgen.storage.cache import Cache

file, code, kept = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
(language,) = load_languages([code], [TEMPLATES])
html = to_html(file.read_text("utf-8"), language, file.parent, style_sheets([TEMPLATES]), cache=Cache(kept))
Path(sys.argv[4]).write_bytes(to_pdf(html))
"""
_NAIVE = "import sys, weasyprint; weasyprint.HTML(filename=sys.argv[1]).write_pdf(sys.argv[2])"
_TYPST = (
    "import sys, typst; typst.compile(sys.argv[1], output=sys.argv[2], font_paths=[sys.argv[3]], root=sys.argv[4])"
)

Peer = tuple[str, list[str], Path]
"""What it is called, its command, and the PDF that it writes."""


def main() -> None:
    """Print a table with a row a typesetter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", type=Path, default=ROOT / "build" / SUITE.stem)
    parser.add_argument("--language", default="zh")
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--typst", metavar="PYTHON", default=sys.executable, help="a Python that has typst")
    asked = parser.parse_args()
    print(table(["typesetter", *HEAD, "pages", "MB"], []), flush=True)
    with tempfile.TemporaryDirectory() as place:
        for name, command, pdf in _peers(asked.build.resolve(), asked.language, Path(place), asked.typst):
            try:
                own = cost(command, asked.times)
            except RuntimeError as error:  # one that lacks a font or a package does not keep the others from it
                print(f"left out: {name}: {error}", file=sys.stderr)
                continue
            print(row([name, *own.cells(), _pages(pdf), f"{pdf.stat().st_size / 1e6:.1f}"]), flush=True)
    print("\n" + machine(["weasyprint"], dict(_versions())))


def _peers(build: Path, code: str, place: Path, python: str) -> Iterator[Peer]:
    report = build / f"report.{code}.md"
    yield _ours("reportgen, formulas drawn anew", report, code, place / "none", place)
    kept = place / "kept"
    subprocess.run(_ours("", report, code, kept, place)[1], cwd=ROOT, check=True)  # noqa: S603
    yield _ours("reportgen", report, code, kept, place)
    whole = _whole_fonts(place / "fonts")
    naive = _naive(build, code, place / "naive", whole)
    pdf = place / "naive.pdf"
    yield "WeasyPrint, whole fonts, default figures", [sys.executable, "-c", _NAIVE, str(naive), str(pdf)], pdf
    if chromium := shutil.which("chromium") or shutil.which("google-chrome"):
        pdf = place / "chromium.pdf"
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={pdf}"]
        yield "Chromium's print", [chromium, *options, (build / f"report.{code}.html").as_uri()], pdf
    pandoc = _pandoc()
    if pandoc and shutil.which("xelatex"):
        yield _xelatex(pandoc, report, place / "xelatex", whole)
    if pandoc and _has_typst(python):
        yield _typst(pandoc, report, place / "typst", whole, python)


def _ours(name: str, report: Path, code: str, kept: Path, place: Path) -> Peer:
    pdf = place / "ours.pdf"
    return name, [sys.executable, "-c", _OURS, str(report), code, str(kept), str(pdf)], pdf


def _whole_fonts(folder: Path) -> Path:
    """Write each face as a font file of its own: a collection cannot be named in CSS."""
    from fontTools.ttLib import TTCollection

    folder.mkdir()
    for face in fonts.FACES:
        if face.path.suffix == ".ttc" and not face.emboldened:
            for font in TTCollection(str(face.path)).fonts:
                if font["name"].getDebugName(4) == face.family:
                    font.save(folder / f"{face.family}.otf")
        elif not face.emboldened:
            shutil.copy(face.path, folder / face.path.name)
    return folder


def _naive(build: Path, code: str, folder: Path, whole: Path) -> Path:
    """Write the report as HTML with whole fonts, and figures as matplotlib draws them by itself."""
    (folder / "figures").mkdir(parents=True)
    loaded = pipeline.load(SUITE)
    store = Store(build.parent / "records")
    results = pipeline.collect(pipeline.plan(loaded, store), store)
    findings = pipeline.analyse(results, loaded.claims)
    (language,) = load_languages([code], [TEMPLATES])
    style._RC["svg.fonttype"] = "path"
    pipeline.draw(results, findings, [language], folder, loaded.suite.sections)
    text = (build / f"report.{code}.md").read_text("utf-8")
    html = to_html(text, language, folder, style_sheets([TEMPLATES]))
    rules = "".join(
        f'@font-face{{font-family:"{face.family}";font-weight:{face.weight};'
        f'font-style:{"italic" if face.italic else "normal"};src:url("{(whole / _file(face)).as_uri()}")}}\n'
        for face in fonts.FACES
        if not face.emboldened
    )
    html = re.sub(r"@font-face\{[^}]*\}", "", html).replace("<style>", f"<style>{rules}", 1)
    (folder / "report.html").write_text(html, "utf-8")
    return folder / "report.html"


def _file(face: fonts.Face) -> str:
    return f"{face.family}.otf" if face.path.suffix == ".ttc" else face.path.name


def _xelatex(pandoc: str, report: Path, folder: Path, whole: Path) -> Peer:
    folder.mkdir()
    text = report.read_text("utf-8")
    for name in dict.fromkeys(re.findall(r"\]\((figures/[^)]+\.svg)\)", text)):
        drawn = word._drawn(report.parent / name, folder)
        text = text.replace(name, drawn)
    (folder / "report.md").write_text(text, "utf-8")
    pdf = folder / "report.pdf"
    variables = [
        "documentclass=article", "geometry:a4paper,margin=2.5cm", "fontsize=11pt",
        "mainfont=SourceSansPro-Regular.otf", f"mainfontoptions=Path={whole}/,BoldFont=SourceSansPro-Semibold.otf",
        "CJKmainfont=Noto Sans CJK SC.otf", f"CJKoptions=Path={whole}/",
        "monofont=DejaVuSansMono.ttf", f"monofontoptions=Path={whole}/",
    ]  # fmt: skip
    command = [pandoc, str(folder / "report.md"), "-o", str(pdf), "--pdf-engine=xelatex", "--toc", "--quiet",
               f"--resource-path={folder}", *(f"--variable={variable}" for variable in variables)]  # fmt: skip
    return "pandoc with XeLaTeX (figures as pictures)", command, pdf


def _typst(pandoc: str, report: Path, folder: Path, whole: Path, python: str) -> Peer:
    folder.mkdir()
    shutil.copytree(report.parent / "figures", folder / "figures")
    source = folder / "report.typ"
    options = ["--to=typst", "--standalone", "--toc", "--variable=papersize=a4", "--variable=fontsize=11pt"]
    command = [pandoc, str(report), *options, "--variable=mainfont=Source Sans Pro", "-o", str(source)]
    subprocess.run(command, check=True)  # noqa: S603
    stack = '#set text(font: ("Source Sans Pro", "Noto Sans CJK SC", "DejaVu Sans"))\n'
    text = source.read_text("utf-8").replace("dot.circle", "dot.o")  # its name since Typst 0.14
    source.write_text(text.replace("#outline(", f"{stack}#outline(", 1), "utf-8")
    pdf = folder / "report.pdf"
    return "Typst", [python, "-c", _TYPST, str(source), str(pdf), str(whole), str(folder)], pdf


def _has_typst(python: str) -> bool:
    asked = [python, "-c", "import typst"]
    return not subprocess.run(asked, capture_output=True, check=False).returncode  # noqa: S603


def _pandoc() -> str | None:
    if find_spec("pypandoc"):
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    return shutil.which("pandoc")


def _versions() -> Iterator[tuple[str, str]]:
    for name, command in (("Chromium", ["chromium", "--version"]), ("XeTeX", ["xelatex", "--version"])):
        if shutil.which(command[0]):
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
            yield name, " ".join(re.findall(r"\d+\.\d[\d.]*", said)[:1])


def _pages(pdf: Path) -> int:
    from pypdf import PdfReader

    return len(PdfReader(pdf).pages)


if __name__ == "__main__":
    main()
