"""Settings that the tasks share."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class RunOfAnyTask(Settings):
    """What the runs of all tasks share; each has data, model and training besides."""

    device: Literal["cpu", "cuda"] = "cpu"

    def told(self) -> dict[str, Any]:
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
