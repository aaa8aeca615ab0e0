"""A suite with faults: one clear message for each of them, with file, line and place, all at once."""

from pathlib import Path

import pytest
from complaints import SUITE, TOP, beginning, complaint

from reportgen.errors import SuiteError
from reportgen.i18n import fonts
from reportgen.suite.reading import read_suite

SOURCES = (
    "surnames, movie-snippets, imdb, sentence-polarity, csv, tsv, jsonl, folder, function, sine, series, "
    "series-function, addition"
)
MODEL = (
    "activation, arguments, bidirectional, cell, dropout, embedding_size, embedding_std, head_size, hidden_size, "
    "layers, log_softmax, module, packed, pooling, recurrent_dropout, vectors, vectors_frozen"
)
TRAINING = (
    "batch_size, early_stopping, epochs, gradient_clip, gradient_clip_value, keep, learning_rate, "
    "log_gradient_norm, loss, momentum, optimizer, precision, schedule, weight_decay"
)
CELLS = (
    "'rnn', 'lstm', 'gru', 'handwritten_rnn', 'handwritten_lstm', 'handwritten_gru', 'handwritten_peephole_lstm', "
    "'handwritten_rnn_i2h_i2o' or a class of your own, file.py:Class"
)
SWEEPABLE = (
    "data.languages, data.limit, data.split.validation, data.split.seed, data.split.test, "
    "data.split.train_per_class, model.cell, "
    "model.hidden_size, model.layers, model.bidirectional, model.recurrent_dropout, model.packed, model.pooling, "
    "model.embedding_size, model.embedding_std, model.vectors, model.vectors_frozen, "
    "model.head_size, model.activation, model.dropout, model.log_softmax, "
    "training.schedule, training.gradient_clip, training.gradient_clip_value, training.early_stopping, "
    "training.log_gradient_norm, "
    "training.epochs, training.batch_size, training.loss, "
    "training.optimizer, training.learning_rate, training.momentum, training.weight_decay, "
    "training.precision, training.keep, training.schedule.kind, training.schedule.every, "
    "training.schedule.factor, training.schedule.patience, training.schedule.min_delta, training.schedule.lowest, "
    "training.schedule.warmup, training.early_stopping.patience, training.early_stopping.min_delta, device"
)
TEXT = "a text, or one text a language: {zh: …, en: …}"
LEFT = "test + validation below 1, so that something is left to train on"
RULE = "settings that do not go together"


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("sead: [1]", f"6: sead: got the unknown key 'sead', expected one of {TOP}; did you mean 'seeds'?"),
        ("colour: red", f"6: colour: got the unknown key 'colour', expected one of {TOP}"),
        (
            "cover:\n  auther: Li",
            "7: cover.auther: got the unknown key 'auther', expected one of author, course, date, department, "
            "major, school, student_class, student_number, supervisor; did you mean 'author'?",
        ),
        (
            "training:\n  epoch: 3",
            f"7: training.epoch: got the unknown key 'epoch', expected one of {TRAINING}; did you mean 'epochs'?",
        ),
        (
            "    lable: A",
            "6: runs[0].lable: got the unknown key 'lable', expected one of baseline, data, device, import, "
            "label, model, name, reference, training, why; did you mean 'label'?",
        ),
        (
            "    model:\n      hiden_size: 8",
            f"7: runs[0].model.hiden_size: got the unknown key 'hiden_size', expected one of {MODEL}; "
            "did you mean 'hidden_size'?",
        ),
        (
            "    training: {Keeep: last}",
            f"6: runs[0].training.Keeep: got the unknown key 'Keeep', expected one of {TRAINING}; "
            "did you mean 'keep'?",
        ),
        (
            "sweeps:\n  - grid: {model.layers: [1]}\n    base: a\n    gird: 1",
            "9: sweeps[0].gird: got the unknown key 'gird', expected one of base, grid, why; did you mean 'grid'?",
        ),
        (r'"a\nb": 1', rf"6: 'a\nb': got the unknown key 'a\nb', expected one of {TOP}"),
    ],
    ids=beginning,
)
def test_an_unknown_key_is_named_with_the_keys_there_are(tmp_path: Path, added: str, expected: str) -> None:
    """An unknown key is reported at its own line, with those that there are and the nearest of them."""
    assert complaint(tmp_path, f"{SUITE}{added}\n") == f"suite.yaml:{expected}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "surnames}",
            "surnames, limits: 9}",
            "2: data.limits: got the unknown key 'limits', expected one of languages, limit, source, split; "
            "did you mean 'limit'?",
        ),
        (
            "surnames}",
            "surnames,\n  split: {tset: 0.3}}",
            "3: data.split.tset: got the unknown key 'tset', expected one of seed, test, train_per_class, "
            "validation; did you mean 'test'?",
        ),
        (
            "rnn}",
            "rnn, layer: 2}",
            f"3: model.layer: got the unknown key 'layer', expected one of {MODEL}; did you mean 'layers'?",
        ),
        ("{cell: rnn}", "[rnn]", "3: model: got a list, expected a mapping"),
        ("{cell: rnn}", "", "3: model: got nothing, expected a mapping"),
        ("{cell: rnn}", "rnn", "3: model: got 'rnn', expected a mapping"),
        ("{cell: rnn}", "{cell: LSTM}", f"3: model.cell: got 'LSTM', expected {CELLS}; did you mean 'lstm'?"),
        ("{cell: rnn}", "{cell: 3}", f"3: model.cell: got 3, expected {CELLS}"),
        ("{cell: rnn}", "{}", "5: runs[0].model.cell: got nothing, expected a value, here or for all runs"),
        ("title: Surnames", "title:", f"1: title: got nothing, expected {TEXT}"),
        ("title: Surnames", "title: 2026", f"1: title: got 2026, expected {TEXT}; put it in quotes"),
        ("title: Surnames", "title: {}", f"1: title: got an empty mapping, expected {TEXT}"),
        ("title: Surnames\n", "", "1: title: got nothing, expected a value (title of the report)"),
        ("runs:\n  - name: a", "runs: {name: a}", "4: runs: got a mapping, expected a list"),
        ("runs:\n  - name: a", "runs: []", "4: runs: got an empty list, expected at least 1"),
        ("- name: a", "- a", "5: runs[0]: got 'a', expected a mapping"),
        ("- name: a", "-", "5: runs[0]: got nothing, expected a mapping"),
        ("name: a", "name: 1", "5: runs[0].name: got 1, expected a text; put it in quotes"),
        (
            "name: a",
            "name: a b",
            "5: runs[0].name: got 'a b', expected a short name: letters, digits, - and _, beginning with a letter",
        ),
        (
            "surnames}",
            "surname}",
            f"2: data.source: got 'surname', expected one of {SOURCES}; did you mean 'surnames'?",
        ),
        (
            "surnames}",
            "surnames, split: {test: 0.7, validation: 0.3}}",
            f"2: data.split: got {RULE}, expected {LEFT}",
        ),
        (
            "surnames}",
            "surnames, split: {validation: 0}}",
            f"5: runs[0]: got {RULE}, expected keep: last, or a validation part above 0 that can choose the best "
            "epoch",
        ),
        (
            "surnames}",
            "surnames, languages: [Greek, Greek]}",
            "2: data.languages: got a list, expected each language once, and Greek is twice",
        ),
        ("surnames}", "surnames, languages: [Greek]}", "2: data.languages: got 1 of them, expected at least 2"),
        (
            "title: Surnames",
            "title: {zh: 姓氏}",
            "1: title: got a text in zh alone, expected a text in en too, or one plain text",
        ),
    ],
    ids=beginning,
)
def test_a_wrong_value_is_reported_at_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """A value that cannot be is reported with what was found and what can be."""
    assert complaint(tmp_path, SUITE.replace(old, new)) == f"suite.yaml:{expected}"


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("training: {epochs: '3'}", "6: training.epochs: got '3', expected a whole number"),
        ("training: {epochs: 3.0}", "6: training.epochs: got 3.0, expected a whole number"),
        ("training: {epochs: true}", "6: training.epochs: got true, expected a whole number"),
        ("training: {epochs: null}", "6: training.epochs: got nothing, expected a whole number"),
        ("training: {epochs: -1}", "6: training.epochs: got -1, expected a number above 0"),
        ("training: {epochs: 0}", "6: training.epochs: got 0, expected a number above 0"),
        ("training: {epochs: 100001}", "6: training.epochs: got 100001, expected a number of at most 100000"),
        ("training: {batch_size: -8}", "6: training.batch_size: got -8, expected a number above 0"),
        ("training: {learning_rate: fast}", "6: training.learning_rate: got 'fast', expected a number"),
        ("training: {learning_rate: true}", "6: training.learning_rate: got true, expected a number"),
        ("training: {learning_rate: 0}", "6: training.learning_rate: got 0, expected a number above 0"),
        ("training: {learning_rate: .inf}", "6: training.learning_rate: got inf, expected a finite number"),
        ("training: {weight_decay: .NaN}", "6: training.weight_decay: got nan, expected a finite number"),
        ("training: {gradient_clip: -.inf}", "6: training.gradient_clip: got -inf, expected a finite number"),
        ("training: {momentum: 1}", "6: training.momentum: got 1, expected a number below 1"),
        ("training: {momentum: 0.9}", f"6: training: got {RULE}, expected no momentum with optimizer adam"),
        ("training: [3]", "6: training: got a list, expected a mapping"),
        ("    model: {hidden_size: -1}", "6: runs[0].model.hidden_size: got -1, expected a number above 0"),
        (
            "    model: {hidden_size: 16385}",
            "6: runs[0].model.hidden_size: got 16385, expected a number of at most 16384",
        ),
        ("    model: {layers: 65}", "6: runs[0].model.layers: got 65, expected a number of at most 64"),
        ("    model: {embedding_size: 0}", "6: runs[0].model.embedding_size: got 0, expected a number above 0"),
        ("    model: {dropout: .nan}", "6: runs[0].model.dropout: got nan, expected a number below 1"),
        (
            "    label: {en: A}",
            "6: runs[0].label: got a text in en alone, expected a text in zh too, or one plain text",
        ),
        (
            "  - name: b\n  - name: a",
            "7: runs[2].name: got the run name 'a' a second time, expected a name of its own",
        ),
        ("seeds: {a: 1}", "6: seeds: got a mapping, expected a list"),
        ("seeds: []", "6: seeds: got an empty list, expected at least 1"),
        ("seeds:\n  - 4\n  - 4", "8: seeds[1]: got 4 a second time, expected each value once"),
        ("seeds: [1, true]", "6: seeds[1]: got true, expected a whole number"),
        ("seeds: [-1]", "6: seeds[0]: got -1, expected a number of at least 0"),
        (f"seeds: {list(range(1001))}", "6: seeds: got 1,001 of them, expected at most 1,000"),
        ("languages: [en, en]", "6: languages[1]: got 'en' a second time, expected each value once"),
        ("formats: [md, md]", "6: formats[1]: got 'md' a second time, expected each value once"),
        (
            "formats: [pfd]",
            "6: formats[0]: got 'pfd', expected 'md', 'html', 'pdf' or 'docx'; did you mean 'pdf'?",
        ),
        (
            "languages: [fr]",
            "6: languages[0]: got 'fr', expected a language with a catalogue: en, zh; "
            "reportgen template copy text.fr.yaml begins one",
        ),
        (
            "languages: [EN]",
            "6: languages[0]: got 'EN', expected a language with a catalogue: en, zh; did you mean 'en'?",
        ),
        ("device: gpu", "6: device: got 'gpu', expected 'auto', 'cpu' or 'cuda'; did you mean 'cuda'?"),
        ("device: " + "x" * 99, f"6: device: got '{'x' * 56}…', expected 'auto', 'cpu' or 'cuda'"),
        (
            r'aim: {"z\nh": x, en: x, c: x, d: x, e: x, f: x}',
            r"6: aim: got a text in 'z\nh', en, c, d, e, … alone, expected a text in zh too, or one plain text",
        ),
        ("cover:", "6: cover: got nothing, expected a mapping"),
        (
            "cover: {course: {en: x}}",
            "6: cover.course: got a text in en alone, expected a text in zh too, or one plain text",
        ),
    ],
    ids=beginning,
)
def test_an_added_value_is_reported_at_its_line(tmp_path: Path, added: str, expected: str) -> None:
    """Wrong types, sizes, repetitions and words are reported with what was found and what can be."""
    assert complaint(tmp_path, f"{SUITE}{added}\n") == f"suite.yaml:{expected}"


@pytest.mark.parametrize(
    ("sweep", "expected"),
    [
        ("base: a\n    grid: {}", "8: sweeps[0].grid: got an empty mapping, expected at least 1"),
        (
            "base: a\n    grid: {model.layers: []}",
            "8: sweeps[0].grid.model.layers: got an empty list, expected at least one value to sweep over",
        ),
        ("base: a\n    grid: {model.layers: 3}", "8: sweeps[0].grid.model.layers: got 3, expected a list"),
        (
            "base: a\n    grid: {model.layer: [1]}",
            "8: sweeps[0].grid.model.layer: got the unknown setting 'model.layer', expected one of "
            f"{SWEEPABLE}; did you mean 'model.layers'?",
        ),
        (
            "base: aa\n    grid: {model.layers: [1]}",
            "7: sweeps[0].base: got 'aa', expected the name of a run that is trained: a; did you mean 'a'?",
        ),
        (
            "base: a",
            "7: sweeps[0].grid: got nothing, expected a value (setting (model.hidden_size, "
            "training.learning_rate, data.limit, …) to its list of values)",
        ),
        (
            "base: a\n    grid:\n      model.cell: [lstn]",
            f"9: sweeps[0].grid.model.cell: got 'lstn', expected {CELLS}; did you mean 'lstm'?",
        ),
        (
            "base: a\n    grid:\n      model.cell: [{rnn: 1}]",
            f"9: sweeps[0].grid.model.cell: got a mapping, expected {CELLS}",
        ),
        (
            "base: a\n    grid:\n      model.layers:\n        - 1\n        - 1",
            "11: sweeps[0].grid.model.layers[1]: got 1 a second time, expected each value once",
        ),
        (
            "base: a\n    grid: {training.momentum: [0.9]}",
            f"8: sweeps[0].grid.training.momentum: got {RULE}, expected no momentum with optimizer adam",
        ),
        (
            "base: a\n    grid: {data.split.test: [0.5, 0.95]}",
            f"8: sweeps[0].grid.data.split.test: got {RULE}, expected {LEFT}",
        ),
        (
            "base: a\n    grid: {model.layers: [2]}\n  - base: a\n    grid: {model.layers: [2]}",
            "9: sweeps[1]: got the variant 'a/layers=2' a second time, expected each combination once",
        ),
        (
            f"base: a\n    grid: {{model.hidden_size: {list(range(1, 201))}, training.batch_size: "
            f"{list(range(1, 101))}}}",
            "6: sweeps: got 60,003 runs (variants × seeds), expected at most 10,000",
        ),
    ],
    ids=beginning,
)
def test_a_wrong_sweep_is_reported_at_its_line(tmp_path: Path, sweep: str, expected: str) -> None:
    """A sweep that cannot be made is reported at the setting that is at fault."""
    assert complaint(tmp_path, f"{SUITE}sweeps:\n  - {sweep}\n") == f"suite.yaml:{expected}"


COLON = "full-width colon; write ':' and a space"
COMMA = "full-width comma; write ','"
BRACKET = "full-width bracket; write '[' and ']', or '{' and '}'"


@pytest.mark.parametrize(
    ("old", "new", "line", "hint"),
    [
        ("title: ", "title：", 2, COLON),
        ("model: {", "model：{", 3, COLON),
        ("cell: rnn", "cell：rnn", 3, COLON),
        ("- name: a", "- name：a", 5, COLON),
        ("- name: a", "- name: a\nlanguages： [zh]\nseeds: [0]", 7, COLON),
        ("cell: rnn", "cell: rnn，layers: 2", 3, COMMA),
        ("- name: a", "- name: a\nseeds: [0，1]", 6, COMMA),
        ("- name: a", "- name: a\nseeds: ［0, 1］", 6, BRACKET),
        ("{cell: rnn}", "｛cell: rnn｝", 3, BRACKET),
        ("- name: a", "- name: a\nformats: [“md”]", 6, "curly quotation marks; write '\"'"),
    ],
)
def test_full_width_punctuation_is_named(tmp_path: Path, old: str, new: str, line: int, hint: str) -> None:
    """What a Chinese keyboard types in the place of : , [ ] { } is named, with what to write instead."""
    found = complaint(tmp_path, SUITE.replace(old, new)).splitlines()
    assert any(said.startswith(f"suite.yaml:{line}: ") and said.endswith(f"; {hint}") for said in found)


def test_full_width_punctuation_inside_a_text_is_no_fault(tmp_path: Path) -> None:
    """A colon or a comma in Chinese prose is not taken for a mistake, whatever else is wrong on its line."""
    suite = f"{SUITE}    label: 模型：一，二\ncover: {{author: 甲：乙，丙, date: 3}}\n"
    assert complaint(tmp_path, suite) == f"suite.yaml:7: cover.date: got 3, expected {TEXT}; put it in quotes"


def test_a_character_that_no_font_has_is_reported_at_its_line(tmp_path: Path) -> None:
    """Wherever the suite has it, it is named before anything is trained; formulas are drawn without fonts."""
    suite = SUITE.replace("Surnames", "{zh: 姓氏, en: Names 🦜}") + (
        "    label: 𒀀\naim: the formula $🦜$ and so on\nsummary: >-\n  the end 🦜\n"
    )
    (tmp_path / "suite.yaml").write_text(suite, "utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path / "suite.yaml", {"zh", "en"}, unprintable=fonts.lacking)
    expected = "expected what the report's fonts can print; write it another way"
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        f"suite.yaml:1: title.en: got the character '🦜' (U+1F99C), found in “Names 🦜”, {expected}",
        f"suite.yaml:6: runs[0].label: got the character '𒀀' (U+12000), found in “𒀀”, {expected}",
        f"suite.yaml:8: summary: got the character '🦜' (U+1F99C), found in “the end 🦜”, {expected}",
    ]


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    """Faults in the YAML, in single values and between values come in one error, sorted by line."""
    suite = SUITE.replace("surnames", "!!str surname").replace("cell", "cel") + (
        "training: {epochs: 0, learnin_rate: 1}\n4: 5\nseeds: [1, 1]\nlanguages: [fr]\ntraining: {epochs: 0}\n"
    )
    assert complaint(tmp_path, suite).splitlines() == [
        "suite.yaml:2: data.source: got the tag '!!str', expected a plain value",
        f"suite.yaml:2: data.source: got 'surname', expected one of {SOURCES}; did you mean 'surnames'?",
        f"suite.yaml:3: model.cel: got the unknown key 'cel', expected one of {MODEL}; did you mean 'cell'?",
        "suite.yaml:7: got the key 4, expected a text as a key; quote it",
        "suite.yaml:8: seeds[1]: got 1 a second time, expected each value once",
        "suite.yaml:9: languages[0]: got 'fr', expected a language with a catalogue: en, zh; "
        "reportgen template copy text.fr.yaml begins one",
        "suite.yaml:10: training: got the same key a second time, expected each key once",
        "suite.yaml:10: training.epochs: got 0, expected a number above 0",
    ]


def test_a_fault_of_a_run_is_not_told_again_for_its_sweeps(tmp_path: Path) -> None:
    """What is wrong with a run is told once, though every variant of it has the same fault."""
    suite = f"{SUITE}    training: {{momentum: 0.9}}\nsweeps: [{{base: a, grid: {{model.layers: [1, 2, 3]}}}}]\n"
    assert complaint(tmp_path, suite) == (
        f"suite.yaml:6: runs[0].training: got {RULE}, expected no momentum with optimizer adam"
    )
