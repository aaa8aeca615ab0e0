"""A run's key: all that can change its numbers, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reportgen
from reportgen import pipeline
from reportgen.lab.key import code_digest, imports_of, key_of, source_digest, sources
from reportgen.lab.settings import Settings
from reportgen.planning import plan
from reportgen.storage.records import Store
from reportgen.tasks.base import Task
from reportgen.tasks.classification.settings import (
    ModelSettings,
    RunSettings,
    SplitSettings,
    SurnamesSettings,
    TrainingSettings,
)
from reportgen.tasks.registry import TASKS
from reportgen.tasks.runs import key_parts

PACKAGE = Path(reportgen.__file__).parent

BASE: dict[str, Any] = {
    "data": {"source": "surnames", "languages": ["Greek", "Tamil"], "limit": 60},
    "model": {"cell": "lstm", "layers": 2, "packed": True, "embedding_size": 8, "head_size": 8},
    "training": {"epochs": 2, "optimizer": "sgd"},
}

# Another value than that of BASE for every setting; a new setting fails the tests until it has one here.
OTHER: dict[str, dict[str, Any]] = {
    "data": {"languages": ["Greek", "Irish"], "limit": 80},
    "data.split": {"test": 0.3, "validation": 0.3, "seed": 1, "train_per_class": 100},
    "model": {
        "cell": "gru", "hidden_size": 64, "layers": 3, "embedding_size": 16, "dropout": 0.5, "bidirectional": True,
        "recurrent_dropout": 0.5, "packed": False, "pooling": "max", "embedding_std": 0.1, "head_size": 16,
        "activation": "tanh", "log_softmax": True,
    },
    "training": {
        "loss": "mse",
        "epochs": 3, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.01, "momentum": 0.9,
        "weight_decay": 0.1, "gradient_clip": 1.0, "keep": "last",
        "precision": "bf16", "gradient_clip_value": 1.0, "log_gradient_norm": True,
        "early_stopping": {"patience": 3}, "schedule": {"kind": "cosine"},
    },
}  # fmt: skip
FIELDS: dict[str, type[Settings]] = {
    "data": SurnamesSettings, "data.split": SplitSettings, "model": ModelSettings, "training": TrainingSettings,
}  # fmt: skip
# one value alone; a group of settings; those that need a file, which test_vectors.py and test_own_cells.py have
NOT_A_CHOICE = {
    "data.source", "data.split", "model.vectors", "model.vectors_frozen", "model.arguments", "model.module",
}  # fmt: skip
EVERY = [
    (group, name)
    for group, settings in FIELDS.items()
    for name in settings.model_fields
    if f"{group}.{name}" not in NOT_A_CHOICE
]

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
some_parts = st.dictionaries(st.text(), values, min_size=1, max_size=8)


def key(raw: dict[str, Any], seed: int = 0) -> str:
    """Return the key of a run with these settings."""
    return key_of(key_parts(RunSettings.model_validate(raw), seed))


def changed(group: str, name: str, value: object) -> dict[str, Any]:
    """Return BASE with one setting changed."""
    raw: dict[str, Any] = json.loads(json.dumps(BASE))
    node = raw
    for step in group.split("."):
        node = node.setdefault(step, {})
    node[name] = value
    return raw


@given(some_parts, st.randoms(use_true_random=False))
def test_a_key_does_not_depend_on_the_order_of_its_parts(parts: dict[str, Any], random: Any) -> None:
    """The same parts in any order give the same 20 hexadecimal digits."""
    names = list(parts)
    random.shuffle(names)
    found = key_of(parts)
    assert key_of({name: parts[name] for name in names}) == found
    assert len(found) == 20
    assert set(found) <= set("0123456789abcdef")


@given(some_parts, values, st.data())
def test_a_key_sees_every_value(parts: dict[str, Any], value: object, data: st.DataObject) -> None:
    """Another value in any one part gives another key; 1, 1.0 and true are different values."""
    name = data.draw(st.sampled_from(sorted(parts)))
    same = type(parts[name]) is type(value) and repr(parts[name]) == repr(value)
    assert (key_of({**parts, name: value}) == key_of(parts)) is same


@given(some_parts, st.text())
def test_a_key_sees_a_part_come_and_go(parts: dict[str, Any], name: str) -> None:
    """A part that is None is not the same as none."""
    without = {n: value for n, value in parts.items() if n != name}
    assert key_of({**without, name: None}) != key_of(without)


@pytest.mark.parametrize(("group", "name"), EVERY, ids=".".join)
def test_every_setting_is_part_of_the_key(group: str, name: str) -> None:
    """Each setting of data, model and training that is changed alone gives another key."""
    assert name in OTHER[group], f"give {group}.{name} another value in OTHER"
    assert key(changed(group, name, OTHER[group][name])) != key(BASE)


def test_no_two_settings_make_the_same_key() -> None:
    """All the changes of one setting each have keys of their own."""
    keys = [key(changed(group, name, OTHER[group][name])) for group, name in EVERY]
    assert len(set(keys)) == len(EVERY)


def test_seed_and_device_are_part_of_the_key() -> None:
    """Another seed is another run, and so is the same one on a GPU."""
    assert len({key(BASE), key(BASE, seed=1), key({**BASE, "device": "cuda"})}) == 3


def test_equal_settings_written_differently_share_a_key() -> None:
    """A default spelt out, or another order, changes nothing."""
    spelt_out = {**BASE, "device": "cpu", "model": {**BASE["model"], "hidden_size": 128, "activation": "relu"}}
    assert key(spelt_out) == key(BASE)


def test_the_parts_have_names_for_people() -> None:
    """What a plan shows of a key is setting by setting, with the versions beside them."""
    parts = key_parts(RunSettings.model_validate(BASE), 7)
    assert (parts["model.cell"], parts["training.epochs"], parts["seed"], parts["threads"]) == ("lstm", 2, 7, 1)
    assert parts["code"] == code_digest("classification")
    assert len(parts) == len(ModelSettings.model_fields) + len(TrainingSettings.model_fields) + 7


SUITE = """
title: {title}
languages: [en]
data: {{source: surnames, languages: [Greek, Tamil], limit: 60}}
training: {{epochs: 2}}
runs:
  - {{name: one, label: {label}, model: {{cell: rnn}}}}
  - {{name: two, label: Another, model: {{cell: rnn}}}}
  - {{name: three, label: A third, model: {{cell: gru}}}}
seeds: [0, 1]
"""


def planned_keys(folder: Path, title: str, label: str) -> list[str]:
    """Return the keys of a suite with that title, whose first run has that label."""
    file = folder / "suite.yaml"
    file.write_text(SUITE.format(title=title, label=label), "utf-8")
    return [step.key for step in plan.plan(pipeline.load(file).runs, Store(folder)).steps]


def test_wording_is_no_part_of_the_key(tmp_path: Path) -> None:
    """Titles, labels and names change no key, and two variants with equal settings share one."""
    keys = planned_keys(tmp_path, "A title", "A label")
    assert planned_keys(tmp_path, "Another title", "Another label") == keys
    one, two, three = keys[:2], keys[2:4], keys[4:]
    assert one == two
    assert len({*one, *three}) == 4


def small_package(folder: Path) -> Path:
    """Return a package with a lab, a task that trains and reports, another task, and a report."""
    files = {
        "lab/run.py": '"""Work."""\n\n\ndef double(x):\n    return 2 * x\n',
        "lab/models/cells.py": "GATES = 4\n",
        "tasks/play/run.py": "from reportgen.tasks.play import model\n",
        "tasks/play/model.py": "from reportgen.tasks.play.settings import RATE\n\nWIDTH = 2\n",
        "tasks/play/settings.py": "from reportgen.errors import Problem\n\nRATE = 1\n",
        "tasks/play/figures.py": "COLOUR = 1\n",
        "tasks/rest/run.py": "HOURS = 8\n",
        "errors.py": "class Problem:\n    WORD = 1\n",
        "report/html.py": "from reportgen.lab import run\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


SAME = {
    "a comment": ("lab/run.py", "return 2 * x", "return 2 * x  # twice"),
    "layout": ("lab/run.py", "return 2 * x", "return (\n        2 * x\n    )"),
    "a docstring": ("lab/run.py", '"""Work."""', '"""Hard work."""'),
    "a new docstring": ("lab/run.py", "    return", '    """Double x."""\n    return'),
    "a note on a constant": ("tasks/play/settings.py", "RATE = 1", 'RATE = 1\n"""How fast."""'),
    "how the task reports": ("tasks/play/figures.py", "COLOUR = 1", "COLOUR = 2"),
    "another task": ("tasks/rest/run.py", "HOURS = 8", "HOURS = 9"),
    "what a message says": ("errors.py", "WORD = 1", "WORD = 2"),
    "a file that imports the lab": ("report/html.py", "run", "play"),
}
DIFFERENT = {
    "a constant": ("lab/run.py", "2 * x", "3 * x"),
    "a name": ("lab/run.py", "double", "triple"),
    "a text that is a value": ("lab/run.py", "return 2 * x", "return 'x'"),
    "a folder of the lab": ("lab/models/cells.py", "GATES = 4", "GATES = 3"),
    "what the task trains": ("tasks/play/model.py", "WIDTH = 2", "WIDTH = 3"),
    "a file that is imported by that": ("tasks/play/settings.py", "RATE = 1", "RATE = 2"),
}


@pytest.mark.parametrize(("file", "old", "new"), SAME.values(), ids=SAME)
def test_what_means_the_same_has_the_same_digest(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Comments, docstrings, layout and code that the lab does not import leave every record valid."""
    package = small_package(tmp_path)
    before = source_digest(package, "play")
    text = (package / file).read_text("utf-8")
    assert old in text
    (package / file).write_text(text.replace(old, new), "utf-8")
    assert source_digest(package, "play") == before


@pytest.mark.parametrize(("file", "old", "new"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_means_something_else_has_another_digest(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Whatever can change a number, in the lab or in what it imports, asks for new records."""
    package = small_package(tmp_path)
    before = source_digest(package, "play")
    text = (package / file).read_text("utf-8")
    assert old in text
    (package / file).write_text(text.replace(old, new), "utf-8")
    assert source_digest(package, "play") != before


def test_a_new_or_renamed_file_of_the_lab_is_seen(tmp_path: Path) -> None:
    """The names of the files count, and so does a file that is added."""
    package = small_package(tmp_path)
    digests = [source_digest(package, "play")]
    (package / "lab" / "play.py").write_text("FUN = 1\n")
    digests.append(source_digest(package, "play"))
    (package / "lab" / "play.py").rename(package / "lab" / "rest.py")
    digests.append(source_digest(package, "play"))
    assert len(set(digests)) == 3


TRAINING = {
    "classification": {"run", "data", "settings", "model", "letter_models", "predictions", "vectors"},
    "forecasting": {"run", "data", "settings", "model"},
    "addition": {"run", "data", "settings", "model"},
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_digest_covers_the_lab_and_how_the_task_trains(task: Task) -> None:
    """Every file of lab/ and what the task's run imports of its folder are in it; what reports is not."""
    covered = {path.relative_to(PACKAGE).as_posix() for path in sources(PACKAGE, task.name)}
    lab = {path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / "lab").rglob("*.py")}
    assert covered == lab | {f"tasks/{task.name}/{name}.py" for name in TRAINING[task.name]}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_what_trains_imports_nothing_that_its_key_lacks(task: Task) -> None:
    """Of reportgen, the files in a key import each other, errors.py and data_files/, which change no number."""
    covered = sources(PACKAGE, task.name)
    imported = {path for file in covered for path in imports_of(file, PACKAGE)}
    outside = {path.relative_to(PACKAGE).as_posix() for path in imported - set(covered)}
    assert {name for name in outside if not name.startswith(("errors", "data_files/"))} == set()


@pytest.mark.slow
@pytest.mark.parametrize("changed", TASKS, ids=lambda task: task.name)
def test_a_changed_task_trains_its_own_runs_anew_and_no_others(changed: Task, tmp_path: Path) -> None:
    """A constant edited in a copy of the folder of a task gives another digest to that task alone."""
    shutil.copytree(PACKAGE, tmp_path / "copy")
    assert [source_digest(tmp_path / "copy", task.name) for task in TASKS] == [
        code_digest(task.name) for task in TASKS
    ]
    with (tmp_path / "copy" / "tasks" / changed.name / "run.py").open("a", encoding="utf-8") as file:
        file.write("\nNEW = 1\n")
    new = {task.name for task in TASKS if source_digest(tmp_path / "copy", task.name) != code_digest(task.name)}
    assert new == {changed.name}


COMPUTE = """
import json, sys
from reportgen.lab.key import key_of
from reportgen.tasks.runs import key_parts
from reportgen.tasks.classification.settings import RunSettings
print(key_of(key_parts(RunSettings.model_validate(json.loads(sys.argv[1])), 0)))
print("torch" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_computes_the_same_key_without_torch(hash_seed: str) -> None:
    """Keys do not hang on Python's hashes, and planning does not wait for torch to be imported."""
    done = subprocess.run(
        [sys.executable, "-c", COMPUTE, json.dumps(BASE)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [key(BASE), "False"]
