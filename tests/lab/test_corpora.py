"""Texts of one's own: tables, folders, and what is told when a file is not as it should be."""

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reportgen.errors import DataError
from reportgen.lab.data.corpora import (
    LONGEST_TEXT,
    Corpus,
    read_folder,
    read_labelled,
    read_polarity,
    read_scored_snippets,
)
from reportgen.lab.data.tokens import characters, jieba, letters, vocabulary, words
from reportgen.tasks.classification.data import Encoding, encode, prepare
from reportgen.tasks.classification.settings import SplitSettings, TableSettings

EXPECTED = (["so good", "so bad", "fine, really"], [1, 0, 1], ("no", "yes"))


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a data file."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def plain(corpus: Corpus) -> tuple[list[str], list[int], tuple[str, ...]]:
    """Return texts, labels and classes."""
    return corpus.texts, corpus.labels, corpus.classes


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("csv", 'label,text\nyes,so good\nno,so bad\nyes,"fine, really"\n'),
        ("csv", '\ufefflabel,text\r\nyes,so good\r\nno,so bad\r\nyes,"fine, really"\r\n'),
        ("tsv", "text\tlabel\nso good\tyes\nso bad\tno\nfine, really\tyes\n"),
        ("jsonl", '{"text": "so good", "label": "yes"}\n\n{"text": "so bad", "label": "no"}\n'
                  '{"label": "yes", "text": "fine, really"}\n'),
    ],
    ids=["csv", "csv from Windows", "tsv", "jsonl"],
)  # fmt: skip
def test_a_table_is_read(kind: str, content: str, tmp_path: Path) -> None:
    """Each row is a text and its class; the classes are in the order of their names."""
    corpus = read_labelled(written(tmp_path, f"data.{kind}", content), kind, "text", "label")
    assert (plain(corpus), corpus.origin) == (EXPECTED, (f"data.{kind}",))


def test_columns_have_the_names_that_the_suite_gives(tmp_path: Path) -> None:
    """A table may call its columns what it likes, in any language."""
    file = written(tmp_path, "评论.csv", "编号,内容,类别\n1,很好看,正面\n2,太无聊,负面\n")
    assert plain(read_labelled(file, "csv", "内容", "类别")) == (["很好看", "太无聊"], [0, 1], ("正面", "负面"))


def test_a_quotation_mark_in_a_tab_separated_file_is_just_one(tmp_path: Path) -> None:
    """Only commas need quotation marks around a text."""
    file = written(tmp_path, "data.tsv", 'text\tlabel\n"so good\ta\nit is 5" long\tb\n')
    assert read_labelled(file, "tsv", "text", "label").texts == ['"so good', 'it is 5" long']


def test_a_folder_has_a_file_a_class(tmp_path: Path) -> None:
    """The name of the file is the class; every line with something on it is a text."""
    written(tmp_path, "Greek.txt", "Pappas\n\nVlahos\n")
    written(tmp_path, "Czech.txt", "Novák\n")
    assert plain(read_folder(tmp_path)) == (["Novák", "Pappas", "Vlahos"], [0, 1, 1], ("Czech", "Greek"))


def test_the_polarity_corpus_is_in_latin_1_as_published(tmp_path: Path) -> None:
    """The two files of the corpus are read with their accents."""
    negative = written(tmp_path, "rt-polarity.neg", "a tired clich\xe9 .\n".encode("latin-1"))
    positive = written(tmp_path, "rt-polarity.pos", b"a joy .\nmoving .\n")
    expected = (["a tired cliché .", "a joy .", "moving ."], [0, 1, 1], ("negative", "positive"))
    assert plain(read_polarity(negative, positive)) == expected


def test_copies_of_the_polarity_corpus_are_in_utf_8(tmp_path: Path) -> None:
    """Each file counts for itself: what is valid UTF-8 is that, and the report says how each was read."""
    negative = written(tmp_path, "rt-polarity.neg", "a tired cliché — again .\n")
    positive = written(tmp_path, "rt-polarity.pos", "très élégant .\n".encode("latin-1"))
    corpus = read_polarity(negative, positive)
    assert corpus.texts == ["a tired cliché — again .", "très élégant ."]
    assert [reading.encoding for reading in corpus.reading] == ["UTF-8", "Latin-1"]


def test_the_sign_of_a_score_is_the_class(tmp_path: Path) -> None:
    """Scored snippets above 0 are positive, below negative, and those of exactly 0 are left out."""
    file = written(tmp_path, "scores.txt", "1\t2.25\tA joy\r\n2\t-0.6\tToo tepid\r\n3\t0\tA film\r\n")
    assert plain(read_scored_snippets(file, ())) == (["A joy", "Too tepid"], [1, 0], ("negative", "positive"))


TWO = "examples of two classes or more"


def table(content: str | bytes, kind: str = "csv") -> Callable[[Path], Corpus]:
    """Return a reader of a table with that content."""
    return lambda folder: read_labelled(written(folder, f"d.{kind}", content), kind, "text", "label")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (table(""), f"d.csv:1: got an empty file, expected {TWO}"),
        (table("text,label\n"), f"d.csv:1: got an empty file, expected {TWO}"),
        (table("text,label\na,x\nb,x\n"), f"d.csv:1: got the one class 'x', expected {TWO}"),
        (table("texts,label\na,x\n"),
         "d.csv:1: got the first row 'texts,label', expected the names of columns, and 'text' among them; "
            "if it is no row of names, but of data, say data.header: false and data.columns: [label, text]"),
        (table("text,label\na,x\nb\n"),
         "d.csv:3: got 1 cells ('b'), expected 2, one a column"),
        (table("text,label\na,x\n\xff,y\n".encode("latin-1")),
         "d.csv:3: got the byte 0xff, which is not UTF-8, expected a file in UTF-8; as latin-1 this line is "
            "'ÿ,y'; if that is right, say data.encoding: latin-1, or save the file as UTF-8"),
        (table('{"text": "a", "label": "x"}\n{oops\n', "jsonl"),
         "d.jsonl:2: got something else, expected a JSON object on each line"),
        (table("[1]\n", "jsonl"), "d.jsonl:1: got list, expected a JSON object on each line"),
        (read_folder, ": got 0 files *.txt, expected a file a class, two classes or more"),
        (lambda folder: read_scored_snippets(written(folder, "s.txt", "1\tnice\tA joy\n"), ()),
         "s.txt:1: got '1\\tnice\\tA joy', expected number, score and text between tabs"),
        (lambda folder: read_labelled(folder / "none.csv", "csv", "text", "label"),
         "none.csv:1: got an unreadable file (No such file or directory), expected a table"),
    ],
    ids=["empty", "head alone", "one class", "no such column", "short row", "not UTF-8", "not JSON", "no object",
         "empty folder", "no score", "not there"],
)  # fmt: skip
def test_a_fault_is_told_with_file_and_line(read: Callable[[Path], Corpus], message: str, tmp_path: Path) -> None:
    """Each fault of a data file is one message: where, what was found, what was expected."""
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).removeprefix(f"{tmp_path}/").replace(f"{tmp_path}:1", "").endswith(message)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_a_text_of_a_million_characters_and_more_is_refused(kind: str, tmp_path: Path) -> None:
    """A file that is no table of texts is not learnt from."""
    long = "x " * (LONGEST_TEXT // 2 + 1)
    rows = {"csv": f"text,label\n{long},a\n", "tsv": f"text\tlabel\n{long}\ta\n",
            "jsonl": f'{{"text": "{long}", "label": "a"}}\n'}  # fmt: skip
    with pytest.raises(DataError, match=r"d\.\w+:[12]: "):
        read_labelled(written(tmp_path, f"d.{kind}", rows[kind]), kind, "text", "label")


def test_texts_become_words_characters_or_letters() -> None:
    """Words are in lower case, with marks apart; characters drop white space, letters keep it."""
    assert words("Don't stop: it's a well-made FILM!") == [
        "don't",
        "stop",
        ":",
        "it's",
        "a",
        "well-made",
        "film",
        "!",
    ]
    assert characters("很 好看 。") == ["很", "好", "看", "。"]
    assert letters("o neill") == list("o neill")


WORDS = {
    "यह फिल्म अच्छी है": ["यह", "फिल्म", "अच्छी", "है"],
    "விளையாட்டு நன்று": ["விளையாட்டு", "நன்று"],
    "السَّلَامُ عَلَيْكُمْ": ["السَّلَامُ", "عَلَيْكُمْ"],
    "cafe\u0301 the\u0301": ["cafe\u0301", "the\u0301"],
    "می\u200cخواهم بروم": ["می\u200cخواهم", "بروم"],
    "หนังดีมาก นักแสดง": ["หนังดีมาก", "นักแสดง"],
    "שָׁלוֹם!": ["שָׁלוֹם", "!"],
    "我爱GRU，很好": ["我", "爱", "gru", "，", "很", "好"],
    "❤️ a_b 3.14": ["❤️", "a", "_", "b", "3", ".", "14"],
}


@pytest.mark.parametrize("text", WORDS)
def test_words_keep_the_marks_on_their_letters(text: str) -> None:
    """Of Hindi, Tamil, pointed Arabic and Hebrew, Persian with its joiner, Thai, decomposed accents."""
    assert words(text) == WORDS[text]
    assert "".join(WORDS[text]) == "".join(text.lower().split())


def test_texts_without_spaces_are_characters_unless_said(tmp_path: Path) -> None:
    """Half of the letters and more in a script without spaces; `words` has to be asked for."""
    rows = "".join(f"{'甲乙'[i % 2]},我先写了一个裸的lstm{i}\n" for i in range(12))
    file = str(written(tmp_path, "d.csv", f"label,text\n{rows}"))
    usual, asked = (
        prepare(TableSettings(source="csv", file=file, tokens=tokens)).facts for tokens in (None, "words")
    )
    assert (usual.tokens, asked.tokens) == ("characters", "words")
    assert usual.unspaced == 96 / 144  # 8 of 12 letters a row
    assert usual.digest != asked.digest


def test_texts_are_normalised_and_so_is_their_digest(tmp_path: Path) -> None:
    """é is one letter, typed as one or as two; the key of a run does not tell them apart."""
    composed = "label,text\n" + "café,très\nthé,bon\n" * 5
    files = [
        written(tmp_path, "a.csv", composed),
        written(tmp_path, "b.csv", unicodedata.normalize("NFD", composed)),
    ]
    found = [prepare(TableSettings(source="csv", file=str(file))) for file in files]
    assert found[0].facts.digest == found[1].facts.digest
    assert found[1].facts.classes == ("café", "thé")
    assert found[1].vocabulary == ("bon", "très")


def test_a_vocabulary_has_the_most_frequent_tokens() -> None:
    """b twice, then a and c once each, of which a comes first; without a size, all of them."""
    counts = {"c": 1, "b": 2, "a": 1, "": 9}
    assert (vocabulary(counts, 2), vocabulary(counts)) == (["a", "b"], ["a", "b", "c"])


def test_texts_are_cut_padded_and_numbered() -> None:
    """Only the training part's words have a number, and only so many of them; 3 is any other, 0 padding."""
    corpus = Corpus(["a b a", "b c d e", "x", "?"], [0, 1, 0, 1], ("n", "p"), ())
    parts = {"train": np.array([0, 1]), "validation": np.array([], np.int64), "test": np.array([2, 3])}
    data = encode("toy", corpus, parts, Encoding("words", vocabulary_size=2, max_length=3))
    assert data.vocabulary == ("a", "b")
    assert data.inputs.tolist() == [[1, 2, 1], [2, 3, 3], [3, 0, 0], [3, 0, 0]]
    assert data.lengths.tolist() == [3, 3, 1, 1]
    facts = data.facts
    assert (facts.max_length, facts.cut, facts.unknown_share, facts.lengths["longest"]) == (3, 1, 1.0, 3)
    assert (facts.trained_tokens, facts.vocabulary, facts.unseen_tokens) == (4, 2, 2)  # a b c d; x ?


def test_an_empty_text_is_no_unknown_word(tmp_path: Path) -> None:
    """A network reads one step of padding of it; it has no words, and none that is unknown."""
    file = written(tmp_path, "d.csv", "text,label\n" + "good,a\nbad,b\n" * 6 + ",a\n")
    settings = TableSettings(source="csv", file=str(file), split=SplitSettings(test=0.2, validation=0.2))
    data = prepare(settings)
    assert (data.lengths.tolist(), data.inputs[-1].tolist()) == ([1] * 13, [0])
    assert (data.facts.empty, data.facts.unknown_share, data.facts.lengths["shortest"]) == (1, 0.0, 0)


def test_jieba_finds_the_words_of_chinese_text(tmp_path: Path) -> None:
    """A sentence without spaces becomes words; Latin letters are in lower case, white space is left out."""
    assert jieba("我来到北京清华大学 GRU") == ["我", "来到", "北京", "清华大学", "gru"]
    rows = ["我爱看电影,正面", "电影太无聊,负面"] * 6
    file = written(tmp_path, "评论.csv", "text,label\n" + "\n".join(rows) + "\n")
    data = prepare(TableSettings(source="csv", file=str(file), tokens="jieba"))
    assert {"电影", "无聊"} <= set(data.vocabulary)
    assert data.facts.tokens == "jieba"


WITHOUT = """
import importlib.metadata as metadata
found = metadata.version
def version(name):
    if name == "jieba":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
from reportgen.tasks.classification.data import Encoding
from reportgen.tasks.classification.settings import MovieSnippetsSettings
try:
    Encoding.of(MovieSnippetsSettings(source="movie-snippets", tokens="jieba"))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_jieba_there_is_one_message() -> None:
    """The package and the command that brings it are named, before anything is read."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "MissingPrerequisiteError data.tokens: got 'jieba', expected the package jieba on this machine: "
        "pip install 'reportgen[zh]'\n"
    )


def test_the_version_of_jieba_is_part_of_the_data() -> None:
    """Another dictionary may find other words, so the digest, and with it the run's key, holds the version."""
    corpus = Corpus(["甲乙", "丙"], [0, 1], ("n", "p"), ())
    parts = {"train": np.array([0, 1]), "validation": np.array([], np.int64), "test": np.array([0, 1])}
    one, other = (encode("toy", corpus, parts, Encoding("jieba", version=v)).facts.digest for v in ("1", "2"))
    assert one != other
