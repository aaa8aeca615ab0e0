"""Claims: which were stated before the first of their runs was trained, and which after."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reportgen.errors import ReportgenError
from reportgen.planning import claim_journal
from reportgen.storage.records import Store
from reportgen.suite.claims import Claim, parse
from reportgen.tasks.registry import task_named


@dataclass(frozen=True)
class Started:
    """A record, as far as the journal reads it."""

    started: str


@dataclass(frozen=True)
class Trained:
    """Results of two runs that were started in the year 2100."""

    when: str = "2100-01-01T00:00:00+00:00"

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run."""
        return pd.DataFrame({"run": ["a/seed=0", "b/seed=0"], "variant": ["a", "b"]})

    @property
    def records(self) -> dict[str, Started]:
        """By run."""
        return {"a/seed=0": Started(self.when), "b/seed=0": Started(self.when)}

    imported: tuple[str, ...] = ()


def claim(text: str) -> Claim:
    """Return a claim about two runs."""
    return parse(text, ["a", "b"], task_named("classification").metrics)


def late(store: Store, results: Any, *claims: Claim) -> set[str]:
    """Return the texts of those that came late."""
    return claim_journal.late(store, claims, results)


def test_a_claim_is_late_if_it_was_seen_after_a_run_of_its_was_started(tmp_path: Path) -> None:
    """What the journal has from before counts as before, whatever is added later."""
    store = Store(tmp_path / "records")
    first, second = claim("a.test_accuracy > b.test_accuracy"), claim("a.test_loss < b.test_loss")
    claim_journal.note(store, [first])
    assert late(store, Trained(), first) == set()
    assert late(store, Trained(), first, second) == {second.text}
    assert late(store, Trained("2001-01-01T00:00:00+00:00"), first) == {first.text}
    assert late(store, Trained(imported=("b",)), first) == {first.text}


def test_the_journal_keeps_the_first_time(tmp_path: Path) -> None:
    """Noting a claim again changes nothing."""
    store = Store(tmp_path / "records")
    one = claim("a.test_accuracy > b.test_accuracy")
    file = tmp_path / claim_journal.FILE
    file.write_text(json.dumps({one.text: "2001-01-01T00:00:00+00:00"}), "utf-8")
    claim_journal.note(store, [one, claim("a.test_loss < b.test_loss")])
    kept = json.loads(file.read_text("utf-8"))
    assert kept[one.text] == "2001-01-01T00:00:00+00:00"
    assert len(kept) == 2


def test_a_journal_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    """The file, and what it was expected to hold."""
    (tmp_path / claim_journal.FILE).write_text("[1]", "utf-8")
    with pytest.raises(ReportgenError, match="expected a JSON object of texts and times"):
        claim_journal.note(Store(tmp_path / "records"), [claim("a.test_loss < b.test_loss")])
