"""The gate between languages: what one report has, each of them has: sections, figures, tables, numbers."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from reportgen.errors import TemplateError
from reportgen.i18n.languages import Language
from reportgen.report.bilingual import Block, blocks
from reportgen.report.escaping import escape_markdown
from reportgen.report.facts import prose
from reportgen.suite.schema import Suite
from reportgen.suite.text import Text

_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*(?:e[+-]?\d+)?")

_SPELT_OUT = {"1"}
"""Numbers that a sentence may write as a word: `trained once` is 训练 1 次 in another language."""


@dataclass
class _Section:
    heading: str
    figures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)


def check(
    texts: Mapping[str, str], suite: Suite, languages: Sequence[Language], words: Mapping[str, Mapping[str, str]]
) -> None:
    """Hold the reports of a suite against each other.

    Args:
        texts: the Markdown of each report by language.
        suite: whose own texts may differ from language to language as they like.
        languages: of the reports.
        words: the own sections of each language, which may differ as well.

    Raises TemplateError that names, for each language, the first section that lacks what another has there.
    """
    own = sorted(_own_texts(suite, languages), key=len, reverse=True)
    by_code = {language.code: language for language in languages}
    found = {
        code: list(_sections(_without(text, own), by_code[code], _titles(words.get(code, {}))))
        for code, text in texts.items()
    }
    first = next(iter(found), "")
    problems = [
        problem
        for code in list(found)[1:]
        for problem in _first_difference(first, found[first], code, found[code])
    ]
    if problems:
        raise TemplateError("\n".join(problems))


def _first_difference(one: str, here: list[_Section], other: str, there: list[_Section]) -> Iterator[str]:
    """Yield at most one message: a section lacking in one language shifts all that come after it."""
    for a, b in zip(here, there, strict=False):
        message = _lacking(one, a, other, b) or _lacking(other, b, one, a)
        if message:
            yield message
            return
    if len(here) != len(there):
        (has, more), (lacks, fewer) = sorted([(one, here), (other, there)], key=lambda own: -len(own[1]))
        yield f"the report in {lacks} lacks the section “{more[len(fewer)].heading}”, which that in {has} has"


def _lacking(one: str, a: _Section, other: str, b: _Section) -> str:
    """Say what section `a` of the report in `one` has, and section `b` of that in `other` lacks."""
    for what, mine, theirs in (("figure", a.figures, b.figures), ("table", a.tables, b.tables)):
        if missing := Counter(mine) - Counter(theirs):
            return _message(other, b, f"the {what} “{next(iter(missing))}”", one)
    missing = a.numbers - b.numbers
    for number in _SPELT_OUT:
        missing.pop(number, None)
    return _message(other, b, f"the number {next(iter(missing))}", one) if missing else ""


def _message(lacks: str, section: _Section, what: str, has: str) -> str:
    return (
        f"the report in {lacks} lacks {what} in the section “{section.heading}”, which the report in {has} has "
        f"there; look at text.{lacks}.yaml and at the templates of that section"
    )


def _sections(text: str, language: Language, skipped: Collection[str]) -> Iterator[_Section]:
    """Yield the sections after the cover, but for the suite's own."""
    section: _Section | None = None
    for block in blocks(text):
        if block.kind == "heading" and block.mark == "h2":
            if section is not None:
                yield section
            heading = "".join(block.texts)
            section = None if heading.endswith(tuple(skipped)) else _Section(heading)
        elif section is not None:
            _gather(section, block, language)
    if section is not None:
        yield section


def _gather(section: _Section, block: Block, language: Language) -> None:
    if block.kind == "figure":
        section.figures.append(block.mark)
    elif block.kind == "table":
        rows, columns = block.mark
        section.tables.append(f"{rows - 1} × {columns}")
    if block.kind in ("paragraph", "list", "table", "caption", "figure"):
        section.numbers.update(number for text in block.texts for number in _numbers(text, language))


def _numbers(text: str, language: Language) -> Iterator[str]:
    """Yield the numbers in a text, the way English writes them and with no commas between thousands."""
    decimal, group = language.symbols
    plain = re.compile(
        rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})*(?:{re.escape(decimal)}\d+)?|\d+(?:{re.escape(decimal)}\d+)?"
    )
    for found in _NUMBER.finditer(text):
        mantissa, exponent = found[0].partition("e")[::2]
        if plain.fullmatch(mantissa):
            mantissa = mantissa.replace(group, "").replace(decimal, ".")
        yield f"{mantissa}e{exponent}" if exponent else mantissa


def _titles(words: Mapping[str, str]) -> list[str]:
    """Return the headings of the first level of own sections."""
    found = (block for text in words.values() for block in blocks(text) if block.kind == "heading")
    return ["".join(block.texts) for block in found if block.mark == "h1"]


def _own_texts(suite: Suite, languages: Sequence[Language]) -> Iterator[str]:
    """Yield all that is the suite's and not the report's, in Markdown: texts, labels, names of classes."""
    for text in _texts(suite):
        for code, words in text.by_language:
            yield escape_markdown(words)
            yield str(prose(Text(((code, words),)), code))
    for language in languages:
        for key in language.messages:
            if key.startswith("class."):
                yield from (escape_markdown(name) for name in (language.say(key), key.rpartition(".")[2]))


def _texts(value: Any) -> Iterator[Text]:
    match value:
        case Text():
            yield value
        case BaseModel():
            for _, child in value:
                yield from _texts(child)
        case dict():
            for child in value.values():
                yield from _texts(child)
        case list() | tuple():
            for child in value:
                yield from _texts(child)


def _without(markdown: str, own: Sequence[str]) -> str:
    """Return the document without the texts that have a number in them: they may differ between languages."""
    for text in dict.fromkeys(own):
        if re.search(r"\d", text):
            markdown = re.sub(rf"(?<![A-Za-z0-9.,]){re.escape(text)}(?![A-Za-z0-9]|[.,]\d)", "", markdown)
    return markdown
