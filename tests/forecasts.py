"""Made-up records and results of a forecasting suite."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reportgen.lab.record import Record
from reportgen.suite.expansion import Run, runs_of
from reportgen.suite.schema import Suite, suite_of
from reportgen.tasks.forecasting.results import Forecasts, collect
from reportgen.tasks.registry import TASKS

TRUTH = np.sin(np.arange(8.0))[None]


Errors = Mapping[str, tuple[float, ...]]
"""Variant to the error of each seed's forecast at every point; NaN for a seed that diverged."""


ALIKE = {"adam": (0.1, 0.1, 0.1), "lbfgs": (0.01, 0.01, 0.01)}


def suite(names: Mapping[str, Any] = ALIKE) -> Suite:
    """Return a suite of runs of these names; one whose name begins with lbfgs has that optimizer."""
    runs = [
        {
            "name": name,
            "label": name.upper(),
            "training": {"optimizer": "lbfgs" if name.startswith("lbfgs") else "adam"},
        }
        for name in names
        if "/" not in name
    ]
    sizes = [int(name.partition("=")[2]) for name in names if "/" in name]
    sweeps = [{"base": "adam", "grid": {"model.hidden_size": sizes}}] if sizes else []
    seeds = list(range(len(next(iter(names.values())))))
    data = {"source": "sine", "sequences": 6, "length": 8, "time_scale": 2, "validation": 1, "test": 1}
    declared = {"title": "Sines", "data": data, "model": {"cell": "rnn"}, "seeds": seeds, "runs": runs}
    declared["sweeps"] = sweeps
    return suite_of(TASKS[1]).model_validate(declared)


def record(run: Run, error: float) -> Record:
    """Return a record of forecasts that are off by `error`, and by twice as much in the second half.

    The training losses of Adam are 1, 1/2, 1/4, …, 1/16 after a second each, those of L-BFGS 1, 1/16 and 1/64.
    """
    gaps = {"half": error * np.array([1, 1, 2, 2]), "one": error * np.array([1, 1, 1, 2, 2, 2, 2])}
    losses = 0.5 ** np.array([0, 4, 6] if run.variant.name.startswith("lbfgs") else [0, 1, 2, 3, 4])
    arrays = {"truth": TRUTH, "evaluation_loss": losses, "evaluation_seconds": np.arange(1.0, len(losses) + 1)}
    for given, gap in gaps.items():
        arrays |= {f"error_from_{given}": gap, f"forecast_from_{given}": TRUTH[:, 8 - len(gap) :] + gap}
    finished = bool(np.isfinite(error))
    mse = {f"forecast_from_{given}": float(np.square(gap).mean()) for given, gap in gaps.items()}
    measures = {
        "kept_step": 2,
        "evaluations": len(losses),
        "seconds": float(len(losses)),
        "train_loss": losses[-1],
    }
    counts = {"train": 4, "validation": 1, "test": 1}
    data = {"source": "sine", "origin": [], "digest": "d", "counts": counts, "length": 8, "given": 4}
    data |= {"center": 0.0, "spread": 1.0, "points": 48, "repeated": 1}
    row = {"step": 1.0, "evaluations": 3.0, "seconds": 1.0, "train_loss": 0.25, "validation_loss": 0.5}
    return Record(
        key="0123456789abcdef", parts={}, settings={}, seed=run.seed,
        status="finished" if finished else "diverged",
        error="" if finished else "the loss is not finite in step 3",
        model={"parameters": 21, "printout": "Forecaster()", "summary": "21"}, data=data,
        environment={"cpu": "a CPU", "gpu": "", **dict.fromkeys(("cores", "memory_gib", "threads"), 1),
                     **dict.fromkeys(("system", "python", "torch", "cuda", "cudnn"), "1.0")},
        started="", seconds=5.0, task="forecasting", steps=[row],
        measures={**measures, **mse, "test_loss": 0.5} if finished else {}, arrays=arrays if finished else {},
    )  # fmt: skip


def results(by_seed: Errors = ALIKE) -> Forecasts:
    """Return the results of a suite with these errors."""
    runs = runs_of(suite(by_seed), "cpu")
    return collect([(run, record(run, by_seed[run.variant.name][run.seed])) for run in runs])
