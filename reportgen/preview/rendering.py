"""The report for a preview: made from the records that are there, again and again, doing only what has changed."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from reportgen import pipeline
from reportgen.analysis.results import Runs
from reportgen.errors import ReportgenError
from reportgen.i18n.fonts import Growing
from reportgen.i18n.languages import Language
from reportgen.planning import claim_journal, load
from reportgen.planning.load import Loaded, look_through
from reportgen.planning.output import CACHE
from reportgen.planning.plan import Action, Plan
from reportgen.report.html import to_html
from reportgen.report.styles import style_sheets
from reportgen.storage.build_state import own_digests
from reportgen.storage.cache import Cache
from reportgen.storage.records import Store
from reportgen.tasks.base import Findings
from reportgen.user_code.metrics import with_metrics

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
    """Writes a report again and again with what it has of the last one: plan, tables, and figures drawn before."""

    def __init__(self, file: Path, options: pipeline.Options, scratch: Path) -> None:
        self._file = file
        self._options = options
        self._scratch = scratch
        self._planned: tuple[str, Plan] | None = None
        self._analysed: tuple[list[str], Runs, Findings] | None = None
        self._version = 0
        self._fonts: dict[str, Growing] = defaultdict(Growing)
        self._loaded: Loaded | None = None

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files of own sections, as the suite names them that was last read without fault."""
        return self._loaded.beside if self._loaded else ()

    def state(self, wanted: str = "") -> State:
        """Return what there is to show. `wanted` is the document that is looked at: it is typeset at once."""
        try:
            state = self._state()
            if name := (wanted if wanted in state.documents else next(iter(state.documents), "")):
                state.page(name)
        except ReportgenError as error:
            return State(self._next(), error=str(error))
        return state

    def second_look(self) -> State | None:
        """Return what only a look through all templates finds, such as a block that nothing prints."""
        try:
            if self._loaded:
                look_through(self._loaded)
        except ReportgenError as error:
            return State(self._next(), error=str(error))
        return None

    def _state(self) -> State:
        self._loaded = loaded = pipeline.load(
            self._file, quick=self._options.quick, profile=self._options.profile, check_templates=False
        )
        store = Store(self._options.build / "records")
        planned = self._plan(loaded, store)
        lacking = (Action.TRAIN, Action.IMPORT)
        there = Plan([step for step in planned.steps if step.action not in lacking])
        missing = [step.run.name for step in planned.steps if step.action in lacking]
        if not there.steps:
            raise ReportgenError(
                f"no run has been trained yet, and a preview trains none; first run: reportgen build {self._file}"
            )
        notes = (f"not trained yet, so left out: {', '.join(missing)}",) if missing else ()

        results, findings = self._analyse(there, store, loaded)
        languages, cache = load.drawn_in(loaded), Cache(self._options.build / CACHE)
        figures = pipeline.draw(results, findings, languages, self._scratch, loaded.suite.sections, cache)
        texts = pipeline.write(loaded, results, findings, figures)
        load.copy_pictures(loaded, self._scratch)

        return State(
            self._next(),
            {name: (text, language, second) for name, text, language, second in load.documents(loaded, texts)},
            style_sheets(loaded.template_folders, loaded.suite.look),
            self._options.quick,
            notes=(*loaded.notes, *notes),
            _folder=self._scratch,
            _fonts=self._fonts,
        )

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
            results = with_metrics(pipeline.collect(planned, store), loaded.suite.metrics, loaded.document)
            late = claim_journal.late(store, loaded.claims, results)
            self._analysed = digests, results, pipeline.analyse(results, loaded.claims, late)
        return self._analysed[1], self._analysed[2]

    def _next(self) -> int:
        self._version += 1
        return self._version
