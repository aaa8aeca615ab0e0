"""A run that was trained elsewhere: what a suite says of its log, in place of training it."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, SerializeAsAny, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from reportgen.lab.settings import Count, DataOfAnyTask, EncodingName, RunOfAnyTask, Settings, Yes

Format = Literal["text", "csv", "json", "tensorboard"]
FORMATS: tuple[Format, ...] = get_args(Format)
_FORMER: dict[object, Format] = {"two_line": "text", "lightning": "csv", "keras": "json"}
"""What formats were called while each tool had a reader of its own."""
_SEED = "{seed}"

_Column = Annotated[str, Field(strict=True, min_length=1, max_length=200)] | None


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Paths = Annotated[
    tuple[Annotated[str, Field(strict=True, min_length=1)], ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Columns(Settings):
    """What the columns, keys or tags of a log are called, where reportgen would not find them by itself."""

    epoch: _Column = Field(None, description="Column with the number of the epoch, from 0 or from 1.")
    train_loss: _Column = Field(None, description="Column with the loss on the training part.")
    train_accuracy: _Column = Field(None, description="Column with the accuracy on the training part.")
    validation_loss: _Column = Field(None, description="Column with the loss on the validation part.")
    validation_accuracy: _Column = Field(None, description="Column with the accuracy on the validation part.")
    test_loss: _Column = Field(None, description="Column with the loss on the test part.")
    test_accuracy: _Column = Field(None, description="Column with the accuracy on the test part.")
    seconds: _Column = Field(None, description="Column with the seconds that the epoch took.")


MEASURES = tuple(name for name in Columns.model_fields if name != "epoch")


class ImportSettings(Settings):
    """The log of a run that was trained elsewhere."""

    path: Paths = Field(
        description="The log, beside the suite; several logs, one a seed in their order; or one name with {seed}."
    )
    format: (
        Annotated[
            Format, BeforeValidator(lambda value: _FORMER.get(value, value) if isinstance(value, str) else value)
        ]
        | None
    ) = Field(None, description="text, csv, json or tensorboard; told by its content unless given.")
    encoding: EncodingName | None = Field(
        None, description="Encoding of the file, such as gb18030; told by its bytes where that is certain."
    )
    separator: Literal[",", ";", "|", "tab"] | None = Field(
        None, description="What stands between the cells of a table; told by its first row where that is certain."
    )
    ignore: tuple[Annotated[str, Field(strict=True, min_length=1, max_length=200)], ...] = Field(
        (), max_length=1000, description="Columns, keys, tags or names that are left out."
    )
    run: Annotated[Count, Field(le=100_000)] | None = Field(
        None, description="Which of the runs in the file, from 1, where there are several."
    )
    columns: Columns = Field(Columns(), description="What its columns, keys or tags are called.")
    percent: Yes = Field(False, description="Its accuracies go from 0 to 100, and have no percent sign.")
    same_data: Yes = Field(
        False,
        description="It was tested on the same examples as the suite's other runs; else it is not compared.",
    )

    @field_validator("path")
    @classmethod
    def _names_each_log_once(cls, path: tuple[str, ...]) -> tuple[str, ...]:
        if not path:
            raise PydanticCustomError("rule", "a file, or a list of files, one a seed")
        if len(set(path)) < len(path):
            raise PydanticCustomError("twice", "each log once")
        if len(path) > 1 and any(_SEED in name for name in path):
            raise PydanticCustomError("twice", "a list of files, or one name with {seed}")
        return path

    def logs(self, seeds: tuple[int, ...]) -> tuple[tuple[int, str], ...]:
        """Return seed and file of each log; more files than seeds are left out."""
        if _SEED in self.path[0]:
            return tuple((seed, self.path[0].replace(_SEED, str(seed))) for seed in seeds)
        return tuple(zip(seeds, self.path, strict=False))

    def placed(self, folder: Path) -> "ImportSettings":
        """Return the same with paths that begin in `folder`."""
        return self.model_copy(update={"path": tuple(str(folder / name) for name in self.path)})


class ImportedRun(RunOfAnyTask):
    """A run that was trained elsewhere: its log, and what the suite says of how it was made."""

    data: SerializeAsAny[DataOfAnyTask]
    """The suite's own; what the run was tested on, if `imported.same_data`."""
    model: Any
    """What the suite says of it, by name: any part of the task's settings, or nothing."""
    training: Any
    """Likewise."""
    imported: ImportSettings
    logs: tuple[tuple[int, str], ...]
    """Seed and file of each."""

    def log_of(self, seed: int) -> Path:
        """Return the log that stands for a seed."""
        return Path(dict(self.logs)[seed])

    def as_printed(self) -> dict[str, Any]:
        """Return what the suite says of it, as plain values."""
        plain = super().as_printed()
        return {"data": {}, "model": plain["model"], "training": plain["training"]}
