"""A suite without a fault, and what is said of one with faults."""

from pathlib import Path

import pytest

from reportgen.errors import SuiteError
from reportgen.suite.reading import read_suite

# five lines without a fault; what a test adds begins on line 6
SUITE = """\
title: Surnames
data: {source: surnames}
model: {cell: rnn}
runs:
  - name: a
"""

TOP = (
    "aim, checks, claims, cover, data, device, formats, languages, look, metrics, model, profiles, runs, "
    "sections, seeds, summary, sweeps, title, training"
)


def beginning(text: str | bytes) -> str:
    """Return what names a case of a test: how it begins."""
    return (text if isinstance(text, str) else repr(text)[2:-1])[:40]


def complaint(folder: Path, suite: str | bytes) -> str:
    """Write the suite, read it, and return what SuiteError says, without the folder."""
    file = folder / "suite.yaml"
    file.write_bytes(suite if isinstance(suite, bytes) else suite.encode())
    with pytest.raises(SuiteError) as caught:
        read_suite(file, {"zh", "en"})
    return str(caught.value).replace(str(file), "suite.yaml")
