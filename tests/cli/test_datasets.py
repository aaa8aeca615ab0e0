"""`reportgen data`: what there is, where it comes from, and to get one ahead of time."""

import re
from pathlib import Path

import pytest
from conftest import Command

from reportgen.cli.data import entries
from reportgen.tasks.registry import data_sources

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null",
           "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}  # fmt: skip


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let nothing reach an index or an address, and give an empty cache."""
    for name, value in {**OFFLINE, "REPORTGEN_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "cache"


def test_the_list_names_every_source(offline: Path) -> None:
    """Each source that a suite can name has a row with everything in it, and so have the word vectors."""
    named = {name for entry in entries() for name in entry.name.split(", ")}
    assert named == {*data_sources(), "glove-6b-50d"}
    assert all(value for entry in entries() for value in vars(entry).values())
    assert not offline.exists()


@pytest.mark.usefixtures("offline")
def test_the_list_says_what_is_here(reportgen: Command) -> None:
    """Nothing has been fetched: the row of each data set ends with its state."""
    done = reportgen("data")
    rows = {line.split("  ")[0]: re.split(r"\s{2,}", line.strip())[-1] for line in done.stdout.splitlines()}
    assert done.returncode == 0
    assert (rows["surnames"], rows["movie-snippets"]) == ("here: ships with reportgen", "not downloaded")
    assert (rows["imdb"], rows["folder"]) == ("not downloaded", "not included: give a path")
    assert "https://ai.stanford.edu/" in done.stdout


@pytest.mark.parametrize("name", ["movie-snippets", "imdb"])
def test_without_a_connection_there_is_one_message(name: str, reportgen: Command, offline: Path) -> None:
    """Exit status 2, the data set, the reason and the command to repeat; nothing is left in the cache."""
    done = reportgen("data", "fetch", name)
    *_, message = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert message.startswith(f"{name}: not on this machine, and ")
    assert f"reportgen data fetch {name}" in message
    assert "Traceback" not in done.stderr
    assert [path for path in offline.rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(("name", "hint"), [
    ("moviesnippets", "; did you mean 'movie-snippets'?"), ("csv", ""),
])  # fmt: skip
def test_what_is_not_fetched_is_told(name: str, hint: str, reportgen: Command) -> None:
    """A data set of one's own, or a misspelt name, is one message."""
    done = reportgen("data", "fetch", name)
    expected = f"got '{name}', expected one to download: movie-snippets, imdb{hint}\n"
    assert (done.returncode, done.stderr) == (2, f"reportgen data fetch: {expected}")


@pytest.mark.usefixtures("offline")
def test_a_build_offline_is_one_message(reportgen: Command, tmp_path: Path) -> None:
    """A suite on data that were never fetched ends in the plan."""
    suite = tmp_path / "suite.yaml"
    suite.write_text("title: T\ndata: {source: movie-snippets}\nruns: [{name: a, model: {cell: rnn}}]\n")
    done = reportgen("build", suite)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(
        "movie-snippets: not on this machine, and pip could not fetch vaderSentiment==3.3.2"
    )
    assert not list((tmp_path / "build").rglob("record.json"))
