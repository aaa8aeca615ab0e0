"""The story: a suite goes in, a report comes out, in eight stages of one function each.

    load → plan → run → collect → analyse → draw → write → typeset

This is the only module that knows every stage.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import fonts, languages, planning, stamp, trials
from reportgen.errors import ReportgenError
from reportgen.executors import pool
from reportgen.executors.events import Event
from reportgen.lab.record import Record
from reportgen.planning import Action, Plan, Step
from reportgen.reporting import Findings, module_for
from reportgen.resources import TEMPLATES
from reportgen.store import Store
from reportgen.suite.expansion import file_name
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite
from reportgen.suite.tasks import task_of

if TYPE_CHECKING:  # pandas, matplotlib and WeasyPrint cost seconds: a build with nothing to do imports none
    from reportgen.analysis.results import Runs
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
    notes: list[str]
    """What the user should know of the suite, and of the reports that were there before."""
    imported: int = 0


@dataclass(frozen=True)
class Loaded:
    """A checked suite and what surrounds it."""

    file: Path
    suite: Suite
    template_folders: tuple[Path, ...]
    """Where templates and catalogues are looked for: beside the suite first."""
    languages: "tuple[Language, ...]"
    notes: tuple[str, ...] = ()
    """What is not wrong, but not what it seems: a line each."""


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
    new = [step.run for step in planned.steps if step.action is not Action.REUSE]
    trials.try_own(file, options.profile, new, loaded.suite.metrics)
    run(planned, store, options, listen)
    actions = Counter(step.action for step in planned.steps)
    trained = actions[Action.TRAIN] + actions[Action.RETRY]

    mark = stamp.of(loaded.suite, loaded.template_folders, [step.key for step in planned.steps], store)
    up_to_date = actions[Action.REUSE] == len(planned.steps) and stamp.matches(folder, mark)
    edited = []
    if not up_to_date:
        reports, others = make_report(loaded, planned, store, folder, options, announce)
        edited = stamp.set_aside(folder, reports)
        for name, content in reports.items():
            (folder / name).write_bytes(content)
        stamp.leave(folder, mark, [*reports, *others])
    return Outcome(
        folder=folder,
        reports=[
            folder / f"report.{code}.{kind}" for code in loaded.suite.languages for kind in loaded.suite.formats
        ],
        trained=trained,
        reused=actions[Action.REUSE],
        unfinished=planning.unfinished(planned, store),
        seconds=time.perf_counter() - began,
        up_to_date=up_to_date,
        notes=[*loaded.notes, *(f"a report had been edited; it is kept as {file}" for file in edited)],
        imported=actions[Action.IMPORT],
    )


def make_report(
    loaded: Loaded,
    planned: Plan,
    store: Store,
    folder: Path,
    options: Options,
    announce: Callable[[str], None],
) -> tuple[dict[str, bytes], list[str]]:
    """Go from records at rest to the reports, and to figures, tables and numbers in `folder`.

    Returns the reports by name, not yet written, so that those in their place are whole until all are there; and
    the paths of what was written, from `folder`.
    """
    from reportgen.metrics import with_metrics  # here, because a build with nothing to do needs no pandas

    announce("collect")
    results = with_metrics(collect(planned, store), loaded.suite, loaded.file, options.profile)
    announce("analyse")
    findings = analyse(results)
    folder.mkdir(parents=True, exist_ok=True)
    announce("draw")
    figures = [draw(results, findings, language, folder, loaded.suite.sections) for language in loaded.languages]
    announce("write")
    texts = [
        write(loaded, results, findings, own, language, quick=options.quick)
        for own, language in zip(figures, loaded.languages, strict=True)
    ]
    others = [path for own in figures for path in own.values()] + numbers(results, findings, folder)
    # not the suite: the class of a task's suite is made on the way, and cannot be sent to another process
    work = partial(
        typeset,
        folder=folder,
        formats=loaded.suite.formats,
        template_folders=loaded.template_folders,
        quick=options.quick,
    )
    arguments = list(zip(texts, loaded.languages, strict=True))
    if loaded.suite.formats == ("md",):  # there is no type to set
        reports = [work(*own) for own in arguments]
    else:
        announce("typeset")
        reports = pool.side_by_side(work, arguments)
    return {name: content for own in reports for name, content in own.items()}, others


def load(file: Path, *, quick: bool = False, profile: str | None = None) -> Loaded:
    """Read and check the suite and what is beside it, lay its profile over it, and shorten it for a quick build.

    Raises SuiteError with every problem of the suite, TemplateError with those of its own catalogues, templates
    and style sheets: whatever can be found before anything is trained.
    """
    folders = (file.parent / "templates", TEMPLATES)
    sections = {
        path.name.removesuffix(".md.j2") for folder in folders for path in folder.glob("sections/**/*.md.j2")
    }
    suite = read_suite(file, languages.available(folders), profile, fonts.lacking, sections)
    tongues = tuple(languages.load_languages(suite.languages, folders))
    suite = planning.shortened(suite) if quick else suite
    planning.check_logs(suite)
    return Loaded(file, suite, folders, tongues, (*planning.left_out(suite), *_check_own(tongues, folders)))


def _check_own(tongues: "Sequence[Language]", folders: Sequence[Path]) -> list[str]:
    """Look through the templates and style sheets beside the suite, if there are any: it takes half a second."""
    if any(folders[0].rglob("*.j2")):
        from reportgen.report import markdown

        for language in tongues:
            markdown.check(language, folders)
    if not any(folders[0].rglob("*.css")):
        return []
    from reportgen.report import styles

    return styles.faults(folders)


def plan(loaded: Loaded, store: Store) -> Plan:
    """Expand the suite into runs with their keys, and say of each what will be done and why."""
    return planning.plan(loaded.suite, store)


def run(planned: Plan, store: Store, options: Options, listen: Callable[[Event], None]) -> None:
    """Train what is not there yet, and read what was trained elsewhere."""
    planning.carry_in(planned, store)
    tasks = planning.tasks(planned)
    if tasks:
        store.remove_unfinished()
        workers = options.jobs or pool.workers_for(len(tasks), planned.device)
        pool.carry_out_all(tasks, store.folder, workers, listen)


def collect(planned: Plan, store: Store) -> "Runs":
    """Read the records and gather them in tables."""
    task = task_of(planned.steps[0].run.variant.settings.data.source).name
    pairs = [(step.run, _record(step, store)) for step in planned.steps]
    gathered: Runs = module_for(task, "collect").collect(pairs)
    return gathered


def _record(step: Step, store: Store) -> Record:
    record = planning.read(store, step.key)
    if record is None:
        raise ReportgenError(
            f"the record of {step.run.name} is gone from {store.folder}; run the same command again"
        )
    return record


def analyse(results: "Runs") -> Findings:
    """Work out what the results show."""
    return module_for(results.task, "analyse").analyse(results)


def draw(
    results: "Runs", findings: Findings, language: "Language", folder: Path, sections: Sequence[str] = ()
) -> dict[str, str]:
    """Draw the figures of one language; return the path of each, from the report's folder."""
    (folder / "figures").mkdir(exist_ok=True)
    paths = {}
    for name, svg in module_for(results.task, "draw").draw(results, findings, language, sections).items():
        paths[name] = f"figures/{file_name(name)}.{language.code}.svg"
        (folder / paths[name]).write_text(svg, "utf-8")
    return paths


def write(
    loaded: Loaded,
    results: "Runs",
    findings: Findings,
    figures: dict[str, str],
    language: "Language",
    *,
    quick: bool,
) -> str:
    """Fill in the templates: the report in Markdown."""
    from reportgen.report.markdown import write as fill_in

    context = module_for(results.task, "context").build_context(
        loaded.suite, results, findings, figures, language, quick=quick
    )
    return fill_in(context, language, loaded.template_folders)


def numbers(results: "Runs", findings: Findings, folder: Path) -> list[str]:
    """Leave the numbers for other programs in `folder`: tables/*.csv and results.json; return their paths."""
    paths: list[str] = module_for(results.task, "numbers").write(folder, results, findings)
    return paths


def typeset(
    text: str,
    language: "Language",
    folder: Path,
    formats: Sequence[str],
    template_folders: Sequence[Path],
    *,
    quick: bool,
) -> dict[str, bytes]:
    """Turn the Markdown of one language into the formats that the suite asks for: the files by name."""
    made = {"md": text.encode()}
    if "html" in formats or "pdf" in formats:
        from reportgen.report.html import to_html
        from reportgen.report.styles import style_sheets

        html = to_html(text, language, folder, style_sheets(template_folders), quick=quick)
        made["html"] = html.encode()
    if "pdf" in formats:
        from reportgen.report.pdf import to_pdf

        made["pdf"] = to_pdf(html)
    return {f"report.{language.code}.{kind}": made[kind] for kind in formats}
