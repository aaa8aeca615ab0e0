"""What came of a run, and how it lies on disk. Imports no torch."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

LAYOUT = 2
"""Version of the files below; a record of another layout is not read."""

EPOCH_COLUMNS = ("epoch", "train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy", "seconds")

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


def to_files(record: Record) -> dict[str, bytes]:
    """Return the record as files: record.json, epochs.csv, and predictions.npz if it finished."""
    plain = {k: v for k, v in vars(record).items() if k not in ("epochs", "predictions")}
    text = json.dumps({"layout": LAYOUT, **plain}, ensure_ascii=False, indent=1, allow_nan=False)
    files = {"record.json": text.encode(), "epochs.csv": _csv(record.epochs).encode()}
    if record.predictions:
        files["predictions.npz"] = _npz(record.predictions)
    return files


def from_files(files: dict[str, bytes]) -> Record:
    """Return the record that lies in `files`; ValueError if its layout is another version's."""
    plain = json.loads(files["record.json"])
    layout = plain.pop("layout", None)
    if layout != LAYOUT:
        raise ValueError(f"a record of layout {layout}, expected {LAYOUT}")
    rows = csv.DictReader(io.StringIO(files["epochs.csv"].decode()))
    epochs = [{name: float(value) for name, value in row.items()} for row in rows]
    predictions: dict[str, NDArray[Any]] = {}
    if "predictions.npz" in files:
        with np.load(io.BytesIO(files["predictions.npz"]), allow_pickle=False) as arrays:
            predictions = dict(arrays)
    return Record(**plain, epochs=epochs, predictions=predictions)


def _npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    # not np.savez: before numpy 2.1 it cannot refuse to pickle, and takes allow_pickle=False for an array
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return stream.getvalue()


def _csv(epochs: list[dict[str, float]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, EPOCH_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "epoch": int(row["epoch"])} for row in epochs)
    return stream.getvalue()
