"""A quick build: the suite with every run cut to seconds."""

from typing import Any

from reportgen.suite.expansion import task_of_suite
from reportgen.suite.schema import Suite

QUICK: dict[str, dict[str, dict[str, int]]] = {
    "classification": {"data": {"limit": 1500}, "training": {"epochs": 2}},
    "forecasting": {
        "data": {"sequences": 12, "length": 200, "limit": 50, "window": 200, "test": 2, "validation": 2},
        "training": {"steps": 5, "log_every": 1},
    },
    "addition": {
        "data": {"test_numbers": 20},
        "training": {"steps": 60, "batch_size": 20, "log_every": 20},
    },
}
"""The largest values of a quick build, by task."""


def shortened(suite: Suite) -> Suite:
    """Return the suite with every run cut to seconds: few examples, few epochs or steps, one seed or two."""
    caps = QUICK[task_of_suite(suite).name]
    data = {
        name: min(caps["data"][name] if value is None else value, caps["data"][name])
        for name, value in suite.data
        if name in caps["data"]
    }
    runs = tuple(
        run.model_copy(update={name: _capped(getattr(run, name), caps[name]) for name in ("data", "training")})
        for run in suite.runs
    )
    return suite.model_copy(
        update={
            "data": suite.data.model_copy(update=data),
            "training": _capped({**caps["training"], **suite.training}, caps["training"]),
            "runs": runs,
            "sweeps": tuple(sweep.model_copy(update={"grid": _cut(sweep.grid, caps)}) for sweep in suite.sweeps),
            "seeds": suite.seeds[:2],
        }
    )


def _capped(given: dict[str, Any], caps: dict[str, int]) -> dict[str, Any]:
    return {
        name: min(caps[name] if value is None else value, caps[name]) if name in caps else value
        for name, value in given.items()
    }


def _cut(grid: dict[str, tuple[Any, ...]], caps: dict[str, dict[str, int]]) -> dict[str, tuple[Any, ...]]:
    """Return the grid with nothing in it that takes long; values that become the same are there once."""
    most = {f"{part}.{name}": cap for part, own in caps.items() for name, cap in own.items()}
    return {
        name: tuple(dict.fromkeys(min(most[name] if value is None else value, most[name]) for value in values))
        if name in most
        else values
        for name, values in grid.items()
    }
