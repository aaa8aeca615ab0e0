"""A recurrent layer that the user wrote, tried on one tiny batch before anything is trained with it."""

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reportgen.errors import InputError
from reportgen.lab.environment import forward_in, set_tf32
from reportgen.lab.user_class import BATCH, TIME, given, load
from reportgen.lab.user_source import UserClass

_CLOSE = 1e-5


@dataclass(frozen=True)
class Fault:
    """What is wrong with a layer, in the parts of a message."""

    got: str
    expected: str
    where: str = ""
    """The user's file, line and function, and the line's text."""
    setting: str = ""
    """The key of the mapping that it is about."""

    def __str__(self) -> str:
        return f"got {self.got}, expected {self.expected}" + (f"; {self.where}" if self.where else "")


class Failed(Exception):  # noqa: N818 - says what came of a trial
    """The trial has found a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass
class Trial:
    """What was looked at and was right, what the user should know, and the fault that ended the trial."""

    passed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fault: Fault | None = None


def try_layer(
    cell: str,
    input_size: int,
    hidden_size: int,
    *,
    layers: int = 1,
    arguments: Mapping[str, Any] | None = None,
    device: str = "cpu",
    precision: str = "float32",
    goes_on: bool = False,
) -> Trial:
    """Try the class that a suite calls `cell`: make a layer, run it forwards and backwards, see what it reads.

    Args:
        cell: the class, `my_models.py:MyLSTM`, with the path of its file.
        input_size: features of a step; the layer is called with this and the next.
        hidden_size: size of its states.
        layers: passed on as num_layers if above 1.
        arguments: its further arguments, by name.
        device: where the run will be.
        precision: in which the run will compute.
        goes_on: whether it has to take its last state back, as forecasts need it.
    """
    trial, own = Trial(), UserClass.of(cell)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            layer = built_layer(own, input_size, hidden_size, layers, arguments, trial.passed).to(device)
            x = torch.randn(BATCH, TIME, input_size).to(device)
            _forwards(layer, own, x, hidden_size, trial)
            _backwards(layer, own, x, trial)
            _reads_what_it_should(layer, own, x, trial)
            if goes_on:
                carries_on(layer, own, x, trial)
            computes_in(precision, layer, own, (x,), trial)
    except Failed as failed:
        trial.fault = failed.fault
    return trial


def built_layer(
    own: UserClass,
    input_size: int,
    hidden_size: int,
    layers: int,
    arguments: Mapping[str, Any] | None,
    passed: list[str],
) -> nn.Module:
    """Return a layer of the class; Failed says why there is none."""
    return constructed(own, given(input_size, hidden_size, layers, arguments), passed, "a layer")


def constructed(own: UserClass, call: inspect.BoundArguments, passed: list[str], what: str) -> nn.Module:
    """Return what the class makes of the arguments; Failed says why that is nothing."""
    with watched(own, "a file that can be run, with a class of that name"):
        try:
            kind = load(own)
        except (LookupError, TypeError) as error:
            if frames(error, own.file.parent):
                raise
            raise Failed(Fault(str(error.args[0]), f"an nn.Module called {own.name}", own.file.name)) from None
    passed.append(f"{own} is an nn.Module")
    written = f"{own.name}({', '.join([*map(str, call.args), *(f'{k}={v!r}' for k, v in call.kwargs.items())])})"
    try:
        signature = inspect.signature(kind)
        signature.bind(*call.args, **call.kwargs)
    except TypeError as error:
        got = f"{own.name}{signature}: {error}"
        raise Failed(Fault(got, f"a class that can be called as {written}", defined(kind, own))) from None
    with watched(own, f"{written} to make {what}"):
        model = kind(*call.args, **call.kwargs)
    if not list(model.parameters()):
        got = f"{what} without weights"
        raise Failed(Fault(got, "nn.Linear or nn.Parameter in __init__, set on self", defined(kind, own)))
    passed.append(f"{written} makes {what} of {sum(p.numel() for p in model.parameters()):,} weights")
    return model


def _forwards(layer: nn.Module, own: UserClass, x: Tensor, hidden_size: int, trial: Trial) -> None:
    shape = (*x.shape[:2], hidden_size)
    expected = f"(states, last state) with states {shape} for x {tuple(x.shape)}: batch, time, features"
    states = _states(layer, own, x, expected)
    if tuple(states.shape) != shape:
        raise Failed(Fault(f"states {tuple(states.shape)}", expected, defined(type(layer), own, "forward")))
    if not bool(torch.isfinite(states).all()):
        step = int((~torch.isfinite(states)).any(2).any(0).nonzero()[0])
        got = f"NaN or infinity in the states, from step {step + 1} on"
        raise Failed(Fault(got, "finite numbers", defined(type(layer), own, "forward")))
    trial.passed.append(f"forward gives states {shape} for x {tuple(x.shape)}, all finite")


def _states(layer: nn.Module, own: UserClass, x: Tensor, expected: str) -> Tensor:
    with watched(own, expected):
        result = layer(x)
    place = defined(type(layer), own, "forward")
    if not isinstance(result, tuple) or len(result) < 2:
        raise Failed(Fault(named(result), expected, place))
    if not isinstance(result[0], Tensor):
        raise Failed(Fault(f"states that are {named(result[0])}", expected, place))
    return result[0]


def _backwards(layer: nn.Module, own: UserClass, x: Tensor, trial: Trial) -> None:
    expected = "states that a gradient flows back from to the weights"
    layer.train()
    states = _states(layer, own, x, expected)
    place = defined(type(layer), own, "forward")
    if not states.requires_grad:
        got = "states cut off from the weights (detach, no_grad, .data or a new tensor?)"
        raise Failed(Fault(got, expected, place))
    with watched(own, expected):
        (states * torch.randn(states.shape).to(states)).sum().backward()
    reached = {n: p.grad is not None and bool(p.grad.abs().sum() != 0) for n, p in layer.named_parameters()}
    infinite = [n for n, p in layer.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
    if infinite:
        raise Failed(Fault(f"a gradient that is NaN or infinite: {', '.join(infinite)}", "finite numbers", place))
    trial.passed.append("a finite gradient flows back to the weights")
    if unused := [name for name, found in reached.items() if not found]:
        trial.notes.append(f"no gradient reaches {', '.join(unused)}: is it used?")


@torch.no_grad()
def _reads_what_it_should(layer: nn.Module, own: UserClass, x: Tensor, trial: Trial) -> None:
    """See that a state hangs on its own sequence up to its own step, and on nothing of the call before."""
    layer.eval()
    place = defined(type(layer), own, "forward")
    early = TIME - 2
    later = x.clone()
    later[:, early:] += 1
    expected = "(states, last state), as for the whole batch, for {}"
    found = _states(layer, own, x, "")
    _states(layer, own, later, "")  # what is kept between calls is now another thing
    looks: list[tuple[str, Callable[[], Tensor], Tensor, str, str]] = [
        (
            "the same batch twice gives the same states",
            lambda: _states(layer, own, x, expected.format("a second call")), found,
            "other states for the same batch the second time", "a layer that keeps nothing between calls",
        ),
        (
            "each sequence is read on its own",
            lambda: _states(layer, own, x[1:2], expected.format("a batch of one")), found[1:2],
            "states of a sequence that hang on the others of its batch", "x as (batch, time, features)",
        ),
        (
            "a state hangs on no later step",
            lambda: _states(layer, own, later, "")[:, :early], found[:, :early],
            "states that hang on later steps, which may be padding", "a layer that reads from left to right",
        ),
        (
            "a sequence may have one step",
            lambda: _states(layer, own, x[:1, :1], expected.format("one step of one sequence")), found[:1, :1],
            "other states for one step alone", "the same state whatever follows",
        ),
    ]  # fmt: skip
    for passed, look, wanted, got, right in looks:
        seen = look()
        if seen.shape != wanted.shape or not torch.allclose(seen, wanted, rtol=_CLOSE, atol=_CLOSE):
            raise Failed(Fault(got, right, place))
        trial.passed.append(passed)


@torch.no_grad()
def carries_on(layer: nn.Module, own: UserClass, x: Tensor, trial: Trial) -> None:
    """See that half of the steps, and then the rest from the state in between, are the same as all at once."""
    layer.eval()
    half = TIME // 2
    expected = "(…, last state), and forward(x, state) to go on from it"
    with watched(own, expected):
        whole, _ = layer(x, None)
        first, last = layer(x[:, :half], None)
        second, _ = layer(x[:, half:], last)
        joined = torch.cat([first, second], dim=1)
    if joined.shape != whole.shape or not torch.allclose(joined, whole, rtol=_CLOSE, atol=_CLOSE):
        got = "other values where it goes on from its own last state"
        raise Failed(Fault(got, "the same as for all steps at once", defined(type(layer), own, "forward")))
    trial.passed.append("it goes on from its own last state")


def computes_in(precision: str, model: nn.Module, own: UserClass, inputs: Sequence[Tensor], trial: Trial) -> None:
    """See that the model computes in this precision, which a processor may lack for what the model uses."""
    if precision == "float32":  # all else has been tried in it
        return
    with watched(own, f"what this machine can compute in {precision}; it can in float32"):
        one_step(model, inputs, precision)
    trial.passed.append(f"it computes in {precision}")


def one_step(model: nn.Module, inputs: Sequence[Tensor], precision: str) -> None:
    """Run a model forwards and backwards as in training, and forwards as in a test; raises whatever torch does."""
    device = next(model.parameters()).device
    set_tf32(precision, device)
    with forward_in(precision, device):
        output = model.train()(*inputs)
    output = output[0] if isinstance(output, tuple) else output
    output.float().sum().backward()
    with torch.no_grad(), forward_in(precision, device):
        model.eval()(*inputs)


@contextmanager
def watched(own: UserClass, expected: str) -> Iterator[None]:
    """Turn whatever the user's code raises into Failed, with the user's own lines."""
    try:
        yield
    except (Failed, InputError):
        raise
    except (Exception, SystemExit) as error:
        said = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        got = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise Failed(Fault(got, expected, frames(error, own.file.parent) or own.file.name)) from None


def frames(error: BaseException, folder: Path) -> str:
    """Return the user's own line that an error came from: file, line, function and text."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    inside = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if folder.absolute() in Path(frame.filename).absolute().parents and "site-packages" not in frame.filename
    ]
    if not inside:
        return ""
    last = inside[-1]
    return f"{Path(last.filename).name}:{last.lineno} in {last.name}: {last.line}"


def defined(kind: type, own: UserClass, method: str = "__init__") -> str:
    """Return where a method of the class is written, or the class where it inherits the method."""
    for item in (vars(kind).get(method), kind):
        try:
            return f"{own.file.name}:{inspect.getsourcelines(item)[1]}"  # type: ignore[arg-type]  # None raises
        except (OSError, TypeError):
            continue
    return own.file.name


def named(value: object) -> str:
    """Say what a function of the user's returned."""
    if isinstance(value, Tensor):
        return f"one tensor {tuple(value.shape)}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return "nothing" if value is None else f"{type(value).__name__}"
