"""Numbers as reports print them, and where in a report they stand."""

import base64
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from pathlib import Path as File
from urllib.parse import unquote

from markdown_it import MarkdownIt

from reportgen.i18n.origins import ORIGIN, Path, from_attribute, mark, marks_in, unmarked

_TOKEN = re.compile(
    r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+−]?\d+)?(?:\s?%)?(?![\w%]|\.\d)"
)


@dataclass(frozen=True)
class Printed:
    """A number as it is printed: its digits say how far it was rounded."""

    text: str
    value: Decimal
    """Without its sign, which a sentence may turn round: 5.83 points ahead."""
    percent: bool

    @property
    def of_one(self) -> Decimal:
        """Return the value as a fraction of one, if it is a percentage."""
        return self.value / 100 if self.percent else self.value

    def stands_for(self, value: float, *, in_percent: bool = False) -> bool:
        """Tell whether `value`, rounded as this is, comes to it: as it is, in percent, or in percentage points.

        A whole number without a percent sign is one in percent only where `in_percent` says so, as in a figure; it
        may have been rounded to three significant digits.
        """
        exponent = self.value.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
        whole = int(exponent) >= 0 and not self.percent
        plain = Decimal(repr(abs(float(value))))
        if whole and not in_percent:
            near = Decimal("0.5") if self.value >= 100 else Decimal("0.05")
            return plain == self.value or (plain % 1 != 0 and abs(plain - self.value) <= near)
        scaled = [100 * plain] if self.percent else [plain, 100 * plain]
        return any(abs(each - self.value) <= half * (1 + Decimal("1e-9")) for each in scaled)


def parse(text: str) -> Printed | None:
    """Return the number that the text is: 0.8286, 82.86%, 1,911, １,911, 1.2e-05; None if it is none."""
    plain = re.sub(r"(?<=\d)[ _\u202f](?=\d{3}\b)", ",", unicodedata.normalize("NFKC", text).strip())
    match = _TOKEN.fullmatch(plain)
    return _printed(match[0]) if match else None


def numbers_in(text: str) -> list[Printed]:
    """Return the numbers that stand in a text, in order; those inside of words are none."""
    return [_printed(match[0]) for match in _TOKEN.finditer(unmarked(text))]


def with_origins(text: str) -> list[tuple[Printed, tuple[Path, ...]]]:
    """Return the numbers of a text with the paths that the mark behind each spells; none for one without."""
    known = dict(marks_in(text))
    return [(_printed(match[0]), known.get(match.end(), ())) for match in _TOKEN.finditer(unmarked(text))]


def _printed(text: str) -> Printed:
    digits = text.replace("−", "-").replace(",", "").rstrip("% ")
    return Printed(text, abs(Decimal(digits)), text.endswith("%"))


_BLOCKS = {"p", "li", "figcaption"}
_HEADINGS = {"h1": 0, "h2": 1, "h3": 2, "h4": 3}
_LEFT_OUT = {"script", "style", "nav"}


@dataclass(frozen=True)
class Place:
    """One paragraph, table cell, line of a printout, or figure."""

    text: str
    """With the marks of its numbers (`reportgen.origins`)."""
    headings: tuple[str, ...] = ()
    """Section, subsection and so on."""
    caption: str = ""
    """Of the table or of the figure."""
    row: str = ""
    """The first cell of the row."""
    column: str = ""
    """The heading of the column."""
    printout: bool = False
    """Whether it is a line of code or of a model's printout, not of a log."""
    drawn: bool = False
    """Whether the text stands in the figure itself."""
    paths: tuple[Path, ...] = ()
    """Of a line of a log or of a printout, where all of it comes from."""
    line: int = 0
    """Of such a line, how many come before it."""

    @property
    def where(self) -> str:
        """Return section and caption: `6. Results › Table 5: Results on the test set`."""
        return " › ".join(filter(None, [*self.headings[1:][-2:], self.caption]))

    def __str__(self) -> str:
        cell = ", ".join(filter(None, [self.row, self.column]))
        words = " ".join(unmarked(self.text).split())
        line = "" if cell or self.drawn else words if len(words) <= 100 else f"{words[:99]}…"
        return " › ".join(filter(None, [self.where, cell, line if line != self.caption else ""]))


def places(text: str, folder: File | None = None) -> list[Place]:
    """Return the places of a report, in order.

    Args:
        text: Markdown, or HTML, which begins with `<`.
        folder: where the figures of a Markdown report are; their text is left out without it.
    """
    markdown = not text.startswith("<")
    if markdown:
        parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        text = parser.render(text)
    walker = _Walker(folder, markdown)
    walker.feed(text)
    return walker.found


@dataclass
class _Table:
    caption: str
    columns: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    row: str = ""


class _Walker(HTMLParser):
    def __init__(self, folder: File | None, markdown: bool) -> None:
        super().__init__()
        self._markdown = markdown
        self._strong = ""
        self.found: list[Place] = []
        self._folder = folder
        self._headings: list[str] = []
        self._text: list[str] = []
        self._table: _Table | None = None
        self._skipped = 0
        self._figures: list[tuple[str, str]] = []
        self._log = False
        self._spans: list[tuple[Path, ...]] = []
        self._paths: tuple[Path, ...] = ()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag in _LEFT_OUT:
            self._skipped += 1
        elif tag == "span":
            self._spans.append(from_attribute(own.get(ORIGIN) or ""))
        elif tag == "img" and own.get("src"):
            self._figures.append((own.get("alt") or "", own["src"] or ""))
        elif tag == "code":
            self._log = self._log or own.get("class") == "language-log"
        elif tag == "table":
            self._table = _Table(self._caption_above())
        elif tag in _HEADINGS or tag in _BLOCKS or tag in ("td", "th", "pre", "caption"):
            self._text = []
            self._log = own.get("class") == "log"
            self._paths = from_attribute(own.get(ORIGIN) or "")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._text += [mark(paths)] if self._spans and (paths := self._spans.pop()) else []
            return
        text = "".join(self._text).strip()
        if tag in _LEFT_OUT:
            self._skipped -= 1
        elif self._skipped:
            return
        elif tag == "strong":
            self._strong = text
        elif tag in _HEADINGS:
            self._headings = [*self._headings[: _HEADINGS[tag]], unmarked(text)]
        elif self._table is not None:
            self._in_table(tag, text, self._table)
        elif tag == "pre":
            paths = self._paths or tuple(path for _, known in marks_in(text) for path in known)
            self.found += [
                Place(line, self._where(), printout=not self._log, paths=paths, line=number)
                for number, line in enumerate(unmarked(text).splitlines())
            ]
        elif tag in _BLOCKS and (text or self._figures):
            self._paragraph(text)

    def _where(self) -> tuple[str, ...]:
        return tuple(self._headings)

    def _caption_above(self) -> str:
        """Take the paragraph above a table, which is its caption in Markdown if it is bold."""
        bold = self._markdown and self.found and self.found[-1].text == self._strong != ""
        return unmarked(self.found.pop().text) if bold else ""

    def _in_table(self, tag: str, text: str, table: _Table) -> None:
        if tag == "caption":
            table.caption = unmarked(text)
        elif tag == "th":
            table.columns.append(unmarked(text))
        elif tag == "td":
            table.cells.append(text)
        elif tag == "tr" and table.cells:
            table.row = unmarked(table.cells[0]) or table.row  # an empty first cell stands for the one above
            for column, cell in zip(table.columns, table.cells, strict=False):
                place = Place(cell, self._where(), table.caption, table.row, column)
                self.found.append(replace(place, row="") if unmarked(cell) == table.row else place)
            table.cells = []
        elif tag == "table":
            self._table = None

    def _paragraph(self, text: str) -> None:
        for caption, source in self._figures:
            drawn = " ".join(self._drawn(source))
            self.found.append(Place(drawn, self._where(), unmarked(caption or text), drawn=True))
        if text and not self._figures:
            self.found.append(Place(text, self._where()))
        self._figures, self._text = [], []

    def _drawn(self, source: str) -> Iterator[str]:
        """Yield the texts of an SVG that lies in the document or beside it."""
        kind, _, data = source.partition("base64,")
        svg = ""
        if kind.startswith("data:image/svg"):
            svg = base64.b64decode(data).decode("utf-8", "replace")
        elif self._folder and source.endswith(".svg") and (file := self._folder / unquote(source)).is_file():
            svg = file.read_text("utf-8")
        yield from (unescape(text) for text in re.findall(r">([^<>]+)</(?:text|tspan)>", svg))
