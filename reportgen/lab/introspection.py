"""What torch.nn's layers can be told, read from torch itself."""

import inspect
from typing import get_overloads

from torch import nn

from reportgen.lab.layers import STANDS_FOR

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
