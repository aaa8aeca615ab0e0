"""Figures before they are drawn: what draws each, and from what. Those that were drawn before are not drawn again.

Nothing here imports matplotlib, which takes half a second: where nothing has to be drawn nobody waits for it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.i18n.languages import Language
from reportgen.storage.cache import Cache, cache_name
from reportgen.storage.fingerprints import source_digest, version_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_FIGURES = ("figure.", "setting.", "value.", "class.", "list.")
"""Sentences of the catalogue that may stand in a figure."""

_DRAWN_WITH = (
    "matplotlib", "numpy", "pandas", "pillow", "uharfbuzz", "fonttools",
    "font-source-sans-pro", "noto-cjk-sans-otc",
)  # fmt: skip


@dataclass(frozen=True)
class DeferredFigure:
    """A figure that is not drawn yet."""

    function: str
    """Module of `reportgen.figures` and the function in it: accuracies.test_accuracies."""
    arguments: tuple[Any, ...]

    def figure(self) -> "Figure":
        """Draw it."""
        module, _, name = self.function.rpartition(".")
        drawn: Figure = getattr(import_module(f"reportgen.{module}"), name)(*self.arguments)
        return drawn

    def digest(self) -> str:
        """Return a digest of all that the figure is made from, this program and its packages too."""
        digest = hashlib.sha256()
        _take(digest.update, self.arguments)
        return cache_name([source_digest(), *map(version_of, _DRAWN_WITH), self.function, digest.hexdigest()])


def defer(function: str, *arguments: object) -> DeferredFigure:
    """Return the figure that a function of `reportgen.figures` makes of these arguments, not drawn yet."""
    return DeferredFigure(function, arguments)


def for_figures(language: Language) -> Language:
    """Return the language with the sentences alone that a figure may use: they are part of its digest."""
    return Language(language.code, {k: v for k, v in language.messages.items() if k.startswith(IN_FIGURES)})


@dataclass(frozen=True)
class DeferredFigures:
    """Figures of one language that are not drawn yet, with all that it takes to draw them."""

    figures: Mapping[str, DeferredFigure]
    names: Sequence[str]
    """What stands in the figures and is not in the catalogue, such as labels."""
    language: Language

    def svg(self, cache: Cache | None = None) -> dict[str, str]:
        """Return each figure as SVG, by name; those that are not in `cache` are drawn and kept there."""
        return all_as_svg([self], cache)[0]


Beside = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], list[Any]]
"""Takes work and the arguments of each piece; returns what the work makes of them, in their order."""


def _one_after_the_other(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [work(*own) for own in arguments]


def all_as_svg(
    several: Sequence[DeferredFigures], cache: Cache | None = None, carry_out: Beside = _one_after_the_other
) -> list[dict[str, str]]:
    """Return the figures of each language as SVG, by name.

    Args:
        several: the figures, a language each.
        kept: those that were drawn before; the others are drawn and kept there.
        carry_out: draws the languages, be it side by side.
    """
    found = [_known(own, cache) if cache else {} for own in several]
    lacking = [
        replace(own, figures={name: one for name, one in own.figures.items() if name not in known})
        for own, known in zip(several, found, strict=True)
    ]
    drawn = carry_out(_drawn, [(own,) for own in lacking]) if any(own.figures for own in lacking) else []
    for own, known, new in zip(lacking, found, drawn, strict=False):
        known.update(new)
        for name, svg in new.items():
            if cache:
                cache.put(_file(own.figures[name]), svg.encode())
    return [{name: known[name] for name in own.figures} for own, known in zip(several, found, strict=True)]


def _known(own: DeferredFigures, cache: Cache) -> dict[str, str]:
    there = {name: cache.get(_file(one)) for name, one in own.figures.items()}
    return {name: svg.decode() for name, svg in there.items() if svg is not None}


def _file(one: DeferredFigure) -> str:
    return f"{one.digest()}.svg"


def _drawn(own: DeferredFigures) -> dict[str, str]:
    if not own.figures:
        return {}
    from reportgen.figures.style import drawing, to_svg

    language = own.language
    said = (str(words) for words in for_figures(language).messages.values())
    with drawing("".join([*said, *own.names]), language.code):
        return {name: to_svg(one.figure(), language.code, language.localised) for name, one in own.figures.items()}


_Update = Callable[[bytes], object]


def _take(update: _Update, value: object) -> None:
    """Take a value into a digest, with its type and what it is made of; TypeError for one of an unknown type."""
    update(f"<{type(value).__qualname__}>".encode())
    for part in _parts(value):
        if isinstance(part, bytes):
            update(len(part).to_bytes(8, "big") + part)
        else:
            _take(update, part)
    update(b"</>")


def _parts(value: object) -> Iterator[object]:
    match value:
        case None | bool() | int() | float() | str() | np.generic():
            yield repr(value).encode("utf-8", "surrogatepass")
        case bytes():
            yield value
        case np.ndarray():
            yield from (
                value.dtype.str.encode(),
                repr(value.shape).encode(),
                value.tobytes(),
            )
        case pd.DataFrame():
            yield from (repr([*value.columns]).encode(), repr([*map(str, value.dtypes)]).encode())
            yield pd.util.hash_pandas_object(value).to_numpy().tobytes()
        case Language():
            yield from (value.code, value.messages)
        case Mapping():
            yield from (part for item in value.items() for part in item)
        case list() | tuple():
            yield from value
        case _ if is_dataclass(value):
            yield from (getattr(value, field.name) for field in fields(value))
        case _ if callable(getattr(value, "model_dump_json", None)):
            yield value.model_dump_json().encode()  # type: ignore[attr-defined]  # one of pydantic's
        case _:
            raise TypeError(f"a figure is made from a {type(value).__qualname__}, which has no digest")
