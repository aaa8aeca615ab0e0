"""Markdown sections of the suite's own, and what is wrong with them."""

from pathlib import Path

from tiny_suites import TINY_IN

from reportgen import pipeline
from reportgen.errors import SuiteError


def problems(folder: Path, sections: str, languages: str = "[zh, en]") -> list[str]:
    """Return what is wrong with a suite with those sections, without the folder."""
    (folder / "suite.yaml").write_text(f"{TINY_IN}languages: {languages}\nsections: {sections}\n", "utf-8")
    try:
        pipeline.load(folder / "suite.yaml")
    except SuiteError as error:
        return str(error).replace(f"{folder}/", "").splitlines()
    return []
