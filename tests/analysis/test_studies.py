"""Studies: which variants stand in one picture, by what a suite sweeps and by the baselines it names."""

from collections.abc import Mapping, Sequence
from typing import Any

from reportgen.analysis.studies import Study, grids, studies
from reportgen.suite.expansion import Variant, runs_of
from reportgen.suite.schema import suite_of
from reportgen.tasks.registry import TASKS

ADDITION = TASKS[2]


def variants(sweeps: Sequence[Mapping[str, Any]] = (), runs: Sequence[Mapping[str, Any]] = ()) -> list[Variant]:
    """Return the variants of an addition suite: a run `a` with two layers, other runs, and sweeps."""
    declared = {"title": "t", "data": {"source": "addition"}, "model": {"cell": "rnn"}, "seeds": [0]}
    suite = suite_of(ADDITION).model_validate({**declared, "runs": [{"name": "a"}, *runs], "sweeps": sweeps})
    return list({run.variant.name: run.variant for run in runs_of(suite, "cpu")}.values())


def test_a_sweep_is_a_study_with_its_base() -> None:
    """The base run stands among the values of a sweep, in their order."""
    (study,) = studies(variants([{"base": "a", "grid": {"model.layers": [4, 1]}}]))
    assert study == Study("model.layers", "a", {"a/layers=1": 1, "a": 2, "a/layers=4": 4})
    assert list(study.values) == ["a/layers=1", "a", "a/layers=4"]
    assert study.numeric


def test_sweeps_of_one_setting_around_one_run_are_one_study() -> None:
    """The first setting of a grid is studied, where each has one value alone; what else changes is none of it."""
    lengths = [
        {"base": "a", "grid": {"data.digits": [1000], "training.steps": [100], "training.batch_size": [20]}},
        {"base": "a", "grid": {"data.digits": [100], "data.test_lengths": [[10]]}},
    ]
    (study,) = studies(variants(lengths))
    assert (study.setting, list(study.values.values())) == ("data.digits", [10, 100, 1000])


def test_a_run_that_names_a_baseline_is_in_a_study() -> None:
    """Runs that differ from their baseline in the cell are a study of it, in the order of the suite."""
    others = [{"name": cell, "baseline": "a", "model": {"cell": cell}} for cell in ("lstm", "gru")]
    (study,) = studies(variants(runs=others))
    assert study == Study("model.cell", "a", {"a": "rnn", "lstm": "lstm", "gru": "gru"})
    assert list(study.values) == ["a", "lstm", "gru"]
    assert not study.numeric


def test_runs_that_are_changes_of_none_stand_beside_each_other() -> None:
    """What is in no other study is one of its own, which has no setting."""
    others = [{"name": "b", "model": {"hidden_size": 32}}, {"name": "c", "model": {"hidden_size": 48}}]
    found = variants([{"base": "a", "grid": {"model.layers": [1]}}], others)
    assert studies(found)[1:] == [Study("", "", {"b": None, "c": None})]
    assert studies(variants()) == [Study("", "", {"a": None})]


def test_two_swept_settings_are_a_grid_with_the_base_in_it() -> None:
    """The base run, which a sweep leaves out, has its cell; a grid is no study of one setting."""
    found = variants([{"base": "a", "grid": {"model.layers": [1, 2], "training.learning_rate": [0.001, 0.01]}}])
    (grid,) = grids(found)
    assert (grid.settings, grid.base) == (("model.layers", "training.learning_rate"), "a")
    assert grid.cells == {
        "a": (2, 0.001),
        "a/layers=1, learning_rate=0.001": (1, 0.001),
        "a/layers=1, learning_rate=0.01": (1, 0.01),
        "a/layers=2, learning_rate=0.01": (2, 0.01),
    }
    assert grid.axes == ([1, 2], [0.001, 0.01])


def test_a_grid_holds_two_studies() -> None:
    """Its row and its column through the base run, with what other sweeps add; a run is there once."""
    sweeps = [
        {"base": "a", "grid": {"model.layers": [1, 2], "training.learning_rate": [0.001, 0.01]}},
        {"base": "a", "grid": {"model.layers": [1, 4]}},
    ]
    layers, rates = studies(variants(sweeps))
    assert layers.values == {"a/layers=1, learning_rate=0.001": 1, "a": 2, "a/layers=4": 4}
    assert (rates.setting, rates.values) == (
        "training.learning_rate",
        {"a": 0.001, "a/layers=2, learning_rate=0.01": 0.01},
    )


def test_a_base_outside_of_the_values_has_no_cell() -> None:
    """The base run would be a row and a column with holes; it stands beside, as a run of no study."""
    found = variants([{"base": "a", "grid": {"model.layers": [3, 4], "training.learning_rate": [0.1, 0.01]}}])
    (grid,) = grids(found)
    assert grid.axes == ([3, 4], [0.01, 0.1])
    assert "a" not in grid.cells
    assert studies(found) == [Study("", "", {"a": None})]


def test_a_grid_with_holes_is_left_out() -> None:
    """Two sweeps that together leave combinations out are no grid: their variants stand beside each other."""
    sweeps = [
        {"base": "a", "grid": {"model.layers": [layers], "training.learning_rate": [rate]}}
        for layers, rate in ((3, 0.1), (4, 0.01))
    ]
    found = variants(sweeps)
    assert grids(found) == []
    assert [list(study.values) for study in studies(found)] == [[variant.name for variant in found]]


def test_a_run_with_a_name_of_its_own_stands_in_some_study() -> None:
    """Though it is the same training as a run in a study, it was declared, and is not left out of the tables."""
    others = [{"name": "b", "model": {"layers": 3}}]
    found = variants([{"base": "a", "grid": {"model.layers": [3]}}], others)
    layers, beside = studies(found)
    assert list(layers.values) == ["a", "a/layers=3"]
    assert beside == Study("", "", {"b": None})
