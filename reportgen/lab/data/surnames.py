"""Surnames in 18 languages, spelt in Latin letters, from the packages faker and anyascii."""

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version

from anyascii import anyascii

_LOCALES = {
    "Arabic": ("ar_AA", "ar_SA"),
    "Armenian": ("hy_AM",),
    "Chinese": ("zh_CN", "zh_TW"),
    "Czech": ("cs_CZ",),
    "Dutch": ("nl_NL",),
    "English": ("en_US", "en_GB"),
    "Estonian": ("et_EE",),
    "Finnish": ("fi_FI",),
    "French": ("fr_FR",),
    "Georgian": ("ka_GE",),
    "German": ("de_DE",),
    "Greek": ("el_GR",),
    "Irish": ("ga_IE",),
    "Italian": ("it_IT",),
    "Polish": ("pl_PL",),
    "Russian": ("ru_RU",),
    "Spanish": ("es_ES",),
    "Tamil": ("ta_IN",),
}
_LISTS = ("last_names", "male_last_names", "female_last_names", "unisex_last_names")


def surnames(language: str) -> list[str]:
    """Return the surnames of `language`, in Latin letters and lower case, each once, sorted.

    Lower case, because some of the scripts have no capitals, and a capital would give the language away.
    """
    return sorted({_in_latin(name) for locale in _LOCALES[language] for name in _listed(locale)} - {""})


def labelled_surnames(languages: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return all names of the languages, and for each the index of its language in `languages`."""
    pairs = [(name, label) for label, language in enumerate(languages) for name in surnames(language)]
    return [name for name, _ in pairs], [label for _, label in pairs]


def origin() -> tuple[str, ...]:
    """Return the packages that the names come from, with the versions that decide what they are."""
    return (f"faker {version('faker')}", f"anyascii {version('anyascii')}")


def _in_latin(name: str) -> str:
    # a few entries carry an inverted prefix or a stray mark after a comma or a semicolon
    letters = re.split("[,;]", anyascii(name))[0].replace("`", "'")
    return " ".join(letters.lower().split())


def _listed(locale: str) -> Iterator[str]:
    provider = import_module(f"faker.providers.person.{locale}").Provider
    for attribute in _LISTS:
        # a locale without a list of its own inherits one of two placeholders from faker's base class
        if attribute in vars(provider):
            yield from vars(provider)[attribute]
