"""The settings of a classification run."""

from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from reportgen.lab.settings import (
    Count,
    DataOfAnyTask,
    EncodingName,
    FormSettings,
    Fraction,
    FractionOrZero,
    LoadedData,
    Natural,
    Positive,
    RecurrentCell,
    RunOfAnyTask,
    Settings,
    Yes,
)
from reportgen.lab.training.settings import AnyTrainingSettings, require_validation_part
from reportgen.lab.user_source import (
    OWN,
    PACKAGED_VECTORS,
    UserCodeName,
    UserModelSettings,
    cell_named,
    is_user_code,
)

KnownCell = Literal[RecurrentCell, "handwritten_rnn_i2h_i2o"]
KNOWN_CELLS: tuple[str, ...] = get_args(KnownCell)


Cell = Annotated[
    str,
    PlainValidator(lambda value: cell_named(value, KNOWN_CELLS)),
    WithJsonSchema({"anyOf": [{"enum": list(KNOWN_CELLS)}, {"type": "string", "pattern": OWN}]}),
]


def _names_vectors(value: str) -> str:
    if value != PACKAGED_VECTORS and not value.endswith(".txt"):
        raise PydanticCustomError("vectors", f"{PACKAGED_VECTORS}, or a file glove.*.txt beside the suite")
    return value


_PLAIN = {
    "layers": 1, "pooling": "last", "embedding_size": None, "vectors": None, "head_size": None, "dropout": 0.0,
}  # fmt: skip


class ModelSettings(UserModelSettings):
    """A recurrent classifier: symbols in, a recurrent network, its states pooled, one or two linear layers."""

    cell: Cell = Field(
        description="torch.nn's RNN, LSTM or GRU, one of them by hand, or your own class: my_models.py:MyLSTM."
    )
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
    vectors: Annotated[str, Field(strict=True), AfterValidator(_names_vectors)] | None = Field(
        None, description=f"Word vectors that the embedding begins with: {PACKAGED_VECTORS} or a file glove.*.txt."
    )
    vectors_frozen: Yes = Field(False, description="Leave the word vectors as they are; else they are trained on.")
    head_size: Annotated[Count, Field(le=16_384)] | None = Field(
        None, description="Size of a linear layer between the pooled state and the output layer."
    )
    activation: Literal["relu", "sigmoid", "tanh"] = Field("relu", description="Activation after that layer.")
    dropout: FractionOrZero = Field(0.0, description="Dropout before the output layer while training.")
    log_softmax: Yes = Field(False, description="End with LogSoftmax, which cross_entropy takes as it is.")

    @model_validator(mode="after")
    def _asks_of_a_cell_what_it_has(self) -> "ModelSettings":
        by_hand = self.cell.startswith("handwritten_") or is_user_code(self.cell)
        if by_hand and (self.bidirectional or self.packed or self.recurrent_dropout):
            raise PydanticCustomError(
                "rule", "no bidirectional, packed or recurrent_dropout with {cell}; torch.nn's cells have them",
                {"cell": self.cell},
            )  # fmt: skip
        if self.cell == "handwritten_rnn_i2h_i2o" and {**self.model_dump(), **_PLAIN} != self.model_dump():
            raise PydanticCustomError(
                "rule", "no layers, pooling, embedding_size, vectors, head_size or dropout with {cell}, "
                "whose two linear layers are the whole model", {"cell": self.cell},
            )  # fmt: skip
        if self.bidirectional and not self.packed:
            # the backward direction would begin with the padding
            raise PydanticCustomError("rule", "packed: true with bidirectional: true")
        if self.recurrent_dropout and self.layers == 1:
            raise PydanticCustomError("rule", "layers of 2 or more with recurrent_dropout")
        return self

    @model_validator(mode="after")
    def _has_one_embedding(self) -> "ModelSettings":
        if self.vectors is not None and self.embedding_size is not None:
            raise PydanticCustomError("rule", "vectors, which have a size of their own, or an embedding_size")
        if self.vectors is None and self.vectors_frozen:
            raise PydanticCustomError("rule", "vectors with vectors_frozen: true")
        return self


SurnameLanguage = Literal[
    "Arabic", "Armenian", "Chinese", "Czech", "Dutch", "English", "Estonian", "Finnish", "French",
    "Georgian", "German", "Greek", "Irish", "Italian", "Polish", "Russian", "Spanish", "Tamil",
]  # fmt: skip
SURNAME_LANGUAGES: tuple[SurnameLanguage, ...] = SurnameLanguage.__args__  # type: ignore[attr-defined]


TEST_SHARE = 0.2


class GivenTestSplit(Settings):
    """How examples are divided that are in no test part yet; each part has every class in proportion."""

    validation: FractionOrZero = Field(
        0.1, description="Fraction of the examples that choose the epoch; 0 for no validation part."
    )
    seed: Natural = Field(0, description="Seed of the split, the same for every run.")


class SplitSettings(GivenTestSplit):
    """How the examples are divided: by fractions, or by the number of a class to train on."""

    test: Fraction | None = Field(
        None, description=f"Fraction held back for the test part; {TEST_SHARE} unless train_per_class is given."
    )
    train_per_class: Annotated[Count, Field(le=10**9)] | None = Field(
        None, description="Train on so many examples of each class; what the validation part leaves is tested."
    )

    @property
    def test_share(self) -> float:
        """The fraction held back for the test part where the parts are given by fractions."""
        return TEST_SHARE if self.test is None else self.test

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "SplitSettings":
        if self.train_per_class is not None:
            if self.test is not None:
                raise PydanticCustomError("rule", "test or train_per_class, of which one follows from the other")
        elif self.test_share + self.validation >= 1:
            raise PydanticCustomError("rule", "test + validation below 1, so that something is left to train on")
        return self


class SurnamesSettings(DataOfAnyTask):
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


class AnyTextSettings(DataOfAnyTask):
    """What every source of texts is asked."""

    tokens: Literal["words", "characters", "letters", "jieba"] | None = Field(
        None,
        description="What a text is split into; for Chinese, characters or jieba's words; letters keep spaces. "
        "Words unless given, and characters for texts in a script that has no spaces.",
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
    split: GivenTestSplit = GivenTestSplit()


class TextSettings(AnyTextSettings):
    """What a source of texts is asked that has no test part of its own."""

    split: SplitSettings = SplitSettings()


class MovieSnippetsSettings(TextSettings):
    """Snippets of film reviews, positive or negative; fetched once from the package index."""

    source: Literal["movie-snippets"] = Field(description="Where the examples come from.")


class ImdbSettings(AnyTextSettings):
    """Film reviews by Maas et al. (2011), positive or negative, divided into train and test by their authors."""

    names_all_files = False

    source: Literal["imdb"] = Field(description="Where the examples come from.")
    folder: str | None = Field(
        None, description="The unpacked archive, aclImdb, beside the suite; it is fetched once unless given."
    )
    max_length: Annotated[Count, Field(le=100_000)] | None = Field(400, description="Cut texts to so many tokens.")


class PolaritySettings(TextSettings):
    """The two files of the sentence-polarity corpus: a snippet a line, in Latin-1 or UTF-8."""

    source: Literal["sentence-polarity"] = Field(description="Where the examples come from.")
    encoding: EncodingName | None = Field(
        None, description="Encoding of both files; UTF-8 or Latin-1 unless given."
    )
    negative: str = Field(description="File of the negative snippets, beside the suite.")
    positive: str = Field(description="File of the positive snippets, beside the suite.")


class TableSettings(FormSettings, TextSettings):
    """A table of your own, with a row an example."""

    source: Literal["csv", "tsv", "jsonl"] = Field(description="Where the examples come from.")
    file: str = Field(description="The table, beside the suite.")
    text: str = Field("text", description="Name of the column with the text.")
    label: str = Field("label", description="Name of the column with the class.")
    test_file: str | None = Field(None, description="A second table like it to test on, beside the suite.")

    @model_validator(mode="after")
    def _has_one_test_part(self) -> "TableSettings":
        if self.test_file is not None and (self.split.test is not None or self.split.train_per_class is not None):
            raise PydanticCustomError("rule", "no split.test or split.train_per_class with test_file")
        return self

    @model_validator(mode="after")
    def _has_cells_where_it_says_how(self) -> "TableSettings":
        if self.source == "jsonl" and (self.separator or not self.header):
            raise PydanticCustomError("rule", "no separator and no columns with source jsonl, which has none")
        return self


class FolderSettings(TextSettings):
    """A folder of your own with a file a class, <class>.txt, and a text a line."""

    names_all_files = False

    source: Literal["folder"] = Field(description="Where the examples come from.")
    folder: str = Field(description="The folder, beside the suite.")
    encoding: EncodingName | None = Field(None, description="Encoding of the files; told by their bytes.")


class FunctionSettings(LoadedData, TextSettings):
    """Texts and classes that a function of your own returns."""

    source: Literal["function"] = Field(description="Where the examples come from.")
    load: UserCodeName = Field(description="The function, my_data.py:load, that returns pairs of text and class.")
    files: tuple[str, ...] = Field((), max_length=1000, description="Files that it reads, beside the suite.")


ClassificationData = (
    SurnamesSettings
    | MovieSnippetsSettings
    | ImdbSettings
    | PolaritySettings
    | TableSettings
    | FolderSettings
    | FunctionSettings
)
DATA_SETTINGS: tuple[type[Settings], ...] = get_args(ClassificationData)
DataSettings = Annotated[ClassificationData, Field(discriminator="source")]


KnownLoss = Literal["cross_entropy", "mse", "bce_one_hot", "bce_logit"]
KNOWN_LOSSES: tuple[str, ...] = get_args(KnownLoss)


def _loss(value: object) -> str:
    if isinstance(value, str) and (value in KNOWN_LOSSES or is_user_code(value)):
        return value
    known = ", ".join(map(repr, KNOWN_LOSSES))
    raise PydanticKnownError("literal_error", {"expected": f"{known} or a function of your own, file.py:name"})


Loss = Annotated[
    str,
    PlainValidator(_loss),
    WithJsonSchema({"anyOf": [{"enum": list(KNOWN_LOSSES)}, {"type": "string", "pattern": OWN}]}),
]


class TrainingSettings(AnyTrainingSettings):
    """How a classifier is trained."""

    unit: ClassVar[str] = "epoch"

    epochs: Count = Field(10, le=100_000, description="Passes over the training part.")
    batch_size: Count = Field(64, le=1_000_000, description="Examples a step.")
    loss: Loss = Field(
        "cross_entropy",
        description="Cross-entropy, squared error of the probabilities, binary cross-entropy on one-hot targets, "
        "or on a single logit (two classes), or your own: my_losses.py:focal.",
    )
    optimizer: Literal["adam", "adamw", "adamax", "rmsprop", "sgd"] = Field(
        "adam", description="The optimizer, by its name in torch.optim."
    )
    learning_rate: Positive = Field(0.001, description="The optimizer's learning rate.")
    momentum: FractionOrZero = Field(0.0, description="Momentum; for sgd and rmsprop alone.")
    weight_decay: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = Field(
        0.0, description="L2 penalty, or decoupled decay with adamw."
    )
    precision: Literal["float32", "tf32", "bf16"] = Field(
        "float32",
        description="How exactly the network computes; tf32 needs a GPU; bf16 keeps the weights in float32, and "
        "needs AVX-512 for torch's LSTM on a CPU.",
    )
    keep: Literal["best", "last"] = Field(
        "best", description="The epoch that is tested: lowest loss on the validation part, or the last one."
    )

    @property
    def rounds(self) -> int:
        """The most epochs that a run has."""
        return self.epochs

    @model_validator(mode="after")
    def _has_momentum_only_where_there_is_one(self) -> "TrainingSettings":
        if self.momentum and self.optimizer not in ("sgd", "rmsprop"):
            raise PydanticCustomError("rule", "no momentum with optimizer {name}", {"name": self.optimizer})
        return self


class RunSettings(RunOfAnyTask):
    """One classification run without its seed and its name: what it learns from, what learns, and how."""

    data: DataSettings
    model: ModelSettings
    training: TrainingSettings = TrainingSettings(epochs=10)

    def as_printed(self) -> dict[str, Any]:
        """Return the same, with the share of the test part worked out where the suite leaves it to reportgen."""
        plain = super().as_printed()
        data = plain["data"]
        if is_user_code(self.training.loss):
            plain["training"]["loss"] = PurePath(self.training.loss).name
        split = self.data.split
        if isinstance(split, SplitSettings) and split.train_per_class is None and not data.get("test_file"):
            data["split"]["test"] = split.test_share
        return plain

    @model_validator(mode="after")
    def _ends_as_the_loss_expects(self) -> "RunSettings":
        if (self.model.log_softmax or self.model.cell.endswith("i2o")) and self.training.loss.startswith("bce"):
            raise PydanticCustomError("rule", "loss cross_entropy or mse with a model that ends with LogSoftmax")
        return self

    @model_validator(mode="after")
    def _plans_without_loading(self) -> "RunSettings":
        if isinstance(self.data, FunctionSettings) and self.model.vectors is not None:
            # the key of a run has the vectors of its words, and a plan runs none of the user's code
            raise PydanticCustomError("rule", "no vectors with data of a function; write them to a table")
        return self

    @model_validator(mode="after")
    def _can_choose_an_epoch(self) -> "RunSettings":
        has_validation = self.data.split.validation > 0
        require_validation_part(self.training, "data.split.validation", there=has_validation)
        if self.training.keep == "best" and not has_validation:
            raise PydanticCustomError(
                "rule", "keep: last, or a validation part above 0 that can choose the best epoch"
            )
        return self
