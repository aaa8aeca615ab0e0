"""Where the templates and suites that ship are: at the top of a checkout, inside the package of a wheel."""

from pathlib import Path

from reportgen.errors import TemplateError

_PACKAGE = Path(__file__).parent

LARGEST_FILE = 1_000_000
"""Bytes of a template, a catalogue or a style sheet; those that ship have a sixteenth of it."""


def _shipped(name: str) -> Path:
    inside_the_wheel = _PACKAGE / f"_{name}"
    return inside_the_wheel if inside_the_wheel.is_dir() else _PACKAGE.parent / name


TEMPLATES = _shipped("templates")
EXPERIMENTS = _shipped("experiments")


def shipped_suites() -> dict[str, Path]:
    """Return the suites that ship, by name (`suite_rnn_vs_lstm`, say)."""
    return {path.stem: path for path in sorted(EXPERIMENTS.glob("*.yaml"))}


def is_below(file: Path, folder: Path) -> bool:
    """Tell whether a file really lies below a folder, all links followed; False for what cannot be followed."""
    try:
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a null character, links in a circle
        return False


def template_folders(suite: Path) -> tuple[Path, Path]:
    """Return where the templates of a suite are looked for: beside it, then among those that ship.

    Raises TemplateError for a folder that is a link to elsewhere: whatever is in there could be included.
    """
    own = suite.parent / "templates"
    if not is_below(own, suite.parent):
        raise TemplateError(f"{own}: got a link that leads out of {suite.parent}, expected a folder in it")
    return own, TEMPLATES


def require_plain(file: Path, folder: Path) -> None:
    """Raise TemplateError for a link that leads out of `folder`, and for what is no plain file or too large."""
    if not is_below(file, folder):
        raise TemplateError(f"{file}: got a link that leads out of {folder}, expected a file below it")
    if not file.is_file():  # a pipe or a device has no end
        raise TemplateError(f"{file}: got no plain file, expected one")
    if (size := file.stat().st_size) > LARGEST_FILE:
        raise TemplateError(f"{file}: got {size:,} bytes, expected at most {LARGEST_FILE:,}")


def text_below(file: Path, folder: Path) -> str:
    """Return the text of a template or a style sheet below `folder`.

    Raises TemplateError for what `require_plain` refuses, and for a file that is not in UTF-8.
    """
    require_plain(file, folder)
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{file}: {error}; save it as UTF-8 in your editor") from None
