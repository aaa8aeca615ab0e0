"""What the fuzzing tests share: how bytes are damaged, how often, and how long a reader may take.

REPORTGEN_FUZZ sets the number of examples of each test, and has the slowest example held to two seconds:
`REPORTGEN_FUZZ=5000 pytest tests/test_suite_fuzz.py tests/test_reader_fuzz.py -s`.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("REPORTGEN_FUZZ", "0"))
SECONDS = 2.0
"""Of a processor's time, so that a busy machine is no fault of the reader's."""

slowest: dict[str, tuple[float, int, int]] = {}
"""By reader: the longest that an example took, how many there were, and how many of them were read."""


def fuzzed(few: int) -> settings:
    """Return how often a test is tried: as REPORTGEN_FUZZ says, or so few times."""
    return settings(
        max_examples=EXAMPLES or few,
        deadline=None,  # a busy machine is no fault of the reader
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


@contextmanager
def timed(reader: str) -> Iterator[list[bool]]:
    """Measure an example; the caller appends to the list whether it was read."""
    began, was_read = time.process_time(), list[bool]()
    yield was_read
    took = time.process_time() - began
    longest, examples, read = slowest.get(reader, (0.0, 0, 0))
    slowest[reader] = (max(longest, took), examples + 1, read + sum(was_read))
    if EXAMPLES:
        assert took < SECONDS, f"{reader} took {took:.1f} seconds"


def told() -> str:
    """Return a line a reader: what came of its examples."""
    lines = (
        f"{reader}: {examples:,} examples, {read:,} read, {examples - read:,} refused, longest {took:.2f} s"
        for reader, (took, examples, read) in slowest.items()
    )
    return "\n".join(lines)


Mutation = Callable[[bytes], bytes]

lengths = st.integers(1, 60)
snippets = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(list("\t\r\n\0:-?[]{},#&*!|>'\"%@`~\\.0<")).map(str.encode),
    st.sampled_from(["&a ", "*a", "!!int ", "!t ", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "? "]).map(str.encode),
    st.sampled_from(["\\x07", "\\ud800", "\\U0011ffff", "\u2028", "\ufeff", "\x85", "\u202e"]).map(str.encode),
    st.sampled_from(["1e999", ".nan", "-1", "0x", "null", "9" * 5000, "[" * 60, "\n" + " " * 80]).map(str.encode),
    st.sampled_from(
        ["{{", "}}", "{%", "%}", "{{ x", "url(", "@import '", "/*", "(" * 300, "../", "/etc/passwd"]
    ).map(str.encode),
)


def inserted(at: int, what: bytes) -> Mutation:
    """Put bytes in."""
    return lambda raw: raw[:at] + what + raw[at:]


def deleted(at: int, length: int) -> Mutation:
    """Take bytes out."""
    return lambda raw: raw[:at] + raw[at + length :]


def flipped(at: int, bit: int) -> Mutation:
    """Turn one bit over."""
    return lambda raw: raw[:at] + bytes(byte ^ (1 << bit) for byte in raw[at : at + 1]) + raw[at + 1 :]


def duplicated(at: int, length: int, to: int) -> Mutation:
    """Put a copy of some bytes elsewhere."""
    return lambda raw: raw[:to] + raw[at : at + length] + raw[to:]


def damaged(files: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return what draws one of the files with some of its bytes put in, taken out, flipped or doubled."""

    def of(raw: bytes) -> st.SearchStrategy[bytes]:
        places = st.integers(0, len(raw))
        mutations = st.lists(
            st.one_of(
                st.builds(inserted, places, snippets),
                st.builds(deleted, places, lengths),
                st.builds(flipped, places, st.integers(0, 7)),
                st.builds(duplicated, places, lengths, places),
            ),
            min_size=1,
            max_size=5,
        )

        def applied(chosen: list[Mutation]) -> bytes:
            found = raw
            for mutation in chosen:
                found = mutation(found)
            return found

        return mutations.map(applied)

    return st.sampled_from(files).flatmap(of)
