"""What the checks found, in words: for the report's own section, for the terminal, and for other programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reportgen.analysis.checks import Checked, Found, look
from reportgen.analysis.results import Runs
from reportgen.i18n.languages import Language, load_languages
from reportgen.i18n.origins import Text, unmarked
from reportgen.report.border import plain
from reportgen.resources import TEMPLATES
from reportgen.suite.declarations import CODES, Checks, Code, severity
from reportgen.tasks.registry import task_named

_MOST_ITEMS = 6
_MOST_MODELS = 3


@dataclass(frozen=True)
class Told:
    """A check that found something, or that the suite silences."""

    code: str
    severity: str
    """warning or note."""
    title: str
    found: str
    """A sentence with what was found; empty if nothing was."""
    advice: str
    """A sentence on what follows."""
    reason: str = ""
    """Why the suite silences the check; empty if it does not."""


@dataclass(frozen=True)
class Section:
    """What the report's section on the checks is made from."""

    looked_for: int
    told: Sequence[Told]
    """What was found, warnings first."""
    silenced: Sequence[Told]
    absent: Sequence[str]
    """Titles of the checks that found nothing, and are not silenced."""


def section(checked: Checked, silence: Checks, language: Language, labels: Mapping[str, str]) -> Section:
    """Word the checks in one language; `labels` say what variants are called."""
    found = {item.code: item for item in checked.found}
    reasons = {code: silence.silence[code].in_language(language.code) for code in CODES if code in silence.silence}
    told = [_told(item, language, labels) for code, item in found.items() if code not in reasons]
    return Section(
        len(checked.looked_for),
        sorted(told, key=lambda item: item.severity != "warning"),
        [_silenced(code, found.get(code), reason, language, labels) for code, reason in reasons.items()],
        [_title(code, language) for code in checked.looked_for if code not in (*found, *reasons)],
    )


def checks_as_json(results: Runs, findings: Any, silence: Checks) -> dict[str, Any]:
    """Return what `results.json` holds of the checks; `lines` are for the terminal."""
    checked = look(task_named(results.task).checks().CHECKS, results, findings)
    return {
        "looked_for": list(checked.looked_for),
        "found": [_plain_found(item, silence) for item in checked.found],
        "silenced": {code: dict(reason.by_language) for code, reason in silence.silence.items()},
        "lines": lines(checked, silence, results),
    }


def lines(checked: Checked, silence: Checks, results: Runs) -> list[str]:
    """Return a line in English for each check that found something and is not silenced, warnings first.

    Variants go by their names, which a label in some other language would hide.
    """
    (english,) = load_languages(["en"], [TEMPLATES])
    loud = Checked(checked.looked_for, [item for item in checked.found if item.code not in silence.silence])
    names = {variant.name: variant.name for variant in results.variants}
    told = section(loud, Checks(), english, names).told
    return [unmarked(f"{item.code} {item.severity}: {item.title}: {item.found}") for item in told]


def _plain_found(item: Found, silence: Checks) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": severity(item.code),
        "silenced": item.code in silence.silence,
        "items": [dict(figures) for figures in item.items],
        "figures": dict(item.figures),
        "runs": list(item.runs),
    }


def _silenced(code: Code, item: Found | None, reason: str, language: Language, labels: Mapping[str, str]) -> Told:
    if item is None:
        return Told(code, severity(code), _title(code, language), "", "", reason)
    return replace(_told(item, language, labels), reason=reason)


def _told(item: Found, language: Language, labels: Mapping[str, str]) -> Told:
    key = f"checks.{item.code}"
    item = replace(
        item, **{name: plain(getattr(item, name), ("checks", item.code)) for name in ("items", "figures")}
    )
    words = [
        language.say(f"{key}.item{item.form}", **_written(figures, language, labels))
        for figures in item.items[:_MOST_ITEMS]
    ]
    if more := len(item.items) - len(words):
        words.append(language.say("checks.more", count=language.integer(more)))
    figures = {**_written(item.figures, language, labels), "items": language.listing(words)}
    return Told(
        item.code,
        severity(item.code),
        _title(item.code, language),
        Text(language.say(f"{key}.found{item.form}", **figures)),
        Text(language.say(f"{key}.advice", **figures)),
    )


def _title(code: str, language: Language) -> str:
    return language.say(f"checks.{code}.title")


def _written(figures: Mapping[str, Any], language: Language, labels: Mapping[str, str]) -> dict[str, str]:
    """Write each figure the way that its name asks for."""
    return {name: _write(name, value, figures, language, labels) for name, value in figures.items()}


def _write(
    name: str, value: Any, figures: Mapping[str, Any], language: Language, labels: Mapping[str, str]
) -> str:
    match name:
        case "model" | "large" | "small":
            return labels[value]
        case "models":
            return _models([labels[variant] for variant in value], language, len(labels))
        case "largest" | "smallest":
            return language.class_name(*value)
        case "setting":
            return language.say(f"setting.{value}")
        case "value":
            return language.setting(str(figures["setting"]), value)
        case "edge":
            return language.say(f"checks.edge.{value}")
        case "status":
            return language.say(f"status.{value}")
        case "seeds" | "comparisons":
            return language.say(f"checks.{name}", count=language.integer(value))
        case "seed":
            return str(value)
        case "accuracy" | "majority" | "baseline" | "train" | "share":
            return language.percent(value, 2)
        case "lowest" | "last":
            return language.number(value)
        case "ratio":
            return language.number(value, 1)
        case "p" | "level" | "error" | "mean" | "errors":
            return language.significant(value)
    return language.integer(value) if isinstance(value, int) else str(value)


def _models(labels: list[str], language: Language, all_of_them: int) -> str:
    if len(labels) == all_of_them > 1:
        return language.say("checks.all_models")
    if len(labels) > _MOST_MODELS:
        return language.say("checks.models", count=language.integer(len(labels)))
    return language.listing(labels)
