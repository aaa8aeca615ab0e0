"""The key over the whole schema: a setting is in it if, and only if, it can change a number."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reportgen.errors import ReportgenError
from reportgen.lab.key import key_of
from reportgen.lab.settings import RunOfAnyTask
from reportgen.planning.plan import parts_of_key
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import Suite, suite_of
from reportgen.tasks.base import Task
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.settings import ModelSettings
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.registry import TASKS, data_sources, run_settings
from reportgen.tasks.runs import key_parts

often = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)

BASES: dict[str, list[dict[str, Any]]] = {
    "classification": [
        {"data": {"source": "surnames", "languages": ["Greek", "Tamil"], "limit": 60}, "model": {"cell": "rnn"}},
        {
            "data": {"source": "surnames", "languages": ["Greek", "Tamil"], "limit": 60},
            "model": {"cell": "lstm", "layers": 2, "packed": True, "embedding_size": 8, "head_size": 8},
            "training": {"optimizer": "sgd"},
        },
    ],
    "forecasting": [
        {"data": {"source": "sine", "sequences": 9, "length": 20, "validation": 2}, "model": {"cell": "lstm"}},
        {
            "data": {"source": "sine", "sequences": 9, "length": 20, "validation": 2},
            "model": {"cell": "lstm"},
            "training": {"optimizer": "lbfgs"},
        },
    ],
    "addition": [{"data": {"source": "addition", "digits": 3}, "model": {"cell": "gru"}}],
}
OF_FILES = {"model.vectors", "model.vectors_frozen", "model.arguments"}
"""Settings that need a file; test_vectors.py and test_own_cells.py have them."""


def drawn(schema: dict[str, Any], names: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return what draws values that a JSON Schema allows."""
    match schema:
        case {"$ref": str(place)}:
            return drawn(names[place.removeprefix("#/$defs/")], names)
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"anyOf": kinds}:
            return st.one_of([drawn(kind, names) for kind in kinds])
        case {"type": "object", "properties": fields}:
            own = {name: drawn(field, names) for name, field in fields.items()}
            needed = {name: own.pop(name) for name in schema.get("required", [])}
            return st.fixed_dictionaries(needed, optional=own)
        case {"type": "object"}:
            return st.dictionaries(st.sampled_from(["en", "zh"]), st.text(max_size=9), min_size=1)
        case {"type": "array", "items": items}:
            return st.lists(drawn(items, names), min_size=schema.get("minItems", 0), max_size=3)
        case {"type": "integer"}:
            least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
            most = min(schema.get("maximum", 60), 60)
            return st.integers(least, max(least, most))
        case {"type": "number"}:
            return st.floats(
                1e-6 if "exclusiveMinimum" in schema else schema.get("minimum", 0), schema.get("maximum", 1),
                exclude_max=schema.get("exclusiveMaximum") == 1,
            )  # fmt: skip
        case {"type": "string", "pattern": pattern}:  # a class of one's own needs its file
            return st.nothing() if ".py" in pattern else st.from_regex(pattern, fullmatch=True)
        case {"type": kind}:
            return {"string": st.text(max_size=9), "boolean": st.booleans(), "null": st.none()}[kind]
    raise AssertionError(f"teach this test to draw {schema}")


def fields_of(task: Task) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield part, name and schema of each setting of a task's model and training, and the schemas it refers to."""
    for part, kind in (("model", task.model), ("training", task.training)):
        schema = kind.model_json_schema()
        for name, field in schema["properties"].items():
            if f"{part}.{name}" not in OF_FILES:
                yield part, name, field, schema.get("$defs", {})


FIELDS = [(task.name, *field) for task in TASKS for field in fields_of(task)]


def validated(raw: dict[str, Any]) -> RunOfAnyTask:
    """Return the settings of a run; such as cannot be are not drawn."""
    try:
        return run_settings(raw)
    except ValidationError:
        assume(False)
        raise


def key(run: RunOfAnyTask, seed: int = 0) -> str:
    """Return the key of a run."""
    return key_of(key_parts(run, seed))


def idle(run: RunOfAnyTask, setting: str) -> bool:
    """Tell whether a setting is one of a layer that the model has not."""
    layer = {"model.embedding_std": "embedding_size", "model.activation": "head_size"}.get(setting)
    return layer is not None and getattr(run.model, layer) is None


@pytest.mark.parametrize(("task", "part", "name", "schema", "names"), FIELDS, ids=lambda value: str(value)[:20])
@settings(often, max_examples=25)
@given(data=st.data())
def test_a_setting_is_in_the_key_if_it_can_change_a_number(
    task: str, part: str, name: str, schema: dict[str, Any], names: dict[str, Any], data: st.DataObject
) -> None:
    """Whatever its old and its new value: another key, unless it is about a layer that is not there."""
    base = data.draw(st.sampled_from(BASES[task]))
    run = validated(base)
    changed = validated({**base, part: {**base.get(part, {}), name: data.draw(drawn(schema, names))}})
    same = run == changed or (idle(run, f"{part}.{name}") and idle(changed, f"{part}.{name}"))
    assert (key(run) == key(changed)) is same


@often
@given(st.data())
def test_runs_have_one_key_if_they_are_the_same(data: st.DataObject) -> None:
    """Two runs with any settings of the schema have one key exactly if nothing that counts is different."""
    task = data.draw(st.sampled_from(TASKS))
    base = data.draw(st.sampled_from(BASES[task.name]))
    raw = dict(base)
    for part, name, schema, names in data.draw(
        st.lists(st.sampled_from(list(fields_of(task))), min_size=1, max_size=4, unique_by=lambda field: field[:2])
    ):
        raw[part] = {**raw.get(part, {}), name: data.draw(drawn(schema, names))}
    one, other = validated(base), validated(raw)
    counting = [
        {name: None if idle(run, f"model.{name}") else value for name, value in run.model_dump()["model"].items()}
        for run in (one, other)
    ]
    same = counting[0] == counting[1] and one.training == other.training
    assert (key(one) == key(other)) is same
    assert len({key(other), key(other, 1), key(other.model_copy(update={"device": "cuda"}))}) == 3


@pytest.mark.parametrize(("setting", "values"), [("embedding_std", (1.0, 0.5)), ("activation", ("relu", "tanh"))])
def test_a_setting_of_a_layer_that_is_not_there_changes_nothing(setting: str, values: tuple[Any, ...]) -> None:
    """The settings that are left out of the key without their layer do not change a single weight or logit."""
    found = []
    for value in values:
        plain = ModelSettings.model_validate({"cell": "rnn", "hidden_size": 6, setting: value}).model_dump(
            exclude={"module", "arguments"}
        )
        torch.manual_seed(0)
        model = SequenceClassifier(5, 3, **plain)
        logits = model(torch.tensor([[1, 2, 3]]), torch.tensor([3]))
        found.append([tensor.tolist() for tensor in (*model.parameters(), logits)])
    assert found[0] == found[1]


# --- data: the key follows what is learnt from -------------------------------------------------------------

TABLE = "text,label,other,when\n" + "".join(
    f"{word} number {i % 7},{'ab'[i % 2]},{'xy'[i % 3 > 0]},{(i * 37) % 11 + i / 10}\n"
    for i, word in enumerate(["one", "two", "three", "four", "five"] * 16)
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table to classify and to forecast, and a copy of it elsewhere."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "table.csv").write_text(TABLE, "utf-8")
    (folder / "copy.csv").write_text(TABLE, "utf-8")
    (folder / "other.csv").write_text(TABLE.replace("five number 4", "five number 3"), "utf-8")
    return folder


def sources(folder: Path) -> dict[str, dict[str, Any]]:
    """Return a base for each data source that needs nothing but a table."""
    table = str(folder / "table.csv")
    return {
        "surnames": {"source": "surnames", "languages": ["Greek", "Tamil"], "limit": 60},
        "csv": {"source": "csv", "file": table},
        "sine": {"source": "sine", "sequences": 9, "length": 20},
        "series": {"source": "series", "file": table, "column": "when", "window": 8, "stride": 3},
        "addition": {"source": "addition", "digits": 3},
    }


def learnt_from(run: RunOfAnyTask) -> object:
    """Return all that a run is given of its data, and all that the record tells of them but their names."""
    if run.data.source == "addition":
        return run.data
    if run.data.source in ("sine", "series"):
        found: Any = forecasting_data.prepare(run.data)
        arrays = [found.train, found.validation, found.test]
    else:
        found = classification_data.prepare(run.data)
        arrays = [found.inputs, found.lengths, found.labels, *found.parts.values()]
    facts = replace(found.facts, digest="", origin=())
    if isinstance(facts, classification_data.DataFacts):
        facts = replace(facts, reading=tuple(reading._replace(file="") for reading in facts.reading))
    return [np.asarray(array).tobytes() for array in arrays], repr(facts)


@pytest.mark.parametrize("source", ["surnames", "csv", "sine", "series", "addition"])
@settings(often, max_examples=40)
@given(data=st.data())
def test_a_data_setting_is_in_the_key_if_it_changes_the_data(
    tables: Path, source: str, data: st.DataObject
) -> None:
    """Another key exactly if the run is given other numbers, or its record tells something else of them."""
    base = sources(tables)[source]
    schema = data_sources()[source].model_json_schema()
    name = data.draw(st.sampled_from([name for name in schema["properties"] if name != "source"]))
    of_tables: dict[str, list[str | None]] = {
        "file": [str(tables / file) for file in ("table.csv", "copy.csv", "other.csv")],
        "test_file": [None, str(tables / "other.csv")],
        "column": ["when"],
        "text": ["text"],
        "label": ["label", "other"],
    }
    whatever = drawn(schema["properties"][name], schema.get("$defs", {}))
    value = data.draw(st.sampled_from(of_tables[name]) if name in of_tables else whatever)
    rest = {"model": {"cell": "rnn"}, "training": {} if source == "addition" else {"keep": "last"}}
    one, other = validated({"data": base, **rest}), validated({"data": {**base, name: value}, **rest})
    try:
        same = learnt_from(one) == learnt_from(other)
    except ReportgenError:  # data that cannot be learnt from have no key either
        assume(False)
    assert (key(one) == key(other)) is same


# --- words -------------------------------------------------------------------------------------------------

NUMBERS = {"data", "model", "training", "runs", "sweeps", "seeds", "device", "profiles"}
"""What of a suite can change its runs; everything else is words."""
METRICS = "metrics"
"""Words, too, but each names a file; test_own_metrics.py has them."""
OF_RUNS = {"name", "data", "model", "training", "device", "import"}


def planned_keys(suite: Suite) -> list[str]:
    """Return the keys of a suite's runs."""
    return [key_of(parts_of_key(run)) for run in runs_of(suite, "cpu")]


@pytest.mark.slow
@often
@given(st.data())
def test_words_are_in_no_key(data: st.DataObject) -> None:
    """Title, cover, aim, summary, sections, languages, formats; label, baseline, why and reference of a run."""
    task = data.draw(st.sampled_from(TASKS))
    kind = suite_of(task)
    schema = kind.model_json_schema()
    names = schema["$defs"]
    base = {**BASES[task.name][0], "title": "T", "runs": [{"name": "a"}, {"name": "b"}], "seeds": [0, 1]}
    words = {
        name: drawn(field, names)
        for name, field in schema["properties"].items()
        if name not in {*NUMBERS, METRICS}
    }
    run = next(names[name] for name in names if name.endswith("RunDeclaration"))["properties"]
    of_runs = {name: drawn(field, names) for name, field in run.items() if name not in OF_RUNS}
    own = data.draw(st.fixed_dictionaries({}, optional=of_runs))
    changed = {**base, **data.draw(st.fixed_dictionaries({}, optional=words))}
    changed["runs"] = [{"name": data.draw(st.sampled_from(["a", "c"])), **own}, {"name": "b"}]
    assume(changed != base)
    try:
        other = kind.model_validate(changed)
    except ValidationError:
        assume(False)
    assert planned_keys(other) == planned_keys(kind.model_validate(base))
