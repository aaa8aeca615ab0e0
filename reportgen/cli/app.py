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
  reportgen build suite_rnn_vs_lstm --quick     a suite that ships, cut to seconds
  reportgen plan suite.yaml                     what would be trained, and why
  reportgen check suite.yaml                    is the suite right?

\b
Exit status:
  0    done
  1    some run failed or diverged; the report of the rest is there
  2    the input was wrong, or something is missing on this machine
  3    build --strict: a claim of the suite is not supported; the report is there
  130  stopped with Ctrl-C; finished runs are kept
"""

_OBJECTS_A_LOOK = 20_000
"""New objects after which Python looks for garbage. Imports make many more and leave none, and Python's own
number is 700."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAKE_ROOM = "what had finished is kept: make room, and run the same command again"

SuiteArgument = Annotated[
    Path,
    typer.Argument(metavar="SUITE", help="A suite file, or the name of a suite that ships.", show_default=False),
]
BuildOption = Annotated[
    Path, typer.Option("--build-dir", metavar="DIR", help="Where records and reports go.", show_default=True)
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Cut every run to seconds; “quick” is printed across the cover.")
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="A profile of the suite: another size, or other data."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reportgen {__version__}")
        raise typer.Exit


@app.callback(epilog=_EXAMPLES)
def _reportgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Lab reports on recurrent networks: a YAML suite in, a bilingual report out."""


@app.command(epilog="\b\nExample:\n  reportgen build experiments/suite_rnn_vs_lstm.yaml --jobs 2")
def build(
    suite: SuiteArgument,
    build_dir: BuildOption = Path("build"),
    profile: ProfileOption = None,
    quick: QuickOption = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Runs side by side; one a core unless given. Changes no result."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="FORMAT", help="md, html, pdf or docx, not the suite's; give it again for more."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if a claim of the suite is not supported.")
    ] = False,
    executor: Annotated[
        str, typer.Option(metavar="local|ray", help="Where runs are carried out; ray needs reportgen[ray].")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="A standing Ray cluster; without it Ray is started here."),
    ] = None,
    gpu_share: Annotated[
        float,
        typer.Option(
            "--gpu-share", min=0.01, max=1.0, metavar="PART", help="How much of a GPU a run has with Ray."
        ),
    ] = 1.0,
) -> None:
    """Train what has not been trained yet, and write the report: Markdown, HTML, PDF."""
    if executor == "local":
        from reportgen.executors.copies import foresee_training

        foresee_training(build_dir)
    from reportgen import options as verdicts
    from reportgen import pipeline
    from reportgen.cli.progress import Display, print_outcome
    from reportgen.executors.factory import chosen

    if strict and quick:
        raise ReportgenError(
            "--strict: got --quick beside it, expected a whole build; the numbers of a quick one support nothing"
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
        typer.echo("stopped; the runs that had finished are kept", err=True)
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
    """Show what build would train, what it would reuse, and why."""
    from reportgen import pipeline
    from reportgen.cli.progress import print_notes, print_plan
    from reportgen.storage.records import Store

    loaded = pipeline.load(_found(suite), quick=quick, profile=profile)
    print_notes(loaded.notes)
    print_plan(pipeline.plan(loaded, Store(build_dir / "records")))


@app.command(epilog="\b\nExample:\n  reportgen check experiments/suite_rnn_vs_lstm.yaml")
def check(suite: SuiteArgument, profile: ProfileOption = None) -> None:
    """Check the suite with all its profiles and what lies beside it; nothing is trained, no code of it is run."""
    from reportgen import pipeline
    from reportgen.cli.progress import print_notes
    from reportgen.lab.device import resolve
    from reportgen.suite.expansion import runs_of

    loaded = pipeline.load(_found(suite), profile=profile)
    print_notes(loaded.notes)
    runs = runs_of(loaded.suite, resolve("auto"))
    variants = len({run.variant.name for run in runs})
    name = visible(str(loaded.file))
    typer.echo(f"{name}: right; {variants} variants × {len(loaded.suite.seeds)} seeds = {len(runs)} runs")


app.command(
    epilog="\b\nExamples:\n  reportgen init my-lab\n"
    "  reportgen init my-lab --title 'LSTM by hand' --language en --data surnames\n"
    "  reportgen init my-lab --from rnn_vs_lstm --ci none",
)(init.init)
app.command(
    name="try",
    epilog="\b\nExamples:\n  reportgen try my_models.py:MyLSTM\n"
    "  reportgen try my_models.py:MyLSTM --matches lstm --weights weights.yaml\n\n\b\n"
    "Exit status:\n  0  it runs, and is torch.nn's network if that was asked\n"
    "  1  it runs, and is not torch.nn's network\n  2  it does not run",
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
    "  reportgen verify build/suite --suite suite.yaml --rerun 2\n\n\b\n"
    "Exit status:\n  0  it is what its records give\n  1  it differs, and where\n"
    "  2  it is no report, or its manifest or its records are not whole",
)(provenance.verify)
app.command(
    epilog="\b\nExamples:\n  reportgen why build/suite_rnn_vs_lstm/report.zh.pdf 0.8286\n"
    "  reportgen why build/suite/report.en.md 'Table 5'\n\n\b\n"
    "Exit status:\n  0  it is in the report\n  1  it is not; the nearest are named\n  2  it is no report",
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
        int | None, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; a free one unless given.")
    ] = None,
    browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show the report in a browser while you write; it follows suite, templates and styles, and trains nothing."""
    from reportgen import pipeline
    from reportgen.preview.command import preview as serve

    serve(_found(suite), pipeline.Options(build_dir, quick, profile), port, browser=browser)


@app.command(epilog="\b\nExample:\n  reportgen doctor")
def doctor() -> None:
    """Look at this machine: what is missing for a build, and how to get it."""
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
    """Print the JSON Schema of a suite, for editors."""
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
        f"{suite}:1: got no such file, expected a suite file, or one that ships: {', '.join(shipped)}"
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
