"""HTML to PDF, by WeasyPrint, with nothing fetched from anywhere."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reportgen.errors import MissingPrerequisiteError, TypesetError
from reportgen.report.tagging import finish

PANGO = (
    "Pango is missing, which sets the type of the PDF:\n"
    "  Debian, Ubuntu   apt install libpango-1.0-0 libpangoft2-1.0-0\n"
    "  Fedora           dnf install pango\n"
    "  macOS            brew install pango\n"
    "  Windows          pacman -S mingw-w64-ucrt-x86_64-pango, in an MSYS2 shell"
)


def to_pdf(html: str) -> bytes:
    """Return the document as PDF; the same document gives the same bytes.

    Raises MissingPrerequisiteError without Pango, TypesetError if the document asks for a file or an address.
    """
    weasyprint = load_weasyprint()
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    nothing_outside = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    try:
        with _lost_pictures() as lost:
            document = weasyprint.HTML(string=html, url_fetcher=nothing_outside)
            data = bytes(document.write_pdf(finisher=finish, pdf_variant="pdf/ua-1", pdf_identifier=b"reportgen"))
    except FatalURLFetchingError as error:
        raise TypesetError(f"{error}: a document may use only what is inside it") from None
    if lost:
        raise TypesetError("\n".join(f"{words}: it is broken, or uses what is outside it" for words in lost))
    return data


@contextmanager
def _lost_pictures() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs of pictures that it leaves out, where others would miss them."""
    lost: list[str] = []
    logger = logging.getLogger("weasyprint")

    def collect(record: logging.LogRecord) -> bool:
        if record.module == "images" and record.levelno >= logging.ERROR:
            lost.append(re.sub(r"(base64,[\w+/]{,20})[\w+/=]*", r"\1…", record.getMessage()))
            return False
        return record.levelno >= logging.ERROR

    logger.addFilter(collect)
    try:
        yield lost
    finally:
        logger.removeFilter(collect)


def load_weasyprint() -> Any:
    """Return WeasyPrint; MissingPrerequisiteError without Pango."""
    try:
        import weasyprint
    except OSError:
        raise MissingPrerequisiteError(PANGO) from None
    return weasyprint
