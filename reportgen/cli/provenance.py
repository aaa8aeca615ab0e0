"""`reportgen verify`, `why` and `diff` on the command line."""

from pathlib import Path
from typing import Annotated

import typer

RecordsOption = Annotated[
    Path | None,
    typer.Option("--records", metavar="DIR", help="Folder of the records (default: those of the report's build)."),
]


def verify(
    reports: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT…", help="A .pdf, .html or .md report, or a folder of them; or several hand-ins."
        ),
    ],
    suite: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Suite file (default: searched for near the report).")
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
    """Show where a printed number comes from. Each place has the runs and files behind it."""
    from reportgen.provenance.why import why

    answer = why(report, asked, records)
    typer.echo("\n".join(answer.lines))
    if not answer.found:
        raise typer.Exit(1)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Report folder of a build, or its results.json.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The same for a later build of the same suite.")],
    language: Annotated[str, typer.Option(metavar="CODE", help="Language of the comparison: en or zh.")] = "en",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the comparison as HTML, with figures.")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write the figures to this folder and link them from the Markdown."),
    ] = None,
) -> None:
    """Compare two builds, as Markdown. Verdicts, settings, numbers with intervals and confusion matrices."""
    from reportgen.provenance.diff_text import diff

    typer.echo(diff(old, new, language, figures=figures, html=html), nl=False)
