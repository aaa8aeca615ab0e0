"""Ways out of the sandbox, as attackers try them; and everything that templates are given, looked through."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import additions as addition
import forecasts as forecasting
import jinja2
import pytest
from conftest import GOLDEN, TINY
from contexts import AIM, EN, context
from markupsafe import Markup

from reportgen import pipeline
from reportgen.errors import TemplateError
from reportgen.i18n.languages import Language
from reportgen.lab.record import from_files
from reportgen.report import border, guarded, markdown
from reportgen.report.numbering import Numbering
from reportgen.report.sandbox import Sandbox
from reportgen.resources import TEMPLATES
from reportgen.suite.expansion import file_name, runs_of
from reportgen.tasks.registry import task_named

PUBLISHED = {
    "CVE-2016-10745 format": "{{ '{0.__class__.__init__.__globals__}'.format(t) }}",
    "CVE-2019-10906 format_map": "{{ '{x.__class__}'.format_map({'x': t}) }}",
    "CVE-2024-56326 format kept": "{% set f = '{0.__class__}'.format %}{{ f(t) }}",
    "CVE-2024-56326 format by a filter": "{{ ['{0.__class__}'] | map(attribute='format') | list }}",
    "CVE-2025-27516 attr": "{{ ('{0.__class__}' | attr('format'))(t) }}",
    "CVE-2025-27516 map attr": "{{ ['{0.__class__}'] | map('attr', 'format') | list }}",
    "CVE-2024-22195 xmlattr": "{{ {'a onclick=x': 1} | xmlattr }}",
    "CVE-2024-34064 xmlattr": "{{ {'a/onclick=x': 1} | xmlattr }}",
    "CVE-2020-28493 urlize": "{{ ('a@' * 9999) | urlize }}",
    "CVE-2014-0012 bytecode": "{{ self._TemplateReference__context.environment.bytecode_cache }}",
    "CVE-2024-56201 name of a template": "{% include 'a{x}\\n.md.j2' %}",
}
PYTHON = {
    "class of text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class by item": "{{ ''['__class__'] }}",
    "class by attr": "{{ '' | attr('__class__') }}",
    "class of a number": "{{ (1).__class__.__base__ }}",
    "bases of a list": "{{ [].__class__.__base__.__subclasses__()[100] }}",
    "escapes in a name": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "a name put together": "{{ ''['__cla' ~ 'ss__'] }}",
    "globals of a function": "{{ t.__globals__ }}",
    "code of a function": "{{ t.__code__.co_consts }}",
    "closure of a function": "{{ t.__closure__[0].cell_contents }}",
    "wrapped function": "{{ cite.__func__.__wrapped__ }}",
    "defaults": "{{ class_name.__defaults__ }}{{ class_name.__kwdefaults__.x }}",
    "owner of a method": "{{ cite.__self__ }}",
    "owner of a built-in method": "{{ 'x'.upper.__self__.__class__ }}",
    "private of an object": "{{ numbering._language }}",
    "private of an object by item": "{{ numbering['_language'] }}",
    "private by map": "{{ [numbering] | map(attribute='_language') | list }}",
    "dict of an object": "{{ numbering.__dict__ }}",
    "init": "{{ numbering.__init__.__globals__ }}",
    "reduce": "{{ title.__reduce_ex__(2) }}",
    "getattribute": "{{ title.__getattribute__('__class__') }}",
    "setattr": "{{ numbering.__setattr__('x', 1) }}",
    "sizeof": "{{ title.__sizeof__() }}",
    "dir": "{{ title.__dir__() }}",
    "doc": "{{ t.__doc__ }}",
    "module": "{{ t.__module__ }}",
    "mutating a dict": "{% set x = labels.update({'rnn': 'x'}) %}",
    "emptying a dict": "{% set x = labels.clear() %}",
    "popping": "{% set x = labels.pop('rnn') %}",
    "appending": "{% set x = seeds.append(1) %}",
    "sorting in place": "{% set x = seeds.sort() %}",
    "encode": "{{ title.encode('utf-16') }}",
    "translate": "{{ title.translate({84: 'x' * 99}) }}",
    "percent": "{{ '%s' % t }}",
    "percent that pads": "{{ '%999999999d' % 1 }}",
    "format filter": "{{ '%s' | format(t) }}",
    "format filter that pads": "{{ '%999999999s' | format(1) }}",
    "center": "{{ 'x' | center(10 ** 9) }}",
    "center of text": "{{ 'x'.center(10 ** 9) }}",
    "ljust": "{{ 'x'.ljust(10 ** 9) }}",
    "zfill": "{{ '1'.zfill(10 ** 9) }}",
    "expandtabs": "{{ '\\t'.expandtabs(10 ** 9) }}",
    "indent": "{{ 'x' | indent(10 ** 9) }}",
    "range": "{{ range(10 ** 9) | list }}",
    "repeating": "{{ 'x' * 10 ** 9 }}",
    "repeating a list": "{{ (10 ** 9) * [1] }}",
    "lipsum": "{{ lipsum(n=10 ** 6) }}",
    "globals of lipsum": "{{ lipsum.__globals__.os }}",
    "globals of cycler": "{{ cycler.__init__.__globals__.os }}",
    "globals of joiner": "{{ joiner.__init__.__globals__.os }}",
    "globals of namespace": "{{ namespace.__init__.__globals__.os }}",
    "inside of a namespace": "{{ namespace(x=1)._Namespace__attrs }}",
    "class of a namespace": "{{ namespace(x=1).__class__ }}",
    "a key that is an attribute": "{% set n = namespace() %}{{ n['__class__'] }}",
    "range's class": "{{ range.__class__ }}",
    "dict's methods": "{{ dict.fromkeys('ab') }}",
    "dict's subclasses": "{{ dict.__subclasses__() }}",
    "mro of dict": "{{ dict.mro() }}",
    "bare dict": "{{ dict }}",
    "a macro's inside": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "a macro's environment": "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "a caller's inside": "{% macro m() %}{{ caller._func }}{% endmacro %}{% call m() %}{% endcall %}",
    "self": "{{ self._TemplateReference__context }}",
    "class of self": "{{ self.__class__ }}",
    "a block's context": "{% block b %}{% endblock %}{{ self.b._context }}",
    "a block's stack": "{% block b %}{% endblock %}{{ self.b._stack }}",
    "loop's inside": "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "loop's undefined": "{% for x in [1] %}{{ loop._undefined.__init__ }}{% endfor %}",
    "loop's class": "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "a module's inside": "{% import 'm.md.j2' as m %}{{ m._body_stream }}",
    "a module's dict": "{% import 'm.md.j2' as m %}{{ m.__dict__ }}",
    "a module's root": "{% import 'm.md.j2' as m with context %}{{ m.__class__ }}",
    "an undefined name's inside": "{{ nothing_like_it.__class__ }}",
    "an undefined name's message": "{{ nothing_like_it._undefined_exception }}",
    "a missing branch": "{{ ('x' if false).__init__.__globals__ }}",
    "generator": "{{ ([1] | map('string')).gi_frame }}",
    "generator's code": "{{ ([1] | select).gi_code.co_consts }}",
    "generator's send": "{{ ([1] | select).send(None) }}",
    "generator's throw": "{{ ([1] | select).throw('x') }}",
    "generator's close": "{{ ([1] | select).close() }}",
    "generator's frame": "{{ ([1] | select).gi_frame.f_back.f_builtins }}",
    "coroutine": "{{ t.cr_frame }}{{ t.cr_await }}",
    "awaiting": "{{ t.__await__() }}",
    "asynchronous generator": "{{ ([1] | select).ag_frame }}",
    "partial": "{{ t.func.__globals__ }}{{ t.args }}{{ t.keywords }}",
    "cache": "{{ t.cache_info() }}",
    "cache of a function": "{{ t.cache_parameters() }}",
    "printing a function": "{{ t }}",
    "printing a method": "{{ cite }}",
    "printing in a list": "{{ [t] }}",
    "printing in a dict": "{{ {'x': cite} }}",
    "printing a generator": "{{ [1] | map('string') }}",
    "printing the loop": "{% for x in [1] %}{{ loop }}{% endfor %}",
    "printing oneself": "{{ self }}",
    "pprint": "{{ t | pprint }}",
    "tojson": "{{ t | tojson }}",
    "random": "{{ seeds | random }}",
    "calling text": "{{ title() }}",
    "calling a class": "{{ [].append(t) }}",
    "groupby": "{{ [t] | groupby('__globals__') }}",
    "sort": "{{ [t, cite] | sort(attribute='__globals__') }}",
    "sum": "{{ [t] | sum(attribute='__code__') }}",
    "min": "{{ [t] | min(attribute='__code__.co_code') }}",
    "unique": "{{ [t] | unique(attribute='__globals__') | list }}",
    "selectattr": "{{ [t] | selectattr('__globals__') | list }}",
    "rejectattr": "{{ [t] | rejectattr('__globals__') | list }}",
    "map with a default": "{{ [t] | map(attribute='__globals__', default='x') | list + [t.__globals__] }}",
    "map by a number and a name": "{{ [[t]] | map(attribute='0.__globals__') | list }}",
    "join": "{{ [t] | join(', ', attribute='__globals__') }}",
    "the environment": "{{ environment.loader }}",
    "the context": "{{ context.parent }}",
    "debug": "{% debug %}",
    "do": "{% do seeds.append(1) %}",
    "reading a file": "{% include '/etc/passwd' %}",
    "importing a file": "{% import '../../../etc/passwd' as x %}",
}
PANDAS = {
    "eval": "findings.comparison.eval(\"@t.sys.modules.get('os').system('id')\", engine='python')",
    "query": "findings.comparison.query(\"@t.__class__\")",
    **{
        name: f"findings.comparison.{name}('pwned')"
        for name in ("to_csv", "to_pickle", "to_json", "to_parquet", "to_hdf", "to_sql", "to_excel", "to_latex",
                     "to_clipboard", "to_xml", "to_html", "to_string", "to_stata", "to_feather", "to_numpy",
                     "pipe", "apply", "map", "agg", "transform", "style", "plot", "hist", "attrs", "info",
                     "memory_usage")
    },
    **{
        f"numpy {name}": f"findings.per_class.{name}('pwned')"
        for name in ("tofile", "dump", "dumps", "save", "ctypes", "data", "base", "setflags", "astype", "getfield",
                     "view")
    },
}  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of templates beside a suite."""
    (tmp_path / "templates" / "sections").mkdir(parents=True)
    (tmp_path / "templates" / "m.md.j2").write_text("{% macro m() %}{% endmacro %}", "utf-8")
    return tmp_path / "templates"


def refusal(own: Path, text: str, names: Any = None) -> str:
    """Return the message about a section that no report may have."""
    (own / AIM).write_text(f"\n{text}", "utf-8")
    with pytest.raises(TemplateError) as caught:
        print(markdown.write(names or context(), EN, [own, TEMPLATES]))
    return str(caught.value)


@pytest.mark.parametrize("text", [*PUBLISHED.values(), *PYTHON.values()], ids=[*PUBLISHED, *PYTHON])
def test_a_way_out_is_refused_with_its_line(own: Path, text: str) -> None:
    """What reaches for Python, prints what is no value, or grows without bounds is one message with its line."""
    told = refusal(own, text)
    assert told.startswith(f"{own / AIM}:2: ")
    assert "\n" not in told
    assert " at 0x" not in told


@pytest.mark.parametrize("way", PANDAS.values(), ids=PANDAS)
def test_tables_are_rows(own: Path, way: str, contexts: dict[str, border.Crossed]) -> None:
    """Nothing of pandas or numpy is left of a table that a template is given."""
    told = refusal(own, "{{ " + way + " }}", contexts["classification"])
    assert told.startswith(f"{own / AIM}:2: ")


@pytest.mark.slow
def test_the_process_apart_tells_the_same(own: Path, contexts: dict[str, border.Crossed], tmp_path: Path) -> None:
    """In a build, too, a command in a template is one message, and no file is there afterwards."""
    command = PANDAS["eval"].replace("'id'", f"'touch {tmp_path}/pwned'")
    (own / AIM).write_text("{% set x = " + command + " %}", "utf-8")
    with pytest.raises(
        TemplateError, match=r"aim\.md\.j2:1: '(list|tuple) object' has no attribute 'eval'|unsafe"
    ):
        guarded.write([(contexts["classification"], EN)], [own, TEMPLATES])
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("error", [
    OSError("no space left on device"), TypeError("of no type"), RuntimeError("while running"), KeyError("x"),
    PermissionError("templates may not do this: open"), UnicodeError("of no code"), StopIteration(),
    AssertionError(""), ImportError("x"), EOFError("x"), TimeoutError("x"), BufferError("x"),
], ids=lambda error: type(error).__name__)  # fmt: skip
def test_any_error_in_a_template_is_told_with_its_line(own: Path, error: Exception) -> None:
    """Whatever a filter or a function raises is one message with template and line, and blames no limit."""
    (own / AIM).write_text("a\n\n{{ title | broken }}", "utf-8")
    environment = markdown._environment(EN, [own, TEMPLATES])

    def broken(_: str) -> str:
        raise error

    environment.filters["broken"] = broken
    with pytest.raises(TemplateError) as caught:
        markdown._filled_in(environment, AIM, {"title": "x"}, [own, TEMPLATES])
    kind = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__
    assert str(caught.value).startswith(f"{own / AIM}:3: {kind}: ")
    assert "\n" not in str(caught.value)
    assert "more than" not in str(caught.value)


@pytest.mark.parametrize("value", [
    Path("x"), object(), print, pytest, lambda: 1, iter([1]), {1, 2}, b"x", 1j, type, EN, {"a": [Path("x")]},
    {Path("x"): 1}, range(3), Ellipsis,
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_what_is_not_plain_does_not_cross(value: Any) -> None:
    """An object that no list here names is an error of the program's, before any template is read."""
    with pytest.raises(border.NotPlainError, match="expected"):
        border.cross({"x": [value]}, "en")


# ---- everything that a template reaches, of each task


@pytest.fixture(scope="module")
def contexts() -> dict[str, border.Crossed]:
    """What the templates of each task are given."""
    loaded = pipeline.load(TINY)
    places = {run: GOLDEN / "records" / file_name(run.name) for run in runs_of(loaded.suite, "cpu")}
    records = [
        (run, from_files({file.name: file.read_bytes() for file in place.iterdir()}))
        for run, place in places.items()
    ]
    results = task_named("classification").results().collect(records)
    findings = pipeline.analyse(results, loaded.claims)
    build_context = task_named("classification").context().build_context
    forecasts, additions = forecasting.results(), addition.results({})
    found = {
        "classification": build_context(loaded.suite, results, findings, {}, EN, quick=False),
        "forecasting": task_named("forecasting")
        .context()
        .build_context(
            forecasting.suite(forecasting.ALIKE), forecasts, pipeline.analyse(forecasts), {}, EN, quick=False
        ),
        "addition": task_named("addition")
        .context()
        .build_context(addition.suite(), additions, pipeline.analyse(additions), {}, EN, quick=False),
    }
    return {task: border.cross(names, "en") for task, names in found.items()}


def reached(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield everything that a value leads to, by fields, keys and entries, and itself."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from reached(key, f"{path} key")
            yield from reached(item, f"{path}[{key!r}]")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from reached(item, f"{path}[{index}]")
    elif is_dataclass(value):
        for field in fields(value):
            yield from reached(getattr(value, field.name), f"{path}.{field.name}")


PLAIN = {type(None), bool, int, float, str, list, tuple, dict, Markup, *border.NUMBERS, *border.TEXTS}


@pytest.mark.parametrize("task", ["classification", "forecasting", "addition"])
def test_all_that_a_template_reaches_is_plain(task: str, contexts: dict[str, border.Crossed]) -> None:
    """Every value of a context is of one of a dozen types, or a frozen dataclass with fields and no methods."""
    every = [item for name, value in contexts[task].items() for item in reached(value, name)]
    assert len(every) > 800
    for path, value in every:
        kind = type(value)
        if kind not in PLAIN:
            assert border.is_fields(kind), path
            assert kind.__dataclass_params__.frozen, path
            assert {name for name in vars(kind) if name[0] != "_"} == {field.name for field in fields(kind)}, path
            with pytest.raises(AttributeError):
                setattr(value, fields(value)[0].name, 1)


HARMLESS: dict[str, tuple[Any, ...]] = {
    "join": (["a"],), "partition": ("a",), "rpartition": ("a",), "removeprefix": ("a",), "removesuffix": ("a",),
    "replace": ("a", "b"), "count": ("a",), "find": ("a",), "rfind": ("a",), "startswith": ("a",),
    "endswith": ("a",), "index": (0,), "get": ("a",),
}  # fmt: skip


def called(environment: Sandbox, value: Any) -> Iterator[Any]:
    """Yield what comes of all that a template may call of a value, by any name that Python knows of it."""
    for name in dir(value):
        method = environment.getattr(value, name)
        if isinstance(method, jinja2.Undefined) or not callable(method):
            continue
        assert name[0] != "_"
        try:
            outcome = (
                environment.call(None, method, *HARMLESS.get(name, ()))
                if False
                else method(*HARMLESS.get(name, ()))
            )
        except (ValueError, TypeError, LookupError):
            continue
        yield list(outcome) if hasattr(outcome, "mapping") else outcome


@pytest.mark.parametrize("task", ["classification", "forecasting", "addition"])
def test_all_that_a_template_calls_gives_plain_values(task: str, contexts: dict[str, border.Crossed]) -> None:
    """Each method that is let through of each value gives text, numbers, or lists of them again."""
    environment = markdown._environment(EN, [TEMPLATES])
    kinds: dict[type, Any] = {}
    for name, value in contexts[task].items():
        for _, item in reached(value, name):
            kinds.setdefault(type(item), item)
    methods = 0
    for value in kinds.values():
        for outcome in called(environment, value):
            methods += 1
            for path, item in reached(outcome, type(value).__name__):
                assert type(item) in PLAIN or border.is_fields(type(item)), path
    assert methods > 20


DUNDERS = ("__class__", "__init__", "__dict__", "__globals__", "__subclasses__", "__reduce_ex__",
           "__getattribute__", "gi_frame", "f_globals", "mro", "format", "format_map", "origins", "eval", "to_csv",
           "tofile", "_asdict")  # fmt: skip
READS: list[Callable[[str], str]] = [
    lambda name: f"{{{{ value.{name} }}}}",
    lambda name: f"{{{{ value['{name}'] }}}}",
    lambda name: f"{{{{ [value] | map(attribute='{name}') | list | length }}}}{{{{ value.{name} }}}}",
    lambda name: f"{{{{ [value, value] | sort(attribute='{name}') | list }}}}{{{{ value.{name} }}}}",
    lambda name: f"{{% set n = namespace(x=value) %}}{{{{ n.x.{name} }}}}",
    lambda name: f"{{% macro m(x) %}}{{{{ x.{name} }}}}{{% endmacro %}}{{{{ m(value) }}}}",
]


@pytest.mark.parametrize("task", ["classification", "forecasting", "addition"])
def test_no_name_of_pythons_is_read_of_any_kind_of_value(task: str, contexts: dict[str, border.Crossed]) -> None:
    """Of one value of each kind, seventeen names are asked for in six ways: each is refused."""
    environment = markdown._environment(EN, [TEMPLATES])
    kinds: dict[type, Any] = {}
    for name, value in contexts[task].items():
        for _, item in reached(value, name):
            kinds.setdefault(type(item), item)
    templates = [(name, environment.from_string(read(name))) for name in DUNDERS for read in READS]
    for value in [*kinds.values(), Numbering(EN), EN.say]:
        for name, template in templates:
            with pytest.raises((jinja2.TemplateError, TypeError)):
                print(name, template.render(value=value))


def test_a_catalogue_reads_no_attribute(tmp_path: Path) -> None:
    """A sentence is no format string: braces hold a name and nothing else."""
    from reportgen.i18n.languages import load_languages

    (tmp_path / "text.en.yaml").write_text("my: {words: 'Of {x.__class__} and {x[0]} and {x!r:>99}'}\n", "utf-8")
    with pytest.raises(TemplateError, match=r"expected a text with \{placeholders\}"):
        load_languages(["en"], [tmp_path, TEMPLATES])
    assert isinstance(EN, Language)
