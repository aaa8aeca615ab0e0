"""Some of the fields of a settings class, as a run or a profile gives them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler, create_model
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from reportgen.suite.base import Settings


class PartOf:
    """Annotation for a mapping that gives some of a settings class's fields, each checked as it is there.

    The value stays a plain dict of what was given, to be laid over the suite's defaults.
    """

    def __init__(self, settings: type[BaseModel]) -> None:
        fields: dict[str, Any] = {
            name: (
                Annotated[field.annotation, Field(description=field.description), *field.metadata],
                _default(field),
            )
            for name, field in settings.model_fields.items()
        }
        self._part = create_model(f"PartOf{settings.__name__}", __base__=Settings, **fields)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda part: part.model_dump(exclude_unset=True), handler.generate_schema(self._part)
        )


def _default(field: FieldInfo) -> Any:
    """Return what editors show as the default: nothing at all where a value has to be given, here or elsewhere."""
    return Field(default_factory=lambda: None) if field.is_required() else field.default
