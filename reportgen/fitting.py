"""Do the settings fit the data? Asked in the plan, when the data are read and nothing is trained yet."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reportgen.errors import Problem, ReportgenError, SuiteError
from reportgen.marking.classes import faults_of_classes
from reportgen.suite.document import Document, Path_, read_document
from reportgen.suite.expansion import Run
from reportgen.suite.profiles import with_profile
from reportgen.suite.settings import DataSettings, FunctionSettings, RunSettings

_ASKED = "split.train_per_class"


@contextmanager
def told_of(file: Path, profile: str | None) -> Iterator[None]:
    """Turn a DataError into a SuiteError with the suite's line where that asks for more than the data have."""
    try:
        yield
    except ReportgenError as error:
        from reportgen.lab.corpora import DataError

        if not isinstance(error, DataError):
            raise
        problems = error.problems
        if not any(problem.where == _ASKED or not problem.file.exists() for problem in problems):
            raise
        document = _document(file, profile)
        paths: list[Path_] = [("data", *filter(None, problem.where.split("."))) for problem in problems]
        told = [document.problem(path, p.got, p.expected) for path, p in zip(paths, problems, strict=True)]
        raise SuiteError(told) from None


def _document(file: Path, profile: str | None) -> Document:
    document = read_document(file)
    return with_profile(document, profile) if profile else document


def check(file: Path, profile: str | None, runs: Iterable[Run]) -> None:
    """Raise SuiteError for classes that cannot be printed, and for a loss that cannot tell them apart.

    Args:
        file: the suite.
        profile: the one that is laid over it.
        runs: those that are to be trained; their data are read.
    """
    runs = list(runs)
    if not runs:
        return
    from reportgen.lab import dataset

    settled = {
        settings: run
        for run in runs
        # what a function loads is looked at when it is tried: a plan runs nothing of the user's
        if isinstance(settings := run.variant.settings, RunSettings)
        and not isinstance(settings.data, FunctionSettings)
    }
    problems: dict[Problem, None] = dict.fromkeys(
        problem
        for data in dict.fromkeys(settings.data for settings in settled)
        for problem in _of_classes(dataset.prepare(data).facts.classes, file, data)
    )
    for settings, run in settled.items():
        classes = len(dataset.prepare(settings.data).facts.classes)
        if settings.training.loss == "bce_logit" and classes != 2:
            document = _document(file, profile)
            got = f"'bce_logit', and data with {classes} classes"
            expected = "another loss, such as cross_entropy: a single logit tells two classes apart"
            problems[document.problem(_place(document, run), got, expected)] = None
    if problems:
        raise SuiteError(list(problems))


def _of_classes(classes: tuple[str, ...], file: Path, data: DataSettings) -> Iterator[Problem]:
    for name, got, expected in faults_of_classes(classes):
        yield Problem(*_first(data, name, file), "", got, expected)


def _first(data: DataSettings, name: str, file: Path) -> tuple[Path, int]:
    """Return file and line of the first example of a class; those of the suite where it comes from no file."""
    from reportgen.lab import dataset

    corpus = dataset.load(data)
    example = corpus.labels.index(corpus.classes.index(name))
    return corpus.place(example) if corpus.places else (file, 1)


def _place(document: Document, run: Run) -> Path_:
    """Return where the suite says which loss the run has: in a sweep, in the run itself, or for all runs."""
    base = (run.variant.baseline or "") if run.variant.changed else run.variant.name
    if "training.loss" in dict(run.variant.changed):
        sweeps = enumerate(document.value["sweeps"])
        grids = (i for i, sweep in sweeps if sweep["base"] == base and "training.loss" in sweep["grid"])
        return ("sweeps", next(grids), "grid", "training.loss")
    own = [("runs", i, "training", "loss") for i, one in enumerate(document.value["runs"]) if one["name"] == base]
    return next((path for path in own if path in document), ("training", "loss"))
