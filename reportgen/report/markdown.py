"""The stage *write*: the templates filled in, one Markdown document a language."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from types import FunctionType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.filters import make_attrgetter
from markupsafe import Markup

from reportgen.errors import TemplateError
from reportgen.i18n.languages import Language
from reportgen.i18n.origins import origins_of, unmarked, without_marks_of_lists
from reportgen.report.border import Crossed, cross, crossed
from reportgen.report.context import Common
from reportgen.report.custom_sections import numbered
from reportgen.report.escaping import as_markdown, code_block, code_span, escape_markdown
from reportgen.report.numbering import Numbering
from reportgen.report.partials import SHIPPED, faults_of_blocks
from reportgen.report.sandbox import Sandbox
from reportgen.report.template_lint import Spelling
from reportgen.resources import TEMPLATES, text_below

_REPORT = "report.md.j2"
_OF_ONE_REPORT = dict.fromkeys(("figure_ref", "label"), str)
"""Filters that belong to one report, where there is none."""

_OUT_OF_MEMORY = "it takes more memory than a template may have"


def write(context: Common | Crossed, language: Language, folders: Sequence[Path]) -> str:
    """Return the report in Markdown, without the marks of its numbers; see `write_marked`."""
    return unmarked(write_marked(context, language, folders))


def write_marked(context: Common | Crossed, language: Language, folders: Sequence[Path]) -> str:
    """Fill in the templates; of two of one name, that of the earlier folder counts.

    In the text the mark of each number that knows its origin stands behind it (`reportgen.origins`).

    Raises TemplateError that names template, line, and the nearest name for one that is misspelt.
    """
    environment = _environment(language, folders)
    numbering = Numbering(language)
    names = crossed(context, language.code)
    functions = _functions(names, language, numbering)
    environment.allow(functions.values())
    variables = {**names, **functions}
    environment.filters["figure_ref"] = lambda name: numbering.ref("figure", name)
    environment.filters["label"] = lambda variant: names["labels"][variant]
    return without_marks_of_lists(_filled_in(environment, _REPORT, variables, folders))


def _filled_in(environment: Sandbox, template: str, variables: dict[str, Any], folders: Sequence[Path]) -> str:
    try:
        text = "".join(environment.get_template(template).generate(variables))
    except (jinja2.TemplateError, TemplateError) as error:
        raise TemplateError(_worded(error, folders, list(variables))) from None
    except Exception as error:  # a template may lead to any of Python's
        if not _place(error):  # then it is no template that is wrong
            raise
        message = " ".join(str(error).split()) or (
            _OUT_OF_MEMORY if isinstance(error, MemoryError) else "no message"
        )
        raise TemplateError(f"{_place(error)}{type(error).__name__}: {message}") from None
    return _tidy(text)


def compile_shipped() -> None:
    """Compile the templates that ship, so that this process and its copies need not any more.

    A fault is told by whoever uses the template.
    """
    environment = _environment(Language("en", {}), [TEMPLATES])
    environment.filters |= _OF_ONE_REPORT
    for name in environment.list_templates(extensions=["j2"]):
        if not name.startswith(SHIPPED):  # the same once more
            with suppress(jinja2.TemplateError, TemplateError):
                environment.get_template(name)


def filled_in(template: str, variables: dict[str, Any], language: Language, folders: Sequence[Path]) -> str:
    """Fill in a template that is no report: with `t`, the filters, and the filter `label` out of `labels`."""
    environment = _environment(language, folders)
    environment.filters["label"] = lambda variant: variables["labels"][variant]
    functions: dict[str, Any] = {
        name: value for name, value in variables.items() if isinstance(value, FunctionType)
    }
    names = cross({name: value for name, value in variables.items() if name not in functions}, language.code)
    functions["t"] = _speaker(language)
    environment.allow(functions.values())
    return unmarked(_filled_in(environment, template, {**names, **functions}, folders))


def check(
    language: Language,
    folders: Sequence[Path],
    contexts: Mapping[str, type[Common]] | None = None,
    task: str = "classification",
) -> None:
    """Look through the templates beside a suite, before anything is trained: every folder but the last.

    Args:
        language: whose sentences they say.
        folders: of templates; the last has those that ship.
        contexts: what the templates of each task may use; names are not looked at without it.
        task: of the suite.

    Raises TemplateError with every syntax error, unknown filter, misspelt name, and template or block asked for
    that is nowhere.
    """
    environment = _environment(language, folders)
    environment.filters |= _OF_ONE_REPORT
    files = [file for folder in folders[:-1] for file in sorted(folder.rglob("*.j2"))]
    trees: dict[Path, nodes.Template] = {}
    problems: dict[Path, list[str]] = {file: [] for file in files}
    for file in files:
        try:
            folder = next(folder for folder in folders if file.is_relative_to(folder))
            tree = environment.parse(text_below(file, folder), filename=str(file))
            environment.compile(tree, filename=str(file))
            trees[file] = tree
        except TemplateError as error:
            problems[file].append(str(error))
        except jinja2.TemplateSyntaxError as error:
            problems[file].append(_worded(error, folders, []))
    spelling = Spelling(environment, language, contexts, task) if contexts else None
    for file, tree in trees.items():
        name = next(file.relative_to(folder) for folder in folders if folder in file.parents).as_posix()
        found = [*_missing(tree, name, environment, folders), *faults_of_blocks(tree, environment)]
        found += spelling.faults(name, tree) if spelling else []
        problems[file] += [f"{file}:{line}: {message}" for line, message in sorted(found)]
    if any(problems.values()):
        raise TemplateError("\n".join(chain.from_iterable(problems.values())))


def _missing(
    tree: nodes.Template, own: str, environment: Sandbox, folders: Sequence[Path]
) -> Iterator[tuple[int, str]]:
    """Yield line and message of each template asked for that is nowhere, or that is the one that asks."""
    there = environment.list_templates()
    for line, name in _asked_for(tree):
        if name not in there:
            near = get_close_matches(name, there, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield line, f"there is no template {name!r} in {_listed(folders)}{hint}"
        elif name == own:
            yield line, f"got the template itself, expected the one that ships: '{SHIPPED}{name}'"


def _asked_for(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield line and name of every template that another one cannot do without."""
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        name, optional = getattr(node, "template", None), getattr(node, "ignore_missing", False)
        if isinstance(name, nodes.Const) and isinstance(name.value, str) and not optional:
            yield node.lineno, name.value


def _environment(language: Language, folders: Sequence[Path]) -> Sandbox:
    environment = Sandbox(folders)
    environment.filters.update(_filters(language))
    environment.tests["known"] = lambda value: value is not None and value == value  # NaN is not
    return environment


def _filters(language: Language) -> dict[str, Any]:
    def listing(items: Iterable[str]) -> Markup:
        """Join items the way the language does: a, b and c."""
        return Markup(language.listing([str(as_markdown(item)) for item in items]))  # noqa: S704 - escaped

    @jinja2.pass_environment
    def join(environment: Sandbox, items: Iterable[Any], between: str = "", attribute: Any = None) -> str:
        """Put items one after another, with `between` between them."""
        read = make_attrgetter(environment, attribute) if attribute is not None else lambda item: item
        parts = [read(item) for item in items]
        if not any(isinstance(part, Markup) or origins_of(part) for part in (*parts, between)):
            return str(between).join(map(str, parts))
        separator = str(between)
        if not isinstance(between, Markup) and not separator.isspace():
            words = separator.strip()
            separator = separator.replace(words, escape_markdown(words))
        return Markup(separator.join(str(as_markdown(part)) for part in parts))  # noqa: S704 - escaped

    return {
        "number": language.number,
        "percent": language.percent,
        "points": language.points,
        "integer": language.integer,
        "significant": language.significant,
        "p_value": language.p_value,
        "listing": listing,
        "join": join,
        "code": code_block,
        "codespan": code_span,
    }


def documented(language: Language) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the functions and the filters that templates may use; a text stands for what is no function."""
    functions = _functions({}, language, Numbering(language))  # looked at, not called
    functions |= {"language": "Code of the report's language.", "numbering": Numbering.__doc__}
    filters = _filters(language) | {
        "label": "Return what tables and figures call a variant.",
        "figure_ref": "Return how the text calls a figure.",
    }
    return functions, filters


def _functions(names: Mapping[str, Any], language: Language, numbering: Numbering) -> dict[str, Any]:
    def class_name(name: str) -> str:
        """Return what the language calls a class of the data."""
        sources = (data["source"] for data in names["datasets"])
        return next((word for s in sources if (word := language.class_name(s, name)) != name), name)

    def own_words(text: str) -> Markup:
        """Return the Markdown of an own section with its headings numbered."""
        return numbered(text, numbering)

    return {
        "t": _speaker(language),
        "shown": language.setting,
        "has": language.has,
        "class_name": class_name,
        "language": language.code,
        "numbering": numbering,
        "ref": numbering.ref,
        "caption": numbering.caption,
        "cite": numbering.cite,
        "own_words": own_words,
    }


def _speaker(language: Language) -> Callable[..., Markup]:
    def t(key: str, **values: object) -> Markup:
        """Return the sentence of the catalogue, with its placeholders filled in; `count` chooses the plural."""
        return Markup(language.say(key, **{k: as_markdown(v) for k, v in values.items()}))  # noqa: S704 - escaped

    return t


def _tidy(text: str) -> str:
    """Leave one blank line where templates left several, outside of code blocks."""
    pieces = re.split(r"(?ms)(^(`{3,})\w+\n.*?^\2$)", text)
    # split() hands out text, block and fence in turn
    for i in range(0, len(pieces), 3):
        pieces[i] = re.sub(r"[ \t]+\n", "\n", pieces[i])
        pieces[i] = re.sub(r"\n{3,}", "\n\n", pieces[i])
    kept = [piece for i, piece in enumerate(pieces) if i % 3 != 2]
    return "".join(kept).strip() + "\n"


def _worded(error: Exception, folders: Sequence[Path], names: list[str]) -> str:
    """Return what the user needs to know: template, line, what is wrong, and the name that may have been meant."""
    match error:
        case jinja2.TemplateSyntaxError():
            return f"{error.filename or error.name}:{error.lineno}: {error.message}"
        case jinja2.TemplateNotFound():
            return f"{_place(error)}there is no template {error.name!r} in {_listed(folders)}"
        case _:
            return f"{_place(error)}{error}{_nearest(str(error), names)}"


def _place(error: BaseException) -> str:
    """Return `template:line: ` of the innermost template that the error passed through."""
    place = _place(error.__cause__) if error.__cause__ else ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            compiled = trace.tb_frame.f_globals.get("__jinja_template__")
            line = compiled.get_corresponding_lineno(trace.tb_lineno) if compiled else trace.tb_lineno
            place = f"{trace.tb_frame.f_code.co_filename}:{line}: "
        trace = trace.tb_next
    return place


def _nearest(message: str, names: list[str]) -> str:
    quoted = re.findall(r"'(\w+)' is undefined", message)
    near = get_close_matches(quoted[0], names, n=1) if quoted else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _listed(folders: Sequence[Path]) -> str:
    return " or ".join(str(folder) for folder in folders)
