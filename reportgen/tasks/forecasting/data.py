"""Sequences of numbers to forecast: sines, or windows of a column of the student's own. Imports no torch."""

import csv
import hashlib
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import reading
from reportgen.lab.data.corpora import decoded, refuse, shortened
from reportgen.lab.data.user_function import read_numbers, source_digest
from reportgen.lab.user_source import OwnClass
from reportgen.tasks.forecasting.settings import (
    ForecastingData,
    ForecastingRun,
    OwnSeriesSettings,
    SeriesSettings,
    SineSettings,
)

Floats = NDArray[np.float64]


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
    if isinstance(settings, OwnSeriesSettings):
        own = OwnClass.of(settings.load)
        names = (str(own), *(Path(name).name for name in settings.files))
        return _windows(settings, read_numbers(settings), own.file, own.name, names)
    file = Path(settings.file)
    with reading(file, "a table of numbers"):
        points = _column(file, settings.column)
    return _windows(settings, points, file, settings.column, (file.name,))


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
    settings: SeriesSettings | OwnSeriesSettings, points: Floats, file: Path, name: str, origin: tuple[str, ...]
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
    cut = f"{length} {settings.validation} {settings.test} {len(first)}"
    digest = _digest(cut, points.astype("<f8").tobytes() + first.astype("<i8").tobytes())
    return _divided(settings, parts, digest, origin, len(points), center, spread)


def _divided(
    settings: ForecastingData,
    parts: list[Floats],
    digest: str,
    origin: tuple[str, ...],
    points: int,
    center: float,
    spread: float,
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
    )
    return Series(train, validation, test, facts)


def _digest(plan: str, content: bytes) -> str:
    return hashlib.sha256(plan.encode() + content).hexdigest()


def _column(file: Path, column: str) -> Floats:
    """Return the numbers of a column; DataError with the line of what is not a finite number."""
    reader = csv.DictReader(decoded(file).splitlines(keepends=True))
    numbers = []
    try:
        for row in reader:
            text = row.get(column)
            if text is None:
                got = f"the columns {', '.join(map(str, row))}"
                raise refuse(file, reader.line_num, got, f"a column {column!r} with a number")
            numbers.append(_number(text))
            if not math.isfinite(numbers[-1]):
                raise refuse(file, reader.line_num, shortened(text), "a finite number", column)
    except csv.Error as error:
        raise refuse(file, reader.line_num, str(error), "a table of numbers") from None
    return np.array(numbers)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def key_parts(settings: ForecastingRun) -> dict[str, Any]:
    """Return what a run's key holds of its data: their digest, or that of what a function loads them from."""
    data = settings.data
    if isinstance(data, OwnSeriesSettings):
        return {"data": source_digest(data)}
    return {"data": prepare(data).facts.digest}
