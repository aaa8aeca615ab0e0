"""Is a report still what its records give? Each question answered is a `Check`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from reportgen.errors import ReportgenError
from reportgen.planning.load import Loaded
from reportgen.provenance import reading, rendering
from reportgen.provenance.reading import Report
from reportgen.provenance.rendering import CannotRenderError, differing
from reportgen.storage.manifest import FILE, Manifest
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest, is_whole

_MOST = 5
"""Differences of a file that are listed."""

_WITH_DIGITS = re.compile(r"\w*\d[\w.,]*")
_NUMBER = re.compile(r"\d[\d.,]*")

_TEXTS = (".pdf", ".html", ".md", ".json", ".csv")


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    good: bool | None
    """Whether all is as it was; None if that could not be told."""
    words: str


@dataclass(frozen=True)
class Options:
    """What to hold a report against."""

    suite: Path | None = None
    """The suite that it was made from; looked for where suites lie unless given."""
    records: Path | None = None
    rerun: int = 0
    """How many runs to train anew."""
    seed: int = 0
    """Decides which."""


def verify(place: Path, options: Options) -> Iterator[Check]:
    """Hold a report, or a folder of them, against its manifest, its records, and what they give today.

    Raises ReportgenError for what is not reportgen's, a manifest that is cut short, and a store that is not there.
    """
    folder = place if place.is_dir() else place.parent
    if place.is_dir():
        manifest = reading.open_folder(place)
        reports = [
            place / name
            for name in manifest.files
            if name.startswith("report.") and reading.content_in(place, name) is not None
        ]
        opened = [reading.open_report(file) for file in reports]
        files = dict(manifest.files)
    else:
        opened = [reading.open_report(place)]
        beside = reading.beside(opened[0])
        manifest, files = opened[0].manifest, {place.name: ""}
        if beside is not None:
            others = {name: wanted for name, wanted in beside.files.items() if not name.startswith("report.")}
            files = {place.name: beside.files[place.name], **others}
    yield from _of_files(folder, files)
    for report in opened:
        yield from _of_report(report, manifest if place.is_dir() else reading.beside(report))
    store = reading.store_for(folder, options.records)
    yield from _of_records(manifest, store)
    suite = _suite(options.suite, manifest, folder)
    if suite is None:
        yield Check(
            None, f"not written anew: no {manifest.suite.file} as it was then; --suite FILE says where it is"
        )
        if options.rerun:
            raise ReportgenError(f"--rerun: got no suite to train from, expected --suite {manifest.suite.file}")
        return
    try:
        loaded = rendering.load(suite, manifest)
    except ReportgenError as error:  # a log or a table beside it may have been left out, or is another now
        if options.rerun:
            raise
        yield Check(None, f"not written anew: {error}")
        return
    if digest(suite.read_bytes()) != manifest.suite.digest:
        yield Check(False, f"{suite}: is not the suite that the report was made from")
    if loaded.suite.metrics and not options.rerun:
        yield Check(
            None, "not written anew: the suite has metrics of its own, whose code is run with --rerun alone"
        )
    else:
        yield from _of_rendering(folder, files, loaded, manifest, store)
    if options.rerun:
        from reportgen.provenance.rerun import rerun

        yield from rerun(loaded, manifest, store, options.rerun, options.seed)


def _suite(given: Path | None, manifest: Manifest, folder: Path) -> Path | None:
    if given is not None and not given.is_file():
        raise ReportgenError(f"{given}: no such file")
    return given or rendering.suite_for(manifest, folder)


def _of_files(folder: Path, files: dict[str, str]) -> Iterator[Check]:
    """Hold the files of a build against the digests in manifest.json; an empty one is not known."""
    wrong = 0
    for name, wanted in files.items():
        file, content = folder / name, reading.content_in(folder, name)
        if wanted and content is None:
            yield Check(False, f"{file}: is {'a link' if file.is_symlink() else 'gone'}")
        elif wanted and content is not None and digest(content) != wanted:
            yield Check(False, f"{file}: is not what was written")
        else:
            continue
        wrong += 1
    known = sum(bool(wanted) for wanted in files.values())
    if known and not wrong:
        yield Check(True, f"{known} files are as {folder / FILE} has them")


def _of_report(report: Report, beside: Manifest | None) -> Iterator[Check]:
    """Hold a report against the manifest inside it, and that against the one beside it."""
    own = report.manifest
    if not own.seal:
        return
    if beside is not None and _shared(own) != _shared(beside):
        parts = [name for name, part in _shared(own).items() if part != _shared(beside)[name]]
        yield Check(False, f"{report.file}: its manifest is not that of {FILE} beside it: {', '.join(parts)}")
    if is_whole(report.content, own.seal):
        yield Check(True, f"{report.file} is whole: the digest inside it is that of the file")
    else:
        yield Check(
            False, f"{report.file}: was changed after it was written; the digest inside it is of another file"
        )
        yield from _changed(report)


def _shared(manifest: Manifest) -> dict[str, object]:
    return manifest.model_dump(include={"suite", "records", "program", "versions"})


def _changed(report: Report) -> Iterator[Check]:
    """Say which pages of a PDF were changed, and which numbers on them its Markdown has not."""
    if report.file.suffix != ".pdf":
        return
    for number in reading.changed_pages(report):
        if number > min(len(report.pages), len(report.manifest.pages)):
            yield Check(False, f"{report.file}: page {number} was added or taken away")
            continue
        known = {str(number), *_WITH_DIGITS.findall(report.markdown or "")}  # a page has its own number, too
        strange = [word for word in _WITH_DIGITS.findall(report.pages[number - 1]) if word not in known]
        seen = f"; not in its Markdown: {', '.join(strange[:_MOST])}" if report.markdown and strange else ""
        yield Check(False, f"{report.file}: page {number} is not what was written{seen}")


def _of_records(manifest: Manifest, store: Store) -> Iterator[Check]:
    """Hold each file of each record against the manifest, and against the record's own digests."""
    wrong = 0
    for run, entry in manifest.records.items():
        own = store.digests(entry.key)
        for name, wanted in entry.files.items():
            file = store.folder / entry.key / name
            found = store.file_digest(entry.key, name)
            if found == wanted == own.get(name):
                continue
            wrong += 1
            if not found:
                yield Check(False, f"{file}: the record of {run} is gone")
            elif found != own.get(name):
                yield Check(False, f"{file}: the record of {run} was changed; its own digest is of another file")
            else:
                yield Check(False, f"{file}: the record of {run} is another than the report was made from")
    if not wrong:
        yield Check(True, f"{len(manifest.records)} records are those that the report was made from")


def _of_rendering(
    folder: Path, files: dict[str, str], loaded: Loaded, manifest: Manifest, store: Store
) -> Iterator[Check]:
    """Write the files anew from the records, and hold them against those that are there."""
    try:
        plan = rendering.planned(loaded, manifest, store)
    except CannotRenderError as why:
        yield Check(False, f"cannot be written anew: {why}")
        return
    there = {name: content for name in files if (content := reading.content_in(folder, name)) is not None}
    anew = rendering.rendered(loaded, plan, store, [name for name in there if name.startswith("report.")])
    otherwise = rendering.otherwise(loaded, plan, manifest, store)
    unequal = [name for name in there if name in anew and anew[name] != there[name]]
    same = len([name for name in there if name in anew]) - len(unequal)
    if same:
        yield Check(
            True, f"{same} of {same + len(unequal)} files are the same to the byte, written anew from the records"
        )
    if unequal and otherwise:
        yield Check(None, f"bytes are not compared, the report was made otherwise: {'; '.join(otherwise)}")
    for name in unequal:
        yield from _of_text(folder / name, anew[name], otherwise=bool(otherwise))


def _of_text(file: Path, anew: bytes, *, otherwise: bool) -> Iterator[Check]:
    """Say what a file has that the records do not give: lines and pages, or that only bytes differ."""
    content = file.read_bytes()
    if file.suffix not in _TEXTS:
        yield Check(None if otherwise else False, f"{file}: is not what the records give")
        return
    pages = [reading.pages_of(file.suffix, data) for data in (content, anew)]
    found = []
    for number, (got, expected) in enumerate(zip(*_of_length(*pages), strict=True), 1):
        for line, now, was in differing(got, expected):
            where = f"{file}: page {number}" if file.suffix == ".pdf" else f"{file}:{line}"
            # another version of reportgen may word a sentence otherwise, but has no other numbers
            good = None if otherwise and _NUMBER.findall(now) == _NUMBER.findall(was) else False
            found.append(Check(good, f"{where}: got {now!r}, expected {was!r}"))
    found.sort(key=lambda check: check.good is None)
    yield from islice(found, _MOST)
    if len(found) > _MOST:
        yield Check(found[_MOST].good, f"{file}: {len(found) - _MOST} more lines differ")
    if not found:
        # another Pango, or another zlib, writes other bytes; they say nothing of the numbers
        sealed = file.suffix == ".pdf" and is_whole(content, reading.open_report(file).manifest.seal)
        good = True if otherwise else None if sealed else False
        yield Check(good, f"{file}: its text is what the records give; its bytes are not those of a build here")


def _of_length(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    """Make both lists as long as the longer one."""
    most = max(len(one), len(other))
    return one + [""] * (most - len(one)), other + [""] * (most - len(other))
