"""Sections of the student's own: Markdown files beside the suite, one for all languages or one a language.

`my_words.md` in `sections:` stands for `my_words.<language>.md` where there is one, and else for `my_words.md`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reportgen.errors import Problem
from reportgen.suite.document import Document, shown
from reportgen.suite.pictures import cache_name, fault

if TYPE_CHECKING:
    from markdown_it.token import Token

ENDING = ".md"
LARGEST_FILE = 256 * 1024

_PICTURE_WITH_SPACES = re.compile(r"!\[[^\]]*\]\(([^()<>\"']*\s[^()<>\"']*)\)")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
_FORMULA = re.compile(r"\$[^$]*\$")


def is_user_code(section: str) -> bool:
    """Tell whether a section is a file of the student's own, and not a template."""
    return section.endswith(ENDING)


def file_of(folder: Path, section: str, language: str) -> Path:
    """Return the file that holds a section in that language, which may not be there."""
    own = folder / f"{section.removesuffix(ENDING)}.{language}{ENDING}"
    return own if own.is_file() else folder / section


def words(folder: Path, sections: Sequence[str], language: str) -> dict[str, str]:
    """Return the Markdown of each own section in that language, by its name in the suite."""
    return {name: text_of(file_of(folder, name, language)) for name in sections if is_user_code(name)}


def files(folder: Path, sections: Sequence[str], languages: Sequence[str]) -> list[Path]:
    """Return the files that own sections are made from: their texts, and the pictures in them."""
    own = texts(folder, sections, languages)
    found = [folder / cache_name(address) for file in own for _, address in pictures(text_of(file))]
    return [*own, *dict.fromkeys(found)]


def texts(folder: Path, sections: Sequence[str], languages: Sequence[str]) -> list[Path]:
    """Return the files of own sections, each once."""
    own = (file_of(folder, name, code) for name in sections if is_user_code(name) for code in languages)
    return list(dict.fromkeys(own))


def pictures(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and address of each picture in a Markdown text."""
    for line, child in _inline(text):
        if child.type == "image":
            yield line, str(child.attrs["src"])


def _addresses_with_spaces(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and address of what was meant for a picture, and is none to CommonMark."""
    for line, child in _inline(text):
        if child.type == "text":
            yield from ((line, address) for address in _PICTURE_WITH_SPACES.findall(child.content))


def _faults_of_footnotes(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the marks of footnotes that have no text, and the texts that have no mark."""
    if "[^" not in text:
        return
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").use(footnote_plugin, inline=False)
    known: dict[str, Any] = {}
    for token in parser.parse(text, known):
        for child in token.children or []:
            for mark in _FOOTNOTE.findall(child.content) if child.type == "text" else ():
                expected = f"the text of the footnote in a paragraph of its own: {mark}: …"
                yield (token.map or [0])[0] + 1, f"the footnote mark {mark} without a text", expected
    refs = known.get("footnotes", {}).get("refs", {})
    for label in (name.removeprefix(":") for name, number in refs.items() if number < 0):
        line = text[: text.index(f"[^{label}]:")].count("\n") + 1
        yield line, f"the text of a footnote, [^{label}]:, that no mark leads to", f"[^{label}] in the text"


def _inline(text: str) -> Iterator[tuple[int, "Token"]]:
    """Yield the parts of paragraphs, headings and cells, each with the line that it stands in or begins before."""
    from markdown_it import MarkdownIt  # most suites have no sections of their own

    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(text):
        line = (token.map or [0])[0] + 1
        for child in token.children or []:
            line += child.type in ("softbreak", "hardbreak")
            yield line, child


def problems(
    document: Document, place: int, section: str, languages: Sequence[str], unprintable: Callable[[str], str]
) -> Iterator[Problem]:
    """Yield what is wrong with an own section: `place` in the suite's list of sections."""
    path = PurePosixPath(section)
    if path.is_absolute() or ".." in path.parts or "\\" in section or ":" in section:
        yield document.problem(("sections", place), shown(section), "a file in the suite's folder, or below it")
        return
    folder = document.file.parent
    for file in dict.fromkeys(file_of(folder, section, language) for language in languages):
        if file.is_file():
            yield from _faults(file, folder, unprintable)
            continue
        lacking = [code for code in languages if file_of(folder, section, code) == file]
        names = " and ".join(f"{section.removesuffix(ENDING)}.{code}{ENDING}" for code in lacking)
        expected = f"{section} beside the suite, or {names}"
        yield document.problem(("sections", place), f"no such file: {file}", expected)


def _faults(file: Path, folder: Path, unprintable: Callable[[str], str]) -> Iterator[Problem]:
    size = file.stat().st_size
    if size > LARGEST_FILE:
        yield Problem(file, 1, "", f"a file of {size:,} bytes", f"at most {LARGEST_FILE:,} bytes")
        return
    try:
        text = text_of(file)
    except UnicodeDecodeError:
        yield Problem(file, 1, "", "text that is not UTF-8", "a file in UTF-8", "save it as UTF-8 in your editor")
        return
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if not re.match(r"# +\S", lines[first] if lines else ""):
        got = shown(lines[first]) if lines else "an empty file"
        yield Problem(file, first + 1, "", got, "the section's heading first: # My words")
    for number, line in enumerate(lines, 1):
        if found := unprintable(_FORMULA.sub("", line)):
            expected = "what the report's fonts can print"
            yield Problem(file, number, "", found, expected, "write it another way")
    for number, got, expected in _faults_of_footnotes(text):
        yield Problem(file, number, "", got, expected)
    for number, address in _addresses_with_spaces(text):
        hint = f"write it in angle brackets: <{address}>"
        yield Problem(file, number, "", f"the picture {shown(address)}", "an address without spaces", hint)
    for number, address in pictures(text):
        got, expected = fault(folder, address)
        if got:
            yield Problem(file, number, "", f"the picture {shown(unquote(address))}: {got}", expected)


def text_of(file: Path) -> str:
    """Return the Markdown in a file."""
    return file.read_text("utf-8").removeprefix("\ufeff")
