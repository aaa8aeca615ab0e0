"""What can be wrong with the settings that runs and sweeps vary, before they are multiplied out."""

from collections.abc import Iterator
from typing import Any

from reportgen.errors import Problem
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.messages import nearest, repetitions
from reportgen.suite.schema import RunDeclaration, SweepDeclaration


def data_problems(data: dict[str, Any], path: Path_, known: list[str], document: Document) -> Iterator[Problem]:
    """Yield the data settings of a run that are none of `known`, which a run may change."""
    names = [name.removeprefix("data.") for name in known if name.startswith("data.") and name.count(".") == 1]
    for name in data:
        if name not in names:
            got, expected = f"the unknown setting {shown(name)}", f"one of {', '.join(names)}"
            yield document.problem((*path, name), got, expected, nearest(name, names))


def sweep_problems(
    sweep: SweepDeclaration,
    path: Path_,
    bases: dict[str, RunDeclaration],
    known: list[str],
    document: Document,
) -> list[Problem]:
    """Return what is wrong with the base, the settings and the values of a sweep."""
    problems = []
    if sweep.base not in bases:
        names = list(bases)
        expected = f"the name of a run that is trained: {', '.join(names)}"
        problems.append(document.problem((*path, "base"), shown(sweep.base), expected, nearest(sweep.base, names)))
    for setting, values in sweep.grid.items():
        where = (*path, "grid", setting)
        if setting not in known:
            got, expected = f"the unknown setting {shown(setting)}", f"one of {', '.join(known)}"
            problems.append(document.problem(where, got, expected, nearest(setting, known)))
        if not values:
            problems.append(document.problem(where, "an empty list", "at least one value to sweep over"))
        problems += [
            document.problem((*where, place), f"{shown(value)} a second time", "each value once")
            for place, value in repetitions(values)
        ]
    return problems
