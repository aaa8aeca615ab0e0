"""Texts into tokens, and tokens into numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]|_")


def words(text: str) -> list[str]:
    """Split into words in lower case and single marks: `Don't stop!` is `don't`, `stop`, `!`.

    A run of Chinese characters has no spaces to split at and stays one word; use `characters` for Chinese.
    """
    return _WORD.findall(text.lower())


def characters(text: str) -> list[str]:
    """Split into characters, white space left out."""
    return [character for character in text if not character.isspace()]


def letters(text: str) -> list[str]:
    """Split into characters, white space and all: for names that are read letter by letter."""
    return list(text)


TOKENIZERS = {"words": words, "characters": characters, "letters": letters}


def vocabulary(texts: Iterable[Sequence[str]], size: int | None = None) -> list[str]:
    """Return the tokens of the texts, in alphabetical order; with a size, the most frequent ones alone.

    Of tokens of one frequency the alphabetically first ones are taken.
    """
    counts = Counter(token for text in texts for token in text)
    frequent = sorted(counts, key=lambda token: (-counts[token], token))
    return sorted(frequent[:size])
