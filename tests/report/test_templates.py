"""Templates: what the suite's own may replace, what they may not reach, and how their faults are told."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from contexts import AIM, EN, NOTHING, ZH, context
from markupsafe import Markup

from reportgen.analysis.comparisons import Difference, compare
from reportgen.errors import TemplateError
from reportgen.i18n.languages import Language
from reportgen.report.facts import Log
from reportgen.report.markdown import check, write
from reportgen.resources import TEMPLATES
from reportgen.tasks.classification.context import Context


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of templates beside a suite, with a folder for sections; nothing in it yet."""
    folder = tmp_path / "templates"
    (folder / "sections").mkdir(parents=True)
    return folder


def render(own: Path, text: str, language: Language = EN, name: str = "report.md.j2", **changes: Any) -> str:
    """Write one template of the suite's own and fill in the report."""
    (own / name).write_text(text, "utf-8")
    return write(context(**changes), language, [own, TEMPLATES])


def fault(own: Path, text: str, name: str = "report.md.j2", **changes: Any) -> str:
    """Return the message about a template that cannot be filled in."""
    with pytest.raises(TemplateError) as caught:
        render(own, text, name=name, **changes)
    return str(caught.value)


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_the_templates_that_ship_say_when_nothing_finished(language: Language) -> None:
    """A suite of which no run finished still gives a report, which says so."""
    report = write(context(), language, [TEMPLATES])
    assert report.startswith("# Two networks\n\n## ")
    assert report.count(language.say("analysis.nothing")) == 2


def test_the_sections_are_counted_in_order() -> None:
    """The report has its sections, each with its number, and then the appendices."""
    headings = [line for line in write(context(), ZH, [TEMPLATES]).splitlines() if line.startswith("## ")]
    assert headings == [
        "## 一、实验目的",
        "## 二、实验环境",
        "## 三、数据集",
        "## 四、模型",
        "## 五、训练设置",
        "## 六、实验结果",
        "## 七、结果分析",
        "## 八、可信度检查",
        "## 九、总结",
        "## 十、参考文献",
        "## 附录 A　全部训练",
        "## 附录 B　训练日志",
    ]


def test_a_suite_chooses_its_sections_and_their_order() -> None:
    """Only the sections that the suite names stand in the report, numbered in its order."""
    report = write(context(sections=("summary", "aim")), EN, [TEMPLATES])
    assert [line for line in report.splitlines() if line.startswith("## ")] == ["## 1. Summary", "## 2. Aim"]


def test_an_own_partial_replaces_the_one_that_ships(own: Path) -> None:
    """A partial beside the suite is used instead of the shipped one of its name; the other partials stay."""
    report = render(own, "## Why we did it\n\nOf {{ labels['rnn'] }}.", name=AIM)
    shipped = write(context(), EN, [TEMPLATES])
    assert "## Why we did it\n\nOf RNN.\n" in report
    assert "Aim" not in report
    assert (
        report[report.index("## 1. Environment") :].splitlines()[2:6]
        == shipped[shipped.index("## 2. Environment") :].splitlines()[2:6]
    )


def test_without_own_templates_the_shipped_ones_are_used(own: Path) -> None:
    """An empty folder, or one that is not there, changes nothing."""
    shipped = write(context(), EN, [TEMPLATES])
    assert write(context(), EN, [own, TEMPLATES]) == shipped
    assert write(context(), EN, [own / "missing", TEMPLATES]) == shipped


def test_an_own_report_may_use_the_shipped_partials(own: Path) -> None:
    """A suite may have a report of its own making that includes only some of the shipped partials."""
    report = render(own, '{% include "sections/cover.md.j2" %}\n\nThe end.')
    assert report == "# Two networks\n\nThe end.\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\n{{ titel }}", ":3: 'titel' is undefined; did you mean 'title'?"),
        ("{% for x in comparisn %}{% endfor %}", ":1: 'comparisn' is undefined; did you mean 'comparison'?"),
        ("{% if\n  labls %}{% endif %}", "'labls' is undefined; did you mean 'labels'?"),
        ("{{ zzzzzzzz }}", ":1: 'zzzzzzzz' is undefined"),
        ("\n{{ findings.leadr }}", "has no attribute 'leadr'; did you mean 'leader'?"),
        ("{{ labels.rn }}", "'dict object' has no attribute 'rn'; did you mean 'rnn'?"),
    ],
)
def test_a_misspelt_variable_is_named_with_its_place(own: Path, text: str, expected: str) -> None:
    """A name that does not exist is told with file and line, and with the name that may have been meant."""
    message = fault(own, text, AIM)
    assert message.startswith(f"{own / AIM}:")
    assert message.endswith(expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n{% if %}", 2),
        ("{{ title", 1),
        ("a\n\n{% endfor %}", 3),
        ("{{ title | nummber }}", 1),
        ("{% foo %}", 1),
    ],
)
def test_a_syntax_error_is_told_with_file_and_line(own: Path, text: str, line: int) -> None:
    """A template that cannot be read is named with the line where reading stopped."""
    assert fault(own, text, AIM).startswith(f"{own / AIM}:{line}: ")


def test_templates_are_looked_through_before_they_are_filled_in(own: Path) -> None:
    """Syntax errors, unknown filters and partials that are nowhere are told of all templates at once."""
    (own / AIM).write_text("a\n{% if %}", "utf-8")
    (own / "report.md.j2").write_text(
        '{% include "sections/cover.md.j2" %}\n{% include "sections/coverr.md.j2" %}\n'
        '{% include "sections/other.md.j2" ignore missing %}{% include title %}',
        "utf-8",
    )
    (own / "sections" / "data.md.j2").write_text("{{ title | nummber }}", "utf-8")
    (own / "sections" / "models.md.j2").write_bytes("模型".encode("gbk"))
    with pytest.raises(TemplateError) as caught:
        check(EN, [own, TEMPLATES])
    found = [line.removeprefix(f"{own}/") for line in str(caught.value).splitlines()]
    assert found[0] == (
        f"report.md.j2:2: there is no template 'sections/coverr.md.j2' in {own} or {TEMPLATES}; "
        "did you mean 'sections/cover.md.j2'?"
    )
    assert found[1].startswith("sections/aim.md.j2:2: ")
    assert found[2] == "sections/data.md.j2:1: No filter named 'nummber'."
    assert found[3].startswith("sections/models.md.j2: 'utf-8' codec can't decode")
    assert found[3].endswith("; save it as UTF-8 in your editor")
    assert len(found) == 4


def test_the_templates_that_ship_are_right(own: Path) -> None:
    """Looked through as if they were a suite's own, the shipped templates have no fault."""
    check(EN, [TEMPLATES, own])


def test_the_shipped_template_is_named_when_it_is_the_one_that_fails(own: Path) -> None:
    """The place is that of the innermost template: here of the macro that another one calls."""
    (own / "macros.md.j2").write_text("{% macro m() %}\n{{ nothing_like_it }}\n{% endmacro %}", "utf-8")
    message = fault(own, '{% from "macros.md.j2" import m %}\n\n\n{{ m() }}', AIM)
    assert message == f"{own / 'macros.md.j2'}:2: 'nothing_like_it' is undefined"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n{{ 1 / 0 }}", ":2: ZeroDivisionError: division by zero"),
        ("{{ title | number }}", ":1: TypeError: must be real number, not str"),
        ("{{ 'gru' | label }}", ":1: KeyError: 'gru'"),
        ("{{ seeds | sum(attribute=3) | percent }}", ":1: "),
    ],
)
def test_a_calculation_that_fails_is_told_with_file_and_line(own: Path, text: str, expected: str) -> None:
    """A template that computes nonsense gives a message with its place, and no traceback of Python's."""
    assert fault(own, text, AIM).startswith(f"{own / AIM}{expected}")


def test_a_missing_sentence_is_told_with_the_template_that_asks_for_it(own: Path) -> None:
    """A key that no catalogue has is named with the catalogue, and with the template and its line."""
    assert fault(own, '\n{{ t("section.aims") }}', AIM) == (
        f"{own / AIM}:2: text.en.yaml has no sentence 'section.aims'; did you mean 'section.aim'?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ title.__class__.__base__.__subclasses__() }}",
        "{{ t.__globals__ }}",
        "{{ numbering.__init__.__globals__ }}",
        "{{ cite.__func__.__globals__['__builtins__'] }}",
        "{{ '{0.__class__.__mro__}'.format(title) }}",
        "{{ (title | attr('__class__')).__mro__ }}",
        "{% for x in range(100000000) %}{% endfor %}",
    ],
)
def test_templates_run_in_a_sandbox(own: Path, text: str) -> None:
    """A template that reaches for Python's inner parts, or counts without end, is refused."""
    message = fault(own, text, AIM)
    assert message.startswith(f"{own / AIM}:1: ")
    assert any(word in message for word in ("unsafe", "undefined", "no attribute", "No filter", "Range too big"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "../secret.md.j2", "sections/../../secret.md.j2"])
def test_templates_cannot_include_files_from_outside(own: Path, name: str) -> None:
    """A path that leads out of the folders of templates is no template."""
    (own.parent / "secret.md.j2").write_text("secret", "utf-8")
    message = fault(own, f'\n{{% include "{name}" %}}', AIM)
    assert message == f"{own / AIM}:2: there is no template {name!r} in {own} or {TEMPLATES}"


def test_an_absolute_path_is_looked_for_in_the_folders(own: Path, tmp_path: Path) -> None:
    """A template with an absolute path is not read from there."""
    (tmp_path / "secret.md.j2").write_text("secret", "utf-8")
    assert "there is no template" in fault(own, f'{{% include "{tmp_path}/secret.md.j2" %}}', AIM)


def test_a_template_that_is_nowhere_is_named_with_the_folders(own: Path) -> None:
    """A partial that no folder has is named, with the folders that were looked in."""
    with pytest.raises(TemplateError) as caught:
        write(context(), EN, [own])
    assert str(caught.value) == f"there is no template 'report.md.j2' in {own}"


def test_what_a_template_prints_is_escaped(own: Path) -> None:
    """Text from the suite cannot become markup: in a variable, in a sentence, in a list, or from a macro."""
    text = (
        "{{ title }}\n\n{{ t('analysis.tie', leader=labels.rnn, other='_x_') }}\n\n"
        "{{ labels.values() | listing }}\n\n{% macro m(x) %}**{{ x }}**{% endmacro %}{{ m(labels.rnn) }}\n"
    )
    report = render(own, text, title="<b>|*x*", labels={"rnn": "a|b", "lstm": "$x$"})
    assert report.split("\n\n") == [
        r"\<b\>\|\*x\*",
        r"a\|b and \_x\_ have the same mean accuracy.",
        r"a\|b and \$x\$",
        "**a\\|b**\n",
    ]


def test_the_suites_own_prose_is_markdown() -> None:
    """The aim and the summary of the suite are Markdown, and stay it."""
    report = write(context(aim=Markup("An *aim* with $x$."), closing=Markup("- done")), EN, [TEMPLATES])
    assert "## 1. Aim\n\nAn *aim* with $x$.\n" in report
    assert "\n- done\n" in report


def test_the_cover_lists_what_the_suite_gives() -> None:
    """The cover has a line for each field, and the warning of a quick build."""
    cover = [("姓名", "王*小*明"), ("日期", "2026年11月21日")]
    report = write(context(cover=cover, quick=True), ZH, [TEMPLATES])
    assert report.splitlines()[:6] == [
        "# Two networks",
        "",
        f"**快速试跑** {ZH.say('quick.warning')}",
        "",
        r"- **姓名** 王\*小\*明",
        "- **日期** 2026年11月21日",
    ]


def test_logs_are_shown_to_the_letter() -> None:
    """A log keeps its blank lines and the spaces at its line ends, which are tidied away elsewhere."""
    text = "Train Epoch: 1 \n\n\n\n``` not a fence\n# nor a heading"
    report = write(context(logs=[Log("rnn, seed 0", "R|NN", 0, text)]), EN, [TEMPLATES])
    assert report.endswith(f"#### R\\|NN, seed 0\n\n````log\n{text}\n````\n")


def test_blank_lines_are_tidied(own: Path) -> None:
    """Templates may space themselves as they like: the report has one blank line, and one line end at its end."""
    assert render(own, "\n\n\na  \n\n\n\n\nb\n\n\n") == "a\n\nb\n"


def test_filters_write_numbers_the_way_of_the_language(own: Path) -> None:
    """The filters are the language's ways of writing numbers."""
    text = (
        "{{ 1234.5 | number(1) }} {{ 0.5 | percent }} {{ 0.0123 | points }} {{ 9999 | integer }} "
        "{{ 1e-5 | significant }}"
    )
    assert render(own, text) == "1,234.5 50.0% 1.2 9,999 1e-05\n"


def test_references_are_listed_as_cited() -> None:
    """The references stand in the order of their citations, with their numbers."""
    report = write(context(uses_adam=True), EN, [TEMPLATES])
    listed = report[report.index("## 10. References") : report.index("## Appendix A")].splitlines()
    assert [line[:15] for line in listed if line[:1].isdigit()] == [
        "1. D. P. Kingma",
        "2. A. Paszke et",
        "3. The reportge",
    ]
    assert r"The optimizer is Adam \[1\]." in report


def difference(*leads: float) -> Difference:
    """Return how far the LSTM is ahead with seed 0, 1, …; the RNN is, where it is below 0 on average."""
    scores = {"lstm": [0.5 + lead for lead in leads], "rnn": [0.5] * len(leads)}
    rows = [
        {"variant": variant, "seed": seed, "status": "finished", "test_accuracy": score}
        for variant, own in scores.items()
        for seed, score in enumerate(own)
    ]
    return compare("lstm", "rnn", pd.DataFrame(rows))


CLASS = pd.DataFrame({"class": ["a"], "precision": [0.5], "recall": [0.5], "f1": [0.5], "support": [2]})
ROWS = {
    name: {"test_accuracy": 0.9, "finished": 3, "test_loss": 0.3, "label": name.upper()}
    for name in ("lstm", "rnn")
}
VERDICTS = {
    "clear": (
        (0.05, 0.051, 0.049),
        "{ahead} is clearly ahead of {behind}: by 5.00 percentage points (95% interval 4.83 to 5.17), with 3 of 3",
        "{ahead}明确优于{behind}：平均领先 5.00 个百分点（95% 区间为 4.83 至 5.17），在 3 个种子中的 3 个上领先",
    ),
    "open": (
        (0.03, -0.01, 0.01),
        "{ahead} is 1.00 percentage points ahead of {behind} on average (95% interval −2.31 to 4.31), with 2 of 3",
        "{ahead}比{behind}平均高 1.00 个百分点（95% 区间为 −2.31 至 4.31），在 3 个种子中的 2 个上领先",
    ),
    "single_seed": (
        (0.01,),
        "{ahead} is 1.00 percentage points ahead of {behind}. With a single seed this does not decide",
        "{ahead}比{behind}高 1.00 个百分点。但只用了一个随机种子",
    ),
    "tie": ((0.0, 0.0), "LSTM and RNN have the same mean accuracy", "LSTM 与 RNN 的平均准确率相同"),
}


def about(found: Difference) -> dict[str, Any]:
    """Return what the analysis and the summary of two runs with this difference are told."""
    known: dict[str, Any] = {
        "per_class": {found.ahead: CLASS},
        "leader": found.ahead,
        "baselines": {found.ahead: 0},
    }
    return {"findings": replace(NOTHING, differences=[found], **known), "rows": ROWS}


@pytest.mark.parametrize("sign", [1, -1], ids=["first ahead", "second ahead"])
@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_difference_names_the_better_one_as_firmly_as_it_is(
    own: Path, language: Language, verdict: str, sign: int
) -> None:
    """A clear lead is called clear; any other is not; the winner is on its side, and a tie has none."""
    leads, english, chinese = VERDICTS[verdict]
    found = difference(*(sign * lead for lead in leads))
    ahead, behind = ("LSTM", "RNN")[:: sign if verdict != "tie" else 1]
    report = render(own, '{% include "sections/analysis.md.j2" %}', language, **about(found))
    (sentence,) = [line for line in report.splitlines() if line.startswith("- ")]
    expected = (english if language is EN else chinese).format(ahead=ahead, behind=behind)
    assert found.verdict == verdict
    assert "".join(expected.split()) in "".join(sentence.split())
    summary = render(own, '{% include "sections/summary.md.j2" %}', language, **about(found))
    said = {"leaders": language.listing([ahead, behind]), "accuracy": language.percent(0.9, 2)}
    assert (
        language.say("summary.tied" if verdict == "tie" else f"summary.{verdict}", models=behind, **said)
        in summary
    )
    assert (language.say("summary.clear", models=behind) in summary) == (verdict == "clear")


def test_every_name_of_the_context_is_used_by_the_templates() -> None:
    """Nothing is gathered for the templates that none of them asks for."""
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.j2"))
    assert [field.name for field in fields(Context) if not re.search(rf"\b{field.name}\b", text)] == []
