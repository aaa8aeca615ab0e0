"""`reportgen init`: a small folder to begin a report in, which builds at once."""

import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reportgen import __version__
from reportgen.errors import ReportgenError
from reportgen.resources import shipped_suites

_STARTER = Path(__file__).with_name("starter")
_ANSWERS = "--title, --language and --data"


class Language(StrEnum):
    """The languages that the comments are written in."""

    ZH = "zh"
    EN = "en"


class Data(StrEnum):
    """The data to begin with."""

    SURNAMES = "surnames"
    MOVIE_SNIPPETS = "movie-snippets"
    OWN = "own"


class Ci(StrEnum):
    """Where reports are built on every push."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to create; an empty one may exist already.")
    ],
    title: Annotated[str | None, typer.Option(help="Title of the report (asked for if not given).")] = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the comments and the report (asked for if not given).")
    ] = None,
    data: Annotated[Data | None, typer.Option(help="Data set to start with (asked for if not given).")] = None,
    suite: Annotated[
        str | None,
        typer.Option("--from", metavar="SUITE", help="Start from a shipped suite instead."),
    ] = None,
    ci: Annotated[
        Ci, typer.Option(help="Service to add a workflow for, which builds the report on every push.")
    ] = Ci.GITHUB,
) -> None:
    """Create a starter folder for a report. It has a suite, a layer, sample data, a template and a CI workflow."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReportgenError(f"{folder}: got a folder that is not empty, expected a new or empty folder")
    if suite is not None:
        if data is not None or title is not None:
            raise ReportgenError("reportgen init: got --from with --title or --data, expected --from alone")
        files = _files(language or Language.EN, "", Data.OWN, ci)
        files["suite.yaml"] = _shipped(suite)
        del files["templates/sections/aim.md.j2"]  # it is about two models
    else:
        title = title or _asked("Title / 标题")
        language = language or Language(_chosen("Language / 语言", Language))
        data = data or Data(_chosen("Data / 数据", Data))
        files = _files(language, title, data, ci)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    typer.echo("\n".join(str(folder / name) for name in files))
    typer.echo(f"\nnext:\n  cd {folder}\n  reportgen build suite.yaml --quick")


def _asked(question: str, default: str | None = None) -> str:
    """Return the user's answer; ReportgenError where nobody can be asked, as in a script."""
    try:
        return str(typer.prompt(question, default=default))
    except typer.Abort:
        if sys.stdin is not None and sys.stdin.isatty():  # Ctrl-C
            raise
        typer.echo()
        raise ReportgenError(
            f"reportgen init: no answer to {question!r}; without a terminal give {_ANSWERS}"
        ) from None


def _chosen(question: str, choices: type[StrEnum]) -> str:
    names = [str(choice) for choice in choices]
    answer = _asked(f"{question} ({', '.join(names)})", default=names[0])
    if answer not in names:
        raise ReportgenError(f"{question}: got {answer!r}, expected one of {', '.join(names)}")
    return answer


def _shipped(name: str) -> str:
    shipped = shipped_suites()
    found = shipped.get(name) or shipped.get(f"suite_{name}")
    if found is None:
        from reportgen.suite.messages import nearest

        hint = nearest(name, list(shipped))
        expected = f"a shipped suite: {', '.join(shipped)}" + (f"; {hint}" if hint else "")
        raise ReportgenError(f"--from: got {name!r}, expected {expected}")
    text = found.read_text("utf-8")
    return re.sub(r"reportgen build experiments/\S+", "reportgen build suite.yaml", text)


def _files(language: Language, title: str, data: Data, ci: Ci) -> dict[str, str]:
    """Return what is written, by its name in the folder."""
    import jinja2  # here, as other imports are: `reportgen --help` needs none of it

    from reportgen.suite.schema import json_schema

    names = {
        "suite.yaml": "suite.yaml",
        "my_models.py": "my_models.py",
        "weights.yaml": "weights.yaml",
        "data/texts.csv": "texts.csv",
        "templates/sections/aim.md.j2": "aim.md",
        ".gitignore": "gitignore",
        **_WORKFLOWS[ci],
    }
    environment = jinja2.Environment(  # noqa: S701 - what is written is no HTML
        loader=jinja2.FileSystemLoader(_STARTER),
        undefined=jinja2.StrictUndefined,
        # the files have {{ }} and {% %} of their own
        variable_start_string="[=",
        variable_end_string="=]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    values = {
        "say": lambda zh, en: zh if language is Language.ZH else en,
        "title": json.dumps(title, ensure_ascii=False),  # quoted as YAML is, too
        "language": str(language),
        "data": str(data),
        "version": __version__,
    }
    files = {name: environment.get_template(f"{source}.j2").render(values) for name, source in names.items()}
    return files | {"suite.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"}


_WORKFLOWS = {
    Ci.GITHUB: {
        ".github/workflows/report.yml": "github.yml",
        ".github/summary.py": "summary.py",
        "requirements.txt": "requirements.txt",
    },
    Ci.GITLAB: {".gitlab-ci.yml": "gitlab.yml", "requirements.txt": "requirements.txt"},
    Ci.NONE: {},
}
