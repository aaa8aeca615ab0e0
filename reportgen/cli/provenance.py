"""`reportgen verify`, `why` and `diff` on the command line."""

from pathlib import Path
from typing import Annotated

import typer

RecordsOption = Annotated[
    Path | None,
    typer.Option("--records", metavar="DIR", help="Folder of the records (default: those of the report's build)."),
]


def verify(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="A .pdf, .html or .md report, or a folder of them.")
    ],
    suite: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Suite file (default: searched for near the report).")
    ] = None,
    records: RecordsOption = None,
    rerun: Annotated[
        int, typer.Option(min=0, metavar="N", help="Retrain N runs and compare them with their records.")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed that chooses the runs to retrain.")] = 0,
) -> None:
    """Check that a report matches its records. It is compared with its manifest, and written again."""
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
