"""Two builds side by side: settings, numbers with intervals, verdicts, confusion matrices."""

import copy
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GOLDEN, Command
from scipy import stats

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.provenance.diff import Changes, compare, interval, read_build
from reportgen.provenance.diff_text import diff

RESULTS: dict[str, Any] = json.loads((GOLDEN / "results.json").read_text("utf-8"))


def put(folder: Path, results: dict[str, Any]) -> Path:
    """Write a build that is a results.json alone."""
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    return folder


@pytest.fixture
def results() -> dict[str, Any]:
    """The golden numbers, to change."""
    return copy.deepcopy(RESULTS)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A build of the golden numbers."""
    return put(tmp_path / "old", RESULTS)


def train_anew(results: dict[str, Any], variant: str, **settings: Any) -> list[dict[str, Any]]:
    """Give the runs of a variant other keys and other training settings; return their rows."""
    rows = [row for row in results["runs"].values() if row["variant"] == variant]
    for row in rows:
        row["key"] = "f" * 20
        row["settings"]["training"] |= settings
    return rows


def changes(old: Path, new: Path) -> Changes:
    """Compare two folders."""
    return compare(read_build(old), read_build(new))


def test_the_same_build_has_no_changes(old: Path) -> None:
    """Nothing is said but that the records are the same."""
    found = changes(old, old)
    assert (found.settings, found.metrics, found.matrices, found.verdicts) == ([], [], [], [])
    assert found.same == ["rnn", "lstm", "rnn/epochs=1"]
    assert diff(old, old, "en").splitlines()[-1] == (
        "Unchanged, since the records are the same: RNN, LSTM\\|by hand and RNN (epochs = 1)."
    )


def test_a_changed_setting_and_its_numbers_are_told(old: Path, tmp_path: Path, results: dict[str, Any]) -> None:
    """Of the changed model: the setting, each number before and now, and the difference with its interval."""
    before = [row["test_accuracy"] for row in RESULTS["runs"].values() if row["variant"] == "lstm"]
    for row, gain in zip(train_anew(results, "lstm", learning_rate=0.02), (0.05, 0.15), strict=True):
        row["test_accuracy"] += gain
    new = put(tmp_path / "new", results)
    found = changes(old, new)
    assert [(s.name, s.before, s.after, s.variants) for s in found.settings] == [
        ("training.learning_rate", 0.01, 0.02, ("lstm",))
    ]
    (metric,) = found.metrics
    assert (metric.variant, metric.name, metric.seeds) == ("lstm", "test_accuracy", 2)
    assert metric.before == pytest.approx(sum(before) / 2)
    half = 12.706 * 0.05  # of two differences that are 0.05 from their mean: t with one degree of freedom
    assert (metric.difference, metric.low, metric.high) == pytest.approx((0.1, 0.1 - half, 0.1 + half), abs=1e-4)
    assert (found.same, found.retrained) == (["rnn", "rnn/epochs=1"], [])
    text = diff(old, new, "en")
    assert "- `training.learning_rate` 0.01 → 0.02 (LSTM\\|by hand)\n" in text
    shares = [f"{100 * sum(before) / 2:.2f}%", f"{100 * sum(before) / 2 + 10:.2f}%"]
    written = f"| LSTM\\|by hand | Test accuracy | {shares[0]} | {shares[1]} | +10.00 | [−53.53, 73.53] | 2 |"
    assert written in text.splitlines()
    assert "- `training.learning_rate` 0.01 → 0.02（手写\\|LSTM）\n" in diff(old, new, "zh")


def test_one_setting_of_all_models_is_told_once(old: Path, tmp_path: Path, results: dict[str, Any]) -> None:
    """A change of what all models share is one line, with all of them."""
    for variant in ("rnn", "lstm", "rnn/epochs=1"):
        train_anew(results, variant, batch_size=64)
    (setting,) = changes(old, put(tmp_path / "new", results)).settings
    assert (setting.name, setting.variants) == ("training.batch_size", ("rnn", "lstm", "rnn/epochs=1"))


def test_records_that_are_others_with_the_same_settings_are_told(
    old: Path, tmp_path: Path, results: dict[str, Any]
) -> None:
    """Other keys, the same settings: data, code or versions have changed, and that is said."""
    train_anew(results, "rnn")
    new = put(tmp_path / "new", results)
    assert changes(old, new).retrained == ["rnn"]
    assert "Of the same settings, and trained anew: RNN." in diff(old, new, "en")


def test_models_that_come_and_go_and_runs_that_fail_are_told(
    old: Path, tmp_path: Path, results: dict[str, Any]
) -> None:
    """A variant that is new, one that is gone, and a run that diverged since."""
    results["runs"] = {
        name.replace("lstm", "gru"): {**row, "variant": row["variant"].replace("lstm", "gru")}
        for name, row in results["runs"].items()
    }
    results["labels"]["gru"] = {"": "GRU"}
    results["runs"]["rnn/seed=1"] |= {"status": "diverged", "key": "e" * 20, "test_loss": None}
    new = put(tmp_path / "new", results)
    found = changes(old, new)
    assert (found.added, found.removed, found.unfinished) == (["gru"], ["lstm"], ["rnn/seed=1"])
    text = diff(old, new, "en")
    assert "- New: GRU\n- No longer there: LSTM\\|by hand\n" in text
    assert "**Diverged or failed: rnn/seed=1**" in text
    loss = next(metric for metric in found.metrics if metric.name == "test_loss")
    assert (loss.seeds, math.isnan(loss.low)) == (1, True)
    assert re.search(r"\| RNN \| Test loss \| .* \| — \| 1 \|", text)


@pytest.mark.parametrize("text", ["lstm.test_accuracy > rnn.test_accuracy", {"zh": "更好", "en": "better"}])
def test_claims_whose_verdict_turned_are_told(
    old: Path, tmp_path: Path, results: dict[str, Any], text: Any
) -> None:
    """One that turned, one that is new; one that holds as before is not mentioned. Without claims nothing is."""
    results["claims"] = [
        {"id": "a", "text": text, "verdict": "supported"},
        {"id": "b", "text": "as before", "verdict": "inconclusive"},
    ]
    before = put(tmp_path / "before", results)
    results["claims"][0]["verdict"] = "contradicted"
    results["claims"].append({"text": "a new one", "verdict": "inconclusive"})
    after = put(tmp_path / "after", results)
    said = (
        {"en": "better", "zh": "更好"}
        if isinstance(text, dict)
        else dict.fromkeys(("en", "zh"), text.replace(">", "\\>"))
    )
    english, chinese = diff(before, after, "en"), diff(before, after, "zh")
    assert f"| {said['en']} | supported | contradicted |\n| a new one | — | inconclusive |\n" in english
    assert f"| {said['zh']} | 成立 | 不成立 |\n| a new one | — | 尚无定论 |\n" in chinese
    assert "as before" not in english
    assert changes(old, before).verdicts[0].before is None


def test_a_confusion_matrix_is_drawn_less_the_one_before(
    old: Path, tmp_path: Path, results: dict[str, Any]
) -> None:
    """The cells that changed most in words, and the difference as a figure: a file, or inside the HTML."""
    train_anew(results, "rnn", epochs=4)
    matrix = results["confusion"]["rnn"]
    true, wrong = matrix["classes"].index("Russian"), matrix["classes"].index("Greek")
    matrix["counts"][true][wrong] -= 7
    matrix["counts"][true][true] += 7
    new = put(tmp_path / "new", results)
    (found,) = changes(old, new).matrices
    assert found.variant == "rnn"
    assert found.gaps[true, true] == pytest.approx(7 / 28)
    assert np.abs(found.gaps).sum() == pytest.approx(2 * 7 / 28)
    text = diff(old, new, "en", figures=tmp_path / "figures", html=tmp_path / "diff.html")
    assert "- Russian recognised: +25.0 points\n- Russian taken for Greek: −25.0 points\n" in text.replace(
        "- Russian taken for Greek: −25.0 points\n- Russian recognised: +25.0 points\n",
        "- Russian recognised: +25.0 points\n- Russian taken for Greek: −25.0 points\n",
    )
    picture = tmp_path / "figures" / "difference-rnn.en.svg"
    assert f"]({picture})" in text
    assert [">+25<" in picture.read_text("utf-8"), ">−25<" in picture.read_text("utf-8")] == [True, True]
    html = (tmp_path / "diff.html").read_text("utf-8")
    assert html.count("data:image/svg+xml") == 1
    assert "difference-rnn" not in diff(old, new, "en")


def test_the_interval_is_that_of_paired_differences() -> None:
    """Paired, a spread that both builds share does not count; unpaired it does; one seed has no interval."""
    before = {seed: float(seed) for seed in range(6)}
    after = {seed: value + 1 + 0.1 * (seed % 2) for seed, value in before.items()}
    low, high = interval(before, after)
    assert 0.98 <= low < 1.05 < high <= 1.12
    low, high = interval(before, {seed + 1: value for seed, value in after.items()})
    assert low < 0 < 2 < high
    assert all(map(math.isnan, interval({0: 1.0}, {0: 2.0})))
    gaps = np.array([0.2, -0.1, 0.4, 0.3, 0.0, 0.25, 0.1, 0.15])
    own = interval(dict.fromkeys(range(8), 0.0), dict(enumerate(gaps.tolist())))
    assert own == pytest.approx(stats.t.interval(0.95, 7, gaps.mean(), stats.sem(gaps)))


def test_builds_of_different_suites_are_refused(tiny_build: pipeline.Outcome, old: Path, tmp_path: Path) -> None:
    """Another task, another suite's name, no model in common, no build at all: a message each."""
    other = put(tmp_path / "task", {**RESULTS, "task": "addition"})
    with pytest.raises(ReportgenError, match="got builds of two tasks, classification and addition, expected two"):
        diff(old, other, "en")
    runs = {name: {**row, "variant": f"my-{row['variant']}"} for name, row in RESULTS["runs"].items()}
    with pytest.raises(ReportgenError, match=r"got two builds with no model in common: rnn, lstm, .* my-rnn"):
        diff(old, put(tmp_path / "models", {**RESULTS, "runs": runs}), "en")
    named = tmp_path / "named"
    named.mkdir()
    for name in ("results.json", "manifest.json"):
        text = (tiny_build.folder / name).read_text("utf-8")
        (named / name).write_text(text.replace('"tiny.yaml"', '"large.yaml"'), "utf-8")
    with pytest.raises(
        ReportgenError, match=r"got builds of two suites, tiny\.yaml and large\.yaml, expected two"
    ):
        diff(tiny_build.folder, named, "en")
    (named / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(ReportgenError, match=r"named/manifest\.json: got a manifest that is cut short"):
        diff(tiny_build.folder, named, "en")
    with pytest.raises(ReportgenError, match="got no build, expected a folder of reports"):
        diff(old, tmp_path / "nowhere", "en")


def test_the_versions_and_the_size_of_the_build_are_settings(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """From the manifests: a quick build, another torch."""
    made = json.loads((tiny_build.folder / "manifest.json").read_text("utf-8"))
    made["suite"]["quick"] = True
    made["versions"]["torch"] = "9.0"
    new = put(tmp_path / "new", json.loads((tiny_build.folder / "results.json").read_text("utf-8")))
    (new / "manifest.json").write_text(json.dumps(made), "utf-8")
    found = changes(tiny_build.folder, new / "manifest.json").settings
    assert [(s.name, s.before, s.after) for s in found if s.name == "quick"] == [("quick", False, True)]
    assert [s.after for s in found if s.name == "torch"] == ["9.0"]


def test_the_command_prints_markdown_and_loads_no_student_code(old: Path, reportgen: Command) -> None:
    """Status 0 whether something changed or not, 2 for what is no build; torch is not loaded."""
    done = reportgen("diff", old, old, "--language", "zh")
    assert (done.returncode, done.stdout.splitlines()[0], done.stderr) == (0, "# 两次生成的差异", "")
    done = reportgen("diff", old, old / "results.txt")
    assert (done.returncode, "got no build" in done.stderr) == (2, True)
    done = reportgen("diff", old, old, "--language", "fr")
    assert (done.returncode, done.stderr) == (2, "--language: got 'fr', expected one of en, zh\n")
    code = (
        "import sys; from pathlib import Path; from reportgen.provenance.diff_text import diff; "
        f"diff(Path({str(old)!r}), Path({str(old)!r}), 'en'); print({{'torch', 'matplotlib'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
