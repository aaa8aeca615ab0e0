"""`reportgen try`: does a class of the user's own run, and is it torch.nn's network?"""

from enum import StrEnum
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reportgen import tasks
from reportgen.errors import Problem, ReportgenError, SuiteError, visible

if TYPE_CHECKING:
    from reportgen.suite.document import Document
    from reportgen.user_code.layers import Fault, Trial
    from reportgen.user_code.matching import Match


class Network(StrEnum):
    """The networks of torch.nn that a class may be compared with."""

    RNN = "rnn"
    LSTM = "lstm"
    GRU = "gru"


# a task has the name of its folder; to import the tasks themselves takes longer than `--help` may
Whole = StrEnum(  # type: ignore[misc]
    "Whole", {module.name.upper(): module.name for module in iter_modules(tasks.__path__) if module.ispkg}
)


def try_class(
    cell: Annotated[str, typer.Argument(metavar="FILE:CLASS", help="Python file and class: my_models.py:MyLSTM.")],
    input_size: Annotated[int, typer.Option(min=1, max=4096, help="Input features per time step.")] = 4,
    hidden_size: Annotated[int, typer.Option(min=1, max=4096, help="Size of the hidden state.")] = 6,
    argument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Extra argument of the class; repeat for several."),
    ] = None,
    whole: Annotated[
        Whole | None,
        typer.Option(help="Treat the class as a whole model for this task, not as a recurrent layer."),
    ] = None,
    matches: Annotated[
        Network | None, typer.Option(help="Compare the layer with this torch.nn network, in float64.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML file that says how each weight of the class is made from torch.nn's."
        ),
    ] = None,
) -> None:
    """Run your own layer or whole model on a tiny batch. A layer can be compared with torch.nn's."""
    from reportgen.lab.user_source import is_user_code
    from reportgen.user_code.subprocess import compare_layer

    if not is_user_code(cell):
        raise ReportgenError(f"reportgen try: got {cell!r}, expected a file and a class: my_models.py:MyLSTM")
    if not Path(cell.rpartition(":")[0]).is_file():
        raise ReportgenError(f"{cell.rpartition(':')[0]}: no such file")
    if weights is not None and matches is None:
        raise ReportgenError("--weights: requires --matches rnn, lstm or gru")
    if whole is not None and matches is not None:
        raise ReportgenError(
            "--whole: got it together with --matches, expected one of them: torch.nn's networks are layers"
        )
    arguments = dict(_argument(text) for text in argument or [])
    if whole is not None:
        _try([{"what": "module", "module": cell, "task": whole.value, "arguments": arguments}], cell)
        return
    call = {
        "cell": cell,
        "input_size": input_size,
        "hidden_size": hidden_size,
        "arguments": arguments,
    }
    document = None if weights is None else _mapping(weights)
    _try([call], cell)
    if matches is not None:
        match = compare_layer({**call, "kind": matches.value, "mapping": document and document.value})
        _print(match.trial)
        if match.trial.fault is not None:
            raise _at_its_line(match.trial.fault, document, cell)
        _print_match(match, f"torch.nn.{matches.name}")
        if not match.right:
            raise typer.Exit(1)


def _try(calls: list[dict[str, Any]], cell: str) -> None:
    from reportgen.user_code.subprocess import try_layers

    (trial,) = try_layers(calls)
    _print(trial)
    if trial.fault is not None:
        raise ReportgenError(f"{cell}: {trial.fault}")


def _argument(text: str) -> tuple[str, Any]:
    from reportgen.suite.document import plain_scalar

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ReportgenError(f"--argument: got {text!r}, expected NAME=VALUE")
    return name, plain_scalar(value)


def _mapping(file: Path) -> "Document":
    from reportgen.suite.document import read_document, shown

    document = read_document(file)
    problems: list[Problem] = list(document.problems)
    if not isinstance(document.value, dict) or not document.value:
        problems.append(document.problem((), shown(document.value), "a mapping: W_i.weight: weight_ih[i]"))
    else:
        for name, made in document.value.items():
            parts = made if isinstance(made, list) and made else [made]
            if not all(isinstance(part, str) for part in parts):
                expected = "what the weight is made of: weight_ih[i], bias_ih + bias_hh, or a list of such"
                problems.append(document.problem((name,), shown(made), expected))
    if problems:
        raise SuiteError(problems)
    return document


def _at_its_line(fault: "Fault", document: "Document | None", cell: str) -> ReportgenError:
    if document is None:
        return ReportgenError(f"{cell}: {fault}")
    path = (fault.setting,) if fault.setting else ()
    return SuiteError([document.problem(path, fault.got, fault.expected, fault.where)])


def _print(trial: "Trial") -> None:
    for line in trial.passed:
        typer.echo(f"ok       {visible(line)}")
    for line in trial.notes:
        typer.echo(f"note     {visible(line)}")


def _print_match(match: "Match", network: str) -> None:
    for found in match.differences:
        where = "" if found.first_step is None else f"first in step {found.first_step}, "
        mark = "WRONG" if found.wrong else "ok   "
        typer.echo(f"{mark}    {visible(found.what)}: {where}largest difference {found.largest:.1e}")
    if match.exchanged:
        typer.echo(f"note     it would be right with the gates {match.exchanged}")
    typer.echo(
        f"match: it computes what {network} does"
        if match.right
        else f"no match: it does not compute what {network} does"
    )
