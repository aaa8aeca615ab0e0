"""When each claim was first seen, in a journal beside the records: before its runs were trained, or after."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reportgen.errors import ReportgenError
from reportgen.storage.records import Store
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.claims import Claim

if TYPE_CHECKING:
    from reportgen.analysis.results import Runs

FILE = "claims.json"
"""Beside the folder of records: the text of a claim to the time it was first seen, to the second, in UTC."""


def note(store: Store, claims: Iterable[Claim]) -> None:
    """Add the claims that the journal does not have yet; to be called before anything is trained."""
    known = _read(store)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    new = {claim.text: now for claim in claims if claim.text not in known}
    if new:
        content = json.dumps(known | new, ensure_ascii=False, indent=1).encode() + b"\n"
        UntrustedFolder(store.folder.parent).write(FILE, content)


def late(store: Store, claims: Sequence[Claim], results: "Runs") -> set[str]:
    """Return the texts of the claims that were first seen after the first run of theirs had been started.

    One that the journal does not have is among them, and one about an imported run, which was trained before.
    """
    known = _read(store)
    found = set()
    for claim in claims:
        variants = {item.variant for item in claim.measured}
        rows = results.runs[results.runs["variant"].isin(list(variants))]
        started = min((results.records[run].started for run in rows["run"]), default="")
        if variants & set(results.imported) or known.get(claim.text, "~") > started:
            found.add(claim.text)
    return found


def _read(store: Store) -> dict[str, str]:
    file = store.folder.with_name(FILE)
    try:
        known = json.loads(UntrustedFolder(store.folder.parent).read(FILE))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ReportgenError(f"{file}: {error}; expected the times at which claims were first seen") from None
    if not isinstance(known, dict) or not all(isinstance(time, str) for time in known.values()):
        raise ReportgenError(f"{file}: got {type(known).__name__}, expected a JSON object of texts and times")
    return known
