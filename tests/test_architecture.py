"""The house: imports run one way between packages, and the wall around what can change a number."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reportgen
from reportgen.tasks.registry import TASKS

PACKAGE = Path(reportgen.__file__).parent

# A package imports only from those below it. Of tasks/, what trains stands low, what reports stands high, and the
# contract, with the classes that keep it, in between: their methods import the rest of a task when called.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"preview", "provenance"},
    {"pipeline"},
    {"planning"},
    {"options"},
    {"reporting tasks"},
    {"report"},
    {"figures", "executors"},
    {"user_code"},
    {"analysis", "importers"},
    {"i18n"},
    {"storage"},
    {"suite"},
    {"contract of tasks"},
    {"training tasks"},
    {"lab"},
    {"data_files", "resources"},
    {"errors", "__init__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))
CONTRACT = ("__init__", "base", "registry", "runs", "task")
TRAINING = ("settings", "data", "model", "letter_models", "vectors", "predictions", "run")


def group(module: str) -> str:
    """Return the package, or the part of tasks/, that a module belongs to: `tasks.addition.run`, say."""
    parts = module.split(".")
    if parts[0] != "tasks":
        return parts[0]
    if parts[-1] in CONTRACT or len(parts) < 3:
        return "contract of tasks"
    return "training tasks" if parts[-1] in TRAINING else "reporting tasks"


def module_of(path: Path) -> str:
    """Return the name of a module without that of the package: `lab.key`."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")


def imports(path: Path) -> Iterator[str]:
    """Yield the modules of reportgen that a file imports; of the contract's only those when it is imported."""
    tree = ast.parse(path.read_text("utf-8"))
    lazy = group(module_of(path)) == "contract of tasks"
    for node in tree.body if lazy else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reportgen":
            base = str(node.module).partition(".")[2]
            for name in node.names:
                full = f"{base}.{name.name}" if base else name.name
                is_module = (PACKAGE / f"{full.replace('.', '/')}.py").is_file()
                is_package = (PACKAGE / full.replace(".", "/")).is_dir()
                yield full if is_module or is_package else base or "__init__"


@pytest.mark.parametrize("path", MODULES, ids=module_of)
def test_imports_run_one_way(path: Path) -> None:
    """A module imports only from its own package or from those below it."""
    own = group(module_of(path))
    forbidden = {name for name in imports(path) if group(name) != own and RANK[group(name)] <= RANK[own]}
    assert forbidden == set()


def test_every_package_has_its_place() -> None:
    """A new package or module is put in a layer before it is used."""
    assert {group(module_of(path)) for path in MODULES} == set(RANK)


def test_few_modules_are_loose() -> None:
    """At most six modules lie outside the packages."""
    assert len([path for path in PACKAGE.glob("*.py") if path.stem != "__init__"]) <= 6


def test_no_circle_of_imports_within_a_package() -> None:
    """Modules that import each other when they are imported would hang on the order in which that happens."""
    graph = {
        module_of(path): {
            name for name in _at_import(path) if (PACKAGE / f"{name.replace('.', '/')}.py").is_file()
        }
        for path in MODULES
    }
    while leaves := {name for name, needed in graph.items() if not needed & set(graph)}:
        graph = {name: needed for name, needed in graph.items() if name not in leaves}
    assert sorted(graph) == []


def _at_import(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reportgen":
            base = str(node.module).partition(".")[2]
            yield base
            yield from (f"{base}.{name.name}" if base else name.name for name in node.names)


def test_only_what_trains_imports_torch() -> None:
    """torch, and what is built on it, is imported in the lab, in tasks that train, and to validate user code."""
    importing = {
        group(module_of(path))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names])
        if name.split(".")[0] in ("torch", "torchinfo") and path.stem not in ("base", "task", "precision")
    }
    assert importing == {"lab", "training tasks", "user_code"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        "pipeline",
        "planning.plan",
        "tasks.registry",
        "tasks.classification.findings",
        "tasks.classification.figures",
        "report.context",
    ],
)
def test_what_reads_records_never_loads_torch(module: str) -> None:
    """Planning, analysing, drawing and writing do not import torch, even by way of others."""
    code = f"import sys, reportgen.{module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nothing_outside_tasks_names_a_task() -> None:
    """No module but those in tasks/ compares the name of a task, or imports from the folder of one."""
    names = "|".join(task.name for task in TASKS)
    named = re.compile(rf"reportgen\.tasks\.({names})\b|[=!]= *\"({names})\"|case \"({names})\"")
    outside = [path for path in MODULES if not module_of(path).startswith("tasks.")]
    assert [module_of(path) for path in outside if named.search(path.read_text("utf-8"))] == []


def test_no_module_hides_behind_an_empty_name() -> None:
    """No file is called utils, helpers, misc or common."""
    assert [path.name for path in MODULES if path.stem.rstrip("s") in ("util", "helper", "misc", "common")] == []


def test_no_test_module_imports_from_another() -> None:
    """What several tests need is built in a module beside conftest, so that each test file can be read alone."""
    tests = sorted(Path(__file__).parent.rglob("test_*.py"))
    importing = {
        (path.name, node.module)
        for path in tests
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("test_")
    }
    assert importing == set()
