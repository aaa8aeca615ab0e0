"""Why a run has to be trained: what changed since the record that it takes the place of."""

import json
from collections.abc import Mapping
from typing import Any

_MOST_CHANGES = 5
"""Two runs that differ in more are not the same run before and after a change."""

Parts = Mapping[str, Any]


def reasons(new: Mapping[str, Parts], unused: Mapping[str, Parts]) -> dict[str, str]:
    """Return for each run, by its key, why it has to be trained.

    A run takes the place of the record that it has the most parts of its key in common with, among those of its
    seed that no run of the suite uses any more; each record has one successor. A run without one is new.

    Args:
        new: the parts of the keys of the runs to be trained, by key.
        unused: those of the records that the suite does not use.
    """
    plain = {key: _plain(parts) for key, parts in {**new, **unused}.items()}
    pairs = sorted(
        (changes, key, old)
        for key, parts in new.items()
        for old, known in unused.items()
        if parts["seed"] == known.get("seed")
        and (changes := len({name for name, _ in plain[key] ^ plain[old]})) <= _MOST_CHANGES
    )
    successors: dict[str, str] = {}
    for _, key, old in pairs:
        if key not in successors and old not in successors.values():
            successors[key] = old
    return {
        key: f"because {_told(unused[successors[key]], parts)}" if key in successors else "new"
        for key, parts in new.items()
    }


def _plain(parts: Parts) -> set[tuple[str, str]]:
    return {(name, json.dumps(value, sort_keys=True)) for name, value in parts.items()}


def _told(old: Parts, new: Parts) -> str:
    """Say what changed, `training.epochs changed from 12 to 14`, one part after the other."""
    return ", ".join(
        f"{name} changed from {_short(old.get(name))} to {_short(new.get(name))}"
        for name in sorted(old.keys() | new.keys())
        if _plain({name: old.get(name)}) != _plain({name: new.get(name)})
    )


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:8]}…"
