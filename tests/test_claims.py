"""Claims: how they are read, what is said of those that cannot be, how they are judged, and how that is worded."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TINY, Command
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen import pipeline, verdicts
from reportgen.analysis.claims import Judged, judge
from reportgen.analysis.results import Results, collect
from reportgen.errors import SuiteError
from reportgen.lab.record import Record
from reportgen.languages import Language, load_languages
from reportgen.report.claiming import told, worded
from reportgen.resources import TEMPLATES, shipped_suites
from reportgen.suite.claims import (
    Claim,
    ClaimError,
    Combined,
    Expression,
    Measured,
    Number,
    kind_of,
    measured_in,
    parse,
)
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, expand, runs_of
from reportgen.suite.metrics import METRICS
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
METRIC = METRICS["classification"]
NAMES = ["rnn", "lstm", "lstm/hidden_size=64", "rnn/layers=1, learning_rate=0.1", "my-gru"]


def read(text: str) -> Claim:
    """Read a claim about these variants."""
    return parse(text, NAMES, METRIC)


def metric(variant: str, name: str = "test_accuracy") -> Measured:
    """Return a metric of a variant."""
    return Measured(variant, name, METRIC[name])


def test_an_order_has_two_sides_and_a_relation() -> None:
    """The sides are read as they stand, products before sums, from left to right."""
    found = read("lstm.test_accuracy >= rnn.test_accuracy + 2 * 0.01 - (0.5)")
    summed = Combined("+", metric("rnn"), Combined("*", Number(2, "2"), Number(0.01, "0.01")))
    assert (found.left, found.relation, found.equal, found.absolute) == (metric("lstm"), ">", True, False)
    assert found.right == Combined("-", summed, Number(0.5, "0.5"))


@pytest.mark.parametrize(
    "text", ["abs(rnn.seconds - lstm.seconds) < 2.5", "2.5 > abs (rnn.seconds - lstm.seconds)"]
)
def test_an_equivalence_has_its_margin_on_the_right(text: str) -> None:
    """Written either way round, what is compared is the left side and the margin the right one."""
    found = read(text)
    assert found.left == Combined("-", metric("rnn", "seconds"), metric("lstm", "seconds"))
    assert (found.right, found.relation, found.absolute) == (Number(2.5, "2.5"), "<", True)


def test_points_of_sweeps_have_their_names() -> None:
    """The longest name counts: one that begins with another's, one with a comma, one with a hyphen."""
    found = read(
        "lstm/hidden_size=64.seconds/lstm.seconds < rnn/layers=1, learning_rate=0.1.seconds - my-gru.seconds"
    )
    assert [item.variant for item in found.measured] == [
        "lstm/hidden_size=64", "lstm", "rnn/layers=1, learning_rate=0.1", "my-gru",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("rnn.test_accuracy - 0.1 > lstm.test_accuracy", "share"),
        ("rnn.seconds / lstm.seconds > 2", "number"),
        ("2 * rnn.seconds > lstm.seconds", "seconds"),
        ("rnn.seconds > rnn.test_loss", "number"),
        ("1 / rnn.seconds > 2", "number"),
        ("rnn.parameters > 1000", "count"),
    ],
)
def test_a_side_has_the_unit_of_its_metrics(text: str, kind: str) -> None:
    """Sums keep a unit that both have, factors leave it, and ratios have none."""
    found = read(text)
    assert kind_of(Combined("-", found.left, found.right)) == kind


SOME = "test_accuracy, test_loss, validation_accuracy, kept_epoch, seconds, seconds_per_epoch, parameters"
RUNS = "the name of a run: lstm, lstm/hidden_size=64, my-gru, rnn, rnn/layers=1, learning_rate=0.1"
ONE_OF = "one of < <= > >="
FAULTS = {
    "lstm.test_acuracy > 1": ("'test_acuracy' at column 6", f"one of {SOME}", "did you mean 'test_accuracy'?"),
    "rnn.seconds < lst.seconds": ("'lst' at column 15", RUNS, "did you mean 'lstm'?"),
    "lstm > 0.4": ("'lstm' at column 1", "a metric after the run, such as lstm.test_accuracy", ""),
    "lstm.seconds == 3": (
        "'=' at column 14",
        "one of < <= > >=",
        "abs(a - b) < margin says that two numbers are alike",
    ),
    "lstm.seconds != 3": (
        "'!' at column 14",
        "one of < <= > >=",
        "abs(a - b) > margin says that two numbers differ",
    ),
    "lstm.seconds > 1 > 2": ("'>' at column 18", "the end of the claim", "one claim has one relation"),
    "lstm.seconds > 1 2": ("'2' at column 18", "+, -, *, / or the end of the claim", ""),
    "lstm.seconds ＞ 1": ("'＞' at column 14", "one of < <= > >=", "full-width character; write '>'"),
    "lstm.seconds >": ("the end at column 15", "a number or run.metric", ""),
    "(lstm.seconds > 1": ("'>' at column 15", "')'", ""),
    "": ("the end at column 1", "a number or run.metric", ""),
    "1 + abs(rnn.seconds) > 2": ("'abs' at column 5", "abs(…) alone on its side", ""),
    "rnn.seconds > __import__('os').system('x')": ("'__import__' at column 15", "a number or run.metric", ""),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_claim_that_cannot_be_read_is_told_with_its_column(text: str) -> None:
    """What was found, where, what was expected, and what may have been meant."""
    with pytest.raises(ClaimError) as caught:
        read(text)
    fault = caught.value
    assert (fault.got, fault.expected, fault.hint) == (f"{FAULTS[text][0]} of {text!r}", *FAULTS[text][1:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 > 1", "a claim about some run, run.metric"),
        ("abs(1 - 2) < 3", "a claim about some run, run.metric"),
        ("abs(rnn.seconds) > lstm.seconds", "a margin above 0, a number, on the other side of abs(…)"),
        ("abs(rnn.seconds) < abs(lstm.seconds)", "a margin above 0, a number, on the other side of abs(…)"),
        ("abs(rnn.seconds) < 0", "a margin above 0, a number, on the other side of abs(…)"),
        ("rnn.seconds > " + "1" * 400, "at most 400"),
        ("(" * 30 + "rnn.seconds", "at most 20 parentheses and signs around a number"),
    ],
)
def test_a_claim_that_says_nothing_is_refused(text: str, expected: str) -> None:
    """Numbers alone, a margin that is none, and what is too long or too deep."""
    with pytest.raises(ClaimError) as caught:
        read(text)
    assert caught.value.expected == expected


@settings(deadline=None, max_examples=300)
@given(st.text("rnlstm.test_accuracy<>=+-*/() 0123e", max_size=60) | st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands there, it is a claim about known runs or one message."""
    try:
        found = read(text)
    except ClaimError:
        return
    assert {item.variant for item in found.measured} <= set(NAMES)


expressions = st.recursive(
    st.sampled_from([metric("rnn"), metric("lstm", "seconds")])
    | st.integers(0, 9).map(lambda n: Number(float(n), str(n))),
    lambda inner: st.builds(Combined, st.sampled_from("+-*/"), inner, inner),
    max_leaves=6,
)


def written(expression: Expression) -> str:
    """Write an expression with all its parentheses."""
    match expression:
        case Number():
            return expression.text
        case Measured():
            return f"{expression.variant}.{expression.name}"
    return f"({written(expression.left)} {expression.operator} {written(expression.right)})"


@settings(deadline=None, max_examples=100)
@given(expressions)
def test_words_leave_out_only_parentheses_that_say_nothing(expression: Expression) -> None:
    """Read again, the words of an expression are the same expression, but for the order of equal ranks."""
    claim = f"{written(expression)} < rnn.seconds"
    assert read(claim).left == expression
    labels = {"rnn": "R", "lstm": "L"}
    words = worded(expression, labels, EN).replace("×", "*").replace("−", "-")
    values = {"the test accuracy of R": "3.0", "the training time of L": "7.0"}
    for name, value in values.items():
        words = words.replace(name, value)
    try:
        expected = valued(expression)
    except ZeroDivisionError:
        return
    assert valued(parse(f"{words} < rnn.seconds", NAMES, METRIC).left) == pytest.approx(expected)


def valued(expression: Expression) -> float:
    """Work out an expression in which the accuracy is 3 and the time 7."""
    match expression:
        case Number():
            return expression.value
        case Measured():
            return {"test_accuracy": 3.0, "seconds": 7.0}[expression.name]
    left, right = valued(expression.left), valued(expression.right)
    match expression.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right


A_CLAIM = "a claim, such as lstm.test_accuracy > rnn.test_accuracy"
SUITE = """\
title: t
data: {source: surnames}
model: {cell: rnn}
runs: [{name: a}, {name: b}]
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "claims:\n  - a.test_accuracy > c.test_accuracy",
            "suite.yaml:6: claims[0]: got 'c' at column 19 of 'a.test_accuracy > c.test_accuracy', "
            "expected the name of a run: a, b",
        ),
        (
            "claims:\n  - a.parameters > 1\n  - {that: a.exact_accuracy > 1}",
            f"suite.yaml:7: claims[1].that: got 'exact_accuracy' at column 3 of 'a.exact_accuracy > 1', expected "
            f"one of {SOME}; did you mean 'test_accuracy'?",
        ),
        (
            "seeds: [0]\nclaims: [a.parameters > 1, a.test_loss < b.test_loss]",
            "suite.yaml:6: claims[1]: got a claim about test_loss over one seed, expected three seeds or more",
        ),
        ("claims: [5]", f"suite.yaml:5: claims[0]: got 5, expected {A_CLAIM}"),
        ("claims: {a: b}", "suite.yaml:5: claims: got a mapping, expected a list"),
        (
            "claims: [{that: a.parameters > 1, because: {zh: 因为}}]",
            "suite.yaml:5: claims[0].because: got a text in zh alone, "
            "expected a text in en too, or one plain text",
        ),
        (
            "claims: [a.test_accuracy > b.test_accuracy]\nprofiles: {small: {seeds: [0]}}",
            "suite.yaml:5: claims[0]: got a claim about test_accuracy over one seed, expected three seeds or more",
        ),
    ],
)  # fmt: skip
def test_a_faulty_claim_is_one_message(tmp_path: Path, more: str, expected: str) -> None:
    """File, line, place, what was found and what was expected, before anything is trained."""
    file = tmp_path / "suite.yaml"
    file.write_text(SUITE + more, "utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(file, ["en", "zh"])
    assert str(caught.value).replace(f"{tmp_path}/", "") == expected


def test_a_profile_may_make_claims_of_its_own(tmp_path: Path) -> None:
    """They take the place of the suite's; an empty list leaves the profile without any."""
    file = tmp_path / "suite.yaml"
    claims = "claims: [a.test_loss < b.test_loss]\nprofiles: {small: {seeds: [0], claims: []}}"
    file.write_text(SUITE + claims, "utf-8")
    assert len(read_suite(file, ["en", "zh"]).claims) == 1
    assert read_suite(file, ["en", "zh"], "small").claims == ()


@pytest.mark.parametrize("name", shipped_suites())
def test_the_suites_that_ship_claim_something(name: str) -> None:
    """Every suite that ships has claims, all of them readable, and prints them."""
    loaded = pipeline.load(shipped_suites()[name])
    assert len(loaded.claims) == len(loaded.suite.claims) > 0
    assert "claims" in loaded.suite.sections


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


def judged(text: str, by_seed: Mapping[str, Sequence[int]], **changes: Any) -> Judged:
    """Judge one claim about these variants."""
    found = results(by_seed, **changes)
    (one,) = judge([parse(text, list(by_seed), METRIC)], found)
    return one


@pytest.mark.parametrize(
    ("text", "by_seed", "verdict"),
    [
        ("lstm.test_accuracy > rnn.test_accuracy", WIDE, "supported"),
        ("rnn.test_accuracy < lstm.test_accuracy", WIDE, "supported"),
        ("rnn.test_accuracy > lstm.test_accuracy", WIDE, "contradicted"),
        ("lstm.test_accuracy <= rnn.test_accuracy", WIDE, "contradicted"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.2", WIDE, "supported"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.6", WIDE, "contradicted"),
        ("lstm.test_accuracy > rnn.test_accuracy + 0.4", WIDE, "not_shown"),
        ("lstm.test_loss / rnn.test_loss < 0.5", WIDE, "supported"),
        ("lstm.test_accuracy > rnn.test_accuracy", CLOSE, "not_shown"),
        ("rnn.test_accuracy > lstm.test_accuracy", CLOSE, "not_shown"),
        ("lstm.test_accuracy > lstm.test_accuracy", WIDE, "not_shown"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.6", WIDE, "supported"),
        ("abs(rnn.test_accuracy - lstm.test_accuracy) > 0.2", WIDE, "supported"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.2", WIDE, "contradicted"),
        ("abs(rnn.test_accuracy - lstm.test_accuracy) > 0.6", WIDE, "contradicted"),
        ("abs(lstm.test_accuracy - rnn.test_accuracy) < 0.05", CLOSE, "not_shown"),
        ("rnn.parameters < 2 * lstm.parameters", WIDE, "supported"),
        ("rnn.parameters > lstm.parameters", WIDE, "contradicted"),
        ("lstm.parameters >= lstm.parameters", WIDE, "supported"),
        ("lstm.parameters > lstm.parameters", WIDE, "contradicted"),
        ("lstm.seconds > rnn.seconds", WIDE, "supported"),
    ],
)
def test_a_claim_is_supported_contradicted_or_not_shown(
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
    for item in judge(claims, found):
        assert item.evidence.holm == pytest.approx(2 * item.evidence.p)


@pytest.mark.parametrize(
    ("text", "changes", "reason"),
    [
        ("lstm.seconds > rnn.seconds", {"status": "diverged"}, "unfinished"),
        ("lstm.validation_accuracy > rnn.validation_accuracy", {"heldout": "test"}, "missing"),
    ],
)
def test_a_claim_about_what_is_not_there_is_not_shown(text: str, changes: dict[str, Any], reason: str) -> None:
    """Runs that did not finish, and numbers that they have not, decide nothing; the report says why."""
    found = judged(text, WIDE, **changes)
    assert (found.verdict, found.reason) == ("not_shown", reason)
    assert told([found], {"rnn": "RNN", "lstm": "LSTM"}, EN)[0].sentence == EN.say(f"claims.reason.{reason}")


def test_times_of_different_machines_are_not_compared() -> None:
    """A claim about seconds needs runs of one machine."""
    found = results(WIDE)
    for name, own in found.records.items():
        own.environment["cpu"] = name.split("/")[0]
    (item,) = judge([parse("lstm.seconds > rnn.seconds", list(WIDE), METRIC)], found)
    assert (item.verdict, item.reason) == ("not_shown", "other_machines")


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
    judgements = judge([parse(text, ["a", "b"], METRIC) for text in texts], found)
    assert [item.reason for item in judgements] == ["other_losses", "", ""]


SENTENCES = {
    ("{one}.test_accuracy > {other}.test_accuracy", "en"): (
        "By 40.75 percentage points on average (95% interval ",
        ", the test accuracy of LSTM is larger than the test accuracy of RNN, with 4 of 4 seeds.",
    ),
    ("{one}.test_accuracy > {other}.test_accuracy", "zh"): (
        "LSTM 的测试准确率比 RNN 的测试准确率平均大 40.75 个百分点", "4 个种子中有 4 个如此。",
    ),
    ("{one}.test_loss < {other}.test_loss", "en"): (
        "By 0.407 on average", ", the test loss of RNN is larger than the test loss of LSTM, with 4 of 4 seeds.",
    ),
    ("{one}.test_loss < {other}.test_loss", "zh"): (
        "RNN 的测试损失比 LSTM 的测试损失平均大 0.407", "4 个种子中有 4 个如此。",
    ),
}  # fmt: skip


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
    assert line.sentence.startswith(beginning)
    assert line.sentence.endswith(end)


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


def test_strict_holds_the_report_to_its_claims(
    tiny_build: pipeline.Outcome, reportgen: Command, tmp_path: Path
) -> None:
    """A claim that is not supported ends a strict build with 3, also where nothing had changed."""
    shutil.copytree(tiny_build.folder.parent / "records", tmp_path / "build" / "records")
    file = tmp_path / "tiny.yaml"
    whole = TINY.read_text("utf-8") + "languages: [en, zh]\nformats: [md]\n"
    file.write_text(whole + CLAIMS, "utf-8")
    for _ in range(2):
        done = reportgen("build", file, "--strict")
        assert done.returncode == 3
        assert "supported    rnn/epochs=1.parameters <= rnn.parameters\n" in done.stdout
        assert "not shown    rnn.test_accuracy > lstm.test_accuracy  (p = " in done.stdout
    content = json.loads((tmp_path / "build/tiny/results.json").read_text("utf-8"))
    assert verdicts.unsupported(content["claims"]) == [
        "rnn.test_accuracy > lstm.test_accuracy",
        "abs(rnn.test_accuracy - lstm.test_accuracy) < 0.3",
    ]
    assert content["claims"][0]["runs"] == ["rnn/seed=0", "rnn/seed=1", "lstm/seed=0", "lstm/seed=1"]
    english, chinese = ((tmp_path / f"build/tiny/report.{code}.md").read_text("utf-8") for code in ("en", "zh"))
    assert "## 8. Claims\n" in english
    assert "\n2. **Supported**: `rnn/epochs=1.parameters <= rnn.parameters`\n" in english
    assert "Reason given: It is smaller." in english
    assert "\n1. **未能判断**：`rnn.test_accuracy > lstm.test_accuracy`\n" in chinese
    file.write_text(f"{whole}claims: [rnn.parameters > 0]\n", "utf-8")
    done = reportgen("build", file, "--strict")
    assert (done.returncode, done.stdout.splitlines()[-2]) == (0, "supported    rnn.parameters > 0")


def test_strict_and_quick_do_not_go_together(reportgen: Command) -> None:
    """A quick build's numbers support nothing: one message, and status 2."""
    done = reportgen("build", TINY, "--strict", "--quick")
    assert done.returncode == 2
    assert done.stderr.startswith("--strict: got --quick beside it, expected a whole build")


def test_every_metric_has_a_name_in_every_language() -> None:
    """The report words each metric that a claim may speak of."""
    names = {name for metrics in METRICS.values() for name in metrics}
    assert {key for key in EN.messages if key.startswith("metric.")} == {f"metric.{name}" for name in names}
    assert list(measured_in(Number(1.0, "1"))) == []
