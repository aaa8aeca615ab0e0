"""Work of one kind side by side, in processes that have imported what it needs by the time that it is there."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from reportgen.executors.copies import REPORTS, copies
from reportgen.executors.pool import cores

Result = TypeVar("Result")

Beside = Callable[[Callable[..., Result], Sequence[tuple[Any, ...]]], list[Result]]
"""Takes work and the arguments of each piece; returns what the work makes of them, in their order."""


@contextmanager
def side_by_side(pieces: int) -> Iterator[Beside[Any]]:
    """Carry out so many pieces of work, as many at once as there are cores; without pieces nothing is started."""
    if not pieces:
        yield one_after_the_other
        return
    with ProcessPoolExecutor(min(pieces, cores()), copies(REPORTS)) as processes:
        try:
            yield lambda work, arguments: list(processes.map(work, *zip(*arguments, strict=True)))
        finally:
            processes.shutdown(cancel_futures=True)


def one_after_the_other(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> list[Result]:
    """Carry out the work in this process."""
    return [work(*own) for own in arguments]
