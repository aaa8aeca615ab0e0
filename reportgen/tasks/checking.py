"""The results of any task, put to its checks."""

from typing import Any

from reportgen.analysis.checks import Checked
from reportgen.analysis.results import Runs
from reportgen.tasks.addition import checks as addition_checks
from reportgen.tasks.classification import checks as classification_checks
from reportgen.tasks.forecasting import checks as forecasting_checks

CHECKS = {
    "classification": classification_checks.CHECKS,
    "forecasting": forecasting_checks.CHECKS,
    "addition": addition_checks.CHECKS,
}
"""By task, the checks in the order of their codes."""


def check(results: Runs, findings: Any) -> Checked:
    """Look for all that a reader should know before believing the numbers; `findings` are those of the task."""
    checks = CHECKS[results.task]
    found = [look(results, findings) for look in checks.values()]
    return Checked(tuple(checks), [item for item in found if item is not None])
