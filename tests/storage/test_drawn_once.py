"""Figures and formulas that were drawn before: the same bytes, and drawn again only when they would differ."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, Command

from reportgen import pipeline
from reportgen.figures import deferred
from reportgen.figures.deferred import defer
from reportgen.i18n.languages import Language
from reportgen.planning.output import CACHE
from reportgen.report import formulas
from reportgen.report.formulas import formula_image
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.tasks.classification import figures as classification_figures


@dataclass(frozen=True)
class Lab:
    """What is drawn, and the names of those figures that were really drawn."""

    results: Any
    findings: Any
    language: Language
    cache: Cache
    drawn: list[str]

    def draw(self, **changed: Any) -> tuple[dict[str, str], list[str]]:
        """Draw with something changed; return the figures, and what had to be drawn."""
        self.drawn.clear()
        now = replace(self, **changed)
        wanted = classification_figures.deferred_figures(now.results, now.findings, now.language)
        return wanted.svg(now.cache), sorted(self.drawn)


@pytest.fixture
def lab(tiny_build: pipeline.Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The tiny suite's results, and an empty folder for what is kept."""
    loaded = pipeline.load(TINY)
    store = Store(tiny_build.folder.parent / "records")
    results = pipeline.collect(pipeline.plan(loaded, store), store)
    english = next(language for language in loaded.languages if language.code == "en")
    drawn: list[str] = []
    figure: Callable[..., Any] = deferred.DeferredFigure.figure

    def noted(own: deferred.DeferredFigure) -> Any:
        drawn.append(own.function)
        return figure(own)

    monkeypatch.setattr(deferred.DeferredFigure, "figure", noted)
    return Lab(results, pipeline.analyse(results), english, Cache(tmp_path / "kept"), drawn)


CURVES = "figures.curves.learning_curves"


def test_the_second_time_nothing_is_drawn_and_all_bytes_are_the_same(lab: Lab) -> None:
    """With what is kept or without, a figure is the same file, and that of the build."""
    first, drawn = lab.draw()
    again, nothing = lab.draw()
    without, _ = lab.draw(cache=None)
    assert len(drawn) == len(first)
    assert len(list(lab.cache.files())) == len(set(first.values()))  # two models may be as wrong as each other
    assert (nothing, again, without) == ([], first, first)


def test_other_data_draw_what_is_made_of_them(lab: Lab) -> None:
    """One accuracy that differs in its last digit draws its figure anew, and none that does not show it."""
    lab.draw()
    runs = lab.results.runs.copy()
    runs.loc[0, "test_accuracy"] += 1e-15
    _, drawn = lab.draw(results=replace(lab.results, runs=runs))
    assert drawn == ["figures.curves.test_accuracies"]


def test_another_label_draws_the_figures_that_have_it(lab: Lab) -> None:
    """A model with another name is drawn anew in legends and rows, and its confusion matrix is not."""
    lab.draw()
    first, *others = lab.results.variants
    renamed = replace(first, label=type(first.label).parse("Another name"))
    figures, drawn = lab.draw(results=replace(lab.results, variants=(renamed, *others)))
    assert CURVES in drawn
    assert "figures.matrices.confusion_matrix" not in drawn
    assert "Another name" in figures["loss"]


def test_another_sentence_of_figures_is_drawn_and_other_sentences_are_not(lab: Lab) -> None:
    """A catalogue that calls an axis otherwise draws anew; one that changes a paragraph draws nothing."""
    lab.draw()
    said = lab.language.messages
    _, nothing = lab.draw(language=Language("en", {**said, "results.intro": "Otherwise."}))
    figures, drawn = lab.draw(language=Language("en", {**said, "figure.epoch": "Round"}))
    assert nothing == []
    assert CURVES in drawn
    assert "Round" in figures["loss"]


@pytest.mark.parametrize("what", ["source_digest", "version_of"])
def test_another_program_draws_all(lab: Lab, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other code of reportgen's, or another matplotlib, nothing of before is taken."""
    _, first = lab.draw()
    monkeypatch.setattr(deferred, what, lambda *_: "other")
    assert lab.draw()[1] == first


def test_a_damaged_figure_is_drawn_anew(lab: Lab) -> None:
    """Whatever became of a figure that was kept, the report gets the right one, and it is kept again."""
    figures, _ = lab.draw()
    files = sorted(lab.cache.files())
    for damage in (b"", b"\n", files[0].read_bytes()[:-1], files[0].read_bytes().replace(b"<svg", b"<sgv")):
        whole = files[0].read_bytes()
        files[0].write_bytes(damage)
        again, drawn = lab.draw()
        assert (again, len(set(drawn)), files[0].read_bytes()) == (figures, 1, whole)


def test_a_figure_says_no_sentence_that_its_digest_has_not(lab: Lab) -> None:
    """Figures get the sentences of figures alone, so that none can show another one without a digest of it."""
    keys = deferred.for_figures(lab.language).messages
    assert {key.split(".")[0] for key in keys} == {"figure", "setting", "value", "class", "list"}


def test_what_has_no_digest_is_refused() -> None:
    """A figure of something whose content cannot be told would be taken for another one."""
    with pytest.raises(TypeError, match="a figure is made from a object, which has no digest"):
        defer("figures.curves.learning_curves", object()).digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab", "c"], ["a", "bc"]), ([1], [1.0]), ([1], ["1"]), ([None], [()]), ([[1], 2], [[1, 2]]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([True], [1]), ([0.1 + 0.2], [0.3]), ([0.0], [-0.0]),
    ],
)  # fmt: skip
def test_things_that_differ_have_digests_that_differ(one: object, other: object) -> None:
    """Neither the bounds of texts, nor types, nor the order are lost."""
    assert defer("f", one).digest() != defer("f", other).digest()


def test_a_formula_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A formula that is kept is the same image, and needs no typesetter of formulas."""
    cache = Cache(tmp_path)
    first = formula_image(r"h_t = \tanh(x_t)", True, cache)
    monkeypatch.setattr(formulas, "_drawn", None)
    assert formula_image(r"h_t = \tanh(x_t)", True, cache) == first
    with pytest.raises(TypeError, match="NoneType"):
        formula_image(r"h_t = \tanh(x_t)", False, cache)


def test_drawings_that_no_report_shows_are_cleaned(tiny_build: pipeline.Outcome, reportgen: Command) -> None:
    """`reportgen clean` names those that no report in the build folder shows, and removes them alone."""
    folder = tiny_build.folder.parent
    cache = Cache(folder / CACHE)
    before = {file.name for file in cache.files()}
    cache.put("old.svg", b"<svg/>")
    done = reportgen("clean", TINY.parent, "--build-dir", folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert "1 cached drawings that no report uses" in done.stdout
    assert {file.name for file in cache.files()} == before
    assert any(name.endswith(".svg") for name in before)
    assert any(name.endswith(".formula") for name in before)
