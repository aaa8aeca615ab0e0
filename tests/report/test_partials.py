"""Templates part by part: listed, shown, copied, overridden block by block, and checked before anything trains."""

import re
from pathlib import Path

import jinja2
import pytest
from conftest import Command
from contexts import context
from jinja2 import nodes

from reportgen.errors import TemplateError
from reportgen.i18n.languages import load_languages
from reportgen.report.markdown import check, write
from reportgen.report.partials import block_source, find, override, partials
from reportgen.report.reference import MARK, reference
from reportgen.resources import TEMPLATES
from reportgen.tasks.registry import contexts

(EN,) = load_languages(["en"], [TEMPLATES])
PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
SHIPPED = {partial.name: partial for partial in partials([TEMPLATES])}
SECTIONS = [name for name in SHIPPED if re.match(r"(sections|parts|covers)/", name)]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of templates beside a suite, with a folder for sections."""
    folder = tmp_path / "templates"
    (folder / "sections").mkdir(parents=True)
    return folder


def faults(own: Path, task: str = "classification") -> list[str]:
    """Return what the check says of the templates in `own`, without the folder."""
    try:
        check(EN, [own, TEMPLATES], contexts(), task)
    except TemplateError as error:
        return str(error).replace(f"{own}/", "").splitlines()
    return []


@pytest.mark.parametrize("name", SECTIONS)
def test_whatever_a_section_prints_is_in_a_block(name: str) -> None:
    """All text of a section, a part or a cover can be overridden block by block."""
    tree = jinja2.Environment().parse((TEMPLATES / name).read_text("utf-8"))  # noqa: S701 - parsed, not rendered
    outside = [node for node in tree.find_all(nodes.Output) if not _in_a_block(tree, node)]
    printed = [child for node in outside for child in node.nodes]
    assert [n for n in printed if not isinstance(n, nodes.TemplateData) or n.data.strip()] == []


def _in_a_block(tree: nodes.Template, wanted: nodes.Output) -> bool:
    kept = (nodes.Block, nodes.Macro, nodes.AssignBlock)
    return any(wanted is found for block in tree.find_all(kept) for found in block.find_all(nodes.Output))


def test_one_block_is_replaced_and_the_rest_stays(own: Path) -> None:
    """A template that extends the shipped one of its own name changes the blocks that it gives, and no others."""
    shipped = write(context(), EN, [TEMPLATES])
    (own / "sections/summary.md.j2").write_text(
        '{% extends "shipped/sections/summary.md.j2" %}\n'
        "{% block closing %}\nThat is all, {{ title }}.\n{% endblock %}"
    )
    report = write(context(), EN, [own, TEMPLATES])
    assert report == shipped.replace("\n\n## 10. Ref", "\n\nThat is all, Two networks.\n\n## 10. Ref")
    assert report != shipped
    assert faults(own) == []


def test_a_block_may_print_what_it_had_before(own: Path) -> None:
    """`super()` in a block is what the shipped block prints."""
    shipped = write(context(), EN, [TEMPLATES])
    (own / "sections/environment.md.j2").write_text(
        '{% extends "shipped/sections/environment.md.j2" %}{% block table %}{{ super() }}\nMine.\n\n{% endblock %}'
    )
    report = write(context(), EN, [own, TEMPLATES])
    assert report.replace("Mine.\n\n", "") == shipped
    assert "Mine." in report[report.index("## 2.") : report.index("## 3.")]


def test_the_list_says_what_is_overridden(own: Path) -> None:
    """Each partial is listed with its blocks, and with what stands beside the suite in its place."""
    (own / "sections/summary.md.j2").write_text(override(find("summary", [TEMPLATES]), "closing"))
    (own / "sections/aim.md.j2").write_text("Why not?")
    (own / "sections/mine.md.j2").write_text("{% block a %}{% endblock %}")
    listed = {partial.name: partial for partial in partials([own, TEMPLATES])}
    assert listed["sections/summary.md.j2"].blocks == ["heading", "computed", "closing"]
    assert {name: partial.state for name, partial in listed.items() if partial.state} == {
        "sections/aim.md.j2": "own, all of it",
        "sections/mine.md.j2": "own",
        "sections/summary.md.j2": "own: closing",
    }


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("summary", "sections/summary.md.j2"),
        ("forecasting/summary", "sections/forecasting/summary.md.j2"),
        ("parts/study", "parts/study.md.j2"),
        ("sections/aim.md.j2", "sections/aim.md.j2"),
        ("report.css", "styles/report.css"),
        ("report", "report.md.j2"),
    ],
)
def test_a_template_is_found_by_its_short_name(name: str, full: str) -> None:
    """A section is called by its name alone, and everything by its path."""
    assert find(name, [TEMPLATES]).name == full


def test_the_source_of_a_block_is_that_of_the_file() -> None:
    """A block is printed from its first tag to its own last one, with what is inside it, comments and all."""
    shown = block_source(SHIPPED["sections/aim.md.j2"], "words")
    assert shown == "{% block words %}\n{% if aim %}\n{{ aim }}\n\n{% endif %}\n{% endblock %}"
    for partial in (SHIPPED[name] for name in SECTIONS):
        for block in partial.blocks:
            source = block_source(partial, block)
            assert source in (TEMPLATES / partial.name).read_text("utf-8")
            jinja2.Environment().parse(source)  # noqa: S701 - parsed, not rendered


@pytest.mark.slow
def test_every_block_that_ships_can_be_copied_without_a_change(own: Path) -> None:
    """A copied block, of any section, leaves the report as it was, and the check finds nothing in it."""
    for name in (name for name in SECTIONS if not re.match(r"sections/(forecasting|addition)/", name)):
        (own / name).parent.mkdir(exist_ok=True)
        blocks = "\n".join(override(SHIPPED[name], block).partition("\n\n")[2] for block in SHIPPED[name].blocks)
        (own / name).write_text(f'{{% extends "shipped/{name}" %}}\n{blocks}', "utf-8")
    assert write(context(), EN, [own, TEMPLATES]) == write(context(), EN, [TEMPLATES])
    assert faults(own) == []


@pytest.mark.parametrize("task", ["classification", "forecasting", "addition"])
def test_the_check_finds_no_fault_in_the_templates_of_a_task(task: str, own: Path) -> None:
    """All names in the sections of each task are those that it is given; none is taken for a misspelt one."""
    for name in SECTIONS:
        if (
            re.match(rf"sections/{task}/|parts/|covers/|sections/\w+\.md", name)
            and "matrix_difference" not in name
            and (task == "classification" or "tunings" not in name)
        ):
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_text((TEMPLATES / name).read_text("utf-8"))
    assert faults(own, task) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\n{{ titel }}", "3: 'titel' is undefined; did you mean 'title'?"),
        ("{{ findings.leadr }}", "1: 'Findings' has no 'leadr'; did you mean 'leader'?"),
        (
            "\n{% for d in findings.differences | selectattr('comparable') %}\n{{ d.behnd }}{% endfor %}",
            "3: 'Difference' has no 'behnd'; did you mean 'behind'?",
        ),
        (
            "{% for m in models %}{% for l in m.lables %}{% endfor %}{% endfor %}",
            "1: 'Model' has no 'lables'; did you mean 'labels'?",
        ),
        (
            "{{ findings.overfitting | map(attribute='varian') | list }}",
            "1: 'Overfitting' has no 'varian'; did you mean 'variant'?",
        ),
        (
            "{% for v, pairs in findings.confusions.items() %}{{ pairs[0].tru }}{% endfor %}",
            "1: 'Confusion' has no 'tru'; did you mean 'true'?",
        ),
        ("{{ findings.cost.slwo }}", "1: 'Cost' has no 'slwo'; did you mean 'slow'?"),
        ("{{ numbering.subsecton('x') }}", "1: 'Numbering' has no 'subsecton'; did you mean 'subsection'?"),
        (
            "{{ t('section.aims') }}",
            "1: text.en.yaml has no sentence 'section.aims'; did you mean 'section.aim'?",
        ),
        ("{{ t('analysis.tie', leader=title) }}", "1: text.en.yaml: analysis.tie: nothing was given for 'other'"),
        ("{% if quick %}\n{{ lables }}{% endif %}", "2: 'lables' is undefined; did you mean 'labels'?"),
        ("{% macro m(x) %}{{ x }}{{ y }}{% endmacro %}", "1: 'y' is undefined"),
        ("{% set mine = 1 %}{% if mine is defined %}{{ mine }}{% endif %}{{ later is defined }}", None),
        (
            "{% extends 'sections/aim.md.j2' %}",
            "1: got the template itself, expected the one that ships: 'shipped/sections/aim.md.j2'",
        ),
        (
            "{% extends 'shipped/sections/aim.md.j2' %}\n{% block wrods %}{% endblock %}",
            "2: got the block 'wrods', expected one of heading, words, models; did you mean 'words'?",
        ),
        (
            "{% extends 'shipped/sections/aim.md.j2' %}\n\n{{ title }}",
            "3: got text outside of a block, expected none, since a template that extends another prints its "
            "blocks alone",
        ),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_found_before_anything_is_trained(own: Path, text: str, expected: str | None) -> None:
    """The check names file, line and the nearest name, also in branches that a report may not come through."""
    (own / "sections/aim.md.j2").write_text(text)
    found = faults(own)
    if expected is None:
        assert found == []
    else:
        assert f"sections/aim.md.j2:{expected}" in found


def test_a_part_may_use_what_the_section_around_it_sets(own: Path) -> None:
    """A partial knows the names that those that include it set, and those of its parent."""
    (own / "parts").mkdir()
    (own / "parts/study.md.j2").write_text("{{ study.setting }} {{ stdy }}")
    (own / "sections/results.md.j2").write_text(
        '{% extends "shipped/sections/results.md.j2" %}'
        '{% block curves %}{{ finished }} {{ some("a", 2) }}{% endblock %}'
    )
    assert faults(own) == ["parts/study.md.j2:1: 'stdy' is undefined; did you mean 'study'?"]


def test_every_misspelt_name_of_a_shipped_template_would_be_found(own: Path) -> None:
    """A letter too many in any name or field whose type is known is found, wherever it stands in the analysis."""
    text = (TEMPLATES / "sections/analysis.md.j2").read_text("utf-8")
    names = [*re.finditer(r"\b(findings\.(?!items)\w+|mistakes_seed|heldout\b|clear_spreads)", text)]
    assert len(names) > 20
    for place in names[::4]:
        (own / "sections/analysis.md.j2").write_text(f"{text[: place.end()]}q{text[place.end() :]}")
        line = text.count("\n", 0, place.start()) + 1
        wrong = f"{place[0].rpartition('.')[2]}q"
        assert [found for found in faults(own) if f"analysis.md.j2:{line}: " in found and f"'{wrong}'" in found]


def test_the_page_of_names_is_current() -> None:
    """docs/templates.md lists the names that templates may use as the code has them."""
    written = PAGE.read_text("utf-8").partition(f"{MARK}\n\n")[2]
    assert written == reference(contexts()), f"reportgen template names, below the mark in {PAGE.name}"


def test_the_page_names_each_field_and_each_filter() -> None:
    """Every field of a task's context is in the page, with what stands in the code below it."""
    page = reference(contexts())
    assert "| `labels` | `dict[str, str]` | Variant to what tables and figures call it. |" in page
    assert "| `percent` | Write a fraction as a percentage: 0.8286 is 82.9%. |" in page
    assert "### analysis.comparisons.Difference" in page


@pytest.mark.slow
def test_the_commands_list_show_and_copy(reportgen: Command, tmp_path: Path) -> None:
    """A block is copied beside the suite, the list says so, and a second copy is refused."""
    (tmp_path / "suite.yaml").write_text("title: x")
    copied = reportgen("template", "copy", "summary:closing")
    file = tmp_path / "templates/sections/summary.md.j2"
    assert (copied.returncode, copied.stdout.strip()) == (0, "templates/sections/summary.md.j2")
    assert file.read_text("utf-8").startswith(
        '{% extends "shipped/sections/summary.md.j2" %}\n\n{% block closing %}'
    )
    listed = reportgen("template", "list").stdout.splitlines()
    assert [line.split()[-2:] for line in listed if line.startswith("sections/summary.")] == [["own:", "closing"]]
    again = reportgen("template", "copy", "summary")
    assert again.returncode == 2
    assert "templates/sections/summary.md.j2: this file exists already" in again.stderr
    shown = reportgen("template", "show", "summary:closing").stdout
    assert shown.strip() in file.read_text("utf-8")


@pytest.mark.slow
def test_a_catalogue_is_copied_to_be_translated(reportgen: Command, tmp_path: Path) -> None:
    """A language that has none begins with the English sentences, and a message about the language says how."""
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "title: x\ndata: {source: surnames}\nruns: [{name: rnn, model: {cell: rnn}}]\nlanguages: [de]\n"
    )
    refused = reportgen("check", suite)
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        f"{suite}:4: languages[0]: got 'de', expected a language with a catalogue: en, zh; "
        "reportgen template copy text.de.yaml begins one"
    )
    assert reportgen("template", "copy", "text.de.yaml").stdout.strip() == "templates/text.de.yaml"
    begun = (tmp_path / "templates/text.de.yaml").read_text("utf-8")
    assert begun == (TEMPLATES / "text.en.yaml").read_text("utf-8")
    assert reportgen("check", suite).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["show", "sumary"],
            "got the template 'sumary', expected one that `reportgen template list` names; "
            "did you mean 'summary'?",
        ),
        (
            ["show", "aim:closing"],
            "sections/aim.md.j2: got the block 'closing', expected one of heading, words, models",
        ),
        (["copy", "aim"], "--suite: no such file: suite.yaml; expected the suite that the template is for"),
    ],
)  # fmt: skip
def test_a_template_that_is_not_there_is_one_message(
    reportgen: Command, arguments: list[str], expected: str
) -> None:
    """A misspelt template or block, and a suite that is nowhere, end with status 2 and the nearest name."""
    done = reportgen("template", *arguments)
    assert (done.returncode, done.stderr.strip()) == (2, expected)
