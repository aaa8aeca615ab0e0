"""Probes: the gradient by distance is that of the Jacobians, and the gates are those that torch computes."""

import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.functional import jacobian

from reportgen.lab.models.recurrent import recurrent
from reportgen.lab.probes import gates_over, measure_network
from reportgen.lab.record import from_files, to_files
from reportgen.lab.settings import RecurrentCell
from reportgen.tasks.classification.data import prepare
from reportgen.tasks.classification.letter_models import RNN
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.run import gradient_by_distance
from reportgen.tasks.classification.settings import (
    KNOWN_CELLS,
    ModelSettings,
    RunSettings,
    SurnamesSettings,
    TrainingSettings,
)
from reportgen.tasks.registry import run_settings
from reportgen.tasks.runs import carry_out, key_parts

INDICES = torch.tensor([[1, 2, 3, 1, 2], [3, 1, 0, 0, 0], [2, 2, 1, 0, 0]])
LENGTHS = torch.tensor([5, 2, 3])


def classifier(cell: str, hidden_size: int = 4, **settings: Any) -> SequenceClassifier | RNN:
    """Return a small network with fresh weights."""
    torch.manual_seed(0)
    if cell == "handwritten_rnn_i2h_i2o":
        return RNN(3, 2, hidden_size)
    return SequenceClassifier(3, 2, cell=cell, hidden_size=hidden_size, **settings)


def over(model: SequenceClassifier | RNN) -> NDArray[np.float64] | None:
    """Return the gates over the first sequence."""
    return gates_over(getattr(model, "recurrent", None), model.input(INDICES[:1]).detach())


def by_jacobians(model: SequenceClassifier | RNN) -> list[list[float]]:
    """Return, by distance, the norms of the whole Jacobians of each sequence's last state."""
    found: list[list[float]] = [[] for _ in range(5)]
    for indices, length in zip(INDICES, LENGTHS.tolist(), strict=True):

        def last(x: Tensor, length: int = length) -> Tensor:
            return model.states(x, torch.tensor([length]))[0, length - 1, : model.hidden_size]

        slopes = jacobian(last, model.input(indices[None, :length]).detach())  # type: ignore[no-untyped-call]
        for t in range(length):
            found[length - 1 - t].append(float(slopes[:, 0, t].detach().norm()))
    return found


@pytest.mark.parametrize("cell", KNOWN_CELLS)
def test_the_gradient_by_distance_is_that_of_the_jacobians(cell: str) -> None:
    """With as many directions as units it is the mean of the Jacobians' Frobenius norms, exactly."""
    model = classifier(cell)
    norms, counts = gradient_by_distance(model, INDICES, LENGTHS)
    expected = by_jacobians(model)
    np.testing.assert_allclose(norms, [np.mean(each) for each in expected], rtol=1e-5)
    assert counts.tolist() == [3, 3, 2, 1, 1]


@pytest.mark.parametrize(
    "settings",
    [
        {"packed": True}, {"packed": True, "bidirectional": True}, {"layers": 2, "embedding_size": 5},
        {"pooling": "mean", "dropout": 0.5},
    ],
    ids=str,
)  # fmt: skip
def test_every_way_to_read_has_its_gradients(settings: dict[str, Any]) -> None:
    """Packed, both ways, in layers, embedded, pooled: it is still the forward state at the last symbol."""
    model = classifier("gru", **settings)
    norms, _ = gradient_by_distance(model, INDICES, LENGTHS)
    np.testing.assert_allclose(norms, [np.mean(each) for each in by_jacobians(model)], rtol=1e-5)


def test_a_few_directions_are_right_on_average() -> None:
    """Seen from 16 directions of 64, the mean over 200 sequences is within 3 percent of the exact one."""
    model = classifier("lstm", hidden_size=64)
    indices = torch.randint(1, 4, (200, 8), generator=torch.Generator().manual_seed(0))
    lengths = torch.full((200,), 8)
    exact, _ = gradient_by_distance(model, indices, lengths, directions=64)
    seen, _ = gradient_by_distance(model, indices, lengths)
    np.testing.assert_allclose(seen, exact, rtol=0.03)
    assert not np.allclose(seen, exact, rtol=1e-6)


def test_a_linear_state_forgets_by_its_matrix() -> None:
    """Of the network without activations it is known beforehand: the norm of W_hᵏ W_x, whatever the symbols."""
    model = classifier("handwritten_rnn_i2h_i2o")
    assert isinstance(model, RNN)
    weights = model.i2h.weight.detach()
    from_x, from_h = weights[:, :3], weights[:, 3:]
    norms, _ = gradient_by_distance(model, INDICES, LENGTHS)
    expected = [float((torch.linalg.matrix_power(from_h, k) @ from_x).norm()) for k in range(5)]
    np.testing.assert_allclose(norms, expected, rtol=1e-5)


def test_probing_leaves_the_model_as_it_was() -> None:
    """Neither weights nor mode nor torch's global generator change, and there are no gradients left."""
    model = classifier("lstm", dropout=0.5).train()
    before, state = [p.detach().clone() for p in model.parameters()], torch.get_rng_state()
    gradient_by_distance(model, INDICES, LENGTHS)
    over(model)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_probing_does_not_import_sympy() -> None:
    """What torch imports for its compiler alone takes half a second, and is not there after a probe."""
    code = """
import sys
import torch
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.lab.probes import gates_over
from reportgen.tasks.classification.run import gradient_by_distance

model = SequenceClassifier(5, 2, cell="lstm", hidden_size=4, embedding_size=3)
gradient_by_distance(model, torch.tensor([[1, 2, 3]]), torch.tensor([3]))
gates_over(model.recurrent, torch.zeros(1, 3, 3))
print("sympy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("cell", get_args(RecurrentCell))
def test_only_an_lstm_has_these_gates(cell: str) -> None:
    """RNN and GRU have none, nor has an LSTM that reads both ways; all other LSTMs have three a layer."""
    gates = over(classifier(cell, layers=2))
    if "lstm" not in cell:
        assert gates is None
        return
    assert gates is not None
    assert gates.shape == (2, 3, 5)
    assert ((gates > 0) & (gates < 1)).all()
    both = classifier("lstm", packed=True, bidirectional=True)
    assert over(both) is None


def test_the_gates_of_torchs_lstm_are_torchs() -> None:
    """Worked out from torch's weights and torch's own states, layer by layer, the means are the same."""
    model = classifier("lstm", layers=2)
    assert isinstance(model, SequenceClassifier)
    gates = over(model)
    assert gates is not None
    network, x = model.recurrent, model.input(INDICES[:1])
    assert isinstance(network, torch.nn.LSTM)
    for layer in range(2):
        w_ih, w_hh, b_ih, b_hh = (getattr(network, f"{name}_l{layer}") for name in
                                  ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))  # fmt: skip
        single = torch.nn.LSTM(x.shape[2], 4, batch_first=True)
        single.load_state_dict(
            {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
        )
        outputs = single(x)[0].detach()
        before = torch.nn.functional.pad(outputs, (0, 0, 1, 0))[:, :-1]
        i, f, _, o = (x @ w_ih.T + b_ih + before @ w_hh.T + b_hh).sigmoid().chunk(4, dim=2)
        expected = torch.stack([gate[0].mean(1) for gate in (i, f, o)]).detach()
        np.testing.assert_allclose(gates[layer], expected.numpy(), rtol=1e-5)
        x = outputs


def test_every_classifiers_record_has_its_probes() -> None:
    """They are in the record, about the longest names of the test part, and come back from the disk."""
    settings = RunSettings(
        data=SurnamesSettings(source="surnames", languages=("Chinese", "Greek"), limit=60),
        model=ModelSettings(cell="lstm", hidden_size=8),
        training=TrainingSettings(epochs=1, batch_size=16),
    )
    record = carry_out(settings, 0, key_parts(settings, 0))
    data = prepare(settings.data)
    tested = data.parts["test"]
    longest = int(data.lengths[tested].max())
    names = ["".join(data.vocabulary[i - 1] for i in data.inputs[n] if i) for n in tested]
    assert "".join(record.measures["gate_tokens"]) == max(names, key=len)
    assert record.arrays["gates"].shape == (1, 3, longest)
    assert record.arrays["gradient_norm"].shape == record.arrays["gradient_count"].shape == (longest,)
    assert record.arrays["gradient_count"][0] == min(64, len(tested))
    again = from_files(to_files(record))
    assert again.measures == record.measures
    for name, array in record.arrays.items():
        assert np.array_equal(again.arrays[name], array)


@pytest.mark.parametrize("cell", get_args(RecurrentCell))
def test_a_network_over_numbers_is_probed_in_its_own_precision(cell: str) -> None:
    """A forecaster's network in float64: the norms are those of the Jacobians, and an LSTM has its gates."""
    torch.manual_seed(0)
    network = recurrent(cell, 1, 3, 2).double()
    x = torch.randn(2, 6, 1, dtype=torch.float64)
    found = measure_network(network, x)
    norms = []
    for sequence in x[None].unbind(1):
        slopes = jacobian(lambda own: network(own)[0][0, -1], sequence)  # type: ignore[no-untyped-call]
        norms.append([float(slopes[:, 0, 5 - distance].norm()) for distance in range(6)])
    np.testing.assert_allclose(found["gradient_norm"].astype(float), np.mean(norms, axis=0), rtol=1e-9)
    assert found["gradient_count"].tolist() == [2] * 6
    assert ("gates" in found) == ("lstm" in cell)
    assert found.get("gates", np.empty((2, 3, 6))).shape == (2, 3, 6)


@pytest.mark.parametrize(
    "plain",
    [
        {"data": {"source": "sine", "sequences": 6, "length": 20, "test": 2}, "training": {"steps": 2}},
        {
            "data": {"source": "addition", "digits": 9, "test_numbers": 4},
            "training": {"steps": 2, "batch_size": 3},
        },
    ],
    ids=["forecasting", "addition"],
)
def test_the_records_of_other_tasks_have_their_probes(plain: dict[str, Any]) -> None:
    """Of the points that are given, and of both numbers' digits with a step for the carry."""
    settings = run_settings({**plain, "model": {"cell": "lstm", "hidden_size": 4, "layers": 1}})
    record = carry_out(settings, 0, key_parts(settings, 0))
    assert record.status == "finished"
    assert record.arrays["gates"].shape == (1, 3, 10)
    assert record.arrays["gradient_norm"].shape == (10,)
    tokens = record.measures["gate_tokens"]
    assert len(tokens) == 10
    assert tokens[-1] == ("10" if "sequences" in plain["data"] else "0+0")
