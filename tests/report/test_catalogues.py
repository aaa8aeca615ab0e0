"""Catalogues of sentences: what is missing, wrong or the suite's own is told; a new language is one more file."""

from pathlib import Path

import pytest

from reportgen.errors import TemplateError
from reportgen.i18n.catalogues import placeholders
from reportgen.i18n.languages import Language, available, differences, load_languages
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
