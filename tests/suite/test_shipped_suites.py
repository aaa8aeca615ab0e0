"""The suites that ship: every one builds, cut to seconds, into a whole report in both languages."""

from pathlib import Path

import pytest
from conftest import build

from reportgen.data_files.fetching import MOVIE_SNIPPETS, fetched
from reportgen.errors import ReportgenError
from reportgen.pipeline import load
from reportgen.resources import shipped_suites

SNIPPETS = ("glove_hidden_sizes", "imdb_cells_and_tuning", "polarity_optimizers")


@pytest.mark.slow
@pytest.mark.parametrize("name", SNIPPETS)
def test_a_suite_on_film_reviews_builds_quickly(name: str, tmp_path: Path) -> None:
    """The quick build has every run, every section and both languages."""
    try:
        fetched(MOVIE_SNIPPETS)
    except ReportgenError as error:
        pytest.skip(str(error))
    outcome = build(shipped_suites()[name], tmp_path, quick=True)
    assert (outcome.unfinished, outcome.reused) == ([], 0)
    assert [report.name for report in outcome.reports if not report.stat().st_size] == []
    sections = load(shipped_suites()[name]).suite.sections
    text = (outcome.folder / "report.en.md").read_text("utf-8")
    assert text.count("\n## ") == len(sections) - (
        "appendix_matrices" in sections and "More confusion" not in text
    )


@pytest.mark.slow
def test_the_handwritten_suite_explains_what_it_trains(tmp_path: Path) -> None:
    """The quick build has its sections, its diagrams and the figures of what was measured, in both languages."""
    outcome = build(shipped_suites()["surnames_handwritten"], tmp_path, quick=True)
    assert outcome.unfinished == []
    diagrams = [
        f"diagram-{name}"
        for name in ("rnn", "lstm", "peephole_lstm", "gru", "many_to_one", "many_to_many", "closed_loop")
    ]
    for code in ("zh", "en"):
        text = (outcome.folder / f"report.{code}.md").read_text("utf-8")
        for figure in [*diagrams, "gradient", "forget_gate", "recalls", "difference"]:
            assert text.count(f"](figures/{figure}.{code}.svg)") == 1


def test_the_tunings_name_their_baseline() -> None:
    """Each of the seven changes names the hand-written LSTM, and says what it is to show."""
    suite = load(shipped_suites()["imdb_cells_and_tuning"]).suite
    changed = [run for run in suite.runs if run.baseline]
    assert len(changed) == 7
    assert {run.baseline for run in changed} == {"by_hand"}
    assert all(run.why for run in changed)


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_full_profile_is_the_published_setting(name: str) -> None:
    """The full profile of each suite takes the data that the published figures were measured on."""
    raw = shipped_suites()[name].read_text("utf-8")
    source = "sentence-polarity" if name == "polarity_optimizers" else "imdb"
    assert f"source: {source}" in raw.split("profiles:")[1]
