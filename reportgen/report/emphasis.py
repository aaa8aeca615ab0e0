"""Emphasis that ends at Chinese punctuation, as in `**加粗：**中文`.

CommonMark takes `：**中` for no end of emphasis: a mark after punctuation ends it only before a space or more
punctuation, which Chinese has not. This is the rule of the CJK-friendly amendments to CommonMark
(https://github.com/tats-u/markdown-cjk-friendly, specification.md): punctuation of Chinese counts as a letter, and
next to a Chinese character a mark may stand beside any punctuation. The plugin of that name for markdown-it-py
cannot be installed beside markdown-it-py 4.
"""

import unicodedata
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline, emphasis, strikethrough
from markdown_it.rules_inline.state_inline import Scanned

_Tokenize = Callable[[StateInline, bool], bool]


def cjk_friendly_plugin(parser: MarkdownIt) -> None:
    """Have the parser find emphasis and deletions by the CJK-friendly rule."""
    for name, rule in (("emphasis", emphasis.tokenize), ("strikethrough", strikethrough.tokenize)):
        parser.inline.ruler.at(name, _by_the_rule(rule))


def _by_the_rule(tokenize: _Tokenize) -> _Tokenize:
    def rule(state: StateInline, silent: bool) -> bool:
        state.__class__ = _State  # the parser makes the states, and asks nobody of which class
        return tokenize(state, silent)

    return rule


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - markdown-it's names
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        left = not isWhiteSpace(ord(after)) and (not _is_other_punctuation(after) or _lets_begin(before))
        right = not isWhiteSpace(ord(before)) and (not _is_other_punctuation(before) or _lets_begin(after))
        return Scanned(
            left and (canSplitWord or not right or _is_punctuation(before)),
            right and (canSplitWord or not left or _is_punctuation(after)),
            end - start,
        )


def _lets_begin(neighbour: str) -> bool:
    """Tell whether emphasis with punctuation at its edge may have this neighbour outside."""
    return isWhiteSpace(ord(neighbour)) or _is_punctuation(neighbour) or _is_cjk(neighbour)


def _is_punctuation(character: str) -> bool:
    return bool(isMdAsciiPunct(ord(character)) or isPunctChar(character))


def _is_other_punctuation(character: str) -> bool:
    return _is_punctuation(character) and not _is_cjk(character)


def _is_cjk(character: str) -> bool:
    """Tell whether a character is of Chinese, Japanese or Korean text: wide ones are, but for pictographs."""
    wide = unicodedata.east_asian_width(character) in "FHW"
    return wide and not (0x1F000 <= ord(character) <= 0x1FAFF or 0x2300 <= ord(character) <= 0x2BFF)
