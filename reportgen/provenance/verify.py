"""Is a report what its records give? Each question that is answered is a `Check`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import ReportgenError
from reportgen.i18n.origins import NUMBERS
from reportgen.importers import records as imports
from reportgen.lab.record import from_files, to_files
from reportgen.planning import plan as planning
from reportgen.planning.load import Loaded
from reportgen.planning.plan import Plan
from reportgen.provenance import reading, rendering, rewriting
from reportgen.provenance.answers import Check, Outcome, Question, differs, proven, undecided
from reportgen.provenance.consistency import consistency
from reportgen.provenance.hand_ins import HandIn, shared
from reportgen.provenance.reading import Report
from reportgen.provenance.rendering import CannotRenderError
from reportgen.provenance.user_files import own
from reportgen.storage import manifest as manifests
from reportgen.storage.manifest import FILE, Manifest
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest, is_whole
from reportgen.suite.imports import ImportedRun

_MOST = 5
"""Differences of a file that are listed."""

_WITH_DIGITS = re.compile(r"\w*\d[\w.,]*")


@dataclass(frozen=True)
class Options:
    """What to hold a report against."""

    suite: Path | None = None
    """The suite that it was made from; looked for where suites lie unless given."""
    records: Path | None = None
    rerun: int = 0
    """How many runs to train anew."""
    seed: int | None = None
    """Decides which; drawn by the system unless given."""
    trusted: Path | None = None
    """A folder of templates, sentences and style sheets that the reader knows."""


@dataclass(frozen=True)
class _Opened:
    """A report, or a folder of them, read back."""

    folder: Path
    manifest: Manifest
    reports: list[Report]
    files: dict[str, str]
    """Path and digest of each file to look at, as manifest.json has them; an empty digest is not known."""
    whole: bool
    """Whether it is a folder, which has no reports but those of its manifest."""


def verify_all(places: Sequence[Path], options: Options) -> Iterator[Check]:
    """Hold several hand-ins each against its own records, and against each other; see `verify`.

    Of several, one that cannot be read is undecided; a single one raises what `verify` raises.
    """
    if len(places) == 1:
        yield from verify(places[0], options)
        return
    hand_ins = []
    for place in places:
        try:
            yield from verify(place, options)
            hand_ins.append(_hand_in(place, options))
        except ReportgenError as error:
            yield undecided(Question.HAND_INS, f"{place}: not held against the others: {error}")
    yield from shared(hand_ins)


def _hand_in(place: Path, options: Options) -> HandIn:
    opened = _opened(place)
    store = reading.store_for(opened.folder, options.records)
    beside = opened.folder.resolve().parent / "records"
    return HandIn(place, opened.manifest, store, beside if store.folder.resolve() == beside else place.resolve())


def verify(place: Path, options: Options) -> Iterator[Check]:
    """Hold a report, or a folder of them, against its manifest, its records, and what they give today.

    Every question that the report raises is answered; what cannot be looked at is undecided.

    Raises ReportgenError for what is not reportgen's, a manifest that is cut short, and a store that is not there.
    """
    opened = _opened(place)
    yield from _of_files(opened)
    for report in opened.reports:
        yield from _of_report(report, opened.manifest if opened.whole else reading.beside(report))
    store = reading.store_for(opened.folder, options.records)
    yield from _of_records(opened.manifest, store)
    yield from consistency(opened.manifest, store)
    yield from (differs(Question.VERSIONS, words) for words in _false_versions(opened, store))
    yield from _with_suite(opened, store, options)


def _opened(place: Path) -> _Opened:
    if place.is_dir():
        manifest = reading.open_folder(place)
        reports = [place / name for name in manifest.files if name.startswith("report.")]
        opened = [
            reading.open_report(file)
            for file in reports
            if reading.content_in(place, file.name) is not None and file.suffix in reading.KINDS
        ]
        return _Opened(place, manifest, opened, dict(manifest.files), True)
    report = reading.open_report(place)
    beside = reading.beside(report)
    files = {place.name: ""}
    if beside is not None:
        others = {name: wanted for name, wanted in beside.files.items() if not name.startswith("report.")}
        files = {place.name: beside.files[place.name], **others}
    return _Opened(place.parent, report.manifest, [report], files, False)


def _with_suite(opened: _Opened, store: Store, options: Options) -> Iterator[Check]:
    """Answer the questions that the suite is needed for."""
    manifest = opened.manifest
    suite = _suite(options.suite, manifest, opened.folder)
    if suite is None:
        why = f"no {manifest.suite.file} as it was then; --suite FILE says where it is"
        if options.rerun:
            raise ReportgenError(f"--rerun: got no suite to train from, expected --suite {manifest.suite.file}")
        yield undecided(Question.SUITE, why)
        yield from _not_written(opened, why)
        return
    if digest(suite.read_bytes()) == manifest.suite.digest:
        yield proven(Question.SUITE, f"{suite}: is the suite that the report was made from")
    else:
        yield differs(Question.SUITE, f"{suite}: is not the suite that the report was made from")
    try:
        loaded = rendering.load(suite, manifest)
        plan = rendering.planned(loaded, manifest, store)
    except ReportgenError as error:  # a log or a table beside it may have been left out, or is another now
        if options.rerun:
            raise
        yield from _not_written(opened, str(error))
        return
    except CannotRenderError as fault:
        yield differs(Question.REWRITTEN, f"cannot be written anew: {fault}")
        yield from _not_written(opened, str(fault))
        return
    yield from own(loaded, plan, manifest, store, options.trusted)
    yield from _of_imports(plan, store)
    try:
        yield from _of_rendering(opened, loaded, plan, store, measure=bool(options.rerun))
    except ReportgenError as error:  # a template or a metric of the author's own fails here
        yield from _not_written(opened, str(error))
    if options.rerun:
        from reportgen.provenance.rerun import rerun

        yield from rerun(loaded, manifest, store, options.rerun, options.seed)


def _not_written(opened: _Opened, why: str) -> Iterator[Check]:
    """Say of all that needs the report written anew that it was not looked at."""
    said, here = opened.manifest.versions, manifests.versions()
    yield _of_versions([f"{name} {said.get(name)}" for name, now in here.items() if said.get(name) != now], [])
    yield undecided(Question.FILES, f"not looked at: {why}")
    yield undecided(Question.REWRITTEN, f"not written anew: {why}")
    for suffix, question in ((".pdf", Question.PAGES), (".html", Question.HTML)):
        if any(report.file.suffix == suffix for report in opened.reports):
            yield undecided(question, f"not written anew: {why}")


def _suite(given: Path | None, manifest: Manifest, folder: Path) -> Path | None:
    if given is not None and not given.is_file():
        raise ReportgenError(f"{given}: no such file")
    return given or rendering.suite_for(manifest, folder)


def _of_files(opened: _Opened) -> Iterator[Check]:
    """Hold the files of a build against the digests in manifest.json; an empty one is not known."""
    wrong = 0
    for name, wanted in opened.files.items():
        file, content = opened.folder / name, reading.content_in(opened.folder, name)
        if wanted and content is None:
            yield differs(Question.MANIFEST, f"{file}: is {'a link' if file.is_symlink() else 'gone'}")
        elif wanted and content is not None and digest(content) != wanted:
            yield differs(Question.MANIFEST, f"{file}: is not what was written")
        else:
            continue
        wrong += 1
    known = sum(bool(wanted) for wanted in opened.files.values())
    if known and not wrong:
        yield proven(Question.MANIFEST, f"{known} files are as {opened.folder / FILE} has them")
    if opened.whole:
        there = sorted(file for file in opened.folder.glob("report.*") if file.suffix in reading.KINDS)
        for file in there:
            if file.name not in opened.files:
                yield differs(Question.MANIFEST, f"{file}: is a report that {FILE} does not name")


def _of_report(report: Report, beside: Manifest | None) -> Iterator[Check]:
    """Hold a report against the manifest inside it, and that against the one beside it."""
    inside = report.manifest
    if report.file.suffix == ".md":  # which has its manifest beside it
        return
    if beside is not None and _shared(inside) != _shared(beside):
        parts = [name for name, part in _shared(inside).items() if part != _shared(beside)[name]]
        words = f"{report.file}: its manifest is not that of {FILE} beside it: {', '.join(parts)}"
        yield differs(Question.MANIFEST, words)
    if is_whole(report.content, inside.seal):
        yield proven(Question.MANIFEST, f"{report.file} is whole: the digest inside it is that of the file")
    else:
        words = f"{report.file}: was changed after it was written; the digest inside it is of another file"
        yield differs(Question.MANIFEST, words)
        yield from _changed(report)


def _shared(manifest: Manifest) -> dict[str, object]:
    return manifest.model_dump(include={"suite", "records", "program", "versions", "own"})


def _changed(report: Report) -> Iterator[Check]:
    """Say which pages of a PDF were changed, and which numbers on them its Markdown has not."""
    if report.file.suffix != ".pdf":
        return
    for number in reading.changed_pages(report):
        if number > min(len(report.pages), len(report.manifest.pages)):
            yield differs(Question.MANIFEST, f"{report.file}: page {number} was added or taken away")
            continue
        known = {str(number), *_WITH_DIGITS.findall(report.markdown or "")}  # a page has its own number, too
        strange = [word for word in _WITH_DIGITS.findall(report.pages[number - 1]) if word not in known]
        seen = f"; not in its Markdown: {', '.join(strange[:_MOST])}" if report.markdown and strange else ""
        yield differs(Question.MANIFEST, f"{report.file}: page {number} is not what was written{seen}")


def _of_records(manifest: Manifest, store: Store) -> Iterator[Check]:
    """Hold each file of each record against the manifest, and against the record's own digests."""
    wrong = 0
    for run, entry in manifest.records.items():
        kept = store.digests(entry.key)
        for name in dict.fromkeys(["record.json", *entry.files, *kept]):
            file, wanted = store.folder / entry.key / name, entry.files.get(name)
            found = store.file_digest(entry.key, name)
            if found and found == wanted == kept.get(name):
                continue
            wrong += 1
            if not found:
                words = "is gone"
            elif found != kept.get(name):
                words = "was changed; its own digest is of another file"
            else:
                words = "is another than the report was made from"
            yield differs(Question.RECORDS, f"{file}: the record of {run} {words}")
    if not wrong:
        words = f"{len(manifest.records)} records are those that the report was made from"
        yield proven(Question.RECORDS, words)


def _of_versions(made_otherwise: Sequence[str], written: Sequence[Check]) -> Check:
    """Say whether it matters that a report says that it was made with others than are here.

    Args:
        made_otherwise: what is otherwise.
        written: the answers of the report written anew; none if it was not.
    """
    if not made_otherwise:
        return proven(Question.VERSIONS, "it says that it was made with what is here")
    words = f"it says that it was made with others than are here: {'; '.join(made_otherwise)}"
    if written and all(check.outcome is Outcome.PROVEN for check in written):
        return proven(Question.VERSIONS, f"{words}; these give the same")
    return undecided(Question.VERSIONS, words)


def _false_versions(opened: _Opened, store: Store) -> Iterator[str]:
    said = opened.manifest.versions
    for run, entry in opened.manifest.records.items():
        record = planning.read(store, entry.key)
        trained_with = record.parts.get("torch") if record else None
        if trained_with not in (None, said.get("torch")):
            yield f"it says torch {said.get('torch')}, and the record of {run} says {trained_with}"
            break
    for report in opened.reports:
        if report.file.suffix == ".pdf":
            by, name = reading.producer_of(report), f"WeasyPrint {said.get('weasyprint')}"
            if by != name:
                yield f"{report.file}: was written by {by or 'nobody'}, and its manifest says {name}"


def _of_imports(plan: Plan, store: Store) -> Iterator[Check]:
    """Read the logs of imported runs again, and hold what they give against the records."""
    every = [(step, step.run.variant.settings) for step in plan.steps]
    steps = [(step, settings) for step, settings in every if isinstance(settings, ImportedRun)]
    wrong = 0
    for step, settings in steps:
        record = planning.read(store, step.key)
        log = settings.log_of(step.run.seed)
        wrong += 1
        try:
            parts = imports.key_parts(settings, step.run.seed)
            anew = from_files(to_files(imports.record_of(settings, step.run.seed, parts)))
        except ReportgenError as error:
            yield undecided(Question.IMPORTS, f"{step.run.name}: {error}")
            continue
        if record is None or parts["import.digest"] != record.parts.get("import.digest"):
            yield differs(Question.IMPORTS, f"{step.run.name}: {log} is not the log that its record is of")
        elif names := [name for name in vars(anew) if name not in _NOT_OF_LOG and _unequal(anew, record, name)]:
            check = undecided if parts["code"] != record.parts.get("code") else differs
            yield check(Question.IMPORTS, f"{step.run.name}: {log} gives another record: {', '.join(names)}")
        else:
            wrong -= 1
    if steps and not wrong:
        yield proven(Question.IMPORTS, f"the logs of {len(steps)} imported runs give their records")


_NOT_OF_LOG = ("started", "key", "parts", "predictions", "arrays")


def _unequal(one: object, other: object, name: str) -> bool:
    return repr(getattr(one, name)) != repr(getattr(other, name))  # NaN is equal to itself here


def _of_rendering(opened: _Opened, loaded: Loaded, plan: Plan, store: Store, *, measure: bool) -> Iterator[Check]:
    """Write the files anew from the records, and hold them against those that are there."""
    manifest, folder = opened.manifest, opened.folder
    there = [name for name in opened.files if reading.content_in(folder, name) is not None]
    try:
        measured = {} if measure else rendering.printed_metrics(folder, loaded)
    except CannotRenderError as why:
        yield from _not_written(opened, f"{why}; --rerun measures it")
        return
    if measured:
        names = ", ".join(measured)
        words = (
            f"the values of {names} are taken from the report; --rerun runs the suite's code that measures them"
        )
        yield undecided(Question.REWRITTEN, words)
    reports = [name for name in there if name.startswith("report.")]
    anew = rendering.rendered(loaded, plan, store, reports, measured)
    anew[NUMBERS] = rendering.with_other_documents(anew[NUMBERS], reading.content_in(folder, NUMBERS))
    how = rewriting.made(manifest, rendering.manifest_now(loaded, plan, store))
    if how.program and manifest.versions.get("reportgen") != manifests.versions()["reportgen"]:
        words = (
            f"it says reportgen {manifest.versions.get('reportgen')}, and has the digest of the one that is here"
        )
        yield differs(Question.VERSIONS, words)
    if opened.whole and (missing := sorted(anew.keys() - opened.files.keys())):
        words = f"{FILE} does not name what a build writes: {', '.join(missing[:_MOST])}"
        yield differs(Question.REWRITTEN, words)
    answers = list(rewriting.compared(folder, anew, there, how))
    yield from answers
    yield _of_versions(how.words, answers)
    if opened.whole and (strange := [name for name in there if name not in anew]):
        words = f"a build of today does not write {', '.join(strange[:_MOST])}"
        yield Check(Question.REWRITTEN, Outcome.DIFFERS if how.program else Outcome.UNDECIDED, words)
