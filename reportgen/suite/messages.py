"""pydantic's errors in the words of reportgen: where, what was found, what was expected."""

from collections.abc import ItemsView, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reportgen.errors import Problem
from reportgen.lab.settings import Settings
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.schema import suite_of
from reportgen.tasks.base import Task
from reportgen.tasks.registry import TASKS, data_sources

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
    "too_short": "at least {min_length:,}",
    "too_long": "at most {max_length:,}",
}


_SYNONYMS = {"gpu": "cuda"}


def nearest(word: object, choices: list[str]) -> str:
    """Return `did you mean …?` for the choice nearest to a mistyped word, or nothing."""
    by_lower_case = {choice.lower(): choice for choice in choices}
    typed = word[:100].lower() if isinstance(word, str) else ""
    typed = _SYNONYMS.get(typed, typed)
    found = get_close_matches(typed, list(by_lower_case), n=1, cutoff=0.6)
    return f"did you mean {by_lower_case[found[0]]!r}?" if found else ""


def repetitions(values: Sequence[object]) -> Iterator[tuple[int, object]]:
    """Return place and value of what stands in a list again; `1` and `true` are not the same."""
    seen = set()
    for i, value in enumerate(values):
        key = repr(value)
        if value is not None and key in seen:
            yield i, value
        seen.add(key)


def problems_of(error: ValidationError, document: Document, task: Task) -> list[Problem]:
    """Return one Problem for each error that pydantic found in `document`, a suite of `task`."""
    schema = _schema(task)
    found = error.errors(include_url=False)
    return [_problem(details, document, schema, task) for details in found if _is_so(details)]


@cache
def _schema(task: Task) -> dict[str, Any]:
    """Return the JSON Schema of the task's suites, which takes a tenth of a second to make; nobody changes it."""
    return suite_of(task).model_json_schema()


def location(details: ErrorDetails) -> Path_:
    """Return the path of an error in the file.

    pydantic puts the data source between `data` and its setting, and `[key]` after a key that is wrong itself.
    """
    path: Path_ = (*details["loc"], *details.get("ctx", {}).get("at", ()))  # of a rule between several settings
    path = path[:-1] if path[-1:] == ("[key]",) else path
    return (*path[:1], *path[2:]) if path[:1] == ("data",) and path[1:2] and path[1] in data_sources() else path


def _is_so(details: ErrorDetails) -> bool:
    """Tell whether it is an error in itself: a list whose every item is wrong counts as too short, too."""
    return details["type"] != "too_short" or len(details["input"]) < details["ctx"]["min_length"]


def _problem(details: ErrorDetails, document: Document, schema: dict[str, Any], task: Task) -> Problem:
    path = location(details)
    kind = details["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        found = details["input"].get("source") if isinstance(details["input"], dict) else None
        return document.problem(
            (*path, "source"),
            shown(found),
            f"one of {', '.join(data_sources())}",
            nearest(found, list(data_sources())),
        )
    if path[:1] == ("data",) and len(details["loc"]) > len(path):
        schema = _schema_of(data_sources()[str(details["loc"][1])])
    if kind == "extra_forbidden":
        keys = sorted(_at(schema, path[:-1]).get("properties", {}))
        expected = f"one of {', '.join(keys)}"
        if other := _owner(path):
            got = f"the setting {shown(path[-1])} of {other.name}"
            return document.problem(path, got, f"a setting of {task.name}, {expected}")
        return document.problem(path, f"the unknown key {shown(path[-1])}", expected, nearest(path[-1], keys))
    if kind == "missing":
        description = _at(schema, path).get("description", "")
        what = f" ({_in_a_sentence(description)})" if description else ""
        return document.problem(path, "nothing", f"a value{what}")
    is_key = details["loc"][-1:] == ("[key]",)  # keys with a pattern are names, like those of runs
    described = _at(schema, ("runs", 0, "name") if is_key else path)
    return document.problem(path, got_by(details), expected_by(details, described), hint_for(details))


def _owner(path: Path_) -> Task | None:
    """Return the task that has the setting at `path`, if it is one of a model or of a training."""
    part = path[-2] if len(path) > 1 and path[-2] in ("model", "training") else None
    return next((task for task in TASKS if part and path[-1] in getattr(task, str(part)).model_fields), None)


def hint_for(details: ErrorDetails) -> str:
    """Return `did you mean …?` where pydantic expected one of a few words, and how a number becomes a text."""
    if details["type"] in ("text", "string_type") and isinstance(details["input"], int | float):
        return "put it in quotes"
    if details["type"] != "literal_error":
        return ""
    words = details["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    return nearest(details["input"], words)


def got_by(details: ErrorDetails) -> str:
    """Say what was found where pydantic found an error."""
    found = details["input"]
    if details["type"] == "rule":
        return "settings that do not go together"
    if details["type"] in ("too_short", "too_long") and found:
        return f"{len(found):,} of them"
    return shown(found)


def expected_by(details: ErrorDetails, schema: dict[str, Any] | None = None) -> str:
    """Say what was expected where pydantic found an error; `schema` describes the place."""
    if details["type"] == "string_pattern_mismatch" and schema:
        return _in_a_sentence(schema.get("description", "another text"))
    template = _EXPECTED.get(details["type"])
    bounds = {name: int(n) if isinstance(n, float) and n.is_integer() else n for name, n in _context(details)}
    return template.format(**bounds) if template else details["msg"]


def _context(details: ErrorDetails) -> ItemsView[str, Any]:
    return details.get("ctx", {}).items()


def _schema_of(source: type[Settings]) -> dict[str, Any]:
    """Return a schema in which `data` is that source alone."""
    own = source.model_json_schema()
    return {"$defs": own.pop("$defs", {}), "properties": {"data": own}}


def _in_a_sentence(description: str) -> str:
    return f"{description[:1].lower()}{description[1:]}".rstrip(".")


def _at(schema: dict[str, Any], path: Path_) -> dict[str, Any]:
    """Follow `path` through a JSON Schema; an empty schema where it leads nowhere."""
    node = schema
    for part in path:
        node = _resolved(node, schema)
        by_name: dict[str, Any] = next(iter(node.get("patternProperties", {}).values()), {})  # such as profiles
        named = node.get("properties", {}).get(part, by_name)
        node = node.get("items", {}) if isinstance(part, int) else named
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
