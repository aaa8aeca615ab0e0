"""The story: a suite goes in, a report comes out, in eight stages of one function each.

    load → plan → run → collect → analyse → draw → write → typeset

This is the only module that knows every stage.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from reportgen import options as verdicts
from reportgen.errors import ReportgenError
from reportgen.executors.base import Event, carry_out_all
from reportgen.executors.beside import Beside, one_after_the_other, side_by_side
from reportgen.executors.copies import REPORTS, prepare
from reportgen.options import Options as Options
from reportgen.options import Outcome as Outcome
from reportgen.planning import load as documents
from reportgen.planning import load as loading
from reportgen.planning import plan as planning
from reportgen.planning import preflight
from reportgen.planning.load import Loaded, look_through
from reportgen.planning.plan import Action, Plan, Step
from reportgen.report.typesetting import typeset
from reportgen.storage import build_state, manifest
from reportgen.storage.cache import Kept
from reportgen.storage.records import Store, put_in_place
from reportgen.suite.claims import Claim
from reportgen.suite.expansion import file_name
from reportgen.suite.schema import Suite
from reportgen.tasks.base import task_of
from reportgen.tasks.registry import Findings, module_for

if TYPE_CHECKING:
    from reportgen.analysis.results import Runs
    from reportgen.i18n.languages import Language
    from reportgen.lab.record import Record

CACHE = ".cache"
"""What was worked out once, in the build folder: see `reportgen.kept`."""


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
    loaded = load(
        file, quick=options.quick, profile=options.profile, formats=options.formats, check_templates=False
    )
    announce("plan")
    store = Store(options.build / "records")
    if planning.has_new(loaded.suite, store):
        options.place.get_ready()
    planned = plan(loaded, store)
    folder = options.build / ".".join(filter(None, [file.stem, options.profile, "quick" * options.quick]))
    new = [step.run for step in planned.steps if step.action is not Action.REUSE]
    keys = [step.key for step in planned.steps]
    mark_now = partial(build_state.of, loaded.suite, loaded.template_folders, keys, store, loaded.beside)
    if not new and documents.typeset_in(loaded) and not build_state.matches(folder, mark_now()):
        prepare(REPORTS)  # by the time that it is needed it will have imported all
    loaded = replace(loaded, notes=(*loaded.notes, *look_through(loaded)))
    announce("run")
    if new:
        _ = loaded.languages  # their faults, before anything trains
    preflight.try_own(file, options.profile, new, loaded.suite.metrics)
    trained, imported = run(planned, store, options, listen)

    mark = mark_now()
    up_to_date = not trained and not imported and build_state.matches(folder, mark)
    edited = []
    if not up_to_date:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):  # another build may be at the same report
            kept = Kept(options.build / CACHE)
            reports, others = make_report(loaded, planned, store, folder, options, announce, kept)
            edited = build_state.set_aside(folder, reports)
            for name, content in reports.items():
                put_in_place(folder / name, content)
            made_from = manifest_of(loaded, planned, store, options)
            others.append(manifest.leave(folder, made_from, [*reports, *others]))
            build_state.leave(folder, mark, [*reports, *others])
    claims, checks = verdicts.told_in(folder)
    return Outcome(
        folder=folder,
        reports=[
            folder / f"report.{code}.{kind}" for code in loaded.suite.languages for kind in loaded.suite.formats
        ],
        trained=trained,
        reused=len(planned.steps) - trained - imported,
        unfinished=planning.unfinished(planned, store),
        seconds=time.perf_counter() - began,
        up_to_date=up_to_date,
        claims=claims,
        checks=checks,
        notes=[*loaded.notes, *(f"a report had been edited; it is kept as {file}" for file in edited)],
        imported=imported,
    )


def make_report(
    loaded: Loaded,
    planned: Plan,
    store: Store,
    folder: Path,
    options: Options,
    announce: Callable[[str], None],
    kept: Kept | None = None,
) -> tuple[dict[str, bytes], list[str]]:
    """Go from records at rest to the reports, and to figures, tables and numbers in `folder`.

    What was drawn before is taken from `kept`; without it all is drawn anew.

    Returns the reports by name, not yet written, so that those in their place are whole until all are there; and
    the paths of what was written, from `folder`.
    """
    from reportgen.user_code.metrics import (
        with_metrics,  # here, because a build with nothing to do needs no pandas
    )

    with side_by_side(documents.typeset_in(loaded)) as carry_out:
        announce("collect")
        results = with_metrics(collect(planned, store), loaded.suite, loaded.file, options.profile, kept)
        announce("analyse")
        gc.freeze()  # statsmodels looks for garbage at every turn, among all that is imported
        try:
            findings = analyse(results, loaded.claims)
        finally:
            gc.unfreeze()
        announce("draw")
        languages = documents.drawn_in(loaded)
        figures = draw(results, findings, languages, folder, loaded.suite.sections, kept, carry_out)
        announce("write")
        written = write(loaded, results, findings, figures, quick=options.quick, carry_out=carry_out)
        others = [path for own in figures.values() for path in own.values()]
        others += [*numbers(results, findings, folder, loaded.suite), *documents.copy_pictures(loaded, folder)]
        # not the suite: the class of a task's suite is made on the way, and cannot be sent to another process
        work = partial(
            typeset,
            folder=folder,
            formats=loaded.suite.formats,
            template_folders=loaded.template_folders,
            look=loaded.suite.look,
            manifest=manifest_of(loaded, planned, store, options),
            quick=options.quick,
            kept=kept,
        )
        if documents.typeset_in(loaded):
            announce("typeset")
        made = carry_out(work, documents.documents(loaded, written))
    return {name: content for own in made for name, content in own.items()}, others


def manifest_of(loaded: Loaded, planned: Plan, store: Store, options: Options) -> dict[str, Any]:
    """Return what the reports are made from: see `manifest.Manifest`."""
    keys = {step.run.name: step.key for step in planned.steps}
    return manifest.of(
        loaded.file, keys, store, loaded.template_folders, profile=options.profile, quick=options.quick
    )


load = loading.load
"""Read and check the suite and what lies beside it."""


def plan(loaded: Loaded, store: Store) -> Plan:
    """Expand the suite into runs with their keys, and say of each what will be done and why."""
    with preflight.told_of(loaded.file, loaded.profile):
        planned = planning.plan(loaded.suite, store, Kept(store.folder.parent / CACHE), loaded.file.stem)
    new = [step.run for step in planned.steps if step.action is not Action.REUSE]
    preflight.check(loaded.file, loaded.profile, new)
    preflight.check_precision(loaded.file, loaded.profile, new)
    return planned


def run(planned: Plan, store: Store, options: Options, listen: Callable[[Event], None]) -> tuple[int, int]:
    """Train what is not there yet, and read what was trained elsewhere.

    Returns how many runs were trained, which another build may have done meanwhile, and how many were imported.
    """
    imported = planning.carry_in(planned, store)
    tasks = planning.tasks(planned)
    if not tasks:
        return 0, imported
    store.remove_unfinished()
    made = carry_out_all(tasks, store.folder, options.place, listen)
    return sum(step.key in made for step in planned.steps), imported


def collect(planned: Plan, store: Store) -> "Runs":
    """Read the records and gather them in tables."""
    task = task_of(planned.steps[0].run.variant.settings.data.source).name
    pairs = [(step.run, _record(step, store)) for step in planned.steps]
    gathered: Runs = module_for(task, "collect").collect(pairs)
    return gathered


def _record(step: Step, store: Store) -> "Record":
    record = planning.read(store, step.key)
    if record is None:
        raise ReportgenError(
            f"the record of {step.run.name} is gone from {store.folder}; run the same command again"
        )
    return record


def analyse(results: "Runs", claims: Sequence[Claim] = ()) -> Findings:
    """Work out what the results show, and judge the claims of the suite."""
    return module_for(results.task, "analyse").analyse(results, claims)


def draw(
    results: "Runs",
    findings: Findings,
    languages: "Sequence[Language]",
    folder: Path,
    sections: Sequence[str] = (),
    kept: Kept | None = None,
    carry_out: Beside[Any] = one_after_the_other,
) -> dict[str, dict[str, str]]:
    """Draw the figures that are not in `kept`; return their paths, from `folder`, by language and name."""
    from reportgen.figures.deferred import all_as_svg

    (folder / "figures").mkdir(exist_ok=True)
    sketches = module_for(results.task, "draw").sketches
    wanted = [sketches(results, findings, language, sections) for language in languages]
    paths: dict[str, dict[str, str]] = {}
    for language, figures in zip(languages, all_as_svg(wanted, kept, carry_out), strict=True):
        paths[language.code] = {name: f"figures/{file_name(name)}.{language.code}.svg" for name in figures}
        for name, svg in figures.items():
            (folder / paths[language.code][name]).write_text(svg, "utf-8")
    return paths


def write(
    loaded: Loaded,
    results: "Runs",
    findings: Findings,
    figures: dict[str, dict[str, str]],
    *,
    quick: bool,
    carry_out: Beside[Any] = one_after_the_other,
) -> dict[str, str]:
    """Fill in the templates: the report in Markdown by language.

    A language without figures of its own has those of the first.
    """
    from reportgen.report import guarded

    any_language = next(iter(figures.values()))
    build_context = module_for(results.task, "context").build_context
    contexts = []
    for language in loaded.languages:
        own = figures.get(language.code, any_language)
        context = build_context(loaded.suite, results, findings, own, language, quick=quick)
        contexts.append((replace(context, words=loaded.words[language.code]), language))
    written = guarded.write(contexts, loaded.template_folders, carry_out=carry_out)
    return {language.code: text for (_, language), text in zip(contexts, written, strict=True)}


def numbers(results: "Runs", findings: Findings, folder: Path, suite: Suite) -> list[str]:
    """Leave the numbers for other programs in `folder`: tables/*.csv and results.json; return their paths."""
    return list(module_for(results.task, "numbers").write(folder, results, findings, suite.checks))
