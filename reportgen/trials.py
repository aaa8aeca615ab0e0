"""Classes of the user's own, tried before a build trains anything: a fault is told with the suite's line."""

import json
from collections.abc import Iterable
from pathlib import Path

from reportgen.errors import Problem, ReportgenError, SuiteError
from reportgen.executors.trying import try_layers
from reportgen.lab.device import has_cuda
from reportgen.suite.classifier import ModelSettings, file_of_model, is_own
from reportgen.suite.document import Document, Path_, read_document
from reportgen.suite.expansion import Run
from reportgen.suite.profiles import with_profile

SYMBOLS = 7
"""Size of the vocabulary that stands in for the suite's where symbols enter one-hot."""


def try_own(file: Path, profile: str | None, runs: Iterable[Run]) -> None:
    """Try the classes of the user's own that the runs name; SuiteError tells what is wrong with which.

    Args:
        file: the suite.
        profile: the one that is laid over it.
        runs: those that are to be trained.
    """
    tried: dict[str, tuple[str, str, dict[str, object]]] = {}
    for run in runs:
        model, wanted = run.variant.settings.model, run.variant.settings.device
        device = wanted if has_cuda() else "cpu"  # `check` may look at a suite for another machine
        if isinstance(model, ModelSettings) and is_own(model.cell):
            base = (run.variant.baseline or "") if run.variant.changed else run.variant.name
            call = _call(model, device)
            tried.setdefault(json.dumps(call), (base, model.cell, call))
    if not tried:
        return
    document = read_document(file)
    document = with_profile(document, profile) if profile else document
    places = [_place(document, base, cell) for base, cell, _ in tried.values()]
    try:
        trials = try_layers([call for _, _, call in tried.values()])
    except ReportgenError as error:
        cells = ", ".join(dict.fromkeys(str(Path(cell).name) for _, cell, _ in tried.values()))
        raise SuiteError([document.problem(places[0], f"{cells}: {error}", "an end within a minute")]) from None
    problems: dict[Path_, Problem] = {}  # one a place: a fault is much the same at every point of a sweep
    for place, trial in zip(places, trials, strict=True):
        if trial.fault is not None:
            fault = trial.fault
            problems.setdefault(place, document.problem(place, fault.got, fault.expected, fault.where))
    if problems:
        raise SuiteError(list(problems.values()))


def _call(model: ModelSettings, device: str) -> dict[str, object]:
    return {
        "cell": model.cell,
        "input_size": model.embedding_size or SYMBOLS,
        "hidden_size": model.hidden_size,
        "layers": model.layers,
        "arguments": model.arguments,
        "device": device,
    }


def _place(document: Document, base: str, cell: str) -> Path_:
    """Return where the suite names the class: in the run itself, for all runs, or in a sweep."""
    folder = document.file.parent.absolute()
    runs = document.value["runs"]
    own: list[tuple[Path_, object]] = [
        (("runs", i, "model", "cell"), run.get("model", {}).get("cell"))
        for i, run in enumerate(runs)
        if run["name"] == base
    ]
    own.append((("model", "cell"), document.value.get("model", {}).get("cell")))
    for i, sweep in enumerate(document.value.get("sweeps", [])):
        values = sweep["grid"].get("model.cell", [])
        own += [(("sweeps", i, "grid", "model.cell", place), value) for place, value in enumerate(values)]
    named = (path for path, value in own if file_of_model("cell", value) and str(folder / str(value)) == cell)
    return next(named, ("model", "cell"))
