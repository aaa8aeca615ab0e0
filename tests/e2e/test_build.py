"""A build from end to end: what it leaves, and what it does not do twice."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import GOLDEN, TINY, build
from pypdf import PdfReader

from reportgen import pipeline
from reportgen.errors import TypesetError
from reportgen.storage.records import Store
from reportgen.suite.expansion import runs_of


@pytest.fixture
def copy(tiny_build: pipeline.Outcome, tmp_path: Path) -> tuple[Path, Path]:
    """A suite of its own with the tiny build's records and reports: the suite file and the build folder."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    (tmp_path / "lab").mkdir()
    return Path(shutil.copy(TINY, tmp_path / "lab" / "tiny.yaml")), tmp_path / "build"


def change(file: Path, old: str, new: str) -> None:
    """Replace `old`, which must be there, in a file."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a report by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_build_leaves_every_file_it_promises(tiny_build: pipeline.Outcome) -> None:
    """Markdown, HTML and PDF in both languages, figures, tables and results.json."""
    names = set(bytes_of(tiny_build.folder))
    reports = {f"report.{code}.{kind}" for code in ("zh", "en") for kind in ("md", "html", "pdf")}
    tables = {f"tables/{name}.csv" for name in ("comparison", "runs", "epochs", "curves", "confusion-rnn")}
    figures = {
        f"figures/{name}.{code}.svg" for name in ("accuracies", "accuracy", "loss") for code in ("zh", "en")
    }
    assert reports | tables | figures | {"results.json"} <= names
    assert (tiny_build.trained, tiny_build.reused, tiny_build.unfinished) == (6, 0, [])


def test_the_report_has_the_structure_of_the_golden_one(tiny_build: pipeline.Outcome) -> None:
    """A freshly trained report has the headings, captions and table columns of the golden one."""
    fixed = re.compile(r"^(#+ .*|\*\*.*\*\*|\|.*\|)$", re.MULTILINE)
    for code in ("zh", "en"):
        fresh = (tiny_build.folder / f"report.{code}.md").read_text("utf-8")
        known = (GOLDEN / f"report.{code}.md").read_text("utf-8")
        heads = [[line for line in fixed.findall(text) if not line.startswith("|")] for text in (fresh, known)]
        assert heads[0] == heads[1]


def test_a_second_build_trains_nothing_and_writes_nothing(copy: tuple[Path, Path]) -> None:
    """Run again, with nothing changed, a build leaves every byte as it is."""
    suite, folder = copy
    build(suite, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    outcome = build(suite, folder)
    assert (outcome.trained, outcome.reused, outcome.up_to_date) == (0, 6, True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.slow
def test_a_changed_run_is_trained_and_no_other(copy: tuple[Path, Path]) -> None:
    """Only the run whose setting changed is trained, once a seed."""
    suite, folder = copy
    change(suite, "model: {cell: handwritten_lstm}", "model: {cell: handwritten_lstm, hidden_size: 13}")
    outcome = build(suite, folder)
    assert (outcome.trained, outcome.reused) == (2, 4)


def test_a_changed_label_trains_nothing(copy: tuple[Path, Path]) -> None:
    """Words are not part of a run's key; the report is written anew with the new ones."""
    suite, folder = copy
    change(suite, "label: RNN", "label: Elman's network")
    outcome = build(suite, folder)
    assert (outcome.trained, outcome.reused, outcome.up_to_date) == (0, 6, False)
    assert "Elman's network" in (outcome.folder / "report.en.md").read_text("utf-8")


def test_a_template_beside_the_suite_replaces_the_one_that_ships(copy: tuple[Path, Path]) -> None:
    """One partial of one's own changes that section alone, and trains nothing."""
    suite, folder = copy
    own = suite.parent / "templates" / "sections" / "summary.md.j2"
    own.parent.mkdir(parents=True)
    own.write_text('{{ numbering.section("My own summary") }}\n\nMine.\n', "utf-8")
    outcome = build(suite, folder)
    text = (outcome.folder / "report.en.md").read_text("utf-8")
    golden = (GOLDEN / "report.en.md").read_text("utf-8")
    assert (outcome.trained, "9. My own summary\n\nMine.\n" in text) == (0, True)
    assert text.split("## 2.")[0] == golden.split("## 2.")[0]


def test_a_report_that_was_edited_is_kept_and_made_anew(copy: tuple[Path, Path]) -> None:
    """A build notices that one of its files is not what it wrote, keeps it under another name, and says so."""
    suite, folder = copy
    report = folder / "tiny" / "report.en.md"
    written = report.read_text("utf-8")
    report.write_text("my own words", "utf-8")
    outcome = build(suite, folder)
    kept = report.with_name("report.en.md.bak")
    assert (outcome.up_to_date, outcome.notes) == (False, [f"a report had been edited; it is kept as {kept}"])
    assert (report.read_text("utf-8"), kept.read_text("utf-8")) == (written, "my own words")
    assert build(suite, folder).up_to_date is True


def test_what_is_no_longer_asked_for_is_removed(copy: tuple[Path, Path]) -> None:
    """With fewer languages, formats and runs, their old files go; what the user put there stays."""
    suite, folder = copy
    change(suite, "device: cpu", "device: cpu\nlanguages: [en]\nformats: [md]")
    change(
        suite, "  - {name: lstm, label: {zh: 手写|LSTM, en: LSTM|by hand}, model: {cell: handwritten_lstm}}\n", ""
    )
    (folder / "tiny" / "figures" / "own.svg").write_text("<svg/>")
    stages: list[str] = []
    outcome = pipeline.build(suite, pipeline.Options(folder), lambda _: None, stages.append)
    names = set(bytes_of(outcome.folder))
    reports = {name for name in names if name.startswith("report")}
    assert (reports, outcome.reports) == ({"report.en.md"}, [outcome.folder / "report.en.md"])
    assert not {name for name in names if "lstm" in name or ".zh." in name}
    assert {"figures/own.svg", "figures/loss.en.svg", "tables/confusion-rnn.csv", "results.json"} <= names
    assert stages == ["load", "plan", "run", "collect", "analyse", "draw", "write"]


def test_a_build_that_fails_leaves_the_reports_as_they_were(copy: tuple[Path, Path]) -> None:
    """Reports are written when all of them are there; one that was not edited is never set aside."""
    suite, folder = copy
    before = {name: content for name, content in bytes_of(folder / "tiny").items() if name.startswith("report")}
    own = suite.parent / "templates" / "sections" / "summary.md.j2"
    own.parent.mkdir(parents=True)
    shipped = '{% extends "shipped/sections/summary.md.j2" %}'
    own.write_text(shipped + "{% block closing %}![a picture](nowhere.png){% endblock %}", "utf-8")
    with pytest.raises(TypesetError, match=r"got the picture 'nowhere\.png'"):
        build(suite, folder)
    after = {name: content for name, content in bytes_of(folder / "tiny").items() if name.startswith("report")}
    assert after == before
    own.write_text(shipped + "{% block closing %}The end.{% endblock %}", "utf-8")
    outcome = build(suite, folder)
    assert outcome.notes == []
    assert "The end." in (outcome.folder / "report.en.md").read_text("utf-8")


def test_the_same_records_give_the_same_bytes(copy: tuple[Path, Path]) -> None:
    """Made anew from the same records, elsewhere, every file of the report is the same to the byte."""
    suite, folder = copy
    before = bytes_of(folder / "tiny")
    shutil.rmtree(folder / "tiny")
    outcome = build(suite, folder)
    after = bytes_of(outcome.folder)
    assert (outcome.trained, outcome.up_to_date) == (0, False)
    assert sorted(after) == sorted(before)
    assert [name for name in after if after[name] != before[name]] == []


@pytest.mark.slow
def test_a_damaged_record_is_trained_anew(copy: tuple[Path, Path]) -> None:
    """A record with a flipped bit is not used, and its run gives the same numbers again."""
    suite, folder = copy
    before = json.loads((folder / "tiny" / "results.json").read_text("utf-8"))["runs"]["lstm/seed=0"]
    record = folder / "records" / before["key"] / "epochs.csv"
    damaged = bytearray(record.read_bytes())
    damaged[-2] ^= 1
    record.write_bytes(bytes(damaged))
    steps = pipeline.plan(pipeline.load(suite), Store(folder / "records")).steps
    assert {step.run.name: step.why for step in steps if step.action.value == "train"} == {
        "lstm/seed=0": "its record is damaged: epochs.csv is not what MANIFEST.json says"
    }
    outcome = build(suite, folder)
    after = json.loads((folder / "tiny" / "results.json").read_text("utf-8"))["runs"]["lstm/seed=0"]
    assert (outcome.trained, outcome.reused) == (1, 5)
    for number in ("test_loss", "test_accuracy", "kept_epoch"):
        assert after[number] == before[number]


@pytest.mark.slow
def test_the_number_of_workers_changes_no_number(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """One worker gives bit for bit what several give."""
    alone = build(TINY, tmp_path, jobs=1)
    tables = [outcome.folder / "tables" / "confusion-rnn.csv" for outcome in (tiny_build, alone)]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    losses = [
        {
            run: [(epoch["train_loss"], epoch["heldout_loss"]) for epoch in row["epoch_log"]]
            for run, row in json.loads((outcome.folder / "results.json").read_text("utf-8"))["runs"].items()
        }
        for outcome in (tiny_build, alone)
    ]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_a_run_that_diverges_is_in_the_report_and_the_rest_is_too(tmp_path: Path) -> None:
    """A diverged run has its row and its reason; the others are compared without it."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    change(suite, "seeds: [0, 1]", "seeds: [0]")
    change(suite, "model: {cell: rnn}}", "model: {cell: rnn}, training: {optimizer: sgd, learning_rate: 1.0e+38}}")
    outcome = build(suite, tmp_path / "build")
    text = (outcome.folder / "report.en.md").read_text("utf-8")
    assert outcome.unfinished == ["rnn/seed=0", "rnn/epochs=1/seed=0"]
    assert "| rnn/seed=0 | diverged | the loss is not finite in epoch 1 |" in text
    assert "LSTM\\|by hand reaches a test accuracy of" in text


@pytest.mark.slow
def test_a_build_in_which_every_run_diverges_still_gives_a_report(tmp_path: Path) -> None:
    """With nothing to compare, the report says so, in every format."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    change(suite, "seeds: [0, 1]", "seeds: [0]")
    change(suite, "learning_rate: 0.01", "learning_rate: 1.0e+38, optimizer: sgd")
    outcome = build(suite, tmp_path / "build")
    assert len(outcome.unfinished) == 3
    assert "No run finished, so there is nothing to compare." in (outcome.folder / "report.en.md").read_text(
        "utf-8"
    )
    assert all(report.is_file() for report in outcome.reports)


@pytest.mark.slow
def test_a_suite_without_a_validation_part_logs_the_test_part(tmp_path: Path) -> None:
    """With `validation: 0` and `keep: last`, every epoch is evaluated on the test part, and the log says so."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    change(suite, "limit: 300", "limit: 300, split: {validation: 0}")
    change(suite, "epochs: 3,", "epochs: 3, keep: last,")
    change(suite, "seeds: [0, 1]", "seeds: [0]")
    text = (build(suite, tmp_path / "build").folder / "report.en.md").read_text("utf-8")
    assert re.search(r"Train Epoch: 3 Loss: \d\.\d{6} Acc: \d\.\d{6}\nTest set: Average loss: ", text)
    assert "Validation set" not in text


def test_a_path_with_spaces_chinese_and_emoji_is_as_good_as_any(copy: tuple[Path, Path]) -> None:
    """The suite and the build may lie anywhere."""
    suite, folder = copy
    odd = suite.parent.parent / "我的 实验 😀"
    shutil.move(suite.parent, odd)
    outcome = build(odd / "tiny.yaml", folder)
    assert (outcome.trained, len(outcome.reports)) == (0, 6)


@pytest.mark.parametrize(("code", "sentence"), [("zh", "本实验比较的模型有"), ("en", "The models compared are")])
def test_the_pdf_says_what_the_markdown_says(tiny_build: pipeline.Outcome, code: str, sentence: str) -> None:
    """The PDF has the report's title, language and text, with every font inside."""
    reader = PdfReader(tiny_build.folder / f"report.{code}.pdf")
    text = "".join(page.extract_text() for page in reader.pages)
    assert sentence in text.replace("\n", "")
    assert reader.metadata is not None
    assert reader.metadata.title == {"zh": "小型试验", "en": "A tiny suite"}[code]
    root: Any = reader.trailer["/Root"]
    assert str(root["/Lang"])[:2] == code


def test_a_quick_build_cuts_what_sweeps_vary(tmp_path: Path) -> None:
    """No point of a sweep trains longer than a quick run does; points that become the same are there once."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    change(suite, "training.epochs: [1]", "training.epochs: [1, 2, 30, 40], data.limit: [null, 300, 9000]")
    loaded = pipeline.load(suite, quick=True)
    settings = [run.variant.settings.model_dump() for run in runs_of(loaded.suite, "cpu")]
    assert {(s["training"]["epochs"], s["data"]["limit"]) for s in settings} == {
        (2, 300),
        (1, 1500),
        (1, 300),
        (2, 1500),
    }
    assert loaded.notes == ("sweeps: skipped points that equal their base run: rnn/epochs=2, limit=300",)


@pytest.mark.slow
def test_a_quick_build_marks_its_cover_and_stands_apart(tmp_path: Path) -> None:
    """`--quick` puts a sentence and a mark across the cover in every format, and replaces no real report."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    outcome = build(suite, tmp_path / "build", quick=True)
    assert outcome.folder == tmp_path / "build" / "tiny.quick"
    assert "**QUICK** This is a quick trial build" in (outcome.folder / "report.en.md").read_text("utf-8")
    assert 'data-quick="QUICK"' in (outcome.folder / "report.en.html").read_text("utf-8")
    for code, mark, sentence in (("en", "QUICK", "This is a quick trial"), ("zh", "快速试跑", "本报告由快速试跑")):
        lines = PdfReader(outcome.folder / f"report.{code}.pdf").pages[0].extract_text().splitlines()
        assert sentence in "".join(lines)
        assert mark in lines, "the mark, which is a line by itself"
    assert not (tmp_path / "build" / "tiny").exists()
