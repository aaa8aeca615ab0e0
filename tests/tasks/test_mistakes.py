"""What a record keeps of single test examples: every prediction, and the surest mistakes with their text."""

from pathlib import Path

import numpy as np
import pytest

from reportgen.lab.record import from_files, to_files
from reportgen.tasks.classification.data import Dataset, prepare
from reportgen.tasks.classification.predictions import LONGEST, MOST, Predictions, confident_mistakes
from reportgen.tasks.classification.settings import RunSettings, SurnamesSettings, TableSettings
from reportgen.tasks.runs import carry_out


@pytest.fixture
def settings(tmp_path: Path) -> TableSettings:
    """A table of 60 texts of three lines each in one cell, and one very long one."""
    rows = [f'"<b>{i}</b>, text\n*{i}*","{"yes" if i % 2 else "no"}"' for i in range(59)] + ["long " * 300 + ",no"]
    file = tmp_path / "texts.csv"
    file.write_text("text,label\n" + "\n".join(rows) + "\n")
    return TableSettings(source="csv", file=str(file))


def said(data: Dataset, wrong: dict[int, float]) -> Predictions:
    """Return predictions of the test part that are right, but for the examples of `wrong` with that confidence."""
    example = data.parts["test"]
    target = data.labels[example]
    missed = np.array([i in wrong for i in example])
    confidence = np.array([wrong.get(int(i), 1.0) for i in example], np.float32)
    return Predictions(example, target, np.where(missed, 1 - target, target), confidence, confidence)


def test_the_surest_mistakes_come_first(settings: TableSettings) -> None:
    """Right answers are left out however sure, and a mistake has its text to the letter."""
    data = prepare(settings)
    one, two, three = (int(i) for i in data.parts["test"][:3])
    mistakes = confident_mistakes(said(data, {one: 0.6, two: 0.98766, three: 0.7}), data)
    assert [(m["example"], m["confidence"]) for m in mistakes] == [(two, 0.9877), (three, 0.7), (one, 0.6)]
    assert all(m["text"] == f"<b>{m['example']}</b>, text\n*{m['example']}*" for m in mistakes)
    assert all((m["target"], m["predicted"]) == (m["example"] % 2, 1 - m["example"] % 2) for m in mistakes)


def test_at_most_ten_are_kept(settings: TableSettings) -> None:
    """A model that is always wrong has ten mistakes in its record."""
    data = prepare(settings)
    assert len(data.parts["test"]) > MOST
    assert len(confident_mistakes(said(data, dict.fromkeys(map(int, data.parts["test"]), 0.9)), data)) == MOST


def test_a_long_text_is_cut(settings: TableSettings) -> None:
    """A record keeps the beginning of a review, and shows that it goes on."""
    data = prepare(settings)
    one, sure = np.array([1]), np.array([0.9], np.float32)
    everywhere = Predictions(np.array([59]), 1 - one, one, sure, sure)
    (mistake,) = confident_mistakes(everywhere, data)
    assert (len(mistake["text"]), mistake["text"][-1]) == (LONGEST, "…")


def test_surnames_are_no_texts() -> None:
    """Names on their own say nothing about a mistake."""
    data = prepare(SurnamesSettings(source="surnames", languages=("Greek", "Tamil"), limit=60))
    assert confident_mistakes(said(data, dict.fromkeys(map(int, data.parts["test"]), 0.9)), data) == []


def test_a_record_keeps_every_prediction_and_the_mistakes(settings: TableSettings) -> None:
    """Example, true and predicted class and confidence of the whole test part come back, and so the mistakes."""
    run = RunSettings.model_validate({"data": settings.model_dump(), "model": {"cell": "rnn", "hidden_size": 4},
                                      "training": {"epochs": 1}})  # fmt: skip
    record = from_files(to_files(carry_out(run, 0, {})))
    data = prepare(settings)
    kept = record.predictions
    assert kept["example"].tolist() == data.parts["test"].tolist()
    assert kept["target"].tolist() == data.labels[data.parts["test"]].tolist()
    assert set(kept["predicted"].tolist()) <= {0, 1}
    assert ((kept["confidence"] >= 0.5) & (kept["confidence"] <= 1)).all()  # of the likelier of two classes
    missed = np.flatnonzero(kept["target"] != kept["predicted"])
    expected = sorted(kept["confidence"][missed].tolist(), reverse=True)[:MOST]
    assert [m["confidence"] for m in record.mistakes] == [round(c, 4) for c in expected]
    assert {m["example"] for m in record.mistakes} <= set(kept["example"][missed].tolist())
