"""Texts into tokens, and the vocabulary of those."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from reportgen.errors import MissingPrerequisiteError

Tokenizer = Callable[[str], list[str]]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]|_")


def words(text: str) -> list[str]:
    """Split into words in lower case and single marks: `Don't stop!` is `don't`, `stop`, `!`.

    A run of Chinese characters has no spaces to split at and stays one word; see `jieba` and `characters`.
    """
    return _WORD.findall(text.lower())


def characters(text: str) -> list[str]:
    """Split into characters, white space left out."""
    return [character for character in text if not character.isspace()]


def letters(text: str) -> list[str]:
    """Split into characters, white space and all: for names that are read letter by letter."""
    return list(text)


def jieba(text: str) -> list[str]:
    """Split Chinese text into words, by jieba's dictionary; white space is left out."""
    return [token for token in _jieba()(text.lower()) if not token.isspace()]


@cache
def _jieba() -> Tokenizer:
    jieba_version()
    import jieba as package

    package.setLogLevel(logging.WARNING)  # it tells of its dictionary on the terminal
    cut: Tokenizer = package.Tokenizer().lcut
    return cut


def jieba_version() -> str:
    """Return the version of jieba, whose dictionary says what a word is; MissingPrerequisiteError without it."""
    try:
        return version("jieba")
    except PackageNotFoundError:
        raise MissingPrerequisiteError(
            "data.tokens: got 'jieba', expected the package jieba on this machine: pip install 'reportgen[zh]'"
        ) from None


TOKENIZERS: dict[str, Tokenizer] = {"words": words, "characters": characters, "letters": letters, "jieba": jieba}


def vocabulary(counts: Mapping[str, int], size: int | None = None) -> list[str]:
    """Return the tokens that were counted, in alphabetical order; with a size, the most frequent ones alone.

    Of tokens of one frequency the alphabetically first ones are taken. The empty token, which stands for a text
    without any, is none of them.
    """
    frequent = sorted((token for token in counts if token), key=lambda token: (-counts[token], token))
    return sorted(frequent[:size])
