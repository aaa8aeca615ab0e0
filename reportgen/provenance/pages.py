"""The pages of two PDFs as a reader sees them: drawn by PDFium, pixel for pixel."""

import ctypes
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

SCALE = 1.5
"""Pixels a point, of which an inch has 72: a digit of 8 points is 12 pixels high."""


def unequal_pages(one: bytes, other: bytes) -> list[int]:
    """Return the numbers, from 1, of the pages that look otherwise in two PDFs; annotations are drawn, too."""
    drawn = [list(_drawn(content)) for content in (one, other)]
    numbers = range(1, max(map(len, drawn)) + 1)
    return [number for number in numbers if drawn[0][number - 1 : number] != drawn[1][number - 1 : number]]


def _drawn(content: bytes) -> Iterator[str]:
    """Yield a digest of the size and the pixels of each page."""
    with _opened(content) as document:
        for page in document:
            bitmap = page.render(scale=SCALE)
            pixels = ctypes.string_at(bitmap.buffer, bitmap.stride * bitmap.height)
            yield hashlib.sha256(f"{bitmap.width} {bitmap.height} ".encode() + pixels).hexdigest()


def pictures(content: bytes) -> Counter[str]:
    """Return how many pictures, and annotations that draw something, the PDF has, whatever page they are on."""
    from pypdfium2 import raw

    found: Counter[str] = Counter()
    with _opened(content) as document:
        for page in document:
            kinds = (item.type for item in page.get_objects(max_depth=15))
            found["pictures"] += sum(kind == raw.FPDF_PAGEOBJ_IMAGE for kind in kinds)
            found["annotations"] += sum(not link for link in _annotations(page))
    return found


def _annotations(page: Any) -> Iterator[bool]:
    """Yield for each annotation whether it is a link."""
    from pypdfium2 import raw

    for place in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, place)
        yield raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_LINK
        raw.FPDFPage_CloseAnnot(annotation)


def _opened(content: bytes) -> Any:
    import pypdfium2

    return pypdfium2.PdfDocument(content)
