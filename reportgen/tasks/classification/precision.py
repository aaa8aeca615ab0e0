"""Does a model of reportgen's own compute on this machine in the precision that a suite asks for?

torch's LSTM, for one, has no bf16 on processors without AVX-512: oneDNN, which computes it, has no such kernel.
Which processors lack what is oneDNN's own affair, and changes with its version; so it is tried.
"""

from collections.abc import Mapping
from typing import Any, get_args

import torch
from pydantic import ValidationError

from reportgen.lab.settings import RecurrentCell
from reportgen.lab.user_class import BATCH, TIME
from reportgen.tasks.classification.letter_models import RNN
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.settings import ModelSettings
from reportgen.user_code.layers import Fault, Trial, one_step

_SYMBOLS, _CLASSES, _HIDDEN = 9, 4, 4
"""Sizes of the tiny model."""


def try_precision(precision: str, model: Mapping[str, Any], device: str = "cpu") -> Trial:
    """Try a tiny model in a precision; a fault names the cells that do compute in it.

    Args:
        precision: float32, tf32 or bf16.
        model: the settings of a classifier's recurrent layers: its cell, how many, and how they are connected.
        device: where the run will be.
    """
    cell = model["cell"]
    fault = _fault(precision, model, device)
    if not fault:
        return Trial(passed=[f"{cell} computes in {precision}"])
    others = (other for other in (f"handwritten_{cell}", "rnn", "lstm", "gru") if other in get_args(RecurrentCell))
    able = [other for other in others if not _fault(precision, {**model, "cell": other}, device)]
    expected = "float32" + (f", or another cell: {', '.join(able)}" if able else "")
    got = f"{precision!r}, in which this machine cannot compute cell {cell} ({fault})"
    return Trial(fault=Fault(got, expected))


def _fault(precision: str, model: Mapping[str, Any], device: str) -> str:
    """Return in a line why the model does not compute; nothing if it does."""
    try:
        settings = ModelSettings.model_validate({**model, "hidden_size": _HIDDEN})
        with torch.random.fork_rng(devices=[]):
            network = (
                RNN(_SYMBOLS, _CLASSES, _HIDDEN)
                if settings.cell == "handwritten_rnn_i2h_i2o"
                else SequenceClassifier(_SYMBOLS, _CLASSES, **settings.model_dump(exclude={"module"}))
            )
        tokens, lengths = torch.ones(BATCH, TIME, dtype=torch.int64), torch.tensor([TIME, 2, 1])
        one_step(network.to(device), (tokens.to(device), lengths.to(device)), precision)
    except ValidationError:
        return "there is no such model"
    except Exception as error:
        return str(error).strip().split(". ")[0].splitlines()[0] if str(error).strip() else type(error).__name__
    return ""
