"""The reports of the tiny suite, to the letter, from records that were really trained.

The records lie in tests/golden/records, so that the numbers do not depend on the machine; `pytest
--update-golden` trains them anew.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import GOLDEN, TINY, build

from reportgen import pipeline
from reportgen.i18n import languages
from reportgen.i18n.origins import unmarked
from reportgen.lab.record import from_files
from reportgen.planning.load import Loaded
from reportgen.storage.records import Store
from reportgen.suite.expansion import Run, file_name, runs_of
from reportgen.tasks.classification.results import Results

RECORDS = GOLDEN / "records"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """The tiny suite."""
    return pipeline.load(TINY)


@pytest.fixture(scope="module")
def results(loaded: Loaded, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The golden records, gathered."""
    from reportgen.tasks.classification.results import collect

    if request.config.getoption("--update-golden"):
        _train_anew(loaded, tmp_path_factory.mktemp("golden"))
    return collect([(run, from_files(_files(run))) for run in runs_of(loaded.suite, "cpu")])


def _files(run: Run) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (RECORDS / file_name(run.name)).iterdir()}


def _train_anew(loaded: Loaded, folder: Path) -> None:
    build(TINY, folder)
    store = Store(folder / "records")
    shutil.rmtree(RECORDS, ignore_errors=True)
    for step in pipeline.plan(loaded, store).steps:
        place = RECORDS / file_name(step.run.name)
        place.mkdir(parents=True)
        for name, content in (store.read(step.key) or {}).items():
            (place / name).write_bytes(content)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_report_is_the_golden_one(
    code: str, loaded: Loaded, results: Results, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    """The same records give the same Markdown, to the letter."""
    (language,) = languages.load_languages([code], loaded.template_folders)
    findings = pipeline.analyse(results, loaded.claims)
    figures = pipeline.draw(results, findings, [language], tmp_path)[language.code]
    text = unmarked(pipeline.write(loaded, results, findings, {code: figures})[code])
    golden(f"report.{code}.md", text)


def test_the_numbers_are_the_golden_ones(
    loaded: Loaded, results: Results, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    """The same records give the same results.json, to the letter."""
    pipeline.numbers(results, pipeline.analyse(results, loaded.claims), tmp_path, loaded.suite)
    golden("results.json", (tmp_path / "results.json").read_text("utf-8"))
