"""A whole model that the user wrote, tried on one tiny batch before anything is trained with it."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.lab.user_class import ModelContract
from reportgen.lab.user_source import UserClass
from reportgen.tasks.registry import task_named
from reportgen.user_code.layers import (
    Failed,
    Fault,
    Trial,
    carries_on,
    computes_in,
    constructed,
    defined,
    named,
    watched,
)

CLASSES = 4
"""Classes of the tiny classification."""
_CLOSE = 1e-5


def try_model(
    module: str,
    task: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    single: bool = False,
    device: str = "cpu",
    precision: str = "float32",
) -> Trial:
    """Try the class that a suite calls `module`: make a model, run it forwards and backwards, see what it reads.

    Args:
        module: the class, `my_models.py:MyClassifier`, with the path of its file.
        task: the name of the task that it is for.
        arguments: its further arguments, by name.
        single: whether a classifier is to have one output for two classes, as bce_logit asks.
        device: where the run will be.
        precision: in which the run will compute.
    """
    trial, own = Trial(), UserClass.of(module)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            asked = task_named(task).model_contract(1 if single else CLASSES)
            call = inspect.signature(lambda *args, **kwargs: (args, kwargs)).bind(
                *asked.sizes, **(arguments or {})
            )
            model = constructed(own, call, trial.passed, "a model").to(device)
            inputs = tuple(x.to(device) for x in asked.inputs)
            _forwards(model, own, inputs, asked, trial)
            _backwards(model, own, inputs, asked, trial)
            _reads_what_it_should(model, own, inputs, asked, trial)
            if asked.last:
                carries_on(model, own, inputs[0], trial)
            computes_in(precision, model, own, inputs, trial)
    except Failed as failed:
        trial.fault = failed.fault
    return trial


def _output(
    model: nn.Module, own: UserClass, inputs: tuple[Tensor, ...], asked: ModelContract, expected: str
) -> Tensor:
    with watched(own, expected):
        result = model(*inputs)
    place = defined(type(model), own, "forward")
    if asked.last:
        if not isinstance(result, tuple) or len(result) != 2:
            raise Failed(Fault(named(result), expected, place))
        result = result[0]
    if not isinstance(result, Tensor):
        raise Failed(Fault(named(result), expected, place))
    return result


def _forwards(
    model: nn.Module, own: UserClass, inputs: tuple[Tensor, ...], asked: ModelContract, trial: Trial
) -> None:
    output = _output(model, own, inputs, asked, asked.expected)
    place = defined(type(model), own, "forward")
    if tuple(output.shape) != asked.shape:
        raise Failed(Fault(named(output), asked.expected, place))
    if not bool(torch.isfinite(output).all()):
        raise Failed(Fault("NaN or infinity in the output", "finite numbers", place))
    trial.passed.append(f"forward gives {asked.shape}: {asked.meaning}, all finite")


def _backwards(
    model: nn.Module, own: UserClass, inputs: tuple[Tensor, ...], asked: ModelContract, trial: Trial
) -> None:
    expected = "an output that a gradient flows back from to the weights"
    model.train()
    output = _output(model, own, inputs, asked, expected)
    place = defined(type(model), own, "forward")
    if not output.requires_grad:
        got = "an output cut off from the weights (detach, no_grad, argmax or a new tensor?)"
        raise Failed(Fault(got, expected, place))
    with watched(own, expected):
        (output * torch.randn(output.shape).to(output)).sum().backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    if infinite := [name for name, found in gradients.items() if found is not None and not found.isfinite().all()]:
        raise Failed(Fault(f"a gradient that is NaN or infinite: {', '.join(infinite)}", "finite numbers", place))
    trial.passed.append("a finite gradient flows back to the weights")
    if unused := [name for name, found in gradients.items() if found is None or not bool(found.abs().sum() != 0)]:
        trial.notes.append(f"no gradient reaches {', '.join(unused)}: is it used?")


@torch.no_grad()
def _reads_what_it_should(
    model: nn.Module, own: UserClass, inputs: tuple[Tensor, ...], asked: ModelContract, trial: Trial
) -> None:
    """See that an output hangs on its own sequence, and on nothing of the call before."""
    model.eval()
    found = _output(model, own, inputs, asked, asked.expected)
    first = tuple(x[:1] for x in inputs)

    def look(passed: str, seen: Callable[[], Tensor], wanted: Tensor, got: str, right: str) -> None:
        if not _same(seen(), wanted):
            raise Failed(Fault(got, right, defined(type(model), own, "forward")))
        trial.passed.append(passed)

    alone = "an output of the same shape for a batch of one"
    look(
        "the same batch twice gives the same output",
        lambda: _output(model, own, inputs, asked, asked.expected), found,
        "another output for the same batch the second time", "a model that keeps nothing between calls",
    )  # fmt: skip
    look(
        "each sequence is read on its own",
        lambda: _output(model, own, first, asked, alone), found[:1],
        "an output of a sequence that hangs on the others of its batch", "the batch as the first axis",
    )  # fmt: skip
    if len(inputs) == 2:
        padded = (torch.nn.functional.pad(inputs[0], (0, 2)), inputs[1])
        if not _same(_output(model, own, padded, asked, asked.expected), found):
            trial.notes.append("the output hangs on the padding: use lengths, or results hang on the batches")


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=_CLOSE, atol=_CLOSE)
