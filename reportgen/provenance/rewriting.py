"""A report written anew, and held against the one that is there: numbers, words, figures, pages, style sheets."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path

from reportgen.i18n import fonts
from reportgen.provenance import pages, reading
from reportgen.provenance.answers import Check, Outcome, Question, differs, proven, undecided
from reportgen.provenance.rendering import differing
from reportgen.storage.manifest import Manifest
from reportgen.storage.sealing import ELEMENT

_MOST = 5
"""Differences of a file that are listed."""

_NUMBER = re.compile(r"\d[\d.,]*")
_TEXTS = (".pdf", ".html", ".md", ".json", ".csv", ".svg")
_DATA = (".json", ".csv")
_ROUNDING = 1e-9
"""Relative difference that another NumPy or SciPy may make in a number of results.json."""

_DRAWN_WITH = ("matplotlib", "numpy", "scipy", "pandas", "fonttools", "uharfbuzz", "font-source-sans-pro")
_ELEMENT = re.compile(rf"(?s){re.escape(ELEMENT)}.*?</script>\n?")
_STYLE = re.compile(r"(?s)<style\b[^>]*>.*?</style>")
_DATA_URL = re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+")


@dataclass(frozen=True)
class Made:
    """How the report says that it was made, against what is here. What it says may be forged."""

    words: tuple[str, ...]
    """What is otherwise: `weasyprint 69.0, now 70.0`."""
    program: bool
    """Whether reportgen and the templates are the same: then they have the same words and style sheets."""
    drawing: bool
    """Whether what draws figures is the same, too."""

    @property
    def same(self) -> bool:
        """Whether all is the same, so that the same bytes are expected."""
        return not self.words


def made(manifest: Manifest, now: Manifest) -> Made:
    """Hold what a manifest says against what a build of today would say."""
    versions = now.versions
    words = [
        f"{name} {manifest.versions.get(name, 'missing')}, now {version}"
        for name, version in versions.items()
        if manifest.versions.get(name) != version
    ]
    program = now.program == manifest.program
    words += [] if program else ["other templates, or another copy of reportgen"]
    drawing = program and all(manifest.versions.get(name) == versions.get(name) for name in _DRAWN_WITH)
    return Made(tuple(words), program, drawing)


def compared(folder: Path, names: Mapping[str, bytes], there: list[str], how: Made) -> Iterator[Check]:
    """Hold the files that are there against what the records give.

    Args:
        folder: of the reports.
        names: path and content of each file, written anew.
        there: paths of those to compare.
        how: what the report was made with, against what is here.
    """
    unequal = [name for name in there if name in names and names[name] != (folder / name).read_bytes()]
    same = [name for name in there if name in names and name not in unequal]
    if same:
        count = f"{len(same)} of {len(same) + len(unequal)}"
        words = f"{count} files are the same to the byte, written anew from the records"
        yield proven(Question.REWRITTEN, words)
    for suffix, question in ((".pdf", Question.PAGES), (".html", Question.HTML)):
        if whole := [name for name in same if name.endswith(suffix)]:
            yield proven(question, f"{', '.join(whole)}: the same to the byte")
    for name in unequal:
        yield from _of_file(folder / name, names[name], how)


def _of_file(file: Path, anew: bytes, how: Made) -> Iterator[Check]:
    content = file.read_bytes()
    if file.suffix not in _TEXTS:
        check = differs if how.same else undecided
        yield check(Question.REWRITTEN, f"{file}: is not what the records give")
        return
    if file.suffix == ".svg":
        yield from _of_figure(file, content, anew, how)
        return
    found = list(_of_text(file, content, anew, how))
    yield from _shortened(file, found)
    if not found:
        yield proven(
            Question.REWRITTEN, f"{file}: its text is what the records give; its bytes are of another build"
        )
    if file.suffix == ".pdf":
        yield from _of_pages(file, content, anew, how)
    elif file.suffix == ".html":
        yield from _of_html(file, content, anew, how)
    elif not found and how.same:
        yield differs(Question.REWRITTEN, f"{file}: has the lines that the records give, and other bytes")


def _shortened(file: Path, found: list[Check]) -> Iterator[Check]:
    found.sort(key=lambda check: check.outcome is Outcome.UNDECIDED)
    yield from islice(found, _MOST)
    if len(found) > _MOST:
        last = found[_MOST]
        yield Check(last.question, last.outcome, f"{file}: {len(found) - _MOST} more lines differ")


def _of_text(file: Path, content: bytes, anew: bytes, how: Made) -> Iterator[Check]:
    """Say which lines the records do not give, a PDF's by page, and the Markdown inside a PDF by its own lines."""
    texts = [reading.pages_of(file.suffix, data) for data in (content, anew)]
    if file.suffix == ".pdf":
        inside = [reading.attached_markdown(data) for data in (content, anew)]
        for line, now, was in differing(*inside):
            yield _answer(f"{file}: line {line} of the Markdown inside it", now, was, how)
    if file.suffix == ".pdf" and not how.same:  # lines and pages may end elsewhere
        for now, was in _of_words(*("\n".join(text) for text in texts)):
            moved = not (now and was) and not _NUMBER.search(now + was)  # the head of a table on another page
            words = f"{file}: got {now!r}, expected {was!r}"
            yield undecided(Question.REWRITTEN, words) if moved else _answer(f"{file}", now, was, how)
        return
    for number, (got, expected) in enumerate(zip(*_of_length(*texts), strict=True), 1):
        for line, now, was in differing(got, expected):
            if file.suffix in _DATA and not how.same and _is_rounding(now, was):
                continue
            where = f"{file}: page {number}" if file.suffix == ".pdf" else f"{file}:{line}"
            yield _answer(where, now, was, how)


def _answer(where: str, now: str, was: str, how: Made) -> Check:
    """Say whether two lines differ in what nothing but the records decides.

    Another version of reportgen may word a sentence otherwise, but it has no other numbers, and no other rows.
    """
    sentence = _NUMBER.findall(now) == _NUMBER.findall(was) and not (now + was).lstrip("…").startswith("|")
    check = undecided if sentence and not how.program else differs
    note = f" (made with {'; '.join(how.words)})" if check is undecided else ""
    return check(Question.REWRITTEN, f"{where}: got {now!r}, expected {was!r}{note}")


def _of_words(got: str, expected: str) -> Iterator[tuple[str, str]]:
    """Yield the words that two documents do not share, in their order, wherever lines and pages end."""
    words = [_words(text) for text in (expected, got)]
    for kind, a, b, c, d in SequenceMatcher(None, words[0], words[1], autojunk=False).get_opcodes():
        was, now = " ".join(words[0][a:b]), " ".join(words[1][c:d])
        if kind != "equal" and was.replace(" ", "") != now.replace(" ", ""):
            yield now, was


def _words(text: str) -> list[str]:
    """Return the words of a PDF without its page numbers, and with those whole that a line's end had parted."""
    lines = (line for line in text.splitlines() if not re.fullmatch(r"\W*\d{1,4}\W*", line))
    return re.sub(r"(?<=\w)[-\u2010]\n(?=\w)", "", "\n".join(lines)).split()


def _is_rounding(now: str, was: str) -> bool:
    pattern = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
    numbers = [list(map(float, pattern.findall(text))) for text in (now, was)]
    same = pattern.sub("", now) == pattern.sub("", was) and len(numbers[0]) == len(numbers[1])
    return same and all(math.isclose(*pair, rel_tol=_ROUNDING) for pair in zip(*numbers, strict=True))


def _of_figure(file: Path, content: bytes, anew: bytes, how: Made) -> Iterator[Check]:
    """Say whether a figure shows what the records give: its words, and its lines to half a pixel."""
    got, expected = (fonts.without_rules(data.decode("utf-8", "replace")) for data in (content, anew))
    if got == expected and not how.drawing:
        yield undecided(Question.REWRITTEN, f"{file}: is drawn as the records give it, with other fonts")
        return
    words = [re.findall(r">([^<>]*\S[^<>]*)<", svg) for svg in (got, expected)]
    if how.drawing or words[0] != words[1]:
        other = next((pair for pair in zip(*words, strict=False) if pair[0] != pair[1]), None)
        seen = f": got {other[0].strip()!r}, expected {other[1].strip()!r}" if other else ""
        check = differs if how.drawing else undecided
        yield check(Question.REWRITTEN, f"{file}: is not the figure that the records give{seen}")
    elif _are_close(got, expected):
        yield proven(Question.REWRITTEN, f"{file}: is drawn as the records give it, to half a pixel")
    else:
        yield undecided(
            Question.REWRITTEN, f"{file}: has other lines than a figure drawn here: {'; '.join(how.words)}"
        )


def _are_close(one: str, other: str) -> bool:
    pattern = re.compile(r"-?\d+\.?\d*")
    if pattern.sub("", one) != pattern.sub("", other):
        return False
    numbers = [list(map(float, pattern.findall(svg))) for svg in (one, other)]
    return all(abs(a - b) <= 0.5 for a, b in zip(*numbers, strict=True))


def _of_pages(file: Path, content: bytes, anew: bytes, how: Made) -> Iterator[Check]:
    """Say which pages of a PDF look otherwise than they do when they are set here."""
    extra = pages.pictures(content)
    if (expected := pages.pictures(anew)) != extra:
        told = (
            f"{extra[kind]} {kind}, expected {expected[kind]}"
            for kind in expected
            if extra[kind] != expected[kind]
        )
        yield differs(
            Question.PAGES, f"{file}: got {' and '.join(told)}: something is laid over a page, or is gone"
        )
    other = pages.unequal_pages(content, anew)
    if not other and extra == expected:
        yield proven(Question.PAGES, f"{file}: every page looks as it does when it is set here")
    elif other:
        pango = [reading.pango_of(data) for data in (content, anew)]
        same = how.same and pango[0] == pango[1]
        why = [*how.words, *([] if pango[0] == pango[1] else [f"Pango {pango[0] or 'missing'}, now {pango[1]}"])]
        listed = ", ".join(map(str, other[:_MOST])) + (
            f" and {len(other) - _MOST} more" if len(other) > _MOST else ""
        )
        check = differs if same else undecided
        because = "" if same else f"; it was made with {'; '.join(why)}"
        yield check(Question.PAGES, f"{file}: looks otherwise than the same page set here: page {listed}{because}")


def _of_html(file: Path, content: bytes, anew: bytes, how: Made) -> Iterator[Check]:
    """Hold what a browser makes of the HTML against what is written here: styles, elements, fonts, figures."""
    got, expected = (_ELEMENT.sub("", data.decode("utf-8", "replace")) for data in (content, anew))
    if got == expected:
        yield proven(
            Question.HTML, f"{file}: has the elements, style sheets, fonts and figures of one written here"
        )
        return
    styles = [_style_sheets(html) for html in (got, expected)]
    for _, now, was in islice(differing(*styles), _MOST):
        check = differs if how.program else undecided
        yield check(Question.HTML, f"{file}: its style sheet has {now!r}, expected {was!r}")
    bare = [_DATA_URL.sub("data:", _STYLE.sub("", html)) for html in (got, expected)]
    for line, now, was in islice(differing(*bare), _MOST):
        check = differs if how.same else undecided
        yield check(Question.HTML, f"{file}:{line}: got {now!r}, expected {was!r}")
    if styles[0] == styles[1] and bare[0] == bare[1]:
        check = differs if how.same else undecided
        yield check(Question.HTML, f"{file}: has other fonts or figures inside it than one written here")


def _style_sheets(html: str) -> str:
    """Return all style sheets without the fonts in them."""
    return fonts.without_rules("\n".join(_STYLE.findall(html)))


def _of_length(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    """Make both lists as long as the longer one."""
    most = max(len(one), len(other))
    return one + [""] * (most - len(one)), other + [""] * (most - len(other))
