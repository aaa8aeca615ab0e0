"""Two texts held against each other, and what differs said in a line."""

from collections.abc import Iterator
from difflib import SequenceMatcher

_AROUND = 24
"""Characters of a line that are shown on either side of what differs."""


def differing(got: str, expected: str) -> Iterator[tuple[int, str, str]]:
    """Yield number (from 1, in `got`), and what is in `got` and in `expected`, of each line that differs."""
    old, new = expected.splitlines(), got.splitlines()
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for i in range(max(b - a, d - c)):
            was, now = "".join(old[a:b][i : i + 1]), "".join(new[c:d][i : i + 1])
            yield c + i + 1, *_narrowed(now, was)


def _narrowed(one: str, other: str) -> tuple[str, str]:
    """Cut two lines down to the words around what differs."""
    limit = min(len(one), len(other))
    head = next((i for i in range(limit) if one[i] != other[i]), limit)
    tail = next((i for i in range(limit - head) if one[-1 - i] != other[-1 - i]), limit - head)
    start = one.rfind(" ", 0, max(0, head - _AROUND)) + 1

    def cut(line: str) -> str:
        end = line.find(" ", min(len(line), len(line) - tail + _AROUND))
        return ("…" if start else "") + line[start : end if end >= 0 else None].strip()[:160]

    return cut(one), cut(other)
