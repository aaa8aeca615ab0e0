"""Claims: how they are read, and what is said of those that cannot be."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen import pipeline
from reportgen.errors import SuiteError
from reportgen.i18n.languages import load_languages
from reportgen.report.claims import worded
from reportgen.resources import TEMPLATES, shipped_suites
from reportgen.suite.claims import (
    Claim,
    ClaimError,
    Combined,
    Expression,
    Measured,
    Number,
    kind_of,
    parse,
)
from reportgen.suite.reading import read_suite
from reportgen.tasks.registry import task_named

(EN,) = load_languages(["en"], [TEMPLATES])
METRIC = task_named("classification").metrics
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
    assert len(read_suite(file, ["en", "zh"]).suite.claims) == 1
    assert read_suite(file, ["en", "zh"], "small").suite.claims == ()


@pytest.mark.parametrize("name", shipped_suites())
def test_the_suites_that_ship_claim_something(name: str) -> None:
    """Every suite that ships has claims, all of them readable, and prints them."""
    loaded = pipeline.load(shipped_suites()[name])
    assert len(loaded.claims) == len(loaded.suite.claims) > 0
    assert "claims" in loaded.suite.sections
