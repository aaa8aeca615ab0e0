"""What a model is, in words for a report."""

from typing import Any

from torch import Tensor, nn
from torchinfo import summary

from reportgen.lab.introspection import arguments_in_use


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
