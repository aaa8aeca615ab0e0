"""The templates that ship, part by part: their blocks, and what a folder beside a suite puts in their place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2 import nodes

from reportgen.errors import TemplateError
from reportgen.suite.messages import nearest

SHIPPED = "shipped/"
"""What a template of a suite's own begins a name with that is to be looked up among those that ship."""

_CATALOGUE = re.compile(r"text\.\w+\.yaml")
_KINDS = ("*.j2", "styles/*.css")
# comments and raw text are matched so that a tag inside them is none
_TAG = re.compile(
    r"(?s)\{#.*?#\}|\{%[-+]?\s*raw\b.*?\bendraw\s*[-+]?%\}"
    r"|(?P<open>\{%[-+]?\s*block\s+(?P<name>\w+)[^%]*%\})|(?P<close>\{%[-+]?\s*endblock\b[^%]*%\})"
)


@dataclass(frozen=True)
class Partial:
    """A template or a style sheet: its name in the folder of templates, and where it is."""

    name: str
    shipped: Path | None
    own: Path | None
    """The file of that name beside the suite."""

    @property
    def blocks(self) -> list[str]:
        """Names of the blocks that can be overridden, in order."""
        return [name for name, _ in _blocks_of(self.shipped)] if self.shipped else []

    @property
    def state(self) -> str:
        """What the file beside the suite does to it; nothing where there is none."""
        if self.own is None:
            return ""
        if self.shipped is None:
            return "own"
        extended = re.search(r"\{%[-+]?\s*extends\b", _read(self.own))
        return f"own: {', '.join(name for name, _ in _blocks_of(self.own))}" if extended else "own, all of it"


def partials(folders: Sequence[Path]) -> list[Partial]:
    """Return every template and style sheet in `folders`, the last of which is that of those that ship."""
    found = [_files(folder) for folder in folders]
    own: dict[str, Path] = {}
    for files in found[:-1]:
        own = files | own
    return [Partial(name, found[-1].get(name), own.get(name)) for name in sorted({**own, **found[-1]})]


def find(name: str, folders: Sequence[Path]) -> Partial:
    """Return the partial that ships of that name: `summary`, `forecasting/summary`, `sections/summary.md.j2`.

    A catalogue is found by its name, `text.zh.yaml`; that of a language without one is the English one, to be
    translated. Raises TemplateError for a name that none has.
    """
    if _CATALOGUE.fullmatch(name):
        there_already, english = folders[-1] / name, folders[-1] / "text.en.yaml"
        return Partial(name, there_already if there_already.is_file() else english, None)
    there = {partial.name: partial for partial in partials(folders) if partial.shipped}
    for wanted in (name, f"{name}.md.j2", f"sections/{name}", f"sections/{name}.md.j2", f"styles/{name}"):
        if wanted in there:
            return there[wanted]
    short = {_short(full): full for full in there}
    raise TemplateError(
        f"got the template {name!r}, expected one that `reportgen template list` names"
        + "".join(f"; {hint}" for hint in [nearest(name, [*short, *there])] if hint)
    )


def block_source(partial: Partial, block: str) -> str:
    """Return a block of a partial that ships, from tag to tag; TemplateError if it has none of that name."""
    blocks = dict(_blocks_of(partial.shipped)) if partial.shipped else {}
    if block not in blocks:
        expected = f"one of {', '.join(blocks)}" if blocks else "none, since it has no blocks"
        hint = nearest(block, list(blocks))
        raise TemplateError(
            f"{partial.name}: got the block {block!r}, expected {expected}" + (f"; {hint}" if hint else "")
        )
    return blocks[block]


def override(partial: Partial, block: str | None) -> str:
    """Return a template that takes the place of one block of `partial`, or of all of it."""
    if block is None:
        return _read(partial.shipped) if partial.shipped else ""
    return f'{{% extends "{SHIPPED}{partial.name}" %}}\n\n{block_source(partial, block)}\n'


def faults_of_blocks(tree: nodes.Template, environment: jinja2.Environment) -> Iterator[tuple[int, str]]:
    """Yield line and message of what a template that extends another has and would never print."""
    extends = next(tree.find_all(nodes.Extends), None)
    if extends is None or not isinstance(extends.template, nodes.Const):
        return
    known = _inherited(str(extends.template.value), environment)
    for block in (node for node in tree.body if isinstance(node, nodes.Block)):
        if block.name not in known:
            hint = nearest(block.name, known)
            yield (
                block.lineno,
                f"got the block {block.name!r}, expected one of {', '.join(known)}"
                + (f"; {hint}" if hint else ""),
            )
    printed = (child for node in tree.body if isinstance(node, nodes.Output) for child in node.nodes)
    outside = next((child for child in printed if not _is_blank(child)), None)
    if outside is not None:
        text = outside.data if isinstance(outside, nodes.TemplateData) else ""
        line = outside.lineno + text[: len(text) - len(text.lstrip())].count("\n")
        expected = "none, since a template that extends another prints its blocks alone"
        yield line, f"got text outside of a block, expected {expected}"


def _inherited(name: str, environment: jinja2.Environment) -> list[str]:
    """Return the blocks of a template and of those that it extends."""
    found: list[str] = []
    seen: set[str] = set()
    while name not in seen and environment.loader:
        seen.add(name)
        try:
            tree = environment.parse(environment.loader.get_source(environment, name)[0])
        except jinja2.TemplateError:  # it is told elsewhere
            break
        found += [block.name for block in tree.find_all(nodes.Block)]
        extends = next(tree.find_all(nodes.Extends), None)
        if extends is not None and isinstance(extends.template, nodes.Const):
            name = str(extends.template.value)
    return list(dict.fromkeys(found))


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and not node.data.strip()


def _files(folder: Path) -> dict[str, Path]:
    files = (file for kind in _KINDS for file in folder.rglob(kind) if file.is_file())
    return {file.relative_to(folder).as_posix(): file for file in files}


def _short(name: str) -> str:
    return name.removeprefix("sections/").removesuffix(".md.j2")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{file}: {error}; save it as UTF-8 in your editor") from None


def _blocks_of(file: Path) -> list[tuple[str, str]]:
    """Return name and source of each block, outer ones before those inside them."""
    if file.suffix != ".j2":
        return []
    text = _read(file)
    opened: list[tuple[str, int]] = []
    found: list[tuple[int, str, str]] = []
    for tag in _TAG.finditer(text):
        if tag["open"]:
            opened.append((tag["name"], tag.start()))
        elif tag["close"] and opened:
            name, start = opened.pop()
            found.append((start, name, text[start : tag.end()]))
    return [(name, source) for _, name, source in sorted(found)]
