"""A text of the suite: one for every language, or one a language."""

import re
import unicodedata
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


_IGNORABLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that are not seen: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties."""


def as_read(text: str) -> str:
    """Return what two texts have in common that a reader takes for one.

    Nothing that is not seen counts, nor the width of letters, upper and lower case, or how many spaces there are:
    NFKC_Casefold of Unicode's chapter 3.13, with spaces collapsed.
    """
    folded = unicodedata.normalize("NFKC", _IGNORABLE.sub("", text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", _IGNORABLE.sub("", folded)).split())
