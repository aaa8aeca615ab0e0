"""Profiles: the same suite at another size, or on other data."""

from pathlib import Path

import pytest

from reportgen.errors import SuiteError
from reportgen.suite.expansion import runs_of
from reportgen.suite.reading import read_suite
from reportgen.tasks.classification.settings import RunSettings, SurnamesSettings

SUITE = """\
title: A suite
data: {source: surnames, limit: 500, split: {test: 0.3}}
model: {hidden_size: 16}
training: {epochs: 2, batch_size: 32}
runs:
  - {name: rnn, model: {cell: rnn}}
  - {name: lstm, model: {cell: lstm, hidden_size: 8}}
sweeps:
  - {base: rnn, grid: {model.layers: [1, 2]}}
seeds: [0, 1]
profiles:
  full:
    data: {limit: 9000}
    training: {epochs: 20}
    runs:
      lstm: {model: {layers: 2}}
    seeds: [7]
  names:
    data: {source: surnames, languages: [Greek, Czech]}
    sweeps: []
"""


def written(folder: Path, text: str = SUITE) -> Path:
    """Write the suite."""
    file = folder / "suite.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_profile_is_merged_key_by_key(tmp_path: Path) -> None:
    """Settings that a profile does not name stay the suite's; a list takes the place of the suite's list."""
    suite = read_suite(written(tmp_path), ["zh", "en"], "full").suite
    assert isinstance(suite.data, SurnamesSettings)
    assert (suite.data.limit, suite.data.split.test, suite.seeds) == (9000, 0.3, (7,))
    variants = {run.variant.name: run.variant.settings for run in runs_of(suite, "cpu")}
    lstm = variants["lstm"]
    assert (lstm.model.hidden_size, lstm.model.layers) == (8, 2)
    assert isinstance(lstm, RunSettings)
    assert (lstm.training.epochs, lstm.training.batch_size) == (20, 32)
    assert "rnn/layers=2" in variants


def test_data_with_a_source_take_the_place_of_the_suites(tmp_path: Path) -> None:
    """Other data share no setting with the suite's, and an empty list of sweeps is no sweep."""
    suite = read_suite(written(tmp_path), ["zh", "en"], "names").suite
    assert isinstance(suite.data, SurnamesSettings)
    assert (suite.data.languages, suite.data.limit, suite.sweeps) == (("Greek", "Czech"), None, ())


def test_without_a_profile_the_suite_is_as_it_stands(tmp_path: Path) -> None:
    """The profiles of a suite change nothing unless one is asked for."""
    suite = read_suite(written(tmp_path), ["zh", "en"]).suite
    assert isinstance(suite.data, SurnamesSettings)
    assert (suite.data.limit, suite.seeds, suite.training) == (500, (0, 1), {"epochs": 2, "batch_size": 32})


@pytest.mark.parametrize(
    ("old", "new", "profile", "message"),
    [
        ("", "", "ful",
         "11: profiles: got 'ful', expected a profile of this suite: full, names; did you mean 'full'?"),
        ("epochs: 20", "epochs: none", None,
         "14: profiles.full.training.epochs: got 'none', expected a whole number"),
        ("lstm: {model", "lstn: {model", None,
         "16: profiles.full.runs.lstn: got 'lstn', expected the name of a run: rnn, lstm; did you mean 'lstm'?"),
        ("limit: 9000", "limt: 9000", None, "13: data.limt: got the unknown key 'limt'"),
        ("seeds: [7]", "seeds: [7, 7]", None, "17: seeds[1]: got 7 a second time"),
        ("    sweeps: []", "    sweep: []", None, "20: profiles.names.sweep: got the unknown key 'sweep'"),
    ],
    ids=["no such profile", "bad value", "no such run", "unknown setting", "seed twice", "unknown key"],
)  # fmt: skip
def test_a_fault_in_a_profile_is_told_at_its_line(
    old: str, new: str, profile: str | None, message: str, tmp_path: Path
) -> None:
    """All profiles are checked, whichever is asked for, and the line is that of the profile."""
    text = SUITE.replace(old, new) if old else SUITE
    with pytest.raises(SuiteError) as caught:
        read_suite(written(tmp_path, text), ["zh", "en"], profile)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(f"suite.yaml:{message}")


def test_a_section_without_a_template_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    """The names of sections are those of templates, the suite's own among them."""
    file = written(tmp_path, SUITE + "sections: [aim, sumary]\n")
    with pytest.raises(SuiteError) as caught:
        read_suite(file, ["zh", "en"], sections=["aim", "summary"])
    assert str(caught.value).removeprefix(f"{tmp_path}/") == (
        "suite.yaml:21: sections[1]: got 'sumary', expected a section with a template: aim, summary; "
        "or a file of your own: my_words.md; did you mean 'summary'?"
    )
