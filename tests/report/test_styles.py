"""The style sheets beside a suite: in which order they apply, and what is wrong with them."""

from pathlib import Path

import pytest

from reportgen.errors import TemplateError
from reportgen.report.styles import faults, style_sheets
from reportgen.resources import TEMPLATES


def own(folder: Path, css: str | bytes, name: str = "own.css") -> list[Path]:
    """Put a style sheet beside a suite in `folder`; return where style sheets are looked for."""
    file = folder / "templates" / "styles" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(css if isinstance(css, bytes) else css.encode())
    return [folder / "templates", TEMPLATES]


def test_own_css_is_added_and_report_css_replaces(tmp_path: Path) -> None:
    """The suite's own.css follows the sheet that ships; its report.css takes the place of that one."""
    shared, plain = ((TEMPLATES / "styles" / name).read_text("utf-8") for name in ("report.css", "plain.css"))
    assert style_sheets([tmp_path, TEMPLATES]) == [shared, plain]
    assert style_sheets(own(tmp_path, "p { color: red }")) == [shared, plain, "p { color: red }"]
    folders = own(tmp_path, "h1 { color: blue }", "report.css")
    assert style_sheets(folders) == ["h1 { color: blue }", plain, "p { color: red }"]
    folders = own(tmp_path, "h2 { color: green }", "plain.css")
    assert style_sheets(folders) == ["h1 { color: blue }", "h2 { color: green }", "p { color: red }"]


def test_a_right_style_sheet_has_no_faults(tmp_path: Path) -> None:
    """Rules, pictures inside the sheet, and what a comment holds are no faults; nor is the shipped sheet."""
    css = "/* url(x.png) } */ p { color: red; background: url(data:image/png;base64,AAAA) }\na { color: blue }"
    assert faults(own(tmp_path, css)) == []


def test_what_is_left_out_is_told_with_its_place(tmp_path: Path) -> None:
    """A property or a value that the typesetter does not know, and braces that do not match, are a line each."""
    folders = own(tmp_path, "p { colour: red }\n\nh1 {\n  color: }\na:foo { color: red }\nb {")
    file = folders[0] / "styles" / "own.css"
    assert faults(folders) == [
        f"{file}: the braces do not match: 4 open, 3 close",
        f"{file}:1: ignored `colour: red`: unknown property",
        f"{file}:4: ignored `color:`: no value",
        f"{file}: Invalid or unsupported selector, 'a:foo'",
    ]


@pytest.mark.parametrize(
    ("css", "line", "found"),
    [
        ("p { color: red }\nh1 { background: url(picture.png) }", 2, "picture.png"),
        ("/* a\n b */\nh1 { background: URL( 'a b.png' ) }", 3, "a b.png"),
        ('p { background: url("http://example.org/x.png") }', 1, "http://example.org/x.png"),
        ("@import 'other.css';", 1, "other.css"),
        ("@import url(other.css);", 1, "other.css"),
    ],
)
def test_a_file_or_an_address_is_refused(tmp_path: Path, css: str, line: int, found: str) -> None:
    """What is outside of the report is named before anything is built."""
    folders = own(tmp_path, css)
    with pytest.raises(TemplateError) as caught:
        faults(folders)
    assert str(caught.value) == (
        f"{folders[0] / 'styles' / 'own.css'}:{line}: got {found!r}, expected a data: URL, "
        "since a report fetches nothing from outside"
    )


def test_a_style_sheet_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A sheet in another encoding is named."""
    folders = own(tmp_path, "/* 样式 */".encode("gbk"))
    with pytest.raises(TemplateError, match=r"own\.css: .*; save it as UTF-8 in your editor"):
        style_sheets(folders)


@pytest.mark.parametrize(
    ("css", "found"),
    [
        (r"p { background: \75rl(http://a.b/x) }", "http://a.b/x"),
        (r"@im\70ort/**/'other.css';", "other.css"),
        ("p { background: image-set('x.png' 1x) }", "x.png"),
        ("@media print { p { background: -webkit-image-set(url(file:///etc/passwd) 1x) } }", "file:///etc/passwd"),
        ("@font-face { font-family: x; src: url(//a.b/font.woff) }", "//a.b/font.woff"),
        ("p { background: src('x.png') }", "x.png"),
        ("p { background: url(\n\n../../x.png) }", "../../x.png"),
    ],
)
def test_no_way_of_writing_hides_an_address(tmp_path: Path, css: str, found: str) -> None:
    """Escapes, comments and the newer functions of CSS are read as a browser reads them."""
    with pytest.raises(TemplateError, match=f":1: got '{found}', expected a data: URL"):
        style_sheets(own(tmp_path, css))


def test_a_style_sheet_that_is_a_link_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """A symbolic link to a file elsewhere is not put into the report."""
    (tmp_path / "secret").write_text("secret", "utf-8")
    folders = own(tmp_path, "")
    (folders[0] / "styles" / "own.css").unlink()
    (folders[0] / "styles" / "own.css").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateError, match="got a link that leads out of"):
        style_sheets(folders)
