"""What this machine has of what a build needs, and how to get the rest."""

import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from reportgen.errors import MissingPrerequisiteError
from reportgen.i18n import fonts
from reportgen.lab import device
from reportgen.report import pdf
from reportgen.resources import EXPERIMENTS, TEMPLATES, shipped_suites


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `good` is None for what a build can do without."""

    what: str
    good: bool | None
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything that a build needs."""
    return [look() for look in (_python, _torch, _gpu, _pango, _fonts, _resources)]


def _python() -> Finding:
    enough = sys.version_info >= (3, 11)
    return Finding("Python", enough, platform.python_version(), "" if enough else "Python 3.11 or later")


def _torch() -> Finding:
    try:
        return Finding("PyTorch", True, version("torch"))
    except PackageNotFoundError:
        return Finding("PyTorch", False, "not installed", "pip install torch")


def _gpu() -> Finding:
    if device.has_cuda():
        return Finding("GPU", True, "found; used unless the suite says device: cpu")
    return Finding("GPU", None, "none that torch can use; runs are trained on the CPU")


def _pango() -> Finding:
    return _tried("Pango", _pango_version)


def _pango_version() -> str:
    pdf.to_pdf("<html lang=en><title>t</title><body><p>t</p></body></html>")
    return f"found; WeasyPrint {version('weasyprint')} uses it"


def _fonts() -> Finding:
    return _tried("fonts", lambda: ", ".join(dict.fromkeys(_families())))


def _families() -> Iterator[str]:
    for face in fonts.FACES:
        fonts.characters(face)
        yield face.family


def _resources() -> Finding:
    suites = ", ".join(shipped_suites())
    good = TEMPLATES.is_dir() and bool(suites)
    return Finding("suites", good, suites or f"none in {EXPERIMENTS}", "" if good else "install reportgen again")


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except MissingPrerequisiteError as error:
        return Finding(what, False, "missing", str(error))
