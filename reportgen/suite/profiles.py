"""A suite at another size: its profiles, and the quick build that cuts every run to seconds."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.expansion import task_of_suite
from reportgen.suite.messages import nearest
from reportgen.suite.schema import Suite

_MERGED = ("model", "training", "cover", "reference")


def profile_names(value: Any) -> list[str]:
    """Return the names of the profiles in a suite, sound or not."""
    profiles = value.get("profiles") if isinstance(value, dict) else None
    return (
        [name for name, part in profiles.items() if isinstance(part, dict)] if isinstance(profiles, dict) else []
    )


def with_profile(document: Document, name: str) -> Document:
    """Return the suite with the profile `name` laid over it; every line stays that of the value that counts.

    `model`, `training`, `cover`, `reference`, and `data` without a `source`, are merged key by key; so is each of
    `runs`, which are named. Anything else takes the place of the suite's own.
    """
    overlay = document.value["profiles"][name]
    laid = Document(document.file, deepcopy(document.value), dict(document.lines))
    del laid.value["profiles"]
    for key, part in overlay.items():
        source: Path_ = ("profiles", name, key)
        if key == "runs" and isinstance(part, dict):
            _lay_runs(laid, document, source, part)
        else:
            merged = key in _MERGED or (key == "data" and isinstance(part, dict) and "source" not in part)
            _lay(laid, document, (key,), source, part, merged=merged)
    return laid


def _lay_runs(laid: Document, document: Document, source: Path_, parts: dict[str, Any]) -> None:
    runs = laid.value.get("runs")
    names = [run.get("name") for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
    for name, part in parts.items():
        here = (*source, name)
        if name not in names:
            expected = f"the name of a run: {', '.join(map(str, names))}"
            hint = nearest(name, [str(known) for known in names])
            laid.problems.append(document.problem(here, shown(name), expected, hint))
        elif isinstance(part, dict):
            target = ("runs", names.index(name))
            for key, value in part.items():
                merged = key in (*_MERGED, "data")
                _lay(laid, document, (*target, key), (*here, key), value, merged=merged)


def _lay(laid: Document, document: Document, target: Path_, source: Path_, part: Any, *, merged: bool) -> None:
    """Put `part`, which stands at `source`, at `target`; `merged` key by key into a mapping that is there."""
    *parents, last = target
    node = laid.value
    for parent in parents:
        node = node[parent]
    if merged and isinstance(part, dict) and isinstance(node.get(last), dict):
        for key, value in part.items():
            _lay(laid, document, (*target, key), (*source, key), value, merged=key == "split")
        return
    node[last] = deepcopy(part)
    laid.lines = {path: line for path, line in laid.lines.items() if path[: len(target)] != target}
    for path, line in document.lines.items():
        if path[: len(source)] == source:
            laid.lines[(*target, *path[len(source) :])] = line


def shortened(suite: Suite) -> Suite:
    """Return the suite with every run cut to seconds: few examples, few epochs or steps, one seed or two."""
    caps = task_of_suite(suite).quick
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


def _capped(given: dict[str, Any], caps: Mapping[str, int]) -> dict[str, Any]:
    return {
        name: min(caps[name] if value is None else value, caps[name]) if name in caps else value
        for name, value in given.items()
    }


def _cut(grid: dict[str, tuple[Any, ...]], caps: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[Any, ...]]:
    """Return the grid with nothing in it that takes long; values that become the same are there once."""
    most = {f"{part}.{name}": cap for part, own in caps.items() for name, cap in own.items()}
    return {
        name: tuple(dict.fromkeys(min(most[name] if value is None else value, most[name]) for value in values))
        if name in most
        else values
        for name, values in grid.items()
    }
