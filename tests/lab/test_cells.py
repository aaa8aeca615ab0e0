"""The LSTM written out by hand is torch's, and the classifier reads its last state."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad

from reportgen.lab.models.cells import HandwrittenLSTM, LSTMCell, State
from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.models.scans import STANDS_FOR
from reportgen.tasks.classification.model import OneHot, SequenceClassifier

BATCH, TIME = 3, 5
SIZES = [(4, 6), (1, 1), (7, 2)]
CELLS = ["rnn", "lstm", "gru", "handwritten_lstm"]


def randn(*shape: int) -> Tensor:
    """Return a leaf of float64 that gradients can be asked for."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def close(actual: Tensor, expected: Tensor) -> None:
    """Fail unless two tensors agree to 1e-10."""
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def twins(inputs: int, hidden: int, layers: int) -> tuple[HandwrittenLSTM, nn.LSTM]:
    """Return both LSTMs with the same weights, in float64."""
    torch.manual_seed(inputs * 100 + hidden * 10 + layers)
    theirs = nn.LSTM(inputs, hidden, layers, batch_first=True).double()
    ours = HandwrittenLSTM(inputs, hidden, layers).double()
    ours.copy_from(theirs)
    return ours, theirs


def scalar(outputs: Tensor, state: State) -> Tensor:
    """Return one number in which every output and every entry of the state has a weight of its own."""
    parts = [part.flatten() for part in (outputs, *state)]
    flat = torch.cat(parts)
    return (flat * torch.linspace(-1, 2, len(flat), dtype=flat.dtype)).sum()


@pytest.mark.parametrize(("inputs", "hidden"), SIZES)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_outputs_and_states_are_torchs(inputs: int, hidden: int, layers: int) -> None:
    """With torch's weights, outputs, h and c agree to 1e-10, with an initial state and without one."""
    ours, theirs = twins(inputs, hidden, layers)
    x = randn(BATCH, TIME, inputs)
    for state in (None, (randn(layers, BATCH, hidden), randn(layers, BATCH, hidden))):
        (outputs, (h, c)), (expected, (their_h, their_c)) = ours(x, state), theirs(x, state)
        close(outputs, expected)
        close(h, their_h)
        close(c, their_c)


@pytest.mark.parametrize(("inputs", "hidden"), SIZES)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_gradients_of_input_and_initial_state_are_torchs(inputs: int, hidden: int, layers: int) -> None:
    """What flows back to the input and to the initial h and c agrees to 1e-10."""
    ours, theirs = twins(inputs, hidden, layers)
    leaves = [randn(BATCH, TIME, inputs), randn(layers, BATCH, hidden), randn(layers, BATCH, hidden)]
    x, h, c = leaves
    found, expected = grad(scalar(*ours(x, (h, c))), leaves), grad(scalar(*theirs(x, (h, c))), leaves)
    for one, other in zip(found, expected, strict=True):
        close(one, other)


@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize(("inputs", "hidden"), SIZES)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_gradients_of_the_weights_are_torchs(inputs: int, hidden: int, layers: int, with_state: bool) -> None:
    """The fused weight's gradient is that of W_ih beside that of W_hh; the bias has that of either bias."""
    ours, theirs = twins(inputs, hidden, layers)
    x = randn(BATCH, TIME, inputs)
    state = (randn(layers, BATCH, hidden), randn(layers, BATCH, hidden)) if with_state else None
    scalar(*ours(x, state)).backward()  # type: ignore[no-untyped-call]
    scalar(*theirs(x, state)).backward()  # type: ignore[no-untyped-call]
    for layer, cell in enumerate(ours.cells):
        assert isinstance(cell, LSTMCell)
        assert cell.W.weight.grad is not None
        assert cell.W.bias.grad is not None
        w_ih, w_hh, b_ih, b_hh = (
            getattr(theirs, f"{name}_l{layer}").grad for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        close(cell.W.weight.grad, torch.cat([w_ih, w_hh], dim=1))
        close(cell.W.bias.grad, b_ih)
        close(cell.W.bias.grad, b_hh)


def test_a_scan_is_the_cell_step_by_step() -> None:
    """Running over a sequence gives what calling the cell once a step gives, in values and in gradients."""
    torch.manual_seed(0)
    cell = LSTMCell(4, 6).double()
    leaves = [randn(BATCH, TIME, 4), randn(BATCH, 6), randn(BATCH, 6)]
    x, h, c = leaves
    scanned, last = cell.scan(x, (h, c))
    state: State = (h, c)
    steps = []
    for t in range(TIME):
        state = cell(x[:, t], state)
        steps.append(state[0])
    close(scanned, torch.stack(steps, dim=1))
    close(last[0], state[0])
    close(last[1], state[1])
    wanted = [*leaves, *cell.parameters()]
    by_step = grad(scalar(torch.stack(steps, dim=1), state), wanted)
    for one, other in zip(grad(scalar(scanned, last), wanted), by_step, strict=True):
        close(one, other)


def test_one_step_by_hand() -> None:
    """With every weight 0 and gates fixed by the bias, σ(0) = 1/2 and tanh(1) give c and h in closed form."""
    cell = LSTMCell(1, 1).double()
    with torch.no_grad():
        cell.W.weight.zero_()
        cell.W.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0]))  # i, f, g, o
    one = torch.ones(1, 1, dtype=torch.float64)
    h, c = cell(one, (one, 2 * one))
    close(c, 0.5 * 2 * one + 0.5 * torch.tanh(one))
    close(h, 0.5 * torch.tanh(c))


@pytest.mark.parametrize(("inputs", "hidden"), SIZES)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_fused_map_saves_one_bias_a_layer(inputs: int, hidden: int, layers: int) -> None:
    """There are 4 × hidden_size parameters a layer fewer than torch has."""
    ours, theirs = (sum(p.numel() for p in lstm.parameters()) for lstm in twins(inputs, hidden, layers))
    assert ours == theirs - 4 * hidden * layers


def test_weights_begin_within_torchs_range() -> None:
    """Fresh weights are spread over the whole of ±1/√hidden_size."""
    torch.manual_seed(0)
    weights = torch.cat([p.detach().flatten() for p in HandwrittenLSTM(8, 16, 2).parameters()])
    assert 0.24 < float(weights.max()) <= 0.25
    assert -0.25 <= float(weights.min()) < -0.24


def test_a_one_hot_vector_has_its_one_at_the_symbol() -> None:
    """Symbol 1 is the first place, symbol 3 the last; padding is zeros."""
    found = OneHot(3)(torch.tensor([[1, 3, 0]]))
    assert found.tolist() == [[[1, 0, 0], [0, 0, 1], [0, 0, 0]]]
    assert found.dtype == torch.float32


def test_an_embedding_of_padding_is_zeros() -> None:
    """Index 0 enters as zeros with a learnt embedding, too, and other symbols do not."""
    model = SequenceClassifier(3, 2, cell="rnn", hidden_size=4, embedding_size=5)
    found = model.input(torch.tensor([0, 1]))
    assert found[0].tolist() == [0] * 5
    assert (found[1] != 0).all()


@pytest.mark.parametrize("embedding", [None, 5])
@pytest.mark.parametrize(("cell", "layers"), list(itertools.product(CELLS, [1, 2])))
def test_what_follows_the_last_symbol_does_not_matter(cell: str, layers: int, embedding: int | None) -> None:
    """Longer padding, and even symbols after the length, leave the logits as they are."""
    torch.manual_seed(0)
    model = SequenceClassifier(6, 4, cell=cell, hidden_size=8, layers=layers, embedding_size=embedding)
    lengths = torch.tensor([3, 1, 2])
    indices = torch.tensor([[1, 2, 3], [4, 0, 0], [5, 6, 0]])
    padded = torch.cat([indices, torch.zeros(3, 4, dtype=torch.int64)], dim=1)
    scribbled = torch.tensor([[1, 2, 3, 6], [4, 1, 1, 1], [5, 6, 5, 5]])
    logits = model(indices, lengths)
    assert logits.shape == (3, 4)
    torch.testing.assert_close(model(padded, lengths), logits)
    torch.testing.assert_close(model(scribbled, lengths), logits)


@pytest.mark.parametrize("cell", CELLS)
def test_every_symbol_up_to_the_length_matters(cell: str) -> None:
    """Changing the first or the last symbol that counts changes the logits."""
    torch.manual_seed(0)
    model = SequenceClassifier(6, 4, cell=cell, hidden_size=8)
    first, last, same = (
        model(torch.tensor([symbols]), torch.tensor([3])) for symbols in ([6, 2, 3], [1, 2, 6], [1, 2, 3])
    )
    assert not torch.allclose(first, same)
    assert not torch.allclose(last, same)


def test_logits_are_the_linear_map_of_the_last_state() -> None:
    """The classifier is its recurrent network's state after the last symbol, and one linear layer."""
    torch.manual_seed(0)
    model = SequenceClassifier(6, 4, cell="lstm", hidden_size=8)
    states, _ = model.recurrent(model.input(torch.tensor([[1, 2, 3]])))
    expected = model.output(states[:, 1])
    torch.testing.assert_close(model(torch.tensor([[1, 2, 3]]), torch.tensor([2])), expected)


def test_dropout_is_for_training_only() -> None:
    """With dropout two passes differ while training, and agree while testing."""
    torch.manual_seed(0)
    model = SequenceClassifier(6, 4, cell="gru", hidden_size=32, dropout=0.5)
    inputs = (torch.tensor([[1, 2, 3]]), torch.tensor([3]))
    assert not torch.equal(model(*inputs), model(*inputs))
    model.eval()
    assert torch.equal(model(*inputs), model(*inputs))


@pytest.mark.parametrize(
    ("cell", "kind"), list(zip(CELLS, [nn.RNN, nn.LSTM, nn.GRU, HandwrittenLSTM], strict=True)), ids=CELLS
)
def test_each_cell_is_the_network_of_its_name(cell: str, kind: type[nn.Module]) -> None:
    """The names of a suite stand for torch's networks and the one written by hand."""
    network = recurrent(cell, 3, 4, 2)
    assert STANDS_FOR.get(type(network), type(network)) is kind
    outputs, _ = network(torch.zeros(2, 5, 3))
    assert outputs.shape == (2, 5, 4)


def test_an_unknown_cell_is_refused() -> None:
    """A name that no network has is a ValueError that says it."""
    with pytest.raises(ValueError, match="no cell is called 'transformer'"):
        recurrent("transformer", 3, 4, 1)
