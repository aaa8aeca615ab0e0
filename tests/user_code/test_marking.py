"""`reportgen try`: a hand-written layer is marked right or wrong against torch.nn's, and where."""

from pathlib import Path

import pytest
import torch
from conftest import Command
from torch import nn

from reportgen.user_code.matching import GATES, Match, compare, copy_weights, left_over

LSTM = """\
import torch
from torch import nn


class MyLSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W_i, self.U_i = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.W_f, self.U_f = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.W_g, self.U_g = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.W_o, self.U_o = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x, state=None):
        h = c = x.new_zeros(len(x), self.hidden_size)
        states = []
        for t, step in enumerate(x.unbind(1)):
            i = torch.sigmoid(self.W_i(step) + self.U_i(h))
            f = torch.sigmoid(self.W_f(step) + self.U_f(h))
            g = torch.tanh(self.W_g(step) + self.U_g(h))
            o = torch.sigmoid(self.W_o(step) + self.U_o(h))
            c = f * c + i * g
            h = o * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1), (h, c)
"""
MAPPING = {
    name: made
    for gate in "ifgo"
    for name, made in {
        f"W_{gate}.weight": f"weight_ih[{gate}]",
        f"U_{gate}.weight": f"weight_hh[{gate}]",
        f"W_{gate}.bias": f"bias_ih[{gate}] + bias_hh[{gate}]",
    }.items()
}


def written(folder: Path, text: str = LSTM) -> str:
    """Write a layer, and return what it is called."""
    (folder / "mine.py").write_text(text, "utf-8")
    return f"{folder / 'mine.py'}:MyLSTM"


def marked(folder: Path, old: str = "", new: str = "", **options: object) -> Match:
    """Compare the LSTM, with something in it changed, with torch's."""
    assert old in LSTM
    cell = written(folder, LSTM.replace(old, new))
    return compare(cell, "lstm", 4, 6, **{"mapping": MAPPING, **options})  # type: ignore[arg-type]


def test_a_right_layer_is_right(tmp_path: Path) -> None:
    """States, last states and gradient are torch's to 1e-10, and nothing is left out."""
    match = marked(tmp_path)
    assert match.right
    assert [found.what for found in match.differences] == ["states", "gradient of the input", "last h", "last c"]
    assert max(found.largest for found in match.differences) < 1e-14
    assert (match.trial.fault, match.trial.notes, match.exchanged) == (None, [], "")


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("f * c + i * g", "c + i * g", 2),  # without a forget gate the first step is right: c is 0
        ("o * torch.tanh(c)", "o * c", 1),
        ("g = torch.tanh(", "g = torch.sigmoid(", 1),
        ("            c = f * c + i * g\n", "            c = f * c + (i if t < 3 else f) * g\n", 4),
    ],
)
def test_a_wrong_layer_is_wrong_from_the_step_on(tmp_path: Path, old: str, new: str, step: int) -> None:
    """The first step whose state is not torch's is named, and the last state is wrong, too."""
    match = marked(tmp_path, old, new)
    assert not match.right
    differences = {found.what: found for found in match.differences}
    assert differences["states"].first_step == step
    assert differences["states"].largest > 1e-3
    assert differences["last h"].wrong
    assert differences["last h"].first_step is None


def test_gates_that_were_exchanged_are_named(tmp_path: Path) -> None:
    """Input gate for forget gate: wrong, and it is said that exchanging them makes it right."""
    match = marked(tmp_path, "f * c + i * g", "i * c + f * g")
    assert not match.right
    assert match.exchanged == "i, f, g, o as f, i, g, o"


def test_a_gradient_that_is_cut_is_found(tmp_path: Path) -> None:
    """States that are right with a state detached on the way have another gradient."""
    match = marked(tmp_path, "self.U_o(h)", "self.U_o(h.detach())")
    assert [found.wrong for found in match.differences] == [False, True, False, False]


def test_a_mapping_that_leaves_something_out_is_told(tmp_path: Path) -> None:
    """Without torch's second bias nothing can match; the note says which blocks are left over."""
    mapping = {**MAPPING, "W_f.bias": "bias_ih[f]"}
    match = marked(tmp_path, mapping=mapping)
    assert not match.right
    assert match.trial.notes == ["the mapping leaves out bias_hh[f], which are not zero"]
    assert left_over("gru", {"W": "weight_ih"}) == ["weight_hh", "bias_ih", "bias_hh"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"W_i.weight": "weight_hh[i]"},
            "got 'weight_hh[i]' of shape (6, 6), expected the shape of W_i.weight,",
        ),
        (
            {"W_i.weight": "weight_ih[x]"},
            "got 'weight_ih[x]', expected weight_ih, weight_hh, bias_ih, bias_hh",
        ),
        ({"W_i.weight": "weight_ih[i] + bias_ih[i]"}, "got a sum of (6, 4) and (6,), expected terms of one shape"),
        ({"W_1.weight": "weight_ih[i]"}, "got the unknown weight 'W_1.weight', expected a weight of the layer: "),
    ],
)
def test_a_faulty_mapping_is_told(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    """A shape that does not fit, a gate that is not there, an unknown weight."""
    fault = marked(tmp_path, mapping={**MAPPING, **changed}).trial.fault
    assert str(fault).startswith(message)
    assert fault is not None
    assert fault.setting == next(iter(changed))


def test_a_weight_without_a_part_in_the_mapping_is_told(tmp_path: Path) -> None:
    """Every weight of the layer has to come from somewhere."""
    mapping = {name: made for name, made in MAPPING.items() if name != "U_o.weight"}
    assert str(marked(tmp_path, mapping=mapping).trial.fault).startswith("got nothing for U_o.weight, expected")


@pytest.mark.parametrize("kind", GATES)
def test_torchs_own_networks_are_right(tmp_path: Path, kind: str) -> None:
    """A class that inherits from torch's has its names, and needs no mapping."""
    text = f"from torch import nn\nclass MyLSTM(nn.{kind.upper()}):\n    pass\n"
    match = compare(written(tmp_path, text), kind, 4, 6, arguments={"batch_first": True})
    assert match.trial.fault is None
    assert match.right
    assert match.trial.passed[-1].endswith("by their names")


def test_a_method_copy_from_is_used(tmp_path: Path) -> None:
    """reportgen's own hand-written LSTM, and GRU, are marked right by their copy_from."""
    for kind in ("lstm", "gru", "rnn"):
        text = f"from reportgen.lab.models.cells import Handwritten{kind.upper()} as MyLSTM\n"
        match = compare(written(tmp_path, text), kind, 4, 6)
        assert match.right
        assert match.trial.passed[-1].endswith("by its method copy_from")


def test_blocks_sums_and_transposes_are_what_they_say() -> None:
    """`[g, i]` is two blocks of rows in that order, `.T` transposed, a list side by side."""
    network = nn.LSTM(2, 3)
    layer = nn.ParameterDict(
        {"a": torch.zeros(6, 2), "b": torch.zeros(2, 3), "c": torch.zeros(3, 5), "d": torch.zeros(12)}
    )
    made: dict[str, str | list[str]] = {
        "a": "weight_ih[g, i]",
        "b": "weight_ih[o].T",
        "c": ["weight_ih[f]", "weight_hh[f]"],
        "d": "bias_ih+bias_hh",
    }
    copy_weights(layer, network, "lstm", made)
    w, u, b, more = (
        network.state_dict()[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    assert torch.equal(layer["a"], torch.cat([w[6:9], w[0:3]]))
    assert torch.equal(layer["b"], w[9:12].T)
    assert torch.equal(layer["c"], torch.cat([w[3:6], u[3:6]], dim=1))
    assert torch.equal(layer["d"], b + more)


@pytest.mark.slow
def test_the_command_marks_a_layer(tmp_path: Path, reportgen: Command) -> None:
    """Right is exit status 0, wrong is 1, and both say so in their last line."""
    written(tmp_path)
    (tmp_path / "weights.yaml").write_text("".join(f"{name}: {made}\n" for name, made in MAPPING.items()))
    command = ("try", "mine.py:MyLSTM", "--matches", "lstm", "--weights", "weights.yaml")
    done = reportgen(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "match: it computes what torch.nn.LSTM does"
    written(tmp_path, LSTM.replace("f * c + i * g", "i * c + f * g"))
    done = reportgen(*command)
    assert done.returncode == 1
    assert "WRONG    states: first in step 1, largest difference" in done.stdout
    assert done.stdout.splitlines()[-2:] == [
        "note     it would be right with the gates i, f, g, o as f, i, g, o",
        "no match: it does not compute what torch.nn.LSTM does",
    ]


@pytest.mark.slow
def test_the_command_tells_what_it_cannot_try(tmp_path: Path, reportgen: Command) -> None:
    """One message and exit status 2, with the line of the mapping where it is about that."""
    written(tmp_path)
    (tmp_path / "weights.yaml").write_text("W_i.weight: weight_ih[i]\nW_i.wait: 3\n")
    messages = {
        ("mine.py",): "got 'mine.py', expected a file and a class",
        ("other.py:MyLSTM",): "other.py: no such file",
        ("mine.py:MyGRU",): "got a file without MyGRU; its classes are MyLSTM",
        ("mine.py:MyLSTM", "--argument", "depth=2"): "got an unexpected keyword argument 'depth'",
        ("mine.py:MyLSTM", "--matches", "lstm"): "expected a mapping (--weights), a method copy_from(network)",
        ("mine.py:MyLSTM", "--weights", "weights.yaml"): "--weights: requires --matches",
        ("mine.py:MyLSTM", "--matches", "lstm", "--weights", "weights.yaml"): "weights.yaml:2: W_i.wait: got 3",
    }
    for arguments, message in messages.items():
        done = reportgen("try", *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert message in done.stderr
