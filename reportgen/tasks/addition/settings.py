"""The settings of an addition run: a network that adds two numbers digit by digit."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reportgen.lab.settings import Count, DataOfAnyTask, Natural, Positive, RunOfAnyTask
from reportgen.lab.training.settings import AnyTrainingSettings, require_validation_part
from reportgen.lab.user_source import RecurrentCellName, UserModelSettings

Digits = Annotated[Count, Field(le=100_000)]


class AdditionSettings(DataOfAnyTask):
    """Pairs of random numbers, made while training; the test numbers come from a seed of their own."""

    source: Literal["addition"] = Field(description="Where the examples come from.")
    digits: Digits = Field(10, description="Digits of each of the two numbers.")
    test_numbers: Annotated[Count, Field(le=100_000)] = Field(
        200, description="Pairs of fresh numbers that each row of the log is measured on."
    )
    validation_numbers: Annotated[int, Field(strict=True, ge=0, le=100_000)] = Field(
        0, description="Pairs of numbers that early stopping and the schedule plateau look at; 0 for no such part."
    )
    test_lengths: tuple[Digits, ...] = Field(
        (), max_length=100, description="Other lengths, in digits, that the trained network is tested at."
    )
    test_seed: Natural = Field(20_000, description="Seed of the test numbers, the same for every run.")

    @field_validator("test_lengths")
    @classmethod
    def _names_each_length_once(cls, lengths: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(lengths)) < len(lengths):
            raise PydanticCustomError("twice", "each length once")
        return lengths


class AdderSettings(UserModelSettings):
    """Both digits embedded, side by side, a recurrent network, and a linear layer to the sum's digit."""

    cell: RecurrentCellName = Field(
        description="torch.nn's RNN, LSTM or GRU, one of them by hand, or your own class: my_models.py:MyLSTM."
    )
    hidden_size: Count = Field(64, le=16_384, description="Size of the hidden state.")
    layers: Count = Field(2, le=64, description="Recurrent layers, one on top of the other.")
    embedding_size: Annotated[Count, Field(le=16_384)] = Field(32, description="Size of a digit's embedding.")


class AdditionTrainingSettings(AnyTrainingSettings):
    """How an adder is trained: on new numbers at every step."""

    steps: Annotated[Count, Field(le=1_000_000)] = Field(500, description="Batches to train on.")
    batch_size: Annotated[Count, Field(le=1_000_000)] = Field(200, description="Pairs of numbers a step.")
    optimizer: Literal["adam", "adamw", "adamax", "rmsprop", "sgd"] = Field(
        "adam", description="The optimizer, by its name in torch.optim."
    )
    learning_rate: Positive = Field(0.001, description="The optimizer's learning rate.")
    log_every: Annotated[Count, Field(le=1_000_000)] = Field(
        50, description="Steps between two rows of the log, each measured on fresh numbers."
    )

    @property
    def rounds(self) -> int:
        """The most steps that a run has."""
        return self.steps


class AdditionRun(RunOfAnyTask):
    """One addition run without its seed and its name."""

    data: AdditionSettings
    model: AdderSettings
    training: AdditionTrainingSettings = AdditionTrainingSettings()

    @model_validator(mode="after")
    def _can_decide_on_a_validation_part(self) -> "AdditionRun":
        require_validation_part(self.training, "data.validation_numbers", there=self.data.validation_numbers > 0)
        return self


def data_digest(settings: AdditionSettings) -> str:
    """Return a digest of what the numbers are drawn by; they are drawn while a run trains."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
