"""The border between the program and its templates: what crosses it is plain, or is refused.

Plain are None, booleans, numbers, text, lists, tuples and dicts of these, and frozen dataclasses that have nothing
but such fields. A dataclass of the program's own becomes one of these: its fields and its properties, none of its
methods. A table becomes a list of rows. Anything else is an error of the program's, whatever a template does.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, make_dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from pydantic import BaseModel

from reportgen.i18n.origins import Path, Real, Text, Whole, unmarked, with_origins
from reportgen.suite.text import Text as InLanguages

NUMBERS = (int, float, Whole, Real)
TEXTS = (str, Markup, Text)
SEQUENCES = (list, tuple)

_IDENTITY = (
    ("run",),
    ("variant", "true", "predicted"),
    ("variant", "layer"),
    ("ahead", "behind"),
    ("large", "small"),
    ("model",),
    ("one", "other"),
    ("variant",),
    ("class",),
)
"""What tells an entry of a list from the others, so that a path names it: `differences.lstm.rnn.mean`."""

_RENAMED: dict[str, Path] = {
    "findings": (),
    "datasets": ("data",),
    "rows": ("comparison",),
    "unfinished": ("runs",),
    "explained": (),
    "common_settings": ("settings",),
}
"""Where a path begins in a context, and in results.json."""

_PARTS: dict[str, Path] = {
    "evidence": (),
    "difference": (),
    "per_class": ("classes",),
    "baselines": ("baseline",),
    "kept": ("gradient",),
    "forget_gates": ("forget_gate",),
}
"""Fields that results.json has under another name, or among what they are part of."""

_ORIGINALS: dict[type, type] = {}


class Crossed(dict[str, Any]):
    """The names of a context, made plain."""


class NotPlainError(TypeError):
    """A value that no template may be given."""


def is_fields(kind: type) -> bool:
    """Tell whether a class is one of those that dataclasses become here."""
    return kind in _ORIGINALS


@cache
def plain_fields(kind: Any) -> frozenset[str]:
    """Return the names that templates may read of such a class."""
    return frozenset(field.name for field in fields(kind))


def cross(context: Any, language: str) -> Crossed:
    """Return the names of a context, each with its value made plain; numbers know where they come from.

    Args:
        context: a dataclass, or names with their values.
        language: the code of the language in which texts of the suite are taken.

    Raises NotPlainError, which names the path, for a value that cannot be made plain.
    """
    given = context if isinstance(context, Mapping) else vars(context)
    return Crossed((name, plain(value, _RENAMED.get(name, (name,)), language)) for name, value in given.items())


def crossed(context: Any, language: str) -> Crossed:
    """Return a context that has crossed the border, whether it had before or not."""
    return context if isinstance(context, Crossed) else cross(context, language)


def plain(value: Any, path: Path = (), language: str = "") -> Any:
    """Return a value made plain; `path` is where it stands in the results."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else unmarked(value)  # marks are the program's own
    if value is None or kind is bool or kind in TEXTS or kind in (Whole, Real):
        return value
    if kind in (int, float):
        return with_origins(value, ((*path, f"={value!r}"),))
    if kind is dict:
        return {_key(name): plain(item, (*path, str(name)), language) for name, item in value.items()}
    if kind in SEQUENCES:
        items = [_item(item, index, path, language) for index, item in enumerate(value)]
        return items if kind is list else tuple(items)
    return _converted(value, path, language)


def _item(item: Any, index: int, path: Path, language: str) -> Any:
    if type(item) is tuple and item and isinstance(item[0], str):  # such as a setting and its value
        return tuple(plain(part, (*path, str(item[0])), language) for part in item)
    return plain(item, (*path, *_told_apart(item, index, path)), language)


def _converted(value: Any, path: Path, language: str) -> Any:
    """Return what stands in templates for an object of a library's or of the program's own."""
    match value:
        case InLanguages():
            return value.in_language(language)
        case np.generic():
            return plain(value.item(), path, language)
        case str():
            return plain(str(value))
        case pd.DataFrame():
            return plain(
                [dict(zip(map(str, value.columns), row, strict=True)) for row in _rows(value)], path, language
            )
        case np.ndarray() | pd.Series():
            return plain(value.tolist(), path, language)
        case BaseModel():
            return _fields_of(value, tuple(type(value).model_fields), path, language)
        case Mapping():
            return plain(dict(value), path, language)
    if is_fields(type(value)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _fields_of(value, _names(value.__class__), path, language)
    raise NotPlainError(f"{'.'.join(path)}: got {type(value).__qualname__}, expected a plain value for templates")


def _rows(table: pd.DataFrame) -> Any:
    return zip(*(table[name].tolist() for name in table.columns), strict=True)


def _fields_of(value: Any, names: tuple[str, ...], path: Path, language: str) -> Any:
    made = _plain_class(type(value), names)  # type: ignore[arg-type]  # a class is hashable
    variant = getattr(value, "variant", None)
    path = (*path, variant) if isinstance(variant, str) and variant not in path else path
    parts = (plain(getattr(value, name), (*path, *_PARTS.get(name, (name,))), language) for name in names)
    return made(*parts)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass, and its public properties."""
    properties = (name for name in dir(kind) if isinstance(getattr(kind, name), property) and name[0] != "_")
    return (*(field.name for field in fields(kind)), *properties)


@cache
def _plain_class(original: type, names: tuple[str, ...]) -> type:
    def rebuilt(self: Any) -> tuple[Any, ...]:
        return _rebuild, (original, names, tuple(getattr(self, name) for name in names))

    made = make_dataclass(original.__name__, names, frozen=True, slots=True, namespace={"__reduce__": rebuilt})
    _ORIGINALS[made] = original
    return made


def _rebuild(original: type, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return _plain_class(original, names)(*values)


def _key(key: Any) -> Any:
    if type(key) in (str, int, float, bool, type(None)):
        return key
    if isinstance(key, np.generic):
        return key.item()
    if isinstance(key, str):
        return str(key)
    raise NotPlainError(f"got the key {key!r} of {type(key).__qualname__}, expected text or a number")


def _told_apart(item: Any, index: int, path: Path) -> Path:
    """Return what names an entry of a list: its run, its variants or its class, else its place, from 0."""
    read: Callable[[str], Any] = item.get if isinstance(item, dict) else lambda name: getattr(item, name, None)
    for names in _IDENTITY:
        values = [read(name) for name in names] if isinstance(item, dict) or is_dataclass(item) else [None]
        if all(type(value) in (str, int) for value in values):
            return tuple(str(value) for value in values if value not in path)
    return (str(index),)
