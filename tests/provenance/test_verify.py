"""A report is what its records give; whatever was changed by hand is found out, and named."""

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GOLDEN, TINY, Command
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.lab.record import Record, from_files
from reportgen.provenance import rerun
from reportgen.provenance.answers import Outcome, Question, differs
from reportgen.provenance.rendering import differing
from reportgen.provenance.verify import Options, verify
from reportgen.storage import manifest, sealing
from reportgen.storage.records import Store


@pytest.fixture
def folder(tiny_build: pipeline.Outcome, tmp_path: Path) -> Path:
    """A copy of the tiny build's reports, with its records beside it, and no suite at hand."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    return tmp_path / "build" / "tiny"


def wrong(place: Path, options: Options | None = None) -> list[str]:
    """Return what `verify` finds to differ."""
    return [check.words for check in verify(place, options or Options()) if check.outcome is Outcome.DIFFERS]


def edit(file: Path, old: str, new: str, count: int = 1) -> None:
    """Replace `old`, which must be there, in a file."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, count), "utf-8")


def edit_pdf(file: Path, old: str, new: str) -> int:
    """Replace digits in the content of a PDF's pages, as they stand there, and return the page; all else stays."""
    writer = PdfWriter(clone_from=io.BytesIO(file.read_bytes()))
    for number, page in enumerate(writer.pages, 1):
        content: Any = page["/Contents"].get_object()
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # it is a dictionary
            unicode = font.get_object()["/ToUnicode"].get_object().get_data().decode()
            glyphs = {chr(int(code, 16)): glyph for glyph, code in re.findall(r"<(\w+)> <(\w{4})>", unicode)}
            if not set(old + new) <= set(glyphs):
                continue
            pattern = r"([-\d.]*)".join(f"<{glyphs[character]}>" for character in old)
            data, found = re.subn(
                pattern.encode(), "0".join(f"<{glyphs[c]}>" for c in new).encode(), content.get_data(), count=1
            )
            if found:
                stream = StreamObject()
                stream.set_data(data)
                page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
                writer.write(file)
                return number
    raise AssertionError(f"{old} is on no page")


@pytest.mark.slow
def test_a_report_that_nobody_touched_is_good(folder: Path) -> None:
    """With the suite at hand every file comes out the same to the byte, and nothing is left untold."""
    checks = list(verify(folder, Options(suite=TINY)))
    assert [check for check in checks if check.outcome is not Outcome.PROVEN] == []
    words = [check.words for check in checks]
    count = len(manifest.parsed((folder / "manifest.json").read_bytes(), "").files)
    assert f"{count} of {count} files are the same to the byte, written anew from the records" in words
    assert "6 records are those that the report was made from" in words


def test_a_digit_in_the_markdown_is_found(folder: Path) -> None:
    """One digit of the Markdown, and verify names the file, the line, and both numbers."""
    report = folder / "report.en.md"
    line = next(n for n, text in enumerate(report.read_text("utf-8").split("\n"), 1) if "72.50%" in text)
    edit(report, "72.50%", "82.50%")
    found = wrong(report, Options(suite=TINY))
    assert found[0] == f"{report}: is not what was written"
    assert found[1].startswith(f"{report}:{line}: got ")
    assert "82.50%" in found[1].split(", expected ")[0]
    assert "72.50%" in found[1].split(", expected ")[1]
    assert len(found) == 2


def test_a_digit_in_the_html_is_found(folder: Path) -> None:
    """The digest inside the HTML is not that of the file any more; no manifest beside it is needed."""
    report = folder / "report.zh.html"
    edit(report, "72.50%", "72.60%")
    (folder / "manifest.json").unlink()
    assert wrong(report) == [
        f"{report}: was changed after it was written; the digest inside it is of another file"
    ]


def test_a_digit_in_the_pdf_is_found(folder: Path) -> None:
    """A PDF alone, one digit drawn otherwise and saved anew: the page and the number are named."""
    report = folder / "report.en.pdf"
    (folder / "manifest.json").unlink()
    page = edit_pdf(report, "0.7201", "0.7301")
    assert "0.7301" in PdfReader(report).pages[page - 1].extract_text()
    found = wrong(report)
    assert found[0] == f"{report}: was changed after it was written; the digest inside it is of another file"
    assert found[1] == f"{report}: page {page} is not what was written; not in its Markdown: 0.7301"
    assert len(found) == 2


@pytest.mark.slow
def test_a_pdf_with_a_forged_manifest_is_found(folder: Path) -> None:
    """Sealed anew after the edit, it still is not what the records give: it is written anew and compared."""
    report = folder / "report.en.pdf"
    (folder / "manifest.json").unlink()
    page = edit_pdf(report, "0.7201", "0.7301")
    forge(report)
    assert wrong(report) == []
    found = wrong(report, Options(suite=TINY))
    assert re.fullmatch(rf".*report\.en\.pdf: page {page}: got .*0\.7301.*, expected .*0\.7201.*", found[0])
    assert found[1:] == [f"{report}: looks otherwise than the same page set here: page {page}"]


def forge(file: Path) -> None:
    """Give a PDF a manifest that says it is as it should be: pages, Markdown and seal."""
    reader: Any = PdfReader(file)
    own = json.loads(reader.attachments[sealing.NAME][0])
    del own["seal"]
    pages = [sealing.digest(page["/Contents"].get_object().get_data()) for page in reader.pages]
    text = reader.attachments["report.en.md"][0]
    writer = PdfWriter()
    writer.append_pages_from_reader(reader)
    writer.add_metadata({"/Producer": reader.metadata.producer})
    writer.add_attachment("report.en.md", text)
    writer.add_attachment(sealing.NAME, sealing.unsealed(own | {"pages": pages}))
    stream = io.BytesIO()
    writer.write(stream)
    file.write_bytes(sealing.sealed(stream.getvalue()))


@pytest.mark.parametrize("name", ["results.json", "tables/runs.csv"])
def test_a_digit_in_the_numbers_is_found(folder: Path, name: str) -> None:
    """The numbers beside a report are held against manifest.json with it."""
    edit(folder / name, "0.78333", "0.88333")
    assert wrong(folder / "report.en.md") == [f"{folder / name}: is not what was written"]


def test_manifests_that_were_edited_along_are_found(folder: Path) -> None:
    """A digit and its digest in manifest.json: the records give another number, and so does the folder's PDF."""
    edit(folder / "results.json", "0.7833333333333333", "0.8833333333333333", count=-1)
    made = json.loads((folder / "manifest.json").read_text("utf-8"))
    made["files"]["results.json"] = sealing.digest((folder / "results.json").read_bytes())
    made["suite"]["quick"] = True
    (folder / "manifest.json").write_text(json.dumps(made), "utf-8")
    assert wrong(folder / "report.en.pdf") == [
        f"{folder / 'report.en.pdf'}: its manifest is not that of manifest.json beside it: suite"
    ]
    made["suite"]["quick"] = False
    (folder / "manifest.json").write_text(json.dumps(made), "utf-8")
    found = wrong(folder / "report.en.md", Options(suite=TINY))
    assert found
    name = r"results\.json:\d+: got .*0\.88333.*, expected .*0\.78333"
    assert all(re.search(name, words) for words in found), found


def test_a_digit_in_a_record_is_found(folder: Path) -> None:
    """A record that was edited is not what its own digest says; with that edited, too, it is another record."""
    key = json.loads((folder / "results.json").read_text("utf-8"))["runs"]["lstm/seed=1"]["key"]
    file = folder.parent / "records" / key / "epochs.csv"
    before = file.read_bytes()
    file.write_bytes(before.replace(b"\n1,1.", b"\n1,0.", 1))
    assert file.read_bytes() != before
    said = "was changed; its own digest is of another file"
    assert wrong(folder / "report.en.pdf") == [f"{file}: the record of lstm/seed=1 {said}"]
    store = Store(folder.parent / "records")
    names = store.digests(key)
    store.write(key, {name: (store.folder / key / name).read_bytes() for name in names})
    other = "is another than the report was made from"
    assert wrong(folder / "report.en.pdf") == [f"{file}: the record of lstm/seed=1 {other}"]
    shutil.rmtree(store.folder / key)
    assert [words.rpartition(": ")[2] for words in wrong(folder / "report.en.md")] == [
        "the record of lstm/seed=1 is gone"
    ] * len(names)


def test_records_that_were_exchanged_are_found(folder: Path) -> None:
    """A manifest that gives a run the record of another one is found by the record's own settings and seed."""
    made = json.loads((folder / "manifest.json").read_text("utf-8"))
    made["records"]["rnn/seed=0"] = made["records"]["rnn/seed=1"]
    (folder / "manifest.json").write_text(json.dumps(made), "utf-8")
    assert wrong(folder / "report.en.md", Options(suite=TINY)) == [
        "cannot be written anew: the record that the manifest gives rnn/seed=0 is of other settings than its own"
    ]


def test_another_suite_is_found(folder: Path, tmp_path: Path) -> None:
    """A suite that was edited since is named, and so is every number that it would print."""
    suite = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    edit(suite, 'student_number: "0000"', 'student_number: "0001"')
    found = wrong(folder / "report.en.md", Options(suite=suite))
    assert found[0] == f"{suite}: is not the suite that the report was made from"
    assert re.search(r"report\.en\.md:\d+: got .*0000.*, expected .*0001", found[1])
    words = [
        check.words for check in verify(folder / "report.en.md", Options()) if check.outcome is Outcome.UNDECIDED
    ]
    why = "no tiny.yaml as it was then; --suite FILE says where it is"
    assert words == [why, f"not looked at: {why}", f"not written anew: {why}"]


def test_runs_trained_anew_give_the_same_bits(folder: Path) -> None:
    """Two runs, drawn by the seed, come out as their records have them; with a forged record one does not."""
    report = folder / "report.en.md"
    checks = list(verify(report, Options(suite=TINY, rerun=2, seed=3)))[-2:]
    assert [check.outcome for check in checks] == [Outcome.PROVEN] * 2
    names = [check.words.removesuffix(": trained anew, it gives the same bits") for check in checks]
    assert len({*names} & set(manifest.parsed((folder / "manifest.json").read_bytes(), "").records)) == 2


def record(run: str = "lstm-seed=0") -> Record:
    """Return one of the golden records."""
    return from_files({file.name: file.read_bytes() for file in (GOLDEN / "records" / run).iterdir()})


def test_a_bit_that_differs_is_named() -> None:
    """On the same machine every bit counts, but not the time that a run took."""
    before = record()
    slower = replace(before, epochs=[{**row, "seconds": row["seconds"] + 1} for row in before.epochs], seconds=9.0)
    assert rerun.unequal_parts(before, slower) == []
    loss = before.predictions["loss"].copy()
    loss[3] = np.nextafter(loss[3], np.float32(9))
    other = replace(
        before,
        kept_epoch=2,
        predictions={**before.predictions, "loss": loss},
        epochs=[{**before.epochs[0], "train_loss": 0.5}, *before.epochs[1:]],
    )
    assert rerun.unequal_parts(before, other) == ["kept_epoch", "epochs", "predictions.loss"]
    assert list(rerun.compared("run", before, other)) == [
        differs(Question.RERUN, "run: trained anew, it gives other bits: kept_epoch, epochs, predictions.loss")
    ]


def test_on_another_machine_a_tolerance_is_stated() -> None:
    """Another processor may round otherwise: what the run comes to counts, within a tolerance that is told."""
    before = record()
    elsewhere = replace(before, environment={**before.environment, "cpu": "another"})
    near = replace(elsewhere, predictions={**before.predictions, "loss": before.predictions["loss"] * 1.01})
    (check,) = rerun.compared("run", before, near)
    assert check.outcome is Outcome.UNDECIDED
    told = "run: trained anew, it comes to the same within 5% or 0.02, since these differ: cpu"
    assert check.words == f"{told}; bits cannot be compared"
    far = replace(elsewhere, predictions={**before.predictions, "loss": before.predictions["loss"] * 1.2})
    (check,) = rerun.compared("run", before, far)
    was = float(before.predictions["loss"].mean(dtype=np.float64))
    assert check.outcome is Outcome.DIFFERS
    assert f"test_loss is {1.2 * was:.4f}"[:-2] in check.words
    changed = replace(before, parts={**before.parts, "data": "other"})
    (check,) = rerun.compared("run", before, changed)
    assert check.words == "run: cannot be trained as it was, since these have changed: data"


def test_what_is_no_report_is_told(folder: Path, tmp_path: Path) -> None:
    """A PDF or HTML of another program, half a PDF, Markdown alone, an empty folder: a clear message each."""
    PdfWriter(clone_from=folder / "report.en.pdf").write(tmp_path / "whole.pdf")
    blank = PdfWriter()
    blank.add_blank_page(100, 100)
    blank.write(tmp_path / "other.pdf")
    (tmp_path / "half.pdf").write_bytes(b"%PDF-1.7 and no more")
    (tmp_path / "other.html").write_text("<html></html>")
    shutil.copy(folder / "report.en.md", tmp_path / "alone.md")
    (tmp_path / "empty").mkdir()
    for name, words in {
        "other.pdf": "got a PDF without reportgen's manifest, expected a report that reportgen wrote",
        "half.pdf": "got a file that is no whole PDF",
        "other.html": "got HTML without reportgen's manifest",
        "alone.md": "got no manifest.json beside it that names it",
        "empty": "got a folder without manifest.json",
        "nowhere.pdf": "no such file",
        "alone.txt": "got a file of another kind, expected a report: .pdf, .html or .md",
    }.items():
        with pytest.raises(ReportgenError, match=re.escape(f"{tmp_path / name}: {words}")):
            list(verify(tmp_path / name, Options()))


def test_a_manifest_that_is_cut_short_is_told(folder: Path) -> None:
    """Beside the reports, in an HTML, and one that lacks a part: the message says which, and what is wrong."""
    html, beside = folder / "report.en.html", folder / "manifest.json"
    text = html.read_text("utf-8")
    start = text.index(sealing.ELEMENT) + len(sealing.ELEMENT)
    html.write_text(text[: start + 300] + "</script>" + text[start:], "utf-8")
    made = json.loads(beside.read_text("utf-8"))
    del made["suite"]["digest"]
    for file, content, words in (
        (html, html.read_text("utf-8"), "Unterminated string"),
        (beside, beside.read_text("utf-8")[:900], "char 8"),
        (beside, json.dumps(made), "suite.digest: field required"),
        (beside, "[]", "input should be"),
    ):
        file.write_text(content, "utf-8")
        place = folder if file is beside else html
        with pytest.raises(
            ReportgenError, match=rf"(?s)^{re.escape(str(file))}: got a manifest that is .*{words}"
        ):
            list(verify(place, Options()))


def test_records_that_are_nowhere_are_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a store what can be checked is, and then the message says how to name one."""
    monkeypatch.chdir(tmp_path)  # a build in the folder that the tests run in would be looked into
    (folder.parent / "records").rename(tmp_path / "kept")
    checks = verify(folder / "report.en.pdf", Options())
    assert [next(checks).outcome, next(checks).outcome] == [Outcome.PROVEN] * 2
    with pytest.raises(
        ReportgenError, match=r"records: got no such folder, expected the records .*; --records DIR"
    ):
        next(checks)
    assert wrong(folder / "report.en.pdf", Options(records=tmp_path / "kept")) == []


@pytest.mark.slow
def test_the_exit_status_says_what_came_of_it(folder: Path, reportgen: Command) -> None:
    """0 if all is proven, 1 if something differs, 2 for what is no report, 4 for what could not be decided."""
    report = folder / "report.en.html"
    done = reportgen("verify", report)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        4,
        "undecided: suite, own files, rewritten, html; proven: manifest, versions, records, consistency",
    )
    assert f"undecided  rewritten: not written anew: no {TINY.name} as it was then" in done.stdout
    done = reportgen("verify", report.with_suffix(".md"), "--suite", TINY)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "proven: manifest, versions, records, consistency, suite, own files, rewritten",
    )
    edit(report, "72.50%", "72.51%")
    done = reportgen("verify", report)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "differs: manifest; undecided: suite, own files, rewritten, html; proven: versions, records, consistency",
    )
    done = reportgen("verify", TINY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{TINY}: got a file of another kind, expected a report: .pdf, .html or .md\n"


def test_what_differs_in_a_line_is_cut_to_the_words_around_it() -> None:
    """The number of the line, and both sides with a few words of context."""
    line = (
        "The accuracy of the first of the two models that were compared is 82.86% on average over the seeds here."
    )
    got = list(differing(f"a\n{line}\nb", f"a\n{line.replace('82.86', '81.86')}\nb"))
    assert got == [
        (
            2,
            "…models that were compared is 82.86% on average over the",
            "…models that were compared is 81.86% on average over the",
        )
    ]
    assert list(differing("a\nb", "a")) == [(2, "b", "")]
    assert list(differing("a", "a")) == []
