"""Sequences of numbers to forecast: sines, or windows of a column of the student's own. Imports no torch."""

import hashlib
import math
import re
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import DataError, reading, refuse, shortened
from reportgen.lab.data.tables import Form, Table, numbers, plain, read_table
from reportgen.lab.data.user_function import read_numbers, source_digest
from reportgen.lab.user_source import UserClass
from reportgen.tasks.forecasting.settings import (
    ForecastingData,
    ForecastingRun,
    LoadedSeriesSettings,
    SeriesSettings,
    SineSettings,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TableFacts:
    """How the table of a series was read, and what stands beside the numbers."""

    encoding: str
    separator: str
    columns: tuple[str, ...]
    dates: str
    """The first other column that has nothing but dates; empty for none."""
    backwards: int
    """How often a date is before the one above it."""
    backwards_line: int
    """Where that is so first; 0 for nowhere."""


@dataclass(frozen=True)
class SeriesFacts:
    """What a report says of the sequences."""

    source: str
    origin: tuple[str, ...]
    digest: str
    counts: dict[str, int]
    """Sequences by part."""
    length: int
    """Points of a sequence."""
    given: int
    """Points that a forecast is given: the first half."""
    center: float
    spread: float
    """Mean and standard deviation of the training part, which the network's numbers are taken off and divided by;
    0 and 1 for sines, which are left as they are."""
    points: int
    """Points of the student's own series; for sines those of all sequences."""
    repeated: int
    """Test sequences that are in the training part, too, to the last point: sines of the same shift."""
    table: TableFacts | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Series:
    """Sequences by part, each an array of shape (sequences, length), scaled as the facts say."""

    train: Floats
    validation: Floats
    test: Floats
    facts: SeriesFacts


@lru_cache(maxsize=8)
def prepare(settings: ForecastingData) -> Series:
    """Make or read the sequences and divide them; DataError for a file that cannot be learnt from."""
    if isinstance(settings, SineSettings):
        return _sines(settings)
    if isinstance(settings, LoadedSeriesSettings):
        own = UserClass.of(settings.load)
        names = (str(own), *(Path(name).name for name in settings.files))
        return _windows(settings, read_numbers(settings), own.file, own.name, names)
    file = Path(settings.file)
    with reading(file, "a table of numbers"):
        points, table = read_column(settings)
    return _windows(settings, points, file, settings.column, (file.name,), table)


def _sines(settings: SineSettings) -> Series:
    """Source: PyTorch's example time_sequence_prediction, which draws its shifts between −4T and 4T, too."""
    widest = math.ceil(4 * settings.time_scale)
    shifts = np.random.default_rng(settings.seed).integers(-widest, widest, settings.sequences)
    waves = np.sin((np.arange(settings.length) + shifts[:, None]) / settings.time_scale)
    held = np.split(waves, [settings.test, settings.test + settings.validation])
    # the shifts, and not the sines: those may differ in their last bit from machine to machine
    digest = _digest(settings.model_dump_json(), shifts.astype("<i8").tobytes())
    return _divided(settings, held, digest, (), waves.size, 0.0, 1.0)


def _windows(
    settings: SeriesSettings | LoadedSeriesSettings,
    points: Floats,
    file: Path,
    name: str,
    origin: tuple[str, ...],
    table: TableFacts | None = None,
) -> Series:
    """Cut a column into windows; the last ones, which do not overlap, are held out.

    The training windows end before those, and the numbers are scaled by what is trained on alone.
    """
    length = settings.window
    held = settings.test + settings.validation
    before = len(points) - held * length
    if before < length:
        raise refuse(
            file, 1, f"{len(points):,} numbers",
            f"at least {(held + 1) * length:,}: a window to train on, and {held} of {length:,} held out",
        )  # fmt: skip
    center, spread = float(points[:before].mean()), float(points[:before].std())
    if not spread > 0:
        raise refuse(file, 1, f"one and the same number in all of {name!r}", "numbers that change")
    scaled = (points - center) / spread
    train = np.lib.stride_tricks.sliding_window_view(scaled[:before], length)[:: -settings.stride][::-1]
    last = np.split(scaled[before:].reshape(held, length), [settings.validation])
    parts = [last[1], last[0], train[-(settings.limit or len(train)) :].copy()]
    # what the windows are cut from and where, and not the scaled ones: those may differ in their last bit, too
    first = np.arange(before - length + 1)[:: -settings.stride][::-1][-len(parts[2]) :]
    cut = f"{length} {settings.validation} {settings.test} {len(first)} {table}"
    digest = _digest(cut, points.astype("<f8").tobytes() + first.astype("<i8").tobytes())
    return _divided(settings, parts, digest, origin, len(points), center, spread, table)


def _divided(
    settings: ForecastingData,
    parts: list[Floats],
    digest: str,
    origin: tuple[str, ...],
    points: int,
    center: float,
    spread: float,
    table: TableFacts | None = None,
) -> Series:
    test, validation, train = parts
    facts = SeriesFacts(
        source=settings.source,
        origin=origin,
        digest=digest,
        counts={"train": len(train), "validation": len(validation), "test": len(test)},
        length=train.shape[1],
        given=train.shape[1] // 2,
        center=center,
        spread=spread,
        points=points,
        repeated=int((test[:, None] == train).all(axis=2).any(axis=1).sum()),
        table=table,
    )
    return Series(train, validation, test, facts)


def _digest(plan: str, content: bytes) -> str:
    return hashlib.sha256(plan.encode() + content).hexdigest()


def read_column(settings: SeriesSettings) -> tuple[Floats, TableFacts]:
    """Read the numbers of a column, and see whether a column of dates runs backwards beside it.

    Raises DataError with the line of what is not a finite number.
    """
    table = read_table(Path(settings.file), Form(settings.encoding, settings.separator, settings.columns))
    cells = table.column(settings.column)
    if not cells:
        raise refuse(table.file, table.line, "no rows", "a table of numbers")

    def refused(place: int, got: str, expected: str) -> DataError:
        return refuse(table.file, table.rows[place].line, got, expected, settings.column)

    points = np.array(numbers(cells, refused))
    if not np.isfinite(points).all():
        place = int(np.argmin(np.isfinite(points)))
        raise refused(place, shortened(cells[place]), "a finite number")
    dates = _backwards(table, settings.column)
    return points, TableFacts(table.encoding, table.separator, tuple(n for n in table.names if n), *dates)


def key_parts(settings: ForecastingRun) -> dict[str, Any]:
    """Return what a run's key holds of its data: their digest, or that of what a function loads them from."""
    data = settings.data
    if isinstance(data, LoadedSeriesSettings):
        return {"data": source_digest(data)}
    return {"data": prepare(data).facts.digest}


def _backwards(table: Table, column: str) -> tuple[str, int, int]:
    """Return the first column of dates, how often it goes back, and the line where it does first; '' for none."""
    for name in dict.fromkeys(table.names):
        if not name or name == column:
            continue
        orders = [dates for dates in map(partial(_dates, table.column(name)), _DATES) if dates]
        back = [[i for i, (a, b) in enumerate(pairwise(dates), 1) if b < a] for dates in orders]
        if back and all(back):  # in every order of day and month that the dates can be read in
            places = min(back, key=len)
            return name, len(places), table.rows[places[0]].line
        if back:
            return name, 0, 0
    return "", 0, 0


_TIME = r"(?:[T ]+(?P<H>\d{1,2})(?::(?P<M>\d{2}))?(?::(?P<S>\d{2}))?.*)?"
_DATES = [
    re.compile(rf"(?P<y>[12]\d{{3}})(?:[-/.年](?P<m>\d{{1,2}}))?(?:[-/.月](?P<d>\d{{1,2}})日?)?月?{_TIME}"),
    re.compile(rf"(?P<y>[12]\d{{3}})(?P<m>\d{{2}})(?P<d>\d{{2}}){_TIME}"),
    re.compile(rf"(?P<d>\d{{1,2}})[-/.](?P<m>\d{{1,2}})[-/.](?P<y>[12]\d{{3}}){_TIME}"),
    re.compile(rf"(?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})[-/.](?P<y>[12]\d{{3}}){_TIME}"),
]
"""Year, month and day in the orders that they are written in; years alone count, too."""


def _dates(cells: list[str], form: re.Pattern[str]) -> list[tuple[int, ...]]:
    """Return the cells as dates that can be compared; nothing if one of them is none in this form."""
    dates = []
    for cell in cells:
        match = form.fullmatch(plain(cell))
        if match is None:
            return []
        date = tuple(int(match[part] or 0) for part in "ymdHMS")
        if date[1] > 12 or date[2] > 31:
            return []
        dates.append(date)
    return dates
