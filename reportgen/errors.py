"""What can go wrong that is not a defect of reportgen: each error is one message for the user."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def visible(text: str) -> str:
    """Return the text as a terminal may show it: what it would obey, or could not show, is escaped as in Python.

    Line ends are kept. A terminal obeys control characters, and turns the direction of text for some others.
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class ReportgenError(Exception):
    """A problem that the user can mend; its text says where, what was found and what was expected."""


@dataclass(frozen=True)
class Problem:
    """One fault in a file that the user wrote."""

    file: Path
    line: int
    where: str
    got: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        text = f"{self.file}:{self.line}: {where}got {self.got}, expected {self.expected}{hint}"
        return visible(text).replace("\n", r"\n")  # one problem is one line


class InputError(ReportgenError):
    """Every problem of the user's files, all of them at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (str(problem.file), problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@contextmanager
def reading(file: Path, expected: str, line: Callable[[], int] | None = None) -> Iterator[None]:
    """Turn whatever a library raises at what is in a file into InputError: one message with the file and the line.

    A library's own errors are not all that it raises: of too many digits comes a ValueError of Python's, of too
    deep a nest a RecursionError. What is told already is left alone, and so are files that cannot be reached,
    whose error has their name, and memory that has run out.

    Args:
        file: what is read.
        expected: what the file should be.
        line: says where the fault is, if the error does not.
    """
    try:
        yield
    except (ReportgenError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        where = getattr(error, "lineno", None) or (line() if line else 1)
        raise InputError([Problem(file, where, "", f"what cannot be read ({said[:100]})", expected)]) from None


def unreadable_line(text: str, read: Callable[[str], object], harmless: type[Exception] | tuple[()] = ()) -> int:
    """Return the first line at which `read` fails, all lines up to it taken together; 1 if that cannot be told.

    `harmless` is what it raises at a text that is merely cut off.
    """
    lines = text.splitlines(keepends=True)

    def fails(last: int) -> bool:
        try:
            read("".join(lines[: last + 1]))
        except harmless:
            return False
        except Exception:
            return True
        return False

    found = bisect_left(range(len(lines)), True, key=fails)
    return found + 1 if found < len(lines) else 1  # a nest that is too deep in one place is not so in another


class DataError(InputError):
    """A file of data or a log that cannot be read."""


def refuse(file: Path, line: int, got: str, expected: str, where: str = "", hint: str = "") -> DataError:
    """Return the error for one fault of a file of data, or of a log."""
    return DataError([Problem(file, line, where, got, expected, hint)])


def shortened(text: str, most: int = 60) -> str:
    """Show a piece of a file in a message, in quotation marks, with at most that many characters."""
    text = text.strip()
    return repr(text if len(text) <= most else f"{text[: most - 1]}…")


class SuiteError(InputError):
    """Every problem of a suite file, all of them at once."""


class TemplateError(ReportgenError):
    """A template or a catalogue that cannot be rendered."""


class TypesetError(ReportgenError):
    """A document that cannot be typeset: a character that no font has, a file outside the report."""


class MissingPrerequisiteError(ReportgenError):
    """Something that has to be installed on this machine first."""
