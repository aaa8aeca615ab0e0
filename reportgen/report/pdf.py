"""HTML to PDF, by WeasyPrint, with nothing fetched from anywhere."""

import logging
from typing import Any

from reportgen.errors import MissingPrerequisiteError, TypesetError

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
    weasyprint = _weasyprint()
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    nothing_outside = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    try:
        document = weasyprint.HTML(string=html, url_fetcher=nothing_outside)
        return bytes(document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=b"reportgen"))
    except FatalURLFetchingError as error:
        raise TypesetError(f"{error}: a document may use only what is inside it") from None


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError:
        raise MissingPrerequisiteError(PANGO) from None
    return weasyprint
