"""A suite file that cannot be read: one clear message with file and line."""

from itertools import pairwise
from pathlib import Path

import pytest
from complaints import SUITE, TOP, beginning, complaint

from reportgen.errors import SuiteError
from reportgen.suite.document import DEEPEST, LARGEST_FILE
from reportgen.suite.reading import read_suite

QUOTE = "expected YAML 1.2; quote a text that holds : # { [ or @"
SAVE = "expected a file in UTF-8; save it as UTF-8 in your editor"


@pytest.mark.parametrize(
    ("suite", "expected"),
    [
        (b"", "1: got nothing, expected a mapping: title, data, runs, …"),
        (b"# nothing yet\n", "1: got nothing, expected a mapping: title, data, runs, …"),
        (b"- a\n- b\n", "1: got a list, expected a mapping: title, data, runs, …"),
        (b"hello\n", "1: got 'hello', expected a mapping: title, data, runs, …"),
        (b"title: a\ntraining:\n\tepochs: 3\n", "3: got a tab, expected spaces; YAML does not indent with tabs"),
        (b"title:\ta\n\n  seeds:\t[1]\n", "1: got a tab, expected spaces; YAML does not indent with tabs"),
        (b"title: a\ntitle: \xff\n", f"2: got the byte 0xff, which is not UTF-8, {SAVE}"),
        (b"\xef\xbb\xbfa: b\nc: \xe9\n", f"2: got the byte 0xe9, which is not UTF-8, {SAVE}"),
        (b"title: a\n\naim: b\0c\n", "3: got the control character U+0000, expected text"),
        (b"title: a\naim: \x07\n", "2: got the control character U+0007, expected text"),
        (b"title: a\n---\ntitle: b\n", "2: got a second document, expected one document: no line ---"),
        (
            b"title: &t [x]\nseeds: *s\n",
            "2: seeds: got an alias of 's', expected an alias of an anchor (&) further up",
        ),
        (
            b"cover: &c\n  aim: *c\n",
            "2: cover.aim: got the alias 'c' inside its own value, expected a value that ends",
        ),
        (b"a: " + b"[" * 60 + b"]" * 60, f"1: got values nested too deeply, expected at most {DEEPEST} levels"),
        (b"\na: " + b"[" * 60_000, f"2: got values nested too deeply, expected at most {DEEPEST} levels"),
        (b"title: {zh: a\n", "2: got '<stream end>', expected ',' or '}'"),
        (b"title: a\naim: b: c\n", f"2: got mapping values are not allowed here, {QUOTE}"),
    ],
    ids=beginning,
)
def test_what_is_no_yaml_of_ours_is_reported_at_its_line(tmp_path: Path, suite: bytes, expected: str) -> None:
    """A file that cannot be read as one YAML mapping gives one message with the line."""
    assert complaint(tmp_path, suite) == f"suite.yaml:{expected}"


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("title: Again", "6: title: got the same key a second time, expected each key once"),
        (
            "training:\n  epochs: 1\n  epochs: 2",
            "8: training.epochs: got the same key a second time, expected each key once",
        ),
        ("3: x", "6: got the key 3, expected a text as a key; quote it"),
        ("no: x\ntrue: x", f"6: no: got the unknown key 'no', expected one of {TOP}"),
        ("cover:\n  null: x", "7: cover: got the key nothing, expected a text as a key; quote it"),
        ("? [a, b]\n: x", "6: got the key a list, expected a text as a key; quote it"),
        ("device: !mine cpu", "6: device: got the tag '!mine', expected a plain value"),
        (
            "cover: !!python/object:os.system {}",
            "6: cover: got the tag '!!python/object:os.system', expected a plain value",
        ),
        (
            "seeds: !!python/object/apply:os.system [1]",
            "6: seeds: got the tag '!!python/object/apply:os.system', expected a plain value",
        ),
        (r'aim: "a\0b"', "6: aim: got the control character U+0000, expected text"),
        (r'aim: "\ud800"', "6: aim: got the control character U+D800, expected text"),
    ],
    ids=beginning,
)
def test_yaml_that_a_suite_has_no_use_for_is_refused(tmp_path: Path, added: str, expected: str) -> None:
    """Repeated keys, keys that are no text, tags and escaped control characters are each named with a line."""
    assert complaint(tmp_path, f"{SUITE}{added}\n").splitlines()[0] == f"suite.yaml:{expected}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A suite that does not exist is reported like any other fault."""
    file = tmp_path / "none.yaml"
    with pytest.raises(SuiteError) as caught:
        read_suite(file, {"en"})
    assert str(caught.value) == f"{file}:1: got no such file, expected a suite file, YAML"


def test_a_directory_is_not_a_suite(tmp_path: Path) -> None:
    """A directory in the place of a suite is reported like any other fault."""
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path, {"en"})
    assert str(caught.value) == f"{tmp_path}:1: got a directory, expected a suite file, YAML"


def test_a_file_over_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    """A file of 10 MB is refused for its size; one of exactly the limit is read."""
    size = "got a file of 10,485,760 bytes, expected at most 131,072 bytes"
    assert complaint(tmp_path, b"#" * 10 * 1024 * 1024) == f"suite.yaml:1: {size}"
    at_the_limit = f"{SUITE}#".encode().ljust(LARGEST_FILE, b"x")
    (tmp_path / "largest.yaml").write_bytes(at_the_limit)
    assert read_suite(tmp_path / "largest.yaml", {"zh", "en"}).suite.title.in_language("en") == "Surnames"


def test_an_alias_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    """Aliases of aliases that would be written out to billions of values stop at the limit."""
    names = "abcdefghij"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    )
    expected = "suite.yaml:5: e[1]: got more than 20,000 values, expected fewer values"
    assert complaint(tmp_path, bomb) == expected
