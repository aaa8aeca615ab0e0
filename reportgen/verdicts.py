"""What the runs said of the suite's claims, for the terminal and for --strict."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportgen.suite.schema import Suite


def told_in(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the claims with their verdicts, and a line for each check, from the numbers beside the reports.

    A build with nothing to do has judged nothing anew, and its numbers are as they were written.
    """
    told = json.loads((folder / "results.json").read_text("utf-8"))
    return told["claims"], told["checks"]["lines"]


def unsupported(claims: Sequence[dict[str, Any]]) -> list[str]:
    """Return the claims that the runs do not support: contradicted, or not shown."""
    return [str(claim["claim"]) for claim in claims if claim["verdict"] != "supported"]


def line(claim: dict[str, Any]) -> str:
    """Return a line on a claim: verdict, claim, and the p value that decided."""
    known = claim["holm"]
    p = "" if known is None else "  (p < 0.001)" if known < 0.0005 else f"  (p = {known:.3f})"
    return f"{claim['verdict'].replace('_', ' '):<12} {claim['claim']}{p}"


def unprinted(suite: Suite) -> list[str]:
    """Return a note where claims are judged but stand in no section."""
    if suite.claims and "claims" not in suite.sections:
        return ["claims: judged, and not printed, since sections: does not name claims"]
    return []
