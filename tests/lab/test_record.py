"""A record goes to files and comes back the same."""

import io
import json
import math
import struct
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reportgen.lab.record import EPOCH_COLUMNS, LAYOUT, Record, from_files, to_files

EPOCH = dict.fromkeys(EPOCH_COLUMNS, 0.1) | {"epoch": 1}
PREDICTIONS: dict[str, NDArray[Any]] = {
    "example": np.array([3, 1]),
    "target": np.array([0, 1]),
    "predicted": np.array([0, 0]),
    "confidence": np.array([0.1, 0.9], np.float32),
    "loss": np.array([2.5, 1e-8], np.float32),
}
RECORD = Record(
    key="0123", parts={"seed": 7, "model.embedding_size": None}, settings={"model": {"cell": "rnn"}}, seed=7,
    status="finished", error="", model={"printout": "RNN(…)\n", "parameters": 12}, data={"classes": ["甲", "乙"]},
    environment={"cores": 2}, started="2026-11-21T00:00:00+00:00", seconds=0.1, epochs=[EPOCH],
    heldout="validation", kept_epoch=1, predictions=PREDICTIONS,
)  # fmt: skip

numbers = st.floats(allow_nan=True, allow_infinity=True)
epochs = st.lists(
    st.fixed_dictionaries({"epoch": st.integers(1, 10**5), **dict.fromkeys(EPOCH_COLUMNS[1:], numbers)}),
    max_size=4,
)


def bits(number: float) -> bytes:
    """Return a number's 64 bits; NaN is one value, whichever of its many patterns it has."""
    return b"NaN" if math.isnan(number) else struct.pack("<d", number)


def without_arrays(record: Record) -> Record:
    """Return the record without what `==` cannot compare."""
    return replace(record, predictions={})


def test_a_record_comes_back_as_it_was() -> None:
    """Every field is the same, and the arrays have their values and types."""
    back = from_files(to_files(RECORD))
    assert without_arrays(back) == without_arrays(RECORD)
    assert list(back.predictions) == list(PREDICTIONS)
    for name, array in PREDICTIONS.items():
        assert back.predictions[name].dtype == array.dtype
        assert back.predictions[name].tolist() == array.tolist()


def test_a_record_of_a_failed_run_has_no_predictions_file() -> None:
    """What a run did not come to has no file, and comes back empty."""
    failed = replace(RECORD, status="failed", error="Traceback …", epochs=[], predictions={}, kept_epoch=0)
    files = to_files(failed)
    assert sorted(files) == ["epochs.csv", "record.json"]
    assert from_files(files) == failed


@settings(deadline=None)
@given(epochs)
def test_epochs_come_back_bit_for_bit(log: list[dict[str, float]]) -> None:
    """Every float of the epoch log is the same float again: NaN, infinities and minus zero too."""
    back = from_files(to_files(replace(RECORD, epochs=log))).epochs
    assert [{name: bits(x) for name, x in row.items()} for row in back] == [
        {name: bits(x) for name, x in row.items()} for row in log
    ]


def test_epochs_are_written_for_people_too() -> None:
    """The CSV has one header, whole epoch numbers, and each float in its shortest form."""
    text = to_files(RECORD)["epochs.csv"].decode()
    assert text == (
        "epoch,train_loss,train_accuracy,heldout_loss,heldout_accuracy,seconds\n1,0.1,0.1,0.1,0.1,0.1\n"
    )


@settings(deadline=None)
@given(
    st.lists(st.floats(width=32), max_size=5).map(lambda x: np.array(x, np.float32))
    | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5).map(lambda x: np.array(x, np.int64))
)
def test_arrays_come_back_bit_for_bit(array: NDArray[Any]) -> None:
    """A predictions array has the same bytes again."""
    back = from_files(to_files(replace(RECORD, predictions={"loss": array}))).predictions["loss"]
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_the_same_record_gives_the_same_bytes() -> None:
    """Nothing of the moment of writing is in the files."""
    assert to_files(RECORD) == to_files(RECORD)


def test_the_predictions_file_is_numpys() -> None:
    """The archive holds one .npy file an array, so that anyone can np.load it."""
    content = to_files(RECORD)["predictions.npz"]
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == [f"{name}.npy" for name in PREDICTIONS]
    with np.load(io.BytesIO(content)) as arrays:
        assert arrays["target"].tolist() == [0, 1]


@pytest.mark.parametrize("layout", [LAYOUT + 1, LAYOUT - 1, None, str(LAYOUT)])
def test_another_layout_is_refused(layout: object) -> None:
    """A record that another version wrote is a ValueError that names its layout."""
    files = to_files(RECORD)
    files["record.json"] = json.dumps({**json.loads(files["record.json"]), "layout": layout}).encode()
    with pytest.raises(ValueError, match=f"layout {layout}, expected {LAYOUT}"):
        from_files(files)


def test_a_record_without_a_layout_is_refused() -> None:
    """A file that does not say its layout is not guessed at."""
    files = to_files(RECORD)
    plain = json.loads(files["record.json"])
    del plain["layout"]
    with pytest.raises(ValueError, match="layout None"):
        from_files({**files, "record.json": json.dumps(plain).encode()})


def test_pickled_predictions_are_refused() -> None:
    """An array of objects would run whatever its pickle says: it is not read."""
    stream = io.BytesIO()
    np.savez(stream, target=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        from_files({**to_files(RECORD), "predictions.npz": stream.getvalue()})


def test_objects_are_not_written_as_predictions() -> None:
    """What could not be read again is refused when it is written."""
    with pytest.raises(ValueError, match=r"[Oo]bject arrays"):
        to_files(replace(RECORD, predictions={"target": np.array([None], dtype=object)}))


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    """record.json is JSON that every reader understands."""
    with pytest.raises(ValueError, match="JSON"):
        to_files(replace(RECORD, data={"majority_accuracy": number}))
