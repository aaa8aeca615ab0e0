"""Archives, arrays and weights from elsewhere: nothing of them is run, and nothing leaves its place."""

import ast
import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from archives import LIMITS, member, tar

import reportgen
from reportgen.data_files.fetching import ArchiveError, plain_files
from reportgen.errors import ReportgenError
from reportgen.lab.data import corpora
from reportgen.lab.record import Record, from_files, to_files
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.planning import plan
from reportgen.storage.records import Store

SOURCES = sorted(Path(reportgen.__file__).parent.rglob("*.py"))


def read(archive: bytes) -> dict[str, bytes]:
    """Return all plain files of an archive."""
    return dict(plain_files(io.BytesIO(archive), lambda name: name != "unwanted", LIMITS))


def test_links_devices_and_folders_are_passed_over() -> None:
    """Of an archive only plain files are read, whatever else has the name that is wanted."""
    archive = tar(
        member("link", b"", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", b"", tarfile.LNKTYPE, "good"),
        member("device", b"", tarfile.CHRTYPE),
        member("block", b"", tarfile.BLKTYPE),
        member("pipe", b"", tarfile.FIFOTYPE),
        member("folder", b"", tarfile.DIRTYPE),
        member("good", b"content"),
    )
    assert read(archive) == {"good": b"content"}


def test_names_that_lead_elsewhere_write_nothing(tmp_path: Path) -> None:
    """Reviews with `..`, an absolute path or a folder too many in their names are not unpacked."""
    names = ["../x.txt", "/x.txt", "aclImdb/train/pos/../../../x.txt", "aclImdb/train/pos/a/x.txt", "C:\\x.txt"]
    file = tmp_path / "a.tar.gz"
    file.write_bytes(tar(*map(member, names), member("aclImdb/train/pos/1_9.txt")))
    (tmp_path / "to").mkdir()
    with pytest.raises(ReportgenError, match="got 1 reviews in the archive, expected 50,000"):
        corpora._unpack(corpora.IMDB, file, tmp_path / "to")
    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.txt")]
    assert found == ["to/aclImdb/train/pos/1_9.txt"]


def sparse() -> bytes:
    """Return an archive of one file that says it has ten gigabytes, all of them zeros that are not there."""
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {"GNU.sparse.size": str(10 * 10**9), "GNU.sparse.map": f"{10 * 10**9},0"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    return stream.getvalue()


def zeros(size: int) -> bytes:
    """Return a .tar.gz of a file of zeros, packed piece by piece; nobody has asked for that file."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as out:
        info = tarfile.TarInfo("unwanted")
        info.size = size
        out.write(info.tobuf())
        piece = bytes(1 << 20)
        for _ in range(0, size, len(piece)):
            out.write(piece)
    return stream.getvalue()


def test_a_sparse_file_is_passed_over() -> None:
    """A file of ten gigabytes that takes no room in its archive is not made."""
    assert read(sparse()) == {}


@pytest.mark.parametrize(("archive", "message"), [
    (tar(member("a", b"x" * 1001)), "got 1,001 bytes of 'a', expected at most 1,000"),
    (tar(*(member(f"{i}") for i in range(21))), "got an archive of more than 20 members"),
    (tar(*[member("x", b"", tarfile.SYMTYPE, "y")] * 21), "got an archive of more than 20 members"),
    (zeros(50 << 20), "got an archive that unpacks to more than 100,000 bytes"),
    (tar(member("a" * 200_000)), "got an archive that unpacks to more than 100,000 bytes"),
], ids=["file", "members", "links", "zeros", "name"])  # fmt: skip
def test_an_archive_that_grows_is_refused(archive: bytes, message: str) -> None:
    """A small archive that unpacks to much, or to many files, is given up when that shows."""
    with pytest.raises(ArchiveError) as caught:
        read(archive)
    assert str(caught.value) == message


def called(tree: ast.AST) -> list[tuple[str, dict[str, object]]]:
    """Return what a module calls, by its dotted name, with the arguments by name that are constants."""
    return [
        (ast.unparse(node.func), {k.arg or "": getattr(k.value, "value", None) for k in node.keywords})
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_nothing_is_read_by_way_of_pickle(file: Path) -> None:
    """Arrays are loaded with allow_pickle=False, weights with weights_only=True, and no module reads pickles."""
    tree = ast.parse(file.read_text("utf-8"))
    for name, given in called(tree):
        if name in ("np.load", "numpy.load", "np.lib.format.write_array", "np.lib.format.read_array"):
            assert given.get("allow_pickle") is False, name
        if name == "torch.load":
            assert given.get("weights_only") is True
        assert name not in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"), name
        assert not given.get("shell"), name
        assert name.split(".")[-1] not in ("extractall", "read_pickle", "unpack_archive"), name
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}


class Evil:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.place,)


RECORD = Record("k", {}, {}, 0, "finished", "", {}, {}, {}, "2026-11-21", 1.0, predictions={"loss": np.ones(3)})


def npz(**files: bytes) -> bytes:
    """Return an archive of arrays as they lie on disk."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def header(description: str) -> bytes:
    """Return the head of an array's file."""
    text = description.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def objects(place: Path) -> bytes:
    """Return an array of objects, which numpy keeps as a pickle."""
    stream = io.BytesIO()
    np.save(stream, np.array([Evil(place)], dtype=object), allow_pickle=True)
    return stream.getvalue()


def test_a_pickle_in_a_record_is_refused(tmp_path: Path) -> None:
    """Pickles, arrays of objects and sizes that no memory has make a record that is trained anew."""
    place = tmp_path / "ran"
    bad = {
        "objects": npz(loss=objects(place)),
        "pickle": pickle.dumps(Evil(place)),
        "pickle within": npz(loss=pickle.dumps(Evil(place))),
        "size": npz(loss=header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }")),
        "header": npz(loss=header("{'descr': __import__('os').system('true'), 'shape': ()}")),
        "zeros": npz(loss=bytes(5 << 20)),
        "no zip": b"PK\x03\x04",
    }
    store = Store(tmp_path / "records")
    files = to_files(RECORD)
    assert from_files(files).predictions["loss"].tolist() == [1, 1, 1]
    for name, content in bad.items():
        store.write("k", {**files, "predictions.npz": content})
        assert store.read("k") is not None
        assert plan.read(store, "k") is None, name
    for content in (b"[" * 100_000, b"[]", b"null", b"{}", b'{"layout": 2}'):
        store.write("k", {**files, "record.json": content})
        assert plan.read(store, "k") is None
    assert not place.exists()


def test_a_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    """A manifest that names a file outside its record is none, though the digest be right."""
    store = Store(tmp_path / "records")
    store.write("k", to_files(RECORD))
    (tmp_path / "secret").write_text("secret", "utf-8")
    manifest = tmp_path / "records" / "k" / "MANIFEST.json"
    digests = json.loads(manifest.read_text())
    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    manifest.write_text(json.dumps({**digests, "../../secret": digest}))
    assert store.read("k") is None


def test_a_pickle_for_a_checkpoint_is_refused(tmp_path: Path) -> None:
    """A checkpoint that would run something is as good as none."""
    place = tmp_path / "ran"
    (tmp_path / "checkpoint").write_bytes(pickle.dumps(Evil(place)))
    assert Checkpoint(tmp_path / "checkpoint").load() is None
    import torch

    torch.save({"model": Evil(place)}, tmp_path / "checkpoint")
    assert Checkpoint(tmp_path / "checkpoint").load() is None
    assert not place.exists()
