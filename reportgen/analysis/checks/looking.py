"""The results of any task, put to its checks."""

from typing import Any

from reportgen.analysis.checks import addition, classification, forecasting
from reportgen.analysis.checks.found import Checked
from reportgen.analysis.results import Runs

CHECKS = {
    "classification": classification.CHECKS,
    "forecasting": forecasting.CHECKS,
    "addition": addition.CHECKS,
}
"""By task, the checks in the order of their codes."""


def check(results: Runs, findings: Any) -> Checked:
    """Look for all that a reader should know before believing the numbers; `findings` are those of the task."""
    checks = CHECKS[results.task]
    found = [look(results, findings) for look in checks.values()]
    return Checked(tuple(checks), [item for item in found if item is not None])
