"""What a suite may name of the user's own: a class or a function in a file, and the arguments that it is given."""

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from reportgen.suite.base import Settings

OWN = r"^.+\.py:[A-Za-z_][A-Za-z0-9_]*$"
"""Something of the user's own: file, colon, name."""
GIVEN = ("input_size", "hidden_size", "num_layers")
"""Arguments of a recurrent layer that come from other settings."""


def is_own(name: object) -> bool:
    """Tell whether a setting names something in a file of the user's own, and not what reportgen has."""
    return isinstance(name, str) and re.match(OWN, name) is not None


def file_of_own(name: object) -> str | None:
    """Return the file of something of the user's own; None for anything else."""
    return name.rpartition(":")[0] if isinstance(name, str) and is_own(name) else None


def _own(value: str) -> str:
    if not is_own(value):
        raise PydanticCustomError("own", "one of your own: file.py:Name")
    return value


OwnName = Annotated[
    str, Field(strict=True), AfterValidator(_own), WithJsonSchema({"type": "string", "pattern": OWN})
]


class Arguments(dict[str, Any]):
    """Arguments by name, that nobody changes: settings are compared and hashed."""

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none
        return hash(tuple(self.items()))


def _plain_arguments(values: dict[str, Any]) -> Arguments:
    for name, value in values.items():
        if not name.isidentifier():
            raise PydanticCustomError("argument", "names of arguments")
        finite = not isinstance(value, float) or math.isfinite(value)
        if not (value is None or isinstance(value, bool | int | float | str)) or not finite:
            raise PydanticCustomError(
                "argument", "a number, a text, true, false or null for {name}", {"name": name}
            )
    return Arguments(values)


GivenArguments = Annotated[dict[str, Any], AfterValidator(_plain_arguments)]


class MayBeOwn(Settings):
    """Settings of a model that may be the user's own: one recurrent layer of it, or the whole.

    A class of this kind has a `cell`, which is the class of the whole model where there is one.
    """

    module: OwnName | None = Field(
        None, description="A whole model of your own, file.py:Class, in place of cell and all other settings."
    )
    arguments: GivenArguments | None = Field(
        None, description="Further arguments for a class of your own, by name."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_a_cell_or_a_module(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not is_own(given.get("module")):
            return given
        return {"cell": given["module"], **given}

    @model_validator(mode="after")
    def _asks_nothing_of_a_whole_model(self) -> "MayBeOwn":
        values = dict(self)
        if self.module is None:
            self._check_arguments(values["cell"])
            return self
        fields = type(self).model_fields
        other = [
            name
            for name, value in values.items()
            if name not in ("module", "arguments", "cell") and value != fields[name].default
        ]
        other += ["cell"] * (values["cell"] != self.module)
        if other:
            raise PydanticCustomError(
                "rule", "no {other} with module; give a whole model what it needs as arguments",
                {"other": ", ".join(other)},
            )  # fmt: skip
        return self

    def _check_arguments(self, cell: str) -> None:
        if self.arguments is None:
            return
        if not is_own(cell):
            raise PydanticCustomError(
                "rule", "no arguments with {cell}; a class of your own may have some", {"cell": cell}
            )
        if taken := [name for name in GIVEN if name in self.arguments]:
            raise PydanticCustomError(
                "rule", "no {taken} among the arguments; hidden_size, layers and the data give it",
                {"taken": ", ".join(taken)},
            )  # fmt: skip


def laid_over(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run's model: its own over the shared ones, of which a whole model takes none."""
    if "module" in own and "module" not in shared:
        return own
    if "cell" in own and "module" in shared:
        shared = {name: value for name, value in shared.items() if name not in ("module", "arguments")}
    return {**shared, **own}
