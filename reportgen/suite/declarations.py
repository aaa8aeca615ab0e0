"""What a suite declares beside its runs: claims, metrics of the student's own, and silenced checks."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from reportgen.lab.settings import Settings, Yes
from reportgen.lab.user_source import UserCodeName
from reportgen.suite.text import Text

Code = Literal[
    "RG101", "RG102", "RG103", "RG104", "RG105",
    "RG201", "RG202", "RG203", "RG204", "RG205", "RG206",
    "RG301", "RG302", "RG303", "RG304", "RG305", "RG306",
]  # fmt: skip
CODES: tuple[Code, ...] = get_args(Code)

WARNINGS: frozenset[Code] = frozenset(
    {"RG101", "RG103", "RG105", "RG201", "RG205", "RG206", "RG301", "RG302", "RG303", "RG305", "RG306"}
)
"""What may make a sentence of the report mislead; the other checks give notes, which are good to know."""


def severity(code: Code) -> Literal["warning", "note"]:
    """Return how much a check weighs."""
    return "warning" if code in WARNINGS else "note"


class Checks(Settings):
    """Which checks the suite silences; they change no run."""

    silence: dict[Code, Text] = Field(
        default_factory=dict,
        description="Code of a check to the reason for its silence, which the report prints.",
    )


class ClaimDeclaration(Settings):
    """What the runs are to show, by the names of runs and metrics."""

    that: str = Field(
        strict=True,
        description="Such as lstm.test_accuracy > rnn.test_accuracy, or abs(a.seconds - b.seconds) < 2.",
    )
    because: Text | None = Field(None, description="Why it is expected; Markdown.")

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"that": value}
        if not isinstance(value, dict | cls):
            raise PydanticCustomError("claim", "a claim, such as lstm.test_accuracy > rnn.test_accuracy")
        return value


class _OrText:
    """Annotation that tells editors that a text will do."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)], "description": "A claim, or that: and because:."}


Claims = tuple[Annotated[ClaimDeclaration, _OrText()], ...]


class MetricDeclaration(Settings):
    """A metric of your own, measured on the predictions of every run; nothing is trained for it."""

    function: UserCodeName = Field(
        description="The function, file.py:name: predicted, target and classes to a number."
    )
    label: Text | None = Field(None, description="What the table calls it; the function's name unless given.")
    percent: Yes = Field(False, description="Print it in percent.")

    @model_validator(mode="before")
    @classmethod
    def _may_be_its_name(cls, given: Any) -> Any:
        return {"function": given} if isinstance(given, str) else given

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.rpartition(":")[2]

    @property
    def shown(self) -> Text:
        """What the table calls it."""
        return self.label or Text.parse(self.name)
