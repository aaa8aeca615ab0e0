"""Every number of results.json, with the runs that it comes from and the files of their records."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.i18n import languages
from reportgen.provenance import reading
from reportgen.provenance.numbers import Place, Printed, numbers_in, parse, places
from reportgen.provenance.reading import Report
from reportgen.resources import TEMPLATES
from reportgen.storage.manifest import Manifest

_FILES = (
    (
        ("epoch_log", "kept_epoch", "epochs", "validation_accuracy", "seconds_per_epoch", "overfitting"),
        "epochs.csv",
    ),
    (("step_log",), "steps.csv"),
    (("test_accuracy", "test_loss", "confusion", "confusions", "classes", "baseline"), "predictions.npz"),
    (("gradient", "forget_gate"), "arrays.npz"),
)
"""Parts of a number's name, and the file of a record that it is worked out from; any other is in record.json."""


@dataclass(frozen=True)
class Source:
    """A number that was measured or worked out."""

    name: str
    value: int | float
    runs: tuple[str, ...]

    @property
    def file(self) -> str:
        """Return the file of each record that the number comes from."""
        parts = set(self.name.removeprefix("runs.").replace("/", ".").split("."))
        return next((file for names, file in _FILES if parts & set(names)), "record.json")


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json of a folder of reports; ReportgenError if it is not there, or is none."""
    file = folder / "results.json"
    if not file.is_file():
        raise ReportgenError(f"{file}: no such file, expected the numbers of the report beside it")
    try:
        results = json.loads(file.read_bytes())
        rows = [(row["variant"], int(row["seed"]), dict(row["settings"])) for row in results["runs"].values()]
        _ = rows, sources(results)  # so that whoever uses them need not ask again
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ReportgenError(f"{file}: got a file that is cut short or no results.json, expected one") from None
    return dict(results)


def sources(results: Mapping[str, Any]) -> list[Source]:
    """Return every number of results.json; those of a confusion matrix as shares of their rows, too."""
    every = tuple(results["runs"])
    found = [
        Source(item["name"], item["value"], tuple(item["runs"]))
        for item in results.get("numbers", [])
        if _is_number(item["value"])
    ]
    for run, row in results["runs"].items():
        found += _leaves(f"runs.{run}", row, (run,))
    for variant, own in results.get("confusion", {}).items():
        found += _matrix(variant, own)
    known = {"runs", "numbers", "confusion", "labels", "task"}
    for part in results.keys() - known:
        found += _leaves(part, results[part], every)
    return found


def _matrix(variant: str, own: Mapping[str, Any]) -> Iterator[Source]:
    for true, counts in zip(own["classes"], own["counts"], strict=True):
        for predicted, count in zip(own["classes"], counts, strict=True):
            name = f"confusion.{variant}.{true}.{predicted}"
            yield Source(f"{name}.count", count, tuple(own["runs"]))
            if sum(counts):
                yield Source(f"{name}.share", count / sum(counts), tuple(own["runs"]))


def _leaves(name: str, value: Any, runs: tuple[str, ...]) -> Iterator[Source]:
    if _is_number(value):
        yield Source(name, value, runs)
    elif isinstance(value, dict):
        own = value.get("runs")
        named = tuple(own) if isinstance(own, list) and all(isinstance(run, str) for run in own) else runs
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item, named)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value, 1):
            yield from _leaves(f"{name}.{index}", item, runs)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_NEAREST = 3

_KEY = 10
"""Digits of a record's key that a report prints."""

_REFERENCE = re.compile(r"\w*\D\s*\d+")
_OWN_WORDS = "no record has it: it is of the suite or of the template, such as a year, or the number of a section"


@dataclass(frozen=True)
class Answer:
    """What `why` found."""

    lines: list[str]
    found: bool


@dataclass(frozen=True)
class _Traced:
    """A report with all that its numbers may come from."""

    report: Report
    manifest: Manifest
    results: Mapping[str, Any]
    records: Path | None

    @cached_property
    def places(self) -> list[Place]:
        text = self.report.markdown or self.report.content.decode("utf-8", "replace")
        return places(text, self.report.file.parent)

    @cached_property
    def sources(self) -> list[Source]:
        return sources(self.results)

    @cached_property
    def variants(self) -> dict[str, list[str]]:
        """Variant to its runs."""
        found: dict[str, list[str]] = {}
        for run, row in self.results["runs"].items():
            found.setdefault(row["variant"], []).append(run)
        return found

    @cached_property
    def names(self) -> list[tuple[str, list[str]]]:
        """What a reader may call a run or a variant, and the runs that are meant; the longest first."""
        named = {run: [run] for run in self.results["runs"]} | self.variants
        for variant, labels in self.results.get("labels", {}).items():
            label = labels.get(self.report.language, labels.get("", variant))
            named.setdefault(label, self.variants.get(variant, []))
        return sorted(named.items(), key=lambda item: -len(item[0]))

    def runs_of_key(self, text: str) -> list[str]:
        """Return the runs whose record has the key that reports print: the first digits of it."""
        records = self.manifest.records.items()
        return [run for run, entry in records if len(text) >= _KEY and entry.key.startswith(text)]

    @cached_property
    def columns(self) -> dict[str, set[str]]:
        """Heading of a column to the names of what may stand in it."""
        try:
            (language,) = languages.load_languages([self.report.language], [TEMPLATES])
        except (KeyError, ReportgenError):
            return {}
        found: dict[str, set[str]] = {}
        for key, words in language.messages.items():
            if key.startswith("column.") and isinstance(words, str):
                found.setdefault(words, set()).add(key.removeprefix("column."))
        return found


def why(file: Path, asked: str, records: Path | None = None) -> Answer:
    """Say where `asked` stands in a report, and what is behind it.

    Args:
        file: the report, in any format and language; results.json lies beside it.
        asked: a number as it is printed, in percent or not; a run or its record's key; a model; or a figure or
            table: “Table 5”.
        records: the store; looked for beside the report's folder.

    Raises ReportgenError for what is no report, or has no results.json beside it.
    """
    report = reading.open_report(file)
    try:
        store: Path | None = reading.store_for(file.parent, records).folder
    except ReportgenError:
        if records is not None:
            raise
        store = None  # names and digests are in the manifest all the same
    traced = _Traced(report, report.manifest, read_results(file.parent), store)
    if of_key := traced.runs_of_key(asked):
        return _runs(traced, asked, of_key)
    if printed := parse(asked):
        return _number(traced, asked, printed)
    named = next((runs for name, runs in traced.names if name == asked), None)
    if named is not None:
        return _runs(traced, asked, named)
    return _captioned(traced, asked)


def _number(traced: _Traced, asked: str, printed: Printed) -> Answer:
    standing = [
        (place, number) for place in traced.places for number in numbers_in(place.text) if number == printed
    ]
    if not standing:  # 0.8286 where the report has 82.86%, and the other way round
        standing = [
            (place, number)
            for place in traced.places
            for number in numbers_in(place.text)
            if number.of_one == printed.of_one
        ]
    if not standing:
        return Answer(list(_nowhere(traced, asked, printed)), False)
    standing = list(dict.fromkeys(standing))
    lines = [f"{asked}: in {len(standing)} places of {traced.report.file}{_pages(traced.report, standing)}"]
    for place, number in standing:
        lines += ["", f"{place}" if number.text == asked else f"{place} ({number.text})"]
        lines += [f"  {line}" for line in _behind(traced, place, number)]
    return Answer(lines, True)


def _pages(report: Report, standing: Sequence[tuple[Place, Printed]]) -> str:
    if report.file.suffix != ".pdf":
        return ""
    texts = {number.text for _, number in standing}
    on = [n for n, page in enumerate(report.pages, 1) if texts & {own.text for own in numbers_in(page)}]
    return f", on page {', '.join(map(str, on))}" if on else ""


def _behind(traced: _Traced, place: Place, number: Printed) -> Iterator[str]:
    """Say which numbers of which runs a printed one is, or that it is none."""
    fitting = [source for source in traced.sources if number.stands_for(source.value, in_percent=place.drawn)]
    fitting = _of_field(_of_models(fitting, traced, place), traced, place)
    if place.printout:
        fitting = []  # in a model's printout numbers are text
    if not fitting and (of_key := traced.runs_of_key(number.text)):
        yield from _files(traced, of_key, ["record.json"])
    elif not fitting:
        yield from _in_records(traced, number) or [_OWN_WORDS]
    by_runs: dict[tuple[str, ...], list[Source]] = {}
    for source in fitting:
        by_runs.setdefault(source.runs, []).append(source)
    for runs, own in by_runs.items():
        yield from (f"{source.name} = {source.value!r}" for source in own)
        yield from (f"  {line}" for line in _files(traced, runs, [source.file for source in own]))


def _of_models(fitting: list[Source], traced: _Traced, place: Place) -> list[Source]:
    """Keep the sources of the models and seeds that the place names, if it names any and they have some."""
    meant = _meant(traced, place)
    close = [source for source in fitting if meant and set(source.runs) == meant]
    within = [source for source in fitting if meant and set(source.runs) <= meant]
    return close or within or fitting


def _meant(traced: _Traced, place: Place) -> set[str]:
    """Return the runs that a place is about: those of its row, its sentence, its caption, or else its heading."""
    for text in (place.row, place.text, place.caption, *reversed(place.headings)):
        meant: set[str] = set()
        for name, runs in traced.names:
            if re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", text):
                meant |= set(runs)
                text = text.replace(name, " ")
        if meant:
            seeds = {int(number.value) for number in numbers_in(text)} if text in place.headings else set()
            of_seed = {run for run in meant if traced.results["runs"][run]["seed"] in seeds}
            return of_seed or meant
    return set()


def _of_field(fitting: list[Source], traced: _Traced, place: Place) -> list[Source]:
    """Keep the sources of what the column has, if any is."""
    fields = traced.columns.get(place.column, set())
    of_column = [
        source
        for source in fitting
        if any(source.name.rpartition(".")[2].removesuffix("_std") == field for field in fields)
    ]
    return of_column or fitting


def _in_records(traced: _Traced, number: Printed) -> list[str]:
    """Say which records have the number in a text: a printout, a version."""
    if traced.records is None:
        return []
    found: dict[str, list[str]] = {}
    for run, entry in traced.manifest.records.items():
        file = traced.records / entry.key / "record.json"
        if file.is_file():
            for name in _texts_with(json.loads(file.read_bytes()), number):
                found.setdefault(name, []).append(run)
    return [
        line
        for name, runs in found.items()
        for line in (f"in the text of {name}", *(f"  {line}" for line in _files(traced, runs, ["record.json"])))
    ]


def _texts_with(value: Any, number: Printed, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts_with(item, number, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_with(item, number, name)
    elif isinstance(value, int | float | str) and not isinstance(value, bool):
        same = number in numbers_in(value) if isinstance(value, str) else number.stands_for(value)
        if same or (isinstance(value, str) and number.text in re.findall(r"[\d.,]+\d", value)):
            yield name


def _files(traced: _Traced, runs: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    for run in runs:
        entry = traced.manifest.records.get(run)
        if entry is None:
            yield f"{run}: not in the manifest; see reportgen verify"
            continue
        wanted = dict.fromkeys(name if name in entry.files else "record.json" for name in names)
        place = entry.key if traced.records is None else traced.records / entry.key
        yield f"{run}: {place}/ {', '.join(wanted)}"


def _runs(traced: _Traced, asked: str, runs: Sequence[str]) -> Answer:
    """Say of a run, or of all of a model, what became of it and where its record is."""
    lines = []
    for run in runs:
        row, entry = traced.results["runs"][run], traced.manifest.records.get(run)
        lines.append(f"{run}: {row['status']}, seed {row['seed']}, key {row['key']}")
        lines += [f"  {line}" for line in _files(traced, [run], entry.files if entry else [])]
    named = [place for place in traced.places if asked in (place.row, place.text) or asked in place.headings[-1:]]
    where = dict.fromkeys(place.where for place in named)
    return Answer([*lines, *(f"in {place}" for place in where)], True)


def _captioned(traced: _Traced, asked: str) -> Answer:
    """Say which runs a figure or a table is of, and where the same numbers are."""
    wanted = _plain(asked)
    own = [
        place
        for place in traced.places
        if place.caption and re.match(rf"{re.escape(wanted)}(?!\d)", _plain(place.caption))
    ]
    if not own or not _REFERENCE.fullmatch(asked.strip()):
        captions = {match[0] for place in traced.places if (match := re.match(r"\w+\W?\d+", place.caption))}
        known = [*captions, *(name for name, _ in traced.names)]
        near = get_close_matches(asked, known, _NEAREST, 0.4)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        expected = "expected a number, a run, a model, a figure or a table of the report"
        return Answer([f"{traced.report.file}: got {asked!r}, {expected}{hint}"], False)
    meant: set[str] = set()
    for place in own:
        meant |= _meant(traced, place)
    runs = [run for run in traced.results["runs"] if run in meant or not meant]
    lines = [own[0].caption, *(f"  {line}" for line in _files(traced, runs, _all_files(traced)))]
    return Answer(lines, True)


def _all_files(traced: _Traced) -> list[str]:
    return list(dict.fromkeys(name for entry in traced.manifest.records.values() for name in entry.files))


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


def _nowhere(traced: _Traced, asked: str, printed: Printed) -> Iterator[str]:
    """Say that a number is not in the report, and which are nearest."""
    yield f"{asked}: not in {traced.report.file}"
    if any(printed in numbers_in(page) for page in traced.report.pages):
        yield "  it stands on a page all the same, and not in what the page was made from: see reportgen verify"
    every = {number.text: number for place in traced.places for number in numbers_in(place.text)}
    near = sorted(every.values(), key=lambda number: abs(number.of_one - printed.of_one))[:_NEAREST]
    yield f"  the nearest: {', '.join(number.text for number in near)}"
    alike = [source for source in traced.sources if printed.stands_for(source.value)]
    for source in alike[:_NEAREST]:
        yield f"  not printed, but measured: {source.name} = {source.value!r}"
