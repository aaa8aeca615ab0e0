"""The style sheets of a report: what all looks share, the look, and the suite's own.css.

Of each, the one beside the suite takes the place of the one that ships.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from reportgen.errors import TemplateError
from reportgen.report.pdf import load_weasyprint

_COMMENT = re.compile(r"(?s)/\*.*?\*/")
_OUTSIDE = re.compile(r"""(?i)(?:url\(\s*|@import\s+)["']?(?!data:|#|url\()([^"');]*)""")


_SHARED, _OWN = "report", "own"


def style_sheets(folders: Sequence[Path], look: str = "plain") -> list[str]:
    """Return the style sheets of a look in their order of application; TemplateError for one not in UTF-8."""
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
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{file}: {error}; save it as UTF-8 in your editor") from None


def _faults(file: Path) -> Iterator[str]:
    css = _read(file)
    # a comment keeps its lines, so that places stay where they are
    bare = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), css)
    for found in _OUTSIDE.finditer(bare):
        line = bare.count("\n", 0, found.start()) + 1
        raise TemplateError(
            f"{file}:{line}: got {found[1].strip()!r}, expected a data: URL, "
            "since a report fetches nothing from outside"
        )
    if bare.count("{") != bare.count("}"):
        yield f"{file}: the braces do not match: {bare.count('{')} open, {bare.count('}')} close"
    yield from (_worded(file, message) for message in _warnings(css))


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
