"""A parallel map over processes that have imported what a report needs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from reportgen.executors import forkserver
from reportgen.executors.pool import cores

Result = TypeVar("Result")

ParallelMap = Callable[[Callable[..., Result], Sequence[tuple[Any, ...]]], list[Result]]
"""Takes a function and the arguments of each call; returns the results in that order."""


@contextmanager
def parallel_map(calls: int) -> Iterator[ParallelMap[Any]]:
    """Yield a map over so many processes, at most one per core; without calls nothing is started."""
    if not calls:
        yield serial_map
        return
    with ProcessPoolExecutor(min(calls, cores()), forkserver.context(forkserver.REPORTS)) as processes:
        try:
            yield lambda function, arguments: list(processes.map(function, *zip(*arguments, strict=True)))
        finally:
            processes.shutdown(cancel_futures=True)


def serial_map(function: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> list[Result]:
    """Make the calls in this process, one after the other."""
    return [function(*given) for given in arguments]
