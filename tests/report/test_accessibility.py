"""What validators say of a whole report: PDF/UA on paper; WCAG on a screen, on a phone and in the dark."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outloud
import pdfua
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PATIENCE
from playwright.sync_api import Browser, Page, sync_playwright

from reportgen.pipeline import Outcome

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")

BEYOND_US = {
    "FIG-010": "a formula's alternative text is its LaTeX source",
    "FIG-012": "the same",
    "ORD-001": "it takes pictures that stand side by side for disorder",
}
"""Warnings that stay, with the reason."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=1000 * PATIENCE
        )
        yield started
        started.close()


def opened(browser: Browser, folder: Path, language: str, *, width: int = 1200, dark: bool = False) -> Page:
    """Open a report in a window of that width."""
    page = browser.new_page(viewport={"width": width, "height": 850}, color_scheme="dark" if dark else "light")
    page.set_default_timeout(1000 * PATIENCE)
    page.goto((folder / f"report.{language}.html").as_uri())
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pdf_passes_the_machine_checks_of_pdf_ua(tiny_build: Outcome, language: str) -> None:
    """Neither validator finds an error or a warning, but those that are named above."""
    report = tiny_build.folder / f"report.{language}.pdf"
    assert pdfua.validate(report).findings == ()
    found = [
        str(finding)
        for finding in outloud.check(str(report)).findings
        if finding.severity != "info" and finding.rule not in BEYOND_US
    ]
    assert found == []


@in_browser
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)], ids=["desk", "phone, dark"])
def test_the_page_passes_axe(browser: Browser, tiny_build: Outcome, language: str, width: int, dark: bool) -> None:
    """Contrast, headings, names and keyboard access are as WCAG asks, in both colour schemes."""
    page = opened(browser, tiny_build.folder, language, width=width, dark=dark)
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []


@in_browser
def test_on_a_phone_tables_scroll_and_the_page_does_not(browser: Browser, tiny_build: Outcome) -> None:
    """At 390 pixels the page is no wider than the window; what is wider scrolls by itself."""
    page = opened(browser, tiny_build.folder, "en", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wider = page.evaluate(
        "[...document.querySelectorAll('.table')].filter(t => t.scrollWidth > t.clientWidth).length"
    )
    assert wider > 0


@in_browser
def test_a_figure_can_be_seen_large(browser: Browser, tiny_build: Outcome) -> None:
    """A click on a figure, or Enter, opens it as large as the window; Escape puts it back."""
    page = opened(browser, tiny_build.folder, "en", width=390)
    figure = page.locator("figure img").first
    before = figure.bounding_box()
    figure.press("Enter")
    large = page.locator("dialog img").bounding_box()
    assert before
    assert large
    assert large["width"] > 2 * before["width"]
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    figure.click()
    page.locator("dialog").click()
    page.locator("dialog").wait_for(state="detached")
