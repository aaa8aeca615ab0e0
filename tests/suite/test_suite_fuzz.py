"""Whatever is in the file: a suite that is planned, or every problem in full, and soon."""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzzing import damaged, fuzzed, snippets, timed, told
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reportgen import pipeline
from reportgen.errors import InputError
from reportgen.i18n import fonts
from reportgen.planning.load import Loaded
from reportgen.resources import shipped_suites
from reportgen.storage.records import Store
from reportgen.suite.document import LARGEST_FILE
from reportgen.suite.expansion import MOST_RUNS, runs_of
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import json_schema, suite_of
from reportgen.tasks.base import Task, sources
from reportgen.tasks.registry import TASKS

SHIPPED = [file.read_bytes() for file in shipped_suites().values()]
SMALL = b"title: T\ndata: {source: surnames}\nmodel: {cell: rnn}\nruns:\n  - name: a\n"
MOST_PLANNED = 200
"""Runs of a suite that is planned; the key of each takes a fraction of a millisecond."""

MADE = ("surnames", "sine", "addition")
"""Sources whose data are made by reportgen: what comes from a file, or is fetched, is not read here."""


@pytest.fixture(scope="module", autouse=True)
def _tell() -> Iterator[None]:
    """Say at the end what came of the examples; `pytest -s` shows it."""
    yield
    print(f"\n{told()}")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that every example is written to."""
    return tmp_path_factory.mktemp("fuzz") / "suite.yaml"


def read(file: Path, raw: bytes) -> int:
    """Read `raw` as a suite and return the number of its runs; 0 for one that is refused as it should be."""
    file.write_bytes(raw)
    try:
        checked = read_suite(file, {"zh", "en"}, unprintable=fonts.lacking)
        names = [run.name for run in checked.runs]
        if checked.suite.data.source in MADE and len(names) <= MOST_PLANNED:
            suite = checked.suite.model_copy(update={"device": "cpu"})
            runs = runs_of(suite, "cpu")
            loaded = Loaded(file, suite, (), (), {}, (), None, False, checked.document, runs, ())
            planned = pipeline.plan(loaded, Store(file.parent / "records"))
            assert [step.run.name for step in planned.steps] == names
    except InputError as refusal:
        problems = refusal.problems
    else:
        assert 1 <= len(names) <= MOST_RUNS
        assert len(set(names)) == len(names)
        return len(names)
    lines = len(raw.splitlines()) + 1
    assert problems
    for problem in problems:
        assert problem.file == file
        assert 1 <= problem.line <= lines
        assert problem.got.strip()
        assert problem.expected.strip()
        assert str(problem).isprintable(), "one problem is one line, fit for a terminal"
    return 0


# --- the files that ship, with bytes changed ---------------------------------------------------------------


@fuzzed(200)
@given(damaged(SHIPPED))
def test_a_damaged_suite_is_planned_or_refused(file: Path, raw: bytes) -> None:
    """Bytes put in, taken out, flipped and doubled in a suite that ships raise nothing but SuiteError."""
    with timed("a damaged suite") as was_read:
        was_read.append(read(file, raw) > 0)


@fuzzed(100)
@given(st.lists(snippets, max_size=40))
def test_scraps_of_yaml_are_read_or_refused(file: Path, scraps: list[bytes]) -> None:
    """What YAML has a meaning for, in any order, raises nothing but SuiteError."""
    with timed("scraps of YAML") as was_read:
        was_read.append(read(file, SMALL + b"aim: " + b"".join(scraps)) > 0)


# --- structures of the schema's own keys and words ---------------------------------------------------------


def words_of(schema: object) -> set[str]:
    """Return every key and word that a suite can hold, from its JSON Schema."""
    found: set[str] = set()
    if isinstance(schema, dict):
        found = set(schema.get("properties", {})) | {word for word in schema.get("enum", []) if word}
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return found.union(*map(words_of, children))


words = st.sampled_from(sorted(words_of(json_schema()) | {"zh", "fr", "surnames", "data.split.test"}))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-1, 9), st.floats(), st.floats(0, 1), words, st.text()
)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=8
)


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what draws right values, and now and then anything."""
    return st.integers(0, 40).flatmap(lambda n: junk if n == 7 else right)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what draws mappings with some of the fields."""
    return mostly(st.fixed_dictionaries({}, optional={name: mostly(field) for name, field in fields.items()}))


def a_few(values: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[Any]:
    """Return what draws lists without repetitions."""
    return st.lists(values, min_size=1, max_size=most, unique=True)


names = mostly(st.sampled_from(["a", "b", "lstm-2"]))
sizes = st.integers(1, 64)
texts = st.text(max_size=5) | st.fixed_dictionaries({"zh": st.text(max_size=5), "en": st.text(max_size=5)})
keep = st.sampled_from(["best", "last"])
optimizers = st.sampled_from(["sgd", "rmsprop"])
splits = some(test=st.floats(0.1, 0.6), validation=st.floats(0.1, 0.5), seed=sizes)
models = some(hidden_size=sizes, layers=sizes, dropout=st.floats(0, 0.9), embedding_size=st.none() | sizes)
training = some(epochs=sizes, optimizer=optimizers, learning_rate=st.floats(1e-9, 9), keep=keep)
runs = st.fixed_dictionaries(
    {"name": names}, optional={"label": mostly(texts), "model": models, "training": training}
)
grids = some(
    **{
        "model.layers": a_few(sizes, 30),
        "training.batch_size": a_few(sizes, 30),
        "model.cell": st.just(["rnn", "lstm", "gru"]),
        "training.momentum": st.just([0, 0.5]),
        "data.split.test": a_few(st.floats(0.1, 0.9), 3),
        "data.split.validation": st.just([0, 0.1]),
        "training.keep": st.just(["last", "best"]),
    }
)
suites = st.fixed_dictionaries(
    {
        "title": mostly(texts),
        "data": mostly(st.fixed_dictionaries({"source": st.just("surnames")}, optional={"split": splits})),
        "model": mostly(st.just({"cell": "rnn"})),
        "runs": mostly(st.lists(runs, min_size=1, max_size=3, unique_by=lambda run: str(run["name"]))),
    },
    optional={
        "cover": some(author=texts, date=texts),
        "training": training,
        "sweeps": mostly(st.lists(st.fixed_dictionaries({"base": names, "grid": grids}), max_size=2)),
        "seeds": mostly(a_few(sizes, 60)),
        "languages": mostly(st.just(["en"])),
        "formats": mostly(st.just(["md"])),
        "device": mostly(st.just("cpu")),
    },
)


def yaml(value: object) -> bytes:
    """Write a value as YAML."""
    stream = io.BytesIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


@fuzzed(200)
@given(suites | junk)
def test_any_structure_of_the_schemas_words_is_planned_or_refused(file: Path, suite: object) -> None:
    """The schema's keys with right and wrong values at every level raise nothing but SuiteError."""
    with timed("a structure of the schema's words") as was_read:
        was_read.append(read(file, yaml(suite)) > 0)


# --- whatever the schema itself allows, of every task ------------------------------------------------------


def of_schema(node: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return what draws values of a JSON Schema, and now and then anything; `schema` has what it refers to."""
    if "$ref" in node:
        return of_schema(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    for several in ("anyOf", "oneOf"):
        if several in node:
            return st.one_of(*(of_schema(one, schema) for one in node[several]))
    if "const" in node or "enum" in node:
        return mostly(st.sampled_from(node.get("enum", [node.get("const")])))
    match node.get("type"):
        case "object":
            return mostly(of_object(node, schema))
        case "array":
            items = of_schema(node.get("items", {}), schema)
            return mostly(st.lists(items, min_size=node.get("minItems", 0), max_size=3))
        case "integer" | "number" as kind:
            low = math.ceil(node.get("minimum", node.get("exclusiveMinimum", -9)))
            high = int(node.get("maximum", 10**6))
            near = st.integers(low, min(low + 50, high)) | st.integers(low, high)
            return mostly(near if kind == "integer" else st.floats(low, high) | near)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string":
            return mostly(names if "pattern" in node else st.text(max_size=9) | words)
    return junk


def of_object(node: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return what draws mappings: all that is needed, and a few of what may be there."""
    fields = {name: of_schema(own, schema) for name, own in node.get("properties", {}).items()}
    needed = {name: fields.pop(name) for name in node.get("required", []) if name in fields}
    if not fields:
        return st.fixed_dictionaries(needed) if needed else st.dictionaries(words, junk, max_size=2)
    few = st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)
    return few.flatmap(lambda own: st.fixed_dictionaries({**needed, **{name: fields[name] for name in own}}))


def of_task(task: Task) -> st.SearchStrategy[Any]:
    """Return what draws suites of a task: a right one, of which a few parts are as the schema has them."""
    source = "surnames" if task.name == "classification" else next(iter(sources(task)))
    right = {"title": "T", "data": {"source": source}, "model": {"cell": "rnn"}, "runs": [{"name": "a"}]}
    schema = suite_of(task).model_json_schema()
    return of_object({**schema, "required": []}, schema).map(lambda drawn: {**right, **drawn})


whatever = st.one_of(*map(of_task, TASKS))


@fuzzed(100)
@given(whatever)
def test_whatever_the_schema_allows_is_planned_or_refused(file: Path, suite: object) -> None:
    """Suites of every task, drawn from the schema itself, raise nothing but SuiteError."""
    with timed("whatever the schema allows") as was_read:
        was_read.append(read(file, yaml(suite)) > 0)


def test_the_structures_are_right_and_wrong(file: Path) -> None:
    """The fuzzing is about something: among its structures are many suites that expand and many that do not."""
    found: list[int] = []

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(suites)
    def collect(suite: object) -> None:
        found.append(read(file, yaml(suite)))

    collect()
    assert sum(runs > 0 for runs in found) > 20
    assert found.count(0) > 20


# --- the worst that fits into the largest file -------------------------------------------------------------


def filled(head: bytes, unit: bytes, tail: bytes = b"") -> bytes:
    """Repeat `unit`, numbered where it says %d, up to the size of the largest file."""
    parts, size = [head], len(head) + len(tail)
    for i in range(LARGEST_FILE):
        part = unit.replace(b"%d", str(i).encode())
        if size + len(part) > LARGEST_FILE:
            break
        parts.append(part)
        size += len(part)
    return b"".join([*parts, tail])


GRID = ", ".join(
    f"{setting}: {list(range(1, 30))}" for setting in ("model.layers", "data.limit", "training.epochs")
)


@pytest.mark.parametrize(
    "raw",
    [
        filled(b"a: ", b"["),
        filled(b"", b"- "),
        filled(b"", b'{"":'),
        filled(b"a: &a0 []\nb:\n", b"- &a%d []\n"),
        filled(SMALL, b"seeed%d:\n")[:100_000],
        filled(SMALL, b"title: x\n")[:90_000],
        filled(SMALL + b"seeds: [", b"1,", b"]")[:30_000] + b"]",
        filled(SMALL + b"seeds: [", b'"\\a",', b"]"),
        filled(SMALL, b"  - {name: b, modle: {}}\n")[:80_000],
        filled(SMALL + b"sweeps: [{base: a, grid: {", b"modl.layers%d: [],", b"}}]"),
        SMALL + b"sweeps:\n" + f"  - {{base: a, grid: {{{GRID}}}}}\n".encode() * 90,
        SMALL + b"sweeps: [{base: a, grid: {model.layers: [%s]}}]" % b",".join(b"-%d" % i for i in range(1, 3300)),
        filled(b"title: ", b"x\n "),
        filled(b'title: "', b"\\u0041", b'"'),
    ],
    ids=lambda raw: repr(raw.removeprefix(SMALL)[:24])[2:-1],
)
def test_no_file_takes_long(file: Path, raw: bytes) -> None:
    """The worst that fits into a file is read or refused, and does not keep the reader for ever."""
    assert len(raw) <= LARGEST_FILE
    assert read(file, raw) == 0
