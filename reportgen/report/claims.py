"""The claims of a suite and their results, worded for a report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from reportgen.analysis.claims import JudgedClaim
from reportgen.analysis.comparisons import Evidence
from reportgen.i18n.languages import Language
from reportgen.i18n.origins import Text, marked
from reportgen.report.border import plain
from reportgen.report.escaping import escape_markdown
from reportgen.report.facts import prose
from reportgen.suite.claims import Combined, Expression, Measured, Number

_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "/"}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


@dataclass(frozen=True)
class Told:
    """A claim in one language."""

    number: int
    text: str
    """As the suite has it."""
    because: Markup | None
    verdict: str
    """supported, contradicted or inconclusive."""
    sentence: Markup
    """What the runs say, with the figures; Markdown."""
    difference: str
    interval: str
    """Empty where there is none."""
    evidence: Evidence
    late: bool
    """Whether it was stated after a run of it had been trained."""
    tested: bool
    """Whether chance is in it, so that it was tested."""


def told(judged: Sequence[JudgedClaim], labels: Mapping[str, str], language: Language) -> list[Told]:
    """Return every claim in the words of the language, in the order of the suite."""
    return [_told(number, item, labels, language) for number, item in enumerate(judged, 1)]


def _told(number: int, judged: JudgedClaim, labels: Mapping[str, str], language: Language) -> Told:
    path = ("claims", str(number))
    known = plain(judged.evidence, path)
    judged = replace(
        judged,
        evidence=known,
        left=plain(judged.left, (*path, "left")),
        right=plain(judged.right, (*path, "right")),
    )
    return Told(
        number,
        judged.claim.text,
        prose(judged.claim.because, language.code),
        judged.verdict,
        Markup(_sentence(judged, labels, language)),  # noqa: S704 - its parts are escaped
        Text(_amount(known.mean, judged.kind, language)) if known.pairs else "—",
        Text("[{}, {}]".format(*(marked(_bare(end, judged.kind, language)) for end in (known.low, known.high))))
        if known.pairs and not math.isnan(known.low)
        else "—",
        known,
        judged.late,
        not judged.certain,
    )


def _sentence(judged: JudgedClaim, labels: Mapping[str, str], language: Language) -> str:
    claim, known = judged.claim, judged.evidence
    left, right = (escape_markdown(worded(side, labels, language)) for side in (claim.left, claim.right))
    if judged.reason:
        return language.say(f"claims.reason.{judged.reason}")
    if judged.certain:
        values = (_value(value, judged.kind, language) for value in (judged.left, judged.right))
        return language.say("claims.certain", **dict(zip(("left_value", "right_value"), values, strict=True)))
    if known.mean == 0 and not claim.absolute:
        return language.say("claims.equal", left=left, right=right)
    decided = judged.verdict != "inconclusive"
    if claim.absolute:
        side = "beyond" if abs(known.mean) > judged.right else "within"
        key, sign = side if decided else f"{side}_open", 1
        who = {"left": left, "margin": _amount(judged.right, judged.kind, language)}
    else:
        key, sign = "larger" if decided else "open", 1 if known.mean > 0 else -1
        who = dict(zip(("larger", "smaller"), (left, right)[::sign], strict=True))
    low, high = sorted((sign * known.low, sign * known.high))
    return language.say(
        f"claims.{key}", **who, wins=known.wins, pairs=known.pairs,
        difference=_amount(sign * known.mean, judged.kind, language),
        low=_bare(low, judged.kind, language), high=_bare(high, judged.kind, language), p=_basis(known, language),
    )  # fmt: skip


def _basis(known: Evidence, language: Language) -> str:
    """Say what a verdict rests on."""
    exact, smallest = (language.significant(value, 2) for value in (known.exact, known.smallest))
    return language.say("method.basis", p=language.p_value(known.adjusted), exact=exact, smallest=smallest)


def worded(expression: Expression, labels: Mapping[str, str], language: Language) -> str:
    """Write one side of a claim in words: the test accuracy of RNN + 0.02."""
    match expression:
        case Number():
            return expression.text
        case Measured():
            metric = language.say(f"metric.{expression.name}")
            return language.say("claims.metric", metric=metric, model=labels[expression.variant])
    sides = (_within(side, expression, labels, language) for side in (expression.left, expression.right))
    return f" {_SIGNS[expression.operator]} ".join(sides)


def _within(side: Expression, around: Combined, labels: Mapping[str, str], language: Language) -> str:
    """Word a part of an expression, in brackets where it would be read otherwise."""
    text = worded(side, labels, language)
    if not isinstance(side, Combined):
        return text
    own, outer = _BINDS[side.operator], _BINDS[around.operator]
    needed = own < outer or (own == outer and side is around.right and around.operator in "-/")
    return f"({text})" if needed else text


def _bare(value: float, kind: str, language: Language) -> str:
    """Write a difference without its unit."""
    return language.points(value, 2) if kind == "share" else language.significant(value)


def _amount(value: float, kind: str, language: Language) -> str:
    return language.say(f"claims.unit.{kind}", value=_bare(value, kind, language))


def _value(value: float, kind: str, language: Language) -> str:
    return language.integer(value) if kind == "count" else language.significant(value)
