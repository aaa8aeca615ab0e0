"""From a log to a record: what its key is made of, and what stands in it."""

import hashlib
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from reportgen.errors import DataError, InputError, Problem, reading
from reportgen.importers import tables, tensorboard, text
from reportgen.importers.log import Log
from reportgen.importers.names import meaning
from reportgen.lab.data import encodings
from reportgen.lab.data import tables as reading_of_tables
from reportgen.lab.data.encodings import content_of, decode
from reportgen.lab.data.tables import SEPARATORS, plain
from reportgen.lab.key import key_of
from reportgen.lab.record import Record
from reportgen.suite.imports import Format, ImportedRun, ImportSettings

READERS: dict[Format, Callable[[Path, bytes, ImportSettings], Log]] = {
    "text": text.read,
    "csv": tables.read_csv,
    "json": tables.read_json,
    "tensorboard": tensorboard.read,
}


def read(file: Path, settings: ImportSettings) -> Log:
    """Read a log; DataError with file and line for what cannot be read."""
    content = content_of(file, "the log of a run")
    with reading(file, "the log of a run"):
        return READERS[format_of(file, content, settings)](file, content, settings)


def format_of(file: Path, content: bytes, settings: ImportSettings) -> Format:
    """Return the format of a log: the one that the suite names, or that of its content."""
    if settings.format is not None:
        return settings.format
    if "tfevents" in file.name:
        return "tensorboard"
    try:
        written = decode(file, content, settings.encoding, "import.encoding").text.lstrip("\ufeff")
    except DataError:
        return "text"  # whose reader says what is wrong
    first = next((line for line in written.splitlines() if line.strip()), "").strip()
    if first.startswith(('{"', "[{", "[ {")) or first in ("{", "[") or file.suffix.lower() == ".json":
        return "json"
    if file.suffix.lower() in (".csv", ".tsv"):
        return "csv"
    return "csv" if is_header(first, settings) else "text"


def is_header(line: str, settings: ImportSettings) -> bool:
    """Tell whether a line is a row of names: two or more say what they are, and none is a number."""
    asked = {name for name in settings.columns.model_dump().values() if name is not None}
    for separator in SEPARATORS:
        cells = [plain(cell).strip('"') for cell in line.split(separator)]
        known = sum(cell in asked or bool(meaning(cell)) for cell in cells)
        if (
            len(cells) > 1
            and known > 1
            and not any(any(c.isdigit() for c in cell.split(":")[-1]) for cell in cells)
        ):
            return not any(":" in cell or "=" in cell for cell in cells)
    return False


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
    told = settings.as_printed()
    asked = settings.imported
    columns = {f"import.columns.{name}": value for name, value in asked.columns.model_dump().items() if value}
    return {
        **{f"{part}.{name}": value for part in ("model", "training") for name, value in told[part].items()},
        **columns,
        "import.digest": digest_of(file),
        "import.format": format_of(file, content_of(file, "the log of a run"), asked),
        **{
            f"import.{name}": getattr(asked, name)
            for name in ("encoding", "separator", "run")
            if getattr(asked, name)
        },
        **({"import.ignore": sorted(asked.ignore)} if asked.ignore else {}),
        "import.percent": asked.percent,
        "import.same_data": asked.same_data,
        "seed": seed,
        "code": _code(),
    }


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a log's bytes, with those of the event files beside it that belong to it."""
    files = tensorboard.event_files(file) if "tfevents" in file.name else [file]
    return hashlib.sha256(b"".join(content_of(part, "the log of a run") for part in files)).hexdigest()


def record_of(settings: ImportedRun, seed: int, parts: dict[str, Any]) -> Record:
    """Read the log that stands for a seed, and make a record of it: no model, no predictions, no environment."""
    log = read(settings.log_of(seed), settings.imported)
    seconds = [row["seconds"] for row in log.epochs if math.isfinite(row["seconds"])]
    measures = {
        "test_loss": _or_none(log.test_loss),
        "test_accuracy": _or_none(log.test_accuracy),
        "import": {
            "digest": parts["import.digest"],
            "format": parts["import.format"],
            "columns": log.columns,
            "unread": list(log.unread),
            "encoding": log.encoding,
        },
    }
    return Record(
        key=key_of(parts),
        parts=parts,
        settings=settings.as_printed(),
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


@cache
def _code() -> str:
    """Digest the readers: what they make of a log is what a record holds."""
    digest = hashlib.sha256()
    shared = (Path(str(module.__file__)) for module in (encodings, reading_of_tables))
    for file in (*sorted(Path(__file__).parent.glob("*.py")), *shared):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
