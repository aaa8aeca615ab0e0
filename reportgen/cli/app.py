"""The command line: a command parses, calls one function, prints."""

import errno
import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from reportgen import __version__
from reportgen.cli import clean, data, init, provenance, template, try_code
from reportgen.errors import ReportgenError, visible
from reportgen.importers import show
from reportgen.resources import shipped_suites

app = typer.Typer(
    name="reportgen",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_EXAMPLES = """\b
Examples:
  reportgen build experiments/suite_rnn_vs_lstm.yaml
  reportgen build suite_rnn_vs_lstm --quick     a shipped suite, shortened to seconds
  reportgen plan suite.yaml                     what would be trained, and why
  reportgen check suite.yaml                    validate the suite

\b
Exit status:
  0    success
  1    a run failed or diverged; the report covers the others
  2    invalid input, or a missing prerequisite
  3    build --strict: a claim is not supported; the report was written
  130  interrupted with Ctrl-C; finished runs are kept
"""

_OBJECTS_A_LOOK = 20_000
"""New objects after which Python looks for garbage. Imports make many more and leave none, and Python's own
number is 700."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAKE_ROOM = "finished runs are kept: free some space and run the same command again"

SuiteArgument = Annotated[
    Path,
    typer.Argument(metavar="SUITE", help="Suite file, or the name of a shipped suite.", show_default=False),
]
BuildOption = Annotated[
    Path, typer.Option("--build-dir", metavar="DIR", help="Folder for records and reports.", show_default=True)
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Shorten every run to seconds; the report is marked “quick”.")
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Apply one of the suite's profiles."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reportgen {__version__}")
        raise typer.Exit


@app.callback(epilog=_EXAMPLES)
def _reportgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train recurrent networks from a YAML suite and write a bilingual lab report."""


@app.command(epilog="\b\nExample:\n  reportgen build experiments/suite_rnn_vs_lstm.yaml --jobs 2")
def build(
    suite: SuiteArgument,
    build_dir: BuildOption = Path("build"),
    profile: ProfileOption = None,
    quick: QuickOption = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Number of parallel runs (default: one per core); results are unaffected."
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="md, html, pdf or docx, instead of the suite's formats; repeat for several.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with status 3 if a claim of the suite is not supported.")
    ] = False,
    executor: Annotated[
        str, typer.Option(metavar="local|ray", help="Where runs are trained; ray requires reportgen[ray].")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Address of a running Ray cluster (default: start Ray on this machine)."
        ),
    ] = None,
    gpu_share: Annotated[
        float,
        typer.Option(
            "--gpu-share",
            min=0.01,
            max=1.0,
            metavar="PART",
            help="Fraction of a GPU per run, with --executor ray.",
        ),
    ] = 1.0,
) -> None:
    """Train the runs that have no record yet, and write the report."""
    if executor == "local":
        from reportgen.executors.forkserver import start_early

        start_early(build_dir)
    from reportgen import options as verdicts
    from reportgen import pipeline
    from reportgen.cli.progress import Display, print_outcome
    from reportgen.executors.factory import chosen

    if strict and quick:
        raise ReportgenError(
            "--strict: got it together with --quick, expected a full build: a quick one supports no claim"
        )
    options = pipeline.Options(
        build=build_dir,
        quick=quick,
        profile=profile,
        formats=tuple(formats or ()),
        executor=chosen(executor, jobs, address, gpu_share),
    )
    try:
        with Display() as display:
            outcome = pipeline.build(_found(suite), options, display.hear, display.announce)
    except KeyboardInterrupt:
        typer.echo("interrupted; finished runs are kept", err=True)
        raise typer.Exit(130) from None
    print_outcome(outcome)
    if outcome.unfinished:
        raise typer.Exit(1)
    if strict and verdicts.unsupported(outcome.claims):
        raise typer.Exit(3)


@app.command(epilog="\b\nExample:\n  reportgen plan experiments/suite_rnn_vs_lstm.yaml")
def plan(
    suite: SuiteArgument,
    build_dir: BuildOption = Path("build"),
    profile: ProfileOption = None,
    quick: QuickOption = False,
) -> None:
    """Show which runs a build would train or reuse, and why."""
    from reportgen import pipeline
    from reportgen.cli.progress import print_notes, print_plan
    from reportgen.storage.records import Store

    loaded = pipeline.load(_found(suite), quick=quick, profile=profile)
    print_notes(loaded.notes)
    print_plan(pipeline.plan(loaded, Store(build_dir / "records")))


@app.command(epilog="\b\nExample:\n  reportgen check experiments/suite_rnn_vs_lstm.yaml")
def check(suite: SuiteArgument, profile: ProfileOption = None) -> None:
    """Validate the suite, its profiles and its files. Nothing is trained and no user code is run."""
    from reportgen.cli.progress import print_notes
    from reportgen.planning import load

    loaded = load.load(_found(suite), profile=profile)
    load.check_formulas(loaded)
    print_notes(loaded.notes)
    variants = len({run.variant.name for run in loaded.runs})
    name = visible(str(loaded.file))
    typer.echo(f"{name}: valid; {variants} variants × {len(loaded.suite.seeds)} seeds = {len(loaded.runs)} runs")


app.command(
    epilog="\b\nExamples:\n  reportgen init my-lab\n"
    "  reportgen init my-lab --title 'LSTM by hand' --language en --data surnames\n"
    "  reportgen init my-lab --from rnn_vs_lstm --ci none",
)(init.init)
app.command(
    name="try",
    epilog="\b\nExamples:\n  reportgen try my_models.py:MyLSTM\n"
    "  reportgen try my_models.py:MyLSTM --matches lstm --weights weights.yaml\n\n\b\n"
    "Exit status:\n  0  it runs and, with --matches, computes what torch.nn's network does\n"
    "  1  it runs, but computes something else than torch.nn's network\n  2  it does not run",
)(try_code.try_class)
app.command(
    epilog="\b\nExamples:\n  reportgen clean\n  reportgen clean my-lab --older-than 30d\n"
    "  reportgen clean experiments --build-dir build --yes",
)(clean.clean)
app.add_typer(data.app, name="data")
app.command(
    name="import",
    epilog="\b\nExamples:\n  reportgen import --show log.txt\n"
    "  reportgen import --show metrics.csv --ignore train_loss --column validation_accuracy=acc",
)(show.show)
app.command(
    epilog="\b\nExamples:\n  reportgen verify build/suite_rnn_vs_lstm/report.en.pdf\n"
    "  reportgen verify build/suite --suite suite.yaml --rerun 2\n"
    "  reportgen verify hand-ins/*/build/suite\n\n\b\n"
    "Exit status:\n  0  every question is proven\n  1  something differs, and where\n"
    "  2  it is no report, or its manifest or its records are not whole\n"
    "  4  nothing differs, but something could not be decided, and why",
)(provenance.verify)
app.command(
    epilog="\b\nExamples:\n  reportgen why build/suite_rnn_vs_lstm/report.zh.pdf 0.8286\n"
    "  reportgen why build/suite/report.en.md 'Table 5'\n\n\b\n"
    "Exit status:\n  0  found in the report\n  1  not found; the nearest matches are listed\n  2  not a report",
)(provenance.why)
app.command(
    epilog="\b\nExamples:\n  reportgen diff base/suite build/suite > comment.md\n"
    "  reportgen diff base/suite build/suite --html diff.html --language zh",
)(provenance.diff)
app.add_typer(template.app, name="template")


@app.command(epilog="\b\nExample:\n  reportgen preview suite.yaml --open")
def preview(
    suite: SuiteArgument,
    build_dir: BuildOption = Path("build"),
    profile: ProfileOption = None,
    quick: QuickOption = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port on 127.0.0.1 (default: 8377, or any free port).")
    ] = None,
    browser: Annotated[bool, typer.Option("--open", help="Open the preview in a browser.")] = False,
) -> None:
    """Serve the report in a browser and update it while you edit. Nothing is trained."""
    from reportgen import pipeline
    from reportgen.preview.command import preview as serve

    serve(_found(suite), pipeline.Options(build_dir, quick, profile), port, browser=browser)


@app.command(epilog="\b\nExample:\n  reportgen doctor")
def doctor() -> None:
    """Check that this machine has what a build needs. Missing parts are listed with how to install them."""
    from reportgen.cli.doctor import examine

    findings = examine()
    for finding in findings:
        mark = {True: "ok      ", False: "MISSING ", None: "        "}[finding.good]
        typer.echo(f"{mark}{finding.what:<10} {finding.found}")
        for line in finding.remedy.splitlines():
            typer.echo(f"{'':19}{line}")
    if any(finding.good is False for finding in findings):
        raise typer.Exit(1)


@app.command(epilog="\b\nExample:\n  reportgen schema > suite.schema.json")
def schema() -> None:
    """Print the JSON Schema of suite files, for editors."""
    import json

    from reportgen.suite.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _found(suite: Path) -> Path:
    """Return the suite file; the name of a suite that ships stands for its file."""
    shipped = shipped_suites()
    if suite.exists():
        return suite
    if str(suite) in shipped:
        return shipped[str(suite)]
    raise ReportgenError(
        f"{suite}:1: got no such file, expected a suite file, or the name of a shipped suite: {', '.join(shipped)}"
    )


def main() -> None:
    """Run the command line; an error of the user's is one message and exit status 2."""
    gc.set_threshold(_OBJECTS_A_LOOK)
    try:
        app()
    except ReportgenError as error:
        sys.stderr.write(f"{visible(str(error))}\n")
        sys.exit(2)
    except BrokenPipeError:  # `reportgen schema | head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno in _NO_ROOM:
            where = f"{error.filename}: " if error.filename else ""
            sys.stderr.write(f"{where}{error.strerror}; {_MAKE_ROOM}\n")
        elif error.filename is None:
            raise
        else:
            sys.stderr.write(f"{visible(str(error.filename))}: {error.strerror}\n")
        sys.exit(2)
