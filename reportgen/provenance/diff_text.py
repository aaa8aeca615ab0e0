"""What separates two builds, as Markdown for a pull request and as HTML. No student's code is run."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from reportgen.errors import ReportgenError
from reportgen.i18n import languages
from reportgen.i18n.languages import Language
from reportgen.provenance.diff import Build, Changes, Matrix, Metric, compare, read_build, require_one_suite
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import file_name

_MOST_MATRICES = 6
_TEMPLATE = "diff.md.j2"


def diff(old: Path, new: Path, language: str, *, figures: Path | None = None, html: Path | None = None) -> str:
    """Return what separates two builds as Markdown.

    Args:
        old: the folder of a build, or its results.json.
        new: the same of another build of the same suite.
        language: its code.
        figures: where to put the differences of confusion matrices as SVG; the Markdown names them then.
        html: where to write the same as one HTML file, with those figures inside.

    Raises ReportgenError for what is no build, or builds of different suites.
    """
    known = languages.available([TEMPLATES])
    if language not in known:
        raise ReportgenError(f"--language: got {language!r}, expected one of {', '.join(known)}")
    (tongue,) = languages.load_languages([language], [TEMPLATES])
    before, after = read_build(old), read_build(new)
    require_one_suite(before, after)
    changes = compare(before, after)
    if html is not None:
        _write_html(html, before, after, changes, tongue)
    drawn = {} if figures is None else _drawn(figures, after, changes, tongue)
    paths = {variant: f"{figures}/{name}" for variant, name in drawn.items()}
    return _markdown(before, after, changes, tongue, paths)


def _write_html(file: Path, old: Build, new: Build, changes: Changes, language: Language) -> None:
    from reportgen.report.html import to_html
    from reportgen.report.styles import style_sheets

    with TemporaryDirectory() as place:
        text = _markdown(old, new, changes, language, _drawn(Path(place), new, changes, language))
        file.write_text(to_html(text, language, Path(place), style_sheets([TEMPLATES])), "utf-8")


def _drawn(folder: Path, new: Build, changes: Changes, language: Language) -> dict[str, str]:
    """Draw the difference of each confusion matrix; return variant to the name of its file in `folder`."""
    matrices = changes.matrices[:_MOST_MATRICES]
    if not matrices:
        return {}
    from reportgen.figures.deferred import DeferredFigures, defer, for_figures

    classes = {matrix.variant: _classes(matrix, new, language) for matrix in matrices}
    spoken = for_figures(language)
    figures = {
        m.variant: defer("figures.matrices.difference_of_matrices", m.gaps, classes[m.variant], spoken)
        for m in matrices
    }
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    in_figures = [name for own in classes.values() for name in own]
    for variant, svg in DeferredFigures(figures, in_figures, language).svg().items():
        names[variant] = f"difference-{file_name(variant)}.{language.code}.svg"
        (folder / names[variant]).write_text(svg, "utf-8")
    return names


def _classes(matrix: Matrix, new: Build, language: Language) -> list[str]:
    source = new.settings(matrix.variant).get("data.source", "")
    return [language.class_name(source, name) for name in matrix.classes]


def _markdown(old: Build, new: Build, changes: Changes, language: Language, figures: Mapping[str, str]) -> str:
    from reportgen.report.markdown import filled_in

    labels = {v: new.label(v, language.code) for v in new.runs} | {
        v: old.label(v, language.code) for v in changes.removed
    }
    classes = {matrix.variant: _classes(matrix, new, language) for matrix in changes.matrices}
    variables: dict[str, Any] = {
        "changes": changes,
        "labels": labels,
        "figures": figures,
        "matrices": changes.matrices[:_MOST_MATRICES],
        "class_names": {
            v: dict(zip(_matrix_of(changes, v).classes, names, strict=True)) for v, names in classes.items()
        },
        "said": lambda metric: _said(metric, language),
        "metric_name": lambda name: language.say(f"column.{name}") if language.has(f"column.{name}") else name,
        "claim": lambda text: (
            text.get(language.code, next(iter(text.values()), "")) if isinstance(text, dict) else str(text)
        ),
        "verdict": lambda name: (
            language.say(f"diff.verdict.{name}") if language.has(f"diff.verdict.{name}") else str(name)
        ),
        "value": lambda value: str(value),
        "old": old.folder.as_posix(),
        "new": new.folder.as_posix(),
    }
    return filled_in(_TEMPLATE, variables, language, [TEMPLATES])


def _matrix_of(changes: Changes, variant: str) -> Matrix:
    return next(matrix for matrix in changes.matrices if matrix.variant == variant)


def _said(metric: Metric, language: Language) -> dict[str, str]:
    """Write a metric's numbers: accuracies in percent, and their differences in points."""
    if metric.name.endswith("accuracy"):
        before, after = (language.percent(value, 2) for value in (metric.before, metric.after))
        gaps = [language.points(value, 2) for value in (metric.difference, metric.low, metric.high)]
    else:
        before, after = (language.significant(value, 4) for value in (metric.before, metric.after))
        gaps = [language.significant(value, 3) for value in (metric.difference, metric.low, metric.high)]
    gap = Markup(f"{'+' if metric.difference > 0 else ''}{gaps[0]}")  # noqa: S704 - digits and a sign
    return {"before": before, "after": after, "difference": gap, "low": gaps[1], "high": gaps[2]}
