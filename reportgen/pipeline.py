"""The story: a suite goes in, a report comes out, in eight stages of one function each.

    load → plan → run → collect → analyse → draw → write → typeset

This is the only module that knows every stage.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import options as verdicts
from reportgen.errors import ReportgenError
from reportgen.executors.base import Event, carry_out_all
from reportgen.executors.parallel import ParallelMap, parallel_map, serial_map
from reportgen.options import Options as Options
from reportgen.options import Outcome as Outcome
from reportgen.planning import claim_journal, preflight
from reportgen.planning import load as documents
from reportgen.planning import load as loading
from reportgen.planning import plan as planning
from reportgen.planning.load import Loaded, look_through
from reportgen.planning.output import CACHE, Output
from reportgen.planning.plan import Plan, Step
from reportgen.planning.user_files import OwnFile
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.claims import Claim
from reportgen.suite.expansion import file_name
from reportgen.suite.schema import Suite
from reportgen.tasks.base import Findings
from reportgen.tasks.registry import task_named, task_of

if TYPE_CHECKING:
    from reportgen.analysis.results import Runs
    from reportgen.i18n.languages import Language
    from reportgen.lab.record import Record


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
    if planning.has_new(loaded.runs, store):
        options.place.get_ready()
    planned = plan(loaded, store)
    output = Output.of(options.build, loaded, planned, store)
    output.refuse_links()
    claim_journal.note(store, loaded.claims)
    if not planned.new and not output.is_up_to_date(output.mark):
        documents.get_ready(loaded)
    loaded = replace(loaded, notes=(*loaded.notes, *look_through(loaded)))

    announce("run")
    if planned.new:
        _ = loaded.languages  # their faults, before anything trains
        loading.check_formulas(loaded)
    preflight.try_own(loaded.document, planned.new, loaded.suite.metrics)
    trained, imported = run(planned, store, options, listen)

    mark, edited = output.mark, list[Path]()
    up_to_date = not trained and not imported and output.is_up_to_date(mark)
    if not up_to_date:
        if not planned.new:
            loading.check_formulas(loaded)
        with output.locked():
            reports, others = make_report(output, announce, Cache(options.build / CACHE))
            edited = output.put(reports, others, mark, keep_others=bool(options.formats))

    claims, checks = verdicts.read_claims_and_checks(output.folder)
    return Outcome(
        folder=output.folder,
        reports=output.reports,
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
    output: Output,
    announce: Callable[[str], None],
    cache: Cache | None = None,
    measured: Mapping[str, Mapping[str, float]] | None = None,
) -> tuple[dict[str, bytes], list[str]]:
    """Go from records at rest to the reports, and to figures, tables and numbers in the output's folder.

    What was drawn before is taken from `cache`; without it all is drawn anew. Metrics of the suite's own that
    `measured` has, by name and run, are not measured: no code of the suite's is run for them.

    Returns the reports by name, not yet written, so that those in their place are whole until all are there; and
    the paths of what was written, from the folder.
    """
    from reportgen.user_code.metrics import (
        with_metrics,  # here, because a build with nothing to do needs no pandas
    )

    loaded, folder, suite = output.loaded, output.folder, output.loaded.suite
    with parallel_map(documents.typeset_in(loaded)) as parallel:
        announce("collect")
        collected = collect(output.planned, output.store)
        results = with_metrics(collected, suite.metrics, loaded.document, cache, measured or {})

        announce("analyse")
        late = claim_journal.late(output.store, loaded.claims, results)
        findings = analyse(results, loaded.claims, late)

        announce("draw")
        figures = draw(results, findings, documents.drawn_in(loaded), folder, suite.sections, cache, parallel)

        announce("write")
        texts = write(loaded, results, findings, figures, output.user_files, parallel)
        others = [path for by_name in figures.values() for path in by_name.values()]
        others += [*numbers(results, findings, folder, suite), *documents.copy_pictures(loaded, folder)]

        if documents.typeset_in(loaded):
            announce("typeset")
        by_document = documents.documents(loaded, texts)
        others.append(documents.leave_numbers(folder, by_document))
        return typeset(loaded, by_document, folder, output.manifest, cache, parallel), others


load = loading.load
"""Read and check the suite and what lies beside it."""

typeset = documents.typeset
"""Set the documents in the suite's formats."""


def plan(loaded: Loaded, store: Store) -> Plan:
    """Say of each run what will be done and why; SuiteError where the settings do not fit data or machine."""
    preflight.check_devices(loaded.document, loaded.runs)
    with preflight.with_lines(loaded.document):
        planned = planning.plan(loaded.runs, store, Cache(store.folder.parent / CACHE), loaded.file.stem)
    preflight.check(loaded.document, planned.new)
    preflight.check_precision(loaded.document, planned.new)
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
    task = task_of(planned.steps[0].run.variant.settings.data.source)
    pairs = [(step.run, _record(step, store)) for step in planned.steps]
    return task.results().collect(pairs)


def _record(step: Step, store: Store) -> "Record":
    record = planning.read(store, step.key)
    if record is None:
        raise ReportgenError(
            f"the record of {step.run.name} is gone from {store.folder}; run the same command again"
        )
    return record


def analyse(results: "Runs", claims: Sequence[Claim] = (), late: Collection[str] = ()) -> Findings:
    """Work out what the results show, and judge the claims of the suite; `late`: see `claim_journal.late`."""
    return task_named(results.task).findings().analyse(results, claims, late)


def draw(
    results: "Runs",
    findings: Findings,
    languages: "Sequence[Language]",
    folder: Path,
    sections: Sequence[str] = (),
    cache: Cache | None = None,
    parallel: ParallelMap[Any] = serial_map,
) -> dict[str, dict[str, str]]:
    """Draw the figures that are not in `cache`; return their paths, from `folder`, by language and name."""
    from reportgen.figures.deferred import all_as_svg

    files = UntrustedFolder(folder)
    deferred_figures = task_named(results.task).figures().deferred_figures
    wanted = [deferred_figures(results, findings, language, sections) for language in languages]
    paths: dict[str, dict[str, str]] = {}
    for language, figures in zip(languages, all_as_svg(wanted, cache, parallel), strict=True):
        paths[language.code] = {name: f"figures/{file_name(name)}.{language.code}.svg" for name in figures}
        for name, svg in figures.items():
            files.write(paths[language.code][name], svg.encode())
    return paths


def write(
    loaded: Loaded,
    results: "Runs",
    findings: Findings,
    figures: dict[str, dict[str, str]],
    files: Sequence[OwnFile] = (),
    parallel: ParallelMap[Any] = serial_map,
) -> dict[str, str]:
    """Fill in the templates: the report in Markdown by language, with the marks of its numbers.

    The author's own `files` are listed in it.

    A language without figures of its own has those of the first.
    """
    from reportgen.report import guarded

    any_language = next(iter(figures.values()))
    build_context = task_named(results.task).context().build_context
    contexts = []
    for language in loaded.languages:
        own = figures.get(language.code, any_language)
        context = build_context(loaded.suite, results, findings, own, language, quick=loaded.quick)
        listed = [(file.name, file.kind, file.digest) for file in files]
        contexts.append((replace(context, words=loaded.words[language.code], own_files=listed), language))
    written = guarded.write(contexts, loaded.template_folders, parallel=parallel)
    return {language.code: text for (_, language), text in zip(contexts, written, strict=True)}


def numbers(results: "Runs", findings: Findings, folder: Path, suite: Suite) -> list[str]:
    """Leave the numbers for other programs in `folder`: tables/*.csv and results.json; return their paths."""
    return task_named(results.task).numbers().write(folder, results, findings, suite.checks)
