"""What lies beside a report and says where its numbers come from, and the file of a record that each is in."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.i18n import origins
from reportgen.i18n.origins import NUMBERS, remarked
from reportgen.provenance import reading
from reportgen.provenance.numbers import Place, Printed, numbers_in, parse, places, with_origins
from reportgen.provenance.reading import Report
from reportgen.storage.manifest import Manifest
from reportgen.storage.untrusted import UntrustedFolder

_FILES = (
    ("epochs.csv", ("epoch_log", "kept_epoch", "epochs", "validation", "seconds_per_epoch", "overfitting")),
    ("steps.csv", ("step_log",)),
    (
        "predictions.npz",
        ("test_accuracy", "test_loss", "confusion", "classes", "baseline", "differences", "tunings", "claims",
         "leads", "metrics", "published", "choices", "difference"),
    ),
    ("arrays.npz", ("gradient", "forget_gate")),
)  # fmt: skip
"""Files of a record, and how a part of the path of a number begins that is worked out from it; others are in
record.json, as are those of a task whose records have no such file."""


def file_of(path: origins.Path) -> str:
    """Return the file of each record that a number comes from."""
    names = path[1:] if path[0] == "runs" else path
    return next((file for file, parts in _FILES if any(name.startswith(parts) for name in names)), "record.json")


def value_of(path: origins.Path) -> float | None:
    """Return the value that stands at the end of a path; None for one that many share."""
    try:
        return float(path[-1].removeprefix("="))
    except ValueError:
        return None


def as_text(path: origins.Path) -> str:
    """Write a path with dots, and its value: `comparison.rnn.test_accuracy = 0.8286`."""
    *names, value = path
    return f"{'.'.join(names)} = {value[1:]}" if value.startswith("=") else ".".join(path)


def read_numbers(report: Report) -> list[Any] | None:
    """Return what numbers.json beside a report says of its Markdown; None where it says nothing."""
    file = report.file.parent / origins.NUMBERS
    try:
        return list(json.loads(file.read_bytes())[f"report.{report.language}.md"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json of a folder of reports; ReportgenError if it is not there, or is none."""
    file = folder / "results.json"
    try:
        results = json.loads(UntrustedFolder(folder).read(file.name))
        # so that whoever uses them need not ask again
        _ = [(row["variant"], int(row["seed"]), dict(row["settings"])) for row in results["runs"].values()]
    except FileNotFoundError:
        raise ReportgenError(f"{file}: no such file, expected the numbers of the report beside it") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ReportgenError(f"{file}: got a file that is cut short or no results.json, expected one") from None
    return dict(results)


def cells(results: Mapping[str, Any]) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """Yield the cells of each confusion matrix: the share of its row by name, and the runs behind it."""
    for variant, own in results.get("confusion", {}).items():
        for true, counts in zip(own["classes"], own["counts"], strict=True):
            for predicted, count in zip(own["classes"], counts, strict=True):
                if sum(counts):
                    yield f"confusion.{variant}.{true}.{predicted}.share", count / sum(counts), tuple(own["runs"])


_NEAREST = 3

_KEY = 10
"""Digits of a record's key that a report prints."""

_REFERENCE = re.compile(r"\w*\D\s*\d+")
_OWN_WORDS = "no record has it: the suite, a sentence or a template says it, such as a year or a count"


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
        if self.report.markdown is None:
            text = self.report.content.decode("utf-8", "replace")
        else:
            text = remarked(self.report.markdown, self.numbers or [])
        return places(text, self.report.file.parent)

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
    def numbers(self) -> list[Any] | None:
        """What numbers.json says of the report; nothing where it says nothing. HTML has the same in itself."""
        return [] if self.report.markdown is None else read_numbers(self.report)

    def runs_of_path(self, path: origins.Path) -> tuple[str, ...]:
        """Return the runs that a path names, by themselves or by their variants; all where it names none."""
        named = [run for name in path for run in self.variants.get(name, [name])]
        own = tuple(dict.fromkeys(run for run in named if run in self.results["runs"]))
        return own or tuple(self.results["runs"])


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
    every = [(place, *number) for place in traced.places for number in with_origins(place.text)]
    standing = [found for found in every if found[1] == printed]
    if not standing:  # 0.8286 where the report has 82.86%, and the other way round
        standing = [found for found in every if found[1].of_one == printed.of_one]
    if not standing:
        return Answer(list(_nowhere(traced, asked, printed)), False)
    standing = list(dict.fromkeys(standing))
    pages = _pages(traced.report, [(place, number) for place, number, _ in standing])
    lines = [f"{asked}: in {len(standing)} places of {traced.report.file}{pages}"]
    for place, number, paths in standing:
        lines += ["", f"{place}" if number.text == asked else f"{place} ({number.text})"]
        lines += [f"  {line}" for line in _behind(traced, place, number, paths)]
    return Answer(lines, True)


def _pages(report: Report, standing: Sequence[tuple[Place, Printed]]) -> str:
    if report.file.suffix != ".pdf":
        return ""
    texts = {number.text for _, number in standing}
    on = [n for n, page in enumerate(report.pages, 1) if texts & {own.text for own in numbers_in(page)}]
    return f", on page {', '.join(map(str, on))}" if on else ""


def _behind(traced: _Traced, place: Place, number: Printed, paths: Sequence[origins.Path]) -> Iterator[str]:
    """Say where a printed number comes from, or that it comes from nowhere: nothing is guessed."""
    if paths:
        yield from _of_paths(traced, number, paths)
    elif place.paths:
        yield from _of_line(traced, place, number)
    elif place.drawn:
        yield from _of_figure(traced, place, number)
    elif of_key := traced.runs_of_key(number.text):
        yield from _files(traced, of_key, ["record.json"])
    elif traced.numbers is None:
        yield f"not known: there is no {NUMBERS} beside the report, or it is of another one"
    else:
        yield _OWN_WORDS


def _of_paths(traced: _Traced, number: Printed, paths: Sequence[origins.Path]) -> Iterator[str]:
    """Name the values behind a number, each with its runs; more than one, or another value, was worked with."""
    if len(paths) > 1 or not _stands_for(number, value_of(paths[0])):
        yield "worked out from"
    by_runs: dict[tuple[str, ...], list[origins.Path]] = {}
    for path in paths:
        by_runs.setdefault(traced.runs_of_path(path), []).append(path)
    for runs, own in by_runs.items():
        yield from (as_text(path) for path in own)
        yield from (f"  {line}" for line in _files(traced, runs, [file_of(path) for path in own]))


def _stands_for(number: Printed, value: float | None) -> bool:
    return value is not None and number.stands_for(value, in_percent=True)


def _of_line(traced: _Traced, place: Place, number: Printed) -> Iterator[str]:
    """Say which part of a record a line of a log or of a printout is, and which of its numbers this is."""
    path = place.paths[0]
    run, part = path[1], path[-1]
    row = _row_of(traced, place, run, part) if part.endswith("_log") else None
    if row is None:
        yield f"in the text of {'.'.join(path)}"
        yield from (f"  {line}" for line in _files(traced, [run], [file_of(path)]))
        return
    name, values = row
    fitting = {field: value for field, value in values.items() if _is_number(value) and number.stands_for(value)}
    kind = _kind_before(number, place.text)
    of_kind = {field: value for field, value in fitting.items() if kind in field}
    log = [part] if name != f"runs.{run}" else []
    for field, value in (of_kind or fitting).items():
        yield f"{name}.{field} = {value!r}"
    yield from (
        f"  {line}" for line in _files(traced, [run], [file_of(("runs", run, *log, *(of_kind or fitting)))])
    )


def _row_of(traced: _Traced, place: Place, run: str, log: str) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the values of the epoch or step that a line of a log is about, or of the whole run."""
    values = traced.results["runs"][run]
    lines = [own.text for own in traced.places if own.paths == place.paths and own.line <= place.line]
    counted = [match[1] for line in lines if (match := re.match(r"(?:Train Epoch|Step): (\d+)", line))]
    if not counted or re.match(r"Kept|Diverged|Failed", place.text):
        return f"runs.{run}", values
    rows = values.get(log, [])
    last = place.text.startswith("Test set") and not any("Test set" in line for line in lines[:-1])
    if last and int(counted[-1]) == len(rows) > 1:
        return f"runs.{run}", values
    at = next((i for i, row in enumerate(rows, 1) if int(counted[-1]) in (row.get("epoch"), row.get("step"))), 0)
    return (f"runs.{run}.{log}.{at}", rows[at - 1]) if at else None


def _kind_before(number: Printed, line: str) -> str:
    """Return what the words before a number of a log say that it is."""
    words = re.findall(r"[A-Za-z]+", line.partition(number.text)[0])
    kinds = {"loss": "loss", "acc": "accuracy", "accuracy": "accuracy", "epoch": "epoch", "step": "step"}
    return kinds.get(words[-1].lower(), "") if words else ""


def _of_figure(traced: _Traced, place: Place, number: Printed) -> Iterator[str]:
    """Say which runs a figure is of; of a confusion matrix also the cells of it that print so."""
    meant = _meant(traced, place)
    runs = tuple(run for run in traced.results["runs"] if run in meant or not meant)
    yield "drawn in a figure of"
    for name, value, own in cells(traced.results):
        if set(own) == set(runs) and number.stands_for(value, in_percent=True):
            yield f"{name} = {value!r}"
    yield from (f"  {line}" for line in _files(traced, runs, ["predictions.npz"]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
