"""Settings that the tasks share."""

import codecs
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(strict=True, gt=0)]
Yes = Annotated[bool, Field(strict=True)]
Natural = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1)]
FractionOrZero = Annotated[float, Field(strict=True, ge=0, lt=1)]

RecurrentCell = Literal[
    "rnn", "lstm", "gru",
    "handwritten_rnn", "handwritten_lstm", "handwritten_gru", "handwritten_peephole_lstm",
]  # fmt: skip

PATHS = ("file", "test_file", "folder", "negative", "positive")
"""Settings of a data source that name a file or a folder."""


class Settings(BaseModel):
    """Frozen settings that refuse what they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _encoding(value: str) -> str:
    try:
        "".encode(value)
        "".encode(codecs.lookup(value).name)
    except (LookupError, ValueError, TypeError):  # TypeError: base64 and the like are no encodings of text
        raise PydanticCustomError(
            "rule", "the name of an encoding: utf-8, gb18030, big5, latin-1, utf-16-le …"
        ) from None
    return value


EncodingName = Annotated[str, Field(strict=True, min_length=1, max_length=40), AfterValidator(_encoding)]


ENCODING = "Encoding of the file, such as gb18030 or latin-1; told by its bytes where that is certain."


class FormSettings(Settings):
    """The form of a table, where it cannot be told by the table itself."""

    encoding: EncodingName | None = Field(None, description=ENCODING)
    separator: Literal[",", ";", "|", "tab"] | None = Field(
        None, description="What stands between the cells; told by the first row where that is certain."
    )
    header: Yes = Field(True, description="The first row has the names of the columns.")
    columns: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = Field(
        (), max_length=10_000, description="Names of the columns, in their order, where no row has them."
    )

    @model_validator(mode="after")
    def _has_names_from_one_place(self) -> "FormSettings":
        if self.header and self.columns:
            raise PydanticCustomError("rule", "header: false with columns, which are for a table without names")
        if not self.header and not self.columns:
            raise PydanticCustomError("rule", "columns: [label, text] with header: false, one name a column")
        return self


class DataOfAnyTask(Settings):
    """What is learnt from; each kind of data has a name of its own as its `source`."""

    names_all_files: ClassVar[bool] = True
    """Whether every file that they are read from is named by a setting."""

    if TYPE_CHECKING:  # declared by each kind, in its own place among its fields
        source: str


class LoadedData(DataOfAnyTask):
    """Data that a function of the student's loads, from files that the suite names."""

    names_all_files = False

    if TYPE_CHECKING:
        load: str
        files: tuple[str, ...]


class RunOfAnyTask(Settings):
    """What the runs of all tasks share; each has data, model and training of its own kinds."""

    device: Literal["cpu", "cuda"] = "cpu"

    if TYPE_CHECKING:  # declared by each task, with its own kinds
        data: DataOfAnyTask
        model: Any
        training: Any

    def as_printed(self) -> dict[str, Any]:
        """Return the settings as plain values to be told: of files their names, and not where they lie."""
        plain = self.model_dump(mode="json")
        data = plain["data"]
        data |= {key: PurePath(data[key]).name for key in (*PATHS, "load") if data.get(key) is not None}
        data |= {"files": [PurePath(name).name for name in data["files"]]} if "files" in data else {}
        if data.get("header"):  # the usual form of a table
            data = plain["data"] = {
                name: value for name, value in data.items() if name not in ("header", "columns")
            }
        plain["model"] = _told_of_model(plain["model"])
        return plain


def _told_of_model(model: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a model; a whole one of the user's own has no other settings than its arguments."""
    told = {name: value for name, value in model.items() if name != "module"}
    told |= {name: PurePath(told[name]).name for name in ("vectors", "cell") if told.get(name)}
    if given := told.get("arguments"):
        told["arguments"] = ", ".join(f"{name}={value}" for name, value in given.items())
    whole = model.get("module") is not None
    return {name: told[name] for name in ("cell", "arguments")} if whole else told
