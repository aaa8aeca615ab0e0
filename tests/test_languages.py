"""Catalogues of sentences, and numbers, dates and lists the way each language writes them."""

import math
from pathlib import Path

import pytest

from reportgen.catalogues import placeholders
from reportgen.errors import TemplateError
from reportgen.languages import Language, available, differences, load_languages
from reportgen.resources import TEMPLATES

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])


def catalogue(folder: Path, language: str, text: str) -> Path:
    """Write a catalogue and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"text.{language}.yaml").write_text(text, "utf-8")
    return folder


def load(folder: Path, **texts: str) -> list[Language]:
    """Load languages from catalogues given as text."""
    for language, text in texts.items():
        catalogue(folder, language, text)
    return load_languages(texts, [folder])


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
        ("RNN和LSTM", "RNN and LSTM", ["RNN", "LSTM"]),
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


def test_plurals_follow_the_language(tmp_path: Path) -> None:
    """A language with more forms than English uses them as CLDR says: Polish has one, few and many."""
    text = (
        "run: {one: '{count} przebieg', few: '{count} przebiegi', many: '{count} przebiegów', other: '{count} x'}"
    )
    (polish,) = load(tmp_path, pl=text)
    assert [polish.say("run", count=count) for count in (1, 3, 5, 22)] == [
        "1 przebieg",
        "3 przebiegi",
        "5 przebiegów",
        "22 przebiegi",
    ]


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


def test_a_missing_key_names_the_nearest() -> None:
    """A sentence that the catalogue lacks is named with its file and the nearest one that it has."""
    with pytest.raises(TemplateError) as caught:
        EN.say("summary.leadr")
    assert str(caught.value) == "text.en.yaml has no sentence 'summary.leadr'; did you mean 'summary.leader'?"


def test_a_missing_key_that_resembles_nothing_gets_no_hint() -> None:
    """There is no hint where no key is near."""
    with pytest.raises(TemplateError) as caught:
        ZH.say("zzzzzzzz")
    assert str(caught.value) == "text.zh.yaml has no sentence 'zzzzzzzz'"


def test_a_missing_placeholder_is_named() -> None:
    """A sentence whose placeholder nobody filled in is named with its file and the placeholder."""
    with pytest.raises(TemplateError) as caught:
        EN.say("analysis.tie", leader="RNN")
    assert str(caught.value) == "text.en.yaml: analysis.tie: nothing was given for 'other'"


def test_a_class_has_its_own_name_where_the_catalogue_has_none() -> None:
    """A class of a data set is called what the catalogue calls it, else what the data set does."""
    assert [
        ZH.class_name("surnames", "Polish"),
        EN.class_name("surnames", "Polish"),
        ZH.class_name("surnames", "Klingon"),
    ] == ["波兰语", "Polish", "Klingon"]


def test_catalogues_that_differ_are_refused_with_every_difference(tmp_path: Path) -> None:
    """Each missing sentence and each differing placeholder is listed, from both sides, all at once."""
    with pytest.raises(TemplateError) as caught:
        load(
            tmp_path,
            zh="only: {zh: 甲}\nboth: '{a}和{b}'\nsame: 乙",
            en="only: {en: x}\nboth: '{a} and {c}'\nsame: y",
        )
    assert str(caught.value).splitlines() == [
        "text.en.yaml: got no sentence 'only.zh', expected one, as in text.zh.yaml",
        "text.zh.yaml: got no sentence 'only.en', expected one, as in text.en.yaml",
        "text.en.yaml: both: got the placeholders ['a', 'c'], expected ['a', 'b'], as in text.zh.yaml",
    ]


def test_a_translation_is_held_against_english(tmp_path: Path) -> None:
    """What it lacks, has besides or leaves out is told with its file, though it be the only language."""
    for folder, code, text in (
        ("shipped", "en", "n: {one: '{a} run', other: '{count} runs, {a}'}\nplain: x\ntold: '{a}'"),
        ("own", "de", "n: {one: ein Lauf, other: '{count} Läufe, {a}'}\ntold: '{b}'\nplian: x"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"text.{code}.yaml").write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        load_languages(["de"], [tmp_path / "own", tmp_path / "shipped"])
    file = tmp_path / "own" / "text.de.yaml"
    assert str(caught.value).splitlines() == [
        f"{file}: told: got the placeholder {{b}}, expected {{a}}",
        f"{file}: got the sentence 'plian', which nothing uses, expected one of the catalogue's; "
        "did you mean 'plain'?",
        f"{file}: got no sentence 'plain', expected one, as in text.en.yaml",
        f"{file}: told: got no placeholder {{a}}, expected one, as in text.en.yaml",
    ]


def test_a_form_need_not_print_the_count(tmp_path: Path) -> None:
    """A sentence with plural forms may leave the count out; any other placeholder has to agree."""
    zh, en = load(tmp_path, zh="n: {other: '有{count}个'}", en="n: {one: just one, other: several}")
    assert [zh.say("n", count=5), en.say("n", count=1), en.say("n", count=5)] == ["有 5 个", "just one", "several"]


def test_the_catalogues_that_ship_agree() -> None:
    """The shipped Chinese and English catalogues have the same sentences with the same placeholders."""
    assert list(differences(ZH, EN)) == []
    assert ZH.messages.keys() == EN.messages.keys()


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_every_shipped_sentence_can_be_said(language: Language) -> None:
    """Each shipped sentence, in each of its forms, is complete when its placeholders are given."""
    for key, message in language.messages.items():
        for count in (1, 2):
            values = dict.fromkeys(placeholders(message) - {"count"}, "X")
            said = language.say(key, **values, count=count)
            assert said.strip(), key
            if "equations" not in key and "$" not in said:
                assert not set("{}") & set(said), key


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("expected a mapping of sentences", "- a\n- b\n"),
        ("1: got a list, expected", "[a, b]"),
        ("1: got nothing, expected", ""),
        ("2: got mapping values are not allowed here", "a: b\n  c: [\n"),
        ("2: a: got the same key a second time, expected each key once", "a: b\na: c\n"),
        ("key: got 'h_{t-1}', expected a text with {placeholders}", "key: h_{t-1}"),
        ("key: got '{', expected a text", "key: '{'"),
        ("key: got '{}', expected a text", "key: '{}'"),
        ("key: got '{0}', expected a text", "key: '{0}'"),
        ("key: got '{x.__class__}', expected a text", "key: '{x.__class__}'"),
        ("key: got '{x:>9}', expected a text", "key: '{x:>9}'"),
        ("key: got '{x!r}', expected a text", "key: '{x!r}'"),
        ("part.key: got 3, expected a text", "part: {key: 3}"),
        ("key: got a list, expected a text", "key: [a]"),
        ("key: got a mapping, expected a text", "key: {one: a, other: 3}"),
        ("1: a: got the tag '!!python/name:os.system'", "a: !!python/name:os.system x"),
        ("2: b[2]: got more than 20,000 values", "a: &a [" + "x," * 5000 + "]\nb: [*a, *a, *a]"),
        ("1: got values nested too deeply", "a: " + "[" * 99 + "]" * 99),
    ],
)
def test_a_malformed_catalogue_gives_one_clear_message(tmp_path: Path, expected: str, text: str) -> None:
    """Whatever is wrong with a catalogue, the message names the file and the place."""
    with pytest.raises(TemplateError) as caught:
        load(tmp_path, en=text)
    assert str(caught.value).startswith(f"{tmp_path / 'text.en.yaml'}:")
    assert expected in str(caught.value)


def test_a_catalogue_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A file in another encoding is named."""
    (tmp_path / "text.zh.yaml").write_bytes("a: 中文".encode("gbk"))
    with pytest.raises(TemplateError) as caught:
        load_languages(["zh"], [tmp_path])
    assert str(caught.value).startswith(f"{tmp_path / 'text.zh.yaml'}:1: got the byte 0xd6, which is not UTF-8")


def test_a_catalogue_that_is_a_link_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """A symbolic link to a file elsewhere is not read, and the message shows nothing of it."""
    (tmp_path / "secret").write_text("password: 1234", "utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "text.en.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateError, match="got a link that leads out of") as caught:
        load_languages(["zh", "en"], [tmp_path / "own", TEMPLATES])
    assert "password" not in str(caught.value)


def test_a_folder_beside_the_suite_overrides_single_sentences(tmp_path: Path) -> None:
    """The suite's own catalogue replaces the sentences it has; the rest stay."""
    own = catalogue(tmp_path, "en", "section: {aim: Purpose}")
    zh, en = load_languages(["zh", "en"], [own, TEMPLATES])
    assert [
        en.say("section.aim"),
        en.say("section.data"),
        zh.say("section.aim"),
    ] == ["Purpose", "Data", "实验目的"]


def test_an_own_sentence_that_nothing_uses_is_refused(tmp_path: Path) -> None:
    """A misspelt key and an unknown placeholder are named with their file, and with what may have been meant."""
    own = catalogue(
        tmp_path,
        "en",
        "section: {aimm: Purpose}\nzzz: nothing like it\n"
        "caption: {figure: '{reff}: {text}'}\nlist: {and: ' {x} '}\n"
        "results: {failures: 'There are {count} in {tabel}.'}",
    )
    with pytest.raises(TemplateError) as caught:
        load_languages(["zh", "en"], [own, TEMPLATES])
    file = own / "text.en.yaml"
    assert str(caught.value).splitlines() == [
        f"{file}: got the sentence 'section.aimm', which nothing uses, expected one of the catalogue's; "
        "did you mean 'section.aim'?",
        f"{file}: got the sentence 'zzz', which nothing uses, expected one of the catalogue's",
        f"{file}: caption.figure: got the placeholder {{reff}}, expected {{ref}}, {{text}}; did you mean 'ref'?",
        f"{file}: list.and: got the placeholder {{x}}, expected none",
        f"{file}: results.failures: got the placeholder {{tabel}}, expected {{count}}, {{table}}; "
        "did you mean 'table'?",
    ]


def test_an_own_sentence_may_say_less(tmp_path: Path) -> None:
    """A placeholder may be left out, in one language alone; classes of one's own data may have names."""
    own = catalogue(tmp_path, "en", "caption: {figure: '{text}'}\nclass: {csv: {'1': spam}}")
    zh, en = load_languages(["zh", "en"], [own, TEMPLATES])
    assert (en.say("caption.figure", text="t"), en.class_name("csv", "1"), zh.class_name("csv", "1")) == (
        "t", "spam", "1",
    )  # fmt: skip


def test_an_own_template_may_have_sentences_of_its_own(tmp_path: Path) -> None:
    """A key that an own template names is known, if every language has it with the same placeholders."""
    (tmp_path / "report.md.j2").write_text("""{{ t("my.words", x=1) }} {{ t('your.' ~ title) }}""", "utf-8")
    own = catalogue(tmp_path, "en", "my: {words: 'of {x}'}\nyour: {title: yours}")
    with pytest.raises(TemplateError) as caught:
        load_languages(["zh", "en"], [own, TEMPLATES])
    assert str(caught.value).splitlines() == [
        "text.zh.yaml: got no sentence 'my.words', expected one, as in text.en.yaml",
        "text.zh.yaml: got no sentence 'your.title', expected one, as in text.en.yaml",
    ]
    catalogue(tmp_path, "zh", "my: {words: '{x}的'}\nyour: {title: 你的}")
    zh, _ = load_languages(["zh", "en"], [own, TEMPLATES])
    assert zh.say("my.words", x=1) == "1 的"


def test_a_third_language_is_one_more_file(tmp_path: Path) -> None:
    """A complete catalogue beside the suite is all that another language takes."""
    own = catalogue(tmp_path, "de", (TEMPLATES / "text.en.yaml").read_text("utf-8").replace(": Aim", ": Ziel"))
    assert sorted(available([own, TEMPLATES])) == ["de", "en", "zh"]
    _, german = load_languages(["zh", "de"], [own, TEMPLATES])
    assert [
        german.say("section.aim"),
        german.date("2026-11-21"),
        german.listing(["1", "2"]),
    ] == ["Ziel", "21. November 2026", "1 and 2"]


def test_a_language_that_cldr_does_not_know_is_refused(tmp_path: Path) -> None:
    """A catalogue of an unknown language cannot choose forms or write dates, and says so."""
    (language,) = load(tmp_path, qqq="n: {other: '{count} x'}")
    with pytest.raises(TemplateError) as caught:
        language.say("n", count=1)
    assert str(caught.value) == "text.qqq.yaml: got the language 'qqq', expected a code of CLDR's"


def test_a_folded_sentence_ends_without_a_line_end(tmp_path: Path) -> None:
    """The line end of a folded YAML text is dropped; a space that is meant stays."""
    (en,) = load(tmp_path, en="folded: >\n  one\n  two\nand: ' and '\n")
    assert [en.say("folded"), en.say("and")] == ["one two", " and "]


def test_braces_can_be_written(tmp_path: Path) -> None:
    """Doubled braces are braces, as in the LaTeX of a sentence."""
    (en,) = load(tmp_path, en="formula: $h_{{t-1}}$ of {x}")
    assert en.say("formula", x="RNN") == "$h_{t-1}$ of RNN"
