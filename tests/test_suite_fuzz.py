"""Whatever is in the file: a suite that expands, or SuiteError with every problem in full, and soon.

REPORTGEN_FUZZ sets the number of examples of each test: `REPORTGEN_FUZZ=20000 pytest tests/test_suite_fuzz.py`.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reportgen.errors import SuiteError
from reportgen.resources import shipped_suites
from reportgen.suite.document import LARGEST_FILE
from reportgen.suite.expansion import MOST_RUNS, runs_of
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import json_schema

SHIPPED = shipped_suites()["suite_rnn_vs_lstm"].read_bytes()
SMALL = b"title: T\ndata: {source: surnames}\nmodel: {cell: rnn}\nruns:\n  - name: a\n"

fuzzed = settings(
    max_examples=int(os.environ.get("REPORTGEN_FUZZ", "200")),
    deadline=None,  # a busy machine is no fault of the reader
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that every example is written to."""
    return tmp_path_factory.mktemp("fuzz") / "suite.yaml"


def read(file: Path, raw: bytes) -> int:
    """Read `raw` as a suite and return the number of its runs; 0 for one that is refused as it should be."""
    file.write_bytes(raw)
    try:
        names = [run.name for run in runs_of(read_suite(file, {"zh", "en"}), "cpu")]
    except SuiteError as refusal:
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


# --- the file that ships, with bytes changed ---------------------------------------------------------------

Mutation = Callable[[bytes], bytes]

places = st.integers(0, len(SHIPPED))
lengths = st.integers(1, 60)
snippets = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(list("\t\r\n\0:-?[]{},#&*!|>'\"%@`~\\.0")).map(str.encode),
    st.sampled_from(["&a ", "*a", "!!int ", "!t ", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "? "]).map(str.encode),
    st.sampled_from(["\\x07", "\\ud800", "\\U0011ffff", "\u2028", "\ufeff", "\x85"]).map(str.encode),
    st.sampled_from(["1e999", ".nan", "-1", "0x", "null", "9" * 5000, "[" * 60, "\n" + " " * 80]).map(str.encode),
)


def inserted(at: int, what: bytes) -> Mutation:
    """Put bytes in."""
    return lambda raw: raw[:at] + what + raw[at:]


def deleted(at: int, length: int) -> Mutation:
    """Take bytes out."""
    return lambda raw: raw[:at] + raw[at + length :]


def flipped(at: int, bit: int) -> Mutation:
    """Turn one bit over."""
    return lambda raw: raw[:at] + bytes(byte ^ (1 << bit) for byte in raw[at : at + 1]) + raw[at + 1 :]


def duplicated(at: int, length: int, to: int) -> Mutation:
    """Put a copy of some bytes elsewhere."""
    return lambda raw: raw[:to] + raw[at : at + length] + raw[to:]


mutations = st.lists(
    st.one_of(
        st.builds(inserted, places, snippets),
        st.builds(deleted, places, lengths),
        st.builds(flipped, places, st.integers(0, 7)),
        st.builds(duplicated, places, lengths, places),
    ),
    min_size=1,
    max_size=5,
)


@fuzzed
@given(mutations)
def test_a_damaged_suite_is_read_or_refused(file: Path, mutations: list[Mutation]) -> None:
    """Bytes put in, taken out, flipped and doubled in the suite that ships raise nothing but SuiteError."""
    raw = SHIPPED
    for mutation in mutations:
        raw = mutation(raw)
    read(file, raw)


@fuzzed
@given(st.lists(snippets, max_size=40))
def test_scraps_of_yaml_are_read_or_refused(file: Path, scraps: list[bytes]) -> None:
    """What YAML has a meaning for, in any order, raises nothing but SuiteError."""
    read(file, SMALL + b"aim: " + b"".join(scraps))


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


@fuzzed
@given(suites | junk)
def test_any_structure_of_the_schemas_words_is_read_or_refused(file: Path, suite: object) -> None:
    """The schema's keys with right and wrong values at every level raise nothing but SuiteError."""
    read(file, yaml(suite))


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
