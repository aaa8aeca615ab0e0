"""The checks that results are put to, by code, and what a suite says about them: docs/checks.md explains each."""

from typing import Literal, get_args

from pydantic import Field

from reportgen.suite.base import Settings
from reportgen.suite.text import Text

Code = Literal[
    "RG101", "RG102", "RG103", "RG104", "RG105",
    "RG201", "RG202", "RG203", "RG204",
    "RG301", "RG302", "RG303", "RG304", "RG305",
]  # fmt: skip
CODES: tuple[Code, ...] = get_args(Code)

WARNINGS: frozenset[Code] = frozenset({"RG101", "RG103", "RG105", "RG201", "RG301", "RG302", "RG303", "RG305"})
"""What may make a sentence of the report mislead; the other checks give notes, which are good to know."""


def severity(code: Code) -> Literal["warning", "note"]:
    """Return how much a check weighs."""
    return "warning" if code in WARNINGS else "note"


class Checks(Settings):
    """Which checks the suite silences; they change no run."""

    silence: dict[Code, Text] = Field(
        default_factory=dict,
        description="Code of a check to the reason for its silence, which the report prints.",
    )
