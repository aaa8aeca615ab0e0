"""Whatever is in a file that a user brings: it is read, or refused with one clear message, and soon.

A reader of another kind of file is one more line of READERS.
"""

import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import numpy as np
import pytest
from archives import LIMITS, member, tar
from conftest import GOLDEN
from fuzzing import damaged, fuzzed, timed, told
from hypothesis import given
from hypothesis import strategies as st
from kinds import LINE_LOGS, SERIES, TABLE_LOGS, TABLES, Kind
from logs import CSV as LOG
from logs import KERAS, LIGHTNING, TWO_LINES
from PIL import Image
from student_layers import LAYER

from reportgen.cli import try_code
from reportgen.data_files.fetching import plain_files
from reportgen.errors import InputError, ReportgenError, visible
from reportgen.i18n import fonts
from reportgen.i18n.languages import load_languages
from reportgen.importers import records
from reportgen.lab.record import Record, to_files
from reportgen.lab.user_source import UserClass, user_code_digest
from reportgen.planning import plan
from reportgen.provenance import reading
from reportgen.provenance.why import read_results
from reportgen.report import markdown, pdf, styles, word
from reportgen.report.html import to_html
from reportgen.resources import TEMPLATES
from reportgen.storage import manifest, sealing
from reportgen.storage.records import Store
from reportgen.suite import custom_sections
from reportgen.suite.document import Document
from reportgen.suite.files import fault_of_source
from reportgen.suite.imports import Format, ImportSettings
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.settings import FolderSettings, PolaritySettings, TableSettings
from reportgen.tasks.classification.vectors import read_vectors
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.settings import SeriesSettings

(EN,) = load_languages(["en"], [TEMPLATES])
ROWS = [
    ("A fine film, 不错", "good"),
    ('He said "no"', "bad"),
    ("well", "good"),
    ("", "bad"),
    ("x y\nz", "odd"),
] * 4
CSV = "text,label\r\n" + "".join(f'"{text.replace(chr(34), chr(34) * 2)}",{label}\r\n' for text, label in ROWS)
TSV = "text\tlabel\n" + "".join(f"{text.split()[0] if text else ''}\t{label}\n" for text, label in ROWS)
JSONL = '{"text": "a \\u00e9 b", "label": "x"}\n{"text": "c", "label": "y", "more": [1, {"z": null}]}\n' * 5
NUMBERS = "day,level\n" + "".join(f"{i},{i % 7 + i / 10}\n" for i in range(80))
VECTORS = "good 1.0 2 -3e-1\nfilm 0.5 0 1\n. . . 1 2 3\nthe 9 9 9\n"
WEIGHTS = "W_i.weight: weight_ih[i]\nW.weight: [weight_ih, weight_hh]\nb: bias_ih + bias_hh\n"
RECORD = to_files(
    Record(
        "k", {"seed": 0}, {"model": {}}, 0, "finished", "", {"printout": "x"}, {}, {}, "2026-11-21", 1.0,
        epochs=[{"epoch": 1, "train_loss": 0.5}], steps=[{"step": 1, "train_loss": 0.5}],
        predictions={"loss": np.ones(3)}, arrays={"gradient": np.ones((2, 3))},
    )
)  # fmt: skip


def table(kind: str) -> Callable[[Path], object]:
    """Return a reader of tables, which divides and encodes what it has read."""
    return lambda file: classification_data.prepare.__wrapped__(TableSettings(source=kind, file=str(file)))


def folder(file: Path) -> object:
    """Read a folder of two classes, of which the file is one."""
    (file.parent / "other.txt").write_text("some text\n" * 5)
    return classification_data.prepare.__wrapped__(FolderSettings(source="folder", folder=str(file.parent)))


def polarity(file: Path) -> object:
    """Read the file as snippets of either class."""
    settings = PolaritySettings(source="sentence-polarity", negative=str(file), positive=str(file))
    return classification_data.prepare.__wrapped__(settings)


def numbers(file: Path) -> object:
    """Read a column of numbers."""
    settings = SeriesSettings(source="series", file=str(file), column="level", window=10, stride=2, test=1)
    return forecasting_data.prepare.__wrapped__(settings)


def catalogue(file: Path) -> object:
    """Read a catalogue that adds to the one that ships."""
    return load_languages(["en"], [file.parent, TEMPLATES])


def style_sheet(file: Path) -> object:
    """Look through a style sheet, and let WeasyPrint read it."""
    return styles.faults([file.parents[1], TEMPLATES])


def template(file: Path) -> None:
    """Look through a template."""
    markdown.check(EN, [file.parents[1], TEMPLATES])


def bytes_of(kinds: list[Kind]) -> list[bytes]:
    """Return the files of some kinds."""
    return [kind.content if isinstance(kind.content, bytes) else kind.content.encode() for kind in kinds]


def log(kind: Format | None) -> Callable[[Path], object]:
    """Return a reader of the logs of one format."""
    return lambda file: records.read(file, ImportSettings(path=(str(file),), format=kind))


def record(name: str) -> Callable[[Path], object]:
    """Return a reader of records, one file of which was written by somebody else, with its digest."""

    def read(file: Path) -> object:
        store = Store(file.parent / "records")
        store.write("k", {**RECORD, name: file.read_bytes()})
        return plan.read(store, "k")

    return read


def own_section(file: Path) -> object:
    """Look through a section of the student's own, and make a page of it."""
    for problem in custom_sections.problems(
        Document(file.parent / "suite.yaml"), 0, file.name, ["en"], lambda _: ""
    ):
        raise InputError([problem])
    return to_html(file.read_text("utf-8"), EN, file.parent, [])


def picture(file: Path) -> object:
    """Typeset a report with this picture."""
    return pdf.to_pdf(to_html(f"# A report\n\n![A picture]({file.name})\n", EN, file.parent, []))


def font(file: Path) -> object:
    """Typeset a report whose style sheet brings this font."""
    data = b64encode(file.read_bytes()).decode()
    css = f"@font-face {{font-family: Own; src: url('data:font/otf;base64,{data}')}} h1 {{font-family: Own}}"
    return pdf.to_pdf(to_html("# A report\n", EN, file.parent, [css]))


def report(file: Path) -> object:
    """Read a report back: its manifest and what is on its pages."""
    found = reading.open_report(file)
    return found.pages, reading.changed_pages(found) if file.suffix == ".pdf" else []


def source(file: Path) -> object:
    """Look for a class in a file of Python, and digest what it means."""
    if problem := fault_of_source(file, "MyRNN", "class"):
        raise InputError([problem])
    return user_code_digest(UserClass(file, "MyRNN"))


def archive(file: Path) -> object:
    """Read an archive."""
    with file.open("rb") as stream:
        return list(plain_files(stream, lambda _: True, LIMITS))


def saved(what: str) -> bytes:
    """Return a small picture or an empty Word file, as a program writes it."""
    stream = io.BytesIO()
    if what == "docx":
        docx.Document().save(stream)
    else:
        Image.new("RGB", (4, 3), (9, 99, 199)).save(stream, what)
    return stream.getvalue()


DIGITS = "9" * 5000
MANIFEST = {
    "format": "reportgen manifest 1", "program": "p", "versions": {"python": "3.11"},
    "suite": {"file": "s.yaml", "digest": "d", "profile": None, "quick": False},
    "records": {"rnn/seed=0": {"key": "k", "files": {"record.json": "d"}}},
}  # fmt: skip
PAGE = '<!DOCTYPE html>\n<html lang="en"><head><title>A</title></head><body><h1>A</h1><p>0.5</p></body></html>'
PDF = pdf.to_pdf(PAGE, pdf.Source("report.en.md", "# A\n", MANIFEST))
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20pt" height="10pt" viewBox="0 0 20 10"><defs><style>'
    "text {fill: #012}</style></defs><path d='M 0 0 L 5 5' stroke='red'/><text x='1' y='9'>a</text></svg>"
)
FONT = b64decode(re.findall(r"base64,([\w+/=]+)", fonts.font_face_rules("A report", "en"))[0])
OWN_WORDS = (
    "# My words\n\nSome *text* with $a^2$:\n\n- one\n- [two](https://a.b)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)

EVENTS = b64decode(
    "GAAAAAAAAACjf0siCQAAAAAAAPA/Gg1icmFpbi5FdmVudDoyhr9XeiAAAAAAAAAAKe2pUAkAAAAAAADwPxABKhMKEQoKTG9zcy90"
    "cmFpbhUAAAA/0kZQuSIAAAAAAAAAeBE9/QkAAAAAAADwPxABKhUKEwoMQWNjdXJhY3kvdmFsFc3MzD4GEx3HIAAAAAAAAAAp7alQ"
    "CQAAAAAAAPA/EAIqEwoRCgpMb3NzL3RyYWluFQAAgD6uawMlIgAAAAAAAAB4ET39CQAAAAAAAPA/EAIqFQoTCgxBY2N1cmFjeS92"
    "YWwVzcxMP96XLFg="
)
"""An event file of TensorBoard's with two scalars of two steps."""

READERS: dict[str, tuple[str, list[bytes], Callable[[Path], object]]] = {
    "csv": ("a.csv", [CSV.encode(), *bytes_of(TABLES)], table("csv")),
    "tsv": ("a.tsv", [TSV.encode(), *bytes_of(TABLES)], table("tsv")),
    "jsonl": ("a.jsonl", [JSONL.encode()], table("jsonl")),
    "folder": ("a.txt", ["one text\n二\n\nthree four\n".encode() * 3], folder),
    "polarity": ("a.txt", [b"one text\ntwo\n\nthree \xe9 four\n" * 3], polarity),
    "series": ("a.csv", [NUMBERS.encode(), *(k.replace(b"Close", b"level") for k in bytes_of(SERIES))], numbers),
    "vectors": ("a.txt", [VECTORS.encode()], lambda file: list(read_vectors(file, ["good", "film", "the"]))),
    "catalogue": ("text.en.yaml", [b"section: {aim: Purpose}\nclass: {csv: {a: '{', b: B}}\n",
                                   (TEMPLATES / "text.en.yaml").read_bytes()], catalogue),
    "style sheet": ("styles/own.css", [(TEMPLATES / "styles" / "report.css").read_bytes()], style_sheet),
    "template": ("sections/a.md.j2", [file.read_bytes() for file in sorted(TEMPLATES.rglob("*.j2"))], template),
    "weights": ("weights.yaml", [WEIGHTS.encode()], try_code._mapping),
    "log of lines": ("log.txt", [TWO_LINES.encode(), *bytes_of(LINE_LOGS)], log("text")),
    "log that is a table": ("log.csv", [LOG.encode(), LIGHTNING.encode(), *bytes_of(TABLE_LOGS)], log("csv")),
    "log in JSON": ("log.json", [KERAS.encode(), *bytes_of(TABLE_LOGS)], log("json")),
    "log of any format": ("log", bytes_of([*LINE_LOGS, *TABLE_LOGS]), log(None)),
    "tensorboard log": ("events.out.tfevents.1", [EVENTS], log("tensorboard")),
    "record.json": ("record.json", [RECORD["record.json"]], record("record.json")),
    "epochs.csv": ("epochs.csv", [RECORD["epochs.csv"]], record("epochs.csv")),
    "predictions.npz": ("predictions.npz", [RECORD["predictions.npz"]], record("predictions.npz")),
    "steps.csv": ("steps.csv", [RECORD["steps.csv"]], record("steps.csv")),
    "arrays.npz": ("arrays.npz", [RECORD["arrays.npz"]], record("arrays.npz")),
    "own section": ("words.md", [OWN_WORDS.encode()], own_section),
    "svg": ("a.svg", [SVG.encode()], picture),
    "png": ("a.png", [saved("png")], picture),
    "jpeg": ("a.jpg", [saved("jpeg")], picture),
    "font": ("a.otf", [FONT], font),
    "word template": ("styles/word.docx", [saved("docx")], lambda file: word.template_in([file.parents[1]])),
    "source": ("own.py", [LAYER.encode()], source),
    "archive": ("a.tar.gz", [tar(member("a", b"text"), member("b", b"more"))], archive),
    "manifest": ("manifest.json", [json.dumps(MANIFEST).encode()],
                 lambda file: manifest.parsed(file.read_bytes(), file)),
    "results": ("results.json", [(GOLDEN / "results.json").read_bytes()], lambda file: read_results(file.parent)),
    "pdf report": ("report.en.pdf", [PDF], report),
    "html report": ("report.en.html", [sealing.in_html(PAGE, MANIFEST, "# A\n")], report),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _tell() -> Iterator[None]:
    """Say at the end what came of the examples; `pytest -s` shows it."""
    yield
    print(f"\n{told()}")


@pytest.mark.parametrize("reader", READERS)
@fuzzed(25)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    reader: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bytes put in, taken out, flipped and doubled raise nothing but one clear message."""
    name, files, read = READERS[reader]
    file = tmp_path_factory.getbasetemp() / f"fuzz-{reader}" / "folder" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.draw(damaged(files)))
    with timed(reader) as was_read:
        message = refusal(read, file)
        was_read.append(not message)
    assert visible(message).replace("\n", "").isprintable()


DEEP = b"[" * 100_000
TOO_MUCH = {
    "jsonl": (b'{"text": "a", "label": ' + DIGITS.encode() + b"}\n", "a.jsonl:1: got something else"),
    "catalogue": (f"section: {{aim: {DIGITS}}}\n".encode(), "text.en.yaml:1: section.aim: got inf"),
    "log in JSON": (b'{"loss": [' + DIGITS.encode() + b"]}", "log.json:1: got JSON that is too deep, or a number"),
    "style sheet": (
        f"a {{color: red}}\n\nb {{width: {DIGITS}px}}\n".encode(),
        "own.css:3: got what cannot be read (Exceeds the limit",
    ),
    "template": (f"One\n\n{{{{ {DIGITS} }}}}\n".encode(), "a.md.j2:3: it cannot be read: Exceeds the limit"),
    "record.json": (DEEP, ""),  # it counts as absent
    "source": (f"a = 1\nb = {DIGITS}\n".encode(), "own.py:2: got a syntax error"),
    "manifest": (DEEP, "manifest.json: got a manifest that is cut short"),
    "results": (DEEP, "results.json: got a file that is cut short"),
}
"""By reader: a file that asks of a library what it tells with none of its own errors, and what is said of it."""


@pytest.mark.parametrize("reader", TOO_MUCH)
def test_what_a_library_cannot_do_is_one_message(reader: str, tmp_path: Path) -> None:
    """Numbers of 5,000 digits and nests without a bottom are refused with file and line, where it has lines."""
    name, _, read = READERS[reader]
    content, message = TOO_MUCH[reader]
    file = tmp_path / "folder" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    said = refusal(read, file)
    assert message in said
    assert bool(message) == bool(said)


def refusal(read: Callable[[Path], object], file: Path) -> str:
    """Return the message with which a file is refused; nothing for one that is read."""
    try:
        read(file)
    except InputError as error:
        return "\n".join(f"{problem.file}:{problem.line}: {problem}" for problem in error.problems)
    except ReportgenError as error:
        return str(error)
    return ""
