"""Plain text that stays itself in Markdown."""

import re

from markupsafe import Markup

from reportgen.i18n.origins import Text, mark, parts_of, unmarked

# an underscore between two letters is itself already; of several in a row every one is escaped
_SPECIAL = re.compile(r"[\\`*\[\]<>|$~&#]|(?<![^\W_])_|_(?![^\W_])")
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")  # the spaces inside a number, which are not broken, stay
_AT_LINE_START = re.compile(r"^(\s*)([+=-]|\d+(?=[.)](?:\s|$)))")


def escape_markdown(text: str) -> Markup:
    """Return `text` with all that Markdown would read as its own escaped, on one line."""
    text = _SPACES.sub(" ", text).strip()
    text = _SPECIAL.sub(r"\\\g<0>", text)
    return Markup(_AT_LINE_START.sub(_escape_start, text))  # noqa: S704 - escaped just above


def _escape_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}\\" if mark.isdigit() else f"{space}\\{mark}"


def as_markdown(value: object) -> object:
    """Escape a plain string, mark a number that knows its origin, and let everything else be.

    What a template prints goes through here.
    """
    if isinstance(value, Markup):
        return value
    text, spelt = parts_of(value)
    if spelt:
        return Markup(escape_markdown(text) + spelt)  # noqa: S704 - escaped
    return escape_markdown(value) if isinstance(value, str) else value


def code_span(text: str) -> Markup:
    """Return inline code that shows `text` to the letter; not for a table, where a bar ends the cell."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return Markup(f"{fence}{space}{' '.join(unmarked(text).split())}{space}{fence}")  # noqa: S704 - as in code_block


def code_block(text: str, kind: str = "text") -> Markup:
    """Return a fenced block that shows `text` to the letter, whatever it holds; a `log` is set in two columns."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = unmarked(text).rstrip()
    if isinstance(text, Text) and shown:  # the first line has the mark of all
        first, end, rest = shown.partition("\n")
        shown = f"{first}{mark(text.origins)}{end}{rest}"
    return Markup(f"{fence}{kind}\n{shown}\n{fence}")  # noqa: S704 - the fence is longer than any inside
