"""Learning rates are those of torch's schedulers, step by step; early stopping waits as long as it is told to."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.optim import lr_scheduler
from toy_training import Settings, trained

from reportgen.lab.training.schedules import EarlyStopping
from reportgen.lab.training.settings import EarlyStoppingSettings, ScheduleSettings

ROUNDS = 12
LOSSES = [5.0, 4.0, 4.0, 4.5, 4.0, 3.9, 3.9, 3.9, 3.9, 3.9, 3.0, 3.0]


def logged(schedule: dict[str, Any] | None) -> list[float]:
    """Return the learning rate of each round of a training whose validation losses are LOSSES."""
    settings = Settings.model_validate({"steps": ROUNDS, "schedule": schedule})
    _, rows, _ = trained(settings, "sgd", lambda step: LOSSES[step - 1])
    return [row["learning_rate"] for row in rows]


def by_torch(kind: Any, *given: Any, warmup: int = 0, **named: Any) -> list[float]:
    """Return the rates of torch's own scheduler, driven by hand."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
    scheduler = kind(optimizer, *given, **named)
    if warmup:
        first = lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
        scheduler = lr_scheduler.SequentialLR(optimizer, [first, scheduler], [warmup])
    rates = []
    for loss in LOSSES:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([loss] if kind is lr_scheduler.ReduceLROnPlateau else []))
    return rates


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"kind": "step"}, by_torch(lr_scheduler.StepLR, 10, 0.1)),
        ({"kind": "step", "every": 3, "factor": 0.5}, by_torch(lr_scheduler.StepLR, 3, 0.5)),
        ({"kind": "exponential"}, by_torch(lr_scheduler.ExponentialLR, 0.95)),
        ({"kind": "cosine", "lowest": 0.001}, by_torch(lr_scheduler.CosineAnnealingLR, ROUNDS, 0.001)),
        ({"kind": "cosine", "warmup": 4}, by_torch(lr_scheduler.CosineAnnealingLR, ROUNDS - 4, warmup=4)),
        ({"kind": "step", "every": 2, "warmup": 3}, by_torch(lr_scheduler.StepLR, 2, 0.1, warmup=3)),
        ({"kind": "warmup", "warmup": 3}, by_torch(lr_scheduler.LinearLR, 0.25, total_iters=3)),
        (
            {"kind": "plateau", "patience": 2, "factor": 0.5, "min_delta": 0.05},
            by_torch(lr_scheduler.ReduceLROnPlateau, factor=0.5, patience=2, threshold=0.05, threshold_mode="abs"),
        ),
    ],
)
def test_rates_are_torchs_round_by_round(schedule: dict[str, Any], expected: list[float]) -> None:
    """What the log has for each round is what torch's scheduler gives, to the bit."""
    rates = logged(schedule)
    assert rates == expected
    assert len(set(rates)) > 1


def test_rates_are_those_of_the_formulas() -> None:
    """A cut every so often, a half cosine over the whole run, and a warm-up in equal steps to the full rate."""
    assert logged({"kind": "step", "every": 5, "factor": 0.5}) == [0.05] * 5 + [0.025] * 5 + [0.0125] * 2
    cosine = [0.025 * (1 + math.cos(math.pi * t / ROUNDS)) for t in range(ROUNDS)]
    assert logged({"kind": "cosine"}) == pytest.approx(cosine)
    warmup = [0.05 * min(1, (t + 1) / 5) for t in range(ROUNDS)]
    assert logged({"kind": "warmup", "warmup": 4}) == pytest.approx(warmup)


def test_a_warm_up_as_long_as_the_run_is_one() -> None:
    """A short run, such as a quick build's, never gets further than its warm-up."""
    assert logged({"kind": "cosine", "warmup": 20}) == pytest.approx([0.05 * t / 21 for t in range(1, 13)])


def test_without_a_schedule_no_rate_is_logged() -> None:
    """The rows have the task's columns alone."""
    _, rows, _ = trained(Settings(steps=2))
    assert [set(row) for row in rows] == [{"step", "loss"}] * 2


def test_a_schedule_changes_the_weights_from_where_it_changes_the_rate() -> None:
    """Up to the first cut the log is that of a constant rate, and not afterwards."""
    _, constant, _ = trained(Settings(steps=6))
    _, cut, _ = trained(Settings.model_validate({"steps": 6, "schedule": {"kind": "step", "every": 4}}))
    losses = [[row["loss"] for row in rows] for rows in (constant, cut)]
    assert losses[0][:4] == losses[1][:4]
    assert losses[0][4] != losses[1][4]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "cosine", "every": 3}, "no every with kind: cosine"),
        ({"kind": "plateau", "warmup": 3}, "no warmup with kind: plateau"),
        ({"kind": "warmup", "factor": 0.5}, "no factor with kind: warmup"),
        ({"every": 3}, "Field required"),
        ({"kind": "stairs"}, "Input should be"),
        ({"kind": ["step"]}, "Input should be"),
        ({"kind": "step", "factor": 1.0}, "less than 1"),
    ],
)
def test_a_schedule_takes_what_its_kind_takes(given: dict[str, Any], expected: str) -> None:
    """Any other setting is refused; nothing that is given is passed over."""
    with pytest.raises(ValidationError, match=expected):
        ScheduleSettings.model_validate(given)


@pytest.mark.parametrize("kind", ["step", "exponential", "cosine", "plateau", "warmup"])
def test_resolved_schedules_are_read_back(kind: str) -> None:
    """Defaults are those of the kind, and plain values with all of them give the same settings."""
    settings = ScheduleSettings.model_validate({"kind": kind})
    assert ScheduleSettings.model_validate(settings.model_dump()) == settings


def stopped_after(losses: Sequence[float], patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Return after which loss the training is stopped, 0 if it is not, and which was the best by then."""
    stopping = EarlyStopping(EarlyStoppingSettings(patience=patience, min_delta=min_delta))
    for number, loss in enumerate(losses, 1):
        stopping.hear(loss, number)
        if stopping.stopped:
            break
    return stopping.stopped_round, stopping.best_round


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "expected"),
    [
        ([3, 2, 1], 1, 0.0, (0, 3)),
        ([3, 2, 2, 1], 1, 0.0, (3, 2)),  # equal is not lower
        ([3, 2, 4, 1, 2, 2, 2], 2, 0.0, (6, 4)),  # a lower one begins the count anew
        ([3, 2.95, 2.92, 2.91], 3, 0.1, (4, 1)),  # a little lower does not count
        ([3, 2.95, 2.85, 2.8, 2.79, 2.78], 3, 0.1, (6, 3)),
        ([1, 2, 2], 3, 0.0, (0, 1)),
    ],
)
def test_early_stopping_waits_as_long_as_its_patience(
    losses: list[float], patience: int, min_delta: float, expected: tuple[int, int]
) -> None:
    """So many evaluations in a row without a loss lower by more than min_delta end the training."""
    assert stopped_after(losses, patience, min_delta) == expected


def test_a_stopped_training_says_so_and_a_patient_one_does_not() -> None:
    """The loop ends there, its log, too; with more patience it goes to the end, with the same numbers."""
    runs = [
        trained(
            Settings.model_validate({"steps": ROUNDS, "early_stopping": {"patience": patience}}),
            validation=lambda step: LOSSES[step - 1],
            keep="best",
        )
        for patience in (3, 11)
    ]
    (short, rows, _), (whole, all_rows, _) = runs
    assert short.measures == {"early_stop": {"unit": "step", "stopped": 5, "best": 2, "waited": 3}}
    assert short.kept == 2
    assert (whole.measures, whole.kept, len(all_rows)) == ({}, 11, ROUNDS)
    assert rows == all_rows[:5]
