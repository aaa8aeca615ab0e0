"""A YAML file as plain values, with the line of every one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from reportgen.errors import Problem, SuiteError

LARGEST_FILE = 128 * 1024
MOST_VALUES = 20_000
DEEPEST = 50

Path_ = tuple[str | int, ...]


@dataclass
class Document:
    """What a YAML file says: `value` in plain Python types, `lines` by path."""

    file: Path
    value: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """Return the line of `path`, or of the nearest thing around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def __contains__(self, path: Path_) -> bool:
        return path in self.lines

    def problem(self, path: Path_, got: str, expected: str, hint: str = "") -> Problem:
        """Return a fault at `path` of this file."""
        return Problem(self.file, self.line(path), dotted(path), got, expected, hint)


def dotted(path: Path_) -> str:
    """Write a path the way people do: `runs[1].model.hidden_size`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def read_document(file: Path) -> Document:
    """Read the YAML file; SuiteError names file and line of what keeps it from being read."""
    text = _read_text(file)
    try:
        tree = YAML(typ="rt", pure=True).load(text)
        document = Document(file)
        document.value = _Plainer(document).plain(tree, (), 1)
    except _RefusedError as refused:
        raise SuiteError([refused.problem]) from None
    except DuplicateKeyError as error:
        raise SuiteError([Problem(file, _line_of(error), "", "the same key twice", "each key once")]) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        got = f"the control character U+{ord(error.character):04X}" if error.character else "a control character"
        raise SuiteError([Problem(file, line, "", got, "text")]) from None
    except MarkedYAMLError as error:
        raise SuiteError([_syntax_problem(file, text, error)]) from None
    except RecursionError:
        raise SuiteError([_too_deep(file, 1)]) from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, NotImplementedError) as error:
        # ruamel.yaml lets a few built-in errors through on malformed tags, directives and numbers
        problem = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SuiteError([Problem(file, 1, "", problem, "YAML 1.2")]) from None
    return document


def _read_text(file: Path) -> str:
    def refused(got: str, expected: str, line: int = 1) -> SuiteError:
        return SuiteError([Problem(file, line, "", got, expected)])

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
        raise refused(f"a file of {size:,} bytes", f"a suite of at most {LARGEST_FILE:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refused(f"the byte 0x{raw[error.start]:02x}, which is not UTF-8", "a file in UTF-8", line) from None


def _line_of(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _syntax_problem(file: Path, text: str, error: MarkedYAMLError) -> Problem:
    line = _line_of(error)
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return Problem(file, line, "", "a tab", "spaces; YAML does not indent with tabs")
    got = str(error.problem or error.context or "a syntax error").splitlines()[0]
    return Problem(file, line, "", f"{got}", "YAML 1.2", "quote a text that holds : # { [ or @")


def _too_deep(file: Path, line: int) -> Problem:
    return Problem(file, line, "", "values nested too deeply", f"at most {DEEPEST} levels")


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Plainer:
    """Turns ruamel's tree into plain values. Aliases are written out, so their sum is bounded."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.values = 0

    def plain(self, node: Any, path: Path_, line: int) -> Any:
        self.document.lines[path] = line
        self.values += 1
        if self.values > MOST_VALUES:
            raise _RefusedError(
                self._problem(path, f"more than {MOST_VALUES:,} values", "a suite of fewer values")
            )
        if len(path) > DEEPEST:
            raise _RefusedError(_too_deep(self.document.file, line))
        match node:
            case CommentedMap():
                return {
                    key: self.plain(child, (*path, key), at) for key, child, at in self._pairs(node, path, line)
                }
            case CommentedSeq():
                places = node.lc.data or {}
                return [
                    self.plain(child, (*path, i), places[i][0] + 1 if i in places else line)
                    for i, child in enumerate(node)
                ]
            case TaggedScalar():
                raise _RefusedError(self._problem(path, f"the tag {node.tag.value!r}", "a plain value"))
            case bool() | None:
                return node
            case int():
                return int(node)
            case float():
                return float(node)
            case str():
                return str(node)
        return node  # a date

    def _pairs(self, node: CommentedMap, path: Path_, line: int) -> Iterator[tuple[str, Any, int]]:
        places = node.lc.data or {}
        for key, child in node.items():
            at = places[key][0] + 1 if key in places else line
            if not isinstance(key, str):
                problem = self._problem((*path,), f"the key {shown(key)}", "a text as a key; quote it")
                raise _RefusedError(Problem(problem.file, at, problem.where, problem.got, problem.expected))
            yield str(key), child, at

    def _problem(self, path: Path_, got: str, expected: str) -> Problem:
        return self.document.problem(path, got, expected)


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
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…{text[-1]}"
