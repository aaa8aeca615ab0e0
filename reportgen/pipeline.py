"""The story: a suite goes in, a report comes out, in eight stages of one function each.

    load → plan → run → collect → analyse → draw → write → typeset

This is the only module that knows every stage.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import fonts, languages, planning, stamp
from reportgen.errors import ReportgenError
from reportgen.executors import pool
from reportgen.executors.events import Event
from reportgen.lab.record import Record
from reportgen.planning import Action, Plan, Step
from reportgen.resources import TEMPLATES
from reportgen.store import Store
from reportgen.suite.expansion import file_name
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite
from reportgen.suite.tasks import CLASSIFICATION, task_of

if TYPE_CHECKING:  # pandas, matplotlib and WeasyPrint cost seconds: a build with nothing to do imports none
    from reportgen.analysis.findings import Findings
    from reportgen.analysis.results import Results
    from reportgen.languages import Language


@dataclass(frozen=True)
class Options:
    """How to build: where to, and how much."""

    build: Path = Path("build")
    quick: bool = False
    profile: str | None = None
    """One of the suite's profiles; the suite as it is without one."""
    jobs: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a build came to."""

    folder: Path
    reports: list[Path]
    trained: int
    reused: int
    unfinished: list[str]
    """Names of the runs that diverged or failed."""
    seconds: float
    up_to_date: bool
    """Whether the reports were there already, and nothing had changed."""


@dataclass(frozen=True)
class Loaded:
    """A checked suite and what surrounds it."""

    file: Path
    suite: Suite
    template_folders: tuple[Path, ...]
    """Where templates and catalogues are looked for: beside the suite first."""


def build(
    file: Path, options: Options, listen: Callable[[Event], None], announce: Callable[[str], None]
) -> Outcome:
    """Build the reports of the suite in `file`.

    Args:
        file: the suite.
        options: where to, and how much.
        listen: hears of every epoch and every run.
        announce: hears the name of each stage as it begins.

    Raises ReportgenError with a message for the user; what had been trained is in the store.
    """
    began = time.perf_counter()
    announce("load")
    loaded = load(file, quick=options.quick, profile=options.profile)
    announce("plan")
    store = Store(options.build / "records")
    planned = plan(loaded, store)
    folder = options.build / ".".join(filter(None, [file.stem, options.profile, "quick" * options.quick]))
    announce("run")
    run(planned, store, options, listen)
    trained = sum(step.action is not Action.REUSE for step in planned.steps)

    mark = stamp.of(loaded.suite, loaded.template_folders, [step.key for step in planned.steps], store)
    up_to_date = not trained and stamp.matches(folder, mark)
    if not up_to_date:
        make_report(loaded, planned, store, folder, options, announce)
        stamp.leave(folder, mark)
    return Outcome(
        folder=folder,
        reports=[
            folder / f"report.{code}.{kind}" for code in loaded.suite.languages for kind in loaded.suite.formats
        ],
        trained=trained,
        reused=len(planned.steps) - trained,
        unfinished=planning.unfinished(planned, store),
        seconds=time.perf_counter() - began,
        up_to_date=up_to_date,
    )


def make_report(
    loaded: Loaded,
    planned: Plan,
    store: Store,
    folder: Path,
    options: Options,
    announce: Callable[[str], None],
) -> None:
    """Go from records at rest to files in `folder`."""
    announce("collect")
    results = collect(planned, store)
    announce("analyse")
    findings = analyse(results)
    folder.mkdir(parents=True, exist_ok=True)
    tongues = languages.load_languages(loaded.suite.languages, loaded.template_folders)
    announce("draw")
    figures = {language.code: draw(results, findings, language, folder) for language in tongues}
    announce("write")
    texts = {
        language.code: write(
            loaded, results, findings, figures[language.code], language, folder, quick=options.quick
        )
        for language in tongues
    }
    announce("typeset")
    pool.side_by_side(
        partial(typeset, folder=folder, loaded=loaded, quick=options.quick),
        [(texts[language.code], language) for language in tongues],
    )


def load(file: Path, *, quick: bool = False, profile: str | None = None) -> Loaded:
    """Read and check the suite, lay its profile over it, and shorten it if the build is to be quick.

    Raises SuiteError with every problem.
    """
    folders = (file.parent / "templates", TEMPLATES)
    sections = {path.name.removesuffix(".md.j2") for folder in folders for path in folder.glob("sections/*.md.j2")}
    suite = read_suite(file, languages.available(folders), profile, fonts.lacking, sections)
    return Loaded(file, planning.shortened(suite) if quick else suite, folders)


def plan(loaded: Loaded, store: Store) -> Plan:
    """Expand the suite into runs with their keys, and say of each what will be done and why."""
    return planning.plan(loaded.suite, store)


def run(planned: Plan, store: Store, options: Options, listen: Callable[[Event], None]) -> None:
    """Train what is not there yet."""
    tasks = planning.tasks(planned)
    if tasks:
        workers = options.jobs or pool.workers_for(len(tasks), planned.device)
        pool.carry_out_all(tasks, store.folder, workers, listen)


def collect(planned: Plan, store: Store) -> "Results":
    """Read the records and gather them in tables."""
    tasks = {task_of(step.run.variant.settings.data.source) for step in planned.steps}
    if tasks != {CLASSIFICATION}:
        names = ", ".join(sorted(task.name for task in tasks))
        raise ReportgenError(
            f"{names}: there is no report of it yet; the runs are trained and kept in {store.folder}"
        )
    from reportgen.analysis import results

    return results.collect([(step.run, _record(step, store)) for step in planned.steps])


def _record(step: Step, store: Store) -> Record:
    record = planning.read(store, step.key)
    if record is None:
        raise ReportgenError(
            f"the record of {step.run.name} is gone from {store.folder}; run the same command again"
        )
    return record


def analyse(results: "Results") -> "Findings":
    """Work out what the results show."""
    from reportgen.analysis import findings

    return findings.analyse(results)


def draw(results: "Results", findings: "Findings", language: "Language", folder: Path) -> dict[str, str]:
    """Draw the figures of one language; return the path of each, from the report's folder."""
    from reportgen.figures import drawing

    (folder / "figures").mkdir(exist_ok=True)
    paths = {}
    for name, svg in drawing.draw(results, findings, language).items():
        paths[name] = f"figures/{file_name(name)}.{language.code}.svg"
        (folder / paths[name]).write_text(svg, "utf-8")
    return paths


def write(
    loaded: Loaded,
    results: "Results",
    findings: "Findings",
    figures: dict[str, str],
    language: "Language",
    folder: Path,
    *,
    quick: bool,
) -> str:
    """Fill in the templates, and leave the numbers beside the text: tables/*.csv and results.json."""
    from reportgen.report import numbers
    from reportgen.report.context import build_context
    from reportgen.report.markdown import write as fill_in

    context = build_context(loaded.suite, results, findings, figures, language, quick=quick)
    text = fill_in(context, language, loaded.template_folders)
    (folder / f"report.{language.code}.md").write_text(text, "utf-8")
    numbers.write(folder, results, findings)
    return text


def typeset(text: str, language: "Language", folder: Path, loaded: Loaded, *, quick: bool) -> None:
    """Turn the Markdown of one language into the formats that the suite asks for."""
    formats = loaded.suite.formats
    if "html" not in formats and "pdf" not in formats:
        return
    from reportgen.report.html import to_html

    html = to_html(text, language, folder, style_sheets(loaded.template_folders), quick=quick)
    if "html" in formats:
        (folder / f"report.{language.code}.html").write_text(html, "utf-8")
    if "pdf" in formats:
        from reportgen.report.pdf import to_pdf

        (folder / f"report.{language.code}.pdf").write_bytes(to_pdf(html))


def style_sheets(folders: Sequence[Path]) -> list[str]:
    """Return the report's style sheet, the suite's own or the one that ships, and the suite's own.css after it."""
    found = [
        folder / "styles" / "report.css" for folder in folders if (folder / "styles" / "report.css").is_file()
    ]
    own = [folder / "styles" / "own.css" for folder in folders if (folder / "styles" / "own.css").is_file()]
    return [path.read_text("utf-8") for path in (*found[:1], *own)]
