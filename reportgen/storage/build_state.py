"""A mark beside the reports: what they were made from, and the files that were written.

It lets a build tell that it has nothing to do, which old files are its own, and which reports were edited. It is
sealed with the secret of the machine: reports that a stranger says are up to date are written anew.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

from reportgen.lab.user_source import UserClass, user_code_digest
from reportgen.storage.fingerprints import source_digest, version_of
from reportgen.storage.records import Store
from reportgen.storage.secret import is_sealed, seal
from reportgen.storage.untrusted import UntrustedFolder
from reportgen.suite.schema import Suite

_FILE = ".stamp.json"
_TYPESETTERS = (
    "weasyprint", "pydyf", "pyphen", "fonttools", "uharfbuzz", "font-source-sans-pro", "noto-cjk-sans-otc",
    "matplotlib", "markdown-it-py", "mdit-py-plugins", "ziamath", "ziafont", "jinja2", "babel", "pandas", "numpy",
    "scipy",
)  # fmt: skip


def of(
    suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store, beside: Sequence[Path] = ()
) -> str:
    """Digest all that a report is made from: suite, files beside it, records, templates, and the programs."""
    digest = hashlib.sha256()
    for line in chain(
        _ingredients(suite, templates, keys, store), (f"{f.name} {_digest(f.read_bytes())}" for f in beside)
    ):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()


def matches(folder: Path, mark: str) -> bool:
    """Tell whether the files in `folder` were made from what `mark` stands for, and are as they were made."""
    stamp = _read(folder)
    written = _written(folder)
    files = UntrustedFolder(folder)
    return (
        bool(written and stamp.get("mark") == mark)
        and is_sealed(str(stamp.get("seal")), *_sealed(mark, written))
        and all(_digest_of(files, name) == digest for name, digest in written.items())
    )


def set_aside(folder: Path, reports: Mapping[str, bytes]) -> list[Path]:
    """Rename what a build would replace or remove although it did not write it: reports that were edited.

    Args:
        folder: of the reports.
        reports: name and content of those that are about to be written.

    Returns the new names: `report.en.md.bak`, or `.bak2` if that is taken.
    """
    before = _written(folder)
    files = UntrustedFolder(folder)
    names = dict.fromkeys([*(name for name in before if name.startswith("report.")), *reports])
    edited = [
        folder / name
        for name in names
        if files.is_file(name)  # a link is replaced: what it leads to stays
        and _digest_of(files, name) not in (before.get(name), _digest(reports[name]) if name in reports else None)
    ]
    return [file.rename(_free(file)) for file in edited]


def unchanged_reports(folder: Path, but: Collection[str]) -> list[str]:
    """Return the reports, `but` for some, that an earlier build wrote and nobody has changed."""
    files = UntrustedFolder(folder)
    return [
        name
        for name, digest in _written(folder).items()
        if name.startswith("report.") and name not in but and _digest_of(files, name) == digest
    ]


def leave(folder: Path, mark: str, written: Collection[str]) -> None:
    """Leave the mark and a digest of every file written; remove what an earlier build wrote and this did not.

    Args:
        folder: of the reports.
        mark: of what they were made from.
        written: the files of this build, as paths from the folder.
    """
    files = UntrustedFolder(folder)
    for name in _written(folder).keys() - set(written):
        files.remove(name)
        files.remove_empty(str(PurePosixPath(name).parent))
    digests = {name: _digest_of(files, name) for name in sorted(written)}
    content = {"mark": mark, "written": digests, "seal": seal(*_sealed(mark, digests))}
    files.write(_FILE, json.dumps(content, indent=1).encode(), sync=True)


def _read(folder: Path) -> dict[str, Any]:
    try:
        stamp = json.loads(UntrustedFolder(folder).read(_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _written(folder: Path) -> dict[str, str]:
    """Return the files that the last build wrote, with their digests: files below the folder, and no others."""
    written = _read(folder).get("written")
    below = (
        (name, digest)
        for name, digest in (written if isinstance(written, dict) else {}).items()
        if PurePosixPath(name).parts and not PurePosixPath(name).is_absolute() and ".." not in name.split("/")
    )
    return {name: str(digest) for name, digest in below}


def _sealed(mark: str, written: Mapping[str, str]) -> tuple[bytes, bytes]:
    return mark.encode(), json.dumps(written, sort_keys=True).encode()


def _digest_of(files: UntrustedFolder, name: str) -> str:
    """Return the digest of a file of the reports' folder; empty for one that is absent, or is a link."""
    try:
        return _digest(files.read(name))
    except (OSError, ValueError):
        return ""


def _free(file: Path) -> Path:
    """Return the first name for a copy of the file that is not taken."""
    endings = chain([".bak"], (f".bak{number}" for number in count(2)))
    names = (file.with_name(file.name + ending) for ending in endings)
    return next(name for name in names if not name.exists() and not name.is_symlink())


def _ingredients(suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store) -> Iterator[str]:
    yield repr(suite)
    yield from own_digests(suite)
    yield from (f"{key} {store.digest(key)}" for key in keys)
    yield program(templates)
    yield from (f"{name} {found}" for name, found in versions().items())


def own_digests(suite: Suite) -> list[str]:
    """Digest the source of each of the suite's own metrics, which is in no record: nothing is trained for them."""
    return [user_code_digest(UserClass.of(metric.function)) for metric in suite.metrics]


def program(templates: Sequence[Path]) -> str:
    """Digest the templates, those beside a suite too, and the source of reportgen."""
    digest = hashlib.sha256()
    for line in _files(templates):
        digest.update(line.encode() + b"\0")
    digest.update(source_digest().encode())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return name and version of the packages that a report's bytes depend on; missing where there is none."""
    return {name: version_of(name) for name in _TYPESETTERS}


def _files(templates: Sequence[Path]) -> Iterator[str]:
    for folder in templates:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            yield f"{file.relative_to(folder).as_posix()} {_digest(file.read_bytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
