"""The JSON Schema of a suite: the file that ships, the suites that ship, and what it refuses."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from reportgen.resources import EXPERIMENTS, shipped_suites
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import json_schema
from reportgen.tasks.classification.settings import ModelSettings, TrainingSettings

SMALL: dict[str, Any] = {
    "title": {"zh": "姓氏", "en": "Surnames"},
    "data": {"source": "surnames"},
    "model": {"hidden_size": 8},
    "runs": [{"name": "a", "model": {"cell": "rnn"}}, {"name": "b", "model": {"cell": "gru", "layers": 2}}],
    "sweeps": [{"base": "a", "grid": {"model.layers": [1, 2]}}],
}


def faults(suite: object) -> list[str]:
    """Return the places that the schema finds a fault at, with the schema's word for it."""
    found = Draft202012Validator(json_schema()).iter_errors(suite)
    return sorted(f"{fault.json_path}: {fault.validator}" for fault in found)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return SMALL with another value at a dotted path."""
    suite = copy.deepcopy(SMALL)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    node: Any = suite
    for parent in parents:
        node = node[parent]
    node[last] = value
    return suite


def with_defaults(schema: object) -> Iterator[dict[str, Any]]:
    """Walk through a schema and yield each part of it that has a default."""
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for child in children:
        if isinstance(child, dict) and "default" in child:
            yield child
        yield from with_defaults(child)


def test_the_schema_that_ships_is_that_of_the_code() -> None:
    """experiments/suite.schema.json says what reportgen.suite.schema says."""
    shipped = json.loads((EXPERIMENTS / "suite.schema.json").read_text("utf-8"))
    assert shipped == json_schema(), "regenerate it: reportgen schema > experiments/suite.schema.json"


def test_the_schema_is_itself_valid() -> None:
    """The schema is a schema of the draft that it names."""
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_there_is_a_suite_that_ships() -> None:
    """The tests of the suites that ship are about something."""
    assert "suite_rnn_vs_lstm" in shipped_suites()


@pytest.mark.parametrize("file", shipped_suites().values(), ids=shipped_suites().keys())
def test_a_suite_that_ships_is_right_for_schema_and_reader(file: Path) -> None:
    """Editors and reportgen both accept every suite that ships."""
    assert faults(YAML(typ="safe", pure=True).load(file.read_text("utf-8"))) == []
    assert read_suite(file, {"zh", "en"}).suite.runs


@pytest.mark.parametrize("file", shipped_suites().values(), ids=shipped_suites().keys())
def test_a_suite_that_ships_tells_editors_its_schema(file: Path) -> None:
    """The first line of every suite leads the YAML language server to the schema beside it."""
    assert file.read_text("utf-8").splitlines()[0] == "# yaml-language-server: $schema=./suite.schema.json"
    assert (file.parent / "suite.schema.json").is_file()


def test_a_run_need_not_repeat_all_settings() -> None:
    """Some of the model's and of the training's settings are enough, in a run as for all runs."""
    assert faults(SMALL) == []
    assert faults(changed("runs.0.training", {"epochs": 3})) == []
    assert faults(changed("training", {"learning_rate": 0.01})) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("sead", [1], ["$: additionalProperties"]),
        ("cover", {"auther": "Li"}, ["$.cover: additionalProperties"]),
        ("data.limits", 9, ["$.data: oneOf"]),
        ("data.split", {"tset": 0.2}, ["$.data: oneOf"]),
        ("model.hiden_size", 9, ["$.model: additionalProperties"]),
        ("training", {"epoch": 9}, ["$.training: additionalProperties"]),
        ("runs.0.lable", "A", ["$.runs[0]: additionalProperties"]),
        ("runs.1.model.cel", "rnn", ["$.runs[1].model: additionalProperties"]),
        ("sweeps.0.gird", {}, ["$.sweeps[0]: additionalProperties"]),
        ("runs.0.model.cell", "lstn", ["$.runs[0].model.cell: anyOf"]),
        ("data.source", "surname", ["$.data: oneOf"]),
        ("formats", ["pfd"], ["$.formats[0]: enum"]),
        ("languages", ["english"], ["$.languages[0]: pattern"]),
        ("runs.0.name", "1st", ["$.runs[0].name: pattern"]),
        ("runs", [], ["$.runs: minItems"]),
        ("sweeps.0.grid", {}, ["$.sweeps[0].grid: minProperties"]),
        ("title", 3, ["$.title: anyOf"]),
        ("model.hidden_size", 16_385, ["$.model.hidden_size: maximum"]),
        ("model.hidden_size", 0, ["$.model.hidden_size: exclusiveMinimum"]),
        ("model.hidden_size", "8", ["$.model.hidden_size: type"]),
        ("model.cell", None, ["$.model.cell: anyOf"]),
        ("model.layers", True, ["$.model.layers: type"]),
    ],
)
def test_a_fault_does_not_validate(path: str, value: object, expected: list[str]) -> None:
    """Editors mark a typo, a wrong type and a value out of range at its place."""
    assert faults(changed(path, value)) == expected


@pytest.mark.parametrize("missing", ["title", "data", "runs"])
def test_what_every_suite_needs_is_required(missing: str) -> None:
    """A suite without title, data or runs does not validate."""
    assert faults({key: value for key, value in SMALL.items() if key != missing}) == ["$: required"]


def test_the_bounds_of_a_part_are_those_of_the_whole() -> None:
    """A setting of a run has the bounds, the words and the description that it has in the settings' own class."""
    parts = json_schema()["$defs"]
    for settings in (ModelSettings, TrainingSettings):
        whole = settings.model_json_schema()["properties"]
        assert parts[f"PartOf{settings.__name__}"]["properties"] == whole


def test_every_default_in_the_schema_is_a_value_it_allows() -> None:
    """No default that an editor fills in is one that reportgen refuses."""
    schema = json_schema()
    found = list(with_defaults(schema))
    assert len(found) > 20
    for part in found:
        validator = Draft202012Validator({**part, "$defs": schema["$defs"]})
        assert [fault.message for fault in validator.iter_errors(part["default"])] == []


def test_every_setting_is_explained() -> None:
    """Every key of a suite has a description for the editor to show."""
    schema = json_schema()
    mappings = {"": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, mapping in mappings.items()
        for key, part in mapping["properties"].items()
        if "description" not in {**schema["$defs"].get(part.get("$ref", "").rsplit("/", 1)[-1], {}), **part}
    ]
    assert silent == []
