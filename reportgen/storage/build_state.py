"""A mark beside the reports: what they were made from, and the files that were written.

It lets a build tell that it has nothing to do, which old files are its own, and which reports were edited.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from reportgen.lab.user_source import OwnClass, own_digest
from reportgen.storage.fingerprints import source_digest, version_of
from reportgen.storage.records import Store, put_in_place
from reportgen.suite.schema import Suite

_FILE = ".stamp.json"
_TYPESETTERS = (
    "weasyprint", "pydyf", "pyphen", "fonttools", "uharfbuzz", "font-source-sans-pro", "noto-cjk-sans-otc",
    "matplotlib", "markdown-it-py", "mdit-py-plugins", "ziamath", "ziafont", "jinja2", "babel", "pandas", "numpy",
    "scipy", "statsmodels",
)  # fmt: skip


def of(
    suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store, beside: Sequence[Path] = ()
) -> str:
    """Digest all that a report is made from: suite, files beside it, records, templates, and the programs."""
    digest = hashlib.sha256()
    for line in chain(_ingredients(suite, templates, keys, store), (f"{f.name} {_digest(f)}" for f in beside)):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()


def matches(folder: Path, mark: str) -> bool:
    """Tell whether the files in `folder` were made from what `mark` stands for, and are as they were made."""
    stamp = _read(folder)
    written = _written(folder)
    return bool(written and stamp.get("mark") == mark) and all(
        (folder / name).is_file() and _digest(folder / name) == digest for name, digest in written.items()
    )


def set_aside(folder: Path, reports: Mapping[str, bytes]) -> list[Path]:
    """Rename what a build would replace or remove although it did not write it: reports that were edited.

    Args:
        folder: of the reports.
        reports: name and content of those that are about to be written.

    Returns the new names: `report.en.md.bak`, or `.bak2` if that is taken.
    """
    before = _written(folder)
    names = dict.fromkeys([*(name for name in before if name.startswith("report.")), *reports])
    edited = [
        folder / name
        for name in names
        if (folder / name).is_file()
        and _digest(folder / name) != before.get(name)
        and (folder / name).read_bytes() != reports.get(name)
    ]
    return [file.rename(_free(file)) for file in edited]


def leave(folder: Path, mark: str, written: Collection[str]) -> None:
    """Leave the mark and a digest of every file written; remove what an earlier build wrote and this did not.

    Args:
        folder: of the reports.
        mark: of what they were made from.
        written: the files of this build, as paths from the folder.
    """
    for name in _written(folder).keys() - set(written):
        (folder / name).unlink(missing_ok=True)
        for parent in (folder / name).relative_to(folder).parents:
            if parent.name and (folder / parent).is_dir() and not any((folder / parent).iterdir()):
                (folder / parent).rmdir()
    files = {name: _digest(folder / name) for name in sorted(written)}
    put_in_place(folder / _FILE, json.dumps({"mark": mark, "written": files}, indent=1).encode())


def _read(folder: Path) -> dict[str, Any]:
    try:
        stamp = json.loads((folder / _FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _written(folder: Path) -> dict[str, str]:
    """Return the files that the last build wrote, with their digests: files below the folder, and no others."""
    written = _read(folder).get("written")
    inside = folder.resolve()
    return {
        name: str(digest)
        for name, digest in (written if isinstance(written, dict) else {}).items()
        if inside in (folder / name).resolve().parents
    }


def _free(file: Path) -> Path:
    """Return the first name for a copy of the file that is not taken."""
    endings = chain([".bak"], (f".bak{number}" for number in count(2)))
    names = (file.with_name(file.name + ending) for ending in endings)
    return next(name for name in names if not name.exists())


def _ingredients(suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store) -> Iterator[str]:
    yield repr(suite)
    yield from own_digests(suite)
    yield from (f"{key} {store.digest(key)}" for key in keys)
    yield program(templates)
    yield from (f"{name} {found}" for name, found in versions().items())


def own_digests(suite: Suite) -> list[str]:
    """Digest the source of each of the suite's own metrics, which is in no record: nothing is trained for them."""
    return [own_digest(OwnClass.of(metric.function)) for metric in suite.metrics]


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
            yield f"{file.relative_to(folder).as_posix()} {_digest(file)}"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
