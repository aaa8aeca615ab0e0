"""Why a run is trained: what changed, from what to what, or that it is new."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY

from reportgen import pipeline
from reportgen.planning.explain import reasons
from reportgen.storage.records import Store

OLD = {"model.cell": "rnn", "model.hidden_size": 12, "training.epochs": 3, "seed": 0, "code": "0123456789abcdef"}


def reason(new: dict[str, Any], *unused: dict[str, Any]) -> str:
    """Return why a run is trained, whose key has other parts than that of OLD."""
    return reasons({"new": {**OLD, **new}}, {str(i): parts for i, parts in enumerate(unused)})["new"]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"training.epochs": 5}, "because training.epochs changed from 3 to 5"),
        (
            {"training.epochs": 5, "model.hidden_size": 13},
            "because model.hidden_size changed from 12 to 13, training.epochs changed from 3 to 5",
        ),
        ({"code": "123456789abcdef0123456789"}, "because code changed from 0123456789abcdef to 12345678…"),
        ({"model.head_size": 4}, "because model.head_size changed from none to 4"),
        ({"training.epochs": 3.0}, "because training.epochs changed from 3 to 3.0"),
        ({"seed": 1}, "new"),
        ({f"data.{i}": i for i in range(6)}, "new"),
    ],
)
def test_what_changed_is_told_with_both_values(new: dict[str, Any], expected: str) -> None:
    """One change or several; a run of another seed, or with nearly nothing in common, is new."""
    assert reason(new, OLD) == expected


def test_the_nearest_record_is_the_one_that_changed() -> None:
    """Of several records, the run takes the place of the one that differs least."""
    far = {**OLD, "model.cell": "lstm", "training.epochs": 9}
    assert reason({"training.epochs": 5}, far, OLD) == "because training.epochs changed from 3 to 5"
    assert reason({}) == "new"


def test_a_record_has_one_successor() -> None:
    """Of two runs that both look like a record, the nearer one takes its place, and the other is new."""
    near, far = {**OLD, "training.epochs": 5}, {**OLD, "training.epochs": 5, "model.cell": "gru"}
    assert reasons({"a": far, "b": near}, {"old": OLD}) == {
        "a": "new",
        "b": "because training.epochs changed from 3 to 5",
    }


def planned(suite: Path, build: Path) -> dict[str, tuple[str, str]]:
    """Return what is planned for each run of seed 0, and why."""
    steps = pipeline.plan(pipeline.load(suite), Store(build / "records")).steps
    return {step.run.variant.name: (step.action.value, step.why) for step in steps if step.run.seed == 0}


def test_a_plan_says_of_every_run_what_and_why(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """In a suite with an old run, a changed one and one that was added, each has its own reason."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    text = suite.read_text("utf-8")
    text = text.replace("model: {cell: handwritten_lstm}", "model: {cell: handwritten_lstm, hidden_size: 13}")
    text = text.replace("sweeps:", "  - {name: added, model: {cell: gru}, training: {batch_size: 16}}\nsweeps:")
    suite.write_text(text, "utf-8")
    found = planned(suite, tiny_build.folder.parent)
    assert found["rnn"][0] == "reuse"
    assert found["rnn"][1].startswith("finished 20")
    assert found["lstm"] == ("train", "because model.hidden_size changed from 12 to 13")
    assert found["added"] == ("train", "new")


def test_a_run_beside_those_that_are_used_is_new(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """A run that was added, and differs from another one in a single setting, is new: nothing changed."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    added = "  - {name: added, model: {cell: gru}}\nsweeps:"
    suite.write_text(suite.read_text("utf-8").replace("sweeps:", added), "utf-8")
    assert planned(suite, tiny_build.folder.parent)["added"] == ("train", "new")
