"""Forecasting: the sequences, the closed loop, both optimizers, and what the record keeps of them."""

import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from reportgen.errors import InputError
from reportgen.lab.record import Record, from_files, to_files
from reportgen.lab.run import Cancelled
from reportgen.lab.settings import RecurrentCell
from reportgen.lab.training.loop import Hooks, Logged
from reportgen.lab.training.loop import train as trained
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.tasks.forecasting.data import prepare
from reportgen.tasks.forecasting.model import Forecaster
from reportgen.tasks.forecasting.run import ForecastingObjective, one_step_ahead
from reportgen.tasks.forecasting.settings import ForecastTrainingSettings, SeriesSettings, SineSettings
from reportgen.tasks.registry import run_settings
from reportgen.tasks.runs import carry_out, key_parts

CELLS = get_args(RecurrentCell)


def sines(cell: str = "rnn", data: dict[str, Any] | None = None, **training: Any) -> dict[str, Any]:
    """Return plain settings of a small run."""
    return {
        "data": {"source": "sine", "sequences": 6, "length": 40, "time_scale": 3, **(data or {})},
        "model": {"cell": cell, "hidden_size": 8},
        "training": {"optimizer": "lbfgs", "steps": 3, "max_iter": 5, **training},
    }


def carried_out(raw: dict[str, Any], seed: int = 0, **hooks: Any) -> Record:
    """Carry out a run with its proper key."""
    settings = run_settings(raw)
    return carry_out(settings, seed, key_parts(settings, seed), **hooks)


def numbers(record: Record) -> tuple[list[list[str]], dict[str, Any], dict[str, list[Any]]]:
    """Return all that a run came to, without the times."""
    rows = [[f"{name} {value!r}" for name, value in row.items() if name != "seconds"] for row in record.steps]
    measures = {name: value for name, value in record.measures.items() if "seconds" not in name}
    arrays = {name: array.tolist() for name, array in record.arrays.items() if name != "evaluation_seconds"}
    return rows, measures, arrays


def test_the_sines_are_those_of_the_formula() -> None:
    """Each sequence is sin((t + shift) / T) with a whole shift between -4T and 4T, and the parts are 98 and 2."""
    data = prepare(SineSettings(source="sine"))
    assert (data.train.shape, data.validation.shape, data.test.shape) == ((98, 1000), (0, 1000), (2, 1000))
    waves = {shift: np.sin((np.arange(1000) + shift) / 20) for shift in range(-80, 80)}
    for sequence in (*data.train, *data.test):
        assert any(np.array_equal(sequence, wave) for wave in waves.values())
    assert (data.facts.center, data.facts.spread, data.facts.given) == (0.0, 1.0, 500)


def test_the_sines_come_from_their_seed() -> None:
    """The same seed gives the same sequences and digest, another seed others."""
    first, again, other = (prepare(SineSettings(source="sine", sequences=9, seed=s)) for s in (1, 1, 2))
    assert np.array_equal(first.train, again.train)
    assert first.facts.digest == again.facts.digest != other.facts.digest
    assert not np.array_equal(first.train, other.train)


def test_a_test_sine_that_was_trained_on_is_counted() -> None:
    """With more sequences than shifts, both test sequences are in the training part, and the facts say so."""
    settings = SineSettings(source="sine", sequences=200, length=20, time_scale=2)
    assert prepare(settings).facts.repeated == 2


def table(folder: Path, numbers: list[object]) -> Path:
    """Write a table with a column `load`, and return it."""
    file = folder / "series.csv"
    file.write_text("day,load\n" + "".join(f"{i},{n}\n" for i, n in enumerate(numbers)), "utf-8")
    return file


def test_a_column_is_cut_into_windows(tmp_path: Path) -> None:
    """The last windows are held out in the order of time; training ends before them and alone sets the scale."""
    file = table(tmp_path, [i * i for i in range(50)])
    data = prepare(
        SeriesSettings(source="series", file=str(file), column="load", window=8, stride=4, test=2, validation=1)
    )
    back = [part * data.facts.spread + data.facts.center for part in (data.train, data.validation, data.test)]
    squares = np.arange(50.0) ** 2
    np.testing.assert_allclose(back[2], squares[34:].reshape(2, 8))
    np.testing.assert_allclose(back[1], squares[26:34].reshape(1, 8))
    np.testing.assert_allclose(back[0], [squares[start : start + 8] for start in (2, 6, 10, 14, 18)])
    assert (data.facts.center, data.facts.spread) == pytest.approx((squares[:26].mean(), squares[:26].std()))
    assert data.facts.counts == {"train": 5, "validation": 1, "test": 2}


def test_a_limit_takes_the_last_windows(tmp_path: Path) -> None:
    """Of the training windows the last ones stay; the scale is that of all before the held-out part."""
    file = str(table(tmp_path, [i * i for i in range(50)]))
    whole, few = (
        prepare(SeriesSettings(source="series", file=file, column="load", window=8, stride=4, limit=limit))
        for limit in (None, 2)
    )
    np.testing.assert_array_equal(few.train, whole.train[-2:])
    assert few.facts.digest != whole.facts.digest


@pytest.mark.parametrize(
    ("numbers", "column", "expected"),
    [
        ([1, 2, "x"] + [3] * 60, "load", "4: load: got 'x', expected a finite number"),
        (
            [1, 2, "nan"] + [3] * 60,
            "load",
            "4: load: got 'nan', expected a finite number; this row has none: "
            "fill in what is missing, or leave the rows out of the file",
        ),
        (
            list(range(60)),
            "lode",
            "1: got the first row 'day,load', expected the "
            "names of columns, and 'lode' among them; if it is no row of names, but of data, say data.header: "
            "false and data.columns: […, lode]",
        ),
        (
            list(range(20)),
            "load",
            "1: got 20 numbers, expected at least 24: a window to train on, and 2 of 8 held out",
        ),
        ([5] * 60, "load", "1: got one and the same number in all of 'load', expected numbers that change"),
    ],
)
def test_a_table_that_cannot_be_learnt_from(
    tmp_path: Path, numbers: list[object], column: str, expected: str
) -> None:
    """A fault of the student's own table is one message with file and line."""
    file = table(tmp_path, numbers)
    with pytest.raises(InputError) as caught:
        prepare(SeriesSettings(source="series", file=str(file), column=column, window=8))
    assert str(caught.value) == f"{file}:{expected}"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("given", [1, 7])
def test_the_closed_loop_is_one_step_after_the_other(cell: str, given: int) -> None:
    """Feeding everything said so far through the network anew for every point gives the same forecast."""
    torch.manual_seed(0)
    model = Forecaster(cell=cell, hidden_size=6, layers=2).double()
    points = torch.randn(3, given, dtype=torch.float64)
    told = points
    for _ in range(5):
        told = torch.cat([told, model(told)[:, -1:]], dim=1)
    torch.testing.assert_close(model.forecast(points, 5), told[:, given:])


def test_the_loss_is_that_of_telling_the_next_point() -> None:
    """It is the mean squared gap between what is expected at each point and the point that follows."""
    torch.manual_seed(0)
    model, points = Forecaster(cell="gru", hidden_size=4), torch.randn(2, 9)
    gaps = [model(points[:, :t])[:, -1] - points[:, t] for t in range(1, 9)]
    assert float(one_step_ahead(model, points).detach()) == pytest.approx(
        float(torch.stack(gaps).square().mean().detach())
    )


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_sines_are_learnt(cell: str, optimizer: str) -> None:
    """After a few steps the network tells the next point far better than it did at first."""
    steps: dict[str, Any] = (
        {"steps": 5, "max_iter": 20}
        if optimizer == "lbfgs"
        else {"steps": 150, "max_iter": None, "learning_rate": 0.02}
    )
    record = carried_out(sines(cell, optimizer=optimizer, **steps))
    assert record.status == "finished", record.error
    assert record.measures["test_loss"] < 0.05
    assert record.arrays["evaluation_loss"][0] > 0.2


def test_the_record_keeps_the_forecasts_and_their_errors() -> None:
    """From half of the points and from one: forecasts, errors by horizon, and their mean squares fit together."""
    record = carried_out(sines())
    arrays, truth = record.arrays, record.arrays["truth"]
    assert truth.shape == (2, 40)
    for name, given in (("from_half", 20), ("from_one", 1)):
        forecast = arrays[f"forecast_{name}"]
        assert forecast.shape == (2, 40 - given)
        np.testing.assert_allclose(arrays[f"error_{name}"], np.abs(forecast - truth[:, given:]).mean(axis=0))
        assert record.measures[f"forecast_{name}"] == pytest.approx(np.square(forecast - truth[:, given:]).mean())


def test_a_series_of_the_students_own_is_forecast_in_its_own_unit(tmp_path: Path) -> None:
    """Truth and forecasts are numbers like those of the table; the losses are those of the scaled points."""
    wave = [1000 + 50 * math.sin(i / 3) for i in range(300)]
    data = {"source": "series", "file": str(table(tmp_path, list(wave))), "column": "load", "window": 40}
    raw = {**sines(steps=5, max_iter=20), "data": data}
    record = carried_out(raw)
    np.testing.assert_allclose(record.arrays["truth"].ravel(), wave[-80:])
    gaps = record.arrays["forecast_from_half"] - record.arrays["truth"][:, 20:]
    assert np.abs(gaps).max() < 100
    scaled = np.square(gaps / record.data["spread"]).mean()
    assert record.measures["forecast_from_half"] == pytest.approx(scaled)
    assert record.settings["data"]["file"] == "series.csv"


def test_the_log_counts_evaluations_and_seconds() -> None:
    """Each row has the evaluations so far, and the curve an entry for each of them; Adam needs one a step."""
    lbfgs, adam = carried_out(sines()), carried_out(sines(optimizer="adam", steps=7, max_iter=None, log_every=3))
    for record in (lbfgs, adam):
        curve, seconds = record.arrays["evaluation_loss"], record.arrays["evaluation_seconds"]
        assert len(curve) == len(seconds) == record.measures["evaluations"] == record.steps[-1]["evaluations"]
        assert (np.diff(seconds) > 0).all()
        assert record.steps[-1]["seconds"] == seconds[-1] == record.measures["seconds"]
    assert [row["step"] for row in adam.steps] == [3, 6, 7]
    assert [row["evaluations"] for row in adam.steps] == [3, 6, 7]
    assert [row["step"] for row in lbfgs.steps] == [1, 2, 3]
    assert lbfgs.steps[0]["evaluations"] > 1
    # what a row says of the loss after a step is what the next evaluation begins with
    assert adam.steps[0]["train_loss"] == pytest.approx(adam.arrays["evaluation_loss"][3])


def test_lbfgs_is_torchs_own() -> None:
    """The losses of the evaluations are those of torch.optim.LBFGS, driven by hand from the same weights."""
    settings = ForecastTrainingSettings(optimizer="lbfgs", max_iter=5, steps=3)
    points = torch.from_numpy(prepare(SineSettings(source="sine", sequences=6, length=40)).train)

    def fresh() -> Forecaster:
        torch.manual_seed(3)
        return Forecaster(cell="lstm", hidden_size=5).double()

    one, two = fresh(), fresh()
    objective = ForecastingObjective(one, points, points[:0])
    trained(one, objective, optimizer_of(one.parameters(), "lbfgs", 0.8, max_iter=5), settings, rows=[])
    by_hand = torch.optim.LBFGS(two.parameters(), lr=0.8, max_iter=5)
    losses: list[float] = []

    def closure() -> float:
        by_hand.zero_grad()
        loss = (two(points[:, :-1]) - points[:, 1:]).square().mean()
        loss.backward()
        losses.append(float(loss.detach()))
        return losses[-1]

    for _ in range(3):
        by_hand.step(closure)  # type: ignore[no-untyped-call]
    assert objective.losses == pytest.approx(losses)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_same_seed_gives_the_same_bits(cell: str, optimizer: str) -> None:
    """Log, measures and forecasts repeat exactly with either optimizer; another seed differs."""
    raw = sines(cell, optimizer=optimizer, steps=2, max_iter=3 if optimizer == "lbfgs" else None)
    torch.manual_seed(1)
    first = numbers(carried_out(raw, seed=3))
    torch.manual_seed(2)
    assert numbers(carried_out(raw, seed=3)) == first
    assert numbers(carried_out(raw, seed=4))[2] != first[2]


def test_the_best_step_is_that_of_the_lowest_forecast_error() -> None:
    """With `best` the kept step has the lowest validation loss, and the forecasts are those of that very step."""
    restless: dict[str, Any] = {"optimizer": "adam", "max_iter": None, "learning_rate": 0.05, "log_every": 1}
    validation = {"validation": 1, "sequences": 7}
    best = carried_out(sines(data=validation, steps=30, keep="best", **restless))
    losses = [row["validation_loss"] for row in best.steps]
    kept = best.measures["kept_step"]
    assert losses[kept - 1] == min(losses)
    assert kept < 30
    again = carried_out(sines(data=validation, steps=kept, keep="last", **restless))
    assert numbers(again)[2]["forecast_from_half"] == numbers(best)[2]["forecast_from_half"]


def test_without_a_validation_part_nothing_is_chosen() -> None:
    """The last step is kept, and the log has no validation loss."""
    record = carried_out(sines())
    assert record.measures["kept_step"] == 3
    assert all(math.isnan(row["validation_loss"]) for row in record.steps)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_precision_is_that_of_the_numbers(precision: str) -> None:
    """In float32 the loss of the first evaluation is a float32, in float64 it is finer than that."""
    first = carried_out(sines(precision=precision)).arrays["evaluation_loss"][0]
    assert bool(np.float32(first) == first) is (precision == "float32")


def test_lbfgs_that_leaves_all_bounds_is_a_diverged_record() -> None:
    """A rate far too high ends in NaN; the record says in which step, and keeps the evaluations before."""
    record = carried_out(sines(learning_rate=1e200, steps=5))
    assert record.status == "diverged"
    assert record.error.startswith("the loss is not finite in step")
    assert len(record.arrays["evaluation_loss"]) >= 1
    assert np.isfinite(record.arrays["evaluation_loss"]).all()
    assert from_files(to_files(record)).error == record.error


def test_a_loss_that_ends_larger_than_it_began_is_a_diverged_record() -> None:
    """Numbers that are absurd and still finite are no result either."""
    record = carried_out(sines(optimizer="adam", max_iter=None, learning_rate=1e6, steps=10))
    assert record.status == "diverged"
    assert "after training, and was" in record.error
    assert from_files(to_files(record)).measures == record.measures
    assert [row["step"] for row in record.steps] == [10]


def test_a_forecast_that_leaves_all_bounds_is_a_diverged_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed loop that overflows has no error to tell: the record says so, and can be written."""
    monkeypatch.setattr(Forecaster, "forecast", lambda _, given, steps: torch.full((len(given), steps), math.inf))
    record = carried_out(sines())
    assert (record.status, record.error) == ("diverged", "the loss is not finite in step 3")
    assert "forecast_from_half" not in from_files(to_files(record)).measures


def test_a_run_tells_of_its_steps_and_can_be_stopped() -> None:
    """The callbacks hear each logged step; one that raises Cancelled ends the run, in the midst of L-BFGS, too."""
    heard: list[Logged] = []
    record = carried_out(sines(), hooks=Hooks(heard.append))
    assert [(told.number, told.loss) for told in heard] == [(r["step"], r["train_loss"]) for r in record.steps]
    evaluations: list[None] = []

    def stop() -> None:
        evaluations.append(None)
        if len(evaluations) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        carried_out(sines(), hooks=Hooks(on_batch=stop))
    assert len(evaluations) == 3


def test_a_finished_record_is_read_back() -> None:
    """Steps, measures, facts and arrays survive the disk, to the bit."""
    record = carried_out(sines(data={"validation": 1}))
    again = from_files(to_files(record))
    assert (again.steps, again.measures, again.task) == (record.steps, record.measures, "forecasting")
    assert again.data == {**record.data, "origin": []}
    for name, array in record.arrays.items():
        assert np.array_equal(again.arrays[name], array)
