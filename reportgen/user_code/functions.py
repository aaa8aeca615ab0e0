"""A student's functions, validated before they are used: a loss, a metric, one that loads data."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reportgen.errors import InputError
from reportgen.lab.user_class import load_function
from reportgen.lab.user_source import UserClass
from reportgen.tasks.registry import task_of
from reportgen.user_code.layers import Failed, Fault, Trial, frames, named, watched
from reportgen.user_code.whole_models import CLASSES

_EXAMPLES = 6


def try_loss(loss: str, *, device: str = "cpu") -> Trial:
    """Try a loss that a suite calls `my_losses.py:focal`: a loss for each example, with a finite gradient.

    Args:
        loss: the function, with the path of its file.
        device: where the run will be.
    """
    trial, own = Trial(), UserClass.of(loss)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            logits = torch.randn(_EXAMPLES, CLASSES).to(device).requires_grad_()
            labels = (torch.arange(_EXAMPLES) % CLASSES).to(device)
            expected = (
                f"a loss an example, ({_EXAMPLES},), for logits {tuple(logits.shape)} and labels ({_EXAMPLES},)"
            )
            function = _found(own)
            with watched(own, expected):
                result = function(logits, labels)
            _check_loss(result, own, expected)
            with watched(own, "a loss that a gradient flows back from to the logits"):
                result.sum().backward()
            if logits.grad is None or not bool(logits.grad.isfinite().all()):
                raise Failed(Fault("a gradient that is NaN or infinite", "finite numbers", own.file.name))
            trial.passed.append(f"{own} gives {expected}")
    except Failed as failed:
        trial.fault = failed.fault
    return trial


Case = tuple[NDArray[np.int64], NDArray[np.int64], int]
"""Predicted classes and true ones, (examples,), and how many classes there are."""


def try_metric(metric: str) -> Trial:
    """Try a metric that a suite calls `my_metrics.py:macro_recall` on a few predictions.

    Args:
        metric: the function, with the path of its file.
    """
    target = np.arange(_EXAMPLES) % CLASSES
    _, fault = measured(metric, [(np.roll(target, 1), target, CLASSES), (target, target, CLASSES)])
    passed = [] if fault else [f"{UserClass.of(metric)} gives a number"]
    return Trial(passed=passed, fault=fault)


def measured(metric: str, cases: Iterable[Case]) -> tuple[list[float], Fault | None]:
    """Return what a metric gives for each case: one number, NaN where it has none; or the fault that it has.

    Args:
        metric: the function, with the path of its file; it is called with predicted, target and classes.
        cases: what it is measured on.
    """
    own, values = UserClass.of(metric), []
    expected = "one number for predicted (examples,), target (examples,) and classes"
    try:
        function = _found(own)
        for predicted, target, classes in cases:
            with watched(own, expected):
                value = function(predicted.copy(), target.copy(), classes)
                if (
                    getattr(value, "ndim", 0)
                    or isinstance(value, bool | str | list | tuple | dict)
                    or value is None
                ):
                    raise Failed(Fault(named(value), expected, own.file.name))
                values.append(float(value))
            if math.isinf(values[-1]):
                raise Failed(Fault("infinity", expected, own.file.name))
    except Failed as failed:
        return [], failed.fault
    return values, None


def try_data(load: str, settings: dict[str, Any], *, single: bool = False) -> Trial:
    """Try a loading function, `my_data.py:load`: the data can be learnt from, and are the same twice.

    Args:
        load: the function, with the path of its file.
        settings: the suite's data settings, as plain values.
        single: whether the loss takes a single logit, which tells two classes apart.
    """
    trial, own = Trial(), UserClass.of(load)
    load_user_data = task_of(settings["source"]).load_user_data
    try:
        _found(own)
        with watched(own, "data that can be learnt from"):
            first, second = load_user_data(settings), load_user_data(settings)
        for fault in first.misfits:
            raise Failed(Fault(fault.got, fault.expected, own.file.name))
        if single and first.classes != 2:
            got = f"{first.classes} classes, with loss bce_logit"
            expected = "two classes, or another loss, such as cross_entropy: a single logit tells two apart"
            raise Failed(Fault(got, expected, own.file.name))
        if first.digest != second.digest:
            got, expected = "other data the second time", "the same at every call: give random numbers a seed"
            raise Failed(Fault(got, expected, own.file.name))
        trial.passed.append(f"{own} gives data that can be learnt from")
    except InputError as error:
        problem = error.problems[0]
        place = f"{problem.file.name}: {problem.where}" if problem.where else problem.file.name
        trial.fault = Fault(problem.got, problem.expected, place)
    except Failed as failed:
        trial.fault = failed.fault
    return trial


def _found(own: UserClass) -> Callable[..., Any]:
    with watched(own, "a file that can be run, with a function of that name"):
        try:
            return load_function(own)
        except (LookupError, TypeError) as error:
            if frames(error, own.file.parent):
                raise
            raise Failed(Fault(str(error.args[0]), f"a function called {own.name}", own.file.name)) from None


def _check_loss(result: object, own: UserClass, expected: str) -> None:
    place = own.file.name
    if not isinstance(result, Tensor):
        raise Failed(Fault(named(result), expected, place))
    if result.ndim == 0:
        raise Failed(Fault("one number", f"{expected}: reduction='none', and no mean", place))
    if tuple(result.shape) != (_EXAMPLES,):
        raise Failed(Fault(named(result), expected, place))
    if not bool(result.isfinite().all()):
        raise Failed(Fault("NaN or infinity", f"finite numbers: {expected}", place))
    if not result.requires_grad:
        raise Failed(Fault("a loss cut off from the logits (detach, argmax or a new tensor?)", expected, place))
