"""From a log to a record: what its key is made of, and what stands in it."""

import hashlib
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from reportgen.errors import InputError, Problem, reading
from reportgen.importers import keras, tables, tensorboard, two_line
from reportgen.importers.log import Log, refuse
from reportgen.lab.key import key_of
from reportgen.lab.record import Record
from reportgen.suite.imports import Format, ImportedRun, ImportSettings, format_of

READERS: dict[Format, Callable[[Path, bytes, ImportSettings], Log]] = {
    "two_line": two_line.read,
    "csv": tables.read_csv,
    "keras": keras.read,
    "lightning": tables.read_lightning,
    "tensorboard": tensorboard.read,
}


def read(file: Path, settings: ImportSettings) -> Log:
    """Read a log; InputError with file and line for what cannot be read."""
    content = _content(file)
    with reading(file, "the log of a run"):
        return READERS[format_of(settings, str(file))](file, content, settings)


def check(runs: Iterable[tuple[ImportedRun, int]]) -> None:
    """Read every log; InputError with what is wrong with any of them.

    Args:
        runs: settings and seed of each.
    """
    problems: dict[Problem, None] = {}
    for settings, seed in runs:
        try:
            read(settings.log_of(seed), settings.imported)
        except InputError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise InputError(list(problems))


def key_parts(settings: ImportedRun, seed: int) -> dict[str, Any]:
    """Return what the key of an imported run is made of: the log, how it is read, and what is said of it."""
    file = settings.log_of(seed)
    told = settings.told()
    asked = settings.imported
    columns = {f"import.columns.{name}": value for name, value in asked.columns.model_dump().items() if value}
    return {
        **{f"{part}.{name}": value for part in ("model", "training") for name, value in told[part].items()},
        **columns,
        "import.digest": digest_of(file),
        "import.format": format_of(asked, str(file)),
        "import.percent": asked.percent,
        "import.same_data": asked.same_data,
        "seed": seed,
        "code": _code(),
    }


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a log's bytes."""
    return hashlib.sha256(_content(file)).hexdigest()


def record_of(settings: ImportedRun, seed: int, parts: dict[str, Any]) -> Record:
    """Read the log that stands for a seed, and make a record of it: no model, no predictions, no environment."""
    log = read(settings.log_of(seed), settings.imported)
    seconds = [row["seconds"] for row in log.epochs if math.isfinite(row["seconds"])]
    measures = {
        "test_loss": _or_none(log.test_loss),
        "test_accuracy": _or_none(log.test_accuracy),
        "import": {"digest": parts["import.digest"], "format": parts["import.format"], "columns": log.columns},
    }
    return Record(
        key=key_of(parts),
        parts=parts,
        settings=settings.told(),
        seed=seed,
        status="diverged" if log.stopped else "finished",
        error=log.stopped,
        model={},
        data={},
        environment={},
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=sum(seconds),
        epochs=log.epochs,
        heldout=log.heldout,
        kept_epoch=log.kept_epoch,
        measures=measures,
    )


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise refuse(file, 1, f"an unreadable file ({error.strerror})", "the log of a run") from None


@cache
def _code() -> str:
    """Digest the readers: what they make of a log is what a record holds."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
