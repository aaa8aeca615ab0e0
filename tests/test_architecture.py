"""The house: imports run one way, and the wall around what can change a number."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reportgen

PACKAGE = Path(reportgen.__file__).parent

# A module may import from its own group and from those to the right of it.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"terminal", "cleaning", "doctor", "datasets", "marks", "starting", "templating", "preview"},
    {"provenance"},
    {"pipeline"},
    {"documents"},
    {"asked"},
    {"loading", "manifest"},
    {"fitting", "metrics", "planning", "reporting", "stamp", "trials", "verdicts"},
    {"reasons", "remembered", "shortening"},
    {"report"},
    {"figures", "executors"},
    {"analysis", "importing", "marking"},
    {"lab", "store"},
    {"fonts", "languages"},
    {"catalogues"},
    {"suite"},
    {"resources", "locales", "kept", "origins", "program"},
    {"errors", "__init__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def group(path: Path) -> str:
    """Return the package or module right under reportgen that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the groups of reportgen that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "reportgen":
            yield from (name.name if name.name in RANK else "__init__" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reportgen."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("reportgen."))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    """A module imports only from its own group or from a lower one, and never from one beside it."""
    own = group(path)
    forbidden = [name for name in imports(path) if name != own and RANK[name] <= RANK[own]]
    assert forbidden == []


def test_every_group_has_its_place() -> None:
    """A new package or module is put in a layer before it is used."""
    assert {group(path) for path in MODULES} == set(RANK)


def test_only_the_lab_imports_torch() -> None:
    """torch, and what is built on it, is imported only in lab/ and in marking/, which tries the user's classes."""
    importing = {
        group(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names])
        if name.split(".")[0] in ("torch", "torchinfo")
    }
    assert importing == {"lab", "marking"}


@pytest.mark.parametrize(
    "module",
    ["pipeline", "planning", "tasks.classification.findings", "tasks.classification.figures", "report.context"],
)
def test_what_reads_records_never_loads_torch(module: str) -> None:
    """Planning, analysing, drawing and writing do not import torch, even by way of others."""
    code = f"import sys, reportgen.{module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_module_hides_behind_an_empty_name() -> None:
    """No file is called utils, helpers, misc or common."""
    assert [path.name for path in MODULES if path.stem.rstrip("s") in ("util", "helper", "misc", "common")] == []
