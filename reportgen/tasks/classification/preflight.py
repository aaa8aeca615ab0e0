"""Do the settings of a classification run fit the data? The data are read, and nothing is trained."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reportgen.i18n import fonts
from reportgen.suite.document import shown
from reportgen.tasks.base import Misfit, UserData
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.settings import DataSettings, FunctionSettings, RunSettings

MOST_CLASSES = 500
"""More are a column that was taken for the classes: a matrix of them would fill no page."""

LONGEST_NAME = 80
"""Characters of a class's name: tables and figures have to have room for it."""


def misfits(settings: Sequence[RunSettings]) -> Iterator[tuple[RunSettings, Misfit]]:
    """Yield classes that cannot be printed, and losses that cannot tell them apart.

    What a function loads is looked at when it is validated: a plan runs none of the student's code.
    """
    read = [one for one in dict.fromkeys(settings) if not isinstance(one.data, FunctionSettings)]
    for data, first in {one.data: one for one in reversed(read)}.items():
        for name, got, expected in faults_of_classes(classification_data.prepare(data).facts.classes):
            yield first, Misfit(got, expected, place=_first_example(data, name))

    for one in read:
        classes = len(classification_data.prepare(one.data).facts.classes)
        if one.training.loss == "bce_logit" and classes != 2:
            got = f"'bce_logit', and data with {classes} classes"
            expected = "another loss, such as cross_entropy: a single logit tells two classes apart"
            yield one, Misfit(got, expected, setting="training.loss")


def _first_example(data: DataSettings, name: str) -> tuple[Path, int] | None:
    """Return file and line of the first example of a class; None where it comes from no file."""
    corpus = classification_data.load(data)
    example = corpus.labels.index(corpus.classes.index(name))
    return corpus.place(example) if corpus.places else None


def faults_of_classes(classes: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield for each class that cannot be told its name, what was got, and what is expected."""
    if len(classes) > MOST_CLASSES:
        yield classes[0], f"{len(classes):,} classes", f"at most {MOST_CLASSES}; is it the right column?"
        return
    for name in classes:
        if len(name) > LONGEST_NAME:
            yield name, f"the class {shown(name)} of {len(name):,} characters", f"at most {LONGEST_NAME}"
        elif lacking := fonts.lacking(name):
            yield name, f"{lacking}, a class", "what the report's fonts can print"


def load_user_data(settings: FunctionSettings) -> UserData:
    """Call the function that loads the data, and look whether they can be learnt from."""
    facts = classification_data.prepare.__wrapped__(settings).facts
    faults = [Misfit(got, expected) for _, got, expected in faults_of_classes(facts.classes)]
    return UserData(facts.digest, faults, len(facts.classes))
