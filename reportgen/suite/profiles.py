"""A profile laid over its suite: the same experiment at another size, or on other data."""

from copy import deepcopy
from typing import Any

from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.messages import nearest

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
