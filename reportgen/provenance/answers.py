"""What `verify` asks, and what it answers: proven, differs, or undecided."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The answer to a question. There is no fourth: what could not be looked at is undecided."""

    PROVEN = "proven"
    DIFFERS = "DIFFERS"
    UNDECIDED = "undecided"


class Question(Enum):
    """What is asked of a report."""

    MANIFEST = "manifest"
    """Is it the file that was written, with the manifest that was written?"""
    VERSIONS = "versions"
    """Was it made with what is here, and is that said truly?"""
    RECORDS = "records"
    """Are the records those that it was made from?"""
    CONSISTENCY = "consistency"
    """Do the records agree with themselves and with each other?"""
    SUITE = "suite"
    """Is the suite that it was made from at hand?"""
    FILES = "own files"
    """Are the author's own files those that took part, and is nothing printed that only they say?"""
    IMPORTS = "imports"
    """Do the logs that were imported give the records of today?"""
    REWRITTEN = "rewritten"
    """Do the records give its numbers, words and figures?"""
    PAGES = "pages"
    """Do the pages of the PDF look as they do when they are set anew?"""
    HTML = "html"
    """Does the HTML show what its text says?"""
    RERUN = "rerun"
    """Does training give the records?"""
    HAND_INS = "hand-ins"
    """Is no record in two hand-ins?"""


@dataclass(frozen=True)
class Check:
    """A part of a question, and its answer."""

    question: Question
    outcome: Outcome
    words: str


def proven(question: Question, words: str) -> Check:
    """Return the check of something that is as it should be."""
    return Check(question, Outcome.PROVEN, words)


def differs(question: Question, words: str) -> Check:
    """Return the check of something that is not as it should be."""
    return Check(question, Outcome.DIFFERS, words)


def undecided(question: Question, words: str) -> Check:
    """Return the check of something that could not be decided."""
    return Check(question, Outcome.UNDECIDED, words)


EXIT_STATUS = {Outcome.PROVEN: 0, Outcome.DIFFERS: 1, Outcome.UNDECIDED: 4}
"""Exit status of a command; 2 and 3 are taken by wrong input and by claims that are not supported."""


def worst(checks: Iterable[Check]) -> Outcome:
    """Return what all checks together come to: one that differs outweighs one that is undecided."""
    outcomes = {check.outcome for check in checks}
    return next(
        o for o in (Outcome.DIFFERS, Outcome.UNDECIDED, Outcome.PROVEN) if o in outcomes or o is Outcome.PROVEN
    )


def summary(checks: Iterable[Check]) -> str:
    """Return the last line for a person: what all checks come to, and the questions that are not proven."""
    checks = list(checks)
    asked = [question for question in Question if any(check.question is question for check in checks)]
    results = {question: worst(check for check in checks if check.question is question) for question in asked}
    parts = []
    for outcome in (Outcome.DIFFERS, Outcome.UNDECIDED, Outcome.PROVEN):
        if named := [question.value for question in asked if results[question] is outcome]:
            parts.append(f"{outcome.value.lower()}: {', '.join(named)}")
    return "; ".join(parts)
