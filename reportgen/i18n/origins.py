"""Where a printed number comes from: kept with the number through arithmetic, formatting and sentences.

The numbers that templates are given know their path in the results, such as `comparison.rnn.test_accuracy`. What
formats one returns text that knows the same, and whatever is printed is followed by a mark: characters of a
private plane that spell the paths. Marks go along in the text until it is typeset: HTML has them as attributes,
`numbers.json` has them for Markdown and PDF, and no document has them as characters.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Path = tuple[str, ...]
"""Names from the outermost to the number itself, and at last its value, such as `=0.8286`."""

NUMBERS = "numbers.json"
"""By the name of each Markdown report its `entries`."""

ORIGIN = "data-origin"
"""The attribute of a number in HTML."""

_NAMES, _PATHS = " › ", "; "
"""What stands there between the names of a path, and between paths."""

_LONGEST = 40
"""Characters of the text of one number; what is longer is a log."""

_MOST_PATHS = 4
"""Of more numbers that one was worked out from, only the part of their paths is kept that they share."""

_PLANE = 0xF0000
MARKS = "\U000f0000-\U000f3fff"
"""The characters of marks, for a class of a regular expression."""

_MARK = re.compile(f"[{MARKS}]+")
_OF_LIST = re.compile(rf"(?m)^([ >]*\d{{1,9}})[{MARKS}]+(?=[.)][ \t])")
_WITHIN, _BETWEEN = "\x1f", "\x1e"
_NUMBER = re.compile(r"(?:< ?)?[-−]?[\d.,’\u00a0\u202f]*\d(?:e[-+−]?\d+)?(?:[\s\u00a0\u202f]?%)?$")
_MARKABLE = re.compile(r"[0-9%]$")


class Text(str):
    """Text of one number, or of a log, that knows its origins."""

    __slots__ = ("origins",)
    origins: tuple[Path, ...]

    def __new__(cls, text: str, origins: tuple[Path, ...] = ()) -> "Text":  # noqa: D102 - as str's
        made = super().__new__(cls, text)
        made.origins = origins
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Text, (str(self), self.origins)


class Whole(int):
    """A whole number that knows its origins; what is worked out from it knows them, too."""

    origins: tuple[Path, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return with_origins, (int(self), self.origins)


class Real(float):
    """A real number that knows its origins; what is worked out from it knows them, too."""

    origins: tuple[Path, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return with_origins, (float(self), self.origins)


def with_origins(value: Any, origins: tuple[Path, ...]) -> Any:
    """Return a plain number as one that knows its origins; anything else as it is."""
    kind = {int: Whole, float: Real}.get(type(value))
    if kind is None or not origins:
        return value
    made = kind(value)
    made.origins = origins
    return made


def origins_of(*values: object) -> tuple[Path, ...]:
    """Return the paths that numbers or texts know; of many, what these have in common."""
    paths = tuple(dict.fromkeys(path for value in values for path in _known(value)))
    if len(paths) <= _MOST_PATHS:
        return paths
    shared = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return ((*shared, "*"),)


def _known(value: object) -> tuple[Path, ...]:
    return value.origins if isinstance(value, Text | Whole | Real) else ()


def keeping(form: Callable[..., str]) -> Callable[..., str]:
    """Return the same formatting, of which the text knows where the number comes from.

    The number is the first argument, or the second where a name comes first.
    """

    def formatted(self: Any, value: Any, *arguments: Any, **named: Any) -> str:
        text = form(self, value, *arguments, **named)
        known = origins_of(*arguments[:1]) if isinstance(value, str) else origins_of(value)
        return Text(text, known) if known else text

    formatted.__doc__, formatted.__name__, formatted.__wrapped__ = form.__doc__, form.__name__, form  # type: ignore[attr-defined]
    return formatted


def marked(value: object) -> object:
    """Return a number or its text with its mark behind it; anything else, and what is no number, as it is."""
    text, spelt = parts_of(value)
    return text + spelt if spelt else value


def parts_of(value: object) -> tuple[str, str]:
    """Return the text of a number, and its mark; nothing for what knows no origin, or prints as no number."""
    if type(value) not in (Text, Whole, Real) or not value.origins:  # type: ignore[attr-defined]
        return "", ""
    text = str(value)
    return (text, mark(origins_of(value))) if len(text) < _LONGEST and _MARKABLE.search(text) else ("", "")


@lru_cache(maxsize=4096)  # the same number stands in several places, and in several languages
def mark(paths: tuple[Path, ...]) -> str:
    """Spell paths in characters that nobody sees, two ASCII characters in each."""
    spelt = _BETWEEN.join(_WITHIN.join(path) for path in paths)
    codes = spelt.encode("unicode_escape").replace(rb"\x1f", b"\x1f").replace(rb"\x1e", b"\x1e")
    codes += b"\0" * (len(codes) % 2)
    return "".join(chr(_PLANE + 128 * a + b) for a, b in zip(codes[::2], codes[1::2], strict=True))


def unmarked(text: str) -> str:
    """Return the text without marks."""
    return _MARK.sub("", text)


def without_marks_of_lists(text: str) -> str:
    """Return Markdown without marks between the number of a list's item and its point, which end the list."""
    return _OF_LIST.sub(r"\1", text)


def marks_in(text: str) -> Iterator[tuple[int, tuple[Path, ...]]]:
    """Yield the place of each mark in the text without marks, and its paths."""
    taken = 0
    for found in _MARK.finditer(text):
        yield found.start() - taken, read(found[0])
        taken += len(found[0])


def split(text: str) -> Iterator[tuple[str, str, tuple[Path, ...]]]:
    """Yield what stands before each number that has a mark, the number, and its paths; at last the rest."""
    done = 0
    for found in _MARK.finditer(text):
        before = text[done : found.start()]
        number = _NUMBER.search(before)
        start = number.start() if number else len(before)
        yield before[:start], before[start:], read(found[0])
        done = found.end()
    yield text[done:], "", ()


def entries(text: str) -> list[tuple[int, int, str, list[list[str]]]]:
    """Return line (from 1), column behind it (from 0), text and paths of each number that has a mark."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        column = 0
        for words, printed, paths in split(line):
            column += len(words) + len(printed)
            if paths:
                found.append((number, column, printed, [list(path) for path in paths]))
    return found


def as_json(documents: Mapping[str, Iterable[object]]) -> str:
    """Return the content of numbers.json, a line an entry, from the `entries` of each document by its name."""
    parts = []
    for name, known in documents.items():
        lines = (json.dumps(entry, ensure_ascii=False) for entry in known)
        parts.append(f"{json.dumps(name)}: [" + ",".join(f"\n {line}" for line in lines) + "]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def remarked(text: str, known: Iterable[tuple[int, int, str, list[list[str]]]]) -> str:
    """Return the text with the marks that `entries` told of; without those of numbers that stand there no more."""
    lines = text.split("\n")
    for number, column, printed, paths in reversed(list(known)):
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        if line[:column].endswith(printed):
            lines[number - 1] = line[:column] + mark(tuple(map(tuple, paths))) + line[column:]
    return "\n".join(lines)


def as_attribute(paths: Iterable[Path]) -> str:
    """Return paths as HTML has them."""
    return _PATHS.join(_NAMES.join(path) for path in paths)


def from_attribute(text: str) -> tuple[Path, ...]:
    """Return the paths that an attribute of HTML has."""
    return tuple(tuple(path.split(_NAMES)) for path in text.split(_PATHS)) if text else ()


def read(mark: str) -> tuple[Path, ...]:
    """Return the paths that a mark spells."""
    codes = bytes(code for sign in mark for code in divmod(ord(sign) - _PLANE, 128)).rstrip(b"\0")
    spelt = codes.decode("unicode_escape")
    return tuple(tuple(path.split(_WITHIN)) for path in spelt.split(_BETWEEN))


def _carrying(kind: type, name: str) -> Callable[..., Any]:
    original = getattr(kind, name)

    def method(self: Any, *others: Any) -> Any:
        return with_origins(original(self, *others), origins_of(self, *others))

    return method


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
for _kind in (Whole, Real):
    for _name in (*_BINARY, *(f"r{name}" for name in _BINARY), "neg", "pos", "abs", "round"):
        setattr(_kind, f"__{_name}__", _carrying(_kind.__base__, f"__{_name}__"))  # type: ignore[arg-type]
