"""Made-up contexts for templates."""

from typing import Any

import pandas as pd

from reportgen.i18n.languages import load_languages
from reportgen.report.checks import Section
from reportgen.report.context import COVER
from reportgen.resources import TEMPLATES
from reportgen.suite.schema import SECTIONS
from reportgen.tasks.classification.context import Context
from reportgen.tasks.classification.findings import Findings

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


NOTHING = Findings(
    comparison=pd.DataFrame(),
    curves=pd.DataFrame(),
    differences=[],
    tunings=[],
    published=[],
    overfitting=[],
    confusions={},
    per_class={},
    cost=None,
    leader=None,
    baselines={},
)


def context(**changes: Any) -> Context:
    """Return what the templates may use, for a suite of which no run finished."""
    values: dict[str, Any] = {
        "title": "Two networks",
        "look": "plain",
        "cover_fields": dict.fromkeys(COVER, ""),
        "cover": [],
        "aim": None,
        "closing": None,
        "quick": False,
        "seeds": [0, 1, 2],
        "labels": {"rnn": "RNN", "lstm": "LSTM"},
        "environments": [],
        "datasets": [],
        "models": [],
        "cells": [],
        "common_settings": [],
        "differing_settings": [],
        "settings": {},
        "heldout": "validation",
        "heldout_of": {},
        "sweeps": {},
        "word_vectors": [],
        "mistakes": [],
        "mistakes_seed": 0,
        "layers": {},
        "sections": SECTIONS,
        "seconds_digits": 2,
        "more_confusion_figures": [],
        "losses": ["cross_entropy"],
        "uses_adam": False,
        "keep": "best",
        "comparison": [],
        "runs": [],
        "unfinished": [],
        "findings": NOTHING,
        "figures": {},
        "checks": Section(looked_for=0, told=[], silenced=[], absent=[]),
        "confusion_figures": [],
        "tunings": [],
        "logs": [],
        "rows": {},
    }
    return Context(**{**values, **changes})


AIM = "sections/aim.md.j2"
