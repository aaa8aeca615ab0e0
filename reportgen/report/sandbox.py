"""Where templates run: Jinja's sandbox, closed further.

It reads only its own folders, and has limits on what may be written. What a template may read of a value, call, or
use as a filter stands in lists here; Jinja's own judgement of what is safe is not asked. The values themselves are
plain (`reportgen.report.border`), so that there is little to reach.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import BuiltinMethodType, CodeType, MethodType
from typing import Any, ClassVar

import jinja2
from jinja2 import UndefinedError, nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.filters import _GroupTuple
from jinja2.loaders import split_template_path
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import SandboxedEnvironment, safe_range
from jinja2.utils import Namespace

from reportgen.errors import ReportgenError, unreadable_line
from reportgen.i18n.origins import unmarked
from reportgen.report.border import NUMBERS, SEQUENCES, TEXTS, is_fields, plain_fields
from reportgen.report.escaping import as_markdown
from reportgen.report.numbering import Numbering
from reportgen.report.partials import SHIPPED
from reportgen.report.template_names import Named
from reportgen.resources import text_below

MOST_CHARACTERS = 5_000_000
"""Characters of one document; a suite of two hundred runs writes a tenth of it."""

_MOST_BITS = 20_000
"""Bits of a whole number: what is larger keeps a processor busy where nothing can stop it but a kill."""


_MOST_REPEATED = 100_000
"""Characters or entries of what is made by repeating a text or a list."""


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_OF_TEXT = _names("""
    capitalize count endswith find isalpha isdigit isnumeric islower isupper join lower lstrip partition
    removeprefix removesuffix replace rfind rpartition rsplit rstrip split splitlines startswith strip title upper
""")
_METHODS: dict[type, frozenset[str]] = {
    **dict.fromkeys(TEXTS, _OF_TEXT),
    **dict.fromkeys(SEQUENCES, _names("count index")),
    **dict.fromkeys(NUMBERS, frozenset()),
    dict: _names("get items keys values"),
    Numbering: _names("appendix caption cite cited ref refs section subsection"),
    LoopContext: _names("""
        changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0
    """),
    BlockReference: _names("super"),
    Macro: _names("name"),
    jinja2.utils.Cycler: _names("current next reset"),
}
"""What a template may read by name of each kind of value, besides fields and keys."""

_CALLED = (Macro, BlockReference, LoopContext, jinja2.utils.Joiner)
"""Values that are called, each of which Jinja makes itself."""

_GLOBALS = {
    "range": safe_range,
    "dict": dict,
    "cycler": jinja2.utils.Cycler,
    "joiner": jinja2.utils.Joiner,
    "namespace": Namespace,
}

_FILTERS = _names("""
    abs batch capitalize count d default dictsort e escape first float groupby int items join last length list
    lower map max min reject rejectattr replace reverse round safe select selectattr slice sort string sum
    title trim truncate unique upper wordcount
""")
"""Jinja's filters that templates may use. Without them: what reaches attributes by itself or writes formats (attr,
format, pprint, xmlattr), HTML, what pads without bounds (center, indent, wordwrap), and chance."""

_PRINTED = (*TEXTS, *NUMBERS, bool, type(None))


class TooLongError(jinja2.TemplateRuntimeError):
    """A template that writes more than a document may hold."""


@jinja2.pass_context
def _finalize(_: object, value: object) -> object:
    """Escape what a template prints; since it takes a context, Jinja prints no constant while it compiles.

    Raises TypeError for what is no value, such as a function or what `map` returns: it would print an address.
    """
    if type(value) not in _PRINTED:
        _refuse_unprintable(value)
    return as_markdown(value)


def _refuse_unprintable(value: object) -> None:
    if isinstance(value, jinja2.StrictUndefined):
        value._fail_with_undefined_error()
    if isinstance(value, jinja2.Undefined):  # of an `if` without `else`
        return
    kind = type(value)
    if kind is dict or kind in SEQUENCES:
        for item in value.items() if isinstance(value, dict) else value:  # type: ignore[attr-defined]
            if type(item) not in _PRINTED:
                _refuse_unprintable(item)
    elif not is_fields(kind):
        hint = "; a filter such as map gives a list with | list" if hasattr(value, "__next__") else ""
        raise TypeError(f"got {kind.__name__} to print, expected text or a number{hint}")


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
                return unmarked(text_below(file, folder)), str(file), lambda: True
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
    intercepted_binops = frozenset(["*", "**", "%"])

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
        self._functions: set[int] = {id(function) for function in _GLOBALS.values()}
        self.globals = dict(_GLOBALS)
        self.filters = {name: function for name, function in self.filters.items() if name in _FILTERS}

    def allow(self, functions: Iterable[Any]) -> None:
        """Let templates call these functions, which the caller keeps as long as it uses the environment."""
        self._functions |= {id(function) for function in functions}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field, a key, or a method that is on the list; an undefined name for all else."""
        kind = type(obj)
        if kind is Namespace and attribute[:1] != "_":
            return self._of_namespace(obj, attribute)
        known = plain_fields(kind) if is_fields(kind) else None  # type: ignore[arg-type]  # a class is hashable
        allowed = _METHODS.get(kind, frozenset()) if known is None else known
        if attribute in allowed:
            return getattr(obj, attribute)
        if kind is dict and attribute in obj:
            return obj[attribute]
        if kind is TemplateReference or (kind is TemplateModule and attribute[:1] != "_"):
            return self._of_template(obj, attribute)
        return self._refused(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an entry of a dict, a list or a text; a text also names what `getattr` returns."""
        kind = type(obj)
        if kind is dict or kind in SEQUENCES or kind in TEXTS or kind is _GroupTuple:
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return obj[argument] if isinstance(obj, jinja2.Undefined) else self.undefined(obj=obj, name=argument)

    def _of_namespace(self, obj: Namespace, attribute: str) -> Any:
        try:
            return Namespace.__getattribute__(obj, attribute)
        except AttributeError:
            return self.undefined(obj=obj, name=attribute)

    def _of_template(self, obj: Any, attribute: str) -> Any:
        try:
            return obj[attribute] if type(obj) is TemplateReference else vars(obj)[attribute]
        except LookupError:
            return self.undefined(obj=obj, name=attribute)

    def _refused(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, jinja2.Undefined):
            obj._fail_with_undefined_error()
        known = attribute in dir(type(obj)) and not is_fields(type(obj)) and type(obj) is not dict
        message = f"{attribute!r} of {type(obj).__name__} is unsafe: no template may use it" if known else None
        return self.undefined(message, obj=obj, name=attribute, exc=SecurityError if known else UndefinedError)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja asks so
        """Say no: what may be read is decided in `getattr`, which asks nobody."""
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        """Tell whether a template may call this: a function of the program's, a method on the list, a macro."""
        if type(obj) in _CALLED or id(obj) in self._functions or isinstance(obj, jinja2.Undefined):
            return True  # calling what is undefined says so
        owner = getattr(obj, "__self__", None)
        if type(obj) is BuiltinMethodType or type(obj) is MethodType:
            return obj.__name__ in _METHODS.get(type(owner), frozenset())
        return False

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja's
        """Call what may be called; SecurityError, which shows no object, for anything else."""
        if not __self.is_safe_callable(__obj):
            raise SecurityError(f"got a call of {type(__obj).__name__}, which is unsafe: no template may call it")
        return __context.call(__obj, *args, **kwargs)

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
        if operator == "%" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TypeError(f"got {type(left).__name__} % {type(right).__name__}, expected numbers")
        for one, other in ((left, right), (right, left)):
            repeated = operator == "*" and isinstance(one, str | list | tuple) and isinstance(other, int)
            if repeated and len(one) * other > _MOST_REPEATED:
                raise OverflowError(f"got more than {_MOST_REPEATED:,} by repeating")
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
            for constant in tree.find_all(nodes.Const):
                if isinstance(constant.value, str):  # spelt with escapes, marks would be read as the program's
                    constant.value = unmarked(constant.value)
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
