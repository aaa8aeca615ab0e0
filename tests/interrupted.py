"""Runs that are stopped on the way, and what is compared of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reportgen.lab.record import Record, to_files


def untimed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that are measured in seconds."""
    return {name: value for name, value in values.items() if "seconds" not in name}


def numbers(record: Record) -> dict[str, bytes]:
    """Return the record's files as they are on disk, but for what is measured in seconds and the time of day."""
    timeless = replace(
        record,
        started="",
        seconds=0.0,
        epochs=[{**row, "seconds": 0.0} for row in record.epochs],
        steps=[untimed(row) for row in record.steps],
        arrays=untimed(record.arrays),
        measures=untimed(record.measures),
    )
    return to_files(timeless)
