"""Plain text stays itself in Markdown, whatever it holds."""

import html
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token
from markupsafe import Markup

from reportgen.i18n.languages import load_languages
from reportgen.report.escaping import as_markdown, code_block, escape_markdown
from reportgen.report.html import _parser
from reportgen.resources import TEMPLATES

(EN,) = load_languages(["en"], [TEMPLATES])
PARSER = _parser(EN)

PRINTABLE = st.characters(exclude_categories=["C", "Zl", "Zp"])
MARKS = st.sampled_from([*"\\`*_{}[]()#+-.!<>|$~&=:;\"'^/%@0123456789 a中", "1. ", "  ", "&amp;", "http://", "__"])
TEXTS = st.one_of(st.text(PRINTABLE), st.lists(MARKS).map("".join), st.lists(PRINTABLE | MARKS).map("".join))
LINES = st.sampled_from(["\n", "```\n", "````", "\n~~~\n", "\t", "    "])

NAMES = [
    "<script>", "</td>", "{{ x }}", "{% raw %}", "a|b", "|", "\\|", "a\\", "`", "``", "```", "`a`", "$x$", "$$x$$",
    "*a*", "**a**", "_a_", "__a__", "__init__", "_", "a_b", "a_b_c", "~~a~~", "~~~", "[a](b)", "![a](b)", "[a]: b",
    "<http://a.b>", "http://a.b", "1. a", "12) a", "1.", "- a", "-", "--", "---", "+ a", "# a", "## a", "C #",
    "a ##", "=", "===", "> a", "&amp;", "&#35;", "&", "\\",
    "\\\\", "\\*", "\\n", ": a", "|--|", "a: b", "表1", "中文_a_",
]  # fmt: skip


def collapsed(text: str) -> str:
    """Return the text on one line, as a paragraph shows it; spaces that do not break stay."""
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip()


def shown(inline: Token) -> tuple[str, set[str]]:
    """Return the text of a block and the kinds of its pieces."""
    children = [child for child in inline.children or [] if child.content or child.type != "text"]
    return "".join(child.content for child in children), {child.type for child in children}


def kinds(tokens: list[Token]) -> list[str]:
    """Return the kinds of blocks."""
    return [token.type for token in tokens]


@pytest.mark.parametrize("text", NAMES)
def test_a_name_comes_out_as_itself_everywhere(text: str) -> None:
    """What looks like Markdown, HTML, math or a template is shown to the letter, wherever a report prints it."""
    escaped, plain = escape_markdown(text), html.escape(text)
    assert f"<p>{plain}</p>\n" == PARSER.render(escaped)
    assert f"<h1>{plain}</h1>\n" == PARSER.render(f"# {escaped}")
    assert f"<p><strong>n</strong> {plain}</p>\n" == PARSER.render(f"**n** {escaped}")
    assert f"<td>{plain}</td>" in PARSER.render(f"| h |\n|---|\n| {escaped} |\n").splitlines()
    assert f'<img src="f.svg" alt="{plain}" />' in PARSER.render(f"![{escaped}](f.svg)")


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("__init__")
@example("a\\|b")
@example("1. a")
def test_any_text_is_itself_in_a_paragraph(text: str) -> None:
    """Any printable text in a paragraph gives back exactly that text, and no markup."""
    tokens = PARSER.parse(escape_markdown(text))
    if not collapsed(text):
        assert tokens == []
        return
    assert kinds(tokens) == ["paragraph_open", "inline", "paragraph_close"]
    assert (collapsed(text), {"text"}) == shown(tokens[1])


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS)
@example("a\\", "|")
@example("`", "`")
@example("$", "$")
def test_any_text_is_itself_in_a_table_cell(left: str, right: str) -> None:
    """Any printable texts side by side in a table stay in their cells, give back the texts, and no markup."""
    row = f"| {escape_markdown(left)} | {escape_markdown(right)} | end |"
    tokens = PARSER.parse(f"| a | b | c |\n|:--|:--|:--|\n{row}\n")
    body = tokens[kinds(tokens).index("tbody_open") :]
    cells = [token for token in body if token.type == "inline"]
    assert len(cells) == 3
    assert [collapsed(left), collapsed(right), "end"] == [shown(cell)[0] for cell in cells]
    assert set().union(*(shown(cell)[1] for cell in cells)) <= {"text"}
    assert ["tbody_open", "tr_open", *["td_open", "inline", "td_close"] * 3, "tr_close", "tbody_close"] == kinds(
        body[:-1]
    )


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example("C #")
def test_any_text_is_itself_in_a_heading(text: str) -> None:
    """Any printable text in a heading gives back exactly that text."""
    tokens = PARSER.parse(f"# {escape_markdown(text)}")
    assert kinds(tokens) == ["heading_open", "inline", "heading_close"]
    assert collapsed(text) == shown(tokens[1])[0]
    assert shown(tokens[1])[1] <= {"text"}


@settings(max_examples=200, deadline=None)
@given(st.lists(PRINTABLE | MARKS | LINES).map("".join))
@example("```\n# not a heading\n````\n`")
@example("~~~\n$x$\n~~~")
def test_a_code_block_shows_any_text_to_the_letter(text: str) -> None:
    """A code block shows its text with every mark and space, but for the white space at its end."""
    tokens = PARSER.parse(f"before\n\n{code_block(text)}\n\nafter")
    assert ["paragraph_open", "inline", "paragraph_close", "fence", *kinds(tokens)[:3]] == kinds(tokens)
    assert ("text", f"{text.rstrip()}\n") == (tokens[3].info, tokens[3].content)


def test_the_fence_is_longer_than_any_inside() -> None:
    """A block whose text has a run of four back-ticks is fenced with five; its kind stands on the fence."""
    assert code_block("a ```` b ``` c\n\n", "log") == "`````log\na ```` b ``` c\n`````"


def test_only_plain_text_is_escaped() -> None:
    """What is Markdown already, and what is no text, goes through as it is."""
    marked = Markup("*a*")
    assert (marked, 3, None, r"\*a\*") == (
        as_markdown(marked),
        as_markdown(3),
        as_markdown(None),
        as_markdown("*a*"),
    )
    assert as_markdown(marked) is marked


def test_ordinary_names_stay_readable_in_the_markdown() -> None:
    """The report's Markdown is read as it is, too: names of models and numbers are not littered with escapes."""
    names = ["lstm_by_hand", "lstm/hidden_size=64", "rnn, seed 3", "1.5", "−0.5%", "手写 LSTM", "a - b", "2014-06"]
    assert names == [str(escape_markdown(name)) for name in names]


def test_lines_and_tabs_become_spaces() -> None:
    """A text on several lines is put on one, so that it cannot leave its cell or paragraph."""
    assert escape_markdown(" a\n\nb\t c\r\n# d\u2028") == "a b c \\# d"
