"""Several hand-ins held against each other: a record is made once, at one time, so it belongs to one of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.planning import plan
from reportgen.provenance.answers import Check, Question, differs, proven
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store

_TIMED = ("epochs.csv", "steps.csv")


@dataclass(frozen=True)
class HandIn:
    """A report, or a folder of them, with its records."""

    place: Path
    manifest: Manifest
    store: Store
    owner: Path
    """What reports of one author have in common: the records beside them; else the report itself."""


def shared(hand_ins: Sequence[HandIn]) -> Iterator[Check]:
    """Say which records are in more than one hand-in.

    The time at which a run began, and the seconds of each of its epochs, are measured: two runs never share them,
    be they of one suite and of one seed. Reports beside one store are one author's, and may share records.
    """
    owners: defaultdict[tuple[str, str], dict[Path, tuple[Path, str]]] = defaultdict(dict)
    for hand_in in hand_ins:
        for run, files in _times_of(hand_in):
            for name, digest in files.items():
                owners[name, digest].setdefault(hand_in.owner, (hand_in.place, run))
    told: dict[tuple[Path, str, Path, str], list[str]] = {}
    for (name, _), places in owners.items():
        (first, run), *others = places.values()
        for other, its_run in others:
            told.setdefault((other, its_run, first, run), []).append(name)
    for (other, its_run, first, run), names in told.items():
        same = " and ".join(names)
        yield differs(Question.HAND_INS, f"{other}: the record of {its_run} is that of {run} in {first}: {same}")
    if not told:
        yield proven(Question.HAND_INS, f"no record is in two of {len(hand_ins)} hand-ins")


def _times_of(hand_in: HandIn) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each run with the digests of those of its files that hold what was measured once."""
    for run, entry in hand_in.manifest.records.items():
        record = plan.read(hand_in.store, entry.key)
        names = {"record.json"}
        if record is not None and "import.digest" not in record.parts:  # a log may be anybody's
            names |= {name for name, rows in zip(_TIMED, (record.epochs, record.steps), strict=True) if rows}
        yield run, {name: entry.files[name] for name in sorted(names) if name in entry.files}
