"""What CLDR knows of a language: plural forms, dates, the signs in numbers, what it calls itself."""

import datetime
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from reportgen.errors import TemplateError
from reportgen.i18n.catalogues import Message, placeholders, read
from reportgen.i18n.origins import MARKS, keeping, marked
from reportgen.resources import text_below

_AS_ENGLISH = ("zh", "en")
"""Languages that write numbers as Python does: no need to import Babel, which costs a tenth of a second."""


@cache
def locale_of(code: str) -> Any:
    """Return Babel's Locale; TemplateError for a code that CLDR does not know."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse("zh_CN" if code == "zh" else code)
    except UnknownLocaleError:
        raise TemplateError(f"text.{code}.yaml: got the language {code!r}, expected a code of CLDR's") from None


@cache
def symbols(code: str) -> tuple[str, str]:
    """Return what stands before decimals, and between thousands."""
    if code in _AS_ENGLISH:
        return ".", ","
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return str(get_decimal_symbol(locale_of(code))), str(get_group_symbol(locale_of(code)))


@cache
def percentage(code: str) -> str:
    """Return nothing as a percentage: `0%`, or `0 %`."""
    if code in _AS_ENGLISH:
        return "0%"
    from babel.numbers import format_percent

    return str(format_percent(0, locale=locale_of(code)))


def cache_name(code: str) -> str:
    """Return what a language calls itself: 中文, English."""
    return str(locale_of(code).get_language_name(code) or code)


_HUGE = 1e6
_CLASSES = "class."
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_FILE = re.compile(r"text\.([a-z]{2,3})\.yaml$")

# a comma that parts words, and not the thousands of a number
_COMMA = re.compile(r"[，、]|,(?!\d)|(?<!\d),")

# between Chinese characters and Latin letters or digits there is a space
_CHINESE_BESIDE_LATIN = re.compile(
    rf"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%){MARKS}])(?=[\u4e00-\u9fff])"
)


class Language:
    """One language: its sentences and its way of writing numbers and dates."""

    def __init__(self, code: str, messages: Mapping[str, Message]) -> None:
        self.code = code
        self.messages = messages

    def say(self, key: str, **values: object) -> str:
        """Return the sentence `key` with its placeholders filled in.

        A placeholder `count` chooses the plural form. Raises TemplateError for a key that the catalogue does
        not have, or a placeholder that was not given.
        """
        try:
            message = self.messages[key]
        except KeyError:
            hint = _nearest(key, self.messages)
            raise TemplateError(f"text.{self.code}.yaml has no sentence {key!r}{hint}") from None
        try:
            known = {name: marked(value) for name, value in values.items()}
            sentence = self._plural(message, values.get("count")).format_map(known)
            return _CHINESE_BESIDE_LATIN.sub(" ", sentence) if self.code == "zh" else sentence
        except KeyError as missing:
            raise TemplateError(f"text.{self.code}.yaml: {key}: nothing was given for {missing}") from None

    def has(self, key: str) -> bool:
        """Tell whether there is a sentence `key`."""
        return key in self.messages

    def _plural(self, message: Message, count: object) -> str:
        if isinstance(message, str):
            return message
        number = int(re.sub(r"\D", "", str(count)) or 0)
        # a sentence on one run may differ even where the language's grammar has no form for one, as in Chinese
        form = locale_of(self.code).plural_form(number)
        return message.get("one" if number == 1 else form, message["other"])

    @property
    def symbols(self) -> tuple[str, str]:
        """What stands before decimals, and between thousands."""
        return symbols(self.code)

    def between_lines(self, before: str, after: str) -> str:
        """Return what joins two lines of a paragraph that end with `before` and begin with `after`.

        That is a line end, which is read as a space; in Chinese it is nothing, except beside Latin letters.
        """
        joined = self.code == "zh" and not before.isascii() and not _CHINESE_BESIDE_LATIN.search(before + after)
        return "" if joined else "\n"

    @keeping
    def number(self, value: float, digits: int = 4) -> str:
        """Write a number with a fixed count of decimals; a dash for one that does not exist.

        From a million on, decimals say nothing: the loss of a run that diverges is 1.23e+07.
        """
        if value is None or math.isnan(value):
            return "—"
        if digits and abs(value) >= _HUGE:
            return self.significant(value)
        return self._local(f"{value:z,.{digits}f}")

    @keeping
    def percent(self, value: float, digits: int = 1) -> str:
        """Write a fraction as a percentage: 0.8286 is 82.9%."""
        if value is None or math.isnan(value):
            return "—"
        return percentage(self.code).replace("0", self._local(f"{100 * value:z.{digits}f}"))

    @keeping
    def points(self, value: float, digits: int = 1) -> str:
        """Write a difference of fractions in percentage points, without the unit: 0.0123 is 1.2."""
        return self.number(100 * value, digits)

    @keeping
    def integer(self, value: float) -> str:
        """Write a whole number, thousands apart; a dash for one that does not exist."""
        return self.number(value, 0)

    @keeping
    def significant(self, value: float, digits: int = 3) -> str:
        """Write a number with so many significant digits, as in settings: 0.002, 1e-05."""
        return "—" if math.isnan(value) else self._local(f"{value:.{digits}g}")

    def localised(self, number: str) -> str:
        """Write a number that is in English, a percentage perhaps, as the language does."""
        bare = self._local(number.removesuffix("%"))
        return percentage(self.code).replace("0", bare) if number.endswith("%") else bare

    def _local(self, number: str) -> str:
        """Write a number with the language's own signs."""
        decimal, group = self.symbols
        return _minus(number).translate({ord("."): decimal, ord(","): group})

    @keeping
    def p_value(self, value: float) -> str:
        """Write a p value: three decimals, or that it is below 0.001; a dash for one that does not exist."""
        return "< 0.001" if value < 0.0005 else self.number(value, 3)

    @keeping
    def setting(self, name: str, value: object) -> str:
        """Write a setting's value: `best` becomes `lowest validation loss`; of a list of names their number."""
        if value is None or isinstance(value, bool) or value == ():
            return self.say("setting.none" if value in (None, ()) else "setting.yes" if value else "setting.no")
        if isinstance(value, float):
            return self.significant(value, 6)
        if isinstance(value, list | tuple):
            whole = all(isinstance(item, int) for item in value)
            return self.listing([self.integer(item) for item in value]) if whole else str(len(value))
        key = f"value.{name}.{value}"
        return self.say(key) if self.has(key) else str(value)

    def date(self, text: str) -> str:
        """Write a date such as 2026-11-21 the long way of the language; any other text stays as it is."""
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            return text
        if day.isoformat() != text:  # Python takes 20261121, too, which may be a number
            return text
        from babel.dates import format_date  # here, because a build with nothing to do needs no dates

        return str(format_date(day, "long", locale=locale_of(self.code)))

    def class_name(self, source: str, name: str) -> str:
        """Return what the language calls a class of a data set, or its own name if the catalogue has none."""
        key = f"class.{source}.{name}"
        return self.say(key) if self.has(key) else name

    def listing(self, items: Sequence[str]) -> str:
        """Join items the way the language does: a, b and c; a、b 和 c; with semicolons if an item has a comma."""
        if len(items) < 2:
            return "".join(items)
        comma, last = self.say("list.comma"), self.say("list.and")
        if any(_COMMA.search(item) for item in items):
            return self.say("list.semicolon").join(items)
        joined = last.join([comma.join(items[:-1]), items[-1]])
        return _CHINESE_BESIDE_LATIN.sub(" ", joined) if self.code == "zh" else joined


def _minus(number: str) -> str:
    return number.replace("-", "−") if "e-" not in number else number


def available(folders: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the catalogues in `folders` by language; within a language the first file wins a key."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for file in sorted(folder.glob("text.*.yaml")):
            if match := _FILE.match(file.name):
                found.setdefault(match[1], []).append(file)
    return found


def load_languages(codes: Iterable[str], folders: Sequence[Path]) -> list[Language]:
    """Load the languages, hold them against each other, and each own catalogue against the one that it adds to.

    Of two catalogues of a language, the one in the earlier folder counts where it has a sentence. A language that
    does not ship is held against English. Raises TemplateError with every sentence that one language has and
    another lacks, every placeholder that differs, and every own sentence that nothing uses.
    """
    files = available(folders)
    used = _quoted_in_templates(folders[:-1])
    languages, complete = [], []
    problems: list[str] = []
    for code in codes:
        *own_files, base_file = files[code]
        base = read(base_file)
        english = folders[-1] / "text.en.yaml"
        if base_file.parent != english.parent and english.is_file():
            problems += _faults_of_translation(base_file, base, read(english), used)
        own: dict[str, Message] = {}
        for file in reversed(own_files):
            messages = read(file)
            problems += _faults_of_own(file, messages, base, used)
            own |= messages
        languages.append(Language(code, base | own))
        # an own sentence may leave a placeholder out, and classes of one's own need no name in every language
        added = {key: own[key] for key in own if not key.startswith(_CLASSES)}
        complete.append(Language(code, added | base))
    problems = problems or [found for other in complete[1:] for found in differences(complete[0], other)]
    if problems:
        raise TemplateError("\n".join(problems))
    return languages


def _quoted_in_templates(folders: Iterable[Path]) -> set[str]:
    """Return all that stands in quotes in the templates of one's own."""
    texts = (text_below(file, folder) for folder in folders for file in folder.rglob("*.j2"))
    return {quoted for text in texts for _, quoted in _QUOTED.findall(text)}


def _faults_of_own(
    file: Path, messages: Mapping[str, Message], base: Mapping[str, Message], used: Collection[str]
) -> Iterator[str]:
    """Yield what in a catalogue beside a suite would never be printed, or could not be filled in."""
    for key, message in messages.items():
        if key in base:
            known = placeholders(base[key]) | ({"count"} if isinstance(base[key], dict) else set())
            for name in sorted(placeholders(message) - known):
                expected = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
                yield f"{file}: {key}: got the placeholder {{{name}}}, expected {expected}{_nearest(name, known)}"
        elif not key.startswith(_CLASSES) and not {key, key[: key.rfind(".") + 1]} & set(used):
            got = f"got the sentence {key!r}, which nothing uses"
            yield f"{file}: {got}, expected one of the catalogue's{_nearest(key, base)}"


def _nearest(word: str, choices: Iterable[str]) -> str:
    near = get_close_matches(word, sorted(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _faults_of_translation(
    file: Path, messages: Mapping[str, Message], english: Mapping[str, Message], used: Collection[str]
) -> Iterator[str]:
    """Yield what a language that does not ship says less, more or otherwise than English."""
    yield from _faults_of_own(file, messages, english, used)
    for key, message in english.items():
        if key not in messages:
            yield f"{file}: got no sentence {key!r}, expected one, as in text.en.yaml"
            continue
        for name in sorted(placeholders(message) - placeholders(messages[key]) - {"count"}):
            yield f"{file}: {key}: got no placeholder {{{name}}}, expected one, as in text.en.yaml"


def differences(one: Language, other: Language) -> Iterator[str]:
    """Yield what keeps two catalogues from saying the same things."""
    for a, b in ((one, other), (other, one)):
        for key in sorted(a.messages.keys() - b.messages.keys()):
            yield f"text.{b.code}.yaml: got no sentence {key!r}, expected one, as in text.{a.code}.yaml"
    for key in sorted(one.messages.keys() & other.messages.keys()):
        left, right = placeholders(one.messages[key]), placeholders(other.messages[key])
        # `count` chooses the form of a sentence that counts, and need not be printed in it
        chosen = {"count"} if dict in (type(one.messages[key]), type(other.messages[key])) else set()
        if left | chosen != right | chosen:
            yield (
                f"text.{other.code}.yaml: {key}: got the placeholders {sorted(right)}, "
                f"expected {sorted(left)}, as in text.{one.code}.yaml"
            )
