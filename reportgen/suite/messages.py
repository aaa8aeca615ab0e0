"""pydantic's errors in the words of reportgen: where, what was found, what was expected."""

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reportgen.errors import Problem
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.schema import json_schema

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "{expected}",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
}


def nearest(word: object, choices: list[str]) -> str:
    """Return `did you mean …?` for the choice nearest to a mistyped word, or nothing."""
    found = get_close_matches(str(word), choices, n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else ""


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """Return one Problem for each error that pydantic found in `document`."""
    schema = json_schema()
    return [_problem(details, document, schema) for details in error.errors(include_url=False) if _is_so(details)]


def _is_so(details: ErrorDetails) -> bool:
    """Tell whether it is an error in itself: a list whose every item is wrong counts as too short, too."""
    return details["type"] != "too_short" or len(details["input"]) < details["ctx"]["min_length"]


def _problem(details: ErrorDetails, document: Document, schema: dict[str, Any]) -> Problem:
    path: Path_ = details["loc"]
    kind, found, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        keys = sorted(_at(schema, path[:-1]).get("properties", {}))
        expected = f"one of {', '.join(keys)}"
        return document.problem(path, f"the unknown key {shown(path[-1])}", expected, nearest(path[-1], keys))
    if kind == "missing":
        description = _at(schema, path).get("description", "")
        what = f" ({description.rstrip('.')})" if description else ""
        return document.problem(path, "nothing", f"a value{what}")
    hint = nearest(found, context["expected"].replace("'", "").replace(" or ", ", ").split(", ")) \
        if kind == "literal_error" else ""  # fmt: skip
    form = _at(schema, path).get("description", "").rstrip(".")
    expected = form if kind == "string_pattern_mismatch" else expected_by(details)
    return document.problem(path, shown(found), expected, hint)


def expected_by(details: ErrorDetails) -> str:
    """Say what was expected where pydantic found an error."""
    template = _EXPECTED.get(details["type"])
    return template.format(**details.get("ctx", {})) if template else details["msg"]


def _at(schema: dict[str, Any], path: Path_) -> dict[str, Any]:
    """Follow `path` through a JSON Schema; an empty schema where it leads nowhere."""
    node = schema
    for part in path:
        node = _resolved(node, schema)
        children = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
        node = children
    return {**_resolved(node, schema), **{k: v for k, v in node.items() if k == "description"}}


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", []):
        if "$ref" in choice or choice.get("type") in ("object", "array"):
            node = choice
            break
    if "$ref" in node:
        found: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return found
    return node
