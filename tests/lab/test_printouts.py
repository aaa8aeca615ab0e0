"""The models of a report: which printouts are shown in full, and what stands in a table of sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from additions import EN, record, suite

from reportgen.report.printouts import Model, Size, models_of
from reportgen.suite.expansion import runs_of
from reportgen.tasks.addition.results import collect

SIZES = [{"base": "rnn", "grid": {"model.hidden_size": [8, 64], "training.learning_rate": [0.1, 0.001]}}]


def models(
    sweeps: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]] = ({"name": "rnn"},)
) -> list[Model]:
    """Return the models of an addition suite whose networks print their cell, size and layers."""
    found = []
    for run in runs_of(suite(sweeps, runs), "cpu"):
        own = run.variant.settings.model
        size, layers = own.hidden_size, f"num_layers={own.layers}, " if own.layers > 1 else ""
        printout = (
            f"Adder(\n  (recurrent): {own.cell.upper()}(64, {size}, {layers}batch_first=True)\n"
            f"  (output): Linear(in_features={size}, out_features=10, bias=True)\n)"
        )
        made = record(run, 100, {}, run.name)
        found.append((run, replace(made, model={"printout": printout, "summary": "s", "parameters": size})))
    results = collect(found)
    return models_of(results, {variant.name: variant.label_in(EN.code) for variant in results.variants})


def test_a_structure_is_printed_once() -> None:
    """Of the sizes that a sweep makes of a run, each has a line with the layers that differ, and no printout."""
    (model,) = models(SIZES)
    assert (model.labels, model.swept, "RNN(64, 64, num_layers=2" in model.printout) == (["rnn"], 1, True)
    assert model.sizes == [
        Size(
            [f"rnn (hidden_size = 8, learning_rate = {rate})" for rate in ("0.1", "0.001")],
            8,
            ["RNN(64, 8, num_layers=2)", "Linear(8, 10)"],
        )
    ]


def test_the_number_of_layers_is_a_size() -> None:
    """One layer is printed without its number, and is the same structure all the same."""
    (model,) = models([{"base": "rnn", "grid": {"model.layers": [1, 4]}}])
    assert [size.layers for size in model.sizes] == [["RNN(64, 64)"], ["RNN(64, 64, num_layers=4)"]]


def test_another_cell_and_every_declared_run_are_printed() -> None:
    """A sweep over cells has a printout a cell; so has a run of its own name, whatever its size."""
    found = models([{"base": "rnn", "grid": {"model.cell": ["gru", "lstm"]}}])
    assert [(model.cell, model.sizes) for model in found] == [("rnn", []), ("gru", []), ("lstm", [])]
    runs: list[dict[str, Any]] = [{"name": "rnn"}, {"name": "small", "model": {"hidden_size": 8}}]
    assert [model.labels for model in models([], runs)] == [["rnn"], ["small"]]
