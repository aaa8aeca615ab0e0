"""Pictures of the student's own: what can be printed of them, found out before anything is trained."""

import posixpath
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from xml.parsers import expat

from reportgen.resources import is_below

KINDS = {".svg": "SVG", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".webp": "WEBP"}
"""Ending of a file's name to the kind of picture in it."""

_SAME_KIND = {"MPO": "JPEG"}
"""What a phone writes under the name of a JPEG: several in one file, of which the first is shown."""

LARGEST_FILE = 20_000_000
MOST_PIXELS = 50_000_000

_SVG = "http://www.w3.org/2000/svg"
_INSIDE = ("#", "data:")
_ADDRESS_IN_STYLE = re.compile(r"""(?i)url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)""")


def cache_name(address: str) -> str:
    """Return the name of the file that an address in Markdown means: a parser writes %20 and the like in it."""
    return posixpath.normpath(unquote(address))


def fault(folder: Path, address: str) -> tuple[str, str]:
    """Return what is wrong with a picture below `folder`, and what is expected; two empty texts if nothing is."""
    file = folder / cache_name(address)
    kind = KINDS.get(file.suffix.lower())
    if kind is None or ":" in address or not is_below(file, folder) or not file.is_file():
        return "no such file", "an SVG, PNG, JPEG, GIF or WebP file beside the suite"
    size = file.stat().st_size
    if size > LARGEST_FILE:
        return f"a file of {size:,} bytes", f"a picture of at most {LARGEST_FILE:,} bytes"
    if size == 0:
        return "an empty file", f"a whole {kind} file"
    return _fault_of_svg(file) if kind == "SVG" else _fault_of_raster(file, kind)


def _fault_of_raster(file: Path, kind: str) -> tuple[str, str]:
    """Read every pixel: a file that is cut short is found nowhere else."""
    from PIL import Image, UnidentifiedImageError

    whole = f"a whole {kind} file"
    try:
        with warnings.catch_warnings(), _nothing_cut_short(), Image.open(file) as image:
            warnings.simplefilter("ignore")  # of large pictures, which are told below
            if _SAME_KIND.get(str(image.format), image.format) != kind:
                return f"a {image.format} file under the name of a {kind}", "a name that ends as its kind does"
            if image.width * image.height > MOST_PIXELS:
                return f"{image.width:,} × {image.height:,} pixels", f"at most {MOST_PIXELS:,} pixels"
            image.load()
    except Image.DecompressionBombError:
        return "more pixels than can be read", f"at most {MOST_PIXELS:,} pixels"
    except UnidentifiedImageError:
        return "a file that is no picture", whole
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        TypeError,
    ) as error:  # all of them Pillow's
        return f"a file that cannot be read ({error})", whole
    return "", ""


@contextmanager
def _nothing_cut_short() -> Iterator[None]:
    """Let Pillow refuse pictures that are cut short: WeasyPrint, once imported, has it take them everywhere."""
    from PIL import ImageFile

    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _fault_of_svg(file: Path) -> tuple[str, str]:
    """Read the XML, and look at each address: the typesetter uses nothing outside a picture."""
    reader = _SvgReader()
    try:
        reader.parser.Parse(file.read_bytes(), True)
    except expat.ExpatError as error:
        return f"XML that is broken at line {error.lineno} ({expat.ErrorString(error.code)})", "a whole SVG file"
    return next(reader.faults(), ("", ""))


class _SvgReader:
    """Collects what an SVG has that cannot be printed, each with its line."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._element
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity
        self.parser.ProcessingInstructionHandler = self._instruction
        self._root = ""
        self._style: list[str] | None = None
        self._found: list[tuple[str, str]] = []

    def faults(self) -> Iterator[tuple[str, str]]:
        if self._root != f"{_SVG} svg":
            yield f"XML whose root is {self._root.rpartition(' ')[2] or 'missing'}", f"<svg xmlns={_SVG!r}>"
        yield from self._found

    def _add(self, got: str, expected: str) -> None:
        self._found.append((f"line {self.parser.CurrentLineNumber} of it: {got}", expected))

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        self._root = self._root or name
        local = name.rpartition(" ")[2]
        if local == "foreignObject":
            self._add("HTML in the SVG, which a PDF cannot show", "an export without it, or a PNG")
        self._style = [] if local == "style" else self._style
        for attribute, value in attributes.items():
            if attribute.rpartition(" ")[2] in ("href", "src") and local != "a":
                self._address(value)
            else:
                self._addresses_in(value)

    def _end(self, name: str) -> None:
        if name.rpartition(" ")[2] == "style" and self._style is not None:
            self._addresses_in("".join(self._style))
            self._style = None

    def _text(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def _entity(self, name: str, *_: object) -> None:
        self._add(f"the entity {name}", "an SVG without entities")

    def _instruction(self, target: str, data: str) -> None:
        if target == "xml-stylesheet":
            self._add(f"a style sheet outside it ({data})", "an SVG that uses nothing outside it")

    def _addresses_in(self, style: str) -> None:
        for one, other in _ADDRESS_IN_STYLE.findall(style):
            self._address(one or other)

    def _address(self, address: str) -> None:
        if not address.strip().lower().startswith(_INSIDE):
            self._add(f"{address!r} is used", "an SVG that uses nothing outside it")
