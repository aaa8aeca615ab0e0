"""Claims: `lstm.test_accuracy > rnn.test_accuracy + 0.01`, parsed by a grammar, never run as code."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from reportgen.errors import Problem
from reportgen.suite.document import Document
from reportgen.suite.expansion import task_of_suite
from reportgen.suite.messages import nearest
from reportgen.suite.schema import Suite
from reportgen.suite.text import Text
from reportgen.tasks.base import Metric

LONGEST = 400
"""Characters of a claim."""

DEEPEST = 20
"""Parentheses and signs around a factor."""

Operator = Literal["+", "-", "*", "/"]


@dataclass(frozen=True)
class Number:
    """A number that stands in the claim."""

    value: float
    text: str


@dataclass(frozen=True)
class Measured:
    """A metric of a variant."""

    variant: str
    name: str
    """What the claim calls the metric."""
    metric: Metric


@dataclass(frozen=True)
class Combined:
    """Two expressions and what is done with them."""

    operator: Operator
    left: "Expression"
    right: "Expression"


Expression = Number | Measured | Combined


@dataclass(frozen=True)
class Claim:
    """What a suite says that its runs will show: an order, or that two numbers are alike, or differ."""

    text: str
    left: Expression
    right: Expression
    relation: Literal["<", ">"]
    equal: bool
    """Whether the relation is `<=` or `>=`."""
    absolute: bool = False
    """Whether the left side is meant without its sign; the right side is then the margin, a number."""
    because: Text | None = None

    @property
    def measured(self) -> list[Measured]:
        """Every metric that it speaks of."""
        return [*measured_in(self.left), *measured_in(self.right)]


def measured_in(expression: Expression) -> Iterator[Measured]:
    """Yield every metric in an expression."""
    match expression:
        case Measured():
            yield expression
        case Combined(_, left, right):
            yield from measured_in(left)
            yield from measured_in(right)


def kind_of(expression: Expression) -> str | None:
    """Return the kind of number that an expression comes to: that of its metrics, or number; None without any."""
    match expression:
        case Measured():
            return expression.metric.kind
        case Combined("+" | "-", left, right):
            kinds = {kind for side in (left, right) if (kind := kind_of(side))}
            return next(iter(kinds)) if len(kinds) == 1 else "number" if kinds else None
        case Combined(operator, left, right):
            own, other = kind_of(left), kind_of(right)
            if own and other:
                return "number"
            return own or (other if operator == "*" else other and "number")
    return None


class ClaimError(Exception):
    """A claim that cannot be read."""

    def __init__(self, got: str, expected: str, hint: str = "") -> None:
        self.got, self.expected, self.hint = got, expected, hint
        super().__init__(got)


_BLANK = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[^\s()*+<>=!,&|]+")
_RELATION = re.compile(r"[<>]=?")
_FULL_WIDTH = str.maketrans("＜＞（）＋－＊／．＝≤≥", "<>()+-*/.=<>")
_OTHERS = {
    "=": "abs(a - b) < margin says that two numbers are alike",
    "!": "abs(a - b) > margin says that two numbers differ",
}


def parse(text: str, variants: Collection[str], metrics: Mapping[str, Metric]) -> Claim:
    """Read a claim about `variants` in terms of `metrics`; ClaimError says what was found and expected."""
    return _Parser(text, variants, metrics).claim()


def claims_of(suite: Suite, variants: Collection[str], document: Document) -> "Claims":
    """Read the claims of a suite about variants of these names; `document` knows where each was written."""
    metrics = task_of_suite(suite).metrics
    claims, problems = [], []
    for i, declared in enumerate(suite.claims):
        try:
            claim = replace(parse(declared.that, variants, metrics), because=declared.because)
            _check_seeds(claim, suite)
        except ClaimError as fault:
            path = ("claims", i, "that") if ("claims", i, "that") in document else ("claims", i)
            problems.append(document.problem(path, fault.got, fault.expected, fault.hint))
        else:
            claims.append(claim)
    return Claims(tuple(claims), problems)


@dataclass(frozen=True)
class Claims:
    """The claims of a suite that can be read, and what is wrong with the others."""

    sound: tuple[Claim, ...]
    problems: list[Problem]


def _check_seeds(claim: Claim, suite: Suite) -> None:
    by_chance = [item.name for item in claim.measured if item.metric.by_chance]
    if by_chance and len(suite.seeds) < 2:
        raise ClaimError(f"a claim about {by_chance[0]} over one seed", "three seeds or more")


class _Parser:
    """Reads a claim from left to right, one method a rule of the grammar."""

    def __init__(self, text: str, variants: Collection[str], metrics: Mapping[str, Metric]) -> None:
        self.text, self.at, self.depth = text, 0, 0
        # the longest name first: lstm/layers=2 begins with lstm
        self.variants = sorted(variants, key=len, reverse=True)
        self.metrics = metrics

    def claim(self) -> Claim:
        if len(self.text) > LONGEST:
            raise ClaimError(f"a claim of {len(self.text):,} characters", f"at most {LONGEST}")
        left, left_absolute = self.side()
        relation = self.take(_RELATION)
        if relation is None:
            raise self.unexpected("one of < <= > >=", _OTHERS.get(self.rest[:1], ""))
        if self.rest[:1] == "=":
            raise self.unexpected("a number or run.metric")
        right, right_absolute = self.side()
        if self.rest:
            expected = "the end of the claim" if self.rest[:1] in "<>=" else "+, -, *, / or the end of the claim"
            raise self.unexpected(expected, "one claim has one relation" if self.rest[:1] in "<>=" else "")
        if left_absolute and right_absolute:
            raise self.wrong_margin()
        if right_absolute:  # 0.01 > abs(…): turned round
            left, right = right, left
            relation = relation.translate(str.maketrans("<>", "><"))
        absolute = left_absolute or right_absolute
        if not [*measured_in(left), *([] if absolute else measured_in(right))]:
            raise ClaimError(repr(self.text), "a claim about some run, run.metric")
        if absolute and not (isinstance(right, Number) and right.value > 0):
            raise self.wrong_margin()
        return Claim(self.text, left, right, "<" if relation[0] == "<" else ">", len(relation) > 1, absolute)

    def wrong_margin(self) -> ClaimError:
        return ClaimError(repr(self.text), "a margin above 0, a number, on the other side of abs(…)")

    def side(self) -> tuple[Expression, bool]:
        if re.match(r"abs\s*\(", self.rest):
            self.take(re.compile(r"abs"))
            self.expect("(")
            inner = self.sum()
            self.expect(")")
            return inner, True
        return self.sum(), False

    def sum(self) -> Expression:
        found = self.product()
        while operator := self.take(re.compile(r"[+-]")):
            found = Combined("+" if operator == "+" else "-", found, self.product())
        return found

    def product(self) -> Expression:
        found = self.factor()
        while operator := self.take(re.compile(r"[*/]")):
            found = Combined("*" if operator == "*" else "/", found, self.factor())
        return found

    def factor(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.unexpected(f"at most {DEEPEST} parentheses and signs around a number")
        found = self.atom()
        self.depth -= 1
        return found

    def atom(self) -> Expression:
        if self.take(re.compile(r"-")):
            return Combined("*", Number(-1.0, "-1"), self.factor())
        if self.take(re.compile(r"\(")):
            inner = self.sum()
            self.expect(")")
            return inner
        for variant in self.variants:
            if self.rest.startswith(f"{variant}."):
                self.at += len(variant) + 1
                return Measured(variant, *self.metric())
        if number := self.take(_NUMBER):
            return Number(float(number), number)
        raise self.unknown()

    def metric(self) -> tuple[str, Metric]:
        start = self.at
        name = self.take(re.compile(r"[A-Za-z_]\w*")) or ""
        if name not in self.metrics:
            self.at = start
            raise self.unexpected(f"one of {', '.join(self.metrics)}", nearest(name, list(self.metrics)), name)
        return name, self.metrics[name]

    def unknown(self) -> ClaimError:
        found = _WORD.match(self.rest)
        word = found[0] if found else ""
        if re.match(r"abs\s*\(", self.rest):
            return self.unexpected("abs(…) alone on its side", "", "abs")
        if "." not in word:
            if word in self.variants:
                return self.unexpected(
                    f"a metric after the run, such as {word}.{next(iter(self.metrics))}", "", word
                )
            return self.unexpected("a number or run.metric", nearest(word, self.variants), word)
        run = word.rpartition(".")[0]
        names = sorted(self.variants)
        some = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        return self.unexpected(f"the name of a run: {some}", nearest(run, names), run)

    def expect(self, sign: str) -> None:
        if not self.take(re.compile(re.escape(sign))):
            raise self.unexpected(f"{sign!r}")

    @property
    def rest(self) -> str:
        """What has not been read yet, without the blanks before it."""
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at :]

    def take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.rest)
        if found is None:
            return None
        self.at += found.end()
        return found[0]

    def unexpected(self, expected: str, hint: str = "", word: str = "") -> ClaimError:
        """Say what stands where something else was expected: `word`, or one character."""
        shown = word or self.rest[:1]
        got = f"{shown!r} at column {self.at + 1}" if shown else f"the end at column {self.at + 1}"
        if shown and shown != shown.translate(_FULL_WIDTH):
            hint = f"full-width character; write {shown.translate(_FULL_WIDTH)!r}"
        return ClaimError(f"{got} of {self.text!r}" if len(self.text) <= 80 else got, expected, hint)
