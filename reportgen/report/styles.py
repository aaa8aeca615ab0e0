"""The style sheets of a report: what all looks share, the look, and the suite's own.css.

Of each, the one beside the suite takes the place of the one that ships.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import tinycss2

from reportgen.errors import TemplateError, reading, unreadable_line
from reportgen.report.pdf import load_weasyprint
from reportgen.resources import text_below

_COMMENT = re.compile(r"(?s)/\*.*?\*/")
_INSIDE = ("data:", "#")
_FETCHING = {"url", "src", "image", "image-set", "-webkit-image-set", "cross-fade"}
"""Functions of CSS whose texts are addresses."""


_SHARED, _OWN = "report", "own"


def style_sheets(folders: Sequence[Path], look: str = "plain") -> list[str]:
    """Return the style sheets of a look in their order of application.

    Raises TemplateError for one that is not in UTF-8, or that asks for a file or an address, and InputError for
    one that cannot be read.
    """
    return [_read(file) for file in _files(folders, look)]


def faults(folders: Sequence[Path], look: str = "plain") -> list[str]:
    """Return what WeasyPrint leaves out of the style sheets beside a suite: those of every folder but the last.

    Raises TemplateError for a style sheet that asks for a file or an address: a report holds all that it shows.
    """
    return [fault for file in _files(folders, look) if folders[-1] not in file.parents for fault in _faults(file)]


def _files(folders: Sequence[Path], look: str) -> list[Path]:
    found = []
    for name in (_SHARED, look):
        sheets = [folder / "styles" / f"{name}.css" for folder in folders]
        found += [file for file in sheets if file.is_file()][:1]
    own = [folder / "styles" / f"{_OWN}.css" for folder in folders]
    return found + [file for file in own if file.is_file()]


def _read(file: Path) -> str:
    css = text_below(file, file.parents[1])
    for line, address in _addresses(file, css):
        if not address.strip().lower().startswith(_INSIDE):
            raise TemplateError(
                f"{file}:{line}: got {address.strip()!r}, expected a data: URL, "
                "since a report fetches nothing from outside"
            )
    return css


def _addresses(file: Path, css: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every address in a style sheet, read as a browser does: escapes are no disguise."""
    parse = tinycss2.parse_component_value_list
    with reading(file, "a style sheet, CSS", lambda: unreadable_line(css, parse)):
        tokens = [(token, False) for token in reversed(parse(css))]
    imported = False
    while tokens:
        token, is_address = tokens.pop()
        if token.type == "url" or (token.type == "string" and (is_address or imported)):
            yield token.source_line, token.value
        between = imported and token.type in ("whitespace", "comment")
        imported = between or (token.type == "at-keyword" and token.lower_value == "import")
        inner = getattr(token, "arguments", None) or getattr(token, "content", None) or []
        fetching = is_address or (token.type == "function" and token.lower_name in _FETCHING)
        tokens += [(own, fetching) for own in reversed(inner)]


def _faults(file: Path) -> Iterator[str]:
    css = _read(file)
    bare = _COMMENT.sub("", css)
    if bare.count("{") != bare.count("}"):
        yield f"{file}: the braces do not match: {bare.count('{')} open, {bare.count('}')} close"
    with reading(file, "a style sheet that WeasyPrint can read"):
        warnings = _warnings(css)
    yield from (_worded(file, message) for message in warnings)


def _warnings(css: str) -> list[str]:
    """Return what WeasyPrint says of a style sheet when it reads it."""
    weasyprint = load_weasyprint()
    said: list[str] = []
    logger = logging.getLogger("weasyprint")

    def collect(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            said.append(record.getMessage())
        return False

    logger.addFilter(collect)
    try:
        weasyprint.CSS(string=css)
    finally:
        logger.removeFilter(collect)
    return said


def _worded(file: Path, message: str) -> str:
    """Turn "Ignored `x` at 3:5, reason." into "own.css:3: ignored `x`: reason"."""
    if found := re.fullmatch(r"(?s)Ignored `(.*)` at (\d+):\d+, (.*?)\.?", message):
        return f"{file}:{found[2]}: ignored `{' '.join(found[1].split())}`: {found[3]}"
    said = re.sub(r"\s+'$", "'", " ".join(message.split()))
    return f"{file}: {said}"
