"""Figures before they are drawn: what draws each, and from what. Those that were drawn before are not drawn again.

Nothing here imports matplotlib, which takes half a second: where nothing has to be drawn nobody waits for it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.kept import Kept, name_of
from reportgen.languages import Language
from reportgen.program import source_digest, version_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_FIGURES = ("figure.", "setting.", "value.", "class.", "list.")
"""Sentences of the catalogue that may stand in a figure."""

_DRAWN_WITH = (
    "matplotlib", "numpy", "pandas", "pillow", "uharfbuzz", "fonttools",
    "font-source-sans-pro", "noto-cjk-sans-otc",
)  # fmt: skip


@dataclass(frozen=True)
class Sketch:
    """A figure that is not drawn yet."""

    function: str
    """Module of `reportgen.figures` and the function in it: accuracies.test_accuracies."""
    arguments: tuple[Any, ...]

    def figure(self) -> "Figure":
        """Draw it."""
        module, _, name = self.function.rpartition(".")
        drawn: Figure = getattr(import_module(f"reportgen.figures.{module}"), name)(*self.arguments)
        return drawn

    def digest(self) -> str:
        """Return a digest of all that the figure is made from, this program and its packages too."""
        digest = hashlib.sha256()
        _take(digest.update, self.arguments)
        return name_of([source_digest(), *map(version_of, _DRAWN_WITH), self.function, digest.hexdigest()])


def sketch(function: str, *arguments: object) -> Sketch:
    """Return the figure that a function of `reportgen.figures` makes of these arguments, not drawn yet."""
    return Sketch(function, arguments)


def for_figures(language: Language) -> Language:
    """Return the language with the sentences alone that a figure may use: they are part of its digest."""
    return Language(language.code, {k: v for k, v in language.messages.items() if k.startswith(IN_FIGURES)})


def as_svg(
    sketches: Iterable[tuple[str, Sketch]], names: Iterable[str], language: Language, kept: Kept | None = None
) -> dict[str, str]:
    """Return each figure as SVG, by name.

    Args:
        sketches: name and figure.
        names: what stands in the figures and is not in the catalogue, such as labels.
        language: of the figures.
        kept: those that were drawn before; the others are drawn and kept there.
    """
    wanted = {name: (sketch, f"{sketch.digest()}.svg") for name, sketch in sketches}
    found = {name: kept.get(file) if kept else None for name, (_, file) in wanted.items()}
    missing = {name: sketch for name, (sketch, _) in wanted.items() if found[name] is None}
    drawn = _drawn(missing, names, language) if missing else {}
    for name, svg in drawn.items():
        if kept:
            kept.put(wanted[name][1], svg.encode())
    return {name: drawn[name] if svg is None else svg.decode() for name, svg in found.items()}


def _drawn(sketches: Mapping[str, Sketch], names: Iterable[str], language: Language) -> dict[str, str]:
    from reportgen.figures.style import drawing, to_svg

    said = (str(words) for words in for_figures(language).messages.values())
    with drawing("".join([*said, *names]), language.code):
        return {
            name: to_svg(sketch.figure(), language.code, language.localised) for name, sketch in sketches.items()
        }


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
