"""What CLDR knows of a language: plural forms, dates, the signs in numbers, what it calls itself."""

from functools import cache
from typing import Any

from reportgen.errors import TemplateError

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


def name_of(code: str) -> str:
    """Return what a language calls itself: 中文, English."""
    return str(locale_of(code).get_language_name(code) or code)
