"""A suite from a stranger: what is in it is data, what lies elsewhere is not read, and nothing of it is run."""

import csv
import html
import io
import os
import re
from pathlib import Path

import pytest
from conftest import Command, build
from markdown_it import MarkdownIt
from pypdf import PdfReader

from reportgen import pipeline
from reportgen.errors import ReportgenError, SuiteError, TemplateError
from reportgen.i18n.languages import load_languages
from reportgen.report.html import to_html
from reportgen.resources import TEMPLATES
from reportgen.storage.records import Store
from reportgen.suite.expansion import file_name

NAMES = [
    "<script>alert(1)</script>", "{{ 7 * 7 }}{% raw %}", "a|b", "`c`", "$x^2$ $", "*d* **e**", "_f_ __g__", "# h",
    "1. i", "line\nbreak", "[j](k) ![l](m)", "&amp; <b>", "\\n\\", "~~o~~", "甲|乙",
]  # fmt: skip
TITLE = "T <script> {{ x }} | ` $ * _ # y"
LABEL = "R|N $N$ <b>"
TEXT = "<img src=x onerror=alert(1)> $a$ | ` {{ y }}"
HOSTILE = f"{TEXT} \x1b[31m \u202e"
SUITE = f"""title: "{TITLE}"
data: {{source: csv, file: texts.csv}}
training: {{epochs: 1, batch_size: 32}}
model: {{hidden_size: 4}}
runs: [{{name: rnn, label: "{LABEL}", model: {{cell: rnn}}}}]
seeds: [0]
languages: [en]
device: cpu
"""


def written(folder: Path, classes: list[str], text: str = TEXT, suite: str = SUITE) -> Path:
    """Write a table with eight texts of each class and a suite beside it; return the suite."""
    stream = io.StringIO()
    rows = [(f"{text} {i}", name) for i, name in enumerate(classes) for _ in range(8)]
    csv.writer(stream).writerows([("text", "label"), *rows])
    (folder / "texts.csv").write_bytes(stream.getvalue().encode())
    (folder / "suite.yaml").write_text(suite, "utf-8")
    return folder / "suite.yaml"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of a suite whose classes, label, title and texts look like markup, code and commands."""
    folder = tmp_path_factory.mktemp("stranger")
    return build(written(folder, NAMES, HOSTILE), folder / "build").folder


def squeezed(text: str) -> str:
    """Return the text without any space: lines are broken where there is room."""
    return re.sub(r"\s+", "", text)


def words(page: str) -> str:
    """Return what a browser prints of a page, each piece of text on a line of its own."""
    return html.unescape(re.sub(r"<[^>]*>", "\n", re.sub(r"<wbr>", "", page)))


@pytest.mark.slow
def test_names_come_out_as_themselves_in_markdown(reports: Path) -> None:
    """Read as Markdown, every class has its row in the table, and the page has no element of a name's making."""
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        (reports / "report.en.md").read_text("utf-8")
    )
    lines = [line.strip() for line in words(page).splitlines()]
    for name in [*NAMES, TITLE, LABEL]:
        assert " ".join(name.split()) in lines, name
    assert not re.search(r"<(script|b|del|a)\b|onerror=[^&]*>$", page)


def test_names_come_out_as_themselves_in_html(reports: Path) -> None:
    """The same in the HTML, which has neither scripts nor handlers of events."""
    page = (reports / "report.en.html").read_text("utf-8")
    body = page[page.index("<body>") :]
    lines = [line.strip() for line in words(body).splitlines()]
    for name in [*NAMES, TITLE, LABEL]:
        assert " ".join(name.split()) in lines, name
    assert not set(re.findall(r"<(\w+)", page)) & {"b", "del", "iframe", "object", "link", "base"}
    assert not re.search(r"<[^>]*\son\w+=", body)


@pytest.mark.slow
def test_names_come_out_as_themselves_in_the_pdf(reports: Path) -> None:
    """The same in the text of the PDF, the axes of its figures among it."""
    reader = PdfReader(reports / "report.en.pdf")
    text = squeezed("".join(page.extract_text() for page in reader.pages))
    for name in [*NAMES, TITLE, LABEL]:
        assert squeezed(name) in text, name
    assert not any("/JavaScript" in str(page) or "/Launch" in str(page) for page in reader.pages)


def test_names_come_out_as_themselves_in_figures(reports: Path) -> None:
    """In an SVG a name is text, and no element."""
    for file in (reports / "figures").glob("confusion*.svg"):
        figure = file.read_text("utf-8")
        shown = squeezed(words(figure))
        assert [
            name for name in NAMES if len(name) < 15 and squeezed(name) not in shown
        ] == []  # long ones are cut
        assert "<script" not in figure


def test_what_a_text_has_that_cannot_be_printed_is_marked(reports: Path) -> None:
    """A control character and one that turns the direction of text are shown as �; the text around them stays."""
    text = (reports / "report.en.md").read_text("utf-8")
    assert "\ufffd\\[31m \ufffd" in text
    assert not [c for c in text if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(("name", "message"), [
    ("a\x1b[31mb", r"the character '\x1b' (U+001B), found in “a\x1b[31mb”, a class"),
    ("\u202eb", r"the character '\u202e' (U+202E), found in “\u202eb”, a class"),
    ("𓀀", "the character '𓀀' (U+13000), found in “𓀀”, a class"),
    ("x" * 81, f"the class '{'x' * 56}…' of 81 characters"),
])  # fmt: skip
def test_a_class_that_cannot_be_printed_is_told_in_the_plan(name: str, message: str, tmp_path: Path) -> None:
    """Before anything is trained the class is named, with the line of its first example, fit for a terminal."""
    loaded = pipeline.load(written(tmp_path, ["a", name], "good"))
    with pytest.raises(SuiteError) as caught:
        pipeline.plan(loaded, Store(tmp_path / "records"))
    assert str(caught.value).startswith(f"{tmp_path}/texts.csv:10: got {message}, expected "), str(caught.value)
    assert str(caught.value).isprintable()


def test_a_column_of_texts_is_not_taken_for_the_classes(tmp_path: Path) -> None:
    """Hundreds of classes are a mistake that is told."""
    loaded = pipeline.load(written(tmp_path, [f"c{i}" for i in range(501)], "good"))
    with pytest.raises(SuiteError, match=r"texts\.csv:2: got 501 classes, expected at most 500; is it the right"):
        pipeline.plan(loaded, Store(tmp_path / "records"))


@pytest.mark.parametrize(("old", "new", "place"), [
    ("{epochs: 1,", "{loss: bce_logit, epochs: 1,", "3: training.loss"),
    ("{cell: rnn}}]", "{cell: rnn}, training: {loss: bce_logit}}]", "5: runs[0].training.loss"),
    ("seeds:", "sweeps: [{base: rnn, grid: {training.loss: [bce_logit]}}]\nseeds:",
     "6: sweeps[0].grid.training.loss[0]"),
])  # fmt: skip
def test_a_loss_for_two_classes_is_told_in_the_plan(old: str, new: str, place: str, tmp_path: Path) -> None:
    """A single logit cannot tell three classes apart, and two it can."""
    suite = SUITE.replace(old, new)
    loaded = pipeline.load(written(tmp_path, ["a", "b", "c"], "good", suite))
    with pytest.raises(SuiteError) as caught:
        pipeline.plan(loaded, Store(tmp_path / "records"))
    assert str(caught.value) == (
        f"{tmp_path}/suite.yaml:{place}: got 'bce_logit', and data with 3 classes, expected another loss, "
        "such as cross_entropy: a single logit tells two classes apart"
    )
    (tmp_path / "two").mkdir()
    loaded = pipeline.load(written(tmp_path / "two", ["a", "b"], "good", suite))
    assert pipeline.plan(loaded, Store(tmp_path / "records")).steps


@pytest.mark.parametrize(
    "more", ["", "    limit: 999\nprofiles:\n  big: {data: {split: {train_per_class: 180}}}\n"]
)
def test_more_than_the_data_have_is_told_with_the_suites_line(more: str, tmp_path: Path) -> None:
    """What is asked of data that come along is a fault of the suite, or of its profile."""
    file = tmp_path / "suite.yaml"
    split = more or "    split: {train_per_class: 180}\n"
    file.write_text(
        f"title: T\ndata:\n    source: surnames\n    languages: [Arabic, Czech]\n{split}"
        "model: {cell: rnn}\nruns: [{name: a}]\n"
    )
    with pytest.raises(SuiteError) as caught:
        pipeline.plan(pipeline.load(file, profile="big" if more else None), Store(tmp_path / "records"))
    line, place = 7 if more else 5, "data.split.train_per_class"
    assert str(caught.value).startswith(
        f"{file}:{line}: {place}: got 180, expected at most 179: the class 'Czech' has"
    )


EVIL = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nclass MyRNN:\n    pass\n"


@pytest.mark.slow
def test_check_and_plan_run_nothing_of_a_suite(tmp_path: Path, reportgen: Command) -> None:
    """A module that leaves a file where it is run has left none after both commands."""
    suite = written(tmp_path, ["a", "b"], "good", SUITE.replace("{cell: rnn}", "{cell: 'my_models.py:MyRNN'}"))
    (tmp_path / "my_models.py").write_text(EVIL, "utf-8")
    for command in ("check", "plan"):
        assert reportgen(command, suite).returncode == 0
    assert not (tmp_path / "ran").exists()
    assert reportgen("build", suite).returncode == 2  # where the class is tried, and found to be no layer
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(("cell", "message"), [
    ("../evil.py:MyRNN", "got '../evil.py', expected a file below {folder}: nothing else is ever run"),
    ("{above}/evil.py:MyRNN", "expected a file below {folder}: nothing else is ever run"),
    ("link.py:MyRNN", "got 'link.py', expected a file below {folder}: nothing else is ever run"),
    ("linked/evil.py:MyRNN", "got 'linked/evil.py', expected a file below {folder}: nothing else is ever run"),
    ("own.py:Nothing", "own.py:1: got no class Nothing, expected one of MyRNN, Path"),
    ("bad.py:MyRNN", "bad.py:2: got a syntax error ("),
    ("deep.py:MyRNN", "deep.py:1: got "),
])  # fmt: skip
def test_only_a_class_below_the_suite_is_run(cell: str, message: str, tmp_path: Path) -> None:
    """Neither `..`, an absolute path nor a link leads to code elsewhere; a class has to be in its file."""
    folder = tmp_path / "lab"
    folder.mkdir()
    (tmp_path / "evil.py").write_text(EVIL, "utf-8")
    (folder / "link.py").symlink_to(tmp_path / "evil.py")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "own.py").write_text(EVIL, "utf-8")
    (folder / "bad.py").write_text("x = 1\nx = = 2\n", "utf-8")
    (folder / "deep.py").write_text(f"x = {'-' * 100_000}1\n", "utf-8")
    suite = SUITE.replace("{cell: rnn}", "{cell: '" + cell.format(above=tmp_path) + "'}")
    with pytest.raises(SuiteError) as caught:
        pipeline.load(written(folder, ["a", "b"], "good", suite))
    assert message.format(folder=folder) in str(caught.value)
    assert not (tmp_path / "ran").exists()
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("data", [
    "{source: csv, file: ../texts.csv}",
    "{source: csv, file: /etc/passwd}",
    "{source: csv, file: link.csv}",
    "{source: csv, file: texts.csv, test_file: ../texts.csv}",
    "{source: folder, folder: ..}",
    "{source: folder, folder: classes}",
])  # fmt: skip
def test_data_lie_below_the_suite_or_where_the_user_says(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file elsewhere is not read, unless the user names its folder outside of the suite."""
    folder = tmp_path / "lab"
    (folder / "classes").mkdir(parents=True)
    written(tmp_path, ["a", "b"], "good")
    (folder / "link.csv").symlink_to(tmp_path / "texts.csv")
    (folder / "classes" / "a.txt").symlink_to(tmp_path / "texts.csv")
    suite = written(folder, ["a", "b"], "good", SUITE.replace("{source: csv, file: texts.csv}", data))
    with pytest.raises(SuiteError) as caught:
        pipeline.load(suite)
    expected = f"expected data below {folder}, or below a folder that REPORTGEN_DATA names in the environment"
    assert expected in str(caught.value)
    leads = f" is a link that leads to {tmp_path / 'texts.csv'}"
    assert str(caught.value).endswith(leads) == ("link" in data or "classes" in data)
    monkeypatch.setenv("REPORTGEN_DATA", os.pathsep.join([str(tmp_path), "/etc"]))
    assert pipeline.load(suite).suite


def test_a_file_has_a_name_that_every_system_takes() -> None:
    """A variant's name is part of file names: short enough, without separators, and not that of another one."""
    long = "lstm/" + ",".join(f"vectors=词{i}" for i in range(99))
    names = [file_name(name) for name in (long, f"{long}1", "lstm/../../x", "a\\b:c*d?e")]
    assert max(len(name.encode()) for name in names) <= 163
    assert len(set(names)) == 4
    assert names[2:] == ["lstm-..-..-x", "a-b-c-d-e"]


def test_a_pipe_is_no_data(tmp_path: Path) -> None:
    """What has no end is told, and not read."""
    suite = written(tmp_path, ["a", "b"], "good", SUITE.replace("csv, file: texts.csv", "folder, folder: classes"))
    (tmp_path / "classes").mkdir()
    os.mkfifo(tmp_path / "classes" / "a.txt")
    (tmp_path / "classes" / "b.txt").write_text("x\n" * 9)
    with pytest.raises(ReportgenError, match=r"a\.txt:1: got no plain file, expected a text file"):
        pipeline.plan(pipeline.load(suite), Store(tmp_path / "records"))


@pytest.mark.parametrize(
    "line", ["from .. import evil", f"from {'.' * 99} import evil", "from ..... import x", "import lab.evil"]
)
def test_an_import_from_above_the_suite_is_no_file_of_it(line: str, tmp_path: Path) -> None:
    """What a class imports from elsewhere is not read for the key, and the plan is made."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "evil.py").write_text(EVIL, "utf-8")
    (tmp_path / "lab" / "my_models.py").write_text(f"{line}\n{EVIL}", "utf-8")
    suite = SUITE.replace("{cell: rnn}", "{cell: 'my_models.py:MyRNN'}")
    loaded = pipeline.load(written(tmp_path / "lab", ["a", "b"], "good", suite))
    assert len(pipeline.plan(loaded, Store(tmp_path / "records")).steps) == 1
    assert not list(tmp_path.rglob("ran"))


def test_templates_from_elsewhere_are_refused(tmp_path: Path) -> None:
    """A folder of templates that is a link out of the suite's folder is not looked into."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "templates").symlink_to(tmp_path)
    with pytest.raises(TemplateError, match="templates: got a link that leads out of"):
        pipeline.load(written(tmp_path / "lab", ["a", "b"]))


def test_a_terminal_is_told_nothing_that_it_obeys(tmp_path: Path, reportgen: Command) -> None:
    """Names of columns and of files with commands for a terminal in them are shown escaped, a message a line."""
    suite = written(tmp_path, ["a", "b"], "good", SUITE.replace("texts.csv", "texts.csv, label: other"))
    table = tmp_path / "texts.csv"
    table.write_text(table.read_text().replace("text,label", '"\x1b]0;owned\x07","la\nbel\u202e"', 1))
    done = reportgen("plan", suite)
    assert done.returncode == 2
    assert r"got the first row '\x1b]0;owned\x07,la\nbel\u202e'" in done.stderr
    assert done.stderr.removesuffix("\n").isprintable()
    done = reportgen("check", tmp_path / "no\x1b[2J\u202esuch.yaml")
    assert r"no\x1b[2J\u202esuch.yaml" in done.stderr
    assert done.stderr.removesuffix("\n").isprintable()


@pytest.mark.slow
def test_a_template_without_end_is_one_message(tmp_path: Path, reports: Path, reportgen: Command) -> None:
    """From the command line: exit status 2, template and line, no traceback, and the records are kept."""
    suite = written(tmp_path, NAMES, HOSTILE)
    section = tmp_path / "templates" / "sections" / "aim.md.j2"
    section.parent.mkdir(parents=True)
    section.write_text("a\n{{ 'x' * 10 ** 11 }}", "utf-8")
    done = reportgen("build", suite, "--build-dir", reports.parent)
    assert done.returncode == 2
    told = f"{section}:2: OverflowError: got more than 100,000 by repeating"
    assert (done.stderr.splitlines()[-1], "Traceback" in done.stderr) == (told, False)
    assert len(list((reports.parent / "records").glob("*/record.json"))) == 1


REQUESTS = [
    '<img src="{url}">', "![x]({url})", '<link rel="stylesheet" href="{url}">',
    '<link rel="attachment" href="{url}">',
    '<object data="{url}"></object>', '<iframe src="{url}"></iframe>', "<style>@import '{url}';</style>",
    '<svg><use href="{url}#a"/></svg>', "[a]: {url}\n\n![a]", "![x](<{url}>)",
]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("url", ["file:///etc/passwd", "../../../../etc/passwd", "http://127.0.0.1:9/x.png"])
def test_what_a_suite_or_a_template_writes_fetches_nothing(request_: str, url: str, tmp_path: Path) -> None:
    """HTML in an aim, a summary or a template is text; a picture from elsewhere is refused."""
    (english,) = load_languages(["en"], [TEMPLATES])
    markdown = f"# T\n\n## Aim\n\n{request_.format(url=url)}\n"
    if "!" in request_ and "file:" not in url:  # which no picture of Markdown's may have, so that it is text
        with pytest.raises(ReportgenError, match="expected an SVG, PNG, JPEG, GIF or WebP file below"):
            to_html(markdown, english, tmp_path, [])
        return
    page = to_html(markdown, english, tmp_path, [])
    assert not set(re.findall(r"<(\w+)", page)) & {"img", "link", "object", "iframe", "svg", "use"}
    assert page.count("<style>") == page.count("</style>") == 1


def test_a_style_sheet_cannot_leave_its_element(tmp_path: Path) -> None:
    """`</style>` within a style sheet does not end it, and a browser is told to fetch nothing and run nothing."""
    (english,) = load_languages(["en"], [TEMPLATES])
    page = to_html("# T\n\n## A\n\nb", english, tmp_path, ["p { color: red } </style><script>alert(1)</script>"])
    assert page.count("</style>") == 1
    assert page.index("<script>") < page.index("</style>")
    assert "default-src 'none'" in page
