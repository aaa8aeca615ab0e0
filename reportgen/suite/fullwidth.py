"""Punctuation that a Chinese keyboard types where YAML has its own: found, so that a message can name it."""

import re

_BRACKET = "full-width bracket; write '[' and ']', or '{' and '}'"
_MARKS = (
    # before it a key of ours: at the beginning of a line or of what was found, or inside { }
    (re.compile(r"(?:^|[\s'{,，-])[A-Za-z_.]+\s*："), "full-width colon; write ':' and a space"),
    (re.compile(r"^(?:the unknown key )?'.*，|，\s*[A-Za-z_.]+\s*:\s"), "full-width comma; write ','"),
    (
        re.compile(r"(?:^'|[:：]\s*)[［｛]|^'[^［｛]*[］｝]'$"),
        "full-width bracket; write '[' and ']', or '{' and '}'",
    ),
    (re.compile(r"^'[“”‘’]"), "curly quotation marks; write '\"'"),
)


def hint_in(text: str) -> str:
    """Return what to write instead of the full-width punctuation in `text`; nothing if there is none."""
    return next((hint for mark, hint in _MARKS if mark.search(text)), "")
