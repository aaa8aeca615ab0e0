"""Numbers of headings, figures, tables and references, given in the order of their first mention."""

from collections.abc import Sequence
from string import ascii_uppercase

from markupsafe import Markup

from reportgen.i18n.languages import Language
from reportgen.report.escaping import as_markdown


class Numbering:
    """Counts what a report numbers, and words the numbers in its language."""

    cited: list[str]
    """Names of the references that were cited, in the order of their numbers."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._sections = 0
        self._subsections = 0
        self._appendices = 0
        self._unnamed = 0
        self._kinds: dict[str, list[str]] = {"figure": [], "table": []}
        self.cited = []

    def section(self, title: str) -> Markup:
        """Return a heading of the first level."""
        self._sections += 1
        self._subsections = 0
        return self._heading("##", "heading.section", self._ordinal(self._sections), title)

    def subsection(self, title: str) -> Markup:
        """Return a heading of the second level."""
        self._subsections += 1
        return self._heading("###", "heading.subsection", f"{self._sections}.{self._subsections}", title)

    def new_name(self) -> str:
        """Return a name for a figure or a table of the student's own, which nothing else has."""
        self._unnamed += 1
        return f"unnamed {self._unnamed}"

    def appendix(self, title: str) -> Markup:
        """Return the heading of an appendix."""
        self._appendices += 1
        return self._heading("##", "heading.appendix", _letters(self._appendices), title)

    def ref(self, kind: str, name: str) -> Markup:
        """Return how the text calls a figure or a table: `Figure 2`."""
        names = self._kinds[kind]
        if name not in names:
            names.append(name)
        return Markup(self._language.say(f"caption.{kind}_ref", number=names.index(name) + 1))  # noqa: S704 - ours

    def refs(self, kind: str, names: Sequence[str]) -> Markup:
        """Return how the text calls several figures or tables: `Figures 3–6`, or `Figure 3 and Figure 5`."""
        references = [self.ref(kind, name) for name in names]
        numbers = [self._kinds[kind].index(name) + 1 for name in names]
        if len(names) > 2 and numbers == list(range(numbers[0], numbers[0] + len(names))):
            values = {"first": numbers[0], "last": numbers[-1]}
            return Markup(self._language.say(f"caption.{kind}_range", **values))  # noqa: S704 - digits
        return Markup(self._language.listing(references))  # noqa: S704 - ours

    def caption(self, kind: str, name: str, text: str) -> Markup:
        """Return the caption of a figure or a table, with its number: `Figure 2: Loss and accuracy`."""
        values = {"ref": self.ref(kind, name), "text": as_markdown(text)}
        return Markup(self._language.say(f"caption.{kind}", **values))  # noqa: S704 - escaped above

    def cite(self, *names: str) -> Markup:
        """Return the numbers of references in brackets: `[1, 3]`."""
        for name in names:
            if name not in self.cited:
                self.cited.append(name)
        numbers = ", ".join(str(self.cited.index(name) + 1) for name in names)
        return Markup(f"\\[{numbers}\\]")  # noqa: S704 - digits

    def _heading(self, marks: str, form: str, number: str, title: str) -> Markup:
        words = self._language.say(form, number=number, title=as_markdown(title))
        return Markup(f"{marks} {words}")  # noqa: S704 - escaped above

    def _ordinal(self, number: int) -> str:
        ordinals = self._language.say("heading.ordinals").split()
        return ordinals[number - 1] if number <= len(ordinals) else str(number)


def _letters(number: int) -> str:
    """Return A, B, … Z, AA, AB, …"""
    rest, last = divmod(number - 1, 26)
    return (_letters(rest) if rest else "") + ascii_uppercase[last]
