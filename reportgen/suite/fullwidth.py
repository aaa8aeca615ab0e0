"""Punctuation that a Chinese keyboard types where YAML has its own: found, so that a message can name it."""

import re

_BRACKET = "full-width bracket; write '[' and ']', or '{' and '}'"
_MARKS = (
    # before it a key of ours: at the beginning of a line or of what was found, or inside { }
    (re.compile(r"(?:^|[\s'{,，-])[A-Za-z_.]+\s*："), "full-width colon; write ':' and a space"),
    (re.compile(r"^(?:the unknown key )?'.*，|，\s*[A-Za-z_.]+\s*:\s"), "full-width comma; write ','"),
    (re.compile(r"(?:^'|[:：]\s*)[［｛]|^'.*[］｝]'$"), _BRACKET),
    (re.compile(r"^'[“”‘’]"), "curly quotation marks; write '\"'"),
)


def hint_in(text: str) -> str:
    """Say what to write instead of full-width punctuation in `text`: a line, or what a message found."""
    return next((hint for mark, hint in _MARKS if mark.search(text)), "")
