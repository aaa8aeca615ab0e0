"""From the suite to its runs: what is laid under what, what is multiplied, and YAML 1.2 on the way there."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reportgen.errors import SuiteError
from reportgen.lab.settings import RunOfAnyTask
from reportgen.resources import shipped_suites
from reportgen.suite.document import Document
from reportgen.suite.expansion import Run, Variant, expand, runs_of
from reportgen.suite.imports import ImportedRun
from reportgen.suite.reading import read_suite
from reportgen.suite.schema import Suite
from reportgen.suite.text import as_read
from reportgen.tasks.classification.settings import (
    ModelSettings,
    RunSettings,
    SplitSettings,
    SurnamesSettings,
    TrainingSettings,
)

HEAD = "title: Surnames\ndata: {source: surnames}\n"
ONE_RUN = f"{HEAD}model: {{cell: rnn}}\nruns: [{{name: a}}]\nseeds: [0]\n"


def read(folder: Path, text: str) -> Suite:
    """Write a suite to a file and read it."""
    file = folder / "suite.yaml"
    file.write_text(text, "utf-8")
    return read_suite(file, {"zh", "en"}).suite


def expanded(folder: Path, text: str) -> tuple[Run, ...]:
    """Return the runs of a suite on the CPU."""
    return runs_of(read(folder, text), "cpu")


def only_variant(folder: Path, text: str) -> Variant:
    """Return the variant of a suite that has one run."""
    (run,) = expanded(folder, text)
    return run.variant


def surnames_in(settings: RunOfAnyTask | ImportedRun) -> SurnamesSettings:
    """Return the data settings of a run on surnames."""
    assert isinstance(settings.data, SurnamesSettings)
    return settings.data


def embedding_size(variant: Variant) -> int | None:
    """Return the embedding size of a classification run."""
    assert isinstance(variant.settings, RunSettings)
    return variant.settings.model.embedding_size


def label(folder: Path, value: str) -> str:
    """Return the English label of a run whose label is written as `value` in the YAML."""
    text = ONE_RUN.replace("name: a", f"name: a, label: {value}")
    return only_variant(folder, text).label_in("en")


def test_a_suite_of_three_lines_gets_every_default(tmp_path: Path) -> None:
    """What a suite does not say is what the settings' classes say."""
    runs = expanded(tmp_path, f"{HEAD}runs: [{{name: a, model: {{cell: rnn}}}}]\n")
    assert [run.name for run in runs] == ["a/seed=0", "a/seed=1", "a/seed=2"]
    settings = runs[0].variant.settings
    assert settings.model == ModelSettings(cell="rnn", hidden_size=128, layers=1, embedding_size=None, dropout=0.0)
    assert settings.training == TrainingSettings(
        epochs=10,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.001,
        momentum=0.0,
        weight_decay=0.0,
        gradient_clip=None,
        keep="best",
    )
    data = surnames_in(settings)
    assert data.split == SplitSettings(validation=0.1, seed=0)
    assert (len(data.languages), data.limit, settings.device) == (18, None, "cpu")


def test_a_run_overrides_the_suite_setting_by_setting(tmp_path: Path) -> None:
    """A run's own settings win; the suite's stay for what it does not say, and the defaults below them."""
    text = f"""{HEAD}
model: {{cell: lstm, hidden_size: 32}}
training: {{epochs: 5, optimizer: sgd, momentum: 0.9}}
runs:
  - {{name: plain}}
  - {{name: other, model: {{cell: gru, layers: 2}}, training: {{epochs: 7, momentum: 0}}}}
seeds: [0]
"""
    plain, other = (run.variant.settings for run in expanded(tmp_path, text))
    assert plain.model == ModelSettings(cell="lstm", hidden_size=32)
    assert plain.training == TrainingSettings(epochs=5, optimizer="sgd", momentum=0.9)
    assert other.model == ModelSettings(cell="gru", hidden_size=32, layers=2)
    assert other.training == TrainingSettings(epochs=7, optimizer="sgd", momentum=0)


def test_a_run_can_take_back_what_the_suite_sets(tmp_path: Path) -> None:
    """Null in a run undoes a value of the suite where a setting may be without one."""
    text = ONE_RUN.replace("{cell: rnn}", "{cell: rnn, embedding_size: 16}")
    without = text.replace("name: a", "name: a, model: {embedding_size: null}")
    assert embedding_size(only_variant(tmp_path, text)) == 16
    assert embedding_size(only_variant(tmp_path, without)) is None


def test_a_grid_varies_its_last_setting_fastest(tmp_path: Path) -> None:
    """A sweep makes every combination in the order of the file, after the runs; its names say what changed."""
    text = f"""{ONE_RUN}
sweeps:
  - base: a
    grid:
      model.hidden_size: [64, 32]
      training.learning_rate: [1e-3, 0.1]
"""
    variants = [run.variant for run in expanded(tmp_path, text)]
    assert [variant.name for variant in variants] == [
        "a",
        "a/hidden_size=64, learning_rate=0.001",
        "a/hidden_size=64, learning_rate=0.1",
        "a/hidden_size=32, learning_rate=0.001",
        "a/hidden_size=32, learning_rate=0.1",
    ]
    assert [(v.settings.model.hidden_size, v.settings.training.learning_rate) for v in variants] == [
        (128, 0.001),
        (64, 0.001),
        (64, 0.1),
        (32, 0.001),
        (32, 0.1),
    ]
    assert variants[2].changed == (("model.hidden_size", 64), ("training.learning_rate", 0.1))


def test_a_point_of_a_sweep_that_is_the_run_itself_is_left_out(tmp_path: Path) -> None:
    """A grid that holds the run's own value, however it is written, makes no second variant of it."""
    text = f"""{ONE_RUN}
sweeps:
  - {{base: a, grid: {{model.hidden_size: [64, 128]}}}}
  - {{base: a, grid: {{training.learning_rate: [1e-3, 0.01], model.layers: [1]}}}}
"""
    found = expand(read(tmp_path, text), Document(tmp_path))
    assert [(v.name, v.baseline) for v in found.variants] == [
        ("a", None),
        ("a/hidden_size=64", "a"),
        ("a/learning_rate=0.01, layers=1", "a"),
    ]
    assert found.left_out == ["a/hidden_size=128", "a/learning_rate=0.001, layers=1"]


def test_a_sweep_starts_from_what_its_run_overrides(tmp_path: Path) -> None:
    """A variant is its run with only the swept settings changed."""
    text = f"""{HEAD}
model: {{cell: rnn, hidden_size: 8}}
runs: [{{name: a}}, {{name: b, model: {{hidden_size: 16, dropout: 0.5}}}}]
sweeps: [{{base: b, grid: {{model.layers: [3]}}}}]
seeds: [0]
"""
    swept = expanded(tmp_path, text)[-1].variant
    assert swept.name == "b/layers=3"
    assert swept.settings.model == ModelSettings(cell="rnn", hidden_size=16, layers=3, dropout=0.5)


def test_a_sweep_reaches_the_settings_of_the_data(tmp_path: Path) -> None:
    """Data settings, those inside data.split among them, are swept without touching their neighbours."""
    text = f"""{ONE_RUN}
sweeps:
  - base: a
    grid: {{data.split.test: [0.5], data.split.seed: [7], data.limit: [null, 100]}}
  - base: a
    grid: {{data.languages: [[Greek, Tamil]]}}
"""
    variants = [run.variant for run in expanded(tmp_path, text)]
    base, whole, limited, two = (surnames_in(variant.settings) for variant in variants)
    assert base.split == SplitSettings(validation=0.1, seed=0)
    assert whole.split == SplitSettings(test=0.5, validation=0.1, seed=7)
    assert (whole.limit, limited.limit) == (None, 100)
    assert two.languages == ("Greek", "Tamil")
    assert variants[3].name == "a/languages=Greek+Tamil"


def test_labels_are_in_both_languages(tmp_path: Path) -> None:
    """A variant's label is its run's in each language, with what changed; a run without a label has its name."""
    text = f"""{HEAD}model: {{cell: lstm}}
runs: [{{name: by_hand, label: {{zh: 手写, en: By hand}}}}, {{name: plain}}]
sweeps:
  - {{base: by_hand, grid: {{model.hidden_size: [64], training.keep: [last]}}}}
  - {{base: plain, grid: {{model.layers: [2]}}}}
seeds: [0]
"""
    variants = [run.variant for run in expanded(tmp_path, text)]
    assert [variant.label_in("zh") for variant in variants] == [
        "手写",
        "plain",
        "手写 (hidden_size = 64, keep = last)",
        "plain (layers = 2)",
    ]
    assert [variant.label_in("en") for variant in variants] == [
        "By hand",
        "plain",
        "By hand (hidden_size = 64, keep = last)",
        "plain (layers = 2)",
    ]


def test_every_variant_is_trained_once_a_seed(tmp_path: Path) -> None:
    """Seeds are multiplied out inside each variant, in the order of the file."""
    text = ONE_RUN.replace("[0]", "[5, 3]") + "sweeps: [{base: a, grid: {model.layers: [2]}}]\n"
    runs = expanded(tmp_path, text)
    assert [run.name for run in runs] == ["a/seed=5", "a/seed=3", "a/layers=2/seed=5", "a/layers=2/seed=3"]
    assert [run.seed for run in runs] == [5, 3, 5, 3]


def test_the_most_runs_there_can_be_are_ten_thousand(tmp_path: Path) -> None:
    """A suite of exactly 10,000 runs expands, each under a name of its own."""
    text = ONE_RUN.replace("[0]", str(list(range(100)))) + (
        f"sweeps: [{{base: a, grid: {{model.hidden_size: {list(range(1, 100))}}}}}]\n"
    )
    assert len({run.name for run in expanded(tmp_path, text)}) == 10_000


def test_the_device_is_chosen_when_the_suite_is_expanded(tmp_path: Path) -> None:
    """Every run has the device that was asked for, and differs in nothing else."""
    suite = read(tmp_path, ONE_RUN)
    (on_cpu,), (on_gpu,) = runs_of(suite, "cpu"), runs_of(suite, "cuda")
    assert on_gpu.variant.settings.device == "cuda"
    assert on_gpu.variant.settings.model_copy(update={"device": "cpu"}) == on_cpu.variant.settings


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Nobody can change a run's settings once they are made."""
    settings: Any = only_variant(tmp_path, ONE_RUN).settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.device = "cuda"
    with pytest.raises(ValidationError, match="frozen"):
        settings.model.hidden_size = 1
    assert settings == RunSettings(data=settings.data, model=ModelSettings(cell="rnn"))


def test_the_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    """The same suite with its keys in another order has equal settings, down to the bytes that are stored."""
    one = f"""{HEAD}
model: {{cell: lstm, hidden_size: 16}}
training: {{epochs: 3, optimizer: sgd}}
runs: [{{name: a, model: {{layers: 2, dropout: 0.1}}}}]
seeds: [0]
"""
    other = """
seeds: [0]
runs: [{model: {dropout: 0.1, layers: 2}, name: a}]
training: {optimizer: sgd, epochs: 3}
model: {hidden_size: 16, cell: lstm}
data: {source: surnames}
title: Surnames
"""
    first, second = only_variant(tmp_path, one), only_variant(tmp_path, other)
    assert first == second
    assert first.settings.model_dump_json() == second.settings.model_dump_json()


def test_settings_that_a_sweep_can_change_have_names_of_their_own(tmp_path: Path) -> None:
    """Names of variants hold the last part of a setting alone, so no two settings may share it."""
    every = {
        "data.languages": "[[Greek, Tamil]]",
        "data.limit": "[9]",
        "data.split.test": "[0.3]",
        "data.split.validation": "[0.3]",
        "data.split.seed": "[1]",
        **{f"model.{name}": "[1]" for name in ("hidden_size", "layers", "embedding_size")},
        "model.cell": "[gru]",
        "model.dropout": "[0.5]",
        **{f"training.{name}": "[1]" for name in ("epochs", "batch_size", "learning_rate", "weight_decay")},
        "training.optimizer": "[sgd]",
        "training.momentum": "[0.5]",
        "training.gradient_clip": "[1]",
        "training.keep": "[last]",
    }
    grid = ", ".join(f"{setting}: {values}" for setting, values in every.items())
    swept = expanded(tmp_path, f"{ONE_RUN}sweeps: [{{base: a, grid: {{{grid}}}}}]\n")[-1].variant
    assert swept.name.removeprefix("a/").count("=") == 18
    assert len({part.split("=")[0] for part in swept.name.removeprefix("a/").split(", ")}) == 18


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1e-3", 0.001), ("1E-3", 0.001), ("5", 5.0), (".5", 0.5), ("+1.5e+1", 15.0), ("0x10", 16.0)],
)
def test_numbers_are_those_of_yaml_1_2(tmp_path: Path, written: str, expected: float) -> None:
    """A number needs neither a point nor a sign in its exponent."""
    suite = f"{ONE_RUN}training: {{learning_rate: {written}}}\n"
    assert only_variant(tmp_path, suite).settings.training.learning_rate == expected


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "y", "N", "1:30", "1_000", "0b1", "2026-11-21", "<<"])
def test_words_that_yaml_1_1_took_for_something_else_are_words(tmp_path: Path, word: str) -> None:
    """Norway's label stays `no`: neither a truth value, nor a time, nor a date is made of a text."""
    assert label(tmp_path, word) == word


def test_a_directive_does_not_bring_yaml_1_1_back(tmp_path: Path) -> None:
    """The file is read as YAML 1.2 even where it says 1.1."""
    suite = "%YAML 1.1\n---\n" + ONE_RUN.replace("name: a", "name: a, label: no")
    assert only_variant(tmp_path, suite).label_in("en") == "no"


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """A suite saved by a Windows editor is the same suite."""
    file = tmp_path / "windows.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + ONE_RUN.replace("\n", "\r\n").encode())
    assert read_suite(file, {"zh", "en"}).suite == read(tmp_path, ONE_RUN)


def test_an_alias_stands_for_its_value(tmp_path: Path) -> None:
    """What is written once can be used again by its name."""
    text = f"{HEAD}runs: [{{name: a, model: &m {{cell: gru, layers: 2}}}}, {{name: b, model: *m}}]\nseeds: [0]\n"
    first, second = expanded(tmp_path, text)
    assert first.variant.settings == second.variant.settings
    assert second.variant.settings.model == ModelSettings(cell="gru", layers=2)


def test_a_text_for_one_language_is_enough_where_one_is_printed(tmp_path: Path) -> None:
    """Texts are needed in the suite's languages alone."""
    suite = read(tmp_path, ONE_RUN.replace("title: Surnames", "title: {en: Surnames}\nlanguages: [en]"))
    assert suite.title.in_language("en") == "Surnames"


def test_the_suite_that_ships_expands_to_twenty_runs() -> None:
    """Four cells with five seeds, with the settings written in the file."""
    runs = runs_of(read_suite(shipped_suites()["suite_rnn_vs_lstm"], {"zh", "en"}).suite, "cpu")
    names = ["rnn", "lstm", "gru", "lstm_by_hand"]
    assert [run.name for run in runs] == [f"{name}/seed={seed}" for name in names for seed in range(5)]
    by_hand = runs[-1].variant
    assert by_hand.label_in("zh") == "手写 LSTM"
    assert by_hand.settings.model == ModelSettings(cell="handwritten_lstm", hidden_size=128)
    assert by_hand.settings.training == TrainingSettings(epochs=25, learning_rate=0.002)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("LSTM", "LSTM"), ("LSTM", "LS\u200bTM"), ("LSTM", "ＬＳＴＭ"), ("LSTM", "lstm "),
        ("门控 单元", "门控  单元"),
        ("é", "e\u0301"), ("ﬁne", "fine"), ("LSTM", "LSTM\ufe0f"), ("Straße", "STRASSE"), ("ｱ", "ア"),
    ],
)  # fmt: skip
def test_two_labels_that_read_alike_are_one_too_many(tmp_path: Path, first: str, second: str) -> None:
    """Neither invisible characters nor the width or case of letters make a label of its own."""
    assert as_read(first) == as_read(second)
    one, other = json.dumps(first), json.dumps(second)
    runs = f"[{{name: a, label: {one}}},\n  {{name: b, label: {{zh: 乙, en: {other}}}}}]"
    file = tmp_path / "suite.yaml"
    file.write_text(f"title: T\ndata: {{source: surnames}}\nmodel: {{cell: lstm}}\nruns: {runs}\n", "utf-8")
    with pytest.raises(SuiteError) as told:
        read_suite(file, ["zh", "en"])
    assert "suite.yaml:5: runs[1].label: got the label " in str(told.value)
    assert "which reads as that of a, expected a label of its own" in str(told.value)


@pytest.mark.parametrize(("first", "second"), [("LSTM", "LSTM 2"), ("α", "a"), ("RNN", "R.N.N."), ("甲", "乙")])
def test_labels_that_differ_to_a_reader_are_taken(tmp_path: Path, first: str, second: str) -> None:
    """Another letter, figure or sign is another label; the same label in two languages is one model's."""
    runs = f"[{{name: a, label: {{zh: {first}, en: {first}}}}}, {{name: b, label: {second}}}]"
    file = tmp_path / "suite.yaml"
    file.write_text(f"title: T\ndata: {{source: surnames}}\nmodel: {{cell: lstm}}\nruns: {runs}\n", "utf-8")
    assert [run.name for run in read_suite(file, ["zh", "en"]).suite.runs] == ["a", "b"]
