"""`reportgen verify`, `why` and `diff` on the command line."""

from pathlib import Path
from typing import Annotated

import typer

RecordsOption = Annotated[
    Path | None,
    typer.Option(
        "--records", metavar="DIR", help="The records; those of the build that the report lies in unless given."
    ),
]


def verify(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="A .pdf, .html or .md report, or a folder of them.")
    ],
    suite: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The suite; looked for where suites lie unless given.")
    ] = None,
    records: RecordsOption = None,
    rerun: Annotated[int, typer.Option(min=0, metavar="N", help="Train N runs anew and compare them.")] = 0,
    seed: Annotated[int, typer.Option(metavar="S", help="Decides which runs are trained anew.")] = 0,
) -> None:
    """Is a report what its records give? It is held against its manifest and written anew."""
    from reportgen.provenance.verify import Options, verify

    checks = []
    for check in verify(report, Options(suite, records, rerun, seed)):
        mark = {True: "ok       ", False: "DIFFERS  ", None: "unknown  "}[check.good]
        typer.echo(f"{mark}{check.words}")
        checks.append(check)
    differs = sum(check.good is False for check in checks)
    unknown = sum(check.good is None for check in checks)
    left = f"; {unknown} could not be told" if unknown else ""
    typer.echo(f"{differs} differences{left}" if differs else f"good: {report} is what its records give{left}")
    if differs:
        raise typer.Exit(1)


def why(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A .pdf, .html or .md report.")],
    asked: Annotated[
        str, typer.Argument(metavar="WHAT", help="A number as it is printed, a run, a model, “Table 5”, “图 3”.")
    ],
    records: RecordsOption = None,
) -> None:
    """Where does a number come from? Its places in the report, and the runs and files behind each."""
    from reportgen.provenance.why import why

    answer = why(report, asked, records)
    typer.echo("\n".join(answer.lines))
    if not answer.found:
        raise typer.Exit(1)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of a build, or its results.json.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The same of a later build of the same suite.")],
    language: Annotated[str, typer.Option(metavar="CODE", help="en or zh.")] = "en",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same as HTML, with figures.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Put the figures there; the Markdown shows them.")
    ] = None,
) -> None:
    """What separates two builds, as Markdown: verdicts, settings, numbers with intervals, confusion matrices."""
    from reportgen.provenance.diff_text import diff

    typer.echo(diff(old, new, language, figures=figures, html=html), nl=False)
