"""A report read back: its manifest, and the text that a reader sees in it."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.storage import manifest
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store
from reportgen.storage.sealing import ELEMENT, NAME, digest
from reportgen.storage.untrusted import UntrustedFolder

KINDS = (".pdf", ".html", ".md")

_HIDDEN = re.compile(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>")


@dataclass(frozen=True)
class Report:
    """One report as it lies on disk."""

    file: Path
    content: bytes
    manifest: Manifest
    """The one inside it, or, for Markdown, the one beside it."""
    markdown: str | None
    """What it was made from, if that is at hand: a PDF has it attached."""

    @cached_property
    def pages(self) -> list[str]:
        """What a reader sees, a text a page; of HTML and Markdown one text."""
        return pages_of(self.file.suffix, self.content)

    @property
    def language(self) -> str:
        """The code of its language, from its name: `report.zh.pdf`."""
        parts = self.file.name.split(".")
        return parts[-2] if len(parts) > 2 else "en"


def open_report(file: Path) -> Report:
    """Read a PDF, HTML or Markdown report.

    Raises ReportgenError for a file that is not reportgen's, or whose manifest cannot be read.
    """
    if file.suffix not in KINDS:
        raise ReportgenError(f"{file}: got a file of another kind, expected a report: .pdf, .html or .md")
    content = _bytes(file)
    if file.suffix == ".pdf":
        return _open_pdf(file, content)
    if file.suffix == ".html":
        return _open_html(file, content)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ReportgenError(f"{file}: {error}; expected a report in UTF-8") from None
    beside = _beside(file.parent)
    if beside is None or file.name not in beside.files:
        raise ReportgenError(
            f"{file}: got no {manifest.FILE} beside it that names it, expected a report in the folder that "
            "reportgen wrote it to; a PDF or HTML report carries its manifest with it"
        )
    return Report(file, content, beside, text)


def open_folder(folder: Path) -> Manifest:
    """Read the manifest of a folder of reports; ReportgenError if there is none."""
    found = _beside(folder)
    if found is None:
        raise ReportgenError(f"{folder}: got a folder without {manifest.FILE}, expected one that reportgen wrote")
    return found


def store_for(folder: Path, given: Path | None) -> Store:
    """Return the store of records that belongs to the reports in `folder`, or the one that was given.

    Raises ReportgenError if there is no such folder.
    """
    beside = folder if folder.name not in ("", "..") else folder.resolve()
    likely = [beside.parent / "records", Path("build/records")]
    found = next((place for place in ([given] if given else likely) if place.is_dir()), None)
    if found is None:
        raise ReportgenError(
            f"{given or likely[0]}: got no such folder, expected the records that the report was made from; "
            "--records DIR says where they are"
        )
    return Store(found)


def pages_of(suffix: str, content: bytes) -> list[str]:
    """Return what a reader sees of a report: a text a page of a PDF, else one text."""
    if suffix == ".pdf":
        return _of_pages(Path("report.pdf"), content, lambda page: str(page.extract_text()))
    text = content.decode("utf-8", "replace")
    return [unescape(_HIDDEN.sub("", text)) if suffix == ".html" else text]


def changed_pages(report: Report) -> list[int]:
    """Return the numbers, from 1, of a PDF's pages whose content is not what the manifest says."""
    digests = _of_pages(report.file, report.content, lambda page: digest(_content_of(page)))
    wanted = report.manifest.pages
    numbers = range(1, max(len(digests), len(wanted)) + 1)
    return [n for n in numbers if digests[n - 1 : n] != wanted[n - 1 : n]]


def attached_markdown(content: bytes) -> str:
    """Return the Markdown inside a PDF; empty without any."""
    with _whole_pdf(Path("report.pdf")):
        return _markdown_in({name: files[0] for name, files in _pdf(content).attachments.items()}) or ""


def pango_of(content: bytes) -> str:
    """Return the version of Pango that a PDF says it was set with; empty if it says none."""
    with _whole_pdf(Path("report.pdf")):
        attached = dict(_pdf(content).attachments)
    return manifest.parsed(attached[NAME][0], "report.pdf").pango if NAME in attached else ""


def producer_of(report: Report) -> str:
    """Return the program that a PDF says it was written by, such as `WeasyPrint 68.0`; empty if it says none."""
    with _whole_pdf(report.file):
        about = _pdf(report.content).metadata
        return str(about.producer or "") if about else ""


def _markdown_in(attached: dict[str, bytes]) -> str | None:
    texts = [data for name, data in attached.items() if name.endswith(".md")]
    return texts[0].decode("utf-8", "replace") if texts else None


def _content_of(page: Any) -> bytes:
    content = page["/Contents"].get_object() if "/Contents" in page else None
    parts = content if isinstance(content, list) else [content] if content is not None else []
    return b"\n".join(part.get_object().get_data() for part in parts)


def _open_pdf(file: Path, content: bytes) -> Report:
    with _whole_pdf(file):
        attached = {name: files[0] for name, files in _pdf(content).attachments.items()}
    if NAME not in attached:
        raise ReportgenError(
            f"{file}: got a PDF without reportgen's manifest, expected a report that reportgen wrote"
        )
    found = manifest.parsed(attached[NAME], file)
    return Report(file, content, found, _markdown_in(attached))


def _pdf(content: bytes) -> Any:
    from pypdf import PdfReader

    return PdfReader(io.BytesIO(content))


def _of_pages(file: Path, content: bytes, work: Callable[[Any], str]) -> list[str]:
    """Return what `work` makes of each page."""
    with _whole_pdf(file):
        return [work(page) for page in _pdf(content).pages]


@contextmanager
def _whole_pdf(file: Path) -> Iterator[None]:
    """Turn whatever pypdf raises, and when it has got to it, into one message."""
    try:
        yield
    except Exception as error:  # it lets through whatever a damaged file leads to
        raise ReportgenError(f"{file}: got a file that is no whole PDF ({error}), expected a report") from None


def _open_html(file: Path, content: bytes) -> Report:
    start = content.find(ELEMENT.encode())
    if start < 0:
        raise ReportgenError(
            f"{file}: got HTML without reportgen's manifest, expected a report that reportgen wrote"
        )
    inside = content[start + len(ELEMENT) :].partition(b"</script>")[0]
    return Report(file, content, manifest.parsed(inside, file), None)


def _beside(folder: Path) -> Manifest | None:
    file = folder / manifest.FILE
    return manifest.parsed(_bytes(file), file) if file.exists() or file.is_symlink() else None


def beside(report: Report) -> Manifest | None:
    """Return the manifest.json that lies beside a report, if it is of a build that wrote a report of that name."""
    found = _beside(report.file.parent)
    return found if found is not None and report.file.name in found.files else None


def _bytes(file: Path) -> bytes:
    try:
        return UntrustedFolder(file.parent).read(file.name)
    except FileNotFoundError:
        raise ReportgenError(f"{file}: no such file") from None


def content_in(folder: Path, name: str) -> bytes | None:
    """Return the content of a file of a build; None if it is absent, or is a link."""
    try:
        return UntrustedFolder(folder).read(name)
    except OSError:
        return None
