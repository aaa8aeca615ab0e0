"""Work of one kind side by side, in processes that import what it needs while this one still prepares it."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from reportgen.executors.pool import cores

Result = TypeVar("Result")

Beside = Callable[[Callable[..., Result], Sequence[tuple[Any, ...]]], list[Result]]
"""Takes work and the arguments of each piece; returns what the work makes of them, in their order."""


@contextmanager
def side_by_side(pieces: int, modules: Sequence[str] = ()) -> Iterator[Beside[Any]]:
    """Start processes for so many pieces of work, if there are cores for them, and let them import the modules."""
    count = min(pieces, cores())
    if count < 2:
        yield _one_after_the_other
        return
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as processes:
        for _ in range(count):
            processes.submit(_import_all, tuple(modules))
        try:
            yield lambda work, arguments: list(processes.map(work, *zip(*arguments, strict=True)))
        finally:
            processes.shutdown(cancel_futures=True)


def _one_after_the_other(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> list[Result]:
    return [work(*own) for own in arguments]


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)
