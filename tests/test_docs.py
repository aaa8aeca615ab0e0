"""What the documents promise is so."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from reportgen.lab.settings import Settings
from reportgen.report.pdf import PANGO
from reportgen.resources import shipped_suites
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import SECTIONS, Suite
from reportgen.tasks.classification.settings import AnyTextSettings, ModelSettings, SplitSettings
from reportgen.tasks.registry import TASKS, data_sources

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")),
]
PACKAGES = sorted(folder.name for folder in (ROOT / "reportgen").iterdir() if (folder / "__init__.py").is_file())
SUITES = (ROOT / "docs" / "suites.md").read_text("utf-8")


def test_the_suite_in_the_readme_is_right(tmp_path: Path) -> None:
    """The example suite can be copied and built."""
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "suite.yaml").write_text(example, "utf-8")
    suite = read_suite(tmp_path / "suite.yaml", {"zh", "en"}).suite
    assert [run.name for run in suite.runs] == ["lstm"]


def test_the_workflow_of_the_project_is_valid_and_runs_ci() -> None:
    """It is valid by GitHub's published schema, runs what CI runs anywhere, and uploads the main report."""
    file = ROOT / ".github" / "workflows" / "ci.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [step for job in YAML(typ="safe", pure=True).load(file)["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if step.get("name") == "tests"] == ["bash .ci/run"]
    assert [step["with"]["path"].split() for step in steps if step.get("name") == "reports"] == [
        ["build/suite_rnn_vs_lstm/*.pdf", "build/suite_rnn_vs_lstm/*.html"]
    ]


def test_the_profile_and_the_claims_on_the_page_on_suites_are_right(tmp_path: Path) -> None:
    """Both examples can be put into a suite, and the table of claims names every metric of every task."""
    profile, claims = re.findall(r"```yaml\n(.*?)```", SUITES, re.DOTALL)
    runs = "\n".join(f"  - {{name: {cell}, model: {{cell: {cell}}}}}" for cell in ("rnn", "lstm", "gru"))
    (tmp_path / "suite.yaml").write_text(
        f"title: t\ndata: {{source: surnames, limit: 99}}\nruns:\n{runs}\n{profile}{claims}", "utf-8"
    )
    suite = read_suite(tmp_path / "suite.yaml", {"zh", "en"}).suite
    assert (len(suite.claims), list(suite.profiles)) == (3, ["full"])
    full = read_suite(tmp_path / "suite.yaml", {"zh", "en"}, "full").suite
    assert (full.data.model_dump()["limit"], full.runs[1].model["hidden_size"]) == (None, 256)
    for task in TASKS:
        assert [name for name in task.metrics if f"`{name}`" not in SUITES] == []


def test_the_page_on_suites_names_every_key_section_and_suite_that_ships() -> None:
    """Whoever looks for a key of a suite, for a section of a report, or for an example finds it there."""
    rows = set(re.findall(r"`([\w-]+)`", SUITES))
    assert {*Suite.model_fields, *SECTIONS, *shipped_suites()} <= rows


def test_the_index_of_the_pages_is_whole() -> None:
    """docs/README.md has a row for each page."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {file.name for file in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages


def test_the_page_on_commands_names_every_variable_of_the_environment() -> None:
    """What reportgen reads from the environment is in the table."""
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    sources = [file.read_text("utf-8") for file in (ROOT / "reportgen").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r"\bREPORTGEN_[A-Z]+\b", source)}
    assert set(re.findall(r"^\| `(REPORTGEN_\w+)`", page, re.MULTILINE)) == read


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """`.ci/run` ends with README's second command."""
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-1] == commands[1]


def test_the_readme_names_pango_as_the_program_does() -> None:
    """The install lines for Pango are the same in README and in the message of a machine that lacks it."""
    for command in re.findall(r"^  \w[\w, ]+?  +((?:apt|dnf|brew|pacman) .*?)(?:, in.*)?$", PANGO, re.MULTILINE):
        assert f"`{command}`" in README


@pytest.mark.parametrize("stage", ["load", "plan", "run", "collect", "analyse", "draw", "write", "typeset"])
def test_the_stages_have_one_name_everywhere(stage: str) -> None:
    """A stage is a function of the pipeline and a row of ARCHITECTURE.md."""
    from reportgen import pipeline

    assert callable(getattr(pipeline, stage))
    assert f"| **{stage}** |" in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def anchors(document: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """Every relative link of a document is a file of the project, and a heading of it where it names one."""
    text = (ROOT / document).read_text("utf-8")
    prose = re.sub(r"`[^`\n]*`", "", text)
    links = [link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", prose) if "://" not in link]
    targets = [((ROOT / document).parent / file if file else ROOT / document, anchor) for file, _, anchor in links]
    assert [file for file, _ in targets if not file.exists()] == []
    assert [(file, anchor) for file, anchor in targets if anchor and anchor not in anchors(file)] == []


def test_the_page_on_promises_names_tests_that_are_there() -> None:
    """Whoever wants to see how something is tested finds the file, with its folder."""
    page = (ROOT / "docs" / "promises.md").read_text("utf-8")
    assert re.findall(r"`(test_\w+\.py)`", page) == []
    named = named_files("docs/promises.md")
    assert {name for name in named if not (ROOT / name).exists()} == set()
    assert "tests/storage/test_survival.py" in named


def named_files(document: str) -> set[str]:
    """Return the paths of tests, benchmarks and modules that a document names between back-ticks."""
    text = (ROOT / document).read_text("utf-8")
    spans = re.findall(r"`([^`\n]+)`", text)
    paths = {path for span in spans for path in re.findall(r"(?:tests|benchmarks)/[\w/]+\.py", span)}
    modules = re.findall(rf"`((?:{'|'.join(PACKAGES)})/[\w/]+\.py)`", text)
    return paths | {f"reportgen/{module}" for module in modules}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_files_that_are_there(document: str) -> None:
    """Every test, benchmark and module that a document names exists."""
    assert {name for name in named_files(document) if not (ROOT / name).exists()} == set()


def test_the_data_page_names_every_source() -> None:
    """Each source and each key that a source of texts understands is on the page about data."""
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    words = set(re.findall(r"`([\w-]+):?`", page))
    assert set(data_sources()) <= words
    assert set(AnyTextSettings.model_fields) - {"split"} <= words


def test_the_splits_and_vectors_of_the_data_page_are_right() -> None:
    """Each line of its YAML is one that a suite may have."""
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    lines = [line for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 5
    kinds: dict[str, type[Settings]] = {"split": SplitSettings, "model": ModelSettings}
    for line in lines:
        ((name, value),) = YAML(typ="safe", pure=True).load(line).items()
        kinds[name].model_validate(value)


def test_the_examples_of_the_page_on_own_models_are_sound(tmp_path: Path) -> None:
    """Layer, model, loss and metric can be copied, and pass the trial; the YAML is such as a suite may have."""
    from reportgen.user_code.functions import try_loss, try_metric
    from reportgen.user_code.layers import try_layer
    from reportgen.user_code.whole_models import try_model

    page = (ROOT / "docs" / "own-model.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "documented.py"
    file.write_text("import torch\nfrom torch import nn\n\n" + "\n\n".join(examples), "utf-8")
    trials = [
        try_layer(f"{file}:MyRNN", 4, 6),
        try_model(f"{file}:MyClassifier", "classification", arguments={"hidden": 5}),
        try_loss(f"{file}:focal"),
        try_metric(f"{file}:macro_recall"),
    ]
    assert [(trial.fault, trial.notes) for trial in trials] == [(None, [])] * 4
    lines = [
        line for block in re.findall(r"```yaml\n(model.*?)```", page, re.DOTALL) for line in block.splitlines()
    ]
    assert len(lines) == 3
    for line in lines:
        ModelSettings.model_validate(YAML(typ="safe", pure=True).load(line)["model"])


def test_the_examples_of_the_page_on_own_data_are_sound(tmp_path: Path) -> None:
    """The function can be copied, and its lines of YAML are such as a suite may have."""
    from reportgen.tasks.classification.settings import FunctionSettings
    from reportgen.tasks.forecasting.settings import LoadedSeriesSettings
    from reportgen.user_code.functions import try_data

    page = (ROOT / "docs" / "own-data.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "data").mkdir()
    reviews = ", ".join(f'{{"text": "text {i}", "stars": {i % 5 + 1}}}' for i in range(20))
    (tmp_path / "data" / "reviews.json").write_text(f"[{reviews}]", "utf-8")
    (tmp_path / "my_data.py").write_text(example, "utf-8")
    texts, numbers = re.findall(r"^data: .*", page, re.MULTILINE)
    LoadedSeriesSettings.model_validate(YAML(typ="safe", pure=True).load(numbers)["data"])
    settings = FunctionSettings.model_validate(YAML(typ="safe", pure=True).load(texts)["data"])
    load = f"{tmp_path / settings.load}"
    assert try_data(load, {**settings.model_dump(mode="json"), "load": load}).fault is None


def test_the_page_on_imports_names_every_column_and_format() -> None:
    """Its example is one that a suite may have, and what it lists is all there is."""
    from reportgen.suite.imports import Columns, Format, ImportSettings
    from reportgen.suite.schema import RunDeclaration

    page = (ROOT / "docs" / "import.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    runs = [RunDeclaration.model_validate(run) for run in YAML(typ="safe", pure=True).load(example)["runs"]]
    assert [run.imported is not None for run in runs] == [False, True, True, True]
    words = set(re.findall(r"`([\w-]+)`", page))
    assert {*Columns.model_fields, *get_args(Format), *ImportSettings.model_fields} <= words


def test_the_page_on_clusters_has_options_that_exist_and_a_script_that_bash_reads() -> None:
    """Each option of `build` that it names is one, and each that it gives to `ray symmetric-run`."""
    page = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    commands = " ".join(
        re.findall(r"reportgen build (.*)", page) + re.findall(r"`(--(?:gpu-share|jobs) .*?)`", page)
    )
    shown = subprocess.run(
        [sys.executable, "-m", "reportgen", "build", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--[a-z-]+", commands))
    assert options == {"--executor", "--address", "--gpu-share", "--jobs"}
    assert {option for option in options if option not in shown} == set()
    (script,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607 - wherever it is
    command = [sys.executable, "-m", "ray.scripts.scripts", "symmetric-run", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ours = script.partition("ray symmetric-run")[2].partition("--num-cpus")[0]
    assert {option for option in re.findall(r"--[a-z-]+", ours) if f"  {option} " not in told} == set()


def test_the_pinned_versions_are_in_the_stated_ranges() -> None:
    """constraints.txt pins what pyproject.toml asks for, and no more is pinned to an address."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}
    for requirement in map(Requirement, wanted):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement.name
