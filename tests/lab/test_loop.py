"""The one training loop: a plain loop's bits, what is kept, divergence, and going on from a checkpoint."""

import math
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_training import BATCHES, Line, Settings, Weights, equal, fresh, trained

from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Diverged, Hooks, Logged, Row, Trained, train
from reportgen.lab.training.optimizers import optimizer_of


@pytest.mark.parametrize(
    ("name", "kind", "given"),
    [
        ("adam", torch.optim.Adam, {"fused": True}),
        ("sgd", torch.optim.SGD, {"fused": True}),
        ("rmsprop", torch.optim.RMSprop, {}),
        ("lbfgs", torch.optim.LBFGS, {"max_iter": 3}),
    ],
)
def test_the_loop_is_a_plain_one_to_the_bit(name: str, kind: Any, given: dict[str, Any]) -> None:
    """Zero, loss, backward, step, over all batches of all rounds: the weights are equal, with dropout, too."""
    _, _, weights = trained(Settings(steps=4), name)
    model = fresh()
    line = Line(model)
    optimizer = kind(model.parameters(), lr=0.05, **given)
    for _ in range(4):
        for batch in line.batches():

            def closure(batch: Tensor = batch) -> Tensor:
                optimizer.zero_grad()
                loss = line.loss(batch)
                loss.backward()  # type: ignore[no-untyped-call]
                return loss.detach()

            optimizer.step(closure)
    assert equal(weights, model.state_dict())


def test_rows_come_so_often_and_at_the_end() -> None:
    """Every third round and the last one are evaluated, in evaluation mode and without gradients."""
    model, rows = fresh(), list[Row]()
    line, heard = Line(model), list[Logged]()
    optimizer = optimizer_of(model.parameters(), "adam", 0.05)
    train(model, line, optimizer, Settings(), rows=rows, log_every=3, hooks=Hooks(heard.append))
    assert [row["step"] for row in rows] == [3, 6, 8]
    assert [(logged.number, logged.loss) for logged in heard] == [(row["step"], row["loss"]) for row in rows]
    assert line.modes == [(False, False)] * 3
    assert model.training


def test_the_best_round_is_kept_with_its_weights() -> None:
    """The weights are those of a training that ends there; of equal losses the first counts."""
    losses = {1: 3.0, 2: 2.0, 3: 1.0, 4: 1.0, 5: 4.0}
    best, _, weights = trained(Settings(steps=5), validation=losses.__getitem__, keep="best")
    _, _, expected = trained(Settings(steps=3))
    last, _, others = trained(Settings(steps=5), validation=losses.__getitem__)
    assert (best.kept, last.kept) == (3, 5)
    assert equal(weights, expected)
    assert not equal(others, expected)


@pytest.mark.parametrize(
    ("settings", "keep"),
    [
        ({}, "best"),
        ({"early_stopping": {}}, "last"),
        ({"schedule": {"kind": "plateau"}}, "last"),
    ],
)
def test_nothing_is_decided_without_a_validation_part(settings: dict[str, Any], keep: str) -> None:
    """Where an objective has no validation loss, whatever would look at it is refused."""
    with pytest.raises(ValueError, match="needs a validation part"):
        trained(Settings.model_validate(settings), validation=lambda _: None, keep=keep)


def test_a_run_that_diverges_keeps_its_log() -> None:
    """The message names the round, and the rows before it are there."""
    rows: list[Row] = []
    with pytest.raises(Diverged, match=r"^the loss is not finite in step 4$"):
        trained(Settings(), validation=lambda step: math.nan if step == 4 else 1.0, rows=rows)
    assert [row["step"] for row in rows] == [1, 2, 3]


def test_batches_and_evaluations_of_lbfgs_are_heard_of() -> None:
    """Three batches a round, and up to 1.25 evaluations an iteration, each of which may end the run."""
    heard: list[None] = []
    trained(Settings(steps=2), hooks=Hooks(on_batch=lambda: heard.append(None)))
    assert len(heard) == 2 * BATCHES
    heard.clear()
    trained(Settings(steps=2), "lbfgs", hooks=Hooks(on_batch=lambda: heard.append(None)))
    assert len(heard) > 2 * BATCHES


class Killed(Exception):  # noqa: N818 - not an error
    """Stands for whatever ends a process."""


SCHEDULES = [
    None,
    {"kind": "step", "every": 2, "factor": 0.5, "warmup": 2},
    {"kind": "exponential", "factor": 0.9},
    {"kind": "cosine", "warmup": 3},
    {"kind": "plateau", "patience": 1, "factor": 0.5},
    {"kind": "warmup", "warmup": 4},
]


@pytest.mark.parametrize(("schedule", "optimizer"), list(product(SCHEDULES, ["adam", "lbfgs"])))
def test_a_killed_run_goes_on_with_the_same_bits(
    schedule: dict[str, Any] | None, optimizer: str, tmp_path: Path
) -> None:
    """Killed in every second round, between rows of the log, too: log, weights and early stop are the same."""
    given = {"schedule": schedule, "early_stopping": {"patience": 2}, "log_gradient_norm": True, "steps": 12}
    settings = Settings.model_validate(given)

    def validation(step: int) -> float:
        return abs(step - 6) + 1.0

    def run(checkpoint: Checkpoint | None = None, kill_in: int = 0) -> tuple[Trained, list[Row], Weights]:
        batches = iter(range(1, 10_000))

        def on_batch() -> None:
            if next(batches) == kill_in:
                raise Killed

        hooks = Hooks(on_batch=on_batch)
        return trained(
            settings, optimizer, validation, hooks=hooks, checkpoint=checkpoint, log_every=2, keep="best"
        )

    quiet, rows, weights = run()
    checkpoint = Checkpoint(tmp_path / "run", 0)
    kills = 0
    while True:
        kills += 1
        try:
            done, again, others = run(checkpoint, kill_in=2 * BATCHES if optimizer == "adam" else 20)
            break
        except Killed:
            assert kills < 20
    assert kills > 2
    assert again == rows
    assert equal(others, weights)
    assert (done.kept, done.measures) == (quiet.kept, quiet.measures)
    assert done.measures == {"early_stop": {"unit": "step", "stopped": 10, "best": 6, "waited": 2}}
    assert run(checkpoint)[1] == rows  # from the checkpoint of a run that is over
