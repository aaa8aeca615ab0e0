"""What a command does not wait for: modules that it does not import, and what an earlier plan has worked out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TINY

from reportgen import pipeline
from reportgen.planning import plan
from reportgen.planning.plan import Action
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.tasks.classification import data as classification_data

_HEAVY = [
    "torch", "matplotlib", "weasyprint", "pandas", "scipy", "jinja2", "babel", "markdown_it",
    "fontTools", "ziamath", "numpy", "faker", "ray",
]  # fmt: skip
_TELL = f"""
import sys
from reportgen.cli.app import main
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
print([name for name in {_HEAVY} + ["pydantic", "ruamel.yaml", "rich.console"] if name in sys.modules])
"""


def imported(*arguments: object) -> list[str]:
    """Return which of the modules a command imports that take long."""
    command = [sys.executable, "-c", _TELL, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


@pytest.fixture
def built(tiny_build: pipeline.Outcome, tmp_path: Path) -> tuple[Path, Path]:
    """The tiny suite with its build, in a folder of its own: the suite file and the build folder."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    return Path(shutil.copy(TINY, tmp_path / "tiny.yaml")), tmp_path / "build"


def test_help_imports_nothing_but_typer() -> None:
    """`reportgen --help` imports neither pydantic nor a YAML reader nor rich, and nothing that is heavier."""
    assert imported("--help") == []


def test_a_plan_and_a_build_with_nothing_to_do_import_nothing_heavy(built: tuple[Path, Path]) -> None:
    """The second time neither a plan nor a build imports numpy, pandas, matplotlib, WeasyPrint or torch."""
    suite, folder = built
    shutil.rmtree(folder / ".cache")
    assert "numpy" in imported("plan", suite, "--build-dir", folder)  # the first time, it reads the data
    for command in ("plan", "build"):
        assert not set(imported(command, suite, "--build-dir", folder)) & set(_HEAVY)


def steps(suite: Path, folder: Path) -> list[tuple[str, Action, str]]:
    """Return key, action and reason of every run."""
    planned = pipeline.plan(pipeline.load(suite), Store(folder / "records"))
    return [(step.key, step.action, step.why) for step in planned.steps]


def test_a_plan_says_the_same_from_memory(built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second plan works out no key and reads no table, and says what the first one said."""
    first = steps(*built)
    monkeypatch.setattr(plan, "parts_of_key", None)
    monkeypatch.setattr(plan, "_parsed", None)
    assert steps(*built) == first
    assert {action for _, action, _ in first} == {Action.REUSE}


def test_a_damaged_memory_is_none(built: tuple[Path, Path]) -> None:
    """Whatever became of what a plan left, the next one says the same, and leaves it anew."""
    file = built[1] / ".cache" / "plan-tiny"
    file.unlink(missing_ok=True)  # other tests may have planned other suites of this name there
    first = steps(*built)
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole[:70], whole.replace(b"finished", b"finishes")):
        file.write_bytes(damaged)
        assert steps(*built) == first
        assert file.read_bytes() == whole


def test_a_record_that_is_damaged_is_not_taken_from_memory(built: tuple[Path, Path]) -> None:
    """What a plan remembers of a record holds for the whole record alone."""
    key, *_ = steps(*built)[0]
    file = built[1] / "records" / key / "epochs.csv"
    file.write_bytes(file.read_bytes()[:-1])
    (_, action, why), *others = steps(*built)
    assert (action, why) == (Action.TRAIN, "its record is damaged: epochs.csv is not what MANIFEST.json says")
    assert {action for _, action, _ in others} == {Action.REUSE}


def test_a_file_of_data_that_changes_changes_the_key(tmp_path: Path) -> None:
    """A remembered key is that of the file's content, even if size and time of the file are the same."""
    data = tmp_path / "texts.csv"
    rows = "".join(f"word{number} and more,{'ab'[number % 2]}\n" for number in range(40))
    data.write_text(f"text,label\n{rows}", "utf-8")
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "title: T\ndata: {source: csv, file: texts.csv}\nruns: [{name: rnn, model: {cell: rnn}}]\nseeds: [0]\n",
        "utf-8",
    )
    (tmp_path / "build").mkdir()
    before, again = (steps(suite, tmp_path / "build") for _ in range(2))
    stat = data.stat()
    data.write_text(data.read_text("utf-8").replace("word7", "word9"), "utf-8")
    os.utime(data, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    classification_data.prepare.cache_clear()  # as in another process
    assert before == again
    assert steps(suite, tmp_path / "build")[0][0] != before[0][0]


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path) -> None:
    """An entry that cannot be written is absent, and nobody is bothered."""
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "folder")
    cache.put("name", b"content")
    assert cache.get("name") is None
    cache = Cache(tmp_path / "folder")
    cache.put("name", b"a\nb")
    assert cache.get("name") == b"a\nb"
    assert [file.name for file in cache.files()] == ["name"]
