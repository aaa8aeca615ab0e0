"""Claims: how they are judged, how that is worded, and what --strict makes of it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TINY, Command

from reportgen import options, pipeline
from reportgen.analysis.claims import JudgedClaim, decided, judge
from reportgen.analysis.comparisons import corrected
from reportgen.i18n.languages import Language, load_languages
from reportgen.i18n.origins import unmarked
from reportgen.lab.record import Record
from reportgen.report.claims import told
from reportgen.resources import TEMPLATES
from reportgen.suite.claims import Claim, Number, measured_in, parse
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, expand, runs_of
from reportgen.suite.schema import Suite
from reportgen.tasks.classification.results import Results, collect
from reportgen.tasks.registry import TASKS, task_named

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
METRIC = task_named("classification").metrics


def record(seed: int, right: int, **changes: Any) -> Record:
    """Return a finished record with `right` of 100 answers right."""
    row = {"train_loss": 1.0, "train_accuracy": 0.5, "heldout_loss": 1.0, "heldout_accuracy": 0.5}
    outcome = {"target": np.zeros(100, int), "predicted": (np.arange(100) >= right).astype(int)}
    values: dict[str, Any] = {
        "key": "k", "parts": {}, "settings": {}, "seed": seed, "status": "finished", "error": "",
        "model": {"parameters": 10 * right}, "data": {"classes": ["a", "b"], "majority_accuracy": 0.5},
        "environment": {}, "started": "", "seconds": 1.0, "heldout": "validation", "kept_epoch": 1,
        "epochs": [{"epoch": 1.0, "seconds": 1.0 + right / 100, **row}],
        "predictions": {**outcome, "loss": np.full(100, 1 - right / 100)},
    }  # fmt: skip
    return Record(**{**values, **changes})


def results(by_seed: Mapping[str, Sequence[int]], **changes: Any) -> Results:
    """Return results of these variants, by seed how many of 100 test examples are right."""
    runs = [{"name": name, "label": name.upper()} for name in by_seed]
    seeds = list(range(len(next(iter(by_seed.values())))))
    declared = {
        "title": "t",
        "data": {"source": "surnames"},
        "model": {"cell": "rnn"},
        "runs": runs,
        "seeds": seeds,
    }
    expanded: tuple[Run, ...] = runs_of(Suite.model_validate(declared), "cpu")
    return collect([(run, record(run.seed, by_seed[run.variant.name][run.seed], **changes)) for run in expanded])


WIDE = {"rnn": [50, 51, 49, 50], "lstm": [90, 91, 92, 90]}
CLOSE = {"rnn": [50, 60, 40, 55], "lstm": [55, 52, 50, 56]}


def judged(text: str, by_seed: Mapping[str, Sequence[int]], **changes: Any) -> JudgedClaim:
    """Judge one claim about these variants."""
    found = results(by_seed, **changes)
    (one,) = decide([parse(text, list(by_seed), METRIC)], found)
    return one


def decide(claims: Sequence[Claim], found: Results) -> list[JudgedClaim]:
    """Judge claims beside which nothing else is compared."""
    weighed = judge(claims, found)
    return decided(weighed, corrected([], [item.evidence for item in weighed]).claims)


@pytest.mark.parametrize(
    ("text", "by_seed", "verdict"),
    [
        ("lstm.test_accuracy > rnn.test_accuracy", WIDE, "supported"),
        ("rnn.test_accuracy < lstm.test_accuracy", WIDE, "supported"),
        ("rnn.test_accuracy > lstm.test_accuracy", WIDE, "contradicted"),
        ("lstm.test_accuracy <= rnn.test_accuracy", WIDE, "contradicted"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.2", WIDE, "supported"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.6", WIDE, "contradicted"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.4", WIDE, "inconclusive"),
        ("lstm.test_loss / rnn.test_loss < 0.5", WIDE, "supported"),
        ("lstm.test_accuracy > rnn.test_accuracy", CLOSE, "inconclusive"),
        ("rnn.test_accuracy > lstm.test_accuracy", CLOSE, "inconclusive"),
        ("lstm.test_accuracy > lstm.test_accuracy", WIDE, "inconclusive"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.6", WIDE, "supported"),
        ("abs(rnn.test_accuracy - lstm.test_accuracy) > 0.2", WIDE, "supported"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.2", WIDE, "contradicted"),
        ("abs(rnn.test_accuracy - lstm.test_accuracy) > 0.6", WIDE, "contradicted"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.05", CLOSE, "inconclusive"),
        ("rnn.parameters < 2 * lstm.parameters", WIDE, "supported"),
        ("rnn.parameters > lstm.parameters", WIDE, "contradicted"),
        ("lstm.parameters >= lstm.parameters", WIDE, "supported"),
        ("lstm.parameters > lstm.parameters", WIDE, "contradicted"),
        ("lstm.seconds > rnn.seconds", WIDE, "supported"),
    ],
)
def test_a_claim_is_supported_contradicted_or_inconclusive(
    text: str, by_seed: Mapping[str, Sequence[int]], verdict: str
) -> None:
    """What the runs show in one direction supports it, in the other contradicts it; else it is not shown."""
    assert judged(text, by_seed).verdict == verdict


def test_the_sources_of_chance_follow_the_metric() -> None:
    """Accuracies and losses have test examples; times have seeds alone; parameters have no chance at all."""
    assert judged("lstm.test_accuracy > rnn.test_accuracy", WIDE).evidence.sources == "both"
    assert judged("lstm.test_loss > rnn.test_loss", WIDE).evidence.sources == "both"
    assert judged("lstm.seconds > rnn.seconds", WIDE).evidence.sources == "seeds"
    assert judged("lstm.parameters > rnn.parameters", WIDE).certain


def test_claims_are_corrected_among_themselves() -> None:
    """Two claims that are the same comparison double each other's p value."""
    found = results(WIDE)
    claims = [parse("lstm.test_accuracy > rnn.test_accuracy", list(WIDE), METRIC)] * 2
    for item in decide(claims, found):
        assert item.evidence.adjusted == pytest.approx(2 * item.evidence.p)


@pytest.mark.parametrize(
    ("text", "changes", "reason"),
    [
        ("lstm.seconds > rnn.seconds", {"status": "diverged"}, "unfinished"),
        ("lstm.validation_accuracy > rnn.validation_accuracy", {"heldout": "test"}, "missing"),
    ],
)
def test_a_claim_about_what_is_not_there_is_inconclusive(text: str, changes: dict[str, Any], reason: str) -> None:
    """Runs that did not finish, and numbers that they have not, decide nothing; the report says why."""
    found = judged(text, WIDE, **changes)
    assert (found.verdict, found.reason) == ("inconclusive", reason)
    assert told([found], {"rnn": "RNN", "lstm": "LSTM"}, EN)[0].sentence == EN.say(f"claims.reason.{reason}")


def test_times_of_different_machines_are_not_compared() -> None:
    """A claim about seconds needs runs of one machine."""
    found = results(WIDE)
    for name, own in found.records.items():
        own.environment["cpu"] = name.split("/")[0]
    (item,) = decide([parse("lstm.seconds > rnn.seconds", list(WIDE), METRIC)], found)
    assert (item.verdict, item.reason) == ("inconclusive", "other_machines")


def test_losses_of_different_functions_are_not_compared() -> None:
    """A claim about test losses needs runs of one loss function; one about accuracies does not."""
    runs = [{"name": "a"}, {"name": "b", "training": {"loss": "mse"}}]
    declared = {
        "title": "t",
        "data": {"source": "surnames"},
        "model": {"cell": "rnn"},
        "runs": runs,
        "seeds": [0, 1],
    }
    expanded: tuple[Run, ...] = runs_of(Suite.model_validate(declared), "cpu")
    found = collect([(run, record(run.seed, 50 + run.seed)) for run in expanded])
    texts = ["a.test_loss < b.test_loss", "a.test_accuracy > b.test_accuracy", "a.test_loss < 0.5"]
    judgements = decide([parse(text, ["a", "b"], METRIC) for text in texts], found)
    assert [item.reason for item in judgements] == ["other_losses", "", ""]


BASIS = ", with 4 of 4 seeds (corrected p < 0.001 by t, which assumes normal seeds; "
SENTENCES = {
    ("{one}.test_accuracy > {other}.test_accuracy", "en"): (
        "By 40.75 percentage points on average (95% interval ",
        f", the test accuracy of LSTM is larger than the test accuracy of RNN{BASIS}",
    ),
    ("{one}.test_accuracy > {other}.test_accuracy", "zh"): (
        "LSTM 的测试准确率比 RNN 的测试准确率平均大 40.75 个百分点",
        "4 个种子中有 4 个如此（校正后 p 值 < 0.001，",
    ),
    ("{one}.test_loss < {other}.test_loss", "en"): (
        "By 0.408 on average",
        f", the test loss of RNN is larger than the test loss of LSTM{BASIS}",
    ),
    ("{one}.test_loss < {other}.test_loss", "zh"): (
        "RNN 的测试损失比 LSTM 的测试损失平均大 0.408",
        "4 个种子中有 4 个如此（校正后 p 值 < 0.001，",
    ),
}


@pytest.mark.parametrize(("text", "code"), SENTENCES)
@pytest.mark.parametrize(("one", "other"), [("lstm", "rnn"), ("rnn", "lstm")])
def test_the_sentence_names_the_larger_side_whatever_was_claimed(
    one: str, other: str, text: str, code: str
) -> None:
    """A claim and its opposite have one sentence, with one sign; only the verdict differs."""
    language = {"en": EN, "zh": ZH}[code]
    found = judged(text.format(one=one, other=other), WIDE)
    (line,) = told([found], {"rnn": "RNN", "lstm": "LSTM"}, language)
    assert found.verdict == ("supported" if one == "lstm" else "contradicted")
    beginning, end = SENTENCES[text, code]
    assert unmarked(line.sentence).startswith(beginning)
    assert end in unmarked(line.sentence)


@pytest.mark.parametrize("language", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize(
    ("text", "by_seed", "key"),
    [
        ("lstm.test_accuracy > rnn.test_accuracy", CLOSE, "open"),
        ("lstm.test_accuracy > lstm.test_accuracy", CLOSE, "equal"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.6", WIDE, "within"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.2", WIDE, "beyond"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.05", CLOSE, "within_open"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) > 0.001", CLOSE, "beyond_open"),
        ("rnn.parameters < lstm.parameters", WIDE, "certain"),
    ],
)
def test_each_kind_of_evidence_has_its_sentence(
    text: str, by_seed: Mapping[str, Sequence[int]], key: str, language: Language
) -> None:
    """The words that the catalogue has for it, and no others."""
    (line,) = told([judged(text, by_seed)], {"rnn": "RNN", "lstm": "LSTM"}, language)
    words = language.messages[f"claims.{key}"]
    assert isinstance(words, str)
    pieces = [piece for part in words.split("}") if (piece := part.split("{")[0])]
    assert all("".join(piece.split()) in "".join(line.sentence.split()) for piece in pieces)


def test_labels_are_escaped_once() -> None:
    """A label with a mark of Markdown stays itself in the sentence."""
    found = judged("lstm.test_accuracy > rnn.test_accuracy", WIDE)
    (line,) = told([found], {"rnn": "R|NN", "lstm": "L*"}, EN)
    assert r"the test accuracy of L\* is larger than the test accuracy of R\|NN" in line.sentence


CLAIMS = """\
claims:
  - that: rnn.test_accuracy > lstm.test_accuracy
    because: {zh: 模型较小。, en: It is smaller.}
  - rnn/epochs=1.parameters <= rnn.parameters
  - abs(rnn.test_accuracy - lstm.test_accuracy) < 0.3
"""


def test_claims_are_of_the_suite_as_it_is_without_quick(tmp_path: Path) -> None:
    """A quick build cuts sweeps; a claim about a point that it leaves out is there all the same."""
    claim = "rnn/epochs=5.seconds > rnn.seconds"
    text = TINY.read_text("utf-8").replace("training.epochs: [1]", "training.epochs: [5]")
    file = tmp_path / "tiny.yaml"
    file.write_text(f"{text}claims: [{claim}]", "utf-8")
    loaded = pipeline.load(file, quick=True)
    assert [made.text for made in loaded.claims] == [claim]
    found = expand(loaded.suite, Document(file)).variants
    assert "rnn/epochs=5" not in {variant.name for variant in found}


@pytest.mark.slow
def test_strict_holds_the_report_to_its_claims(
    tiny_build: pipeline.Outcome, reportgen: Command, tmp_path: Path
) -> None:
    """A claim that is not supported ends a strict build with 3, also where nothing had changed."""
    shutil.copytree(tiny_build.folder.parent / "records", tmp_path / "build" / "records")
    file = tmp_path / "tiny.yaml"
    whole = TINY.read_text("utf-8") + "languages: [en, zh]\nformats: [md, html]\n"
    file.write_text(whole + CLAIMS, "utf-8")
    for _ in range(2):
        done = reportgen("build", file, "--strict")
        assert done.returncode == 3
        assert "supported    rnn/epochs=1.parameters <= rnn.parameters\n" in done.stdout
        assert "inconclusive rnn.test_accuracy > lstm.test_accuracy  (p = " in done.stdout
    content = json.loads((tmp_path / "build/tiny/results.json").read_text("utf-8"))
    assert options.unsupported(content["claims"]) == [
        "rnn.test_accuracy > lstm.test_accuracy",
        "abs(rnn.test_accuracy - lstm.test_accuracy) < 0.3",
    ]
    assert content["claims"][0]["runs"] == ["rnn/seed=0", "rnn/seed=1", "lstm/seed=0", "lstm/seed=1"]
    english, chinese = ((tmp_path / f"build/tiny/report.{code}.md").read_text("utf-8") for code in ("en", "zh"))
    assert "## 8. Claims\n" in english
    assert "\n2. **Supported**: `rnn/epochs=1.parameters <= rnn.parameters`\n" in english
    assert "Reason given: It is smaller." in english
    html = (tmp_path / "build/tiny/report.en.html").read_text(
        "utf-8"
    )  # whose numbers have marks until it is written
    section = html.partition("8. Claims</h2>")[2].partition("</section>")[0]
    assert section.count("<li>") == 3
    assert "<ol>\n<li>\n<p><strong>Inconclusive</strong>: <code>rnn.test_accuracy &gt; " in section
    assert "\n1. **尚无定论**：`rnn.test_accuracy > lstm.test_accuracy`\n" in chinese
    file.write_text(f"{whole}claims: [rnn.parameters > 0]\n", "utf-8")
    done = reportgen("build", file, "--strict")
    assert (done.returncode, done.stdout.splitlines()[-2]) == (0, "supported    rnn.parameters > 0")


def test_strict_and_quick_do_not_go_together(reportgen: Command) -> None:
    """A quick build's numbers support nothing: one message, and status 2."""
    done = reportgen("build", TINY, "--strict", "--quick")
    assert done.returncode == 2
    assert done.stderr.startswith("--strict: got it together with --quick, expected a full build")


def test_every_metric_has_a_name_in_every_language() -> None:
    """The report words each metric that a claim may speak of."""
    names = {name for task in TASKS for name in task.metrics}
    assert {key for key in EN.messages if key.startswith("metric.")} == {f"metric.{name}" for name in names}
    assert list(measured_in(Number(1.0, "1"))) == []
