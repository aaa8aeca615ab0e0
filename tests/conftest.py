"""What the tests share: golden files, a tiny suite that is really trained, and the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reportgen import pipeline
from reportgen.figures.style import drawing
from reportgen.i18n.languages import load_languages
from reportgen.planning import plan
from reportgen.resources import TEMPLATES

GOLDEN = Path(__file__).parent / "golden"
TINY = GOLDEN / "tiny.yaml"

PATIENCE = 600.0
"""Seconds on the clock that a test waits for another process: only so that it ends at all, on a busy machine."""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the secret that seals caches out of the user's own state folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, or write it with --update-golden."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8"), f"{name} differs; if that is right: pytest --update-golden"

    return compare


def made_up_facts(classes: Sequence[str], source: str = "surnames") -> dict[str, Any]:
    """Return facts of data with a hundred examples of each class, and nothing that a check would find."""
    counts = {"train": 70, "validation": 10, "test": 20}
    return {
        "source": source, "digest": "d", "classes": list(classes), "majority_accuracy": 0.5, "repeated": 0,
        "naive_bayes_accuracy": 0.1, "counts": {part: [count] * len(classes) for part, count in counts.items()},
    }  # fmt: skip


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file of more bytes: a write fails as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def golden_files(step: plan.Step) -> dict[str, bytes]:
    """Return the files of a run's golden record, as if it had been trained with the code and data of now."""
    folder = GOLDEN / "records" / step.run.name.replace("/", "-")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    plain = json.loads(files["record.json"]) | {"key": step.key, "parts": plan.parts_of_key(step.run)}
    return {**files, "record.json": json.dumps(plain, ensure_ascii=False, indent=1).encode()}


def build(suite: Path, folder: Path, **options: object) -> pipeline.Outcome:
    """Build a suite without a display."""
    chosen = pipeline.Options(build=folder, **options)  # type: ignore[arg-type]  # passed on as they are
    return pipeline.build(suite, chosen, lambda _: None, lambda _: None)


@pytest.fixture(scope="session")
def tiny_build(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Outcome:
    """The tiny suite, trained and typeset once for all tests that only read."""
    return build(TINY, tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def reportgen(tmp_path: Path) -> Command:
    """Run the command line in a folder of its own."""

    def run(*arguments: object, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reportgen", *map(str, arguments)]
        environment = {**os.environ, "COLUMNS": "100"}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def fonts_of_reports() -> Iterator[None]:
    """Draw with fonts that have every character of the catalogues."""
    said = [language.messages.values() for language in load_languages(["zh", "en"], [TEMPLATES])]
    with drawing("".join(str(message) for messages in said for message in messages), "en"):
        yield
