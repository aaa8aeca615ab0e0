"""Where templates run: Jinja's sandbox, which reads only its own folders and has limits on what may be written."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar

import jinja2
from jinja2 import nodes
from jinja2.loaders import split_template_path
from jinja2.sandbox import SandboxedEnvironment

from reportgen.errors import ReportgenError, unreadable_line
from reportgen.report.escaping import as_markdown
from reportgen.report.partials import SHIPPED
from reportgen.report.template_names import Named
from reportgen.resources import text_below

MOST_CHARACTERS = 5_000_000
"""Characters of one document; a suite of two hundred runs writes a tenth of it."""

_MOST_BITS = 20_000
"""Bits of a whole number: what is larger keeps a processor busy where nothing can stop it but a kill."""


class TooLongError(jinja2.TemplateRuntimeError):
    """A template that writes more than a document may hold."""


@jinja2.pass_context
def _finalize(_: object, value: object) -> object:
    """Escape what a template prints; since it takes a context, Jinja prints no constant while it compiles."""
    return as_markdown(value)


class Loader(jinja2.FileSystemLoader):
    """Looks in its folders, one after the other; a link that leads out of them is refused."""

    def get_source(
        self,
        environment: jinja2.Environment,  # noqa: ARG002 - Jinja gives it
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return text and path of a template; TemplateNotFound, or TemplateError for what may not be read."""
        parts = split_template_path(template)
        for folder in map(Path, self.searchpath):
            if (file := folder.joinpath(*parts)).is_file():
                return text_below(file, folder), str(file), lambda: True
        raise jinja2.TemplateNotFound(template)


class _Counted(jinja2.Template):
    """A template that ends with an error, at the line that it has got to, when it has written too much."""

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 - Jinja's own name for it
        uptodate: Callable[[], bool] | None = None,
    ) -> jinja2.Template:
        template = super().from_code(environment, code, globals, uptodate)
        assert isinstance(environment, Sandbox)  # noqa: S101 - only that one has templates of this class
        template.root_render_func = environment.counted(template.root_render_func)
        return template


class _Compiled(jinja2.BytecodeCache):
    """What a process has compiled already: a preview fills in the same templates again and again."""

    _known: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


class Sandbox(SandboxedEnvironment):
    """Jinja's sandbox, for Markdown: strict about names; nothing is worked out while a template is compiled."""

    template_class = _Counted
    intercepted_binops = frozenset(["*", "**"])

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(
            loader=jinja2.ChoiceLoader(
                [
                    # shipped/… is what a template of the same name beside the suite extends
                    jinja2.PrefixLoader({SHIPPED.rstrip("/"): Loader([str(folders[-1])])}),
                    Loader([str(folder) for folder in folders]),
                ]
            ),
            undefined=Named,
            bytecode_cache=_Compiled(),
            # what a template prints is escaped for Markdown by `finalize`, which marks it as safe; Jinja's own
            # escaping, for HTML, then lets it through, along with what macros and blocks return
            autoescape=True,
            finalize=_finalize,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.written = 0

    def counted(self, render: Callable[..., Any]) -> Callable[..., Iterator[str]]:
        """Return what yields the same pieces until they are too long: the innermost template is told."""

        def counted(*arguments: Any) -> Iterator[str]:
            pieces = render(*arguments)
            while True:
                before = self.written
                piece = next(pieces, None)
                if piece is None:
                    return
                if self.written == before:  # else a template that this one includes has counted it
                    self.written += len(piece)
                    if self.written > MOST_CHARACTERS:
                        pieces.throw(TooLongError(f"got a document of more than {MOST_CHARACTERS:,} characters"))
                yield piece

        return counted

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply or raise to a power; OverflowError for a whole number without bounds."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            if bits > _MOST_BITS:
                raise OverflowError("the number is too large")
        return super().call_binop(context, operator, left, right)

    # the three steps of Jinja's compiler: each goes as deep as a template is nested

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parse = super()._parse
        unclosed = jinja2.TemplateSyntaxError  # what is cut off ends within a block

        def line() -> int:
            return unreadable_line(source, lambda part: parse(part, name, filename), unclosed)

        with _told(name, filename, line):
            tree = parse(source, name, filename)
            for node in tree.find_all(nodes.EvalContextModifier):  # would be worked out while it is compiled
                raise jinja2.TemplateSyntaxError("got autoescape, which is always on", node.lineno, name, filename)
        return tree

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        with _told(name, filename):
            return super()._generate(source, name, filename, defer_init)

    def _compile(self, source: str, filename: str) -> CodeType:
        with _told(None, filename):
            return super()._compile(source, filename)


@contextmanager
def _told(name: str | None, filename: str | None, line: Callable[[], int] = lambda: 1) -> Iterator[None]:
    """Turn whatever Python says of code that it cannot read into a TemplateSyntaxError."""
    try:
        yield
    except (jinja2.TemplateError, ReportgenError):
        raise
    except Exception as error:  # a ValueError comes of a number of 5,000 digits, a RecursionError of a deep nest
        said = error.msg if isinstance(error, SyntaxError) else str(error) or "out of memory"
        raise jinja2.TemplateSyntaxError(f"it cannot be read: {said}", line(), name, filename) from None
