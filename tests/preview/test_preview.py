"""The preview, in a real browser: it follows what is written, tells what is wrong, and keeps the place."""

import http.client
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE
from tiny_suites import TINY_IN

from reportgen import pipeline
from reportgen.planning.output import CACHE
from reportgen.preview.command import follow
from reportgen.preview.rendering import Renderer, State
from reportgen.preview.server import Preview

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SUMMARY = '{% extends "shipped/sections/summary.md.j2" %}\n{% block closing %}\nWORDS\n{% endblock %}\n'
MILLISECONDS = 1000 * PATIENCE
"""As Chromium's driver counts; a test waits for what it expects, and is done as soon as it is there."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a suite whose runs are those of the tiny suite."""
    folder = tmp_path_factory.mktemp("preview")
    (folder / "suite.yaml").write_text(f"{TINY_IN}languages: [en, zh, en+zh]\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def renderer(tiny_build: pipeline.Outcome, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    """What makes the preview of that suite, from the records of the tiny suite."""
    options = pipeline.Options(tiny_build.folder.parent)
    return Renderer(folder / "suite.yaml", options, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def server(tiny_build: pipeline.Outcome, folder: Path, renderer: Renderer) -> Iterator[Preview]:
    """A preview that runs, on a free port."""
    server = Preview(0)
    stop = threading.Event()
    records = tiny_build.folder.parent / "records"
    work = [
        threading.Thread(target=server.serve_forever),
        threading.Thread(target=follow, args=(server, renderer, folder / "suite.yaml", records, stop)),
    ]
    for thread in work:
        thread.start()
    yield server
    stop.set()
    server.close()
    for thread in work:
        thread.join()


@pytest.fixture(scope="module")
def page(server: Preview) -> Iterator[Any]:
    """The preview in headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the test extra is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt install chromium")
    with playwright.sync_playwright() as driver:
        # CI runs as root in a container, where Chromium's own sandbox cannot be set up
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=MILLISECONDS)
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.address)
        page.wait_for_selector("body[data-version]")
        yield page
        browser.close()


def change(page: Any, file: Path, text: str) -> None:
    """Write a file, and wait until the page shows another version."""
    before = page.evaluate("document.body.dataset.version")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    page.wait_for_function("before => document.body.dataset.version !== before", arg=before)


def report(page: Any) -> str:
    """Return the text of the report that is shown."""
    return str(page.frame_locator("iframe").locator("main").inner_text())


def test_the_page_follows_a_template_and_keeps_its_place(page: Any, folder: Path) -> None:
    """An edited block is in the page at once, and the reader is where he was, though there is more text above."""
    assert "That is what I say." not in report(page)
    view = "document.querySelector('iframe').contentWindow"
    top = f"{view}.document.querySelectorAll('h2')[6].getBoundingClientRect().top"
    page.evaluate(f"{view}.document.querySelectorAll('h2')[6].scrollIntoView()")
    page.evaluate(f"{view}.scrollBy(0, 40)")
    place = page.evaluate(top)
    assert -60 < place < 0
    change(page, folder / "templates/sections/summary.md.j2", SUMMARY.replace("WORDS", "That is what I say."))
    assert "That is what I say." in report(page)
    change(page, folder / "templates/text.en.yaml", f"environment: {{none: '{'none at all ' * 40}'}}")
    assert "none at all none at all" in report(page)
    assert abs(page.evaluate(top) - place) <= 2
    (folder / "templates/text.en.yaml").unlink()


def test_a_new_character_is_in_the_reports_own_font(page: Any, folder: Path) -> None:
    """A Chinese character that was not in the report before is shown in a font of the report's that holds it."""
    file = folder / "templates/sections/summary.md.j2"
    change(page, file, SUMMARY.replace("WORDS", "龘"))
    view = "document.querySelector('iframe').contentWindow.document"
    page.wait_for_function(
        f"[...{view}.fonts].some(f => f.unicodeRange === 'U+9F98' && f.status === 'loaded')", timeout=MILLISECONDS
    )
    assert "龘" in report(page)
    change(page, file, "{% extends 'shipped/sections/summary.md.j2' %}")


@pytest.mark.slow
def test_a_broken_template_is_told_with_its_line_and_mended(page: Any, folder: Path) -> None:
    """Instead of a blank page there are file, line and the nearest name, above the report as it was before."""
    file = folder / "templates/sections/summary.md.j2"
    change(page, file, SUMMARY.replace("WORDS", "Before."))
    file.write_text("\n\n{{ titel }}", "utf-8")
    page.wait_for_selector("#error:not([hidden])")
    assert page.inner_text("#error").strip() == f"{file}:3: 'titel' is undefined; did you mean 'title'?"
    assert "Before." in report(page)
    change(page, file, SUMMARY.replace("WORDS", "After."))
    page.wait_for_selector("#error", state="hidden")
    assert "After." in report(page)
    change(page, file, "{% extends 'shipped/sections/summary.md.j2' %}\n{% block closng %}{% endblock %}")
    page.wait_for_selector("#error:not([hidden])")
    assert "2: got the block 'closng'" in page.inner_text("#error")
    change(page, file, "{% extends 'shipped/sections/summary.md.j2' %}")


def test_the_page_follows_suite_and_style(page: Any, folder: Path) -> None:
    """The suite's own words and a style sheet are in the page; a fault of the suite is told with its line."""
    suite = folder / "suite.yaml"
    text = suite.read_text("utf-8")
    change(page, suite, text.replace("title: Klein", "title: Another title"))
    assert "Another title" in report(page)
    assert page.title() == "Another title"
    change(page, folder / "templates/styles/own.css", "h1 { color: rgb(1, 2, 3) }")
    colour = "getComputedStyle(document.querySelector('iframe').contentDocument.querySelector('h1')).color"
    assert page.evaluate(colour) == "rgb(1, 2, 3)"
    suite.write_text(text.replace("title:", "titel:"), "utf-8")
    page.wait_for_selector("#error:not([hidden])")
    assert f"{suite}:2: titel: got the unknown key 'titel'" in page.inner_text("#error")
    change(page, suite, text)
    page.wait_for_selector("#error", state="hidden")


def test_the_page_switches_language(page: Any) -> None:
    """A button a report: English, Chinese, and both."""
    names = page.locator("#languages button").all_inner_texts()
    assert names == ["English", "中文", "English + 中文"]
    for name, code, heading in (("中文", "zh", "实验环境"), ("English + 中文", "en+zh", "Environment 实验环境")):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_selector(f"body[data-language='{code}']")
        assert heading in report(page)
    page.get_by_role("button", name="English", exact=True).click()
    page.wait_for_selector("body[data-language='en']")


def test_a_figure_is_enlarged_as_in_the_finished_report(page: Any) -> None:
    """The preview's policy lets the report's own script run: a click shows a figure as large as the window."""
    shown = page.frame_locator("iframe")
    small = shown.locator("figure img").first.bounding_box()["width"]
    shown.locator("figure img").first.click()
    large = shown.locator("dialog[open] img")
    assert large.bounding_box()["width"] > small
    large.click()
    shown.locator("dialog").wait_for(state="detached")


def request(server: Preview, path: str, host: str, method: str = "GET") -> http.client.HTTPResponse:
    """Ask the server for something under the name of a host."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    return answer


def test_only_this_machine_is_served(server: Preview) -> None:
    """The server listens on 127.0.0.1 alone, and refuses a page elsewhere whose name leads here."""
    port = server.server_port
    assert server.server_address[0] == "127.0.0.1"
    assert [request(server, "/", host).status for host in (f"127.0.0.1:{port}", f"localhost:{port}")] == [200, 200]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", ""):
        assert request(server, "/report/en", host).status == 403, host


def test_the_server_writes_nothing_and_reads_no_other_file(server: Preview) -> None:
    """There is nothing to post to, and no path leads to a file."""
    host = f"127.0.0.1:{server.server_port}"
    assert [request(server, "/", host, method).status for method in ("POST", "PUT", "DELETE")] == [501, 501, 501]
    for path in ("/report/../suite.yaml", "/../../etc/passwd", "/report/%2e%2e/x", "/page.py", "/report/fr"):
        assert request(server, path, host).status == 404, path
    policy = request(server, "/page.js", host).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")


def test_what_is_not_trained_is_named_and_left_out(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """A run without a record is left out of the preview, which says so; with none at all there is one message."""
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        f"{TINY_IN.replace('seeds: [0, 1]', 'seeds: [0, 7]')}languages: [en]\nformats: [md]\n", "utf-8"
    )
    state = Renderer(suite, pipeline.Options(tiny_build.folder.parent), tmp_path).state()
    assert state.error == ""
    assert state.notes == ("not trained yet, so left out: rnn/seed=7, lstm/seed=7, rnn/epochs=1/seed=7",)
    assert "| rnn/seed=0 |" in state.documents["en"][0]
    state = Renderer(suite, pipeline.Options(tmp_path / "nothing"), tmp_path).state()
    assert (
        state.error
        == f"no run has been trained yet, and a preview trains none; first run: reportgen build {suite}"
    )
    assert not (tmp_path / "nothing").exists()


def test_figures_are_drawn_again_only_if_they_would_differ(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """A change of a text draws nothing, one of a word in a figure draws the figure."""
    suite, folder = tmp_path / "suite.yaml", tmp_path / "build"
    suite.write_text(f"{TINY_IN}languages: [en]\nsections: [aim, results]\n", "utf-8")
    shutil.copytree(tiny_build.folder.parent / "records", folder / "records")

    def drawn() -> set[str]:
        return {file.name for file in (folder / CACHE).glob("*.svg")}

    renderer = Renderer(suite, pipeline.Options(folder), tmp_path)
    assert renderer.state().version == 1
    figures = drawn()
    assert figures
    suite.write_text(suite.read_text("utf-8").replace("Klein", "Small"), "utf-8")
    state = renderer.state()
    assert state.documents["en"][0].splitlines()[0] == "# Small"
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/text.en.yaml").write_text("section: {aim: Why}", "utf-8")
    state = renderer.state()
    assert "## 1. Why" in state.documents["en"][0]
    assert drawn() == figures
    (tmp_path / "templates/text.en.yaml").write_text("figure: {epoch: Round}", "utf-8")
    assert renderer.state().page("en") != state.page("en")
    assert drawn() > figures


def test_a_page_hears_of_the_newest_state_alone() -> None:
    """Whoever asks for what came after a version is told at once, and waits if there is nothing newer."""
    waiting = Preview(0)
    try:
        waiting.publish(State(3, error="wrong"))
        told = waiting.after(-1)
        assert told is not None
        assert (told["version"], told["error"], told["languages"]) == (3, "wrong", [])
        began = time.monotonic()
        threading.Timer(0.1, waiting.publish, [State(4)]).start()
        newer = waiting.after(3)
        assert newer is not None
        assert newer["version"] == 4
        assert time.monotonic() - began >= 0.1
    finally:
        waiting.server_close()
