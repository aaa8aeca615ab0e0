"""Results of two networks, and the report about them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from conftest import made_up_facts
from numpy.typing import NDArray

from reportgen.i18n.languages import Language, load_languages
from reportgen.lab.record import Record
from reportgen.report.markdown import write
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite
from reportgen.tasks.classification.context import build_context
from reportgen.tasks.classification.figures import deferred_figures
from reportgen.tasks.classification.findings import analyse
from reportgen.tasks.classification.results import Results, collect

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
CLASSES = ["Chinese", "Greek", "Irish"]
SECTIONS = ("why_rnn_forgets", "lstm_gates", "sequence_settings", "matrix_difference")
HALVING = [8.0, 4.0, 2.0, 1.0]
FALLING = [8.0, 4.0, 2.0, 0.8]
GROWING = [2.0, 2.0, 4.0, 8.0]
SIZES = [{"base": "lstm", "grid": {"model.hidden_size": [16, 32]}}]


def record(
    seed: int,
    norms: Sequence[float] = HALVING,
    counts: Sequence[int] = (8, 8, 8, 8),
    gates: NDArray[np.float64] | None = None,
    predicted: Sequence[int] = (0, 1, 2, 0, 1, 2),
    validation: float = 0.5,
) -> Record:
    """Return a finished record of six test names, two of each language, with these probes."""
    row = {"train_loss": 1.0, "train_accuracy": 0.5, "heldout_loss": 1.0, "seconds": 1.0}
    target = np.tile(np.arange(3), 2)
    return Record(
        key="k", parts={}, settings={}, seed=seed, status="finished", error="",
        model={"parameters": 1, "printout": "p", "summary": "s"},
        data=made_up_facts(CLASSES), environment={}, started="",
        seconds=1.0, heldout="validation", kept_epoch=2,
        epochs=[{"epoch": 1.0, "heldout_accuracy": 0.9, **row},
                {"epoch": 2.0, "heldout_accuracy": validation, **row}],
        predictions={"target": target, "predicted": np.array(predicted), "loss": np.ones(6)},
        arrays={"gradient_norm": np.array(norms), "gradient_count": np.array(counts)}
        | ({} if gates is None else {"gates": gates}),
        measures={} if gates is None else {"gate_tokens": list("li w")},
    )  # fmt: skip


def suite(cells: Mapping[str, str], sweeps: Sequence[Mapping[str, Any]] = (), **more: Any) -> Suite:
    """Return a suite with a run for each cell."""
    runs = [{"name": name, "label": name.upper(), "model": {"cell": cell}} for name, cell in cells.items()]
    declared = {"title": "t", "data": {"source": "surnames"}, "seeds": [0, 1], "runs": runs, "sweeps": sweeps}
    return Suite.model_validate({**declared, **more})


def gathered(of: Suite, **probes: Sequence[dict[str, Any]]) -> Results:
    """Return the results of a suite: for a variant a record a seed with these probes, or those of `record`."""
    return collect(
        [
            (
                run,
                record(run.seed, **probes.get(run.variant.name.replace("/hidden_size=", "_"), ({}, {}))[run.seed]),
            )
            for run in runs_of(of, "cpu")
        ]
    )


TWO = suite({"rnn": "rnn", "lstm": "lstm"})


def report(of: Suite, results: Results, language: Language = EN, sections: Sequence[str] = SECTIONS) -> str:
    """Write the report of these sections alone, on one line a paragraph."""
    asked = of.model_copy(update={"sections": tuple(sections)})
    findings = analyse(results)
    figures = dict.fromkeys(deferred_figures(results, findings, language, sections).figures, "x.svg")
    return write(build_context(asked, results, findings, figures, language, quick=False), language, [TEMPLATES])
