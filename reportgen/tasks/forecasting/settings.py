"""The settings of a forecasting run: a network that foretells the next point, and then feeds itself."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reportgen.lab.settings import Count, DataOfAnyTask, FormSettings, LoadedData, Natural, Positive, RunOfAnyTask
from reportgen.lab.training.settings import AnyTrainingSettings, require_validation_part
from reportgen.lab.user_source import RecurrentCellName, UserCodeName, UserModelSettings

Sequences = Annotated[Count, Field(le=100_000)]
SequencesOrNone = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Points = Annotated[Count, Field(ge=4, le=100_000)]


MOST_POINTS = 20_000_000
"""Of all sequences of sines: 160 MB."""


class HeldOutSequences(DataOfAnyTask):
    """How many sequences are kept from training."""

    test: Sequences = Field(2, description="Sequences that the forecast is tested on.")
    validation: SequencesOrNone = Field(
        0, description="Sequences that choose the step, with keep: best; 0 for no validation part."
    )


class SineSettings(HeldOutSequences):
    """Sines of one frequency that begin at random places: sin((t + shift) / time_scale)."""

    source: Literal["sine"] = Field(description="Where the sequences come from.")
    sequences: Sequences = Field(100, description="All sequences, those for validation and test among them.")
    length: Points = Field(1000, description="Points of a sequence; the first half is given, the second foretold.")
    time_scale: Annotated[Positive, Field(le=1e6)] = Field(
        20.0, description="T in sin(t / T): a wave has 2π T points."
    )
    seed: Natural = Field(0, description="Seed of the shifts, the same for every run.")

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "SineSettings":
        if self.test + self.validation >= self.sequences:
            raise PydanticCustomError(
                "rule", "test + validation below sequences, so that some are left to train on"
            )
        if self.sequences * self.length > MOST_POINTS:
            raise PydanticCustomError(
                "rule",
                "sequences × length of at most {most}, which have to be in memory",
                {"most": f"{MOST_POINTS:,}"},
            )
        return self


class SeriesSettings(FormSettings, HeldOutSequences):
    """A column of a table of your own, cut into windows; the last ones are held out."""

    source: Literal["series"] = Field(description="Where the sequences come from.")
    file: str = Field(description="The table, beside the suite.")
    column: str = Field(description="Name of the column with the numbers, in the order of time.")
    window: Points = Field(200, description="Points of a sequence; the first half is given, the second foretold.")
    stride: Annotated[Count, Field(le=100_000)] = Field(
        10, description="Points from the beginning of a training window to that of the next."
    )
    limit: Sequences | None = Field(None, description="Train on the last so many windows alone.")


class LoadedSeriesSettings(LoadedData, HeldOutSequences):
    """Numbers that a function of your own returns, cut into windows; the last ones are held out."""

    source: Literal["series-function"] = Field(description="Where the sequences come from.")
    load: UserCodeName = Field(
        description="The function, my_data.py:load, that returns numbers in the order of time."
    )
    files: tuple[str, ...] = Field((), max_length=1000, description="Files that it reads, beside the suite.")
    window: Points = Field(200, description="Points of a sequence; the first half is given, the second foretold.")
    stride: Annotated[Count, Field(le=100_000)] = Field(
        10, description="Points from the beginning of a training window to that of the next."
    )
    limit: Sequences | None = Field(None, description="Train on the last so many windows alone.")


ForecastingData = SineSettings | SeriesSettings | LoadedSeriesSettings


class ForecasterSettings(UserModelSettings):
    """A recurrent network over numbers, and one linear layer that foretells the next of them."""

    cell: RecurrentCellName = Field(
        description="torch.nn's RNN, LSTM or GRU, one of them by hand, or your own class: my_models.py:MyLSTM."
    )
    hidden_size: Count = Field(51, le=16_384, description="Size of the hidden state.")
    layers: Count = Field(1, le=64, description="Recurrent layers, one on top of the other.")


_OF_LBFGS = {"steps": 10, "learning_rate": 0.8, "max_iter": 20, "precision": "float64", "log_every": 1}


class ForecastTrainingSettings(AnyTrainingSettings):
    """How a forecaster is trained: each step sees all training sequences at once."""

    optimizer: Literal["adam", "lbfgs"] = Field(
        "adam", description="Adam, or L-BFGS, which evaluates the network many times a step."
    )
    steps: Annotated[Count, Field(le=1_000_000)] = Field(
        300, description="Steps of the optimizer; 10 unless given for lbfgs."
    )
    learning_rate: Positive = Field(0.01, description="The learning rate; 0.8 unless given for lbfgs.")
    max_iter: Annotated[Count, Field(le=10_000)] | None = Field(
        None,
        description="For lbfgs alone: iterations a step, with at most 1.25 evaluations each; 20 unless given.",
    )
    precision: Literal["float32", "float64"] = Field(
        "float32",
        description="The type of the numbers; float64 unless given for lbfgs, which needs exact gradients.",
    )
    log_every: Annotated[Count, Field(le=1_000_000)] = Field(
        10, description="Steps between two rows of the log; 1 unless given for lbfgs."
    )
    keep: Literal["last", "best"] = Field(
        "last",
        description="The step that is tested: the last, or that of the lowest forecast error in validation.",
    )

    @property
    def rounds(self) -> int:
        """The most steps that a run has."""
        return self.steps

    @model_validator(mode="before")
    @classmethod
    def _begins_with_the_optimizers_defaults(cls, given: Any) -> Any:
        of_lbfgs = isinstance(given, dict) and given.get("optimizer") == "lbfgs"
        return (
            {**_OF_LBFGS, **{k: v for k, v in given.items() if (k, v) != ("max_iter", None)}}
            if of_lbfgs
            else given
        )

    @model_validator(mode="after")
    def _asks_of_an_optimizer_what_it_has(self) -> "ForecastTrainingSettings":
        clip = "gradient_clip" if self.gradient_clip is not None else "gradient_clip_value"
        if self.optimizer == "lbfgs" and getattr(self, clip) is not None:
            raise PydanticCustomError(
                "rule", "no {clip} with optimizer lbfgs, which works out the curvature from exact gradients",
                {"clip": clip},
            )  # fmt: skip
        if self.max_iter and self.optimizer != "lbfgs":
            raise PydanticCustomError("rule", "no max_iter with optimizer {name}", {"name": self.optimizer})
        return self


class ForecastingRun(RunOfAnyTask):
    """One forecasting run without its seed and its name."""

    data: Annotated[ForecastingData, Field(discriminator="source")]
    model: ForecasterSettings
    training: ForecastTrainingSettings = ForecastTrainingSettings()

    @model_validator(mode="after")
    def _can_choose_a_step(self) -> "ForecastingRun":
        require_validation_part(self.training, "data.validation", there=self.data.validation > 0)
        if self.training.keep == "best" and self.data.validation == 0:
            raise PydanticCustomError(
                "rule", "keep: last, or a validation part above 0 that can choose the best step"
            )
        return self
