"""An epoch log as it is read, whatever its format: text into numbers, rows into epochs, and what is refused."""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from reportgen.errors import InputError, Problem
from reportgen.suite.imports import MEASURES

LARGEST_LOG = 50_000_000
"""Bytes; more is no log of epochs."""
MOST_EPOCHS = 100_000

_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d{1,9})(?:\.0*)?")
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


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
    """What was read from which column."""


def refuse(file: Path, line: int, got: str, expected: str, where: str = "", hint: str = "") -> InputError:
    """Return the error for one fault of a log."""
    return InputError([Problem(file, line, where, got, expected, hint)])


def shortened(text: str) -> str:
    """Show a piece of a log in a message."""
    text = text.strip()
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def lines_of(file: Path, content: bytes) -> list[str]:
    """Return the lines of a text file: UTF-8, or UTF-16 as Windows' shell writes it; any line ends."""
    if len(content) > LARGEST_LOG:
        raise refuse(file, 1, f"a file of {len(content):,} bytes", f"a log of at most {LARGEST_LOG:,}")
    mark = next((mark for mark in _BOMS if content.startswith(mark)), b"")
    try:
        text = content.removeprefix(mark).decode(_BOMS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        got = f"the byte 0x{content[len(mark) + error.start]:02x}, which is not UTF-8"
        raise refuse(file, line, got, "a file in UTF-8", hint="save it as UTF-8 in your editor") from None
    return re.split(r"\r\n|\r|\n", text)


def plain(text: str) -> str:
    """Return the text with full-width punctuation and figures as ASCII has them, and single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


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
    accuracy = what.endswith("accuracy")
    share = written.endswith("%") and accuracy
    bare = written.removesuffix("%").rstrip() if share else written
    if _NOT_FINITE.fullmatch(bare):
        return float(bare)
    if _THOUSANDS.fullmatch(bare):
        decimal, whole = bare.replace(",", "."), bare.replace(",", "")
        raise refuse(file, line, shortened(text), f"a number without a doubt: {decimal} or {whole}", what)
    if not _NUMBER.fullmatch(bare):
        raise refuse(file, line, shortened(text) if written else "nothing", "a number", what)
    value = float(bare.replace(",", "."))
    if not accuracy:
        return value
    value = value / 100 if share or percent else value
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


def merged(file: Path, rows: Iterable[Row]) -> list[Row]:
    """Put the rows of an epoch together, of which each has some of its values, as loggers by step write them."""
    found: dict[int, Row] = {}
    for row in rows:
        known = found.setdefault(row.epoch, Row(row.line, row.epoch, {}))
        for name, value in row.values.items():
            if name in known.values:
                raise refuse(
                    file, row.line, f"a second value in epoch {row.epoch}", "one an epoch", name,
                    "was it logged a step? Lightning: on_step=False, on_epoch=True",
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
) -> Log:
    """Check the rows of a log and make one of them.

    Args:
        file: for messages.
        rows: one an epoch, in their order; a last one may have the test figures alone.
        final: the test figures of the run, where they stand apart.
        kept_epoch: the epoch that was tested, if the log tells it.
        stopped: why the run ended, if the log tells that it did.
        columns: what was read from which column.
    """
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
        columns=columns or {},
    )


def _parted(file: Path, rows: Sequence[Row], final: dict[str, float]) -> tuple[list[Row], str, dict[str, float]]:
    """Return the epochs, the part that they were evaluated on, and the figures of the test."""
    tested = [row for row in rows if any(name.startswith("test_") for name in row.values)]
    validated = any(name.startswith("validation_") for row in rows for name in row.values)
    epochs = [
        row for row in rows if set(row.values) - {"test_loss", "test_accuracy", "seconds"} or len(tested) > 1
    ]
    if final or not tested:
        return epochs, "validation" if validated else "", final
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
