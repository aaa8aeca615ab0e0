"""The program itself, as a digest, and the packages that it is built on.

What was worked out by another copy of it, or with other packages, may be otherwise.
"""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


@cache
def version_of(package: str) -> str:
    """Return the version of a package; missing where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


@cache
def source_digest() -> str:
    """Return the SHA-256 of all of reportgen's source files, with their names."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{file.relative_to(_PACKAGE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
