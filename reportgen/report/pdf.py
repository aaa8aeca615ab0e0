"""What PDF/UA asks of a PDF beyond what WeasyPrint writes.

The header cells of a table say that they head columns, links are there on paper, too, and running heads and
page numbers are marked as no part of the text, so that a screen reader leaves them out (ISO 14289-1, 7.5, 7.18
and 7.8).
"""

import base64
import gc
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from reportgen.errors import MissingPrerequisiteError, ReportgenError, TypesetError
from reportgen.i18n import fonts
from reportgen.storage.sealing import NAME, digest, sealed, unsealed

PRINTED = 4
"""The annotation flag Print (ISO 32000-1, table 165)."""


def finish(pdf: Any) -> None:
    """Mend the objects of WeasyPrint's tagged PDF before it is written."""
    objects = {item.reference: item for item in pdf.objects}
    dictionaries = [item for item in pdf.objects if isinstance(item, dict)]
    for item in dictionaries:
        if item.get("S") == "/TH":
            item["A"]["Scope"] = "/Column"
        elif item.get("Type") == "/Annot":
            item["F"] = PRINTED
    root = objects[pdf.catalog["StructTreeRoot"]]
    parents = objects[root["ParentTree"]]["Nums"]
    owners = dict(zip(parents[::2], parents[1::2], strict=True))
    inside = _reachable(root, objects)
    for page in (item for item in dictionaries if item.get("Type") == "/Page"):
        _leave_out(objects[page["Contents"]].stream, owners[page["StructParents"]], inside)


def _reachable(root: Any, objects: dict[bytes, Any]) -> set[bytes]:
    """Return the references of all elements in the tree of the document's structure."""
    found: set[bytes] = set()
    waiting = list(root["K"])
    while waiting:
        reference = waiting.pop()
        if reference in objects and reference not in found:
            found.add(reference)
            waiting += objects[reference].get("K", [])
    return found


def _leave_out(stream: list[Any], owners: list[Any], inside: set[bytes]) -> None:
    """Mark as an artifact what belongs to no element of the tree: what WeasyPrint puts into the margins."""
    for place, mark in enumerate(stream):
        if isinstance(mark, dict) and "MCID" in mark and owners[mark["MCID"]] not in inside:
            owners[mark["MCID"]] = "null"
            stream[place - 1 : place + 1] = ["/Artifact", type(mark)({"Type": "/Pagination"})]


PANGO = (
    "Pango is missing, which sets the type of the PDF:\n"
    "  Debian, Ubuntu   apt install libpango-1.0-0 libpangoft2-1.0-0\n"
    "  Fedora           dnf install pango\n"
    "  macOS            brew install pango\n"
    "  Windows          pacman -S mingw-w64-ucrt-x86_64-pango, in an MSYS2 shell"
)


_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""Of the attachments: a date of the build would make equal builds differ."""


@dataclass(frozen=True)
class Source:
    """What a report was made from, to be attached to it."""

    name: str
    """Of the Markdown: report.en.md."""
    text: str
    manifest: Mapping[str, Any]


def to_pdf(html: str, source: Source | None = None) -> bytes:
    """Return the document as PDF; the same document gives the same bytes.

    With a source the PDF has two attachments: the Markdown, and the manifest with the digest of each page's
    content and the seal of the whole file.

    Raises MissingPrerequisiteError without Pango, TypesetError if the document asks for a file or an address, or
    has a picture or a style sheet that WeasyPrint cannot make anything of.
    """
    weasyprint = load_weasyprint()
    from weasyprint.urls import FatalURLFetchingError

    html, held = fonts.held_apart(_without_fonts_of_figures(html))
    try:
        with _lost_pictures() as lost, _without_collection():
            document = weasyprint.HTML(string=html, url_fetcher=_nothing_outside(held))
            attachments = _attachments(source) if source else []
            data = bytes(
                document.write_pdf(
                    attachments=attachments,
                    finisher=_finisher(source),
                    pdf_variant="pdf/ua-1",
                    pdf_identifier=b"reportgen",
                )
            )
    except FatalURLFetchingError as error:
        raise TypesetError(f"{error}: a document may use only what is inside it") from None
    except (ReportgenError, MemoryError):
        raise
    except Exception as error:  # whatever pictures, fonts and styles of the user's lead to
        got = f"got a document that WeasyPrint cannot typeset ({type(error).__name__}: {error})"
        raise TypesetError(f"{got}, expected other pictures or styles") from error
    if lost:
        named = (_named(words, html) for words in lost)
        raise TypesetError("\n".join(f"{words}: it is broken, or uses what is outside it" for words in named))
    return data if source is None else sealed(data)


def _nothing_outside(held: Mapping[str, bytes]) -> Any:
    """Return what fetches a document's own data alone; `held` has the fonts by address."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Fetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in held:
                return URLFetcherResponse(url, held[url], {"Content-Type": "font/otf"})
            return super().fetch(url, headers)

    return Fetcher(allowed_protocols={"data"}, fail_on_errors=True)


def _without_fonts_of_figures(html: str) -> str:
    """Return the document with figures that use its own fonts, which have all their characters.

    In a browser a picture reaches no font but those inside it; WeasyPrint would read each of them anew. A document
    without fonts of its own stays as it is.
    """
    if not fonts.has_rules(html):
        return html

    def without(figure: re.Match[str]) -> str:
        svg = base64.b64decode(figure[1]).decode("utf-8", "replace")
        return f"data:image/svg+xml;base64,{base64.b64encode(fonts.without_rules(svg).encode()).decode()}"

    return re.sub(r"data:image/svg\+xml;base64,([\w+/=]+)", without, html)


def _attachments(source: Source) -> list[Any]:
    """Return the Markdown, and the manifest, which is filled in when the pages are there."""
    attachment = load_weasyprint().Attachment
    files = {source.name: source.text, NAME: " "}  # by name, as the PDF has to list them
    return [
        attachment(string=files[name], name=name, description=name, created=_NO_DATE, modified=_NO_DATE)
        for name in sorted(files)
    ]


def _finisher(source: Source | None) -> Callable[[Any, Any], None]:
    def fill(_document: Any, pdf: Any) -> None:
        finish(pdf)
        if source is None:
            return
        pages = [pdf.objects[int(reference.split()[0])] for reference in pdf.page_references]
        contents = [pdf.objects[int(page["Contents"].split()[0])] for page in pages]
        digests = [digest(_plain(stream)) for stream in contents]
        manifest = unsealed(source.manifest, text=digest(source.text), pages=digests, pango=pango_version())
        files = [stream for stream in pdf.objects if getattr(stream, "extra", {}).get("Type") == "/EmbeddedFile"]
        (place,) = (stream for stream in files if stream.stream == [b" "])
        place.stream, place.compress = [manifest], False  # as it is, so that the seal can be put in
        place.extra["Params"]["Size"] = len(manifest)
        del place.extra["Params"]["CheckSum"]  # an MD5 of the manifest without its seal

    return fill


def _plain(stream: Any) -> bytes:
    """Return the content of a stream of pydyf's as it is before it is compressed."""
    kept, stream.compress = stream.compress, False
    data = bytes(stream.data)
    stream.compress = kept
    return data.partition(b"\nstream\n")[2].removesuffix(b"\nendstream")


def _named(words: str, html: str) -> str:
    """Return a message about a picture with what the document says of it, in place of its content."""
    for address in re.findall(r"data:[\w/+]+;base64,[\w+/=]+", words):
        image = next((tag for tag in re.findall(r"<img[^>]*>", html) if f'"{address}"' in tag), "")
        alt = re.search(r'alt="([^"]*)"', image)
        words = words.replace(address, f"{address[:50]}… ({unescape(alt[1])})" if alt else f"{address[:50]}…")
    return words


@contextmanager
def _lost_pictures() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs of pictures that it leaves out, where others would miss them."""
    lost: list[str] = []
    logger = logging.getLogger("weasyprint")

    def collect(record: logging.LogRecord) -> bool:
        if record.module == "images" and record.levelno >= logging.ERROR:
            lost.append(record.getMessage())
            return False
        return record.levelno >= logging.ERROR

    logger.addFilter(collect)
    try:
        yield lost
    finally:
        logger.removeFilter(collect)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let Python look for no garbage meanwhile: nearly all that WeasyPrint makes stays until the end."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def pango_version() -> str:
    """Return the version of Pango that sets the type here: 1.50.12."""
    load_weasyprint()
    from weasyprint.text.ffi import pango

    number = int(pango.pango_version())
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def load_weasyprint() -> Any:
    """Return WeasyPrint; MissingPrerequisiteError without Pango."""
    try:
        import weasyprint
    except OSError:
        raise MissingPrerequisiteError(PANGO) from None
    return weasyprint
