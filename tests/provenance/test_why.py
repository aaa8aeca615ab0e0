"""Each number of a report leads to the runs, records and files that it comes from."""

import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.i18n.origins import unmarked
from reportgen.provenance.numbers import Place, numbers_in, parse, places, with_origins
from reportgen.provenance.why import read_results, why


@pytest.fixture(scope="module")
def folder(tiny_build: pipeline.Outcome) -> Path:
    """The reports of the tiny suite."""
    return tiny_build.folder


def run_of(folder: Path, name: str) -> dict[str, object]:
    """Return a run's row of results.json."""
    row: dict[str, object] = json.loads((folder / "results.json").read_text("utf-8"))["runs"][name]
    return row


@pytest.mark.parametrize("kind", ["md", "html", "pdf"])
@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_number_leads_to_its_run_in_every_format(folder: Path, code: str, kind: str) -> None:
    """The test loss of one run: its row in the table of all runs, its line in the log, its record and the file."""
    row = run_of(folder, "lstm/seed=1")
    printed = f"{row['test_loss']:.4f}"
    answer = why(folder / f"report.{code}.{kind}", printed)
    text = "\n".join(answer.lines)
    assert answer.found
    assert f"runs.lstm/seed=1.test_loss = {row['test_loss']!r}" in text
    assert f"lstm/seed=1: {folder.parent / 'records' / str(row['key'])}/ predictions.npz" in text
    column = {"zh": "lstm/seed=1, 测试损失", "en": "lstm/seed=1, Test loss"}[code]
    assert sum(line.endswith(column) for line in answer.lines) == 1
    assert sum(line.endswith(f"Test set: Average loss: {printed}, Accuracy: 0.6667") for line in answer.lines) == 1
    assert (", on page " in answer.lines[0]) == (kind == "pdf")


def test_a_mean_leads_to_all_runs_behind_it(folder: Path) -> None:
    """A mean over seeds names every run of the model, and of no other one."""
    table = read_results(folder)
    accuracies = [row["test_accuracy"] for row in table["runs"].values() if row["variant"] == "rnn"]
    printed = f"{50 * sum(accuracies):.2f}%"
    lines = why(folder / "report.en.md", printed).lines
    start = next(i for i, line in enumerate(lines) if line.endswith("› RNN, Test accuracy"))
    block = lines[start + 1 : lines.index("", start)]
    assert f"  comparison.rnn.test_accuracy = {sum(accuracies) / 2!r}" in block
    assert [line.split(":")[0].strip() for line in block if "records" in line] == ["rnn/seed=0", "rnn/seed=1"]


def test_a_number_is_found_however_it_is_written(folder: Path) -> None:
    """72.50%, 0.7250, 72.50 % and full-width digits are one number; so are 1,911, 1911 and 1 911."""
    of_one = {"72.50%": "0.7250", "1,911": "1911"}
    for printed, other in of_one.items():
        first = [line for line in why(folder / "report.en.md", printed).lines if " = " in line]
        assert first
        for asked in (other, printed.replace("%", " %"), printed.translate({ord("7"): "７", ord("1"): "１"})):
            assert [line for line in why(folder / "report.en.md", asked).lines if " = " in line] == first
    assert why(folder / "report.en.md", "1 911").found


def test_a_number_of_a_figure_leads_to_its_matrix(folder: Path) -> None:
    """The percentages in the cells of a confusion matrix are shares of its rows."""
    table = read_results(folder)["confusion"]["rnn"]
    row, column = table["classes"].index("Russian"), table["classes"].index("Greek")
    share = table["counts"][row][column] / sum(table["counts"][row])
    for report in ("report.en.md", "report.en.html"):
        text = "\n".join(why(folder / report, f"{100 * share:.0f}").lines)
        assert "Figure 4: Confusion matrix of RNN over 2 seeds" in text
        assert f"confusion.rnn.Russian.Greek.share = {share!r}" in text


@pytest.mark.parametrize("report", ["report.zh.html", "report.en.md"])
def test_every_number_leads_somewhere(folder: Path, report: str) -> None:
    """Tables, sentences, logs, printouts and matrices: no record has years, axes, and numbers of figures alone."""
    from reportgen.provenance import reading, why

    opened = reading.open_report(folder / report)
    records = folder.parent / "records"
    traced = why._Traced(opened, opened.manifest, read_results(folder), records)
    lost = [
        (number.text, place)
        for place in traced.places
        for number, paths in with_origins(place.text)
        if list(why._behind(traced, place, number, paths)) == [why._OWN_WORDS]
    ]
    of_suite = re.compile(r"0000|November|11 月|2026")
    counted = re.compile(r"[表图] \d|(?:Table|Figure)s? \d|\[\d|19\d\d|20\d\d|\b(?:5|90|95|100|100\.0)%|\$|chunk")
    of_names = re.compile(r"epochs = 1|轮数 = 1")
    unexplained = [
        (number, str(place))
        for number, place in lost
        if not any(words.search(unmarked(place.text)) for words in (of_suite, counted, of_names))
        and not re.fullmatch(r"\d\d?|100\.0%", number)  # counts, years of a reference, and the total of shares
    ]
    assert unexplained == []
    known = [paths for place in traced.places for _, paths in with_origins(place.text) if paths]
    assert len(known) > 220
    assert all(path[-1].startswith(("=", "*")) for paths in known for path in paths)


def percent(value: float, digits: int = 1) -> str:
    """Write a share as reports in English do."""
    return f"{100 * value:.{digits}f}%"


def hundredths(value: float) -> str:
    """Write an accuracy."""
    return percent(value, 2)


def points(value: float) -> str:
    """Write a difference of shares."""
    return f"{100 * value:.2f}"


def plain(value: float) -> str:
    """Write a loss."""
    return f"{value:.4f}"


def asked(folder: Path) -> Iterator[tuple[str, str, str, float, str]]:
    """Yield numbers as they are printed: the place, the path and the value of each, and the file of its record."""
    table = read_results(folder)
    numbers = {item["name"]: item["value"] for item in table["numbers"]}
    rows = table["runs"]
    bayes, most = numbers["data.0.naive_bayes_accuracy"], numbers["data.0.majority_accuracy"]
    yield percent(bayes), "3. Data", "data.0.naive_bayes_accuracy", bayes, "record.json"
    yield percent(most), "3. Data", "data.0.majority_accuracy", most, "record.json"
    counts = table["runs"]["rnn/seed=0"], numbers["data.0.counts.train.Greek"]
    yield str(counts[1]), "Greek, Training set", "data.0.counts.train.1", counts[1], "record.json"
    pair = "differences.rnn.lstm"
    of_pair = "LSTM|by hand"
    mean, low, high = (numbers[f"{pair}.{name}"] for name in ("mean", "low", "high"))
    yield points(mean), f"{of_pair}, Difference", f"{pair}.mean", mean, "predictions.npz"
    yield points(low).replace("-", "−"), f"{of_pair}, 95% interval", f"{pair}.low", low, "predictions.npz"
    yield points(high), f"{of_pair}, 95% interval", f"{pair}.high", high, "predictions.npz"
    for name, column in (("p", "p"), ("adjusted", "Corrected p")):
        value = numbers[f"{pair}.{name}"]
        yield f"{value:.3f}", f"{of_pair}, {column}", f"{pair}.{name}", value, "predictions.npz"
    effect = numbers[f"{pair}.effect"]
    yield f"{effect:.1f}", f"{of_pair}, Effect g", f"{pair}.effect", effect, "predictions.npz"
    model = "comparison.lstm"
    for name, column, form, file in (
        ("test_loss", "Test loss", plain, "predictions.npz"),
        ("test_loss_std", "Test loss", plain, "predictions.npz"),
        ("test_accuracy", "Test accuracy", hundredths, "predictions.npz"),
        ("test_accuracy_low", "95% interval", hundredths, "predictions.npz"),
        ("parameters", "Parameters", "{:,}".format, "record.json"),
    ):
        value = numbers[f"{model}.{name}"]
        yield form(value), f"{of_pair}, {column}", f"{model}.{name}", value, file
    run = rows["lstm/seed=1"]
    for name, column, form, file in (
        ("kept_epoch", "Epoch", "{}".format, "epochs.csv"),
        ("test_loss", "Test loss", plain, "predictions.npz"),
        ("validation_accuracy", "Validation accuracy", hundredths, "epochs.csv"),
        ("seconds", "Seconds", "{:.1f}".format, "record.json"),
    ):
        yield form(run[name]), f"lstm/seed=1, {column}", f"runs.lstm/seed=1.{name}", run[name], file
    epoch = run["epoch_log"][1]
    line = f"Train Epoch: 2 Loss: {epoch['train_loss']:.6f}"
    yield (
        f"{epoch['train_loss']:.6f}",
        line,
        "runs.lstm/seed=1.epoch_log.2.train_loss",
        epoch["train_loss"],
        "epochs.csv",
    )
    yield "12", "model.hidden_size, Value", "settings.model.hidden_size", 12, "record.json"
    share = next(
        item for item in table["numbers"] if item["name"].startswith("confusions.rnn.Russian.Greek.share")
    )
    yield (
        percent(share["value"]),
        "RNN, Share of the class",
        "confusions.rnn.Russian.Greek.share",
        share["value"],
        "predictions.npz",
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["md", "html", "pdf"])
def test_each_number_has_the_one_origin_that_it_was_printed_from(folder: Path, kind: str) -> None:
    """Twenty kinds of numbers: at the place that each is printed at, one path with its value and its file."""
    queries = list(asked(folder))
    assert len(queries) >= 17
    queries = queries[::4] if kind == "pdf" else queries  # to open one takes a while
    for printed, place, path, value, file in queries:
        blocks = "\n".join(why(folder / f"report.en.{kind}", printed).lines).split("\n\n")[1:]
        here = [block for block in blocks if place in block.partition("\n")[0]]
        behind = {
            line.strip() for block in here for line in block.splitlines() if " = " in line.partition("records/")[0]
        }
        origins = {line for line in behind if not line.startswith(("3. ", "5. ", "6. ", "7. ", "Appendix"))}
        assert f"{path} = {value!r}" in origins, (printed, place, blocks)
        assert len([block for block in here if f"  {path} = {value!r}" in block and "worked out" not in block]) > 0
        assert f"/ {file}" in next(block for block in here if f"  {path} = {value!r}" in block)


def test_what_was_worked_out_and_what_was_not_measured_are_told(folder: Path, tmp_path: Path) -> None:
    """A share is worked out from counts; a year comes from nowhere; without numbers.json nothing is guessed."""
    total = read_results(folder)["numbers"]
    russian = next(item["value"] for item in total if item["name"] == "data.0.shares.Russian")
    lines = why(folder / "report.en.html", f"{100 * russian:.1f}%").lines
    start = next(i for i, line in enumerate(lines) if line.endswith("Russian, Share"))
    assert lines[start + 1 : start + 3] == ["  worked out from", "  data.0.counts.*"]
    year = why(folder / "report.en.md", "1979").lines
    assert year[3] == "  no record has it: the suite, a sentence or a template says it, such as a year or a count"
    for name in ("report.en.pdf", "results.json"):
        shutil.copy(folder / name, tmp_path / name)
    alone = why(tmp_path / "report.en.pdf", f"{100 * russian:.1f}%").lines
    assert alone[3] == "  not known: there is no numbers.json beside the report, or it is of another one"


def test_marks_change_no_byte_of_what_is_read(folder: Path) -> None:
    """No mark is left in any report; the HTML without its attributes is what the Markdown gives without marks."""
    from reportgen.i18n.languages import load_languages
    from reportgen.i18n.origins import remarked
    from reportgen.provenance import reading
    from reportgen.report.html import to_html, without_origins
    from reportgen.resources import TEMPLATES

    (english,) = load_languages(["en"], [TEMPLATES])
    text = (folder / "report.en.md").read_text("utf-8")
    known = json.loads((folder / "numbers.json").read_bytes())["report.en.md"]
    marked = remarked(text, known)
    assert unmarked(marked) == text
    assert marked.count("\n") == text.count("\n")
    html = to_html(marked, english, folder, [])
    assert html.count("data-origin=") > 200
    assert without_origins(html) == to_html(text, english, folder, [])
    for file in folder.glob("report.*"):
        for page in reading.pages_of(file.suffix, file.read_bytes()):
            assert unmarked(page) == page


def test_a_run_a_model_a_figure_and_a_table_are_known_by_name(folder: Path) -> None:
    """Each names its records; of a table, those of the models in its rows."""
    key = str(run_of(folder, "rnn/seed=1")["key"])
    run = why(folder / "report.zh.pdf", "rnn/seed=1").lines
    assert run[0] == f"rnn/seed=1: finished, seed 1, key {key}"
    assert run[1].endswith(f"{key}/ record.json, epochs.csv, predictions.npz, arrays.npz, worker.json")
    assert why(folder / "report.zh.pdf", key[:10]).lines[:2] == run[:2]
    assert run[2:] == ["in 附录 A　全部训练 › 表 13　全部训练"]
    model = why(folder / "report.en.md", "LSTM|by hand").lines
    assert [line.split(":")[0] for line in model if ": finished" in line] == ["lstm/seed=0", "lstm/seed=1"]
    figure = why(folder / "report.zh.html", "图5").lines
    assert figure[0].startswith("图 5　手写|LSTM 的混淆矩阵")
    assert [line.split(":")[0].strip() for line in figure[1:]] == ["lstm/seed=0", "lstm/seed=1"]
    table = why(folder / "report.en.md", "table 12").lines
    assert table[0] == "Table 12: Precision, recall and F1 of RNN for each class"
    assert [line.split(":")[0].strip() for line in table[1:]] == ["rnn/seed=0", "rnn/seed=1"]


def test_what_is_not_in_the_report_is_told_with_what_is_near(folder: Path) -> None:
    """A number, a run and a table that are not there: the nearest ones, and nothing is found."""
    row = run_of(folder, "lstm/seed=1")
    printed = f"{row['test_loss']:.4f}"
    asked = f"{Decimal(printed) + Decimal('0.00001')}"
    answer = why(folder / "report.en.md", asked)
    assert (answer.found, answer.lines[0]) == (False, f"{asked}: not in {folder / 'report.en.md'}")
    assert answer.lines[1].startswith(f"  the nearest: {printed}, ")
    answer = why(folder / "report.en.md", "rnn/seed=9")
    assert (answer.found, "'rnn/seed=0'" in answer.lines[0]) == (False, True)
    answer = why(folder / "report.en.md", "Table 99")
    assert (answer.found, "did you mean 'Table 9'" in answer.lines[0]) == (False, True)


def test_the_exit_status_says_whether_it_is_there(folder: Path, reportgen: Command, tmp_path: Path) -> None:
    """0 and the places; 1 if there are none; 2 without the numbers beside the report."""
    done = reportgen("why", folder / "report.en.pdf", "519")
    assert (done.returncode, "comparison.rnn.parameters = 519" in done.stdout) == (0, True)
    done = reportgen("why", folder / "report.en.pdf", "123456.5")
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        1,
        f"123456.5: not in {folder / 'report.en.pdf'}",
    )
    shutil.copy(folder / "report.en.pdf", tmp_path / "alone.pdf")
    done = reportgen("why", "alone.pdf", "519")
    assert (done.returncode, done.stderr) == (
        2,
        "results.json: no such file, expected the numbers of the report beside it\n",
    )
    (tmp_path / "results.json").write_text('{"runs": {')
    with pytest.raises(ReportgenError, match=r"results\.json: got a file that is cut short"):
        why(tmp_path / "alone.pdf", "519")


@given(st.floats(1e-4, 1e6), st.integers(0, 6))
def test_a_number_stands_for_what_it_was_rounded_from(value: float, digits: int) -> None:
    """Printed with any count of decimals, plainly or in percent, it is known again; its neighbour is not."""
    if digits:
        plain = parse(f"{value:,.{digits}f}")
        assert plain is not None
        assert plain.stands_for(value)
        assert not plain.stands_for(value * 1.5 + 2 * 10**-digits)
    percent = parse(f"{100 * value:.{digits}f}%")
    assert percent is not None
    assert percent.stands_for(value)
    assert not percent.stands_for(value * 1.5 + 2 * 10 ** -(digits + 2))


def test_numbers_are_told_from_words() -> None:
    """A digit inside a word, a version or a name is no number; signs, thousands and powers of ten belong."""
    text = "LSTM2 in 2.13.0+cpu has 1,911 weights, −5.83 points, 1.2e-05, 82.9% and f1=3; 12 / 28 of h2."
    assert [number.text for number in numbers_in(text)] == ["1,911", "−5.83", "1.2e-05", "82.9%", "3", "12", "28"]
    assert [number.value for number in numbers_in("−5.83 1.2e-05")] == [Decimal("5.83"), Decimal("1.2e-05")]
    assert [parse("133").stands_for(v) for v in (133.4, 133.6, 133)] == [True, False, True]  # type: ignore[union-attr]
    whole = parse("12")
    assert whole is not None
    assert [whole.stands_for(12), whole.stands_for(12.2), whole.stands_for(0.12)] == [True, False, False]
    assert whole.stands_for(0.12, in_percent=True)
    assert parse("twelve") is None


def test_places_are_the_same_in_markdown_and_html() -> None:
    """Section, caption, row (an empty cell stands for the one above), column, and the line of a log."""
    markdown = (
        "# T\n\n## 1. A\n\nOne 1.\n\n**Table 1: x**\n\n| M | N |\n|:--|--:|\n| a | 2 |\n|  | 3 |\n\n"
        "```log\nL: 4\n```\n"
    )
    html = (
        "<!DOCTYPE html><html><head><style>p {margin: 9}</style></head><body><nav><p>8</p></nav><h1>T</h1>"
        "<h2>1. A</h2><p>One 1.</p><div><table><caption><strong>Table 1: x</strong></caption>"
        "<tr><th>M</th><th>N</th></tr><tr><td>a</td><td>2</td></tr><tr><td></td><td>3</td></tr></table></div>"
        '<pre class="log"><code>L: 4\n</code></pre></body></html>'
    )
    where = ("T", "1. A")
    expected = [
        Place("One 1.", where),
        Place("a", where, "Table 1: x", "", "M"),
        Place("2", where, "Table 1: x", "a", "N"),
        Place("", where, "Table 1: x", "a", "M"),
        Place("3", where, "Table 1: x", "a", "N"),
        Place("L: 4", where),
    ]
    assert places(markdown) == expected
    assert places(html) == expected
    assert str(expected[2]) == "1. A › Table 1: x › a, N"
