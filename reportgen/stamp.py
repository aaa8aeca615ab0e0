"""A mark beside the reports that says what they were made from, so that a build can tell it has nothing to do."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reportgen.store import Store
from reportgen.suite.schema import Suite

_FILE = ".stamp.json"
_PACKAGE = Path(__file__).parent
_TYPESETTERS = (
    "weasyprint", "pydyf", "pyphen", "fonttools", "uharfbuzz", "font-source-sans-pro", "noto-cjk-sans-otc",
    "matplotlib", "markdown-it-py", "mdit-py-plugins", "ziamath", "ziafont", "jinja2", "babel", "pandas", "numpy",
)  # fmt: skip


def of(suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store) -> str:
    """Digest all that a report is made from: suite, records, templates, and the programs that make it."""
    digest = hashlib.sha256()
    for line in _ingredients(suite, templates, keys, store):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()


def matches(folder: Path, mark: str) -> bool:
    """Tell whether the files in `folder` were made from what `mark` stands for, and are as they were made."""
    try:
        stamp: dict[str, Any] = json.loads((folder / _FILE).read_text("utf-8"))
        return bool(stamp["mark"] == mark and stamp["files"] == _digests(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def leave(folder: Path, mark: str) -> None:
    """Leave the mark, with a digest of every file in the folder."""
    text = json.dumps({"mark": mark, "files": _digests(folder)}, indent=1)
    (folder / _FILE).write_text(text, "utf-8")


def _ingredients(suite: Suite, templates: Sequence[Path], keys: Sequence[str], store: Store) -> Iterator[str]:
    yield repr(suite)
    yield from (f"{key} {store.digest(key)}" for key in keys)
    for folder in templates:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            yield f"{file.relative_to(folder).as_posix()} {_digest(file)}"
    for file in sorted(_PACKAGE.rglob("*.py")):
        yield f"{file.relative_to(_PACKAGE).as_posix()} {_digest(file)}"
    for name in _TYPESETTERS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} missing"


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != _FILE)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(files)}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
