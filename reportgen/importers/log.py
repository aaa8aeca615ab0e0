"""An epoch log as it is read, whatever its format: text into numbers, rows into epochs, and what is refused."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from reportgen.errors import refuse, shortened
from reportgen.lab.data.tables import plain
from reportgen.suite.imports import MEASURES

LARGEST_LOG = 50_000_000
"""Bytes; more is no log of epochs."""
MOST_EPOCHS = 100_000

_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+\.\d+|[-+]?[1-9]\d{0,2}(?:,\d{3}){2,}")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d{1,9})(?:\.0*)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2}(?:\.\d*)?)")
_DURATION = re.compile(r"(?:(\d+)\s*h\w*\s*)?(?:(\d+)\s*m(?:in\w*)?\s*)?(?:(\d+(?:\.\d*)?)\s*s\w*)?")
_ROUNDING = 1e-6
"""How far above 1 the float32 mean of ones may be."""


@dataclass(frozen=True)
class Row:
    """What a log says of one epoch, as it is written: counted from 0 or from 1, what is missing left out."""

    line: int
    epoch: int
    values: dict[str, float]


@dataclass(frozen=True)
class Log:
    """An epoch log, checked.

    `epochs` has the columns of `reportgen.lab.record.EPOCH_COLUMNS`, NaN where nothing was measured; epochs are
    counted from 1. The test figures are those of the run, NaN where the log has none.
    """

    epochs: list[dict[str, float]]
    heldout: str
    """validation or test; empty if the log has neither."""
    test_loss: float
    test_accuracy: float
    kept_epoch: int
    """The epoch that was tested; 0 if the log does not tell."""
    stopped: str
    """Why the run ended before its time: its loss is not finite, or what the log says; else empty."""
    columns: dict[str, str] = field(default_factory=dict)
    """What was read from which name."""
    unread: tuple[str, ...] = ()
    """Every name, kind of line and row that was left unread."""
    encoding: str = ""
    """What the file was decoded from; empty for an event file."""


def number(file: Path, line: int, text: str, what: str, *, percent: bool = False) -> float:
    """Read a number; a comma may stand for the decimal point.

    Args:
        file: of the log.
        line: for a message.
        text: what is written there.
        what: one of MEASURES; an accuracy is turned into a fraction of 1.
        percent: whether accuracies go to 100 without saying so.
    """
    written = plain(text)
    if what in ("seconds", "time"):
        return duration(file, line, written)
    accuracy = what.endswith("accuracy")
    share = written.endswith("%") and accuracy
    bare = written.removesuffix("%").rstrip() if share else written
    if _NOT_FINITE.fullmatch(bare):
        return float(bare)
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    if _THOUSANDS.fullmatch(bare):
        decimal, whole = bare.replace(",", "."), bare.replace(",", "")
        raise refuse(file, line, shortened(text), f"a number without a doubt: {decimal} or {whole}", what)
    if not _NUMBER.fullmatch(bare):
        raise refuse(file, line, shortened(text) if written else "nothing", "a number", what)
    value = float(bare.replace(",", "."))
    if not accuracy:
        return value
    value = value / 100 if share or percent else value
    if 1 < value <= 1 + _ROUNDING:
        return 1.0
    if not 0 <= value <= 1:
        expected = "an accuracy from 0 to 100" if share or percent else "a fraction of 1, or a number with %"
        hint = "" if share or percent else "import.percent: true reads all of them as percentages"
        raise refuse(file, line, shortened(text), expected, what, hint)
    return value


def whole(file: Path, line: int, text: str) -> int:
    """Read the number of an epoch."""
    found = _WHOLE.fullmatch(plain(text))
    if found is None:
        raise refuse(file, line, shortened(text) if text.strip() else "nothing", "a whole number", "epoch")
    return int(found[1])


def duration(file: Path, line: int, written: str) -> float:
    """Read seconds: a number, 00:48, 1:02:03, 0m 6s or 48s."""
    if match := _CLOCK.fullmatch(written):
        return 3600 * float(match[1] or 0) + 60 * float(match[2]) + float(match[3])
    match = _DURATION.fullmatch(written)
    if match and any(match.groups()):
        return 3600 * float(match[1] or 0) + 60 * float(match[2] or 0) + float(match[3] or 0)
    if not _NUMBER.fullmatch(written):
        hint = "import.ignore leaves it out"
        raise refuse(file, line, shortened(written) if written else "nothing", "seconds", "seconds", hint)
    return float(written.replace(",", "."))


def one_run(file: Path, rows: Sequence[Row], wanted: int | None) -> list[Row]:
    """Return the rows of the run that is wanted: one begins where the epochs begin anew.

    Raises DataError where there are several and none is named.
    """
    begins = [i for i, row in enumerate(rows) if not i or (row.epoch < rows[i - 1].epoch and row.epoch in (0, 1))]
    runs = [list(rows[i:j]) for i, j in pairwise([*begins, len(rows)])]
    if wanted is None and len(runs) > 1:
        lines = ", ".join(str(run[0].line) for run in runs[:9])
        got = f"{len(runs)} runs, which begin at the lines {lines}"
        raise refuse(file, runs[1][0].line, got, "one run", hint=f"say which: import.run: 1 to {len(runs)}")
    if wanted is not None and wanted > len(runs):
        raise refuse(file, 1, f"run {wanted}", f"a run of the {len(runs)} in the file", "import.run")
    return runs[(wanted or 1) - 1] if runs else []


def per_epoch(rows: Sequence[Row]) -> tuple[list[Row], str]:
    """Return the rows with `time` as the seconds of each epoch, and what was left out, in words.

    A time that only grows, each epoch by at least half of the first, counts from the beginning. One that only
    grows and by less may be either, and is left out.
    """
    times = [row.values["time"] for row in rows if "time" in row.values]
    steps = [b - a for a, b in pairwise(times)]
    growing = bool(steps) and min(steps) > 0
    cumulative = growing and median(steps) >= times[0] / 2
    doubtful = (growing and not cumulative and len(times) > 2) or any(time > _YEAR for time in times)
    found, before = [], 0.0
    for row in rows:
        values = dict(row.values)
        time = values.pop("time", None)
        if time is not None and not doubtful:
            values["seconds"], before = (time - before if cumulative else time), time
        found.append(replace(row, values=values))
    return found, "time, which may be that of each epoch or of all so far" if doubtful else ""


_YEAR = 3e7
"""Seconds; a larger time is a date."""


def merged(file: Path, rows: Iterable[Row]) -> list[Row]:
    """Put the rows of an epoch together, of which each has some of its values, as loggers by step write them."""
    found: dict[int, Row] = {}
    for row in rows:
        known = found.setdefault(row.epoch, Row(row.line, row.epoch, {}))
        for name, value in row.values.items():
            if name in known.values:
                raise refuse(
                    file, row.line, f"a second value in epoch {row.epoch}", "one an epoch", name,
                    "was it logged a step? import.ignore leaves it out; Lightning: on_step=False, on_epoch=True",
                )  # fmt: skip
            known.values[name] = value
    return list(found.values())


def assembled(
    file: Path,
    rows: Sequence[Row],
    *,
    final: dict[str, float] | None = None,
    kept_epoch: int = 0,
    stopped: str = "",
    columns: dict[str, str] | None = None,
    unread: Sequence[str] = (),
    encoding: str = "",
) -> Log:
    """Check the rows of a log and make one of them.

    Args:
        file: for messages.
        rows: one an epoch, in their order; a last one may have the test figures alone.
        final: the test figures of the run, where they stand apart.
        kept_epoch: the epoch that was tested, if the log tells it.
        stopped: why the run ended, if the log tells that it did.
        columns: what was read from which name.
        unread: names, kinds of lines and rows that were left unread.
        encoding: what the file was decoded from.
    """
    rows, left_time = per_epoch(rows)
    rows, left_rows = _without_rows_after_training(file, rows)
    rows, heldout, test = _parted(file, rows, final or {})
    if not rows and not stopped:
        raise refuse(file, 1, "no epochs", "a log of at least one epoch")
    _check_order(file, rows)
    rows, last = _until_not_finite(file, rows)
    if last:
        stopped = f"the loss is not finite in epoch {last}"
    if heldout == "test" and not final and not last and rows:
        kept_epoch = len(rows)
    return Log(
        epochs=[_epoch(place, row, heldout) for place, row in enumerate(rows, start=1)],
        heldout=heldout,
        test_loss=math.nan if stopped else test.get("test_loss", math.nan),
        test_accuracy=math.nan if stopped else test.get("test_accuracy", math.nan),
        kept_epoch=0 if stopped else kept_epoch,
        stopped=stopped,
        columns={("seconds" if what == "time" else what): name for what, name in (columns or {}).items()},
        unread=(*unread, *filter(None, [left_time]), *left_rows),
        encoding=encoding,
    )


def _without_rows_after_training(file: Path, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows without those of a validation after the last epoch of the training, and these in words."""
    trained = [i for i, row in enumerate(rows) if any(name.startswith("train_") for name in row.values)]
    if not trained or (trained[-1] < len(rows) - 2 and len(trained) < len(rows) / 2):
        return list(rows), []
    kept, left = list(rows[: trained[-1] + 1]), []
    for row in rows[trained[-1] + 1 :]:
        tested = {name: value for name, value in row.values.items() if name.startswith("test_")}
        other = [f"{name} {value:g}" for name, value in row.values.items() if name not in tested]
        left += [f"{', '.join(other)} after the last epoch (line {row.line})"] if other else []
        if tested and len([r for r in kept if "test_loss" in r.values or "test_accuracy" in r.values]) > 1:
            raise refuse(file, row.line, "test figures after those of each epoch", "one or the other")
        if tested:
            kept.append(replace(row, values=tested))
    return kept, left


def _parted(file: Path, rows: Sequence[Row], final: dict[str, float]) -> tuple[list[Row], str, dict[str, float]]:
    """Return the epochs, the part that they were evaluated on, and the figures of the test."""
    tested = [row for row in rows if any(name.startswith("test_") for name in row.values)]
    validated = any(name.startswith("validation_") for row in rows for name in row.values)
    epochs = [
        row for row in rows if set(row.values) - {"test_loss", "test_accuracy", "seconds"} or len(tested) > 1
    ]
    if final or not tested:
        each = "test" if tested and len(tested) == len(epochs) else ""
        return epochs, "validation" if validated else each, final
    last = tested[-1].values
    if validated:
        return epochs, "validation", last
    if len(tested) == 1 and len(epochs) != 1:  # the test of the trained model, and no epoch's
        return epochs, "", last
    missing = next((row for row in epochs if row not in tested), None)
    if missing is not None:
        got = f"no test figures in epoch {missing.epoch}"
        raise refuse(file, missing.line, got, "test figures in every epoch, or once at the end")
    return epochs, "test", last


def _check_order(file: Path, rows: Sequence[Row]) -> None:
    if len(rows) > MOST_EPOCHS:
        raise refuse(file, rows[MOST_EPOCHS].line, f"{len(rows):,} epochs", f"at most {MOST_EPOCHS:,}")
    if rows and rows[0].epoch not in (0, 1):
        raise refuse(file, rows[0].line, f"epoch {rows[0].epoch} first", "epoch 1, or 0 where they are counted so")
    for before, row in pairwise(rows):
        if row.epoch != before.epoch + 1:
            got = f"epoch {row.epoch} after epoch {before.epoch}"
            raise refuse(file, row.line, got, f"epoch {before.epoch + 1}")


def _until_not_finite(file: Path, rows: list[Row]) -> tuple[list[Row], int]:
    """Return the epochs before the loss is not finite, and the epoch (from 1) in which it is not, 0 for none."""
    last = next((place for place, row in enumerate(rows) if _broken(row, "_loss")), None)
    for row in rows if last is None else rows[:last]:
        if name := _broken(row, "_accuracy") or _broken(row, "seconds"):
            raise refuse(file, row.line, f"{row.values[name]} in epoch {row.epoch}", "a finite number", name)
    if last is None:
        return rows, 0
    name = _broken(rows[last], "_loss")
    if any(math.isfinite(row.values.get(name, math.nan)) for row in rows[last + 1 :]):
        got = f"{rows[last].values[name]} in epoch {rows[last].epoch}, and numbers after it"
        raise refuse(file, rows[last].line, got, "a finite number, or nothing where nothing was measured", name)
    return rows[:last], last + 1


def _broken(row: Row, ending: str) -> str:
    """Return the name of a value that is NaN or infinite; empty if there is none."""
    return next((n for n, v in row.values.items() if n.endswith(ending) and not math.isfinite(v)), "")


def _epoch(place: int, row: Row, heldout: str) -> dict[str, float]:
    found = {name: row.values.get(name, math.nan) for name in MEASURES}
    return {
        "epoch": place,
        "train_loss": found["train_loss"],
        "train_accuracy": found["train_accuracy"],
        "heldout_loss": found.get(f"{heldout}_loss", math.nan),
        "heldout_accuracy": found.get(f"{heldout}_accuracy", math.nan),
        "seconds": found["seconds"],
    }
