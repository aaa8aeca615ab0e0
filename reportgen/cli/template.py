"""`reportgen template`: the report's templates, part by part; to see one, and to begin one's own."""

from pathlib import Path
from typing import Annotated

import typer

from reportgen.errors import ReportgenError
from reportgen.resources import TEMPLATES

app = typer.Typer(
    help="List, show and copy the report's templates. A copy next to a suite overrides the shipped one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="\b\nExamples:\n  reportgen template list\n  reportgen template show summary:closing\n"
    "  reportgen template copy summary:closing --suite suite.yaml\n"
    "  reportgen template copy text.de.yaml\n"
    "  reportgen template names",
)

_WIDE = 160
"""Columns of the table where there is no terminal."""

SuiteOption = Annotated[
    Path,
    typer.Option(
        "--suite", metavar="FILE", help="Suite file; its templates are in the folder templates/ next to it."
    ),
]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME[:BLOCK]", help="Template, or one of its blocks.", show_default=False)
]


@app.command("list")
def list_(suite: SuiteOption = Path("suite.yaml")) -> None:
    """List the templates and style sheets, their blocks, and those that the suite overrides."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reportgen.report.partials import partials

    table = Table("template", "blocks", "beside the suite", box=None, pad_edge=False, header_style="")
    own = suite.parent / "templates"
    for partial in partials([TEMPLATES] if own.resolve() == TEMPLATES.resolve() else [own, TEMPLATES]):
        table.add_row(Text(partial.name), Text(" ".join(partial.blocks)), Text(partial.state))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=_WIDE)).print(table)


@app.command()
def show(name: NameArgument) -> None:
    """Print a shipped template, or one of its blocks."""
    from reportgen.report.partials import block_source, find, override

    template, _, block = name.partition(":")
    partial = find(template, (TEMPLATES,))
    typer.echo(block_source(partial, block) if block else override(partial, None).rstrip("\n"))


@app.command()
def copy(name: NameArgument, suite: SuiteOption = Path("suite.yaml")) -> None:
    """Copy a shipped template, or one of its blocks, next to the suite. The copy overrides it."""
    from reportgen.report.partials import find, override

    if not suite.is_file():
        raise ReportgenError(f"--suite: no such file: {suite}; expected the suite that the template is for")
    template, _, block = name.partition(":")
    partial = find(template, (TEMPLATES,))
    text = override(partial, block or None)
    file = suite.parent / "templates" / partial.name
    if file.exists():
        what = f"the block that `reportgen template show {name}` prints" if block else "your own lines"
        raise ReportgenError(f"{file}: this file exists already; add {what} to it yourself")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    typer.echo(str(file))


@app.command()
def names() -> None:
    """Print the names, functions and filters that templates may use, as Markdown."""
    from reportgen.report.reference import reference
    from reportgen.tasks.registry import contexts

    typer.echo(reference(contexts()), nl=False)
