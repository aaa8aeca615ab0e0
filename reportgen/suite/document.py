"""A YAML file as plain values, with the line of every one of them.

The values are built here from the parser's events, and not by ruamel.yaml's own constructors: YAML 1.2 and
nothing more (no tags, no dates, no `yes`), every fault with its line, and limits that hold before memory is used.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml
from ruamel.yaml.error import MarkedYAMLError

from reportgen.errors import Problem, SuiteError

LARGEST_FILE = 128 * 1024
MOST_VALUES = 20_000
DEEPEST = 50

Path_ = tuple[str | int, ...]

_OF_THE_FILE = ("'", "the unknown key ", "a text in ")
"""What a message found begins with, where it shows a word of the file."""

_KEY = "?"  # in the path of what is not a value but part of a key

# what YAML lets stand in a file: neither control characters nor halves of surrogate pairs
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# the core schema of YAML 1.2; a whole number that no float is as large as is read as a float: inf
_WORDS = {
    word: value
    for meaning, value in {"null": None, "true": True, "false": False}.items()
    for word in (meaning, meaning.title(), meaning.upper())
} | {"": None, "~": None}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass
class Document:
    """What a YAML file says: `value` in plain Python types, `lines` by path, and faults that hide nothing else."""

    file: Path
    value: Any = None
    lines: dict[Path_, int] = field(default_factory=lambda: {(): 1})
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path_) -> int:
        """Return the line of `path`, or of the nearest thing around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def __contains__(self, path: Path_) -> bool:
        return path in self.lines

    def problem(self, path: Path_, got: str, expected: str, hint: str = "") -> Problem:
        """Return a fault at `path` of this file."""
        typed = hint_in(got) if got.startswith(_OF_THE_FILE) else ""
        return Problem(self.file, self.line(path), dotted(path), got, expected, typed or hint)


def dotted(path: Path_) -> str:
    """Write a path the way people do: `runs[1].model.hidden_size`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def shown_key(key: str) -> str:
    """Show a key the way it is written, unless it is long or has something in it that cannot be seen."""
    return key if 0 < len(key) <= 60 and key.isprintable() else shown(key)


def shown(value: object) -> str:
    """Show a value of the user's in a message: short, and with control characters escaped."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
    text = repr(value[:100] if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:57]}…{text[-1]}"


def read_document(file: Path) -> Document:
    """Read the YAML file; SuiteError names file and line of what keeps it from being read."""
    text = _read_text(file)
    document = Document(file)
    try:
        _Reader(document, YAML(typ="safe", pure=True).parse(text)).read()
    except _RefusedError as refused:
        raise SuiteError([*document.problems, refused.problem]) from None
    except MarkedYAMLError as error:
        raise SuiteError([*document.problems, _syntax_problem(file, text, error)]) from None
    except Exception as error:  # ruamel.yaml lets built-in errors through on malformed escapes and directives
        problem = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SuiteError([*document.problems, Problem(file, 1, "", problem, "YAML 1.2")]) from None
    return document


def _read_text(file: Path) -> str:
    def refused(got: str, expected: str, line: int = 1, hint: str = "") -> SuiteError:
        return SuiteError([Problem(file, line, "", got, expected, hint)])

    if file.is_dir():
        raise refused("a directory", "a suite file, YAML")
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise refused("no such file", "a suite file, YAML") from None
    except OSError as error:
        raise refused(f"an unreadable file ({error.strerror})", "a suite file, YAML") from None
    if len(raw) > LARGEST_FILE:
        size = file.stat().st_size
        raise refused(f"a file of {size:,} bytes", f"at most {LARGEST_FILE:,} bytes")
    raw = raw.removeprefix(b"\xef\xbb\xbf")  # the mark that some Windows editors begin a file with
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        got = f"the byte 0x{raw[error.start]:02x}, which is not UTF-8"
        raise refused(got, "a file in UTF-8", line, "save it as UTF-8 in your editor") from None
    if found := _UNPRINTABLE.search(text):
        raise refused(_control_character(found), "text", text.count("\n", 0, found.start()) + 1)
    return text


def _control_character(found: re.Match[str]) -> str:
    return f"the control character U+{ord(found.group()):04X}"


def _syntax_problem(file: Path, text: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    said = str(error.problem or error.context or "a syntax error").splitlines()[0]
    if "\t" in here[: len(here) - len(here.lstrip())] or r"'\t'" in said:
        return Problem(file, line, "", "a tab", "spaces; YAML does not indent with tabs")
    # a key without its colon is found out on the line after it
    before = next((line for line in reversed(lines[: line - 1]) if line.strip()), "")
    hint = hint_in(here) or hint_in(before)
    if expectation := re.fullmatch(r"expected (.+), but (?:got|found) \(?(.+?)(?:,\))?", said):
        return Problem(file, line, "", expectation[2], expectation[1], hint)
    said = said.removeprefix("found ")
    return Problem(file, line, "", said, "YAML 1.2", hint or "quote a text that holds : # { [ or @")


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Reader:
    """Builds plain values from YAML's events. An alias counts as often as it is used, so that all has an end."""

    def __init__(self, document: Document, events: Iterator[yaml.Event]) -> None:
        self.document = document
        self.events = events
        self.values = 0
        # each anchor's value and how many values it holds; None while its value is being read
        self.anchors: dict[str, tuple[Any, int] | None] = {}

    def read(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    raise self._refusal(event, (), "a second document", "one document: no line ---")
                first = next(self.events)
                self.document.lines[()] = _line(first)
                self.document.value = self._value(first, ())

    def _value(self, event: Any, path: Path_) -> Any:
        if len(path) > DEEPEST:
            raise self._refusal(event, (), "values nested too deeply", f"at most {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        self._count(1, event, path)
        before = self.values
        if event.anchor:
            self.anchors[event.anchor] = None
        if event.tag is not None:
            self._complain(event, path, f"the tag {_short(event.tag)}", "a plain value")
        value = self._untagged(event, path)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.values - before + 1)
        return value

    def _untagged(self, event: Any, path: Path_) -> Any:
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.ScalarEvent(style=None):
                return plain_scalar(event.value)
            case _ if found := _UNPRINTABLE.search(event.value):  # written as an escape
                self._complain(event, path, _control_character(found), "text")
                return _UNPRINTABLE.sub("", event.value)
        return event.value

    def _alias(self, event: yaml.AliasEvent, path: Path_) -> Any:
        name = shown(event.anchor)
        if event.anchor not in self.anchors:
            raise self._refusal(event, path, f"an alias of {name}", "an alias of an anchor (&) further up")
        known = self.anchors[event.anchor]
        if known is None:
            raise self._refusal(event, path, f"the alias {name} inside its own value", "a value that ends")
        self._count(known[1], event, path)
        return known[0]

    def _sequence(self, path: Path_) -> list[Any]:
        values: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, len(values))
            self.document.lines[here] = _line(event)
            values.append(self._value(event, here))
        return values

    def _mapping(self, path: Path_) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._value(event, (*path, _KEY))
            child = next(self.events)
            if not isinstance(key, str):
                self._complain(event, path, f"the key {shown(key)}", "a text as a key; quote it")
                self._value(child, (*path, _KEY))
                continue
            here = (*path, key)
            if key in values:
                self._complain(event, here, "the same key a second time", "each key once")
            self.document.lines[here] = _line(event)
            values[key] = self._value(child, here)
        return values

    def _count(self, values: int, event: yaml.Event, path: Path_) -> None:
        self.values += values
        if self.values > MOST_VALUES:
            raise self._refusal(event, path, f"more than {MOST_VALUES:,} values", "fewer values")

    def _complain(self, event: yaml.Event, path: Path_, got: str, expected: str) -> None:
        self.document.problems.append(self._refusal(event, path, got, expected).problem)

    def _refusal(self, event: yaml.Event, path: Path_, got: str, expected: str) -> _RefusedError:
        around = path[: path.index(_KEY)] if _KEY in path else path
        return _RefusedError(Problem(self.document.file, _line(event), dotted(around), got, expected))


def _short(tag: str) -> str:
    return shown(tag.replace("tag:yaml.org,2002:", "!!", 1))


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1


def plain_scalar(text: str) -> Any:
    """Read an unquoted scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        bases = {"0o": 8, "0x": 16}
        return int(text, bases.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text


_BRACKET = "full-width bracket; write '[' and ']', or '{' and '}'"
_MARKS = (
    # before it a key of ours: at the beginning of a line or of what was found, or inside { }
    (re.compile(r"(?:^|[\s'{,，-])[A-Za-z_.]+\s*："), "full-width colon; write ':' and a space"),
    (re.compile(r"^(?:the unknown key )?'.*，|，\s*[A-Za-z_.]+\s*:\s"), "full-width comma; write ','"),
    (
        re.compile(r"(?:^'|[:：]\s*)[［｛]|^'[^［｛]*[］｝]'$"),
        "full-width bracket; write '[' and ']', or '{' and '}'",
    ),
    (re.compile(r"^'[“”‘’]"), "curly quotation marks; write '\"'"),
)


def hint_in(text: str) -> str:
    """Return what to write instead of the full-width punctuation in `text`; nothing if there is none."""
    return next((hint for mark, hint in _MARKS if mark.search(text)), "")
