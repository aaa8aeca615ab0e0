"""Data that cannot be learnt from: one message with file and line, exit status 2, and nothing is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.storage.records import Store

SUITE = """
title: Bad data
data: {{source: csv, file: texts.csv{data}}}
model: {{cell: rnn, hidden_size: 4{model}}}
runs: [{{name: a}}, {{name: b, model: {{hidden_size: 5}}}}]
seeds: [0, 1, 2]
"""
GOOD = "text,label\n" + "good film,yes\nbad film,no\n" * 5
TWO = "expected examples of two classes or more"


def written(folder: Path, files: dict[str, str | bytes], data: str = "", model: str = "") -> Path:
    """Write the files and a suite of two runs and three seeds on texts.csv."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "suite.yaml").write_text(SUITE.format(data=data, model=model))
    return folder / "suite.yaml"


Case = tuple[dict[str, str | bytes], dict[str, str], str]
CASES: dict[str, Case] = {
    "an empty file": ({"texts.csv": ""}, {}, f"texts.csv:1: got an empty file, {TWO}"),
    "one class only": (
        {"texts.csv": "text,label\na,yes\nb,yes\n"}, {}, f"texts.csv:1: got the one class 'yes', {TWO}",
    ),
    "a label never seen in training": (
        {"texts.csv": GOOD, "test.csv": "text,label\nfine,yes\nso so,maybe\n"}, {"data": ", test_file: test.csv"},
        "test.csv:3: got the class 'maybe', which texts.csv does not have, expected one of no, yes",
    ),
    "nothing to test on": (
        {"texts.csv": GOOD, "test.csv": "text,label\n"}, {"data": ", test_file: test.csv"},
        "test.csv:1: got an empty file, expected examples to test on",
    ),
    "a row without a label": (
        {"texts.csv": GOOD + "odd film,\n"}, {},
        "texts.csv:12: label: got an empty cell, expected the name of a class",
    ),
    "not UTF-8": (
        {"texts.csv": GOOD.encode() + "café,yes\n".encode("latin-1")}, {},
        "texts.csv:12: got the byte 0xe9, which is not UTF-8, expected a file in UTF-8; as latin-1 this line is "
        "'café,yes'; if that is right, say data.encoding: latin-1, or save the file as UTF-8",
    ),
    "a line of a million tokens": (
        {"texts.csv": GOOD + "x " * 1_000_000 + ",yes\n"}, {},
        "texts.csv:12: got a text of 2,000,000 characters, expected at most 200,000",
    ),
    "a line of some thousand tokens": (
        {"texts.csv": GOOD + "x " * 6_000 + ",yes\n"}, {},
        "texts.csv:12: got a text of 6,000 words, expected at most 5,000, or a data.max_length to cut texts to",
    ),
    "a vocabulary of zero": (
        {"texts.csv": "text,label\n" + ",yes\n ,no\n" * 5}, {},
        "texts.csv:2: got a training part without any words, expected texts with something in them",
    ),
    "too few of a class": (
        {"texts.csv": GOOD + "odd film,maybe\n"}, {},
        "texts.csv:12: got 1 of the class 'maybe', expected three examples or more, one for each part",
    ),
    "a vector of a wrong count": (
        {"texts.csv": GOOD, "glove.txt": "good 1 2\nother 1 2 3\n"}, {"model": ", vectors: glove.txt"},
        "glove.txt:2: got 3 numbers after 'other', expected 2 as on the first line",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "more", "message"), CASES.values(), ids=CASES)
def test_a_fault_is_told_in_the_plan(
    files: dict[str, str | bytes], more: dict[str, str], message: str, tmp_path: Path
) -> None:
    """The stage that comes before any training tells the fault once, with file and line."""
    suite = written(tmp_path, files, **more)
    with pytest.raises(ReportgenError) as caught:
        pipeline.plan(pipeline.load(suite), Store(tmp_path / "records"))
    assert str(caught.value) == f"{tmp_path}/{message}"


@pytest.mark.parametrize("case", ["one class only", "a vector of a wrong count"])
def test_a_build_ends_before_it_trains(case: str, reportgen: Command, tmp_path: Path) -> None:
    """Six runs on bad data are one message on the error stream, exit status 2, and no record."""
    files, more, message = CASES[case]
    done = reportgen("build", written(tmp_path, files, **more))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{tmp_path}/{message}\n")
    assert not list((tmp_path / "build").rglob("record.json"))


Change = Callable[[Path], object]


def empty(name: str) -> Change:
    """Return what empties a file."""
    return lambda folder: (folder / name).write_bytes(b"\n")


@pytest.mark.parametrize(("data", "change", "message"), [
    ("{source: folder, folder: classes}", empty("classes/no.txt"), "classes/no.txt:1: got an empty file"),
    ("{source: sentence-polarity, negative: classes/no.txt, positive: classes/yes.txt}", empty("classes/yes.txt"),
     "classes/yes.txt:1: got an empty file"),
    ("{source: folder, folder: classes}", lambda folder: (folder / "classes/yes.txt").write_text("x" * 1_000_000),
     "classes/yes.txt:1: got a text of 1,000,000 characters, expected at most 200,000"),
])  # fmt: skip
def test_a_folder_is_checked_file_by_file(data: str, change: Change, message: str, tmp_path: Path) -> None:
    """A class whose file is empty is told, and is not silently left out."""
    (tmp_path / "classes").mkdir()
    for name in ("no", "yes", "maybe"):
        (tmp_path / "classes" / f"{name}.txt").write_text("some text\n" * 5)
    change(tmp_path)
    suite = tmp_path / "suite.yaml"
    suite.write_text(f"title: T\ndata: {data}\nruns: [{{name: a, model: {{cell: rnn}}}}]\n")
    with pytest.raises(ReportgenError) as caught:
        pipeline.plan(pipeline.load(suite), Store(tmp_path / "records"))
    assert str(caught.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("more", "message"), [
    ({"model": ", vectors: none.txt"},
     "4: model.vectors: got no such file: {}/none.txt, expected a file that is there"),
    ({"data": ", test_file: none.csv"},
     "3: data.test_file: got no such file: {}/none.csv, expected a file that is there"),
    ({"model": ", vectors: glove-6b-50"},
     "4: model.vectors: got 'glove-6b-50', expected glove-6b-50d, or a file glove.*.txt beside the suite"),
])  # fmt: skip
def test_a_file_that_is_not_there_is_told_at_its_line_of_the_suite(
    more: dict[str, str], message: str, tmp_path: Path
) -> None:
    """What the suite names and is not there is a fault of the suite."""
    suite = written(tmp_path, {"texts.csv": GOOD}, **more)
    with pytest.raises(ReportgenError) as caught:
        pipeline.load(suite)
    assert str(caught.value) == f"{suite}:{message.format(tmp_path)}"
