"""Types as they are written in the code, looked into: what a loop goes through, what a class has."""

import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import jinja2
from jinja2 import nodes

from reportgen.i18n.catalogues import placeholders
from reportgen.i18n.languages import Language
from reportgen.suite.messages import nearest


class Method:
    """The type of something that is called."""

    def __init__(self, returns: Any) -> None:
        self.returns = returns


@cache
def members(kind: type) -> dict[str, Any]:
    """Return the public attributes of a class with their types."""
    found: dict[str, Any] = {}
    for name in dir(kind):
        value = getattr(kind, name)
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            found[name] = returns_of(value.fget)
        else:
            found[name] = Method(returns_of(value)) if callable(value) else Any
    return found | get_type_hints(kind)


def returns_of(function: Any) -> Any:
    """Return the type that a function returns; `Any` if it does not say."""
    try:
        return get_type_hints(function).get("return", Any)
    except (TypeError, NameError, AttributeError):  # of a built-in class, or named for the type checker alone
        return Any


def of_dict(kind: Any, name: str) -> Any:
    """Return the type of a member of a dict, which a template may write as an attribute."""
    key, value = get_args(kind)
    pair = types.GenericAlias(tuple, (key, value))
    views = {"items": pair, "keys": key, "values": value}
    return Method(types.GenericAlias(list, (views[name],))) if name in views else value


def plain(kind: Any) -> Any:
    """Return the type without its None; `Any` for a choice of several."""
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [part for part in get_args(kind) if part is not type(None)]
        return kinds[0] if len(kinds) == 1 else Any
    return kind


def item(kind: Any) -> Any:
    """Return the type of what a loop over it goes through."""
    kind = plain(kind)
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is list:
            return arguments[0]
        case origin if origin is dict:
            return arguments[0]
        case origin if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return arguments[0]
    return Any


def parts(kind: Any, count: int) -> list[Any]:
    """Return the types of the `count` names that it is unpacked into."""
    kind = plain(kind)
    arguments = get_args(kind)
    if get_origin(kind) is tuple and len(arguments) == count and Ellipsis not in arguments:
        return list(arguments)
    return [item(kind)] * count


Names = Mapping[str, Any]
"""What a template may use: each name with its type, or `typing.Any`."""

_SAME = {"list", "sort", "unique", "reverse", "select", "reject", "selectattr", "rejectattr"}
_ONE = {"first", "last", "min", "max", "random"}
_BY_ATTRIBUTE = {"map", "selectattr", "rejectattr", "sort", "groupby", "sum"}


class Named(jinja2.StrictUndefined):
    """A name that does not exist: the message says which one may have been meant."""

    @property
    def _undefined_message(self) -> str:
        message = super()._undefined_message
        if self._undefined_hint or self._undefined_obj is jinja2.utils.missing:
            return message
        owner = self._undefined_obj
        there = list(map(str, owner)) if isinstance(owner, dict) else [n for n in dir(owner) if n[:1] != "_"]
        return message + _hint(str(self._undefined_name), there)


def faults_of_names(
    tree: nodes.Template, names: Names, elsewhere: set[str], language: Language
) -> list[tuple[int, str]]:
    """Return line and message of each name in a template that nothing has, in the order of the lines.

    Args:
        tree: the template.
        names: what every template of the report may use.
        elsewhere: names that templates set which include this one, or are extended by it.
        language: whose sentences `t(…)` says.
    """
    found = _Walk(names, elsewhere | declared(tree), language)
    found.body(tree.body, {})
    return sorted(set(found.faults))


def declared(tree: nodes.Template) -> set[str]:
    """Return every name that a template sets, wherever it does."""
    set_here = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    imported = {node.target for node in tree.find_all(nodes.Import)}
    from_others = {
        name if isinstance(name, str) else name[1]
        for node in tree.find_all(nodes.FromImport)
        for name in node.names
    }
    return set_here | macros | imported | from_others


class _Walk:
    """Goes through a template with the types of what it can see; `Any` is what nothing is known of."""

    def __init__(self, names: Names, declared_here: set[str], language: Language) -> None:
        self.faults: list[tuple[int, str]] = []
        self._names = names
        self._declared = declared_here | {"loop", "varargs", "kwargs", "caller", "self", "super"}
        self._globals = set(jinja2.defaults.DEFAULT_NAMESPACE)
        self._language = language

    def body(self, body: Sequence[nodes.Node], scope: dict[str, Any]) -> None:
        """Go through statements; what they set is in `scope` afterwards."""
        for node in body:
            self._statement(node, scope)

    def _statement(self, node: nodes.Node, scope: dict[str, Any]) -> None:
        match node:
            case nodes.For():
                inner = dict(scope)
                self._bind(node.target, item(self._type(node.iter, scope)), inner)
                if node.test:
                    self._type(node.test, inner)
                self.body(node.body, inner)
                self.body(node.else_, dict(scope))
            case nodes.If():
                self._type(node.test, scope)
                for branch in (node.body, node.elif_, node.else_):
                    self.body(branch, scope)
            case nodes.Assign():
                self._bind(node.target, self._type(node.node, scope), scope)
            case nodes.Macro() | nodes.CallBlock():
                inner = {**scope, **{argument.name: Any for argument in node.args}}
                for default in node.defaults:
                    self._type(default, scope)
                if isinstance(node, nodes.CallBlock):
                    self._type(node.call, scope)
                self.body(node.body, inner)
            case nodes.Block() | nodes.Scope() | nodes.ScopedEvalContextModifier():
                self.body(node.body, dict(scope))
            case nodes.With():
                inner = dict(scope)
                for target, value in zip(node.targets, node.values, strict=True):
                    self._bind(target, self._type(value, scope), inner)
                self.body(node.body, inner)
            case nodes.AssignBlock() | nodes.FilterBlock():
                self.body(node.body, dict(scope))
            case nodes.Import() | nodes.FromImport():
                self._type(node.template, scope)
            case _:
                for child in node.iter_child_nodes():
                    self._type(child, scope)

    def _bind(self, target: nodes.Node, kind: Any, scope: dict[str, Any]) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = kind
        elif isinstance(target, nodes.Tuple):
            for part, own in zip(target.items, parts(kind, len(target.items)), strict=True):
                self._bind(part, own, scope)

    def _type(self, node: nodes.Node, scope: dict[str, Any]) -> Any:
        match node:
            case nodes.Name():
                return self._name(node, scope)
            case nodes.Getattr():
                return self._member(node, self._type(node.node, scope), node.attr)
            case nodes.Getitem():
                return self._item_of(node, scope)
            case nodes.Call():
                return self._call(node, scope)
            case nodes.Filter():
                return self._filtered(node, scope)
            case nodes.Test(name="defined" | "undefined", node=nodes.Name()):
                return bool
            case nodes.CondExpr():
                self._type(node.test, scope)
                kinds = [self._type(branch, scope) for branch in (node.expr1, node.expr2) if branch]
                return kinds[0] if kinds[0] == kinds[-1] else Any
            case nodes.Tuple() | nodes.List():
                kinds = [self._type(item, scope) for item in node.items]
                same = kinds and all(kind == kinds[0] for kind in kinds)
                if isinstance(node, nodes.Tuple) and kinds and not same:
                    return types.GenericAlias(tuple, tuple(kinds))
                return types.GenericAlias(list, (kinds[0] if same else Any,))
            case nodes.Const():
                return type(node.value)
        for child in node.iter_child_nodes():
            self._type(child, scope)
        return Any

    def _name(self, node: nodes.Name, scope: dict[str, Any]) -> Any:
        if node.name in scope:
            return scope[node.name]
        if node.name in self._names:
            return self._names[node.name]
        if node.name not in self._declared and node.name not in self._globals:
            known = [*self._names, *self._declared]
            self.faults.append((node.lineno, f"{node.name!r} is undefined{_hint(node.name, known)}"))
        return Any

    def _item_of(self, node: nodes.Getitem, scope: dict[str, Any]) -> Any:
        kind = self._type(node.node, scope)
        if isinstance(node.arg, nodes.Slice):
            return kind
        self._type(node.arg, scope)
        origin = get_origin(plain(kind))
        if origin is dict:
            return get_args(plain(kind))[1]
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._member(node, kind, node.arg.value)
        return item(kind) if origin is list else Any

    def _call(self, node: nodes.Call, scope: dict[str, Any]) -> Any:
        kind = self._type(node.node, scope)
        for argument in (*node.args, *(pair.value for pair in node.kwargs)):
            self._type(argument, scope)
        for more in (node.dyn_args, node.dyn_kwargs):
            if more:
                self._type(more, scope)
        if isinstance(node.node, nodes.Name) and node.node.name == "t":
            self._sentence(node)
        return kind.returns if isinstance(kind, Method) else Any

    def _sentence(self, node: nodes.Call) -> None:
        key = node.args[0] if node.args else None
        if not isinstance(key, nodes.Const) or not isinstance(key.value, str):
            return
        if not self._language.has(key.value):
            hint = _hint(key.value, list(self._language.messages))
            message = f"text.{self._language.code}.yaml has no sentence {key.value!r}{hint}"
            self.faults.append((node.lineno, message))
        elif not node.dyn_kwargs:
            given = {pair.key for pair in node.kwargs}
            for name in sorted(placeholders(self._language.messages[key.value]) - given):
                message = f"text.{self._language.code}.yaml: {key.value}: nothing was given for {name!r}"
                self.faults.append((node.lineno, message))

    def _filtered(self, node: nodes.Filter, scope: dict[str, Any]) -> Any:
        kind = self._type(node.node, scope) if node.node else Any
        for argument in (*node.args, *(pair.value for pair in node.kwargs)):
            self._type(argument, scope)
        if node.name in _BY_ATTRIBUTE:
            attribute = self._attribute(node)
            found = item(kind)
            for part in attribute.split(".") if attribute else []:
                found = self._member(node, found, part)
            if node.name == "map":
                return types.GenericAlias(list, (found if attribute else Any,))
        if node.name in _ONE:
            return item(kind)
        return kind if node.name in _SAME else Any

    def _attribute(self, node: nodes.Filter) -> str:
        """Return the attribute that a filter goes by: the first argument of `selectattr`, or `attribute=…`."""
        named = [pair.value for pair in node.kwargs if pair.key == "attribute"]
        first = node.args[:1] if node.name in ("selectattr", "rejectattr") else []
        found = next((value.value for value in [*named, *first] if isinstance(value, nodes.Const)), "")
        return found if isinstance(found, str) else ""

    def _member(self, node: nodes.Node, kind: Any, name: str) -> Any:
        kind = plain(kind)
        if get_origin(kind) is dict:
            there = members(dict)
            return (
                there[name] if name not in ("items", "keys", "values") and name in there else of_dict(kind, name)
            )
        if get_origin(kind) in (list, tuple) or kind in (str, int, float, bool, list):
            there = members(get_origin(kind) or kind)
        elif isinstance(kind, type) and kind.__module__.startswith("reportgen."):
            there = members(kind)
        else:
            return Any
        if name not in there:
            what = getattr(kind, "__name__", str(kind))
            self.faults.append((node.lineno, f"{what!r} has no {name!r}{_hint(name, list(there))}"))
        return there.get(name, Any)


def _hint(word: str, choices: list[str]) -> str:
    found = nearest(word, sorted(choices))
    return f"; {found}" if found else ""


def included(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """Yield beginning and end of the names of what a template includes: of a fixed name, it and nothing."""
    for node in tree.find_all(nodes.Include):
        listed = node.template.items if isinstance(node.template, nodes.List | nodes.Tuple) else [node.template]
        for name in listed:
            if isinstance(name, nodes.Const):
                yield str(name.value), ""
            elif isinstance(name, nodes.Concat):
                first, last = name.nodes[0], name.nodes[-1]
                yield (
                    str(first.value) if isinstance(first, nodes.Const) else "",
                    str(last.value) if isinstance(last, nodes.Const) else "",
                )
