"""The spelling of a template's names, held against what the report will give it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, get_type_hints

import jinja2
from jinja2 import nodes

from reportgen.i18n.languages import Language
from reportgen.report.context import Common
from reportgen.report.numbering import Numbering
from reportgen.report.template_names import declared, faults_of_names, included

FUNCTIONS = ("t", "shown", "has", "class_name", "language", "ref", "caption", "cite", "own_words")
"""What `report.markdown` adds to a context, besides `numbering`."""


class Spelling:
    """Knows what each template of a report may use."""

    def __init__(
        self, environment: jinja2.Environment, language: Language, contexts: Mapping[str, type[Common]], task: str
    ) -> None:
        self._environment = environment
        self._language = language
        self._contexts = contexts
        self._task = task

    def faults(self, name: str, tree: nodes.Template) -> list[tuple[int, str]]:
        """Return line and message of each misspelt name in the template of that name."""
        hints = {task: get_type_hints(context) for task, context in self._contexts.items()}
        anyone = {name: Any for own in hints.values() for name in own}
        if task := self._task_of(name):
            names = {**anyone, **hints[task]}
        else:  # a part of sections of any task: what one name stands for may differ
            alike = {k: v for k, v in hints[self._task].items() if all(own.get(k) == v for own in hints.values())}
            names = {**anyone, **alike}
        names |= {**dict.fromkeys(FUNCTIONS, Any), "numbering": Numbering}
        return faults_of_names(tree, names, self._set_elsewhere(name, tree), self._language)

    def _task_of(self, name: str) -> str:
        """Return the task of a section; nothing for another template."""
        if task := re.match(rf"sections/({'|'.join(self._contexts)})/", name):
            return task[1]
        if not name.startswith("sections/"):
            return ""
        own = name.replace("sections/", f"sections/{self._task}/", 1)
        return next(iter(self._contexts)) if own in self._sources else self._task

    def _set_elsewhere(self, name: str, tree: nodes.Template) -> set[str]:
        """Return the names set by what this template extends, and by what includes it, directly or not."""
        extended = _extended(tree)
        reached = {other for other in self._sources if other in extended or other.removeprefix("shipped/") == name}
        waiting = {name}
        while waiting:
            wanted = waiting.pop().removeprefix("shipped/")
            including = {
                other
                for other, source in self._sources.items()
                if any(_may_be(wanted, *parts) for parts in _included(source))
            }
            waiting |= including - reached
            reached |= including
        trees = [_parse(self._sources[other]) for other in reached]
        return {declared_name for there in trees if there for declared_name in declared(there)}

    @cached_property
    def _sources(self) -> dict[str, str]:
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, str]]:
        loader = self._environment.loader
        for name in self._environment.list_templates(extensions=["j2"]):
            try:
                yield name, loader.get_source(self._environment, name)[0] if loader else ""
            except (jinja2.TemplateError, UnicodeDecodeError):  # it is told where that template is looked at
                continue


@cache
def _parse(source: str) -> nodes.Template | None:
    """Parse a template, once for all languages; None where it cannot be, which is told where it is looked at."""
    try:
        return jinja2.Environment().parse(source)  # noqa: S701 - looked at, and never rendered
    except jinja2.TemplateError:
        return None


@cache
def _included(source: str) -> list[tuple[str, str]]:
    """Return what `included` does; to parse a template that includes none would be for nothing."""
    tree = _parse(source) if "include" in source else None
    return list(included(tree)) if tree else []


def _extended(tree: nodes.Template) -> set[str]:
    return {
        str(node.template.value) for node in tree.find_all(nodes.Extends) if isinstance(node.template, nodes.Const)
    }


def _may_be(name: str, beginning: str, end: str) -> bool:
    """Tell whether a template that is included by that beginning and end of a name may be the one of this name."""
    return name.startswith(beginning) and name.endswith(end) if end else name == beginning
