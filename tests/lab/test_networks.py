"""The classifier's parts: pooling, packing, both directions, heads; and the losses."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from reportgen.lab.printout import arguments, arguments_in_use
from reportgen.lab.training.losses import LOSSES, outputs_for, predicted, probabilities
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.settings import ModelSettings

SYMBOLS, CLASSES, HIDDEN = 30, 3, 8


def batch() -> tuple[Tensor, Tensor]:
    """Return six sequences of different lengths, padded with 0."""
    lengths = torch.tensor([9, 3, 5, 1, 2, 7])
    indices = torch.randint(1, SYMBOLS + 1, (6, 9), generator=torch.Generator().manual_seed(0))
    return indices * (torch.arange(9) < lengths[:, None]), lengths


def classifier(**settings: object) -> SequenceClassifier:
    """Return a classifier with the weights of seed 0."""
    torch.manual_seed(0)
    given = {"cell": "lstm", "hidden_size": HIDDEN, **settings}
    return SequenceClassifier(SYMBOLS, CLASSES, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_packed_and_padded_sequences_give_the_same(cell: str, pooling: str, layers: int) -> None:
    """Whether the network never sees the padding, or sees it and is not asked about it, the logits agree."""
    packed, padded = (classifier(cell=cell, pooling=pooling, layers=layers, packed=yes) for yes in (True, False))
    torch.testing.assert_close(packed(*batch()), padded(*batch()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_both_directions_give_torchs_last_states(cell: str) -> None:
    """The pooled state is the forward network's at the last symbol beside the backward one's at the first."""
    model = classifier(cell=cell, bidirectional=True, packed=True)
    indices, lengths = batch()
    for row, length in zip(indices, lengths.tolist(), strict=True):
        _, last = model.recurrent(model.input(row[None, :length]))
        h = last[0] if cell == "lstm" else last
        expected = model.output(torch.cat([h[0], h[1]], dim=1))
        alone = model(row[None, :length], torch.tensor([length]))
        torch.testing.assert_close(alone, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pooling_reads_the_sequence_and_not_the_padding(pooling: str) -> None:
    """The mean and the maximum are those over the states of the symbols, worked out one sequence at a time."""
    model = classifier(pooling=pooling)
    indices, lengths = batch()
    for row, length, logits in zip(indices, lengths.tolist(), model(indices, lengths), strict=True):
        states = model.recurrent(model.input(row[None, :length]))[0][0]
        pooled = states.mean(0) if pooling == "mean" else states.max(0).values
        torch.testing.assert_close(logits, model.output(pooled), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("activation", "layer"), [("relu", nn.ReLU), ("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh)])
def test_a_head_of_two_layers_has_the_activation_between(activation: str, layer: type[nn.Module]) -> None:
    """Linear, activation, dropout, linear, in this order."""
    head = classifier(head_size=16, activation=activation, dropout=0.5).output
    assert isinstance(head, nn.Sequential)
    assert [type(part) for part in head] == [nn.Linear, layer, nn.Dropout, nn.Linear]


def test_the_embedding_begins_at_the_scale_that_was_asked_for() -> None:
    """embedding_std scales torch's normal draw; row 0, the padding, stays zero, and the unknown begins there."""
    torch.manual_seed(0)
    model = SequenceClassifier(5000, 2, cell="rnn", hidden_size=4, embedding_size=50, embedding_std=0.1)
    assert isinstance(model.input, nn.Embedding)
    weights = model.input.weight
    assert float(weights.detach()[1:-1].std()) == pytest.approx(0.1, rel=0.01)
    assert (len(weights), weights[0].tolist(), weights[5001].tolist()) == (5002, [0.0] * 50, [0.0] * 50)


def parameters(**settings: object) -> int:
    """Count the parameters of a network over 19,999 words, padding and one symbol for all other words."""
    model = SequenceClassifier(19_999, 2, embedding_size=64, **settings)  # type: ignore[arg-type]
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("cell", "count"), [("rnn", 1_296_962), ("lstm", 1_321_922), ("gru", 1_313_602)])
def test_parameters_are_those_of_the_published_printouts(cell: str, count: int) -> None:
    """Embedding(20001, 64), a layer 64→64, linear 64→128, ReLU, linear 128→2, counted from the printout."""
    assert parameters(cell=cell, hidden_size=64, head_size=128) == count


@pytest.mark.parametrize(
    ("hidden", "layers", "head", "fused"),
    [(64, 1, 64, [(128, 256)]), (128, 1, 128, [(192, 512)]), (64, 2, 64, [(128, 256), (128, 256)])],
)
def test_the_hand_written_lstm_has_the_published_maps(
    hidden: int, layers: int, head: int, fused: list[tuple[int, int]]
) -> None:
    """One fused linear map a cell, from input and hidden state to four gates, and the mean over time on top."""
    torch.manual_seed(0)
    model = SequenceClassifier(
        19_999, 2, cell="handwritten_lstm", hidden_size=hidden, layers=layers, embedding_size=64,
        pooling="mean", head_size=head,
    )  # fmt: skip
    maps = [m for name, m in model.named_modules() if name.endswith(".W") and isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in maps] == fused


def test_losses_by_hand() -> None:
    """Each loss of one example, worked out with the exponential function alone."""
    logits, labels = torch.tensor([[1.0, -1.0]]), torch.tensor([0])
    p = 1 / (1 + math.exp(-2))  # softmax of (1, −1) for the first class
    s = 1 / (1 + math.exp(-1))  # sigmoid of 1
    assert float(LOSSES["cross_entropy"](logits, labels)) == pytest.approx(-math.log(p))
    assert float(LOSSES["mse"](logits, labels)) == pytest.approx(((1 - p) ** 2 + (1 - p) ** 2) / 2)
    assert float(LOSSES["bce_one_hot"](logits, labels)) == pytest.approx((-math.log(s) - math.log(s)) / 2)
    single = torch.tensor([[1.0]])
    assert float(LOSSES["bce_logit"](single, torch.tensor([1]))) == pytest.approx(-math.log(s))
    assert float(LOSSES["bce_logit"](single, torch.tensor([0]))) == pytest.approx(-math.log(1 - s))


def test_a_single_logit_speaks_for_the_second_class() -> None:
    """Its sign decides, and its sigmoid is the probability of class 1."""
    logits = torch.tensor([[2.0], [-2.0]])
    assert predicted(logits).tolist() == [1, 0]
    s = 1 / (1 + math.exp(-2))
    torch.testing.assert_close(probabilities("bce_logit", logits), torch.tensor([[1 - s, s], [s, 1 - s]]))
    assert outputs_for("bce_logit", 2) == 1
    with pytest.raises(ValueError, match="bce_logit tells two classes apart, and the data have 3"):
        outputs_for("bce_logit", 3)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"cell": "lstm", "bidirectional": True}, "packed: true with bidirectional: true"),
        ({"cell": "handwritten_lstm", "packed": True}, "no bidirectional, packed or recurrent_dropout with"),
        ({"cell": "gru", "recurrent_dropout": 0.5}, "layers of 2 or more with recurrent_dropout"),
    ],
    ids=["backwards through padding", "by hand", "nothing between"],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, object], expected: str) -> None:
    """What a cell cannot do is told before anything trains."""
    with pytest.raises(ValidationError, match=expected):
        ModelSettings.model_validate(settings)


def test_arguments_are_those_that_torch_declares() -> None:
    """Names and defaults come from torch: an LSTM has proj_size, a plain RNN a nonlinearity, and none a device."""
    lstm, rnn, embedding = (dict(arguments(layer)) for layer in (nn.LSTM, nn.RNN, nn.Embedding))
    assert lstm == {
        "input_size": "", "hidden_size": "", "num_layers": "1", "bias": "True", "batch_first": "False",
        "dropout": "0.0", "bidirectional": "False", "proj_size": "0",
    }  # fmt: skip
    assert (rnn["nonlinearity"], "proj_size" in rnn) == ("tanh", False)
    assert (embedding["num_embeddings"], embedding["padding_idx"], embedding["norm_type"]) == ("", "None", "2.0")


def test_only_the_layers_in_use_are_explained() -> None:
    """A model with an embedding and a GRU has the arguments of those two; a hand-written cell has none."""
    model = SequenceClassifier(5, 2, cell="gru", hidden_size=3, embedding_size=4)
    assert list(arguments_in_use(model)) == ["Embedding", "GRU"]
    assert arguments_in_use(SequenceClassifier(5, 2, cell="handwritten_gru", hidden_size=3)) == {}
