"""The letters' networks: the peephole LSTM against its equations, the two linear layers against theirs."""

import re

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import grad

from reportgen.lab.data.corpora import Corpus
from reportgen.lab.models.cells import HandwrittenPeepholeLSTM, PeepholeLSTMCell
from reportgen.lab.printout import describe
from reportgen.resources import TEMPLATES
from reportgen.tasks.classification.data import Dataset, encode
from reportgen.tasks.classification.letter_models import RNN
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.run import build, train, tried_on
from reportgen.tasks.classification.settings import ModelSettings, TrainingSettings

BATCH, TIME, INPUTS, HIDDEN = 3, 6, 4, 5
CPU = torch.device("cpu")
Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def step_by_step(cell: nn.Module, x: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
    """Work the six equations out in numpy, one step and one map after the other."""
    weights = {name: p.detach().numpy() for name, p in cell.named_parameters()}

    def mapped(name: str, value: Floats) -> Floats:
        sums: Floats = value @ weights[f"linear_{name}.weight"].T + weights[f"linear_{name}.bias"]
        return sums

    outputs = []
    for t in range(x.shape[1]):
        i = sigmoid(mapped("i_x", x[:, t]) + mapped("i_h", h) + mapped("i_c", c))
        f = sigmoid(mapped("f_x", x[:, t]) + mapped("f_h", h) + mapped("f_c", c))
        c = f * c + i * np.tanh(mapped("c_x", x[:, t]) + mapped("c_h", h))
        o = sigmoid(mapped("o_x", x[:, t]) + mapped("o_h", h) + mapped("o_c", c))
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), h, c


def peephole() -> tuple[PeepholeLSTMCell, Tensor, Tensor, Tensor]:
    """Return a cell in float64 with an input and a state."""
    torch.manual_seed(0)
    cell = PeepholeLSTMCell(INPUTS, HIDDEN).double()
    shapes = [(BATCH, TIME, INPUTS), (BATCH, HIDDEN), (BATCH, HIDDEN)]
    x, h, c = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    return cell, x, h, c


def test_the_peephole_lstm_follows_its_equations() -> None:
    """A scan, and the cell called once a step, give what the equations give step by step in numpy."""
    cell, x, h, c = peephole()
    expected, last_h, last_c = step_by_step(cell, x.detach().numpy(), h.detach().numpy(), c.detach().numpy())
    outputs, last = cell.scan(x, (h, c))
    state = (h, c)
    for t in range(TIME):
        state = cell(x[:, t], state)
        np.testing.assert_allclose(state[0].detach().numpy(), expected[:, t], atol=1e-12)
    for found, wanted in ((outputs, expected), (last[0], last_h), (last[1], last_c), (state[1], last_c)):
        np.testing.assert_allclose(found.detach().numpy(), wanted, atol=1e-12)


def test_the_peephole_lstms_gradients_are_the_slopes_of_its_equations() -> None:
    """What flows back to every weight and input is the central difference of the numpy computation."""
    cell, x, h, c = peephole()
    weigh = np.linspace(-1, 2, BATCH * TIME * HIDDEN).reshape(BATCH, TIME, HIDDEN)
    leaves = {**dict(cell.named_parameters()), "x": x, "h": h, "c": c}
    slopes = grad((cell.scan(x, (h, c))[0] * torch.from_numpy(weigh)).sum(), list(leaves.values()))
    arrays = x.detach().numpy(), h.detach().numpy(), c.detach().numpy()
    for (name, leaf), slope in zip(leaves.items(), slopes, strict=True):
        values = leaf.detach().numpy().reshape(-1)
        for place in (0, len(values) - 1):
            sides = []
            for change in (1e-5, -1e-5):
                values[place] += change
                sides.append((step_by_step(cell, *arrays)[0] * weigh).sum())
                values[place] -= change
            assert slope.flatten()[place].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5), name


def test_the_gates_are_those_of_the_step() -> None:
    """With the gates that the cell tells, the cell state and output of the step come out again."""
    cell, x, h, c = peephole()
    i, f, o = cell.gates(x[:, 0], (h, c))
    after = f * c + i * torch.tanh(cell.linear_c_x(x[:, 0]) + cell.linear_c_h(h))
    expected = cell(x[:, 0], (h, c))
    torch.testing.assert_close(after, expected[1])
    torch.testing.assert_close(o * torch.tanh(after), expected[0])


def toy() -> Dataset:
    """Return 18 classes of texts over 57 letters; the last letter tells the class."""
    letters = [chr(ord("A") + i) for i in range(57)]
    texts = [letters[i] + letters[i % 18] for i in range(57)] * 3
    parts = {"train": np.arange(114), "validation": np.arange(114, 140), "test": np.arange(140, 171)}
    return encode("toy", Corpus(texts, [i % 18 for i in range(57)] * 3, tuple(letters[:18]), ()), parts)


def test_two_linear_layers_print_as_in_the_source() -> None:
    """i2h, i2o and LogSoftmax, 185 → 128 and 185 → 18, and no other parameters."""
    data = toy()
    model = build(ModelSettings(cell="handwritten_rnn_i2h_i2o"), data)
    assert str(model) == (
        "RNN(\n"
        "  (i2h): Linear(in_features=185, out_features=128, bias=True)\n"
        "  (i2o): Linear(in_features=185, out_features=18, bias=True)\n"
        "  (softmax): LogSoftmax(dim=1)\n"
        ")"
    )
    described = describe(model, tried_on(data, CPU))
    assert described["parameters"] == 186 * (128 + 18)
    # a layer that is called at every step has one line in the summary
    assert [described["summary"].count(name) for name in ("(i2h)", "(i2o)", "recursive")] == [1, 1, 0]


def test_the_peephole_lstm_prints_its_eleven_linear_layers() -> None:
    """linear_{i,f,o}_{x,h,c} and linear_c_{x,h}, each of the size that it meets."""
    printed = str(HandwrittenPeepholeLSTM(57, 32))
    for gate, source in [(g, s) for g in "ifo" for s in "xhc"] + [("c", "x"), ("c", "h")]:
        size = 57 if source == "x" else 32
        assert f"(linear_{gate}_{source}): Linear(in_features={size}, out_features=32, bias=True)" in printed
    assert printed.count("Linear(") == 11


def test_a_classifier_can_end_with_log_softmax() -> None:
    """With log_softmax the outputs are the logarithms of the softmax of the logits, and print(model) says so."""
    torch.manual_seed(0)
    plain = SequenceClassifier(5, 3, cell="lstm", hidden_size=4)
    torch.manual_seed(0)
    logs = SequenceClassifier(5, 3, cell="lstm", hidden_size=4, log_softmax=True)
    batch = torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1])
    torch.testing.assert_close(logs(*batch), plain(*batch).log_softmax(1))
    assert "(1): LogSoftmax(dim=1)" in str(logs)


def test_two_linear_layers_compute_what_they_say() -> None:
    """The class comes from the last symbol beside the state before it, whatever the padding after it."""
    torch.manual_seed(0)
    model = RNN(3, 2, 4)
    indices, lengths = torch.tensor([[1, 3, 2, 0], [2, 0, 0, 0]]), torch.tensor([3, 1])
    found = model(indices, lengths)
    eye = torch.eye(3)
    h = torch.zeros(4)
    for symbol in (0, 2):
        h = model.i2h(torch.cat([eye[symbol], h]))
    torch.testing.assert_close(found[0], model.i2o(torch.cat([eye[1], h])).log_softmax(0))
    torch.testing.assert_close(found[1], model.i2o(torch.cat([eye[1], torch.zeros(4)])).log_softmax(0))


def test_two_linear_layers_learn() -> None:
    """What the last letter tells is learnt."""
    torch.manual_seed(0)
    data = toy()
    settings = TrainingSettings(epochs=40, batch_size=8, learning_rate=0.02)
    model = build(ModelSettings(cell="handwritten_rnn_i2h_i2o", hidden_size=16), data)
    found = train(model, data, settings, random=torch.Generator().manual_seed(0), device=CPU, epochs=[])
    assert (found.test.predicted == found.test.target).all()


def test_the_equations_name_the_layers_of_the_printout() -> None:
    """Every linear layer has its weight and its bias in the printed equations, under its own name."""
    printed = (TEMPLATES / "equations" / "handwritten_peephole_lstm.md.j2").read_text("utf-8")
    for letter, kind in (("W", "weight"), ("b", "bias")):
        names = {f"linear_{gate}_{of}.{kind}" for gate, of in re.findall(rf"{letter}_{{(.),(.)}}", printed)}
        assert names == {name for name, _ in PeepholeLSTMCell(2, 3).named_parameters() if name.endswith(kind)}
