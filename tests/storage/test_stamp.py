"""The mark beside the reports: what a build wrote, what it replaces, and what it leaves alone."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from reportgen.storage import build_state

FILES = {"report.en.md": "text", "figures/a.svg": "<svg/>", "tables/runs.csv": "1"}


def built(folder: Path, files: Mapping[str, str], mark: str = "mark") -> None:
    """Write the files as a build does."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    build_state.leave(folder, mark, list(files))


def names(folder: Path) -> list[str]:
    """Return all files and folders, but for the mark."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(name for name in found if name != ".stamp.json")


def test_a_folder_matches_as_long_as_its_files_are_as_they_were_written(tmp_path: Path) -> None:
    """The mark and every file written have to be the same; files of the user's do not count."""
    built(tmp_path, FILES)
    (tmp_path / "notes.txt").write_text("mine")
    assert build_state.matches(tmp_path, "mark")
    assert not build_state.matches(tmp_path, "another")
    (tmp_path / "figures/a.svg").write_text("<svg>")
    assert not build_state.matches(tmp_path, "mark")
    (tmp_path / "figures/a.svg").unlink()
    assert not build_state.matches(tmp_path, "mark")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"mark": "mark"}', '{"mark": "mark", "written": [1]}'])
def test_a_mark_that_cannot_be_read_matches_nothing(tmp_path: Path, text: str) -> None:
    """A mark that something else wrote is no mark, and is replaced without a complaint."""
    (tmp_path / ".stamp.json").write_text(text)
    assert not build_state.matches(tmp_path, "mark")
    built(tmp_path, FILES)
    assert build_state.matches(tmp_path, "mark")


def test_what_the_build_before_wrote_and_this_one_did_not_is_removed(tmp_path: Path) -> None:
    """Old files and the folders that they leave empty go; what the user put there stays."""
    built(tmp_path, {**FILES, "report.zh.md": "文", "figures/b.svg": "<svg/>", "tables/more/deep.csv": "2"})
    (tmp_path / "figures" / "own.png").write_bytes(b"png")
    built(tmp_path, {"report.en.md": "text", "figures/b.svg": "<svg/>"})
    assert names(tmp_path) == ["figures", "figures/b.svg", "figures/own.png", "report.en.md"]


def test_nothing_outside_the_folder_is_removed(tmp_path: Path) -> None:
    """A mark that names a file elsewhere does not have it removed."""
    outside = tmp_path / "thesis.tex"
    outside.write_text("years of work")
    folder = tmp_path / "report"
    folder.mkdir()
    written = {"../thesis.tex": "0", str(outside): "0", ".": "0", "..": "0"}
    (folder / ".stamp.json").write_text(json.dumps({"mark": "mark", "written": written}))
    built(folder, FILES)
    assert outside.read_text() == "years of work"


def test_an_edited_report_is_set_aside_under_a_free_name(tmp_path: Path) -> None:
    """What differs from what was written is renamed, whether it is to be replaced or removed; nothing else is."""
    built(tmp_path, {"report.en.md": "text", "report.zh.md": "文", "report.en.html": "<p>", "results.json": "{}"})
    for name in ("report.en.md", "report.zh.md", "results.json"):
        (tmp_path / name).write_text(f"my own {name}", "utf-8")
    (tmp_path / "report.zh.md.bak").write_text("older", "utf-8")
    renamed = build_state.set_aside(tmp_path, {"report.en.md": b"new", "report.en.html": b"new"})
    assert [file.name for file in renamed] == ["report.en.md.bak", "report.zh.md.bak2"]
    assert [file.read_text("utf-8") for file in renamed] == ["my own report.en.md", "my own report.zh.md"]
    assert names(tmp_path) == [
        "report.en.html", "report.en.md.bak", "report.zh.md.bak", "report.zh.md.bak2", "results.json",
    ]  # fmt: skip


def test_a_report_without_a_mark_is_set_aside_unless_it_is_the_same(tmp_path: Path) -> None:
    """Where no mark says who wrote a report, it is kept; one with the very bytes that come is not."""
    for name in ("report.en.md", "report.zh.md"):
        (tmp_path / name).write_text("text")
    renamed = build_state.set_aside(tmp_path, {"report.en.md": b"text", "report.zh.md": b"new"})
    assert [file.name for file in renamed] == ["report.zh.md.bak"]


def test_reports_of_other_formats_are_known_as_long_as_nobody_changes_them(tmp_path: Path) -> None:
    """A build of one format alone leaves the others, and what was edited is not taken for a build's."""
    built(tmp_path, {**FILES, "report.en.pdf": "pdf", "report.en.html": "html"})
    (tmp_path / "report.en.html").write_text("edited", "utf-8")
    assert build_state.unchanged_reports(tmp_path, ["report.en.md", "report.en.docx"]) == ["report.en.pdf"]
