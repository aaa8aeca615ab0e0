"""`reportgen import --show FILE`: what would be read of a log, and what would not, before a suite names it."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reportgen.errors import visible

if TYPE_CHECKING:  # pydantic is imported with them, which takes longer than `--help` may
    from reportgen.importers.log import Log
    from reportgen.suite.imports import Format

_UNNAMED = "nothing"


def show(
    file: Annotated[Path, typer.Option("--show", metavar="FILE", help="The log.", show_default=False)],
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="text, csv, json or tensorboard.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="MEASURE=NAME", help="As import.columns; give it again for more."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="NAME", help="As import.ignore; give it again for more."),
    ] = None,
    percent: Annotated[bool, typer.Option("--percent", help="As import.percent.")] = False,
    run: Annotated[int | None, typer.Option("--run", min=1, metavar="N", help="As import.run.")] = None,
) -> None:
    """Show what of a log would be imported: each epoch's figures, the names they have there, and what is left."""
    from reportgen.importers.records import format_of, read
    from reportgen.lab.data.encodings import content_of
    from reportgen.suite.imports import Columns, ImportSettings

    pairs = dict(pair.split("=", 1) for pair in columns or [] if "=" in pair)
    if len(pairs) < len(columns or []) or pairs.keys() - Columns.model_fields.keys():
        raise typer.BadParameter(
            f"a measure and a name, of {', '.join(Columns.model_fields)}", param_hint="--column"
        )
    settings = ImportSettings(
        path=(str(file),),
        format=_format(form),
        columns=Columns(**pairs),
        ignore=tuple(ignore or ()),
        percent=percent,
        run=run,
    )
    log = read(file, settings)
    typer.echo(visible("\n".join(_lines(file, format_of(file, content_of(file), settings), log))))


def _format(name: str | None) -> "Format | None":
    from reportgen.suite.imports import FORMATS

    for form in FORMATS:
        if name == form:
            return form
    if name is None:
        return None
    raise typer.BadParameter(f"{name!r} is not one of {', '.join(FORMATS)}", param_hint="--format")


def _lines(file: Path, form: "Format", log: "Log") -> list[str]:
    from reportgen.suite.imports import MEASURES

    encoding = f", {log.encoding}" if log.encoding else ""
    names = {what: _as_written(what, log) for what in ("epoch", *MEASURES)}
    columns = [
        name for name in names.values() if any(not math.isnan(row.get(name, math.nan)) for row in log.epochs)
    ]
    return [
        f"{file}: {form}{encoding}; {len(log.epochs)} epochs",
        *_table(log, list(dict.fromkeys(columns))),
        *_tested(log),
        *([f"stopped: {log.stopped}"] if log.stopped else []),
        "read: " + (", ".join(f"{what} = {name!r}" for what, name in log.columns.items()) or _UNNAMED),
        "left unread: " + ("; ".join(log.unread) or _UNNAMED),
    ]


def _as_written(what: str, log: "Log") -> str:
    """Return the column of the epochs that a measure is in."""
    return what.replace(log.heldout, "heldout") if log.heldout else what


def _tested(log: "Log") -> list[str]:
    figures = {"loss": log.test_loss, "accuracy": log.test_accuracy}
    said = [f"{name} {value:g}" for name, value in figures.items() if not math.isnan(value)]
    return [f"test: {', '.join(said)}"] if said else []


def _table(log: "Log", columns: list[str]) -> list[str]:
    heads = [name.replace("heldout", log.heldout) for name in columns]
    rows = [["" if math.isnan(row[name]) else f"{row[name]:g}" for name in columns] for row in log.epochs]
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)
    ]
