"""The setting `training.precision`: part of the key, true to its name, refused where the device cannot."""

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from conftest import TINY

from reportgen import pipeline
from reportgen.errors import ReportgenError, SuiteError
from reportgen.lab.device import has_cuda
from reportgen.lab.environment import forward_in, set_tf32
from reportgen.lab.record import Record
from reportgen.storage.records import Store
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.precision import try_precision
from reportgen.tasks.classification.settings import ModelSettings, RunSettings, SurnamesSettings, TrainingSettings
from reportgen.tasks.runs import carry_out, key_parts

CPU = torch.device("cpu")


def settings(name: Literal["float32", "tf32", "bf16"], cell: str = "gru") -> RunSettings:
    """Return a small run in that precision."""
    return RunSettings(
        data=SurnamesSettings(source="surnames", languages=("Greek", "Russian"), limit=300),
        model=ModelSettings(cell=cell, hidden_size=8),
        training=TrainingSettings(epochs=2, batch_size=32, learning_rate=0.01, precision=name),
    )


def carried_out(name: Literal["float32", "bf16"], cell: str) -> Record:
    """Carry the run out."""
    own = settings(name, cell)
    record = carry_out(own, 0, key_parts(own, 0))
    assert (record.status, record.error) == ("finished", "")
    return record


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "handwritten_rnn", "handwritten_lstm", "handwritten_gru"])
def test_bf16_learns_nearly_what_float32_does(cell: str) -> None:
    """Every cell trains in bf16 on a CPU that has it; the losses differ by rounding, and do differ."""
    if cell == "lstm" and try_precision("bf16", {"cell": cell}).fault:
        pytest.skip("this processor has no bf16 for torch's LSTM; a plan refuses it: see test_processors.py")
    exact, short = (carried_out(name, cell).epochs[-1] for name in ("float32", "bf16"))
    assert short["train_loss"] == pytest.approx(exact["train_loss"], rel=0.02)
    assert short["train_loss"] != exact["train_loss"]


def test_the_weights_stay_float32() -> None:
    """bf16 is for the products alone: logits are short numbers, weights and gradients are not."""
    model = SequenceClassifier(5, 2, cell="handwritten_lstm", hidden_size=4)
    with forward_in("bf16", CPU):
        logits = model(torch.tensor([[1, 2, 3]]), torch.tensor([3]))
    assert logits.dtype == torch.bfloat16
    logits.float().sum().backward()
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


def test_precision_is_part_of_the_key() -> None:
    """Runs in two precisions are two runs, and only what says so differs."""
    one, other = (key_parts(settings(name), 0) for name in ("float32", "bf16"))
    assert {name for name in one if one[name] != other[name]} == {"training.precision", "dtype"}


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
def test_tf32_on_a_cpu_is_refused(tmp_path: Path) -> None:
    """Before anything trains, with the setting's name and what would do."""
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY.read_text("utf-8").replace("epochs: 3,", "epochs: 3, precision: tf32,"), "utf-8")
    line = next(i for i, text in enumerate(file.read_text("utf-8").splitlines(), 1) if "precision" in text)
    expected = rf"tiny.yaml:{line}: training.precision: got 'tf32' for a run on the CPU, expected float32 or bf16"
    with pytest.raises(SuiteError, match=expected):
        pipeline.plan(pipeline.load(file), Store(tmp_path))


def test_an_old_gpu_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting and the GPU; float32 is fine there."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    with pytest.raises(ReportgenError, match=r"^training\.precision: got 'bf16', expected float32 on Tesla T4"):
        set_tf32("bf16", torch.device("cuda"))
    set_tf32("float32", torch.device("cuda"))


@pytest.mark.parametrize(("name", "expected"), [("float32", False), ("tf32", True), ("bf16", False)])
def test_only_tf32_lets_a_gpu_round_to_it(name: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """float32 is float32 in cuDNN's recurrent layers, too, where torch's own default is tf32."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    places: list[Any] = [torch.backends.cudnn, torch.backends.cuda.matmul]
    before = [place.allow_tf32 for place in places]
    try:
        for place in places:
            place.allow_tf32 = not expected
        set_tf32(name, torch.device("cuda"))
        assert [place.allow_tf32 for place in places] == [expected, expected]
    finally:
        for place, allowed in zip(places, before, strict=True):
            place.allow_tf32 = allowed


@pytest.mark.skipif(not has_cuda(), reason="this machine has no GPU")
@pytest.mark.parametrize("name", ["tf32", "bf16"])
def test_short_numbers_train_on_a_gpu(name: Literal["tf32", "bf16"]) -> None:
    """On a machine with a GPU, both give a finished run."""
    own = settings(name).model_copy(update={"device": "cuda"})
    assert carry_out(own, 0, key_parts(own, 0)).status == "finished"
