"""torch's RNN and GRU as suites train them: computed by scans; torch's in value, gradient and printout."""

from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad

from reportgen.lab.models import scans
from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.models.scans import GRU, RNN
from reportgen.tasks.classification.model import SequenceClassifier

SMALL, LARGE = (3, 5, 4, 6), (64, 3, 128, 128)  # batch, time, inputs, hidden; the large one goes to oneDNN
CASES = [(SMALL, 1), (SMALL, 2), (LARGE, 1)]
Kind = type[RNN] | type[GRU]
KINDS: dict[Kind, type[nn.RNN] | type[nn.GRU]] = {RNN: nn.RNN, GRU: nn.GRU}

both = pytest.mark.parametrize("kind", KINDS, ids=["rnn", "gru"])


def twins(kind: Kind, inputs: int, hidden: int, count: int, **arguments: Any) -> tuple[nn.RNNBase, nn.RNNBase]:
    """Return ours and torch's with the same weights."""
    torch.manual_seed(count)
    ours = kind(inputs, hidden, count, batch_first=True, **arguments)
    theirs = KINDS[kind](inputs, hidden, count, batch_first=True, **arguments)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def weighed(*tensors: Tensor) -> Tensor:
    """Return one number in which every entry has a weight of its own."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    return (flat * torch.linspace(-1, 2, len(flat))).mean()


@both
@pytest.mark.parametrize(("sizes", "count"), CASES, ids=["small", "two layers", "large"])
def test_values_and_gradients_are_torchs(
    kind: Kind, sizes: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """States, last state, and the gradients of the input and of every weight agree to single precision."""
    batch, time, inputs, hidden = sizes
    ours, theirs = twins(kind, inputs, hidden, count)
    x = torch.randn(batch, time, inputs, requires_grad=True)
    expected = theirs(x)
    gradients = grad(weighed(*expected), [x, *theirs.parameters()])
    monkeypatch.setattr(KINDS[kind], "forward", None)  # it is the scan that answers
    found = ours(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)
    for own, other in zip(grad(weighed(*found), [x, *ours.parameters()]), gradients, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-7)


@both
def test_frozen_weights_have_no_gradient_and_the_input_has_its_own(kind: Kind) -> None:
    """Without gradients by the weights, that by the input is the same to the bit."""
    ours, _ = twins(kind, 4, 6, 2)
    x = torch.randn(3, 5, 4, requires_grad=True)
    (expected,) = grad(weighed(*ours(x)), x)
    (found,) = grad(weighed(*ours.requires_grad_(False)(x)), x)
    assert torch.equal(found, expected)


@both
def test_what_the_scans_do_not_do_is_left_to_torch(kind: Kind) -> None:
    """A given state, packed sequences, both directions, dropout and 64-bit numbers give torch.nn's bits."""
    ours, theirs = twins(kind, 4, 6, 1)
    x, state = torch.randn(3, 5, 4), torch.randn(1, 3, 6)
    assert torch.equal(ours(x, state)[0], theirs(x, state)[0])
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3, 2]), batch_first=True)
    assert torch.equal(ours(packed)[0].data, theirs(packed)[0].data)
    assert torch.equal(ours.double()(x.double())[0], theirs.double()(x.double())[0])
    for layers, arguments in ((1, {"bidirectional": True}), (2, {"dropout": 0.5})):
        one, other = twins(kind, 4, 6, layers, **arguments)
        answers = []
        for layer in (one, other):
            torch.manual_seed(0)
            answers.append(layer(x)[0])
        assert torch.equal(*answers)


def test_an_rnn_with_relu_is_left_to_torch() -> None:
    """The scan has tanh alone."""
    ours, theirs = twins(RNN, 4, 6, 1, nonlinearity="relu")
    x = torch.randn(3, 5, 4)
    assert torch.equal(ours(x)[0], theirs(x)[0])


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_the_printout_and_the_initial_weights_are_torchs(cell: str) -> None:
    """A model prints as one of torch.nn does, and a seed draws the same weights."""
    torch.manual_seed(0)
    ours = recurrent(cell, 3, 4, 2)
    torch.manual_seed(0)
    theirs = {"rnn": nn.RNN, "gru": nn.GRU}[cell](3, 4, 2, batch_first=True)
    assert str(ours) == str(theirs)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_classifier_is_computed_by_the_scans(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What suites call rnn and gru does not go through torch.nn's own kernels on a CPU."""
    model = SequenceClassifier(7, 2, cell=cell, hidden_size=4, embedding_size=3)
    for kind in (nn.RNN, nn.GRU):
        monkeypatch.setattr(kind, "forward", None)
    assert model(torch.tensor([[1, 2, 3]]), torch.tensor([3])).shape == (1, 2)


@pytest.mark.parametrize("rows", [2, 64], ids=["small", "large"])
@pytest.mark.parametrize("there", [True, False], ids=["with oneDNN", "without"])
def test_products_are_what_they_say(rows: int, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small or large, with oneDNN or without it, each product is the one of 64-bit numbers to single precision."""
    if not there:
        monkeypatch.setattr(scans, "_onednn", None)
    x, d, weights, b = (torch.randn(*shape) for shape in ((3, rows, 128), (3, rows, 384), (384, 128), (384,)))
    wide = [tensor.double() for tensor in (x, d, weights, b)]
    for found, expected in (
        (scans.linear(x, weights, b), wide[0] @ wide[2].T + wide[3]),
        (scans.linear(x, weights), wide[0] @ wide[2].T),
        (scans.added(d[0], x[0], weights), wide[1][0] + wide[0][0] @ wide[2].T),
        (scans.by_weights(d, x), torch.einsum("tbo,tbi->oi", wide[1], wide[0])),
    ):
        torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("function", ["sigmoid", "tanh"])
def test_gradients_through_a_gate_need_no_private_operator(
    function: Literal["sigmoid", "tanh"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATen's operator and the public operations give what autograd gives, and write it where they are told."""
    x, d = torch.randn(5, 3, dtype=torch.float64, requires_grad=True), torch.randn(5, 3, dtype=torch.float64)
    y = getattr(torch, function)(x)
    (expected,) = torch.autograd.grad(y, x, d)
    quick = scans.backward_of(function)
    monkeypatch.setattr(torch.ops, "aten", object())
    public = scans.backward_of(function)
    assert quick is not public
    for backward in (quick, public):
        out = torch.empty(5, 3, dtype=torch.float64)
        assert backward(d, y.detach(), grad_input=out) is out
        torch.testing.assert_close(out, expected)


def test_weights_that_are_not_one_piece_of_memory_go_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """oneDNN is not asked for a product with weights that are a part of others, or turned."""
    monkeypatch.setattr(scans, "_onednn", None if scans._onednn is None else _refuse)
    x, fused = torch.randn(64, 128), torch.randn(384, 256)
    torch.testing.assert_close(scans.linear(x, fused[:, :128]), x @ fused[:, :128].T)


def _refuse(*_: object) -> Tensor:
    raise AssertionError
