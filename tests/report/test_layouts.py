"""Records of another version's layout are read, trained anew or refused, and never misread."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import TINY, Command

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.lab.record import LAYOUT
from reportgen.storage.records import Store


@pytest.fixture
def lab(tiny_build: pipeline.Outcome, tmp_path: Path) -> Path:
    """The tiny suite and its build, in a folder of their own."""
    shutil.copy(TINY, tmp_path / "tiny.yaml")
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    return tmp_path


def planned(lab: Path) -> dict[str, tuple[str, str]]:
    """Return what is planned for each run, and why."""
    steps = pipeline.plan(pipeline.load(lab / "tiny.yaml"), Store(lab / "build" / "records")).steps
    return {step.key: (step.action.value, step.why) for step in steps}


def rewritten(lab: Path, layout: object) -> str:
    """Write one record as a version with another layout would have; return its key."""
    store = Store(lab / "build" / "records")
    key = min(store.keys())
    files = store.read(key) or {}
    plain = json.loads(files["record.json"])
    plain["layout"] = layout
    if layout != LAYOUT:  # a layout is another because names or meanings are
        plain["errors"] = [plain.pop("error")]
    store.write(key, {**files, "record.json": json.dumps(plain).encode()})
    return key


def test_a_record_of_the_same_layout_is_read(lab: Path) -> None:
    """Written anew as it was, it is used as before."""
    assert planned(lab)[rewritten(lab, LAYOUT)][0] == "reuse"


@pytest.mark.parametrize("layout", [1, 0, None, "2"])
def test_an_older_record_is_trained_anew_and_that_is_said(lab: Path, layout: object) -> None:
    """The plan names both layouts; the runs beside it are reused."""
    key = rewritten(lab, layout)
    found = planned(lab)
    told = layout if isinstance(layout, int) else None
    assert found.pop(key) == ("train", f"its record has layout {told}, and this version reads layout {LAYOUT}")
    assert {action for action, _ in found.values()} == {"reuse"}


def test_a_newer_record_is_refused(reportgen: Command, lab: Path) -> None:
    """It is not overwritten: whoever has the newer version may need it."""
    key = rewritten(lab, LAYOUT + 1)
    before = (lab / "build" / "records" / key / "record.json").read_bytes()
    message = f"got a record of layout {LAYOUT + 1}, expected {LAYOUT}; a newer reportgen wrote it"
    with pytest.raises(ReportgenError, match=message):
        planned(lab)
    done = reportgen("build", "tiny.yaml")
    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    assert (lab / "build" / "records" / key / "record.json").read_bytes() == before


@pytest.mark.parametrize("manifest", [{"version": 2, "files": {}}, {"files": {"record.json": "0" * 64}}, []])
def test_a_list_of_files_in_another_form_is_not_misread(lab: Path, manifest: object) -> None:
    """A store whose manifests are of another version has no record here that could be taken for one."""
    store = Store(lab / "build" / "records")
    key = min(store.keys())
    (store.folder / key / "MANIFEST.json").write_text(json.dumps(manifest))
    action, why = planned(lab)[key]
    assert action == "train"
    assert why.startswith("its record ")
