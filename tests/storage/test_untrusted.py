"""A build folder that a stranger sent: no link in it is followed, and nothing in it is believed unseen."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TINY, Command, build

from reportgen import pipeline
from reportgen.planning import plan
from reportgen.planning.output import CACHE
from reportgen.planning.plan import Action
from reportgen.storage import secret
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.storage.untrusted import LinkError, UntrustedFolder

PRECIOUS = b"precious"


@pytest.fixture
def folder(tmp_path: Path) -> UntrustedFolder:
    """A folder beside a file and a folder that no write may reach."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "precious").write_bytes(PRECIOUS)
    made = UntrustedFolder(tmp_path / "build")
    made.write("sub/file", b"content")
    return made


def outside(folder: UntrustedFolder) -> Path:
    """Return the folder that links lead to."""
    return folder.path.parent / "else"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "..", "../else/precious", "sub/../../else/precious", "a\0b"])
def test_a_name_stays_below_the_folder(folder: UntrustedFolder, name: str) -> None:
    """Whatever is asked of a name that leads out is refused."""
    asked: list[Callable[[], object]] = [
        lambda: folder.read(name), lambda: folder.write(name, b""), lambda: folder.create(name, b""),
        lambda: folder.stat(name), lambda: folder.rename("sub", name), lambda: folder.lock(name),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(LinkError, match="expected one of a file below it"):
            ask()
    assert folder.read("sub/file") == b"content"


def test_a_link_for_a_file_is_replaced_and_not_read(folder: UntrustedFolder) -> None:
    """What it leads to stays as it is, be the link symbolic or hard, and whole or broken."""
    target = outside(folder) / "precious"
    (folder.path / "soft").symlink_to(target)
    (folder.path / "broken").symlink_to(outside(folder) / "new")
    (folder.path / ".soft.new").symlink_to(target)
    os.link(target, folder.path / "hard")
    for name in ("soft", "broken"):
        with pytest.raises(LinkError, match="got a link, expected a file"):
            folder.read(name)
    for name in ("soft", "broken", "hard"):
        folder.write(name, b"ours")
        assert folder.read(name) == b"ours"
    assert target.read_bytes() == PRECIOUS
    assert [file.name for file in outside(folder).iterdir()] == ["precious"]


def test_a_link_for_a_folder_is_refused(folder: UntrustedFolder) -> None:
    """Neither the folder itself nor one below it may be a link; nothing is read or written beyond."""
    (folder.path / "figures").symlink_to(outside(folder))
    linked = UntrustedFolder(folder.path.parent / "linked")
    linked.path.symlink_to(outside(folder))
    for asked, name in ((folder, "figures/precious"), (linked, "precious")):
        with pytest.raises(LinkError, match="got a link, expected a folder"):
            asked.read(name)
        with pytest.raises(LinkError, match="got a link, expected a folder"):
            asked.write(name, b"ours")
        with pytest.raises(LinkError, match="got a link, expected a folder"):
            asked.remove(name)
    folder.remove_tree("figures")
    assert (outside(folder) / "precious").read_bytes() == PRECIOUS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_is_not_waited_for(folder: UntrustedFolder) -> None:
    """A pipe where a file belongs is refused at once, and gives way to a file or a lock."""
    os.mkfifo(folder.path / "pipe")
    with pytest.raises(LinkError, match="got a pipe or a device, expected a file"):
        folder.read("pipe")
    with folder.lock("pipe"):
        assert folder.is_file("pipe")


@pytest.mark.parametrize("soft", [True, False])
def test_a_lock_gives_no_way_out(folder: UntrustedFolder, soft: bool) -> None:
    """A lock that is a link to a file elsewhere is made anew; that file is neither changed nor locked."""
    target, place = outside(folder) / "precious", folder.path / ".lock"
    place.symlink_to(target) if soft else os.link(target, place)
    with folder.lock(".lock"):
        assert not place.samefile(target)
    assert target.read_bytes() == PRECIOUS


def handed_in(tiny_build: pipeline.Outcome, place: Path) -> Path:
    """Return a suite with the build that its author sent along."""
    shutil.copy(TINY, place / "tiny.yaml")
    shutil.copytree(tiny_build.folder.parent, place / "build")
    return place / "tiny.yaml"


def changed(suite: Path) -> Path:
    """Give the suite another title, so that its report is written anew."""
    suite.write_text(suite.read_text("utf-8").replace("A tiny suite", "Another tiny suite"), "utf-8")
    return suite


@pytest.mark.parametrize(
    "name",
    ["results.json", "manifest.json", ".stamp.json", "report.en.md", "tables/runs.csv", "figures/curves.en.svg"],
)
def test_links_in_the_place_of_reports_are_replaced(
    tiny_build: pipeline.Outcome, tmp_path: Path, name: str
) -> None:
    """A build writes its own file there, and what the link led to stays."""
    suite = handed_in(tiny_build, tmp_path)
    (tmp_path / "precious").write_bytes(PRECIOUS)
    place = tmp_path / "build" / "tiny" / name
    place.unlink(missing_ok=True)
    place.symlink_to(tmp_path / "precious")
    done = build(suite, tmp_path / "build", formats=("md",))
    assert not done.up_to_date
    assert (tmp_path / "precious").read_bytes() == PRECIOUS
    assert name == "figures/curves.en.svg" or not place.is_symlink()


@pytest.mark.parametrize("name", ["", "records", CACHE, "tiny", "tiny/tables", "tiny/figures"])
def test_links_in_the_place_of_folders_are_refused(
    tiny_build: pipeline.Outcome, tmp_path: Path, reportgen: Command, name: str
) -> None:
    """One message says which, before anything is trained or written; nothing beyond the link is touched."""
    suite = handed_in(tiny_build, tmp_path)
    place = tmp_path / "build" / name
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "elsewhere").rglob("*")}
    done = reportgen("build", suite, "--build-dir", tmp_path / "build", "--format", "md")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{place}: got a link, expected a folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "elsewhere").rglob("*")} == before


def test_records_that_were_renamed_onto_each_other_are_trained_anew(
    tiny_build: pipeline.Outcome, tmp_path: Path
) -> None:
    """A record under another run's key is no record of that run, also where a plan remembers both."""
    suite = handed_in(tiny_build, tmp_path)
    store = Store(tmp_path / "build" / "records")
    loaded = pipeline.load(suite)
    one, other, *rest = (step.key for step in pipeline.plan(loaded, store).steps)
    for old, new in ((one, "x"), (other, one), ("x", other)):
        (store.folder / old).rename(store.folder / new)
    steps = {step.key: step for step in pipeline.plan(loaded, store).steps}
    assert [steps[key].action for key in (one, other)] == [Action.TRAIN, Action.TRAIN]
    assert steps[one].why == f"its record is another run's: it has the key {other}"
    assert steps[other].why == f"its record is another run's: it has the key {one}"
    assert {steps[key].action for key in rest} <= {Action.REUSE}
    assert plan.read(store, one) is None


def test_a_record_that_is_reached_through_a_link_is_none(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """A record's folder or file that is a link is told as such, and its run is trained anew."""
    suite = handed_in(tiny_build, tmp_path)
    store = Store(tmp_path / "build" / "records")
    loaded = pipeline.load(suite)
    one, other, *_ = (step.key for step in pipeline.plan(loaded, store).steps)
    (store.folder / one).rename(tmp_path / "folder")
    (store.folder / one).symlink_to(tmp_path / "folder")
    (store.folder / other / "epochs.csv").rename(tmp_path / "epochs.csv")
    (store.folder / other / "epochs.csv").symlink_to(tmp_path / "epochs.csv")
    why = {step.key: step.why for step in pipeline.plan(loaded, store).steps}
    assert f"{store.folder / one}: got a link, expected a folder" in why[one]
    assert f"{store.folder / other / 'epochs.csv'}: got a link, expected a file" in why[other]


def test_what_another_machine_has_kept_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry is taken only under its own name and with the secret that it was sealed with."""
    cache = Cache(tmp_path / "cache")
    cache.put("a.svg", b"<svg/>")
    shutil.copy(tmp_path / "cache" / "a.svg", tmp_path / "cache" / "b.svg")
    assert (cache.get("a.svg"), cache.get("b.svg")) == (b"<svg/>", None)
    monkeypatch.setattr(secret, "machine_secret", lambda: b"another machine's")
    assert cache.get("a.svg") is None


@pytest.mark.slow
def test_poisoned_drawings_come_into_no_report(tiny_build: pipeline.Outcome, tmp_path: Path) -> None:
    """Entries with a digest that anybody could make are drawn anew: figures, formulas, plans."""
    import hashlib

    suite = changed(handed_in(tiny_build, tmp_path))
    for file in (tmp_path / "build" / CACHE).iterdir():
        content = file.read_bytes().partition(b"\n")[2].replace(b"</svg>", b"<text>POISON</text></svg>")
        file.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    done = build(suite, tmp_path / "build", formats=("html",))
    assert not done.up_to_date
    figures = list((done.folder / "figures").iterdir())
    assert figures
    assert not [file for file in figures if b"POISON" in file.read_bytes()]


def test_reports_that_a_stranger_calls_up_to_date_are_written_anew(
    tiny_build: pipeline.Outcome, tmp_path: Path
) -> None:
    """A mark with the digests of other reports is no mark: it has not this machine's seal."""
    import hashlib

    suite = handed_in(tiny_build, tmp_path)
    assert build(suite, tmp_path / "build").up_to_date
    report, stamp = (tmp_path / "build" / "tiny" / name for name in ("report.en.md", ".stamp.json"))
    whole = report.read_bytes()
    report.write_bytes(whole.replace(b"RNN", b"CNN"))
    written = json.loads(stamp.read_bytes())
    written["written"]["report.en.md"] = hashlib.sha256(report.read_bytes()).hexdigest()
    stamp.write_text(json.dumps(written))
    assert not build(suite, tmp_path / "build").up_to_date
    assert report.read_bytes() == whole


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_secret_is_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once, with mode 0600; one that others could read, or that is too short, is made anew."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = secret.machine_secret.__wrapped__()
    file = tmp_path / "reportgen" / "secret"
    assert (len(made), stat.S_IMODE(file.stat().st_mode)) == (32, 0o600)
    assert secret.machine_secret.__wrapped__() == made
    file.chmod(0o644)
    other = secret.machine_secret.__wrapped__()
    assert other != made
    file.write_bytes(b"short")
    assert secret.machine_secret.__wrapped__() not in (made, other, b"short")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_place_for_the_secret_nothing_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state folder that cannot be made costs time, and no build."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    one, other = (secret.machine_secret.__wrapped__() for _ in range(2))
    assert len(one) == len(other) == 32
    assert one != other


def test_a_manifest_names_no_file_elsewhere(
    tiny_build: pipeline.Outcome, tmp_path: Path, reportgen: Command
) -> None:
    """`verify` refuses a manifest whose files or records lie outside the build."""
    shutil.copytree(tiny_build.folder.parent, tmp_path / "build")
    file = tmp_path / "build" / "tiny" / "manifest.json"
    whole = json.loads(file.read_bytes())
    run = next(iter(whole["records"]))
    for change in (
        {"files": {"../../precious": "0" * 64}},
        {"files": {"/etc/passwd": "0" * 64}},
        {"records": {run: {**whole["records"][run], "key": "../tiny"}}},
    ):
        file.write_text(json.dumps({**whole, **change}))
        done = reportgen("verify", file.parent)
        assert done.returncode == 2
        assert "expected one" in done.stderr
        assert "Traceback" not in done.stderr
