"""Gradients are clipped by norm or by value, and their norm is logged where that is asked for."""

import copy

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from toy_training import Settings, fresh, trained

from reportgen.lab.training.gradients import Gradients


def with_gradients() -> tuple[nn.Module, list[Tensor]]:
    """Return a network with gradients, and copies of them."""
    model = fresh().eval()
    model(torch.ones(3, 2)).square().sum().backward()
    return model, [copy.deepcopy(p.grad) for p in model.parameters() if p.grad is not None]


def gradients_of(model: nn.Module) -> list[Tensor]:
    """Return the gradients of a network."""
    return [p.grad for p in model.parameters() if p.grad is not None]


def test_the_norm_of_all_gradients_together_is_cut() -> None:
    """Every gradient is scaled by the same factor; one that is short enough stays as it is."""
    model, before = with_gradients()
    norm = float(torch.cat([g.flatten() for g in before]).norm())
    Gradients(model, Settings(gradient_clip=norm / 4)).clip()
    for found, given in zip(gradients_of(model), before, strict=True):
        torch.testing.assert_close(found, given / 4)
    Gradients(model, Settings(gradient_clip=norm)).clip()
    for found, given in zip(gradients_of(model), before, strict=True):
        torch.testing.assert_close(found, given / 4)


def test_each_entry_is_cut_to_a_value() -> None:
    """What is beyond the value, on either side, becomes it; all else stays."""
    model, before = with_gradients()
    most = float(torch.cat([g.abs().flatten() for g in before]).median())
    Gradients(model, Settings(gradient_clip_value=most)).clip()
    for found, given in zip(gradients_of(model), before, strict=True):
        assert torch.equal(found, given.clamp(-most, most))


def test_one_way_of_clipping_is_asked_for() -> None:
    """Both together are refused: the order of the two would decide the result."""
    with pytest.raises(ValidationError, match="gradient_clip or gradient_clip_value"):
        Settings(gradient_clip=1.0, gradient_clip_value=1.0)


def test_the_logged_norm_is_the_mean_before_clipping() -> None:
    """Two updates between two rows: their norms are averaged, and the next row begins anew."""
    model, before = with_gradients()
    norm = float(torch.cat([g.flatten() for g in before]).norm())
    gradients = Gradients(model, Settings(gradient_clip=norm / 4, log_gradient_norm=True))
    gradients.clip()
    gradients.clip()  # of what the first call left, a quarter
    assert gradients.logged() == {"gradient_norm": pytest.approx(norm * (1 + 1 / 4) / 2)}
    gradients.clip()
    assert gradients.logged() == {"gradient_norm": pytest.approx(norm / 4)}


def test_logging_norms_changes_no_number() -> None:
    """The rows are those of a run without, but for the new column; a run without has none."""
    (_, without, weights), (_, rows, others) = (
        trained(Settings(steps=4, log_gradient_norm=asked, gradient_clip=0.5)) for asked in (False, True)
    )
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert [
        {**row, "gradient_norm": more["gradient_norm"]} for row, more in zip(without, rows, strict=True)
    ] == rows
    assert all("gradient_norm" not in row for row in without)
    assert all(row["gradient_norm"] > 0 for row in rows)
