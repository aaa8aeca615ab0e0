"""The printout of a model: its layers, shapes and parameters."""

import inspect
from typing import Any, get_overloads

from torch import Tensor, nn
from torchinfo import summary

from reportgen.lab.models.scans import STANDS_FOR

EXPLAINED = (nn.Embedding, nn.RNN, nn.LSTM, nn.GRU)
_OF_NO_INTEREST = ("self", "device", "dtype")


def arguments_in_use(model: nn.Module) -> dict[str, list[tuple[str, str]]]:
    """Return the arguments of each kind of layer of torch.nn's that the model has, by the layer's name."""
    used = {STANDS_FOR.get(type(module), type(module)) for module in model.modules()}
    return {layer.__name__: arguments(layer) for layer in EXPLAINED if layer in used}


def arguments(layer: type[nn.Module]) -> list[tuple[str, str]]:
    """Return name and default of each argument of a layer, as torch declares them; an empty default is none.

    torch.nn's recurrent layers take `*args` and say what they mean in an overload.
    """
    declared = [*get_overloads(layer.__init__), layer.__init__]
    parameters = inspect.signature(declared[0]).parameters.values()
    return [
        (p.name, "" if p.default is p.empty else str(p.default))
        for p in parameters
        if p.name not in _OF_NO_INTEREST and not p.name.startswith("_")
    ]


def describe(model: nn.Module, inputs: list[Tensor]) -> dict[str, Any]:
    """Return print(model) to the letter, torchinfo's summary, the parameter count, and what its layers take.

    The summary is that for `inputs`, a batch of one.

    The summary ends with its parameter totals: the operation and memory counts that torchinfo adds hold for
    torch.nn's layers alone, and are nearly nothing for a cell written out by hand.
    """
    table = summary(
        model,
        input_data=inputs,
        col_names=("output_size", "num_params"),
        col_width=20,
        depth=4,
        row_settings=("var_names", "hide_recursive_layers"),
        verbose=0,
    )
    return {
        "printout": str(model),
        "summary": "\n".join(line.rstrip() for line in str(table).split("Total mult-adds")[0].splitlines()),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "arguments": arguments_in_use(model),
    }
