"""What a report says of texts: source, parts, vocabulary, padding and cutting, unknown words, word vectors."""

from pathlib import Path

import pytest
from conftest import build

SUITE = """
title: {zh: 文本, en: Texts}
data:
  {source: csv, file: texts.csv, vocabulary_size: 3, max_length: 4, split: {train_per_class: 10, validation: 0.1}}
model: {hidden_size: 4, pooling: max}
training: {epochs: 1}
runs:
  - {name: one-hot, model: {cell: rnn}}
  - {name: glove, model: {cell: rnn, vectors: glove.txt, vectors_frozen: true}}
seeds: [0, 1]
formats: [md]
device: cpu
"""
# the end is cut off; the training part has the, good, bad and film, of which the alphabetically last is dropped
ROWS = ["the good film the end,yes", "the bad film the end,no"]

ENGLISH = [
    "The data are 40 texts in 2 classes, read from texts.csv.",
    "same number of each class for training, 20 in all; of the others 4 choose the epoch, and 16 are tested once",
    "An example has between 4 and 4 words and marks, 4.0 on average (median 4).",
    "Of an example only the first 4 words and marks are used, which cut 40 examples.",
    "shorter examples are filled up to the longest with a padding symbol",
    "The vocabulary holds the 3 most frequent of the 4 different words and marks of the training set",
    "Whatever is not in it becomes one unknown symbol: 12.50% of the words and marks of the test set.",
    "The word vectors glove.txt have 2 numbers a word, and a vector for 2 entries of the vocabulary: 66.7% of "
    "them, which make up 75.0% of the text of the training set.",
]
CHINESE = [
    "数据集包含 40 条文本，分为 2 类，取自表格 texts.csv。",
    "每个类别取同样多的样本用于训练，共 20 个；其余样本中，4 个用于模型选择，16 个只在最后测试一次。",
    "样本最短 4 个词（含标点），最长 4 个，平均 4.0 个（中位数 4）。",
    "每个样本最多使用前 4 个词（含标点），有 40 个样本因此被截断。",
    "较短的样本用填充符补到最长样本的长度",
    "词表只由训练集建立，在其中出现的 4 种词（含标点）里，取最常见的 3 种。",
    "词表之外的词（含标点）统一用一个未知符号表示，占测试集的 12.50%。",
    "词向量 glove.txt 为 2 维，词表中有 2 项带有词向量，占词表的 66.7%，按出现次数计占训练集文本的 75.0%",
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The data sections of the two reports of a small suite on a table, by language."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "texts.csv").write_text("text,label\n" + "\n".join(ROWS * 20) + "\n")
    (folder / "glove.txt").write_text("the 1 2\nfilm -1 0\n")
    (folder / "suite.yaml").write_text(SUITE, "utf-8")
    outcome = build(folder / "suite.yaml", folder / "build")
    assert outcome.unfinished == []
    return {path.name.split(".")[1]: as_read(path) for path in outcome.reports}


def as_read(report: Path) -> str:
    """Return a report without the signs that Markdown needs before some characters."""
    return report.read_text("utf-8").replace("\\", "")


@pytest.mark.parametrize(("language", "sentence"), [("en", s) for s in ENGLISH] + [("zh", s) for s in CHINESE])
def test_the_report_states_what_the_data_are(language: str, sentence: str, reports: dict[str, str]) -> None:
    """Every figure of the sentence is the one counted by hand, in either language."""
    assert sentence in reports[language]


@pytest.mark.parametrize(("language", "head", "none", "no", "yes"), [
    ("en", "| Model | Word vectors | Word vectors kept as they are |", "none", "no", "yes"),
    ("zh", "| 模型 | 预训练词向量 | 词向量固定不变 |", "无", "否", "是"),
])  # fmt: skip
def test_the_settings_name_the_file_and_not_its_place(
    language: str, head: str, none: str, no: str, yes: str, reports: dict[str, str]
) -> None:
    """Which model has which vectors is in the table of differing settings; where files lie is nowhere."""
    rows = reports[language].split(head)[1].splitlines()[2:4]
    assert rows == [f"| one-hot | {none} | {no} |", f"| glove | glove.txt | {yes} |"]
    assert "/glove.txt" not in reports[language]
    assert "/texts.csv" not in reports[language]


def test_the_report_says_how_a_table_was_read(tmp_path: Path) -> None:
    """The encoding, the separator, classes that are one, and empty texts: whatever is not as usual."""
    rows = "".join(
        f"{'101'[i % 2]}{'.0' * (i == 2)};{'' if i == 3 else f'这家店的菜很好吃{i}'}\n" for i in range(20)
    )
    (tmp_path / "t.csv").write_bytes(f"label;text\n{rows}".encode("gbk"))
    (tmp_path / "suite.yaml").write_text(
        "title: {zh: 表, en: Table}\ndata: {source: csv, file: t.csv}\n"
        "model: {hidden_size: 2, embedding_size: 2}\n"
        "training: {epochs: 1}\nruns: [{name: rnn, model: {cell: rnn}}]\nseeds: [0]\nformats: [md]\n",
        "utf-8",
    )
    folder = build(tmp_path / "suite.yaml", tmp_path / "build").folder
    english, chinese = ((folder / f"report.{language}.md").read_text("utf-8") for language in ("en", "zh"))
    assert "t.csv was read as GB18030." in english
    assert "The cells of t.csv are separated by ;." in english
    assert "The class 1.0 is read as 1." in english
    assert "One example is empty: the network reads one step of padding." in english
    assert "t.csv 按 GB18030 编码读取。" in chinese
    assert "类别 1.0 与 1 按同一类别读取。" in chinese
