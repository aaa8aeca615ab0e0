"""A text of the suite: one for every language, or one a language."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_EXPECTED = "a text, or one text a language: {zh: …, en: …}"


@dataclass(frozen=True)
class Text:
    """A text in several languages; the key `""` is for every language that has none of its own."""

    by_language: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, value: object) -> "Text":
        """Read a string or a mapping from language to string; PydanticCustomError for anything else."""
        match value:
            case Text():
                return value
            case str():
                return cls((("", value),))
            case {} if value and all(isinstance(x, str) for pair in value.items() for x in pair):
                return cls(tuple(value.items()))
        raise PydanticCustomError("text", _EXPECTED)

    def in_language(self, language: str) -> str:
        """Return the text in `language` (`zh`, say); KeyError if it was written for others alone."""
        texts = dict(self.by_language)
        return texts[language] if language in texts else texts[""]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        by_language = {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}
        return {"anyOf": [{"type": "string"}, by_language], "description": "A text, or one text a language."}
