"""Sections of the student's own: Markdown files beside the suite, one for all languages or one a language.

`my_words.md` in `sections:` stands for `my_words.<language>.md` where there is one, and else for `my_words.md`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from reportgen.errors import Problem, reading
from reportgen.suite.document import Document, shown

ENDING = ".md"
LARGEST_FILE = 256 * 1024

_PICTURES = (".svg", ".png", ".jpg", ".jpeg")
_FORMULA = re.compile(r"\$[^$]*\$")


def is_own(section: str) -> bool:
    """Tell whether a section is a file of the student's own, and not a template."""
    return section.endswith(ENDING)


def file_of(folder: Path, section: str, language: str) -> Path:
    """Return the file that holds a section in that language, which may not be there."""
    own = folder / f"{section.removesuffix(ENDING)}.{language}{ENDING}"
    return own if own.is_file() else folder / section


def words(folder: Path, sections: Sequence[str], language: str) -> dict[str, str]:
    """Return the Markdown of each own section in that language, by its name in the suite."""
    return {name: _text(file_of(folder, name, language)) for name in sections if is_own(name)}


def files(folder: Path, sections: Sequence[str], languages: Sequence[str]) -> list[Path]:
    """Return the files that own sections are made from: their texts, and the pictures in them."""
    texts = dict.fromkeys(file_of(folder, name, code) for name in sections if is_own(name) for code in languages)
    found = [folder / source for file in texts for _, source in pictures(_text(file))]
    return [*texts, *dict.fromkeys(found)]


def pictures(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and address of each picture in a Markdown text."""
    from markdown_it import MarkdownIt  # most suites have no sections of their own

    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(text):
        for child in token.children or []:
            if child.type == "image":
                yield (token.map or [0])[0] + 1, str(child.attrs["src"])


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
        text = _text(file)
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
    with reading(file, "Markdown"):
        named = list(pictures(text))
    for number, source in named:
        picture = PurePosixPath(source)
        outside = picture.is_absolute() or ".." in picture.parts or ":" in source
        if outside or picture.suffix.lower() not in _PICTURES or not (folder / source).is_file():
            expected = "an SVG, PNG or JPEG file beside the suite"
            yield Problem(file, number, "", f"the picture {shown(source)}", expected)


def _text(file: Path) -> str:
    return file.read_text("utf-8").removeprefix("\ufeff")
