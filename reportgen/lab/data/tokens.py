"""Texts into tokens, and the vocabulary of those."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import regex

from reportgen.errors import MissingPrerequisiteError

Tokenizer = Callable[[str], list[str]]

# Of Unicode's word boundaries (UAX 29), and with its classes of characters, which `re` does not know: a letter
# keeps the marks and joiners on it, without which a word of Hindi falls to pieces, and an ideograph is a word of
# its own. Other than there, a word with a hyphen is one word, and a number ends at its point.
_HEAD = r"[[\p{L}\p{N}]--[\p{Han}\p{Hiragana}]]"
_TAIL = r"[[\p{L}\p{N}\p{M}\u200c\u200d]--[\p{Han}\p{Hiragana}]]*+"
_WORD = regex.compile(rf"(?V1){_HEAD}{_TAIL}(?:['’-]{_HEAD}{_TAIL})*|\S\p{{M}}*+")
_UNSPACED = regex.compile(
    r"(?V1)[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]&&\p{L}]"
)
_LETTER = regex.compile(r"\p{L}")


def words(text: str) -> list[str]:
    """Split into words in lower case and single marks: `Don't stop!` is `don't`, `stop`, `!`.

    Chinese has no spaces to split at: each of its characters is a word; see `jieba` and `characters`.
    """
    return _WORD.findall(text.lower())


def unspaced_share(texts: Iterable[str]) -> float:
    """Return the share of the letters that are of scripts which put no spaces between words, such as Chinese."""
    letters_of_all = unspaced = 0
    for text in texts:
        letters_of_all += len(_LETTER.findall(text))
        unspaced += len(_UNSPACED.findall(text))
    return unspaced / letters_of_all if letters_of_all else 0.0


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
