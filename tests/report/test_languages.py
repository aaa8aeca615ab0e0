"""Numbers, dates, lists and counts the way each language writes them."""

import math

import pytest

from reportgen.i18n.languages import Language, load_languages
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
@pytest.mark.parametrize(
    ("expected", "value", "digits"),
    [
        ("0.8286", 0.82856, 4),
        ("999,999.99", 999999.991, 2),
        ("1e+06", 1e6, 4),
        ("−1.23e+07", -12345678.9, 4),
        ("3.4e+38", 3.4e38, 4),
        ("1,234,568", 1234567.891, 0),
        ("−0.5000", -0.5, 4),
        ("−1,000.0", -1000.04, 1),
        ("0.0", -0.04, 1),
        ("3", 3, 0),
        ("—", math.nan, 4),
    ],
)
def test_a_number_has_its_decimals(language: Language, expected: str, value: float, digits: int) -> None:
    """A number has as many decimals as asked for, thousands apart, a real minus sign, a dash for NaN.

    From a million on it has significant digits instead, if it is to have decimals at all.
    """
    assert expected == language.number(value, digits)


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
@pytest.mark.parametrize(
    ("expected", "value", "digits"),
    [
        ("82.9%", 0.8286, 1),
        ("100%", 1.0, 0),
        ("−1.23%", -0.01234, 2),
        ("0.0%", -0.0001, 1),
        ("—", math.nan, 1),
    ],
)
def test_a_percentage(language: Language, expected: str, value: float, digits: int) -> None:
    """A fraction becomes a percentage."""
    assert expected == language.percent(value, digits)


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_points_carry_no_unit(language: Language) -> None:
    """A difference of fractions becomes percentage points, and the sentence says that they are."""
    assert [
        language.points(0.0123),
        language.points(-0.0123, 2),
        language.points(-0.00001, 2),
        language.points(math.nan),
    ] == ["1.2", "−1.23", "0.00", "—"]


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_whole_number_has_its_thousands_apart(language: Language) -> None:
    """A whole number has a comma between thousands, no decimals, and a dash for NaN."""
    assert [
        language.integer(17036),
        language.integer(85266.0),
        language.integer(-1234),
        language.integer(2.7),
        language.integer(math.nan),
    ] == ["17,036", "85,266", "−1,234", "3", "—"]


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_setting_keeps_its_significant_digits(language: Language) -> None:
    """A setting is written the way it was in the suite, without a tail of zeros."""
    assert [
        language.significant(0.002),
        language.significant(0.00001),
        language.significant(12.345),
        language.significant(0.1234567, 6),
        language.significant(-0.5),
        language.significant(math.nan),
    ] == ["0.002", "1e-05", "12.3", "0.123457", "−0.5", "—"]


@pytest.mark.parametrize(
    ("expected", "language", "text"),
    [
        ("2026年11月21日", ZH, "2026-11-21"),
        ("November 21, 2026", EN, "2026-11-21"),
        ("2026年1月2日", ZH, "2026-01-02"),
        ("January 2, 2026", EN, "2026-01-02"),
        ("二〇二六年冬", ZH, "二〇二六年冬"),
        ("Winter term", EN, "Winter term"),
        ("2026-02-30", EN, "2026-02-30"),
        ("20261121", ZH, "20261121"),
        ("2026-W47-6", ZH, "2026-W47-6"),
        ("2026-1-2", ZH, "2026-1-2"),
    ],
)
def test_a_date(expected: str, language: Language, text: str) -> None:
    """An ISO date is written the long way of the language; any other text stays as it is."""
    assert expected == language.date(text)


@pytest.mark.parametrize(
    ("chinese", "english", "items"),
    [
        ("", "", []),
        ("RNN", "RNN", ["RNN"]),
        ("RNN 和 LSTM", "RNN and LSTM", ["RNN", "LSTM"]),
        ("甲、乙和丙", "甲, 乙 and 丙", ["甲", "乙", "丙"]),
        ("RNN，大；LSTM", "RNN，大; LSTM", ["RNN，大", "LSTM"]),
    ],
)
def test_a_listing(chinese: str, english: str, items: list[str]) -> None:
    """Items are joined with the language's comma, and its word for `and` before the last; or with semicolons."""
    assert (chinese, english) == (ZH.listing(items), EN.listing(items))


@pytest.mark.parametrize(
    ("expected", "count"),
    [("One run did not finish.", 1), ("0 runs did not finish.", 0), ("2 runs did not finish.", 2)],
)
def test_english_has_two_forms(expected: str, count: int) -> None:
    """One is the singular in English, everything else the plural."""
    assert expected == EN.say("summary.unfinished", count=count)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_chinese_has_one_form(count: int) -> None:
    """Chinese has no plural."""
    assert f"有 {count} 次训练没有完成。" == ZH.say("summary.unfinished", count=count)


def test_a_count_that_is_formatted_already_chooses_its_form() -> None:
    """A count may come with its thousands apart: 1,001 is not 1."""
    assert EN.say("summary.unfinished", count=EN.integer(1001)) == "1,001 runs did not finish."


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ("表 3 列出了结果", "表{x}列出了结果"),
        ("用 LSTM 训练", "用LSTM训练"),
        ("达到 82.9% 的准确率", "达到82.9%的准确率"),
        ("循环网络 (RNN) 的结果", "循环网络 (RNN)的结果"),
        ("表 3，图 4。", "表{x}，图4。"),
        ("已有 空格", "已有 空格"),
    ],
)
def test_latin_letters_stand_apart_from_chinese(expected: str, sentence: str) -> None:
    """Between Chinese characters and Latin letters or digits there is a space; beside punctuation none."""
    assert expected == Language("zh", {"s": sentence}).say("s", x=3)


def test_other_languages_get_no_spaces() -> None:
    """Only a Chinese sentence is spaced; an English one that quotes Chinese stays as it was written."""
    assert Language("en", {"s": "the word 表{x} here"}).say("s", x=3) == "the word 表3 here"


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [("", "中", "文"), ("", "，", "文"), ("", "，", "L"), ("\n", "中", "L"), ("\n", "M", "中"), ("\n", "a", "b")],
)
def test_lines_of_chinese_join_without_a_space(expected: str, before: str, after: str) -> None:
    """Two lines of a Chinese paragraph are joined with nothing, except beside Latin letters."""
    assert (expected, "\n") == (ZH.between_lines(before, after), EN.between_lines(before, after))
