"""Where the templates and suites that ship are: at the top of a checkout, inside the package of a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _shipped(name: str) -> Path:
    inside_the_wheel = _PACKAGE / f"_{name}"
    return inside_the_wheel if inside_the_wheel.is_dir() else _PACKAGE.parent / name


TEMPLATES = _shipped("templates")
EXPERIMENTS = _shipped("experiments")


def shipped_suites() -> dict[str, Path]:
    """Return the suites that ship, by name (`suite_rnn_vs_lstm`, say)."""
    return {path.stem: path for path in sorted(EXPERIMENTS.glob("*.yaml"))}
