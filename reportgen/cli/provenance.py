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
    reports: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT…", help="A .pdf, .html or .md report, or a folder of them; or several hand-ins."
        ),
    ],
    suite: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The suite; looked for where suites lie unless given.")
    ] = None,
    records: RecordsOption = None,
    rerun: Annotated[
        int, typer.Option(min=0, metavar="N", help="Train N runs of each anew, drawn at random, and compare them.")
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="S", help="Draw the runs that an earlier --rerun has drawn.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Templates, sentences and style sheets that you know: the course's, say."
        ),
    ] = None,
) -> None:
    """Is a report what its records give? It is held against its manifest and written anew.

    Exit status: 0 all is proven, 1 something differs, 4 something could not be decided, 2 the input was wrong.
    Several hand-ins are held against each other, too: no record may be in two of them.
    """
    from reportgen.provenance.answers import EXIT_STATUS, summary, worst
    from reportgen.provenance.verify import Options, verify_all

    checks = []
    for check in verify_all(reports, Options(suite, records, rerun, seed, trust)):
        typer.echo(f"{check.outcome.value:<11}{check.question.value}: {check.words}")
        checks.append(check)
    typer.echo(summary(checks))
    raise typer.Exit(EXIT_STATUS[worst(checks)])


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
