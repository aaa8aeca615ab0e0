"""Made-up records and results of an addition suite."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reportgen.i18n.languages import load_languages
from reportgen.lab.record import Record
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import Run, runs_of
from reportgen.suite.schema import Suite, suite_of
from reportgen.tasks.addition.results import Additions, collect
from reportgen.tasks.registry import TASKS

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


LAYERS = [{"base": "rnn", "grid": {"model.layers": [1, 4]}}]


First = Mapping[str, Sequence[float]]
"""Variant to the step from which each seed has all sums right; NaN for never."""


STEPS = (50, 100, 150, 200)


DIGITS = ({"name": "rnn", "label": "RNN"},)


def suite(
    sweeps: Sequence[Mapping[str, Any]] = LAYERS, runs: Sequence[Mapping[str, Any]] = DIGITS, seeds: int = 2
) -> Suite:
    """Return a suite of these runs and sweeps."""
    declared = {"title": "Sums", "data": {"source": "addition", "digits": 5}, "model": {"cell": "rnn"}}
    own = {"seeds": list(range(seeds)), "runs": runs, "sweeps": sweeps}
    return suite_of(TASKS[2]).model_validate({**declared, **own})


def record(run: Run, first: float, at: Mapping[int, tuple[float, float]], key: str) -> Record:
    """Return a record whose sums are all right from step `first`, and at other lengths as `at` says.

    The loss is 1 before that step and 0.01 from there; before it half of the sums are right, and nine digits in
    ten.
    """
    log = [
        {
            "step": step,
            "seconds": step / 100,
            "train_loss": 1.0,
            "test_loss": 0.01 if step >= first else 1.0,
            "digit_accuracy": 1.0 if step >= first else 0.9,
            "exact_accuracy": 1.0 if step >= first else 0.5,
        }
        for step in STEPS
    ]
    reached = None if np.isnan(first) else first
    last = {name: log[-1][name] for name in ("seconds", "test_loss", "digit_accuracy", "exact_accuracy")}
    others = [
        {"digits": digits, "loss": 0.1, "exact_accuracy": exact, "digit_accuracy": digit}
        for digits, (exact, digit) in at.items()
    ]
    measures = {"steps": 200, **last, "first_step": reached, "steady_step": reached, "lengths": others}
    examples = [{"first": "12", "second": "39", "sum": "51", "told": "41"}]
    return Record(
        key=key, parts={}, settings={}, seed=run.seed, status="finished", error="",
        model={"parameters": 21, "printout": "Adder()", "summary": "21"},
        data={"source": "addition", "digest": str(run.variant.settings.data), "digits": 5},
        environment={"cpu": "a CPU", "gpu": "", **dict.fromkeys(("cores", "memory_gib", "threads"), 1),
                     **dict.fromkeys(("system", "python", "torch", "cuda", "cudnn"), "1.0")},
        started="", seconds=3.0, task="addition", steps=log, measures={**measures, "examples": examples},
    )  # fmt: skip


def results(
    first: First, at: Mapping[str, Mapping[int, tuple[float, float]]] | None = None, declared: Suite | None = None
) -> Additions:
    """Return the results of a suite with these first steps; 100 in both seeds where none is given."""
    return collect(
        [
            (run, record(run, first.get(name, (100, 100))[run.seed], (at or {}).get(name, {}), run.name))
            for run in runs_of(declared or suite(), "cpu")
            for name in [run.variant.name]
        ]
    )
