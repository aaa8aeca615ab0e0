"""`reportgen template`: the report's templates, part by part; to see one, and to begin one's own."""

from pathlib import Path
from typing import Annotated

import typer

from reportgen.errors import ReportgenError
from reportgen.resources import TEMPLATES

app = typer.Typer(
    help="List the report's templates and their blocks; show one; copy one beside a suite to change it.",
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
    Path, typer.Option("--suite", metavar="FILE", help="The suite that the templates stand beside.")
]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME[:BLOCK]", help="A template, or one block of it.", show_default=False)
]


@app.command("list")
def list_(suite: SuiteOption = Path("suite.yaml")) -> None:
    """List every template and style sheet, its blocks, and what stands beside the suite in its place."""
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
    """Print a template that ships, or one block of it."""
    from reportgen.report.partials import block_source, find, override

    template, _, block = name.partition(":")
    partial = find(template, (TEMPLATES,))
    typer.echo(block_source(partial, block) if block else override(partial, None).rstrip("\n"))


@app.command()
def copy(name: NameArgument, suite: SuiteOption = Path("suite.yaml")) -> None:
    """Write a template beside the suite that takes the place of one that ships, or of one block of it."""
    from reportgen.report.partials import find, override

    if not suite.is_file():
        raise ReportgenError(f"--suite: got no such file: {suite}, expected the suite that the template is for")
    template, _, block = name.partition(":")
    partial = find(template, (TEMPLATES,))
    text = override(partial, block or None)
    file = suite.parent / "templates" / partial.name
    if file.exists():
        what = f"the block that `reportgen template show {name}` prints" if block else "your own lines"
        raise ReportgenError(
            f"{file}: got a file that is there already, expected none; put {what} into it yourself"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    typer.echo(str(file))


@app.command()
def names() -> None:
    """Print the names, functions and filters that templates may use, in Markdown."""
    from reportgen.report.reference import reference
    from reportgen.tasks.registry import contexts

    typer.echo(reference(contexts()), nl=False)
