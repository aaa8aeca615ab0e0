"""Records at rest are whole or absent."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.storage.records import Store

FILES = {"record.json": b'{"status": "finished"}', "epochs.csv": b"epoch,loss\n1,0.5\n", "n": b"\x00\xff"}
MANIFEST = "MANIFEST.json"

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in (".", "..", MANIFEST))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one record, `key`."""
    written = Store(tmp_path / "records")
    written.write("key", FILES)
    return written


def contents(store: Store) -> list[str]:
    """Return what lies in the store's folder, hidden or not."""
    return sorted(path.name for path in store.folder.iterdir())


@settings(deadline=None)
@given(files=st.dictionaries(names, st.binary(max_size=200), min_size=1, max_size=5))
def test_what_was_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    """Any files come back byte for byte under their names."""
    store = Store(tmp_path_factory.mktemp("store"))
    store.write("0123", files)
    assert store.read("0123") == files
    assert list(store.keys()) == ["0123"]


def test_an_empty_store_has_no_keys_and_no_records(tmp_path: Path) -> None:
    """A store whose folder does not exist yet is empty, and asking does not make it."""
    store = Store(tmp_path / "records")
    assert (list(store.keys()), store.read("key"), store.digest("key")) == ([], None, "")
    assert not store.folder.exists()


def test_keys_are_those_of_all_records(store: Store) -> None:
    """Each record is listed once, and locks are no records."""
    store.write("other", FILES)
    with store.lock("third"):
        assert sorted(store.keys()) == ["key", "other"]


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_flipped_bit_anywhere_makes_a_record_absent(store: Store, name: str) -> None:
    """Whichever bit of whichever file is flipped, nothing is read."""
    file = store.folder / "key" / name
    whole = file.read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        assert store.read("key") is None, bit
    file.write_bytes(whole)
    assert store.read("key") == FILES


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_makes_a_record_absent(store: Store, name: str) -> None:
    """A record without one of its files is none."""
    (store.folder / "key" / name).unlink()
    assert store.read("key") is None


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_file_cut_short_makes_a_record_absent(store: Store, name: str) -> None:
    """However many bytes are left of a file, the record is not read."""
    file = store.folder / "key" / name
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert store.read("key") is None, length


@pytest.mark.parametrize("text", ["null", "5", "[1, 2]", '[["a"]]', '[[1, "b"]]', '"text"', '{".": "b"}'])
def test_a_manifest_that_is_something_else_makes_a_record_absent(store: Store, text: str) -> None:
    """JSON that is no list of digests is not read, and is no reason to stop."""
    (store.folder / "key" / MANIFEST).write_text(text)
    assert store.read("key") is None


@pytest.mark.parametrize("complete", [False, True])
def test_what_a_killed_writer_left_is_no_record(store: Store, complete: bool) -> None:
    """A temporary folder is not listed, not read as its key, and not in the way, even with a manifest in it."""
    left = store.folder / ".other.0123"
    left.mkdir()
    for name, content in FILES.items():
        (left / name).write_bytes(content)
    if complete:
        (left / MANIFEST).write_bytes((store.folder / "key" / MANIFEST).read_bytes())
    assert list(store.keys()) == ["key"]
    assert store.read("other") is None
    store.write("other", FILES)
    assert store.read("other") == FILES


_KILLED_AT_EVERY_LINE = """
import os, signal, sys
from itertools import count
from pathlib import Path
from reportgen.storage import records as module

store, old = module.Store(Path(sys.argv[1])), {"a": b"old", "b": b"old"}
new = {"a": b"new", "b": b"new", "c": b"new"}

def write_and_die(line):
    lines = count(1)
    def trace(frame, event, _):
        if frame.f_code.co_filename == module.__file__:
            if event == "line" and next(lines) == line:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace
    sys.settrace(trace)
    store.write("key", new)
    os._exit(0)

for line in count(1):
    store.write("key", old)
    child = os.fork() or write_and_die(line)
    _, status = os.waitpid(child, 0)
    found = store.read("key")
    assert found in (old, new, None), (line, found)
    left = [path.name for path in store.folder.iterdir() if path.name.startswith(".")]
    store.remove_unfinished()
    assert store.read("key") == found, line
    assert not [path.name for path in store.folder.iterdir() if path.name.startswith(".")], line
    print({None: "absent", b"old": "old", b"new": "new"}[found and found["a"]], len(left))
    if status == 0:
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_writer_killed_at_any_line_leaves_a_record_whole_or_absent(tmp_path: Path) -> None:
    """With kill -9 at each line in turn, the old record or the new one is whole, and the rest can be removed."""
    command = [sys.executable, "-c", _KILLED_AT_EVERY_LINE, str(tmp_path / "records")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    states = [state for state, _ in found]
    assert list(dict.fromkeys(states)) == ["old", "absent", "new"]
    assert states.count("absent") <= 2, "between two renames, and nowhere else"
    assert {int(left) for _, left in found} >= {0, 1, 2}


def test_what_a_killed_writer_left_is_removed_and_nothing_else(store: Store) -> None:
    """Its folders go; records, locks of records, and what a living writer is at stay."""
    dead, alive = f".other.{'0' * 32}", f".other.{'1' * 32}"
    for name in (dead, f"{dead}.old", alive, ".notes"):
        (store.folder / name).mkdir()
        (store.folder / name / "epochs.csv").write_bytes(b"epoch")
    with store.lock("key"), FileLock(store.folder / f"{alive}.lock"):
        store.remove_unfinished()
        assert contents(store) == [".key.lock", ".notes", alive, f"{alive}.lock", "key"]
    store.remove_unfinished()
    assert alive not in contents(store)
    assert store.read("key") == FILES


def test_a_store_that_is_not_there_has_nothing_to_remove(tmp_path: Path) -> None:
    """Asking a store without a folder does not make the folder."""
    Store(tmp_path / "records").remove_unfinished()
    assert not (tmp_path / "records").exists()


def test_writing_again_replaces_the_whole_record(store: Store) -> None:
    """No file of the old record stays behind, and nothing else is left in the folder."""
    store.write("key", {"only.txt": b"new"})
    assert store.read("key") == {"only.txt": b"new"}
    assert sorted(path.name for path in (store.folder / "key").iterdir()) == [MANIFEST, "only.txt"]
    assert contents(store) == ["key"]


@pytest.mark.parametrize("bad", [{"no/such/folder": b""}, {"x" * 300: b""}, {"a": "text, not bytes"}])
def test_a_write_that_fails_leaves_the_old_record(store: Store, bad: dict[str, bytes]) -> None:
    """The old record is as it was, and no temporary folder stays behind."""
    before = store.digest("key")
    with pytest.raises((OSError, TypeError)):
        store.write("key", {"first": b"is written well", **bad})
    assert store.read("key") == FILES
    assert store.digest("key") == before
    assert contents(store) == ["key"]


def test_a_digest_follows_the_content(store: Store) -> None:
    """The same files have the same digest, under any key; one other byte, or another name, has another."""
    first = store.digest("key")
    store.write("same", FILES)
    store.write("byte", {**FILES, "n": b"\x00\xfe"})
    store.write("name", {"m" if name == "n" else name: content for name, content in FILES.items()})
    assert len(first) == 64
    assert store.digest("same") == first
    assert len({first, store.digest("byte"), store.digest("name")}) == 3


def test_a_digest_is_of_what_was_written_not_of_what_is_left(store: Store) -> None:
    """Damage to a file does not change the digest: reading finds it, the digest names the record."""
    before = store.digest("key")
    (store.folder / "key" / "n").write_bytes(b"damaged")
    assert store.digest("key") == before


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(("umask", "folder", "file"), [(0o022, 0o755, 0o644), (0o027, 0o750, 0o640)])
def test_others_may_read_what_the_umask_allows(tmp_path: Path, umask: int, folder: int, file: int) -> None:
    """A build folder that a group shares can be read by the group."""
    before = os.umask(umask)
    try:
        Store(tmp_path).write("key", FILES)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == folder
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "key").iterdir()} == {file}


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    """A second holder has to wait; another key is another lock; afterwards it is free."""
    with store.lock("key"):
        with pytest.raises(Timeout):
            store.lock("key").acquire(timeout=0.01)
        with store.lock("other") as other:
            assert other.lock_counter == 1
    with store.lock("key") as lock:
        assert lock.lock_counter == 1
