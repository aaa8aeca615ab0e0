"""The report for a preview: made from the records that are there, again and again, doing only what has changed."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reportgen import pipeline
from reportgen.analysis.results import Runs
from reportgen.errors import ReportgenError
from reportgen.i18n.catalogues import Message
from reportgen.i18n.fonts import Growing
from reportgen.i18n.languages import Language
from reportgen.planning import load
from reportgen.planning.load import Loaded, look_through
from reportgen.planning.plan import Action, Plan
from reportgen.report.html import to_html
from reportgen.report.styles import style_sheets
from reportgen.storage import claim_journal
from reportgen.storage.build_state import own_digests
from reportgen.storage.records import Store
from reportgen.tasks.registry import Findings
from reportgen.user_code.metrics import with_metrics

_IN_FIGURES = ("figure.", "setting.", "value.", "class.", "list.")
_NOT_TRAINED = ("title", "cover", "aim", "summary", "sections", "look", "languages", "formats", "profiles")
"""What of a suite changes neither its runs nor their labels."""


@dataclass
class State:
    """What the page shows: the documents by name, such as zh or zh+en, or what is wrong."""

    version: int = 0
    documents: dict[str, tuple[str, Language, dict[int, str]]] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)
    quick: bool = False
    error: str = ""
    notes: tuple[str, ...] = ()
    _pages: dict[str, str] = field(default_factory=dict)
    _folder: Path = Path()
    _fonts: dict[str, Growing] = field(default_factory=lambda: defaultdict(Growing))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, name: str) -> str:
        """Return the document as HTML, made when it is first asked for; ReportgenError if it cannot be typeset."""
        with self._lock:
            if name not in self._pages:
                text, language, second = self.documents[name]
                self._pages[name] = to_html(
                    text,
                    language,
                    self._folder,
                    self.styles,
                    quick=self.quick,
                    second=second,
                    growing=self._fonts[name],
                )
            return self._pages[name]


class Renderer:
    """Makes a report anew with what it still has of the last one: plan, tables, figures."""

    def __init__(self, file: Path, options: pipeline.Options, scratch: Path) -> None:
        self._file = file
        self._options = options
        self._scratch = scratch
        self._planned: tuple[str, Plan] | None = None
        self._analysed: tuple[list[str], Runs, Findings] | None = None
        self._drawn: dict[str, _Drawn] = {}
        self._version = 0
        self._fonts: dict[str, Growing] = defaultdict(Growing)
        self._loaded: Loaded | None = None

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files of own sections, as the suite names them that was last read without fault."""
        return self._loaded.beside if self._loaded else ()

    def states(self, wanted: str = "") -> Iterator[State]:
        """Yield what there is to show: first with the figures of last time, then with new ones if need be.

        `wanted` is the document that is looked at: what keeps it from being typeset is told.
        """
        try:
            for state in self._states():
                if name := (wanted if wanted in state.documents else next(iter(state.documents), "")):
                    state.page(name)
                yield state
        except ReportgenError as error:
            yield State(self._next(), error=str(error))

    def second_look(self) -> State | None:
        """Return what only a look through all templates finds, such as a block that nothing prints."""
        try:
            if self._loaded:
                look_through(self._loaded)
        except ReportgenError as error:
            return State(self._next(), error=str(error))
        return None

    def _states(self) -> Iterator[State]:
        self._loaded = loaded = pipeline.load(
            self._file, quick=self._options.quick, profile=self._options.profile, check_templates=False
        )
        store = Store(self._options.build / "records")
        planned = self._plan(loaded, store)
        lacking = (Action.TRAIN, Action.IMPORT)
        there = Plan([step for step in planned.steps if step.action not in lacking])
        missing = [step.run.name for step in planned.steps if step.action in lacking]
        if not there.steps:
            raise ReportgenError(f"nothing is trained yet; a preview trains nothing: reportgen build {self._file}")
        notes = (f"not trained yet, and left out: {', '.join(missing)}",) if missing else ()
        results, findings = self._analyse(there, store, loaded)
        figures, stale = self._figures(loaded, results, findings)
        yield self._written(loaded, results, findings, figures, notes)
        if stale:
            for language in stale:
                self._draw(loaded, results, findings, language)
            figures, _ = self._figures(loaded, results, findings)
            yield self._written(loaded, results, findings, figures, notes)

    def _plan(self, loaded: Loaded, store: Store) -> Plan:
        key = repr(loaded.suite.model_copy(update=dict.fromkeys(_NOT_TRAINED)))
        if self._planned is None or self._planned[0] != key or self._untrained(store):
            self._planned = key, pipeline.plan(loaded, store)
            self._analysed = None
        return self._planned[1]

    def _untrained(self, store: Store) -> bool:
        """Tell whether a record has come, or has changed, since the plan was made."""
        steps = self._planned[1].steps if self._planned else []
        return any(step.action is not Action.REUSE and store.has(step.key) for step in steps)

    def _analyse(self, planned: Plan, store: Store, loaded: Loaded) -> tuple[Runs, Findings]:
        digests = [str(store.digest(step.key)) for step in planned.steps] + [repr(loaded.claims)]
        digests += [repr(loaded.suite.metrics), *own_digests(loaded.suite)]
        if self._analysed is None or self._analysed[0] != digests:
            results = with_metrics(pipeline.collect(planned, store), loaded.suite, self._file, loaded.profile)
            self._analysed = (
                digests,
                results,
                pipeline.analyse(results, loaded.claims, claim_journal.late(store, loaded.claims, results)),
            )
            for drawn in self._drawn.values():
                drawn.outdated = True
        return self._analysed[1], self._analysed[2]

    def _figures(
        self, loaded: Loaded, results: Runs, findings: Findings
    ) -> tuple[dict[str, dict[str, str]], list[Language]]:
        """Return the figures of each language, and the languages whose figures are not up to date any more.

        Figures that were never drawn are drawn at once.
        """
        stale = []
        found = {}
        for language in load.drawn_in(loaded):
            drawn = self._drawn.get(language.code)
            if drawn is None or not set(loaded.suite.sections) <= set(drawn.sections):
                drawn = self._draw(loaded, results, findings, language)
            if not drawn.serves(language):
                stale.append(language)
            found[language.code] = drawn.paths
        return found, stale

    def _draw(self, loaded: Loaded, results: Runs, findings: Findings, language: Language) -> "_Drawn":
        heard = _Heard(language.code, language.messages)
        paths = pipeline.draw(results, findings, [heard], self._scratch, loaded.suite.sections)
        self._drawn[language.code] = _Drawn(paths[language.code], heard, loaded.suite.sections)
        return self._drawn[language.code]

    def _written(
        self,
        loaded: Loaded,
        results: Runs,
        findings: Findings,
        figures: dict[str, dict[str, str]],
        notes: tuple[str, ...],
    ) -> State:
        texts = pipeline.write(loaded, results, findings, figures, quick=self._options.quick)
        load.copy_pictures(loaded, self._scratch)
        made = load.documents(loaded, texts)
        return State(
            self._next(),
            {name: (text, language, second) for name, text, language, second in made},
            style_sheets(loaded.template_folders, loaded.suite.look),
            self._options.quick,
            notes=(*loaded.notes, *notes),
            _folder=self._scratch,
            _fonts=self._fonts,
        )

    def _next(self) -> int:
        self._version += 1
        return self._version


class _Heard(Language):
    """A language that remembers what it was asked."""

    def __init__(self, code: str, messages: Mapping[str, Message]) -> None:
        super().__init__(code, messages)
        self.asked: set[str] = set()

    def say(self, key: str, **values: object) -> str:
        self.asked.add(key)
        return super().say(key, **values)

    def has(self, key: str) -> bool:
        self.asked.add(key)
        return super().has(key)


@dataclass
class _Drawn:
    """Figures, and what they were drawn with."""

    paths: dict[str, str]
    heard: _Heard
    sections: tuple[str, ...]
    outdated: bool = False
    """Whether there are other results since."""

    def serves(self, language: Language) -> bool:
        """Tell whether they would be drawn the same in the language as it is now."""
        keys = self.heard.asked | {key for key in language.messages if key.startswith(_IN_FIGURES)}
        return not self.outdated and all(
            language.messages.get(key) == self.heard.messages.get(key) for key in keys
        )
