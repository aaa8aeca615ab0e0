"""A catalogue read from its file: dotted keys to sentences, each with its placeholders."""

import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from reportgen.errors import SuiteError, TemplateError
from reportgen.i18n.origins import unmarked
from reportgen.resources import require_plain
from reportgen.suite.document import read_document, shown

_PLURALS = {"zero", "one", "two", "few", "many", "other"}

Message = str | dict[str, str]
"""A sentence, or its forms by CLDR plural category."""


def placeholders(message: Message) -> set[str]:
    """Return the names of the placeholders in a sentence."""
    forms = message.values() if isinstance(message, dict) else [message]
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def read(file: Path) -> dict[str, Message]:
    """Return the sentences of a catalogue by their dotted keys; TemplateError with the line of what is wrong."""
    require_plain(file, file.parent)
    stat = file.stat() if file.is_file() else None
    return dict(_read(file, (stat.st_mtime_ns, stat.st_size) if stat else None))


@lru_cache(maxsize=8)  # it takes a while, and a preview reads the same catalogues again and again
def _read(file: Path, _as_of: tuple[int, int] | None) -> dict[str, Message]:
    try:
        document = read_document(file)
        if document.problems:
            raise SuiteError(document.problems)
    except SuiteError as error:
        raise TemplateError(str(error)) from None
    if not isinstance(document.value, dict):
        problem = document.problem((), shown(document.value), "a mapping of sentences")
        raise TemplateError(str(problem))
    messages: dict[str, Message] = {}
    for path, message in _flat(document.value, ()):
        if not _is_well_formed(message):
            problem = document.problem(path, shown(message), "a text with {placeholders}")
            raise TemplateError(str(problem))
        messages[".".join(path)] = message
    return messages


def _is_well_formed(message: Message) -> bool:
    """Tell whether every pair of braces holds a name and nothing else: no format, no attribute, no number."""
    forms = message.values() if isinstance(message, dict) else [message]
    try:
        fields = [field for form in forms for field in string.Formatter().parse(form)]
    except (ValueError, TypeError):
        return False
    return all(name is None or (name.isidentifier() and not form and not how) for _, name, form, how in fields)


def _flat(tree: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield path and message of every sentence; the keys of a form of the plural belong to its sentence."""
    for key, value in tree.items():
        path = (*above, key)
        if isinstance(value, dict) and not ("other" in value and value.keys() <= _PLURALS):
            yield from _flat(value, path)
        elif isinstance(value, dict):
            yield path, {form: _one_line_end(text) for form, text in value.items()}
        else:
            yield path, _one_line_end(value)


def _one_line_end(text: Any) -> Any:
    """Drop the line end that a folded YAML text has; a space at either end is meant."""
    return unmarked(text.rstrip("\n")) if isinstance(text, str) else text
