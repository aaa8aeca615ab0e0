"""Can the classes of a data set be told in a report?"""

from collections.abc import Iterator, Sequence

from reportgen import fonts
from reportgen.suite.document import shown

MOST_CLASSES = 500
"""More are a column that was taken for the classes: a matrix of them would fill no page."""

LONGEST_NAME = 80
"""Characters of a class's name: tables and figures have to have room for it."""


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
