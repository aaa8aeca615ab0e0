"""What the checks found, told: in the report, on the terminal, in results.json and on the page about them."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, Command, build
from pypdf import PdfReader

from reportgen import pipeline
from reportgen.analysis.checks import Checked, Found
from reportgen.cli.progress import print_outcome
from reportgen.errors import SuiteError
from reportgen.i18n.languages import Language, load_languages
from reportgen.report.checks import Section, section
from reportgen.resources import TEMPLATES
from reportgen.storage.records import Store
from reportgen.suite.declarations import CODES, WARNINGS, Checks, Code, severity
from reportgen.suite.reading import read_suite
from reportgen.suite.text import Text
from reportgen.tasks.addition import checks as addition_checks
from reportgen.tasks.classification import checks as classification_checks
from reportgen.tasks.forecasting import checks as forecasting_checks

ZH, EN = load_languages(["zh", "en"], [TEMPLATES])
BOTH = pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
LABELS = {"a": "Elman", "b": "Big", "c": "Third", "d": "Fourth"}
CHECKS = {
    "classification": classification_checks.CHECKS,
    "forecasting": forecasting_checks.CHECKS,
    "addition": addition_checks.CHECKS,
}
PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text("utf-8")

# what each check finds, as the tests of the checks have it, and what the reader has to be told of it
ITEMS: dict[Code, tuple[Mapping[str, Any], list[str]]] = {
    "RG101": ({"model": "a", "count": 12}, ["Elman", "12"]),
    "RG102": ({"models": ["a", "b"]}, ["Elman", "Big"]),
    "RG103": ({"models": ["a"], "count": 3, "total": 1200, "share": 0.0025}, ["Elman", "3", "1,200", "0.25%"]),
    "RG104": (
        {"models": ["a"], "largest": ("surnames", "Greek"), "most": 4000, "smallest": ("csv", "spam"),
         "fewest": 1000, "ratio": 4.0},
        ["Elman", "4,000", "spam", "1,000", "4.0"],
    ),
    "RG105": (
        {"model": "a", "accuracy": 0.6, "baseline": 0.55, "total": 100}, ["Elman", "60.00%", "55.00%", "100"],
    ),
    "RG201": ({"run": "a/seed=1", "status": "diverged"}, ["a/seed=1"]),
    "RG202": (
        {"model": "a", "setting": "training.learning_rate", "value": 0.002, "edge": "largest", "count": 3},
        ["Elman", "0.002", "3"],
    ),
    "RG203": ({"model": "a", "epoch": 7, "lowest": 0.25, "last": 0.5}, ["Elman", "7", "0.2500", "0.5000"]),
    "RG204": ({"run": "a/seed=1", "accuracy": 0.5}, ["a/seed=1", "50.00%"]),
    "RG205": ({"models": ["a"], "share": 0.8}, ["Elman", "80.00%"]),
    "RG206": ({"models": ["a"], "column": "Date", "count": 59, "line": 3}, ["Elman", "Date", "59", "3"]),
    "RG301": ({"model": "a", "accuracy": 0.5, "majority": 0.51}, ["Elman", "50.00%", "51.00%"]),
    "RG302": ({"run": "a/seed=1", "error": 0.7, "mean": 0.5}, ["a/seed=1", "0.7", "0.5"]),
    "RG303": ({"model": "a", "accuracy": 0.61, "train": 0.5}, ["Elman", "61.00%", "50.00%"]),
    "RG304": (
        {"large": "b", "small": "a", "ratio": 3.7, "more": 3700, "fewer": 1000},
        ["Big", "Elman", "3.7", "3,700", "1,000"],
    ),
    "RG305": ({}, ["3", "0.1", "45", "0.00111", "7"]),
    "RG306": (
        {"model": "a", "seed": 1003, "others": 4, "accuracy": 0.6, "baseline": 0.805},
        ["Elman", "1003", "4", "60.00%", "80.50%"],
    ),
}  # fmt: skip
FIGURES: dict[Code, dict[str, Any]] = {
    "RG105": {"errors": 2.0},
    "RG303": {"errors": 2.0},
    "RG305": {"seeds": 3, "p": 0.1, "comparisons": 45, "level": 0.05 / 45, "needed": 7, "fewest": 3},
}


def a_finding(code: Code) -> Found:
    """Return what the check finds, once."""
    item, _ = ITEMS[code]
    return Found(code, [item] if item else [], ["a/seed=1"], FIGURES.get(code, {}))


def told(language: Language, *findings: Found, silence: Mapping[str, Text] | None = None) -> Section:
    """Return the section on these findings, of all checks."""
    return section(Checked(CODES, findings), Checks.model_validate({"silence": silence or {}}), language, LABELS)


@pytest.mark.parametrize("code", CODES)
@BOTH
def test_a_check_explains_itself_in_two_sentences_with_its_figures(code: Code, language: Language) -> None:
    """The first sentence has every figure and name, the second says what follows; none has a gap."""
    (item,) = told(language, a_finding(code)).told
    assert (item.code, item.severity) == (code, severity(code))
    for figure in ITEMS[code][1]:
        assert figure in item.found + item.advice
    for sentence in (item.found, item.advice):
        assert sentence.endswith("。" if language is ZH else ".")
        assert "{" not in sentence
    assert len(re.findall(r"。" if language is ZH else r"[.?!](?: |$)", item.advice)) == 1


@BOTH
def test_classes_go_by_the_names_of_their_language(language: Language) -> None:
    """A language of surnames is named as the report's language names it; a class of one's own keeps its name."""
    (item,) = told(language, a_finding("RG104")).told
    assert ("希腊语" if language is ZH else "Greek") in item.found
    assert "spam" in item.found


@BOTH
def test_pairs_of_numbers_that_were_seen_have_a_sentence_of_their_own(language: Language) -> None:
    """In addition, what repeats are pairs of numbers, of which a share is expected."""
    (item,) = told(language, Found("RG103", [{"model": "a", "share": 0.095}], [], form="_addition")).told
    assert "9.50%" in item.found
    assert "Elman" in item.found
    assert ("数对" if language is ZH else "pairs") in item.found


@pytest.mark.parametrize(
    ("form", "figures", "expected"),
    [
        ("_error", {"error": 0.5, "mean": 0.0125}, ("0.5", "0.0125")),
        ("_step", {"step": 4000, "usual": 1500}, ("4,000", "1,500")),
    ],
)
@BOTH
def test_each_task_has_its_words_for_a_seed_far_from_the_others(
    language: Language, form: str, figures: Mapping[str, Any], expected: tuple[str, str]
) -> None:
    """Forecasts have errors, and addition steps; model and seed are named."""
    item = {"model": "a", "seed": 7, "others": 4, **figures}
    (own,) = told(language, Found("RG306", [item], [], form=form)).told
    for part in ("Elman", "7", "4", *expected):
        assert part in own.found


@BOTH
def test_long_lists_are_cut(language: Language) -> None:
    """Of eight runs six are named, and the rest are counted."""
    runs = [{"run": f"a/seed={n}", "status": "failed"} for n in range(8)]
    (item,) = told(language, Found("RG201", runs, [])).told
    assert [f"seed={n}" in item.found for n in range(8)] == [True] * 6 + [False] * 2
    assert language.say("checks.more", count="2") in item.found


@pytest.mark.parametrize(
    ("models", "expected"),
    [(["a"], "Elman"), (["a", "b", "c"], "Elman, Big and Third"), (["a", "b", "c", "d"], "all models")],
)
def test_models_are_named_or_are_all_of_them(models: list[str], expected: str) -> None:
    """A few go by their labels; that it is all models is shorter."""
    (item,) = told(EN, Found("RG102", [{"models": models}], [])).told
    assert item.found.endswith(f"every epoch of {expected}.")


def test_warnings_come_before_notes() -> None:
    """Within each, the order is that of the codes."""
    codes = [item.code for item in told(EN, *(a_finding(code) for code in CODES)).told]
    warnings = [code for code in CODES if code in WARNINGS]
    assert codes == [*warnings, *(code for code in CODES if code not in WARNINGS)]


@BOTH
def test_what_was_not_found_is_listed(language: Language) -> None:
    """The titles of all checks that found nothing are there, so that a reader knows what was looked for."""
    got = told(language, a_finding("RG201"))
    assert got.looked_for == len(CODES)
    assert got.absent == [language.say(f"checks.{code}.title") for code in CODES if code != "RG201"]


@BOTH
def test_a_silenced_check_has_its_reason_and_what_it_found(language: Language) -> None:
    """It leaves the list of what was found, and stands with its reason; so does one that found nothing."""
    reason = Text.parse({"zh": "本来如此", "en": "It is so."})
    got = told(language, a_finding("RG104"), silence={"RG104": reason, "RG201": reason})
    assert got.told == []
    assert [item.code for item in got.silenced] == ["RG104", "RG201"]
    assert {item.reason for item in got.silenced} == {"本来如此" if language is ZH else "It is so."}
    assert [bool(item.found) for item in got.silenced] == [True, False]
    assert len(got.absent) == len(CODES) - 2


def test_the_page_the_catalogues_and_the_code_have_the_same_checks() -> None:
    """Every code is looked for in some task, has words in each language, and a heading with title and weight."""
    headings = dict(re.findall(r"^## (RG\d+) (.+)$", PAGE, re.MULTILINE))
    assert list(headings) == list(CODES)
    assert {code for checks in CHECKS.values() for code in checks} == set(CODES)
    for checks in CHECKS.values():
        assert list(checks) == sorted(checks)
    assert {code: EN.say(f"checks.{code}.title") for code in CODES} == headings
    for language in (ZH, EN):
        worded = {key.split(".")[1] for key in language.messages if key.startswith("checks.RG")}
        assert worded == set(CODES)
    weights = re.findall(r"^## (RG\d+).*\n\n(\w+); ([\w ]+)\.", PAGE, re.MULTILINE)
    assert {code: weight.lower() for code, weight, _ in weights} == {code: severity(code) for code in CODES}
    for code, _, tasks in weights:
        own = {task for task, checks in CHECKS.items() if code in checks}
        assert own == (set(CHECKS) if tasks == "all tasks" else set(tasks.split(" and "))), code


@pytest.mark.slow
@BOTH
def test_the_report_of_a_build_has_its_section(tiny_build: pipeline.Outcome, language: Language) -> None:
    """The tiny suite has two seeds, too few; Markdown and PDF say so, and that no run diverged."""
    text = (tiny_build.folder / f"report.{language.code}.md").read_text("utf-8")
    checks = text.split(language.say("section.checks") + "\n")[1].split("\n## ")[0]
    words = {"severity": language.say("checks.warning"), "title": language.say("checks.RG305.title")}
    assert f"- **{language.say('checks.head', code='RG305', **words)}**" in checks
    assert language.say("checks.RG201.title") in checks.strip().splitlines()[-1]
    pages = "".join(
        page.extract_text() for page in PdfReader(tiny_build.folder / f"report.{language.code}.pdf").pages
    )
    assert "RG305" in pages


def test_the_numbers_of_a_build_have_the_checks(tiny_build: pipeline.Outcome) -> None:
    """results.json has code, weight, figures and runs of what was found, and all that was looked for."""
    checks = json.loads((tiny_build.folder / "results.json").read_text("utf-8"))["checks"]
    assert checks["looked_for"] == list(CHECKS["classification"])
    (seeds,) = [item for item in checks["found"] if item["code"] == "RG305"]
    assert (seeds["severity"], seeds["silenced"], len(seeds["runs"])) == ("warning", False, 6)
    figures = seeds["figures"]
    assert (figures["seeds"], figures["comparisons"], figures["needed"]) == (2, 6, 5)
    assert figures["p"] == pytest.approx(1 / 3)
    assert checks["silenced"] == {}


def test_a_build_ends_with_a_line_for_each_check_that_found_something(
    tiny_build: pipeline.Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code, weight and what was found: on one line each, in English, with the names of the suite."""
    print_outcome(tiny_build)
    found = json.loads((tiny_build.folder / "results.json").read_text("utf-8"))["checks"]["found"]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("RG")]
    assert sorted(line.split()[0] for line in lines) == sorted(item["code"] for item in found)
    assert (
        "RG305 warning: too few seeds: With 2 seeds, no order is called clear; it takes at least 3 seeds." in lines
    )
    assert any("lstm has 3.7 times the parameters of rnn" in line for line in lines)


def test_a_build_with_nothing_to_do_ends_with_the_same_lines(
    tiny_build: pipeline.Outcome, reportgen: Command
) -> None:
    """What was found is not forgotten because nothing has changed since."""
    done = reportgen("build", TINY, "--build-dir", tiny_build.folder.parent)
    assert "nothing had changed" in done.stdout
    assert done.returncode == 0
    lines = json.loads((tiny_build.folder / "results.json").read_text("utf-8"))["checks"]["lines"]
    assert [line for line in done.stderr.splitlines() if line.startswith("RG")] == lines


SILENCED = """
checks:
  silence:
    RG305: {zh: 只是试验。, en: It is but a trial.}
formats: [md]
"""


def test_a_suite_silences_a_check_with_a_reason(
    tiny_build: pipeline.Outcome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is trained for it; the report prints the reason, and the terminal no longer has the line."""
    file = tmp_path / "quiet.yaml"
    file.write_text(TINY.read_text("utf-8") + SILENCED, "utf-8")
    shutil.copytree(tiny_build.folder.parent / "records", tmp_path / "build" / "records")
    outcome = build(file, tmp_path / "build")
    assert (outcome.trained, outcome.reused) == (0, 6)
    for language, reason in ((ZH, "只是试验。"), (EN, "It is but a trial.")):
        report = (outcome.folder / f"report.{language.code}.md").read_text("utf-8")
        assert language.say("checks.reason", reason=reason) in report
    print_outcome(outcome)
    assert "RG305" not in capsys.readouterr().err
    checks = json.loads((outcome.folder / "results.json").read_text("utf-8"))["checks"]
    assert checks["silenced"] == {"RG305": {"zh": "只是试验。", "en": "It is but a trial."}}
    assert [item["silenced"] for item in checks["found"] if item["code"] == "RG305"] == [True]


def test_silencing_changes_no_key(tmp_path: Path) -> None:
    """The keys of a suite are those of the same suite without a word on checks."""
    file = tmp_path / "quiet.yaml"
    file.write_text(TINY.read_text("utf-8") + SILENCED, "utf-8")
    keys = [
        [step.key for step in pipeline.plan(pipeline.load(suite), Store(tmp_path)).steps] for suite in (file, TINY)
    ]
    assert keys[0] == keys[1]


def test_a_suite_without_weaknesses_has_one_line() -> None:
    """Where nothing was found, the section says so and lists what was looked for."""
    from contexts import context

    from reportgen.report.markdown import write

    report = write(context(sections=("checks",), checks=told(EN)), EN, [TEMPLATES])
    (line,) = report.split("## 1. Checks\n")[1].strip().splitlines()
    assert line.startswith(
        "The program put data, runs and results to 17 checks, and none found anything: the best of "
    )
    assert all(EN.say(f"checks.{code}.title") in line for code in CODES)


@pytest.mark.parametrize(
    ("silence", "expected"),
    [
        (
            "{RG999: why}",
            f"checks.silence.RG999: got 'RG999', expected {', '.join(map(repr, CODES[:-1]))} or 'RG306'",
        ),
        ("{RG1O5: why}", "or 'RG306'; did you mean 'RG105'?"),
        ("{RG305: {zh: 试验}}", "checks.silence.RG305: got a text in zh alone, expected a text in en too"),
        ("{RG305: }", "checks.silence.RG305: got nothing, expected a text, or one text a language"),
        ("[RG305]", "checks.silence: got a list, expected a mapping"),
    ],
)
def test_a_fault_in_what_is_silenced_is_one_message(silence: str, expected: str, tmp_path: Path) -> None:
    """File, line, what was found and what was expected."""
    file = tmp_path / "suite.yaml"
    text = TINY.read_text("utf-8") + f"checks:\n  silence: {silence}\n"
    file.write_text(text, "utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(file, {"zh", "en"})
    (message,) = str(caught.value).splitlines()
    assert message.startswith(f"{file}:{len(text.splitlines())}: ")
    assert expected in message


def test_an_unknown_code_ends_a_build_with_status_two(tmp_path: Path, reportgen: Command) -> None:
    """Nothing is trained, and there is one line and no traceback."""
    (tmp_path / "suite.yaml").write_text(TINY.read_text("utf-8") + "checks: {silence: {RG999: why}}\n", "utf-8")
    done = reportgen("build", "suite.yaml")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    line = len(TINY.read_text("utf-8").splitlines()) + 1
    assert done.stderr.startswith(
        f"suite.yaml:{line}: checks.silence.RG999: got 'RG999', expected 'RG101', 'RG102', "
    )
    assert not (tmp_path / "build").exists()


def test_the_suite_on_the_page_silences_a_check() -> None:
    """The lines of YAML can be copied."""
    from ruamel.yaml import YAML

    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    checks = Checks.model_validate(YAML(typ="safe", pure=True).load(example)["checks"])
    assert list(checks.silence) == ["RG104"]
