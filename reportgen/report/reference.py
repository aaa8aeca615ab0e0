"""What templates may use, as a page of Markdown, read from the code: classes, functions and filters."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from reportgen.i18n.languages import load_languages
from reportgen.report.context import Common
from reportgen.report.markdown import documented
from reportgen.resources import TEMPLATES

MARK = "<!-- What follows is written by `reportgen template names`. -->"
"""The line of docs/templates.md after which the generated part begins."""


def reference(contexts: Mapping[str, type[Common]]) -> str:
    """Return the page; `contexts` says by task what its templates are given."""
    parts = ["## Names of every report\n", *_table(Common, set())]
    shared = {field.name for field in fields(Common)}
    for task, context in contexts.items():
        parts += [f"\n## Names of a report on {task}, besides\n", *_table(context, shared)]
    (language,) = load_languages(["en"], [TEMPLATES])
    functions, filters = documented(language)
    parts += ["\n## Functions\n", "| name | what it gives |", "|:---|:---|"]
    parts += [f"| `{_call(name, value)}` | {_said(value)} |" for name, value in functions.items()]
    parts += ["\n## Filters, besides those of Jinja\n", "| name | what it gives |", "|:---|:---|"]
    parts += [f"| `{name}` | {_said(value)} |" for name, value in filters.items()]
    parts.append("\n## What stands behind the names\n")
    for kind in _reachable(contexts.values()):
        place = f"{kind.__module__.removeprefix('reportgen.')}.{kind.__qualname__}"
        parts += [f"### {place}\n", f"{_first(kind.__doc__)}\n", *_table(kind, set()), ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def _table(kind: type, known: set[str]) -> Iterator[str]:
    said = _docstrings(kind)
    hints = get_type_hints(kind)
    rows = [(name, _named(hints[name]), said.get(name, "")) for name in hints if name not in known]
    rows += [
        (name, _named(get_type_hints(value.fget).get("return", Any)), _first(value.__doc__))
        for name, value in vars(kind).items()
        if isinstance(value, property) and not name.startswith("_")
    ]
    yield "| name | type | what it is |"
    yield "|:---|:---|:---|"
    for name, hint, text in rows:
        yield f"| `{name}` | `{hint}` | {_cell(text)} |"


def _docstrings(kind: type) -> dict[str, str]:
    """Return the text below each field of a class and of those that it is made from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if is_dataclass(base):
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
            statements = body.body if isinstance(body, ast.ClassDef) else []
            for field, text in pairwise(statements):
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                    found[ast.unparse(field.target)] = str(ast.literal_eval(text.value))
    return found


def _reachable(kinds: Any) -> list[type]:
    """Return the dataclasses that the fields of `kinds` lead to, in the order of their first mention."""
    found: dict[type, None] = {}
    waiting = list(kinds)
    while waiting:
        for hint in get_type_hints(waiting.pop(0)).values():
            for kind in _classes_in(hint):
                if kind not in found:
                    found[kind] = None
                    waiting.append(kind)
    return list(found)


def _classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from _classes_in(argument)


def _named(hint: Any) -> str:
    """Write a type the way code does, without the modules."""
    text = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text).replace("NoneType", "None").replace("|", "or")


def _call(name: str, value: Any) -> str:
    if not callable(value):
        return name
    parameters = [p for p in inspect.signature(value).parameters.values() if p.name != "self"]
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return f"{name}({', '.join(stars.get(p.kind, '') + p.name for p in parameters)})"


def _said(value: Any) -> str:
    return _cell(_first(value.__doc__ if callable(value) else value)) if value else ""


def _first(text: str | None) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
