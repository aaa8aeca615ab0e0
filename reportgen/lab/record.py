"""What came of a run, and how it lies on disk. Imports no torch."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

LAYOUT = 2
"""Version of the files below; a record of another layout is not read."""

EPOCH_COLUMNS = ("epoch", "train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy", "seconds")
"""The columns of every classification run's log. learning_rate and gradient_norm follow where there are any."""

_MOST_BYTES = 4 << 30

_ARRAYS = ("predictions", "arrays")
_WHOLE = ("epoch", "step", "evaluations")

Status = Literal["finished", "diverged", "failed"]


@dataclass(frozen=True)
class Record:
    """Whatever came of a run: finished, diverged or failed."""

    key: str
    parts: dict[str, Any]
    settings: dict[str, Any]
    seed: int
    status: Status
    error: str
    """Why the run did not finish; empty if it did."""
    model: dict[str, Any]
    """printout, summary (torchinfo's), parameters, arguments (of torch.nn's layers, with their defaults), and
    vectors, if it has any; empty if it could not be built."""
    data: dict[str, Any]
    environment: dict[str, Any]
    started: str
    seconds: float
    epochs: list[dict[str, float]] = field(default_factory=list)
    heldout: str = ""
    """The part that each epoch was evaluated on: validation, or test for data without a validation part."""
    kept_epoch: int = 0
    predictions: dict[str, NDArray[Any]] = field(default_factory=dict)
    """example, target, predicted, confidence, loss of the test part; each of shape (examples,)."""
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    """The most confident wrong predictions of the test part: example, text, target, predicted, confidence."""
    task: str = "classification"
    steps: list[dict[str, float]] = field(default_factory=list)
    """The log of a task that is counted in steps; the task's `run` module names its columns."""
    measures: dict[str, Any] = field(default_factory=dict)
    """What was measured of the trained model, as plain values; what there is depends on the task.

    Of a run of any task that was stopped early, `early_stop` has its unit (epoch or step), the number of the one
    that it was stopped after, the best one's, and how many evaluations it waited for a better one.
    """
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    """The same, as arrays."""


@dataclass
class Outcome:
    """What a run comes to: fields of its record, filled in as it trains, so that nothing is lost if it fails."""

    model: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    epochs: list[dict[str, float]] = field(default_factory=list)
    heldout: str = ""
    kept_epoch: int = 0
    predictions: dict[str, NDArray[Any]] = field(default_factory=dict)
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, float]] = field(default_factory=list)
    measures: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def to_files(record: Record) -> dict[str, bytes]:
    """Return the record as files: record.json, epochs.csv, and what it has of steps.csv and arrays."""
    plain = {k: v for k, v in vars(record).items() if k not in ("epochs", "steps", *_ARRAYS)}
    text = json.dumps({"layout": LAYOUT, **plain}, ensure_ascii=False, indent=1, allow_nan=False)
    columns = record.epochs[0] if record.epochs else EPOCH_COLUMNS
    files = {"record.json": text.encode(), "epochs.csv": _csv(record.epochs, columns).encode()}
    if record.steps:
        files["steps.csv"] = _csv(record.steps, record.steps[0]).encode()
    for name in _ARRAYS:
        if arrays := getattr(record, name):
            files[f"{name}.npz"] = _npz(arrays)
    return files


def from_files(files: dict[str, bytes]) -> Record:
    """Return the record that lies in `files`; ValueError if its layout is another version's."""
    plain = json.loads(files["record.json"])
    layout = plain.pop("layout", None)
    if layout != LAYOUT:
        raise ValueError(f"a record of layout {layout}, expected {LAYOUT}")
    return Record(
        **plain,
        epochs=_rows(files["epochs.csv"]),
        steps=_rows(files.get("steps.csv", b"")),
        predictions=_arrays(files.get("predictions.npz")),
        arrays=_arrays(files.get("arrays.npz")),
    )


def layout_of(files: dict[str, bytes]) -> int | None:
    """Return the version of the layout that the record in `files` has; None if it says none."""
    try:
        layout = json.loads(files["record.json"])["layout"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return None
    return layout if isinstance(layout, int) else None


def key_in(files: dict[str, bytes]) -> str:
    """Return the key that the record in `files` has, whatever folder it lies in; empty if it says none."""
    try:
        return str(json.loads(files["record.json"])["key"])
    except (KeyError, ValueError, TypeError):
        return ""


def _rows(content: bytes) -> list[dict[str, float]]:
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [{name: float(value) for name, value in row.items()} for row in rows]


def _arrays(content: bytes | None) -> dict[str, NDArray[Any]]:
    if content is None:
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:  # which gives no more of a file than it declares
        if sum(file.file_size for file in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"arrays of more than {_MOST_BYTES:,} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = dict(arrays)
    if not all(isinstance(array, np.ndarray) for array in found.values()):  # numpy gives what is no array as bytes
        raise ValueError("something else than arrays")
    return found


def _npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    # not np.savez: before numpy 2.1 it cannot refuse to pickle, and takes allow_pickle=False for an array
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return stream.getvalue()


def _csv(rows: list[dict[str, float]], columns: Iterable[str]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: int(v) if name in _WHOLE else v for name, v in row.items()} for row in rows)
    return stream.getvalue()
