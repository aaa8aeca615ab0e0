"""Attacks on a report, its manifests and its records: each is told, and none ends with status 0."""

import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GOLDEN, TINY, build, golden_files
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from reportgen import pipeline
from reportgen.lab.key import key_of
from reportgen.lab.record import Record, from_files, to_files
from reportgen.provenance import pages, rerun
from reportgen.provenance.answers import EXIT_STATUS, Check, Outcome, Question, summary, worst
from reportgen.provenance.consistency import FIRST_DAY, consistency
from reportgen.provenance.hand_ins import HandIn, shared
from reportgen.provenance.rewriting import Made, compared
from reportgen.provenance.verify import Options, verify, verify_all
from reportgen.storage import manifest, sealing
from reportgen.storage.records import Store
from reportgen.storage.traces import Traces

SAME = Made((), True, True)
"""The manifest says that the report was made with what is here."""
TYPESETTER = Made(("weasyprint 68.0, now 70.0",), True, True)
"""It says another typesetter, and the same program."""
PROGRAM = Made(("other templates, or another copy of reportgen",), False, False)
"""It says another reportgen."""


@pytest.fixture
def folder(tiny_build: pipeline.Outcome, tmp_path: Path) -> Path:
    """A copy of the tiny build's reports, with its records beside it."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    return tmp_path / "build" / "tiny"


def held(tiny_build: pipeline.Outcome, folder: Path, name: str, how: Made = SAME) -> list[Check]:
    """Hold a file that was attacked against what the records give, which is what the build wrote."""
    return list(compared(folder, {name: (tiny_build.folder / name).read_bytes()}, [name], how))


def edit(file: Path, old: str, new: str, count: int = 1) -> None:
    """Replace `old`, which must be there, in a file."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, count), "utf-8")


def outcomes(checks: list[Check], question: Question) -> list[Outcome]:
    """Return the answers to a question."""
    return [check.outcome for check in checks if check.question is question]


# the PDF


def lay_over(file: Path, how: str) -> None:
    """Lay a white square over the middle of a page, as a picture, as a shape, or as an annotation; text stays."""
    writer = PdfWriter(clone_from=io.BytesIO(file.read_bytes()))
    page: Any = writer.pages[2]
    square = StreamObject()
    white = {"/Type": "/XObject", "/Subtype": "/Image", "/ColorSpace": "/DeviceGray"}
    square.update({NameObject(key): NameObject(value) for key, value in white.items()})
    for key, value in {"/Width": 1, "/Height": 1, "/BitsPerComponent": 8}.items():
        square[NameObject(key)] = writer._add_object(_number(value))
    square.set_data(b"\xff")
    drawn = {"picture": b"q 200 0 0 200 200 300 cm /Over Do Q", "shape": b"q 1 g 200 300 200 200 re f Q"}
    if how == "annotation":
        from pypdf.annotations import Rectangle

        writer.add_annotation(2, Rectangle(rect=(200, 300, 400, 500), interior_color="ffffff"))
    else:
        content = StreamObject()
        content.set_data(page["/Contents"].get_object().get_data() + b"\n" + drawn[how])
        page[NameObject("/Contents")] = writer._add_object(content)
        if how == "picture":
            places: Any = page["/Resources"].get_object().setdefault(NameObject("/XObject"), _dictionary())
            places.get_object()[NameObject("/Over")] = writer._add_object(square)
    writer.write(file)


def _number(value: int) -> Any:
    from pypdf.generic import NumberObject

    return NumberObject(value)


def _dictionary() -> Any:
    from pypdf.generic import DictionaryObject

    return DictionaryObject()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["picture", "shape", "annotation"])
def test_what_is_laid_over_a_page_is_seen(tiny_build: pipeline.Outcome, folder: Path, how: str) -> None:
    """The text of the page is the same; its pixels are not, whatever hides a number."""
    report = folder / "report.en.pdf"
    texts = [page.extract_text().split() for page in PdfReader(report).pages]
    lay_over(report, how)
    assert [page.extract_text().split() for page in PdfReader(report).pages] == texts
    checks = held(tiny_build, folder, "report.en.pdf")
    assert Outcome.DIFFERS not in outcomes(checks, Question.REWRITTEN)
    assert set(outcomes(checks, Question.PAGES)) == {Outcome.DIFFERS}
    assert checks[-1].words == f"{report}: looks otherwise than the same page set here: page 3"
    forged = held(tiny_build, folder, "report.en.pdf", TYPESETTER)
    assert worst(forged) is (Outcome.UNDECIDED if how == "shape" else Outcome.DIFFERS)
    if how != "shape":  # a picture or an annotation more is no matter of versions
        assert any("something is laid over a page" in check.words for check in forged)


@pytest.mark.slow
def test_a_pdf_that_is_only_compressed_otherwise_is_proven(tiny_build: pipeline.Outcome, folder: Path) -> None:
    """Other bytes of the same pages: each looks the same, pixel for pixel."""
    report = folder / "report.en.pdf"
    writer = PdfWriter(clone_from=io.BytesIO(report.read_bytes()))
    writer.write(report)
    assert pages.unequal_pages(report.read_bytes(), (tiny_build.folder / report.name).read_bytes()) == []
    checks = held(tiny_build, folder, report.name)
    assert {check.outcome for check in checks} == {Outcome.PROVEN}
    assert {check.question for check in checks} == {Question.REWRITTEN, Question.PAGES}


@pytest.mark.slow
def test_a_page_more_and_another_markdown_inside_are_seen(tiny_build: pipeline.Outcome, folder: Path) -> None:
    """A blank page at the end, and a digit in the Markdown that is attached."""
    report = folder / "report.en.pdf"
    writer = PdfWriter(clone_from=io.BytesIO(report.read_bytes()))
    writer.add_blank_page(595, 842)
    writer.write(report)
    count = len(PdfReader(report).pages)
    words = [check.words for check in held(tiny_build, folder, report.name) if check.outcome is Outcome.DIFFERS]
    assert words == [f"{report}: looks otherwise than the same page set here: page {count}"]
    attached = next(f for f in writer.attachment_list if f.name == "report.en.md")
    attached.content = attached.content.replace(b"72.50%", b"82.50%", 1)
    writer.write(report)
    words = [check.words for check in held(tiny_build, folder, report.name) if check.outcome is Outcome.DIFFERS]
    assert re.search(r"line \d+ of the Markdown inside it: got .*82\.50%.*, expected .*72\.50%", words[0])


# the HTML, words and figures


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</style>", "td:nth-child(2) { font-size: 0 } td::after { content: '99.9%'; font-size: 9pt }</style>"),
        ("</head>", "<style>p { display: none }</style></head>"),
        ("<main>", '<main style="filter: blur(9px)">'),
        ("font/otf;base64,", "font/otf;base64,AAAA"),
        ("image/svg+xml;base64,", "image/svg+xml;base64,AAAA"),
    ],
    ids=["content", "display", "attribute", "font", "figure"],
)  # fmt: skip
def test_html_that_shows_something_else_is_seen(
    tiny_build: pipeline.Outcome, folder: Path, old: str, new: str
) -> None:
    """A style sheet, an attribute, a font or a figure: the text is the same, what a browser shows is not."""
    report = folder / "report.en.html"
    edit(report, old, new)
    checks = held(tiny_build, folder, report.name)
    assert set(outcomes(checks, Question.REWRITTEN)) == {Outcome.PROVEN}
    assert set(outcomes(checks, Question.HTML)) == {Outcome.DIFFERS}
    forged = held(tiny_build, folder, report.name, TYPESETTER)
    assert worst(forged) is (Outcome.DIFFERS if "style>" in new else Outcome.UNDECIDED)
    assert worst(held(tiny_build, folder, report.name, PROGRAM)) is Outcome.UNDECIDED


@pytest.mark.parametrize("how", [TYPESETTER, PROGRAM], ids=["typesetter", "program"])
def test_forged_versions_hide_no_number_word_or_row(tiny_build: pipeline.Outcome, folder: Path, how: Made) -> None:
    """With whatever versions, other numbers and rows differ; other words do, or are undecided, but never good."""
    report = folder / "report.en.md"
    edit(report, "72.50%", "82.50%")
    assert worst(held(tiny_build, folder, report.name, how)) is Outcome.DIFFERS
    shutil.copy(tiny_build.folder / report.name, report)
    text = report.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| RNN |"))
    edit(report, row, row.replace("RNN", "GRU"))
    assert worst(held(tiny_build, folder, report.name, how)) is Outcome.DIFFERS
    shutil.copy(tiny_build.folder / report.name, report)
    edit(report, "could give 0.33 at best): inconclusive", "could give 0.33 at best): clear")
    wanted = Outcome.DIFFERS if how.program else Outcome.UNDECIDED
    assert worst(held(tiny_build, folder, report.name, how)) is wanted


def test_another_figure_is_seen(tiny_build: pipeline.Outcome, folder: Path) -> None:
    """A figure of another model, or with another word, whatever it says that it was drawn with."""
    one, other = "figures/confusion-lstm.en.svg", "figures/confusion-rnn.en.svg"
    shutil.copy(folder / other, folder / one)
    assert worst(held(tiny_build, folder, one)) is Outcome.DIFFERS
    assert worst(held(tiny_build, folder, one, TYPESETTER)) is Outcome.DIFFERS
    assert worst(held(tiny_build, folder, one, PROGRAM)) is Outcome.UNDECIDED


def test_rounding_of_another_library_is_no_other_number(tiny_build: pipeline.Outcome, folder: Path) -> None:
    """The last digit of a number in results.json may differ with other versions, its ninth may not."""
    results = folder / "results.json"
    edit(results, "0.7833333333333333", "0.7833333333333332")
    assert worst(held(tiny_build, folder, "results.json", TYPESETTER)) is Outcome.PROVEN
    assert worst(held(tiny_build, folder, "results.json")) is Outcome.DIFFERS
    edit(results, "0.7833333333333332", "0.7833334333333332")
    assert worst(held(tiny_build, folder, "results.json", TYPESETTER)) is Outcome.DIFFERS


def test_versions_that_contradict_the_records_or_the_pdf_are_told(folder: Path) -> None:
    """Another torch than the records', another WeasyPrint than the PDF's own line: forged in all manifests."""
    made = json.loads((folder / "manifest.json").read_text("utf-8"))
    made["versions"] |= {"torch": "1.0.0", "weasyprint": "1.0"}
    (folder / "manifest.json").write_text(json.dumps(made), "utf-8")
    checks = [check for check in verify(folder, Options()) if check.question is Question.VERSIONS]
    words = [check.words for check in checks if check.outcome is Outcome.DIFFERS]
    assert words[0].startswith("it says torch 1.0.0, and the record of rnn/seed=0 says 2.")
    assert words[1].startswith(f"{folder / 'report.en.pdf'}: was written by WeasyPrint ")
    assert words[1].endswith(", and its manifest says WeasyPrint 1.0")
    assert checks[-1].outcome is Outcome.UNDECIDED


# the suite, its files, its metrics, its logs


def suite_of(folder: Path, text: str) -> Path:
    """Write a suite with the tiny suite's runs, in English Markdown, and put the golden records in its store."""
    folder.mkdir(exist_ok=True)
    (folder / "suite.yaml").write_text(
        TINY.read_text("utf-8") + "languages: [en]\nformats: [md]\n" + text, "utf-8"
    )
    store = Store(folder / "build" / "records")
    for step in pipeline.plan(pipeline.load(folder / "suite.yaml"), store).steps:
        store.write(step.key, golden_files(step))
    return folder / "suite.yaml"


def forge_markdown(folder: Path, old: str, new: str) -> None:
    """Change the report and its digest in manifest.json."""
    edit(folder / "report.en.md", old, new)
    made = json.loads((folder / "manifest.json").read_text("utf-8"))
    made["files"]["report.en.md"] = sealing.digest((folder / "report.en.md").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(made), "utf-8")


@pytest.mark.slow
def test_a_metric_of_ones_own_hides_nothing(tmp_path: Path) -> None:
    """The report is written anew with the metric's printed values, which are undecided without --rerun."""
    (tmp_path / "metric.py").write_text(
        "def errors(predicted, target, classes):\n    return (predicted != target).sum()\n"
    )
    suite = suite_of(tmp_path, "metrics: [metric.py:errors]\n")
    folder = build(suite, tmp_path / "build").folder
    checks = list(verify(folder, Options()))
    assert [(check.question, check.outcome) for check in checks if check.outcome is not Outcome.PROVEN] == [
        (Question.REWRITTEN, Outcome.UNDECIDED)
    ]
    assert EXIT_STATUS[worst(checks)] == 4
    forge_markdown(folder, "72.50%", "82.50%")
    words = [check.words for check in verify(folder, Options()) if check.outcome is Outcome.DIFFERS]
    assert len(words) == 1
    assert re.search(r"report\.en\.md:\d+: got .*82\.50%.*, expected .*72\.50%", words[0])


def test_without_its_suite_nothing_is_proven_of_the_numbers(tmp_path: Path) -> None:
    """A forged number and no suite, or a changed one: undecided, with status 4, and never good."""
    suite = suite_of(tmp_path, "")
    folder = build(suite, tmp_path / "build").folder
    forge_markdown(folder, "72.50%", "82.50%")
    for gone in (False, True):
        if gone:
            suite.unlink()
        else:
            edit(suite, 'student_number: "0000"', 'student_number: "0001"')
        checks = list(verify(folder, Options()))
        assert EXIT_STATUS[worst(checks)] == 4
        assert summary(checks) == (
            "undecided: suite, own files, rewritten; proven: manifest, versions, records, consistency"
        )


@pytest.mark.slow
def test_words_of_the_suites_own_are_told(tmp_path: Path) -> None:
    """A sentence that turns a verdict round, and a template: each is named, until the reader trusts that file."""
    sentences = tmp_path / "templates" / "text.en.yaml"
    sentences.parent.mkdir()
    sentences.write_text("results:\n  metrics: '{table} proves that the first is ahead.'\n", "utf-8")
    suite = suite_of(tmp_path, "")
    folder = build(suite, tmp_path / "build").folder
    (found,) = [check for check in verify(folder, Options()) if check.outcome is not Outcome.PROVEN]
    assert (found.question, found.outcome) == (Question.FILES, Outcome.UNDECIDED)
    assert found.words.startswith(
        f"{sentences}: says what is printed in place of reportgen; read it: results.metrics is"
    )
    assert "proves that the first is ahead.', not '{table} has metrics" in found.words
    assert worst(verify(folder, Options(trusted=sentences.parent))) is Outcome.PROVEN
    sentences.write_text("results:\n  metrics: '{table} shows it.'\n", "utf-8")
    words = [check.words for check in verify(folder, Options()) if check.outcome is Outcome.DIFFERS]
    assert words[0] == "templates/text.en.yaml: is not the file that took part in the report"
    sentences.unlink()
    words = [check.words for check in verify(folder, Options()) if check.outcome is Outcome.DIFFERS]
    assert words[0] == "templates/text.en.yaml: took part in the report, and does not here"


LOG = "epoch,train_loss,train_accuracy,test_loss,test_accuracy\n1,0.9,0.5,0.8,0.6\n2,0.7,0.6,0.6,0.7\n"


@pytest.mark.slow
def test_an_edited_import_is_told(tmp_path: Path) -> None:
    """A log that was changed after the build, and a record that is not what its log gives."""
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    imported = "runs:\n  - {name: theirs, import: {path: log.csv}}\n"
    suite = suite_of(tmp_path, "")
    text = suite.read_text("utf-8").replace("runs:\n", imported, 1).replace("seeds: [0, 1]", "seeds: [0]")
    suite.write_text(text, "utf-8")
    folder = build(suite, tmp_path / "build").folder
    assert outcomes(list(verify(folder, Options())), Question.IMPORTS) == [Outcome.PROVEN]
    store = Store(tmp_path / "build" / "records")
    key = json.loads((folder / "manifest.json").read_text("utf-8"))["records"]["theirs/seed=0"]["key"]
    files = store.read(key)
    assert files is not None
    store.write(key, files | {"epochs.csv": files["epochs.csv"].replace(b"0.7", b"0.9")})
    build(suite, tmp_path / "build")
    (found,) = [check for check in verify(folder, Options()) if check.question is Question.IMPORTS]
    assert found.outcome is Outcome.DIFFERS
    assert found.words.endswith("log.csv gives another record: epochs")
    (tmp_path / "log.csv").write_text(LOG.replace("0.9", "0.8"), "utf-8")
    (found,) = [check for check in verify(folder, Options()) if check.question is Question.IMPORTS]
    assert found.outcome is Outcome.DIFFERS
    assert found.words.endswith("log.csv is not the log that its record is of")


# the records


def golden(run: str = "rnn-seed=0") -> Record:
    """Return one of the golden records, with a key that is of its parts."""
    record = from_files({file.name: file.read_bytes() for file in (GOLDEN / "records" / run).iterdir()})
    return replace(record, key=key_of(record.parts))


def inner(tmp_path: Path, *records: Record, now: datetime | None = None) -> list[str]:
    """Put records into a store, and return what is wrong with them."""
    store, names = Store(tmp_path / "records"), {}
    for place, record in enumerate(records):
        store.write(record.key, to_files(record))
        names[f"run{place}"] = {"key": record.key, "files": store.digests(record.key)}
    suite = {"file": "s.yaml", "digest": "", "profile": None, "quick": False}
    made = {"format": "reportgen manifest 1", "suite": suite, "records": names, "program": "", "versions": {}}
    checks = consistency(manifest.Manifest.model_validate(made), store, now or golden_day() + timedelta(days=2))
    return [check.words for check in checks if check.outcome is not Outcome.PROVEN]


def golden_day() -> datetime:
    """Return when the golden record was trained."""
    return datetime.fromisoformat(golden().started)


def slower(record: Record, factor: float) -> list[dict[str, float]]:
    """Return its epochs with other seconds."""
    return [{**row, "seconds": row["seconds"] * factor} for row in record.epochs]


ATTACKS: dict[str, tuple[Callable[[Record], Record], str]] = {
    "an epoch longer than the run": (
        lambda r: replace(r, epochs=slower(r, 1e6)), r"run0: its log adds up to .* seconds, and the whole"),
    "no time": (lambda r: replace(r, epochs=slower(r, 0)), "run0: an epoch took no time"),
    "in the future": (
        lambda r: replace(r, started=(golden_day() + timedelta(days=3)).isoformat()), r"run0: .* is not over yet"),
    "before there were records": (
        lambda r: replace(r, started="2025-03-01T10:00:00+00:00"), r"run0: it began at 2025-03.*, before there"),
    "no date": (lambda r: replace(r, started="yesterday"), "run0: got 'yesterday' as the time"),
    "another kept epoch": (
        lambda r: replace(r, kept_epoch=1), "run0: it says that epoch 1 was kept, and its log gives epoch 3"),
    "an epoch less": (lambda r: replace(r, epochs=r.epochs[:2], kept_epoch=2), "run0: its log has 2 epochs"),
    "more right answers": (
        lambda r: replace(r, predictions={**r.predictions, "predicted": r.predictions["target"]}),
        "run0: the losses and the probabilities of its right predictions do not belong together"),
    "another test part": (
        lambda r: replace(r, predictions={**r.predictions, "target": np.zeros_like(r.predictions["target"])}),
        "run0: its predictions are not of the test part"),
    "another setting": (
        lambda r: replace(r, settings=r.settings | {"model": r.settings["model"] | {"hidden_size": 99}}),
        "run0: its settings have 99 as model.hidden_size, and its key is of 12"),
    "another key": (lambda r: replace(r, parts=r.parts | {"data": "x"}), "run0: its key is"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_record_that_contradicts_itself_is_told(tmp_path: Path, attack: str) -> None:
    """Seconds, dates, the kept epoch, predictions, settings: with its digests made to fit, it does not agree."""
    assert inner(tmp_path / "sound", golden(), golden("rnn-seed=1"), golden("lstm-seed=0")) == []
    change, words = ATTACKS[attack]
    found = inner(tmp_path, change(golden()))
    assert found
    assert re.match(words, found[0]), found


def test_another_printout_or_a_copied_log_is_told_by_the_other_runs(tmp_path: Path) -> None:
    """All seeds of a model print the same, and no two runs take the same time."""
    one, other = golden(), golden("rnn-seed=1")
    forged = replace(other, model=other.model | {"printout": other.model["printout"].replace("12", "1200")})
    assert inner(tmp_path / "a", one, forged) == ["run1: its model is otherwise than that of run0: printout"]
    copied = replace(other, epochs=one.epochs, seconds=one.seconds)
    assert "run1: its log is that of run0, with the same seconds" in inner(tmp_path / "b", one, copied)


def test_a_clock_that_is_wrong_decides_nothing(tmp_path: Path) -> None:
    """On a machine whose clock is behind the first records, dates are undecided."""
    now = FIRST_DAY - timedelta(days=300)
    assert inner(tmp_path, replace(golden(), started="2020-01-01T00:00:00+00:00"), now=now) == [
        f"the clock of this machine says {now:%Y-%m-%d}: dates are not compared"
    ]


@pytest.mark.slow
def test_a_record_in_two_hand_ins_is_told(tmp_path: Path, folder: Path) -> None:
    """Another student's records: the same beginning and the same seconds; one author may share them."""
    mine, theirs = folder, tmp_path / "copy" / "tiny"
    shutil.copytree(folder.parent, tmp_path / "copy")
    found = [check for check in verify_all([mine, theirs], Options()) if check.question is Question.HAND_INS]
    assert len(found) == 6
    assert {check.outcome for check in found} == {Outcome.DIFFERS}
    words = f"{theirs}: the record of rnn/seed=0 is that of rnn/seed=0 in {mine}: epochs.csv and record.json"
    assert words in [check.words for check in found]
    made = manifest.parsed((mine / "manifest.json").read_bytes(), "")
    store = Store(folder.parent / "records")
    (alone,) = shared([HandIn(mine, made, store, store.folder), HandIn(theirs, made, store, store.folder)])
    assert alone.outcome is Outcome.PROVEN
    one = Options(records=folder.parent / "records")  # is no sign that both are of one author
    found = [
        check for check in verify_all([mine, theirs, tmp_path / "none.pdf"], one) if "hand" in check.question.value
    ]
    assert [check.outcome for check in found] == [Outcome.UNDECIDED, *[Outcome.DIFFERS] * 6]
    assert (
        found[0].words
        == f"{tmp_path / 'none.pdf'}: not held against the others: {tmp_path / 'none.pdf'}: no such file"
    )


# training anew


def test_seconds_that_no_machine_needs_and_another_printout_are_told() -> None:
    """Trained anew, a run that says a twentieth of the time or another printout differs, bits or not."""
    before = golden()
    faster = replace(before, epochs=slower(before, 1 / 20), seconds=before.seconds / 20)
    assert re.match(
        r"an epoch or a step takes .* seconds at the least, was", rerun.told_otherwise(faster, before)[0]
    )
    assert rerun.told_otherwise(replace(before, epochs=slower(before, 1 / 4)), before) == []
    printed = replace(before, model=before.model | {"printout": "LSTM(29, 1600)", "parameters": 1})
    assert rerun.told_otherwise(printed, before) == ["its printout is another", "its parameters is another"]
    checks = list(rerun.compared("run", faster, before))
    assert [check.outcome for check in checks] == [Outcome.DIFFERS, Outcome.PROVEN]


def test_a_machine_that_computes_alike_gets_no_tolerance() -> None:
    """Another processor's name is no other machine: how it computes is measured; 5% is not added to 0.02."""
    before = golden()
    loss = before.predictions["loss"] * np.float32(1.01)
    forged = replace(
        before,
        environment=before.environment | {"cpu": "another"},
        predictions={**before.predictions, "loss": loss},
    )
    left = Traces({}, "0" * 16)
    (check,) = rerun.compared("run", forged, before, left, left)
    assert (check.outcome, check.words) == (
        Outcome.DIFFERS,
        "run: trained anew, it gives other bits: predictions.loss",
    )
    (check,) = rerun.compared("run", forged, before, left, Traces({}, "1" * 16))
    assert check.outcome is Outcome.UNDECIDED
    assert "since these differ: arithmetic; bits cannot be compared" in check.words
    assert [rerun.agree(now, 0.70) for now in (0.734, 0.736, 0.666, 0.664)] == [True, False, True, False]
    assert [rerun.agree(now, 0.10) for now in (0.119, 0.121)] == [True, False]


def test_what_is_trained_anew_is_drawn_at_random_and_can_be_repeated() -> None:
    """Without a seed other runs are drawn each time; with the seed that is told, the same."""
    names = [f"run{number}" for number in range(50)]
    draws = [rerun.drawn(names, 3, None) for _ in range(20)]
    assert len({tuple(chosen) for chosen, _ in draws}) > 1
    assert all(rerun.drawn(names, 3, seed) == (chosen, seed) for chosen, seed in draws)
    assert all(chosen == sorted(chosen, key=names.index) for chosen, _ in draws)
    assert rerun.drawn(names, 99, 4)[0] == names
