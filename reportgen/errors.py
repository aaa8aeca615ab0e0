"""What can go wrong that is not a defect of reportgen: each error is one message for the user."""

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
