"""Types as they are written in the code, looked into: what a loop goes through, what a class has."""

import types
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints


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
