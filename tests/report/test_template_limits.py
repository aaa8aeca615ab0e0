"""A template beside a suite, however it was written, ends in time, with one message that says where."""

import os
import re
import time
from pathlib import Path

import pytest
from contexts import AIM, EN, context

from reportgen.errors import TemplateError
from reportgen.report import markdown
from reportgen.report.guarded import Limits, write
from reportgen.resources import TEMPLATES

SMALL = Limits(seconds=1.0, memory=256 << 20)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of templates beside a suite."""
    (tmp_path / "templates" / "sections").mkdir(parents=True)
    return tmp_path / "templates"


def fault(own: Path, text: str) -> str:
    """Return the message about a section that cannot be filled in."""
    (own / AIM).write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        write([(context(), EN)], [own, TEMPLATES], SMALL)
    return str(caught.value)


LOOP = "{% for i in range(9999) %}"
BOMBS = {
    "a range without end": ("\n{{ range(10**9) }}", 2, "OverflowError: Range too big"),
    "a power": ("{{ 10 ** (10 ** 10) }}", 1, "OverflowError: the number is too large"),
    "a product": (
        "{% set n = namespace(x=3) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}", 1,
        "OverflowError: the number is too large",
    ),
    "a macro that calls itself": (
        "{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}", 2, "RecursionError: maximum recursion depth exceeded",
    ),
    "a template that includes itself": (
        "a\n{% include 'sections/aim.md.j2' %}", 2, "RecursionError: maximum recursion depth exceeded",
    ),
    "much text": (
        LOOP + "\n{{ 'x' * 9999 }}\n{% endfor %}", 2, "got a document of more than 5,000,000 characters",
    ),
    "much text in a macro": (
        "{% macro m() %}" + LOOP + "{{ 'x' * 999 }}{% endfor %}{% endmacro %}\n{{ m() }}", 2,
        "got a document of more than 5,000,000 characters",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), BOMBS.values(), ids=BOMBS)
def test_a_template_that_goes_on_and_on_is_told(own: Path, text: str, line: int, message: str) -> None:
    """A number, a recursion or a text without bounds ends with one message that names template and line."""
    (own / AIM).write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        markdown.write(context(), EN, [own, TEMPLATES])
    told = str(caught.value)
    number = "[0-9]+" if "Recursion" in message else line  # whichever line is one call too deep
    where = f"{re.escape(str(own / AIM))}:{number}: "
    assert re.match(where + re.escape(message), told), told
    assert "\n" not in told


OUT_OF_MEMORY = "MemoryError: it takes more memory than a template may have"
LARGE = {
    "loops in loops": (f"{LOOP}\n{LOOP}{LOOP}" + "{% endfor %}" * 3, 2, "the templates took more than 1 seconds"),
    "a long text": ("\n{{ 'x' * 10**10 }}", 2, "OverflowError: got more than 100,000 by repeating"),
    "a list": (
        "{% set n = namespace(x=[1]) %}{% for i in range(99) %}\n{% set n.x = n.x + n.x %}{% endfor %}",
        2, OUT_OF_MEMORY,
    ),
    "replace": ("{% set x = 'x' * 99999 %}{{ x.replace('x', x) }}", 1, OUT_OF_MEMORY),
    "batch": ("{{ [1] | batch(10**10, 0) | list }}", 1, OUT_OF_MEMORY),
    "doubling": (
        "{% set n = namespace(x='x' * 1000) %}{% for i in range(99) %}\n{% set n.x = n.x ~ n.x %}{% endfor %}", 2,
        OUT_OF_MEMORY,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), LARGE.values(), ids=LARGE)
def test_a_template_has_so_much_time_and_memory(own: Path, text: str, line: int, message: str) -> None:
    """What takes too long, or too much memory, is ended and told with template and line."""
    assert fault(own, text).startswith(f"{own / AIM}:{line}: {message}")


def test_where_no_line_can_be_told_the_folder_is(own: Path) -> None:
    """One operation that Python cannot interrupt is ended from outside; the message names the folder."""
    began = time.process_time()
    told = fault(
        own, "{{ ('x' * 9000000) | wordwrap(2) | length }}{{ (range(99999) | list * 2) | sort | length }}" * 9
    )
    assert time.process_time() - began < 60
    assert str(own) in told


def test_a_template_within_the_limits_is_filled_in(own: Path) -> None:
    """A template of one's own gives the same text in the process apart as it does here."""
    (own / AIM).write_text(
        "## Why\n\n{% for i in range(3) %}{{ i * 2 }}{% endfor %}{{ 2 ** 10 }}{{ '-' * 3 }}", "utf-8"
    )
    (apart,) = write([(context(), EN)], [own, TEMPLATES], SMALL)
    assert "## Why\n\n0241024" in apart
    assert apart == markdown.write_marked(context(), EN, [own, TEMPLATES])


@pytest.mark.parametrize("text", [
    "{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}",
    "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "{% for i in x %}" * 30 + "{% endfor %}" * 30,
    "{{ " + "9" * 9000 + " }}",
    "{% autoescape 10 ** (10 ** 10) %}{% endautoescape %}",
    "{{ " + "-" * 9000 + "1 }}",
    "{{ x" + ".a" * 20000 + " }}",
    "{{ " + "[" * 500 + "]" * 500 + " }}",
])  # fmt: skip
def test_a_nest_without_a_bottom_is_one_message(own: Path, text: str) -> None:
    """What is nested deeper than Python reads is a syntax error, before anything is trained."""
    (own / AIM).write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        markdown.check(EN, [own, TEMPLATES])
    assert str(caught.value).startswith(f"{own / AIM}:1: ")
    assert "\n" not in str(caught.value)


def test_a_template_that_is_a_link_out_of_its_folder_is_refused(own: Path, tmp_path: Path) -> None:
    """A symbolic link to a file elsewhere is no template, whatever its name; one to a neighbour is."""
    (tmp_path / "secret").write_text("secret", "utf-8")
    (own / "own.md.j2").write_text("of my own", "utf-8")
    (own / AIM).symlink_to(own / "own.md.j2")
    assert "of my own" in write([(context(), EN)], [own, TEMPLATES], SMALL)[0]
    (own / "own.md.j2").unlink()
    (own / "own.md.j2").symlink_to(tmp_path / "secret")
    expected = f"got a link that leads out of {own}, expected a file below it"
    for told in (fault_of_check(own), fault(own, "{% include 'own.md.j2' %}")):
        assert expected in told
        assert "secret" not in told.replace(str(tmp_path), "")


def fault_of_check(own: Path) -> str:
    """Return the message about templates that are looked through."""
    with pytest.raises(TemplateError) as caught:
        markdown.check(EN, [own, TEMPLATES])
    return str(caught.value)


def test_a_template_without_end_is_refused(own: Path) -> None:
    """A pipe, which would never end, and a file of a million bytes are told before they are read."""
    os.mkfifo(own / AIM)
    assert fault_of_check(own) == f"{own / AIM}: got no plain file, expected one"
    (own / AIM).unlink()
    (own / AIM).write_text("x" * 1_000_001, "utf-8")
    assert fault_of_check(own) == f"{own / AIM}: got 1,000,001 bytes, expected at most 1,000,000"
